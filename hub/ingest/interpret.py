# SPDX-License-Identifier: EUPL-1.2
"""From a delivery to what it means: routed, decoded, attributed, normalised. Pure but for its caches.

Every delivery ends in exactly one verdict: `decoded` (readings, events, or both), `quarantined` (nothing of it can be
used, with one reason), `refused` (beyond the size limit; only a sample is kept) or `ignored` (the hub's own
publications). Of a decoded delivery single readings may still be at fault: they are in `faults`.
"""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from enum import StrEnum
from typing import NamedTuple

from msgspec import Struct

from hub import sdk
from hub.core.delivery import Delivery
from hub.core.errors import Reject
from hub.core.journal import HOUR_NS, EventRecord
from hub.core.places import Device
from hub.core.readings import AHEAD, EARLIEST, Flag, Reading
from hub.ingest.normalise import Conversions, normalise

OWN_TOPIC = "cityhub/"  # the hub's own messages to itself


class Verdict(StrEnum):
    """What became of a delivery."""

    DECODED = "decoded"
    QUARANTINED = "quarantined"
    REFUSED = "refused"
    IGNORED = "ignored"


class Fault(NamedTuple):
    """Why a reading or a whole message cannot be used; `others` are further devices that are not registered."""

    reason: str
    detail: str
    external_id: str = ""
    others: tuple[str, ...] = ()


class Interpretation(Struct, gc=False):
    """One delivery's meaning. `device` is the registered device it is accounted to, "" when there is none.

    `doubts` are reason codes of readings that are stored with a flag. `arrival` is set when a reading had to be stamped
    on arrival: hash of the message, and the stamp.
    """

    delivery: Delivery
    verdict: Verdict
    connector: str = ""
    device: str = ""
    readings: list[Reading] = []
    faults: list[Fault] = []
    events: list[EventRecord] = []
    arrival: tuple[bytes, int] | None = None
    doubts: list[str] = []


class Interpreter:
    """Holds what interpretation depends on: routes, registered devices, conversions."""

    def __init__(
        self,
        router: sdk.Router,
        conversions: Conversions,
        *,
        max_payload: int,
        own_prefixes: tuple[str, ...] = ("indicators/", "alarms/", OWN_TOPIC),
    ) -> None:
        self._router = router
        self._conversions = conversions
        self._max_payload = max_payload
        self._own = own_prefixes
        self._identify = {connector.name: connector.identify for connector in router.connectors}
        self._devices: Mapping[tuple[str, str], Device] = {}

    def register(self, devices: Iterable[Device]) -> None:
        """Take over a new state of the registry."""
        self._devices = {(d.connector, self.identify(d.connector, d.external_id)): d for d in devices}

    def identify(self, connector: str, external_id: str) -> str:
        """An external id as a connector's messages say it, whatever the registration calls it."""
        return self._identify.get(connector, str)(external_id)

    def interpret(self, delivery: Delivery, arrivals: Mapping[bytes, int]) -> Interpretation:
        """Interpret one delivery. `arrivals` has the first arrival of recent messages without time, by hash."""
        if len(delivery.payload) > self._max_payload:
            size = f"{len(delivery.payload)} bytes; the limit is {self._max_payload}"
            return set_aside(delivery, Fault("too_large", size), verdict=Verdict.REFUSED)
        hit = self._router.match(delivery.topic)
        if hit is None:
            if delivery.topic.startswith(self._own):
                return Interpretation(delivery, Verdict.IGNORED)
            return set_aside(delivery, Fault("no_connector", f"topic {delivery.topic!r}"))
        return self._decode(delivery, *hit, arrivals)

    def _decode(
        self,
        delivery: Delivery,
        connector: sdk.Connector,
        variables: Mapping[str, str],
        arrivals: Mapping[bytes, int],
    ) -> Interpretation:
        named = variables.get(connector.device, "")
        try:
            if not delivery.payload:
                raise Reject("empty", "0 bytes")
            message = sdk.RawMessage(delivery.topic, delivery.payload, delivery.received)
            decoded = list(connector.decode(message, variables))
        except Reject as error:
            return self._blame(set_aside(delivery, Fault(error.reason, error.detail, named), connector.name))
        except Exception as error:  # a connector must not stop the hub; the message is kept
            fault = Fault("connector_failed", f"{type(error).__name__}: {error}", named)
            return self._blame(set_aside(delivery, fault, connector.name))
        return self._attribute(Interpretation(delivery, Verdict.DECODED, connector.name), decoded, arrivals)

    def _blame(self, meaning: Interpretation) -> Interpretation:
        """Account a message that could not be decoded to its device, where the topic names a registered one."""
        device = self._devices.get((meaning.connector, meaning.faults[0].external_id))
        if device is not None:
            meaning.device = device.id
        return meaning

    def _attribute(
        self, meaning: Interpretation, decoded: Iterable[sdk.Decoded], arrivals: Mapping[bytes, int]
    ) -> Interpretation:
        meaning.readings, meaning.faults, meaning.events, meaning.doubts = [], [], [], []
        devices, connector, delivery = self._devices, meaning.connector, meaning.delivery
        arrival: int | None = None
        named, device = None, None
        for item in decoded:
            if item.device != named:  # nearly always all are one device's
                named = item.device
                device = devices.get((connector, named))
            if device is None:
                name = clean(item.device)
                meaning.faults.append(Fault("unknown_device", f"{connector} device {name!r}", name))
                continue
            if not meaning.device:
                meaning.device = device.id
            if isinstance(item, sdk.DeviceEvent):
                meaning.events.append(_event(item, device, delivery.received))
                continue
            if item.time is None and item.server_time is None and arrival is None and not delivery.retain:
                arrival, digest = _arrival(delivery, arrivals)
                meaning.arrival = digest, arrival
            try:
                reading = normalise(item, device.id, device.origin, self._conversions, delivery.received, arrival)
            except Reject as error:
                meaning.faults.append(Fault(error.reason, error.detail, item.device))
                continue
            meaning.readings.append(reading)
            if reading.flag != Flag.GOOD:
                meaning.doubts.append("out_of_range" if reading.flag == Flag.FAIL else "clock_replaced")
        if meaning.faults and not meaning.readings and not meaning.events:
            meaning.verdict, meaning.faults = Verdict.QUARANTINED, [summarise(meaning.faults)]
        return meaning


def set_aside(
    delivery: Delivery, fault: Fault, connector: str = "", verdict: Verdict = Verdict.QUARANTINED
) -> Interpretation:
    fault = fault._replace(detail=clean(fault.detail), external_id=clean(fault.external_id))
    return Interpretation(delivery, verdict, connector, faults=[fault])


def _event(event: sdk.DeviceEvent, device: Device, received: int) -> EventRecord:
    time = event.time
    return EventRecord(
        device=device.id,
        connector=device.connector,
        external_id=device.external_id,
        kind=clean(event.kind),
        level=event.level,
        reason=clean(event.reason),
        text=clean(event.text),
        time=time if time is not None and EARLIEST <= time <= received + AHEAD else received,
        received=received,
    )


def _arrival(delivery: Delivery, arrivals: Mapping[bytes, int]) -> tuple[int, bytes]:
    """When a message without time first arrived: a redelivery keeps the stamp of the first delivery."""
    hashed = hashlib.blake2b(delivery.payload, digest_size=16)
    hashed.update(b"\0" + delivery.topic.encode())
    digest = hashed.digest()
    first = arrivals.get(digest)
    if delivery.dup and first is not None and delivery.received - first <= HOUR_NS:
        return first, digest
    return delivery.received, digest


def summarise(faults: Sequence[Fault]) -> Fault:
    """One fault for all of a message; a device that is not registered leads, so that registering it finds the row."""
    unknown = list(dict.fromkeys(fault.external_id for fault in faults if fault.reason == "unknown_device"))
    leading = next((fault for fault in faults if fault.reason == "unknown_device"), faults[0])
    details = list(dict.fromkeys(fault.detail for fault in faults))
    more = f"; and {len(details) - 5} more" if len(details) > 5 else ""
    return Fault(leading.reason, "; ".join(details[:5]) + more, leading.external_id, tuple(unknown[1:]))


def clean(text: str) -> str:
    """Text that any store can hold: what is no valid Unicode is written out."""
    return text.encode("utf-8", "backslashreplace").decode("utf-8").replace("\0", "\\0")
