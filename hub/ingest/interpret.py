# SPDX-License-Identifier: EUPL-1.2
"""From a delivery to what it means: routed, decoded, attributed, normalised. Pure but for its caches.

Every delivery ends in exactly one verdict: `decoded` (readings, events, or both), `quarantined` (nothing of it can be
used, with one reason), `refused` (beyond the size limit; only a sample is kept) or `ignored` (the hub's own
publications, and foreign devices that somebody has said to ignore). Of a decoded delivery single readings may still be
at fault: they are in `faults`.
"""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from enum import StrEnum
from typing import NamedTuple

from msgspec import Struct

from hub import sdk
from hub.core.delivery import Delivery
from hub.core.errors import Reject
from hub.core.journal import HOUR_NS, EventRecord, UplinkSeen
from hub.core.places import Device, Earlier
from hub.core.readings import AHEAD, EARLIEST, Flag, Reading, ReadingBatch, ReadingGroup, group_of
from hub.ingest._notes import clean, note
from hub.ingest.earlier_names import NO_NAMES, EarlierNames, Name
from hub.ingest.model_fields import Fields, as_told
from hub.ingest.normalise import Conversions, normalise

OWN_TOPIC = "cityhub/"  # the hub's own messages to itself
_MOST_REMEMBERED = 200_000


class Verdict(StrEnum):
    """What became of a delivery."""

    DECODED = "decoded"
    QUARANTINED = "quarantined"
    REFUSED = "refused"
    IGNORED = "ignored"


_DECODED = Verdict.DECODED


class Fault(NamedTuple):
    """Why a reading or a whole message cannot be used; `others` are further devices that are not registered."""

    reason: str
    detail: str
    external_id: str = ""
    others: tuple[str, ...] = ()


class Interpretation(Struct, gc=False):
    """One delivery's meaning. `device` is the registered device it is accounted to, "" when there is none.

    Its readings are a `group` where they are plain, which is nearly always, else single `readings`: never both.
    `doubts` are reason codes of readings that are stored with a flag. `arrival` is set when a reading had to be stamped
    on arrival: hash of the message, and the stamp. `uplinks` say how it came over the air.
    """

    delivery: Delivery
    verdict: Verdict
    connector: str = ""
    device: str = ""
    group: ReadingGroup | None = None
    readings: Sequence[Reading] = ()
    faults: Sequence[Fault] = ()
    events: Sequence[EventRecord] = ()
    arrival: tuple[bytes, int] | None = None
    doubts: Sequence[str] = ()
    uplinks: Sequence[UplinkSeen] = ()

    @property
    def rows(self) -> Sequence[Reading]:
        """All readings singly, in order."""
        return self.readings if self.group is None else list(self.group.readings())


def batch_of(meanings: Iterable[Interpretation]) -> ReadingBatch:
    """All readings of a batch, in order, as a store takes them."""
    parts: list[Reading | ReadingGroup] = []
    add, extend = parts.append, parts.extend
    for meaning in meanings:
        if meaning.group is not None:
            add(meaning.group)
        elif meaning.readings:
            extend(meaning.readings)
    return ReadingBatch(parts)


class _Context(NamedTuple):
    """What a topic stands for: who decodes it, its variables, and the registered device that it names."""

    connector: sdk.Connector
    variables: Mapping[str, str]
    named: str
    device: Device | None


class _Shape(NamedTuple):
    """What a set of quantities in canonical units must keep to, in order: bounds, and the shortest retention (ns)."""

    quantities: tuple[str, ...]
    bounds: tuple[tuple[float, float], ...]
    keep: int


class Interpreter:
    """Holds what interpretation depends on: routes, registered devices, conversions."""

    def __init__(
        self,
        router: sdk.Router,
        conversions: Conversions,
        *,
        max_payload: int,
        models: Mapping[str, Fields] | None = None,
        own_prefixes: tuple[str, ...] = ("indicators/", "alarms/", OWN_TOPIC),
    ) -> None:
        self._router = router
        self._conversions = conversions
        self._max_payload = max_payload
        self._models = models or {}
        self._fields: Mapping[str, Fields] = {}  # by device, of those alone whose model names fields
        self._own = own_prefixes
        self._identify = {connector.name: connector.identify for connector in router.connectors}
        self._devices: Mapping[tuple[str, str], Device] = {}
        self._ignored: frozenset[tuple[str, str]] = frozenset()
        self._earlier = EarlierNames({}, (), {}, self.identify)
        self._contexts: dict[str, _Context] = {}
        self._shapes: dict[tuple[str, ...], _Shape] = {}
        self._now = 0  # while something is interpreted that arrived long ago: what time it is (ns)
        self.floods: set[tuple[str, str]] = set()  # (connector, external id) whose quota of quarantine is used up

    def register(
        self,
        devices: Iterable[Device],
        ignored: Iterable[tuple[str, str]] = (),
        earlier: Mapping[Name, Sequence[Earlier]] = NO_NAMES,
    ) -> None:
        """Take over a new state of the registry; `ignored` and `earlier` go by (connector, external id)."""
        self._devices = {(d.connector, self.identify(d.connector, d.external_id)): d for d in devices}
        self._ignored = frozenset((connector, self.identify(connector, name)) for connector, name in ignored)
        self._earlier = EarlierNames(earlier, self._devices.values(), self._models, self.identify)
        fields = self._models
        self._fields = {d.id: fields[d.model] for d in self._devices.values() if d.model and fields.get(d.model)}
        self._contexts.clear()
        self.floods.clear()

    def identify(self, connector: str, external_id: str) -> str:
        """An external id as a connector's messages say it, whatever the registration calls it."""
        return self._identify.get(connector, str)(external_id)

    def interpret(self, delivery: Delivery, arrivals: Mapping[bytes, int]) -> Interpretation:
        """Interpret one delivery. `arrivals` has the first arrival of recent messages without time, by hash."""
        topic, payload = delivery.topic, delivery.payload
        context = self._contexts.get(topic) or self._context(topic)
        if context is None or not 0 < len(payload) <= self._max_payload:
            return self._without_decoding(delivery, context)
        connector, variables, named, device = context
        if device is None and (connector.name, named) in self.floods:  # nothing of it can be kept: do not read it
            fault = Fault("unknown_device", f"{connector.name} device {named!r}", named)
            return Interpretation(delivery, Verdict.REFUSED, connector.name, faults=(fault,))
        try:
            decoded = connector.decode(sdk.RawMessage(topic, payload, delivery.received), variables)
            if type(decoded) is not list:
                decoded = list(decoded)
        except Reject as error:
            return self._blame(set_aside(delivery, Fault(error.reason, error.detail, named), connector.name))
        except Exception as error:  # a connector must not stop the hub; the message is kept
            fault = Fault("connector_failed", f"{type(error).__name__}: {error}", named)
            return self._blame(set_aside(delivery, fault, connector.name))
        if len(decoded) == 1 and type(decoded[0]) is sdk.ReadingSet:  # the hot path
            meaning = self._plain(delivery, context, decoded[0])
            if meaning is not None:
                return meaning
        return self._read(delivery, context, decoded, arrivals)

    def _read(
        self, delivery: Delivery, context: _Context, decoded: Sequence[sdk.Decoded], arrivals: Mapping[bytes, int]
    ) -> Interpretation:
        """What was decoded, item by item, unless all of it is an unknown device's."""
        connector, _, named, device = context
        strange = device is None and decoded and (connector.name, named) not in self._earlier
        if strange and all(item.device == named for item in decoded):
            return self._stranger(delivery, connector.name, named)
        return self._attribute(Interpretation(delivery, Verdict.DECODED, connector.name), decoded, arrivals)

    def interpret_again(self, delivery: Delivery, arrivals: Mapping[bytes, int], now: int) -> Interpretation:
        """Interpret one that waited, in quarantine or in the spool: it is read, whatever else its device has sent.

        What is past retention is told by `now`, not by when it arrived.
        """
        floods, self.floods = self.floods, set()
        self._now = now
        try:
            return self.interpret(delivery, arrivals)
        finally:
            self.floods, self._now = floods, 0

    def _context(self, topic: str) -> _Context | None:
        hit = self._router.match(topic)
        if hit is None:
            return None
        connector, variables = hit
        named = variables.get(connector.device, "")
        if len(self._contexts) >= _MOST_REMEMBERED:
            self._contexts.clear()
        context = _Context(connector, variables, named, self._devices.get((connector.name, named)))
        self._contexts[topic] = context
        return context

    def _without_decoding(self, delivery: Delivery, context: _Context | None) -> Interpretation:
        if len(delivery.payload) > self._max_payload:
            size = f"{len(delivery.payload)} bytes; the limit is {self._max_payload}"
            return set_aside(delivery, Fault("too_large", size), verdict=Verdict.REFUSED)
        if context is None:
            if delivery.topic.startswith(self._own):
                return Interpretation(delivery, Verdict.IGNORED)
            return set_aside(delivery, Fault("no_connector", f"topic {delivery.topic!r}"))
        fault = Fault("empty", "0 bytes", context.named)
        return self._blame(set_aside(delivery, fault, context.connector.name))

    def _plain(self, delivery: Delivery, context: _Context, item: sdk.ReadingSet) -> Interpretation | None:
        """The meaning of readings that need nothing done, None when anything is not as usual."""
        connector, _, named, device = context
        if item.device != named:
            device = self._devices.get((connector.name, item.device))
        if device is None and item.values and (connector.name, item.device) not in self._earlier:
            return self._stranger(delivery, connector.name, item.device)
        quantities, values = tuple(item.values), tuple(item.values.values())
        shape = self._shapes.get(quantities) or self._shape(quantities)
        if device is None or shape is None:
            return None
        time, received = item.time, delivery.received
        if not (EARLIEST <= time <= received + AHEAD and max(received, self._now) - shape.keep <= time):
            return None
        for value, (low, high) in zip(values, shape.bounds, strict=True):
            if not low <= value <= high:  # NaN too
                return None
        group = ReadingGroup(device.id, time, shape.quantities, values, device.origin)
        return Interpretation(delivery, _DECODED, connector.name, device.id, group)

    def _stranger(self, delivery: Delivery, connector: str, name: str) -> Interpretation:
        """What a device that is not registered sends: a flood of it has to cost less than good messages."""
        if (connector, name) in self._ignored:
            return Interpretation(delivery, Verdict.IGNORED, connector)
        name = clean(name)
        fault = Fault("unknown_device", f"{connector} device {name!r}", name)
        return Interpretation(delivery, Verdict.QUARANTINED, connector, faults=[fault])

    def _shape(self, quantities: tuple[str, ...]) -> _Shape | None:
        """Made on first use; None when one of the quantities is not known."""
        try:
            rules = [self._conversions[quantity, None] for quantity in quantities]
        except Reject:
            return None
        if not rules or any((rule.scale, rule.offset) != (1.0, 0.0) for rule in rules):
            return None
        if len(self._shapes) >= _MOST_REMEMBERED:  # senders choose what they send: what we remember of it is bounded
            self._shapes.clear()
        bounds = tuple([(rule.minimum, rule.maximum) for rule in rules])
        shape = self._shapes[quantities] = _Shape(quantities, bounds, min(rule.keep for rule in rules))
        return shape

    def _blame(self, meaning: Interpretation) -> Interpretation:
        """Account a message that could not be decoded to its device, where the topic names a registered one."""
        name = meaning.connector, meaning.faults[0].external_id
        device = self._devices.get(name)
        if device is not None:
            meaning.device = device.id
        elif name in self._ignored:
            return Interpretation(meaning.delivery, Verdict.IGNORED, meaning.connector)
        return meaning

    def _attribute(
        self, meaning: Interpretation, decoded: Iterable[sdk.Decoded], arrivals: Mapping[bytes, int]
    ) -> Interpretation:
        readings: list[Reading] = []
        faults: list[Fault] = []
        events: list[EventRecord] = []
        doubts: list[str] = []
        uplinks: list[UplinkSeen] = []
        devices, connector, delivery = self._devices, meaning.connector, meaning.delivery
        arrival: int | None = None
        named, device = None, None
        fields: Fields | None = None
        foreign = False
        for item in sdk.singly(decoded):
            if item.device != named:  # nearly always all are one device's
                named = item.device
                device = devices.get((connector, named))
                fields = None if device is None else self._fields.get(device.id)
            owner, meanings = (device, fields) if device is not None else self._earlier.whose(connector, item)
            if owner is None:
                ignored = (connector, item.device) in self._ignored
                foreign = foreign or ignored
                faults += () if ignored else _unknown(connector, item, self._earlier)
                continue
            if not meaning.device:
                meaning.device = owner.id
            if not isinstance(item, sdk.Reading):
                note(item, owner, delivery.received, events, uplinks)
                continue
            told = as_told(item, meanings)
            if told is None:
                continue
            if item.time is None and item.server_time is None and arrival is None and not delivery.retain:
                arrival, digest = _arrival(delivery, arrivals)
                meaning.arrival = digest, arrival
            try:
                received, now = delivery.received, self._now
                reading = normalise(told, owner.id, owner.origin, self._conversions, received, arrival, now)
            except Reject as error:
                faults.append(Fault(error.reason, error.detail, item.device))
                continue
            readings.append(reading)
            if reading.flag != Flag.GOOD:
                doubts.append("out_of_range" if reading.flag == Flag.FAIL else "clock_replaced")
        if foreign and not (readings or faults or events):
            meaning.verdict = Verdict.IGNORED
        elif faults and not readings and not events:
            meaning.verdict, faults = Verdict.QUARANTINED, [summarise(faults)]
        meaning.group = None if faults or doubts else group_of(readings)
        if meaning.group is None:
            meaning.readings = readings
        meaning.faults, meaning.events, meaning.doubts, meaning.uplinks = faults, events, doubts, uplinks
        return meaning


def set_aside(
    delivery: Delivery, fault: Fault, connector: str = "", verdict: Verdict = Verdict.QUARANTINED
) -> Interpretation:
    fault = fault._replace(detail=clean(fault.detail), external_id=clean(fault.external_id))
    return Interpretation(delivery, verdict, connector, faults=[fault])


def _unknown(
    connector: str, item: sdk.Reading | sdk.DeviceEvent | sdk.Uplink, earlier: EarlierNames
) -> Sequence[Fault]:
    """The fault of what nobody has registered; how it came over the air is none of its own."""
    if isinstance(item, sdk.Uplink):
        return ()
    name = clean(item.device)
    return (Fault("unknown_device", f"{connector} device {name!r}{earlier.words((connector, item.device))}", name),)


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
