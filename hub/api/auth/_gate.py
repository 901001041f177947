# SPDX-License-Identifier: EUPL-1.2
"""Lets callers in: a key or a session becomes a `Caller`. The same for API and pages; knows no web framework.

A wrong key is refused even where none is needed: a caller who thinks to be somebody has to learn that it is not so. A
session that has ended is no fault: its owner is simply nobody any more. Secrets are never logged. Keys and sessions
are looked up at each request, so that what is revoked, disabled or changed counts at once.
"""

import logging
import time
from collections.abc import Sequence

from hub.api.auth._throttle import Attempts, Throttle, Tries, is_doubling
from hub.core.access import Person, SessionView
from hub.core.errors import Denied, HubError, Invalid, TooManyTries
from hub.core.ports import ApiKey, AuditTrail, KeyRing, People, Shown
from hub.core.rights import ANYBODY, Caller

logger = logging.getLogger(__name__)

_LONGEST_SECRET = 512


def key_caller(key: ApiKey) -> Caller:
    """A key as a caller."""
    return Caller(name=key.name, kind="key", roles=key.scopes, partner=key.partner, title=key.name)


def person_caller(person: Person) -> Caller:
    """Somebody who signed in."""
    return Caller(
        name=person.login,
        kind="person",
        roles=person.roles,
        partner=person.partner,
        login=person.login,
        title=person.name or person.login,
        language=person.language,
        must_change=person.must_change,
    )


class KeyGate:
    """`Gate` over keys and, where there are any, people."""

    def __init__(
        self,
        keys: KeyRing,
        people: People | None = None,
        *,
        open_reads: bool = False,
        throttle: Throttle | None = None,
        attempts: Attempts | None = None,
        audit: AuditTrail | None = None,
    ) -> None:
        self._keys, self._people, self._open = keys, people, open_reads
        self.throttle = throttle or Throttle()
        self.attempts = attempts or Attempts()
        self._audit = audit

    @property
    def open_reads(self) -> bool:
        """Whether anybody may read (on loopback)."""
        return self._open

    def caller(self, shown: Shown) -> Caller | None:
        """Who this is; None without key and without a session that goes on. Raise Denied, TooManyTries."""
        if shown.key is not None:
            return key_caller(self._key(shown.key, shown.client))
        if shown.cookie and self._people is not None and len(shown.cookie) <= _LONGEST_SECRET:
            person = self._people.session(shown.cookie)
            return None if person is None else person_caller(person)
        return None

    def sign_in(self, login: str, password: str, *, client: str, agent: str, kept: bool = False) -> str:
        """Begin a session; returns the cookie's secret. Raise Denied, TooManyTries."""
        people = self._present()
        person = self._proved(login.strip().lower(), password, client)
        return people.begin(person.login, agent=agent, kept=kept)

    def change_password(self, shown: Shown, old: str, new: str) -> None:
        """Of who is signed in; ends the other sessions. Raise Denied (the old one), TooManyTries, Invalid (the new)."""
        people, cookie = self._present(), shown.cookie or ""
        person = people.session(cookie)
        if person is None:
            raise Denied("nobody is signed in")
        self._proved(person.login, old, shown.client)
        if new == old:
            raise Invalid("is the old one; take another", "password")
        people.set_password(person.login, new, by=person.login, keep=cookie)

    def sign_out(self, cookie: str) -> None:
        """End a session; harmless when it has ended."""
        self._present().end(cookie)

    def _present(self) -> People:
        if self._people is None:
            raise Denied("this hub has no people, only keys")
        return self._people

    def _proved(self, login: str, password: str, client: str) -> Person:
        """The person with this password; counts what is wrong, and lets nobody wait for another's mistakes."""
        if wait := self.attempts.wait(login, client):
            raise TooManyTries(f"too many wrong passwords; wait {int(wait) + 1} s", wait)
        person = self._present().verify(login, password) if len(password) <= _LONGEST_SECRET else None
        if person is None:
            tries = self.attempts.wrong(login, client)
            logger.warning("wrong password for %.64r from %s, number %d", login, client, tries.of_login)
            self._note_wrong(login, client, tries)
            raise Denied("login or password is wrong")
        self.attempts.right(login, client)
        return person

    def _note_wrong(self, login: str, client: str, tries: Tries) -> None:
        """Audit wrong passwords at 5, 10, 20 ... of a login, at 50, 100, 200 ... of an address: a flood is few rows.

        Only a login that exists is named: people type passwords into the wrong field.
        """
        named = is_doubling(tries.of_login, Attempts.FREE)
        if self._audit is None or not (named or is_doubling(tries.of_client, Attempts.FREE * 10)):
            return
        known = any(person.login == login for person in self._present().all())
        subject = f"person:{login}" if known and named else "person:?"
        detail = {"from": client, "tries": tries.of_login if named else tries.of_client}
        try:
            self._audit.note(time.time_ns(), "", "session.refused", subject, detail)
        except HubError as error:  # the refusal stands, whatever becomes of its record
            logger.warning("a refused sign-in is not in the audit: %s", error)

    def sessions(self, shown: Shown) -> Sequence[SessionView]:
        """Of who is signed in, those that go on, the newest first; none of nobody."""
        caller = self.caller(Shown(None, shown.cookie, shown.client))
        return [] if caller is None else self._present().sessions(caller.login)

    def end_others(self, shown: Shown) -> None:
        """End the other sessions of who is signed in."""
        self._present().end_others(shown.cookie or "")

    def anybody(self, shown: Shown) -> Caller | None:
        """As `caller`; where reads are open somebody without anything to show may read."""
        return self.caller(shown) or (ANYBODY if self.open_reads else None)

    def _key(self, secret: str, client: str) -> ApiKey:
        if wait := self.throttle.wait(client, secret):
            raise TooManyTries(f"too many wrong keys; wait {int(wait) + 1} s", wait)
        key = self._keys.verify(secret) if len(secret) <= _LONGEST_SECRET else None
        if key is None:
            logger.warning("wrong API key from %s, number %d within a minute", client, self.throttle.wrong(client))
            raise Denied("no key has this secret, or it was revoked; ask for a new one")
        self.throttle.right(secret)
        return key
