# SPDX-License-Identifier: EUPL-1.2
"""What the field pages show of devices, in words. Runs in worker threads, except for the store's readings."""

from collections.abc import Collection, Mapping, Sequence
from typing import NamedTuple

import segno
from markupsafe import Markup

from hub.console._newcomers import calling
from hub.console._overview import preview, seen
from hub.console._values import Speaker
from hub.console.services import ConsoleServices
from hub.console.texts import STATE
from hub.core.errors import HubError
from hub.core.places import Device
from hub.core.readings import NS
from hub.core.rights import Action, Caller
from hub.devices.evidence import batteries
from hub.devices.state import Battery, Finding, State, describe

_MOST = 50
_BATTERY = ("battery_level", "battery_voltage")


class Row(NamedTuple):
    """A device with its state."""

    id: str
    name: str
    place: str
    code: str
    word: str
    words: str


class Newcomer(NamedTuple):
    """Who talks without being registered, with the newest payload."""

    connector: str
    external_id: str
    topic: str
    waiting: int
    last: str
    payload: str


def rows(speaker: Speaker, caller: Caller, text: str, charged: Mapping[str, Battery]) -> Sequence[Row]:
    """Devices that a text is found in; without one those that need a hand, the worst first."""
    services = speaker.services
    devices = [d for d in speaker.registry.devices.values() if caller.reaches(Action.READ, d.owner)]
    findings = services.watch.findings(devices, services.clock_ns(), batteries=charged)
    shown = ((device, row_of(speaker, device, findings[device.id])) for device in devices)
    found = [row for device, row in shown if _wanted(device, row, text)]
    return sorted(found, key=lambda row: (State(row.code).rank, row.name))[:_MOST]


def _wanted(device: Device, row: Row, text: str) -> bool:
    if not text:
        return row.code != State.HEALTHY
    words = (device.id, device.title, device.external_id, device.serial, row.place)
    return any(text.casefold() in word.casefold() for word in words)


def row_of(speaker: Speaker, device: Device, finding: Finding | None = None) -> Row:
    """One device with its state, which is gathered where `finding` is not given."""
    services, language = speaker.services, speaker.formats.language
    finding = finding or services.watch.finding(device, services.clock_ns())
    name, place = speaker.named(device)
    code = finding.state.value
    return Row(device.id, name, place, code, STATE[code][language], describe(finding, language, services.zone))


def heard(services: ConsoleServices, device: str) -> bool:
    """Whether a message of the device was ever taken in."""
    return device in seen(services.journals)


def due(speaker: Speaker, device: Device) -> str:
    """When the next message should come; empty where nobody can tell."""
    last = seen(speaker.services.journals).get(device.id)
    return speaker.formats.moment(last.received + device.interval * NS) if last and device.interval else ""


async def last_readings(services: ConsoleServices, speaker: Speaker, device: str) -> Sequence[tuple[str, str, str]]:
    """Newest reading of each quantity: title, value with unit, time; nothing while the store is away."""
    try:
        found = await services.readings.latest(await services.readings.series([device]))
    except HubError:
        return []
    formats = speaker.formats
    return [
        (
            speaker.quantity(series.quantity),
            formats.quantity(reading.value, services.quantities.get(series.quantity).unit, 2),
            formats.moment(reading.time, seconds=True),
        )
        for series, reading in sorted(found.items())
    ]


async def charge(services: ConsoleServices, speaker: Speaker, device: str) -> tuple[str, str] | None:
    """The last battery reading, level before voltage: value with unit, and when; None without one, or a store away."""
    try:
        wanted = [s for s in await services.readings.series([device]) if s.quantity in _BATTERY]
        found = await services.readings.latest(wanted)
    except HubError:
        return None
    for series, reading in sorted(found.items(), key=lambda pair: _BATTERY.index(pair[0].quantity)):
        unit = services.quantities.get(series.quantity).unit
        return speaker.formats.quantity(reading.value, unit, 2), speaker.formats.moment(reading.time)
    return None


async def charges(services: ConsoleServices, devices: Collection[Device]) -> Mapping[str, Battery]:
    """The same as evidence of the state, by the rules of the models."""
    try:
        return await batteries(services.readings, devices, services.ports.models if services.ports else {})
    except HubError:
        return {}


def inbox(speaker: Speaker) -> Sequence[Newcomer]:
    """Who waits to be registered, newest call first."""
    shown = []
    for who, newest in calling(speaker):
        topic, payload = (newest.topic, preview(newest.payload)) if newest else ("", "")
        last = speaker.formats.moment(who.last)
        shown.append(Newcomer(who.connector, who.external_id, topic, who.waiting, last, payload))
    return shown


def qr(device: str, secret: str, mqtt: tuple[str, int, bool]) -> Markup:
    """What a device is told, as a picture: mqtt(s)://user:secret@host:port/topic."""
    scheme = "mqtts" if mqtt[2] else "mqtt"
    code = segno.make(f"{scheme}://{device}:{secret}@{mqtt[0]}:{mqtt[1]}/devices/{device}/readings", micro=False)
    return Markup(code.svg_inline(omitsize=True, svgclass="qr", title="QR", light="#fff"))  # noqa: S704 made here of ids
