# SPDX-License-Identifier: EUPL-1.2
"""People, sessions, and credentials at the broker."""

from collections.abc import Sequence
from typing import NamedTuple, Protocol

from hub.core.access import BrokerRefusal, Credential, Person, SessionView
from hub.core.rights import Caller


class People(Protocol):
    """Who signs in. Passwords are kept as Argon2 hashes."""

    def add(self, person: Person, password: str | None, *, by: str, once: bool = False) -> Person:
        """Raise Invalid (login, role, weak password), Exists. `once`: the password has to be changed first."""
        ...

    def change(self, person: Person, *, by: str) -> Person:
        """Name, roles, partner, language, disabled. Disabling ends sessions. Raise NotFound, Invalid (last admin)."""
        ...

    def set_password(self, login: str, password: str, *, by: str, once: bool = False, keep: str = "") -> None:
        """Ends all sessions but that of the cookie `keep`. Raise NotFound, Invalid."""
        ...

    def verify(self, login: str, password: str) -> Person | None:
        """The person, in the same time whether the login exists or not; None when it is not so or is disabled."""
        ...

    def get(self, login: str) -> Person:
        """Raise NotFound."""
        ...

    def by_subject(self, issuer: str, subject: str) -> Person | None:
        """Who this is at an OpenID provider."""
        ...

    def all(self) -> Sequence[Person]:
        """In order of login."""
        ...

    def begin(self, login: str, *, agent: str, kept: bool = False) -> str:
        """A new session; returns the cookie's secret. `kept` is one that lasts days, as on a phone."""
        ...

    def session(self, secret: str) -> Person | None:
        """Whose session this is, and moves its end; None when it ended or the person is disabled."""
        ...

    def end(self, secret: str) -> None:
        """Sign out."""
        ...

    def sessions(self, login: str) -> Sequence[SessionView]:
        """Those that go on, the newest first."""
        ...

    def end_others(self, secret: str) -> int:
        """End every other session of whose this is; returns how many there were."""
        ...


class Issued(NamedTuple):
    """A credential with its secret, which is shown this once."""

    credential: Credential
    secret: str


class Credentials(Protocol):
    """What clients show the broker. Every change raises `version`, by which the provisioner learns of it."""

    def issue(self, username: str, *, by: str, bridge: str = "", allow: Sequence[str] = ()) -> Issued:
        """For a device, or with `bridge` (topic filter) for a network server. Raise NotFound (device), Exists."""
        ...

    def issue_many(self, usernames: Sequence[str], *, by: str) -> Sequence[Issued]:
        """For many devices in one transaction, all or none; in their order. Raise NotFound, Exists."""
        ...

    def rotate(self, username: str, *, by: str) -> Issued:
        """A new secret; the old one is worth nothing from then on. Also enables again. Raise NotFound."""
        ...

    def disable(self, username: str, *, by: str, why: str = "") -> Credential:
        """Shut it out and end its session at the broker. Raise NotFound."""
        ...

    def allow(self, username: str, devices: Sequence[str], *, by: str) -> Credential:
        """Which devices a bridge may bring. Raise NotFound, Invalid."""
        ...

    def get(self, username: str) -> Credential | None:
        """That of one client."""
        ...

    def all(self) -> Sequence[Credential]:
        """In order of name, disabled ones too."""
        ...

    def version(self) -> int:
        """Cheap: grows with every change."""
        ...

    def applied(self) -> int:
        """The version that the broker was brought to last: all it has to know is known when this is `version()`."""
        ...

    def mark_applied(self, version: int) -> None:
        """The broker has this version now."""
        ...

    def refused(self, refusals: Sequence[BrokerRefusal]) -> None:
        """Add what the broker refused to what is there."""
        ...

    def refusals(self, username: str | None = None) -> Sequence[BrokerRefusal]:
        """Newest first."""
        ...


class Provisioner(Protocol):
    """Brings a broker to what the ledger says. Full state each time: idempotent, and right after any crash."""

    async def apply(self, credentials: Sequence[Credential]) -> Sequence[str]:
        """Return when the broker lets in exactly these, but for those named: it lost them, and needs a new secret.

        Raise Retry (broker away), Stop (says what to do).
        """
        ...


class Shown(NamedTuple):
    """What a request shows of who sends it: an API key, else a session's cookie; and the address that it comes from."""

    key: str | None = None
    cookie: str | None = None
    client: str = "local"


class Gate(Protocol):
    """Lets callers in, the same ones to API and pages. Calls block: not for the event loop."""

    @property
    def open_reads(self) -> bool:
        """Whether anybody may read (on loopback)."""
        ...

    def caller(self, shown: Shown) -> Caller | None:
        """Who this is; None without key and without a session that goes on. Raise Denied, TooManyTries."""
        ...

    def sign_in(self, login: str, password: str, *, client: str, agent: str, kept: bool = False) -> str:
        """Begin a session; returns the cookie's secret. Raise Denied, TooManyTries."""
        ...

    def change_password(self, shown: Shown, old: str, new: str) -> None:
        """Of who is signed in; ends the other sessions. Raise Denied (the old one), TooManyTries, Invalid (the new)."""
        ...

    def sign_out(self, cookie: str) -> None:
        """End a session; harmless when it has ended."""
        ...

    def sessions(self, shown: Shown) -> Sequence[SessionView]:
        """Of who is signed in, those that go on, the newest first; none of nobody."""
        ...

    def end_others(self, shown: Shown) -> None:
        """End the other sessions of who is signed in."""
        ...
