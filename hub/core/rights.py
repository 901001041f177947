# SPDX-License-Identifier: EUPL-1.2
"""Who may do what: one table of roles and actions, for people, keys, API and pages alike.

A key or a person has roles; what they may do is the union. `read`, `write` and `admin` are the scopes of keys made
before there were roles, and go on working. A partner sees and changes its own devices and facilities only: those whose
`owner` is the `partner` that the key or person belongs to; an action of PARTNER is meant that way everywhere
(`Caller.reaches`). What is not of one device (places, quantities, indicators, strategies) it reads as a viewer does.
"""

from collections.abc import Collection, Mapping
from enum import StrEnum
from typing import Literal

from msgspec import Struct


class Role(StrEnum):
    """What somebody is in the city; Czech: technik, operátor, stratég, partner, čtenář, správce."""

    TECHNICIAN = "technician"
    OPERATOR = "operator"
    STRATEGIST = "strategist"
    PARTNER = "partner"
    VIEWER = "viewer"
    ADMIN = "admin"


class Action(StrEnum):
    """What a route or a page lets somebody do."""

    READ = "read"  # devices, places, readings, values, strategies
    RAW = "raw"  # raw payloads, quarantine, newcomers: may hold personal data
    DEVICES = "devices"  # register, change, mount, replace, retire; notes, photos, certificates, tags
    CREDENTIALS = "credentials"  # issue, rotate, disable
    PLACES = "places"  # places and facilities
    IMPORT = "import"  # import and undo
    SEND = "send"  # readings through the API
    CORRECT = "correct"  # corrections, maintenance windows
    REDRIVE = "redrive"  # redrive quarantine, ignore devices
    PURGE = "purge"  # erase payloads
    ENTER = "enter"  # figures that no sensor gives
    APPROVE = "approve"  # figures that others entered
    STRATEGY = "strategy"  # strategy documents
    OPERATE = "operate"  # recompute, republish, accounting
    AUDIT = "audit"  # read the record of changes
    ACCESS = "access"  # people and keys


_A, _R = Action, Role
_FIELD = {_A.READ, _A.RAW, _A.DEVICES, _A.CREDENTIALS, _A.PLACES, _A.IMPORT, _A.SEND, _A.REDRIVE}
_WRITE = {*_FIELD, _A.CORRECT, _A.ENTER, _A.APPROVE, _A.STRATEGY, _A.OPERATE}

GRANTS: Mapping[str, frozenset[Action]] = {
    _R.TECHNICIAN: frozenset({*_FIELD, _A.CORRECT}),
    _R.OPERATOR: frozenset({_A.READ, _A.RAW, _A.CORRECT, _A.REDRIVE, _A.PURGE, _A.OPERATE, _A.ENTER, _A.AUDIT}),
    _R.STRATEGIST: frozenset({_A.READ, _A.ENTER, _A.APPROVE, _A.STRATEGY}),
    _R.PARTNER: frozenset({_A.READ, _A.DEVICES, _A.SEND}),
    _R.VIEWER: frozenset({_A.READ}),
    _R.ADMIN: frozenset(Action),
    # scopes of earlier keys
    "read": frozenset({_A.READ, _A.RAW}),
    "write": frozenset(_WRITE),
}


def actions(roles: Collection[str]) -> frozenset[Action]:
    """All that somebody with these roles may do."""
    return frozenset().union(*(GRANTS.get(role, frozenset()) for role in roles))


def may(roles: Collection[str], action: Action) -> bool:
    """Whether one of the roles grants it."""
    return any(action in GRANTS.get(role, frozenset()) for role in roles)


class Caller(Struct, frozen=True, kw_only=True):
    """Who asks: a person who signed in, a key, or (`open`) anybody where reads are open.

    `name` is what stands as `by` in records: a person's login or a key's name. `title` is for people to read.
    `must_change` is somebody with a one-time password, who may do nothing before it is changed.
    """

    name: str
    kind: Literal["person", "key", "open"]
    roles: frozenset[str] = frozenset()
    partner: str = ""
    login: str = ""
    title: str = ""
    language: str = ""
    must_change: bool = False

    def may(self, action: Action) -> bool:
        """Whether this is allowed at all, be it on own devices only."""
        return not self.must_change and may(self.roles, action)

    def bounded(self, action: Action) -> bool:
        """Whether this is allowed on what the partner owns alone."""
        return self.may(action) and not may(self.roles - {Role.PARTNER}, action)

    def reaches(self, action: Action, owner: str) -> bool:
        """Whether this is allowed on a device or facility of that owner ("": the city's)."""
        if not self.bounded(action):
            return self.may(action)
        return bool(owner) and owner == self.partner


ANYBODY = Caller(name="", kind="open", roles=frozenset({Role.VIEWER}))
