# SPDX-License-Identifier: EUPL-1.2
"""Devices as rows of the desk: gathered once, then searched and cut into pages on the server. Pure but for `board`.

A partner sees what it owns; the search ignores case and accents, as people type.
"""

import unicodedata
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from hub.console._overview import Recent
from hub.console._values import Speaker
from hub.console.language import Language
from hub.console.services import ConsoleServices
from hub.console.texts import ORIGIN, STATE
from hub.core.places import Device, PlaceKind, RegistrySnapshot
from hub.core.readings import Origin
from hub.core.rights import Action, Caller
from hub.devices.outages import Outage, members_of, outages
from hub.devices.state import Finding, State, describe

PAGE = 100


class Row(NamedTuple):
    """One device. `part` is the id of its part of the city ("" without one)."""

    id: str
    name: str
    place: str
    part: str
    state: str
    word: str
    words: str
    tags: str
    origin: str
    simulated: bool
    rank: int
    searched: str
    finding: Finding | None = None


class Wish(NamedTuple):
    """What of the list is asked for."""

    text: str = ""
    state: str = ""
    part: str = ""


def board(services: ConsoleServices, language: Language, caller: Caller, lately: Recent | None) -> Sequence[Row]:
    """All devices that the caller may see, worst first."""
    speaker, lately, rows = Speaker.of(services, language), lately or Recent(), []
    devices = [d for d in speaker.registry.devices.values() if caller.reaches(Action.READ, d.owner)]
    findings = services.watch.findings(devices, services.clock_ns(), flags=lately.flags, batteries=lately.batteries)
    for device in devices:
        finding = findings[device.id]
        origin = Origin.SIMULATED if device.id in lately.simulated else device.origin
        word = STATE[finding.state.value][language]
        row = _row(speaker, device, finding.state, word, describe(finding, language, services.zone), origin)
        rows.append(row._replace(finding=finding))
    return sorted(rows, key=lambda row: (row.rank, row.name))


def _row(speaker: Speaker, device: Device, state: State, word: str, words: str, origin: Origin) -> Row:
    name, place = speaker.named(device)
    return Row(
        id=device.id,
        name=name,
        place=place,
        part=part_of(speaker.registry, device),
        state=state.value,
        word=word,
        words=words,
        tags=", ".join(device.tags),
        origin=ORIGIN[origin.word][speaker.formats.language],
        simulated=origin is Origin.SIMULATED,
        rank=state.rank,
        searched=folded(" ".join((name, place, device.id, device.external_id, device.serial, *device.tags))),
    )


def part_of(registry: RegistrySnapshot, device: Device) -> str:
    """Id of the part of the city that a device stands in."""
    place: str | None = device.place
    while place and place in registry.places:
        if registry.places[place].kind is PlaceKind.PART:
            return place
        place = registry.places[place].parent
    return ""


def folded(text: str) -> str:
    """Without case and accents."""
    return "".join(c for c in unicodedata.normalize("NFKD", text.casefold()) if not unicodedata.combining(c))


def matching(rows: Sequence[Row], wish: Wish) -> Sequence[Row]:
    """Rows that have all words, the state and the part wished for."""
    words = folded(wish.text).split()
    return [
        row
        for row in rows
        if (not wish.state or row.state == wish.state)
        and (not wish.part or row.part == wish.part)
        and all(word in row.searched for word in words)
    ]


def page_of(rows: Sequence[Row], page: int) -> tuple[Sequence[Row], int, int]:
    """Rows of a page, its number (from 0, within bounds) and how many there are."""
    pages = max(1, -(-len(rows) // PAGE))
    page = min(max(page, 0), pages - 1)
    return rows[page * PAGE : (page + 1) * PAGE], page, pages


def tally(rows: Sequence[Row]) -> Mapping[str, Counter[str]]:
    """States by part of the city."""
    counts: dict[str, Counter[str]] = {}
    for row in rows:
        counts.setdefault(row.part, Counter())[row.state] += 1
    return counts


def together(registry: RegistrySnapshot, rows: Sequence[Row]) -> Sequence[Outage]:
    """What fell silent together, of these devices."""
    return outages(members_of(registry, {row.id: row.finding for row in rows if row.finding is not None}))
