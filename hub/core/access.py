# SPDX-License-Identifier: EUPL-1.2
"""People, their sessions, and what devices show the broker."""

from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import NamedTuple

from msgspec import Struct


class Person(Struct, frozen=True, kw_only=True):
    """Somebody who signs in. `roles` are those of `hub.core.rights`; `partner` bounds a partner to its own devices.

    `issuer` and `subject` name the person at an OpenID provider ("" for a password of our own). `must_change` is
    somebody with a one-time password, who has to choose one of his own first. Times in ns.
    """

    login: str
    name: str = ""
    roles: frozenset[str] = frozenset()
    partner: str = ""
    language: str = ""
    issuer: str = ""
    subject: str = ""
    created_at: int = 0
    disabled_at: int | None = None
    must_change: bool = False


class CredentialKind(StrEnum):
    """Whose: a device's own, or that of a network server's bridge."""

    DEVICE = "device"
    BRIDGE = "bridge"


class Credential(Struct, frozen=True, kw_only=True):
    """What somebody shows the broker; never the secret, only hashes ready for each kind of broker.

    `username` is the device's id, or the bridge's name. `hashes`: "bcrypt" ($2b$, NATS) and "mosquitto" ($7$). A device
    publishes below `devices/{username}/`, a bridge below `prefix` (a topic filter such as
    `application/+/device/+/event/+`), and of what it brings only devices in `allow` count (empty: all registered).
    """

    username: str
    kind: CredentialKind
    hashes: Mapping[str, str]
    prefix: str = ""
    allow: Sequence[str] = ()
    issued_at: int = 0
    issued_by: str = ""
    disabled_at: int | None = None
    disabled_why: str = ""


class BrokerRefusal(Struct, frozen=True, kw_only=True):
    """What the broker refused a client, counted by (username, kind, topic); `kind` is that of a BrokerEvent."""

    username: str
    kind: str
    topic: str
    text: str
    count: int
    first: int
    last: int


class SessionView(NamedTuple):
    """A session for its owner to see: `id` names it without being of use as a cookie."""

    id: str
    began: int
    seen: int
    expires: int
    agent: str
