# SPDX-License-Identifier: EUPL-1.2
"""What the page `/` shows, gathered from the ports. Runs in a worker thread, except for the store's readings."""

import asyncio
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from hub.console._changes import Changes, changes
from hub.console._map import Drawing, draw
from hub.console._newcomers import NEW_DEVICE, Newcomers, newcomers
from hub.console._values import Shown, Speaker, tone
from hub.console.formats import Formats
from hub.console.language import Language
from hub.console.services import ConsoleServices
from hub.console.texts import ORIGIN, STATE
from hub.core.errors import HubError
from hub.core.indicators import IndicatorValue, Status
from hub.core.journal import DeviceSeen, Quarantined
from hub.core.places import Place, PlaceKind
from hub.core.ports import JournalReader, QuarantineFilter, ValueLedger, ValueQuery
from hub.core.readings import Origin
from hub.core.reasons import REASONS, Reason
from hub.core.windows import HOUR
from hub.devices.evidence import batteries
from hub.devices.state import Battery, FlagCount, State, describe, flag_counts

MAP_INDICATOR = "eaqi_2024_district"
FLAG_HOURS = 6  # how far back the flags of readings count
_ROWS = 20


class PartRow(NamedTuple):
    """A part of the city with its newest value, None before there is one."""

    place: str
    name: str
    value: Shown | None


class DeviceRow(NamedTuple):
    """A device with its state in words."""

    name: str
    place: str
    state: State
    word: str
    words: str
    simulated: bool
    origin: str


class QuarantineRow(NamedTuple):
    """One message set aside."""

    received: str
    topic: str
    title: str
    hint: str
    detail: str
    payload: str


class Overview(NamedTuple):
    """Everything on the page."""

    drawing: Drawing
    parts: Sequence[PartRow]
    legend: Sequence[tuple[int, str, int]]
    devices: Sequence[DeviceRow]
    counts: Sequence[tuple[State, str, int]]
    new: Newcomers
    quarantine: Sequence[QuarantineRow]
    changes: Changes
    simulated: bool
    flags_known: bool


class Recent(NamedTuple):
    """The last hours' readings by device: their flags, who sent simulated ones, whatever its registration says, and
    the last batteries."""

    flags: Mapping[str, FlagCount] = {}
    simulated: frozenset[str] = frozenset()
    batteries: Mapping[str, Battery] = {}


async def recent(services: ConsoleServices) -> Recent | None:
    """What the last hours brought; None when the store does not answer: the rest of the page can be shown."""
    readings, now = services.readings, services.clock_ns()
    try:
        found = await readings.scan(await readings.series(), now - FLAG_HOURS * HOUR, now + HOUR)
        devices = (await asyncio.to_thread(services.registry.snapshot)).devices.values()
        charge = await batteries(readings, devices, services.ports.models if services.ports else {})
    except HubError:
        return None
    simulated = {found.series[i].device for i in set(found.index[found.origin == Origin.SIMULATED].tolist())}
    return Recent(flag_counts(found), frozenset(simulated), charge)


def overview(services: ConsoleServices, language: Language, lately: Recent | None) -> Overview:
    """Gather the page."""
    speaker, now = Speaker.of(services, language), services.clock_ns()
    parts = [p for p in speaker.registry.places.values() if p.kind is PlaceKind.PART]
    rows = _parts(speaker, parts)
    devices = _devices(speaker, lately or Recent(), now)
    late = changes(speaker)
    shown = [row.value for row in rows if row.value] + [c.now for c in late.rows]
    return Overview(
        drawing=draw(parts, services.layout, language),
        parts=rows,
        legend=_legend(services, language),
        devices=devices,
        counts=_counts(devices, language),
        new=newcomers(speaker),
        quarantine=_quarantine(speaker.formats, services.journals),
        changes=late,
        simulated=any(v.simulated for v in shown) or any(d.simulated for d in devices),
        flags_known=lately is not None,
    )


def _parts(speaker: Speaker, parts: Sequence[Place]) -> Sequence[PartRow]:
    ledger = speaker.services.values
    newest = {v.place: v for v in ledger.values(ValueQuery(indicator=MAP_INDICATOR, latest=True))}
    rows = []
    for part in parts:
        value = newest.get(part.id)
        settled = _settled(ledger, value) if value else None
        rows.append(PartRow(part.id, speaker.place(part.id), speaker.show(settled) if settled else None))
    return rows


def _settled(ledger: ValueLedger, value: IndicatorValue) -> IndicatorValue:
    """The value, or the one before it while its own window has only just begun.

    An hour that is still open has too little data for its first minutes, every hour anew; the page then keeps the hour
    before, with its own time on it.
    """
    if value.closed or value.status is not Status.INSUFFICIENT:
        return value
    query = ValueQuery(indicator=value.indicator, place=value.place, start=value.start - 2 * HOUR, end=value.start)
    before = [v for v in ledger.values(query) if v.closed or v.status is not Status.INSUFFICIENT]
    return before[-1] if before else value


def _legend(services: ConsoleServices, language: Language) -> Sequence[tuple[int, str, int]]:
    definition = services.definitions.get(MAP_INDICATOR)
    bands = definition.bands if definition else ()
    return [(i, str(getattr(band.label, language)), tone(definition, i)) for i, band in enumerate(bands, 1)]


def seen(journals: Sequence[JournalReader]) -> Mapping[str, DeviceSeen]:
    """Newest transmission of each device over all journals."""
    newest: dict[str, DeviceSeen] = {}
    for journal in journals:
        for device, record in journal.seen().items():
            if device not in newest or record.received > newest[device].received:
                newest[device] = record
    return newest


def _devices(speaker: Speaker, lately: Recent, now: int) -> Sequence[DeviceRow]:
    language, rows = speaker.formats.language, []
    findings = speaker.services.watch.findings(
        speaker.registry.devices.values(), now, flags=lately.flags, batteries=lately.batteries
    )
    for device in speaker.registry.devices.values():
        name, place = speaker.named(device)
        finding = findings[device.id]
        origin = Origin.SIMULATED if device.id in lately.simulated else device.origin
        rows.append(
            DeviceRow(
                name=name,
                place=place,
                state=finding.state,
                word=STATE[finding.state.value][language],
                words=describe(finding, language, speaker.services.zone),
                simulated=origin is Origin.SIMULATED,
                origin=ORIGIN[origin.word][language],
            )
        )
    return sorted(rows, key=lambda row: (row.state.rank, row.place, row.name))


def _counts(devices: Sequence[DeviceRow], language: Language) -> Sequence[tuple[State, str, int]]:
    numbers = Counter(row.state for row in devices)
    return [(state, STATE[state.value][language], numbers[state]) for state in State if numbers[state]]


def _quarantine(formats: Formats, journals: Sequence[JournalReader]) -> Sequence[QuarantineRow]:
    messages: list[Quarantined] = []
    for journal in journals:
        for reason in {code for _, code in journal.reasons()} - {NEW_DEVICE}:
            messages += journal.quarantine(QuarantineFilter(reason=reason), limit=_ROWS)
    newest = sorted(messages, key=lambda m: (-m.received, m.id))[:_ROWS]
    return [_quarantine_row(formats, message) for message in newest]


def _quarantine_row(formats: Formats, message: Quarantined) -> QuarantineRow:
    reason = REASONS.get(message.reason, Reason({"cs": message.reason, "en": message.reason}, {"cs": "", "en": ""}))
    return QuarantineRow(
        received=formats.moment(message.received, seconds=True),
        topic=message.topic,
        title=reason.title[formats.language],
        hint=reason.hint[formats.language],
        detail=message.detail,
        payload=preview(message.payload),
    )


def preview(payload: bytes, size: int = 160) -> str:
    """Begin of a payload as text; control characters made visible, bytes that are no text as hexadecimal digits."""
    head = payload[:size]
    try:
        text = head.decode("utf-8", errors="strict" if len(payload) <= size else "ignore")
    except UnicodeDecodeError:
        text = f"0x{head[: size // 2].hex()}"
    visible = "".join(letter if letter.isprintable() else "·" for letter in text)
    return visible + (f" … ({len(payload)} B)" if len(payload) > size else "")
