# SPDX-License-Identifier: EUPL-1.2
"""What a connector is given and what it yields.

A connector is a constant, not a class to inherit: topics, and a pure function from one raw message to readings and
device events. It never does I/O, never awaits and never reads a clock; equal input gives equal output. Whatever it
cannot read it raises as `DecodeError(reason, detail)` with a code of `hub.core.reasons`. Values keep the unit that
the device used: the hub converts.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Literal, NamedTuple

from msgspec import Struct


class RawMessage(Struct, frozen=True, gc=False):
    """One MQTT message. `received` is the arrival in ns since 1970 (UTC), for log lines: it is no reading's time."""

    topic: str
    payload: bytes
    received: int = 0


class Reading(Struct, frozen=True, gc=False):
    """A reading as the device reported it; the hub attributes, converts and checks it.

    `device` is the device's name within the connector (LoRaWAN: DevEUI in lower case). `unit` None means the
    quantity's canonical unit. `time` is the device's own stamp, `server_time` the network server's, ns since 1970,
    at the start of the interval for means and totals. `revision` is raised by a sender that corrects itself.
    `origin` is None unless the payload itself says that it is imported or simulated.
    """

    device: str
    quantity: str
    value: float
    unit: str | None = None
    time: int | None = None
    server_time: int | None = None
    revision: int = 0
    origin: str | None = None


class ReadingSet(Struct, frozen=True, gc=False):
    """Several readings of one device at one instant, by quantity: the cheap form of what most messages are.

    `values` are finite floats in the quantities' canonical units, stamped by the device itself, of revision 0. It means
    exactly what single readings of the same would mean; whatever needs more than this is yielded as `Reading`.
    """

    device: str
    time: int
    values: Mapping[str, float]

    def readings(self) -> Iterator[Reading]:
        """The same as single readings."""
        for quantity, value in self.values.items():
            yield Reading(self.device, quantity, value, None, self.time)


class DeviceEvent(Struct, frozen=True, gc=False):
    """Something that happened to a device: `kind` join, status, log, error ...; `text` says it in words.

    `reason` is a short stable code such as `UPLINK_MIC` or `join_accept`.
    """

    device: str
    kind: str
    text: str
    reason: str = ""
    level: Literal["info", "warning", "error"] = "info"
    time: int | None = None


class Uplink(Struct, frozen=True, gc=False):
    """How a message came over the air, as the network server tells: for the state of the link, beside the readings.

    `rssi` (dBm) and `snr` (dB) are those of the best gateway, `gateways` the ids of all that heard it, best first;
    `frame` is the frame counter of the uplink.
    """

    device: str
    frame: int | None = None
    rssi: float | None = None
    snr: float | None = None
    spreading_factor: int | None = None
    gateways: tuple[str, ...] = ()


Decoded = Reading | ReadingSet | DeviceEvent | Uplink
Decode = Callable[[RawMessage, Mapping[str, str]], Iterable[Decoded]]


def singly(decoded: Iterable[Decoded]) -> Iterator[Reading | DeviceEvent | Uplink]:
    """What was decoded, with sets of readings taken apart."""
    for item in decoded:
        if isinstance(item, ReadingSet):
            yield from item.readings()
        else:
            yield item


class Field(NamedTuple):
    """One row of a payload table: `key` in the payload is `quantity` in `unit`."""

    key: str
    quantity: str
    unit: str | None = None


class Connector(Struct, frozen=True, kw_only=True):
    """One payload family.

    `topics` are templates such as `devices/{device}/readings`: a name in braces matches one level and is passed to
    `decode` by name; a trailing `#` matches the rest. `device` names the variable that holds the device's external
    id, "" when only the payload has it: the hub uses it to attribute a message that could not be decoded.
    `identify` turns an external id as people write it (a DevEUI in capitals) into the form that `decode` yields.
    """

    name: str
    title: str
    topics: tuple[str, ...]
    decode: Decode
    device: str = ""
    identify: Callable[[str], str] = str


class ConfigurableConnector(Struct, frozen=True, kw_only=True):
    """A family that makes one connector of each configuration file: `configure(file stem, text)`.

    `configure` validates everything and raises `ValueError` naming the key at fault.
    """

    name: str
    title: str
    configure: Callable[[str, str], Connector]
