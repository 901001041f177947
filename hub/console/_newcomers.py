# SPDX-License-Identifier: EUPL-1.2
"""Devices that send but are not registered, each with the command that registers it.

What a device calls itself comes from outside and ends up in a line that people paste into a shell: it is quoted, and
what is no printable text gives no command at all.
"""

import shlex
from collections.abc import Sequence
from typing import NamedTuple

from msgspec.structs import replace

from hub.console._values import Speaker
from hub.console.formats import Formats
from hub.console.language import Language
from hub.console.texts import TEXTS
from hub.core.errors import Invalid
from hub.core.journal import Newcomer, Quarantined
from hub.core.places import PlaceKind, RegistrySnapshot, check_device_id
from hub.core.ports import JournalReader, QuarantineFilter

NEW_DEVICE = "unknown_device"
_OWN_CONNECTOR = "native"
_MOST = 1000


class NewDevice(NamedTuple):
    """A device that sends but is not registered; `command` is empty where its name is no printable text."""

    external_id: str
    topic: str
    waiting: str
    first: str
    last: str
    command: str


class Newcomers(NamedTuple):
    """All of them, and the ids of the places that they can be put in: (name, id)."""

    devices: Sequence[NewDevice]
    parts: Sequence[tuple[str, str]]


class Calling(NamedTuple):
    """Somebody who is not registered, with its last waiting message where there is one (its payload may be cut)."""

    who: Newcomer
    newest: Quarantined | None


def calling(speaker: Speaker) -> Sequence[Calling]:
    """Everybody who talks and is neither registered nor ignored, by the whole quarantine; who spoke last first."""
    registry = speaker.registry
    known = {(d.connector, d.external_id) for d in registry.devices.values()} | registry.ignored
    found: dict[tuple[str, str], Calling] = {}
    for journal in speaker.services.journals:
        for row in journal.newcomers(_MOST):
            name = row.connector, row.external_id
            if name not in known:
                one = Calling(row, _message(journal, row))
                found[name] = _both(found[name], one) if name in found else one
    return sorted(found.values(), key=lambda one: (-one.who.last, one.who.connector, one.who.external_id))


def _both(one: Calling, other: Calling) -> Calling:
    """The same somebody in two journals."""
    newer = max(one, other, key=lambda c: c.who.last)
    waiting, first = one.who.waiting + other.who.waiting, min(one.who.first, other.who.first)
    return Calling(replace(newer.who, waiting=waiting, first=first), newer.newest or one.newest or other.newest)


def _message(journal: JournalReader, row: Newcomer) -> Quarantined | None:
    where = QuarantineFilter(reason=NEW_DEVICE, connector=row.connector, external_id=row.external_id)
    return next(iter(journal.quarantine(where, limit=1)), None)


def newcomers(speaker: Speaker) -> Newcomers:
    """Who waits to be registered."""
    municipality = _municipality(speaker.registry)
    devices = [_new_device(speaker.formats, one, municipality) for one in calling(speaker)]
    parts = [(speaker.place(p.id), p.id) for p in speaker.registry.places.values() if p.kind is PlaceKind.PART]
    return Newcomers(devices, parts if devices else [])


def _municipality(registry: RegistrySnapshot) -> str:
    """Id of the only municipality; empty where there are several."""
    ids = [p.id for p in registry.places.values() if p.kind is PlaceKind.MUNICIPALITY]
    return ids[0] if len(ids) == 1 else ""


def _new_device(formats: Formats, one: Calling, municipality: str) -> NewDevice:
    who, topic = one.who, one.newest.topic if one.newest else ""
    return NewDevice(
        external_id=who.external_id or topic,
        topic=topic,
        waiting=str(who.waiting),
        first=formats.moment(who.first),
        last=formats.moment(who.last),
        command=command(who.connector, who.external_id, municipality, formats.language),
    )


def command(connector: str, external_id: str, municipality: str, language: Language) -> str:
    """The line that registers a device, with placeholders in <> for what only a person knows."""
    if not external_id or not external_id.isprintable():
        return ""
    blank = {name: f"<{TEXTS[f'blank_{name}'][language]}>" for name in ("id", "city", "part", "site", "seconds")}
    named = _is_device_id(external_id)
    words = [f"cityhub device add {external_id if named else blank['id']}"]
    words.append(f"--place {municipality or blank['city']}/{blank['part']}/{blank['site']}")
    words.append(f"--interval {blank['seconds']}")
    if connector != _OWN_CONNECTOR:
        words.append(f"--connector {shlex.quote(connector)}")
    if connector != _OWN_CONNECTOR or not named:
        words.append(shlex.quote(f"--external-id={external_id}"))
    return " ".join(words)


def _is_device_id(text: str) -> bool:
    """Whether the command line takes it as a device id; one that begins with a dash would be read as an option."""
    try:
        return check_device_id(text) == text and not text.startswith("-")
    except Invalid:
        return False
