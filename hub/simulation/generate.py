# SPDX-License-Identifier: EUPL-1.2
"""Messages of a simulated city in order of sending.

Each device measures at whole multiples of its interval (UTC) and sends a few seconds later; what covers an interval is
sent after its end and stamped with its beginning. `generate` walks all devices' times in order; messages that are sent
later than their turn wait in one heap. It begins early enough that late messages of the time before are in.
"""

from collections.abc import Iterator, Mapping
from heapq import heappop, heappush, merge
from typing import NamedTuple

from msgspec import json

from hub.core.errors import Invalid
from hub.core.readings import NS
from hub.core.windows import format_instant
from hub.simulation.faults import LATEST, NO_FAULTS, Faults, check_devices
from hub.simulation.fleet import SimulatedCity, SimulatedDevice

EARLIEST = 946_684_800 * NS  # 2000-01-01: registers count from there, and no earlier device time is plausible
_LATENCY, _AGAIN = 20, 60
_TEN_YEARS = 3652 * 86400

# Decimals of each quantity; one where it is not named.
_DECIMALS = {
    "energy": 3,
    "water_volume": 3,
    "water_flow": 3,
    "power": 0,
    "battery_voltage": 3,
    "free_chlorine": 2,
    "water_ph": 2,
    "precipitation": 2,
    "wind_direction": 0,
    "solar_irradiance": 0,
    "illuminance": 0,
    "lamp_power": 0,
    "rating": 2,
}

_IMPLAUSIBLE = -99_999_999.0  # an error code such as loggers send; outside of the range of every quantity used here

Order = tuple[int, int, int]


class SimulatedMessage(NamedTuple):
    """A message to publish at `time_ns`; `fault` names what is wrong with it, None for a message in order."""

    time_ns: int
    topic: str
    payload: bytes
    device: str
    fault: str | None


class _Turn(NamedTuple):
    """A device's measurement at `t` (s), sent at `sent` (ns) when nothing goes wrong."""

    sent: int
    number: int
    t: int


def generate(city: SimulatedCity, start_ns: int, end_ns: int, faults: Faults = NO_FAULTS) -> Iterator[SimulatedMessage]:
    """Messages sent in [start, end), in order of sending time, then of devices."""
    if start_ns < EARLIEST:
        raise Invalid("the simulation starts in 2000 at the earliest", "start")
    check_devices(faults, (item.id for item in city.devices))
    first = start_ns - (LATEST if faults.late else _AGAIN) * NS
    turns = merge(*(_turns(n, item, first, end_ns) for n, item in enumerate(city.devices)))
    waiting: list[tuple[Order, SimulatedMessage]] = []
    for turn in turns:
        while waiting and waiting[0][0][0] < turn.sent:
            yield heappop(waiting)[1]
        item = city.devices[turn.number]
        for index, message in enumerate(_messages(item, turn, start_ns, end_ns, faults)):
            heappush(waiting, ((message.time_ns, turn.number, 2 * turn.t + index), message))
    while waiting:
        yield heappop(waiting)[1]


def _turns(number: int, item: SimulatedDevice, start: int, end: int) -> Iterator[_Turn]:
    interval, noise = item.kind.interval, item.station.noise
    span = interval if item.kind.spanned else 0
    t = (start // NS - span - _LATENCY) // interval * interval
    while (t + span) * NS < end:
        latency = int((1 + (_LATENCY - 1) * noise.uniform(t, 52)) * NS)
        yield _Turn((t + span) * NS + latency, number, t)
        t += interval


def _messages(item: SimulatedDevice, turn: _Turn, start: int, end: int, faults: Faults) -> Iterator[SimulatedMessage]:
    """What the device really sends about its turn, as far as it is sent in [start, end)."""
    noise, t = item.station.noise, turn.t
    lasting = faults.of_device(noise, item.id, t)
    if lasting is not None and lasting[0] == "silent":
        return
    fault = faults.of_message(noise, t)
    for sent, name in _sendings(fault, turn.sent, noise.uniform(t, 53)):
        if start <= sent < end:
            yield _message(item, t, sent, name or (lasting[0] if lasting else None), lasting)


def _sendings(fault: str | None, sent: int, draw: float) -> Iterator[tuple[int, str | None]]:
    """Times of sending of one measurement, each with the fault of that message."""
    again = sent + int((1 + (_AGAIN - 1) * draw) * NS)
    if fault == "drop":
        return
    if fault == "garbage":
        yield sent, "garbage"
        yield sent + NS // 2, None
    elif fault == "late":
        yield sent + int((3600 + (LATEST - 3600) * draw) * NS), "late"
    elif fault == "wrong_clock":
        yield sent, "wrong_clock"
    else:
        yield sent, None
        if fault is not None:
            yield again, fault


def _message(
    item: SimulatedDevice, t: int, sent: int, fault: str | None, lasting: tuple[str, int] | None
) -> SimulatedMessage:
    values, stamp = _values(item, t, lasting), t
    if fault == "conflict":
        values = {name: value + 1 for name, value in values.items()}
    if fault == "wrong_clock":
        stamp = t % 86400 if t // item.kind.interval % 2 else t + _TEN_YEARS
    payload = json.encode({"time": format_instant(stamp * NS), "origin": "simulated", "readings": values})
    if fault == "garbage":
        payload = payload[: len(payload) // 2]
    return SimulatedMessage(sent, f"devices/{item.id}/readings", payload, item.id, fault)


def _values(item: SimulatedDevice, t: int, lasting: tuple[str, int] | None) -> Mapping[str, float]:
    """The device's rounded values, with its lasting fault."""
    name, since = lasting or (None, 0)
    if name == "stuck":
        t = -(-since // item.kind.interval) * item.kind.interval
    values = item.kind.signal(item.station, t)
    factor = 1.0 + (0.01 + 0.24 * min(1.0, (t - since) / 86400)) if name == "drift" else 1.0
    if name == "implausible":
        return dict.fromkeys(values, _IMPLAUSIBLE)
    return {quantity: round(value * factor, _DECIMALS.get(quantity, 1)) for quantity, value in values.items()}
