# SPDX-License-Identifier: EUPL-1.2
"""Devices that send but are not registered, each with the command that registers it.

What a device calls itself comes from outside and ends up in a line that people paste into a shell: it is quoted, and
what is no printable text gives no command at all.
"""

import shlex
from collections.abc import Sequence
from itertools import groupby
from typing import NamedTuple

from hub.console._values import Speaker
from hub.console.formats import Formats
from hub.console.language import Language
from hub.console.texts import TEXTS
from hub.core.errors import Invalid
from hub.core.journal import Quarantined
from hub.core.places import PlaceKind, RegistrySnapshot, check_device_id
from hub.core.ports import JournalReader, QuarantineFilter

NEW_DEVICE = "unknown_device"
_OWN_CONNECTOR = "native"
_PAGE, _PAGES = 1000, 5


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


def newcomers(speaker: Speaker) -> Newcomers:
    """Who waits to be registered."""
    waiting: list[Quarantined] = []
    complete = True
    for journal in speaker.services.journals:
        found, all_of_them = _waiting(journal)
        waiting += found
        complete = complete and all_of_them
    waiting.sort(key=_caller)
    municipality = _municipality(speaker.registry)
    devices = [
        _new_device(speaker.formats, list(group), complete, municipality) for _, group in groupby(waiting, _caller)
    ]
    parts = [(speaker.place(p.id), p.id) for p in speaker.registry.places.values() if p.kind is PlaceKind.PART]
    return Newcomers(devices, parts if devices else [])


def _waiting(journal: JournalReader) -> tuple[Sequence[Quarantined], bool]:
    """Messages of new devices, newest first, and whether these are all."""
    found: list[Quarantined] = []
    for _ in range(_PAGES):
        after = found[-1].id if found else 0
        page = journal.quarantine(QuarantineFilter(reason=NEW_DEVICE), after=after, limit=_PAGE)
        found += page
        if len(page) < _PAGE:
            return found, True
    return found, False


def _caller(message: Quarantined) -> tuple[str, str]:
    return message.connector, message.external_id or message.topic


def _municipality(registry: RegistrySnapshot) -> str:
    """Id of the only municipality; empty where there are several."""
    ids = [p.id for p in registry.places.values() if p.kind is PlaceKind.MUNICIPALITY]
    return ids[0] if len(ids) == 1 else ""


def _new_device(formats: Formats, messages: Sequence[Quarantined], complete: bool, municipality: str) -> NewDevice:
    received = sorted(m.received for m in messages)
    last = max(messages, key=lambda m: m.received)
    return NewDevice(
        external_id=last.external_id or last.topic,
        topic=last.topic,
        waiting=f"{'' if complete else '≥ '}{len(messages)}",
        first=formats.moment(received[0]),
        last=formats.moment(received[-1]),
        command=command(last.connector, last.external_id, municipality, formats.language),
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
