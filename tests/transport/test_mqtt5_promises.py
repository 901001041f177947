# SPDX-License-Identifier: EUPL-1.2
"""Any life of an MQTT 5 session keeps the promises: a broker, a network and an ingest that do whatever they may.

The broker here is a model that keeps to MQTT 5: it sends a message again, marked DUP, only on a new connection, frees a
packet id only at its PUBACK (PUBCOMP), and may exceed the receive maximum, as Mosquitto 2.0.11 does. What Machine puts
out is read back with the codec.
"""

from collections import Counter
from typing import NamedTuple

import mqtt5
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from hub.core.delivery import Delivery
from hub.transport import BrokerSettings
from hub.transport._mqtt5_machine import Machine, Stage, Stop

SETTINGS = BrokerSettings(receive_maximum=5, max_pending_bytes=1_024, max_batch=3)
QOS = (mqtt5.QoS.AT_MOST_ONCE, mqtt5.QoS.AT_LEAST_ONCE, mqtt5.QoS.EXACTLY_ONCE)
SMALLEST, LARGEST = 1, 400  # bytes of payload
SIZES = st.sampled_from([SMALLEST, LARGEST])


class Sent(NamedTuple):
    """A message under a packet id at the broker."""

    number: int
    qos: int


class Session(RuleBasedStateMachine):
    """One session over many connections."""

    def __init__(self) -> None:
        super().__init__()
        self.machine = Machine(SETTINGS, ["#"], 0, fresh=True)
        self.epoch = 0
        self.known = False  # whether the broker has the session
        self.number = 0  # messages published
        self.waiting: list[Sent] = []  # at the broker, not sent on this connection
        self.flying: dict[int, Sent] = {}  # packet id to message, sent on this connection and not confirmed
        self.half: set[int] = set()  # packet ids between PUBREC and PUBCOMP
        self.order: list[int] = []  # packet ids in order of receipt on this connection, until answered
        self.handed: list[Delivery] = []  # on this connection, in order
        self.arrived: Counter[int] = Counter()
        self.confirmed: set[int] = set()  # numbers that the broker saw confirmed
        self.stale: list[int] = []  # tokens of earlier connections
        self.unconfirmed: list[Delivery] = []
        self.wire = b""  # from broker to hub, not delivered yet
        self.resends: list[tuple[int, Sent]] = []

    # connections

    @initialize()
    def begin(self) -> None:
        self.connect()

    @rule()
    def connect(self) -> None:
        """The connection breaks, with whatever was on the wire both ways; the next one resumes the session."""
        self.stale += [d.token for d in self.unconfirmed]
        self.unconfirmed, self.handed, self.order, self.wire = [], [], [], b""
        if self.epoch:
            self.machine.output.clear()
        self.resends = [(mid, sent) for mid, sent in self.flying.items() if mid not in self.half]
        self.epoch += 1
        self.machine = Machine(SETTINGS, ["#"], self.epoch, fresh=not self.known)
        self.machine.output.clear()
        self.wire += mqtt5.ConnAckPacket(session_present=self.known).write()
        if not self.known:
            self.wire += b"\x90\x04\x00\x01\x00\x01"
        self.known = True
        for mid in self.half:
            self.wire += mqtt5.PubRelPacket(mid).write()

    # the broker

    @rule(qualities=st.lists(st.sampled_from([0, 1, 1, 1, 1, 2]), min_size=1, max_size=12), size=SIZES)
    def publish(self, qualities: list[int], size: int) -> None:
        for qos in qualities:
            self.number += 1
            sent = Sent(self.number, qos)
            if qos == 0:
                self.wire += self.packet(sent, None, size=size)
            else:
                self.waiting.append(sent)

    @rule(count=st.integers(1, 12), size=SIZES)
    def send(self, count: int, size: int) -> None:
        """First what is to be sent again, then what waits; more than the receive maximum if it likes."""
        for _ in range(count):
            if self.resends:
                mid, sent = self.resends.pop(0)
                self.wire += self.packet(sent, mid, size=size, dup=True)
            elif self.waiting:
                sent = self.waiting.pop(0)
                mid = next(n for n in range(1, 65_536) if n not in self.flying)
                self.flying[mid] = sent
                self.wire += self.packet(sent, mid, size=size)
            else:
                break

    @staticmethod
    def packet(sent: Sent, mid: int | None, *, size: int, dup: bool = False) -> bytes:
        payload = b"%d" % sent.number + b" " * size
        return mqtt5.PublishPacket("a", payload, qos=QOS[sent.qos], packet_id=mid, duplicate=dup).write()

    # the network

    @rule(data=st.data())
    def deliver(self, data: st.DataObject) -> None:
        """Some of the bytes arrive, in any chunks; decoded until the machine stops by itself."""
        size = data.draw(st.just(len(self.wire)) | st.integers(0, len(self.wire)))
        arriving, self.wire = self.wire[:size], self.wire[size:]
        while arriving:
            cut = data.draw(st.just(len(arriving)) | st.integers(1, len(arriving)))
            self.machine.feed(arriving[:cut])
            arriving = arriving[cut:]
            self.decode()

    @rule()
    def decode(self) -> None:
        while True:
            stop = self.machine.decode(1)
            self.take()
            if stop is not Stop.FULL:
                break

    def take(self) -> None:
        batch, _, loose = self.machine.take()
        assert len(batch) <= SETTINGS.max_batch
        self.machine.loose -= loose
        for delivery in batch:
            number = int(delivery.payload)
            self.arrived[number] += 1
            if delivery.token:
                assert delivery.token >> 16 == self.epoch
                assert number not in {int(d.payload) for d in self.handed}, "twice on one connection"
                self.handed.append(delivery)
                self.unconfirmed.append(delivery)
                self.order.append(delivery.token & 0xFFFF)

    # ingest

    @precondition(lambda self: self.unconfirmed)
    @rule(data=st.data())
    def confirm(self, data: st.DataObject) -> None:
        """Any of what is in hand, in any order, some of it twice, with stale tokens between."""
        chosen = data.draw(st.lists(st.sampled_from(self.unconfirmed), min_size=1, max_size=8))
        tokens = [d.token for d in chosen]
        if self.stale:
            tokens += data.draw(st.lists(st.sampled_from(self.stale), max_size=3))
        tokens += [self.epoch << 16 | 65_535, 65_535]  # never seen: not on this connection, not on any
        _, stale = self.machine.confirm(data.draw(st.permutations(tokens)))
        assert stale >= len(tokens) - len(set(map(id, chosen)))
        self.unconfirmed = [d for d in self.unconfirmed if d not in chosen]

    @precondition(lambda self: self.stale)
    @rule(data=st.data())
    def confirm_late(self, data: st.DataObject) -> None:
        """Tokens of earlier connections do nothing, though their packet ids may be in hand again."""
        tokens = data.draw(st.lists(st.sampled_from(self.stale), min_size=1, max_size=5))
        before = bytes(self.machine.output)
        assert self.machine.confirm(tokens) == (0, len(tokens))
        assert bytes(self.machine.output) == before

    @rule()
    def broker_hears(self) -> None:
        """Read what the hub sent, with the codec."""
        output = memoryview(bytes(self.machine.output))
        self.machine.output.clear()
        while output:
            packet, size = mqtt5.read(output)
            output = output[size:]
            if isinstance(packet, mqtt5.SubscribePacket):
                continue
            assert isinstance(packet, mqtt5.PubAckPacket | mqtt5.PubRecPacket | mqtt5.PubCompPacket)
            mid = packet.packet_id
            if isinstance(packet, mqtt5.PubCompPacket):
                assert mid in self.half
                self.half.discard(mid)
                self.flying.pop(mid)
                continue
            assert self.order.pop(0) == mid, "in order of receipt, once each, on the connection that brought it"
            sent = self.flying[mid]
            assert (sent.qos == 2) == isinstance(packet, mqtt5.PubRecPacket)
            self.confirmed.add(sent.number)
            if sent.qos == 2:
                self.half.add(mid)
                self.wire += mqtt5.PubRelPacket(mid).write()
            else:
                self.flying.pop(mid)

    # promises

    @invariant()
    def bounds_hold(self) -> None:
        if self.epoch:
            assert self.machine.ended is None
            assert len(self.machine.window) <= SETTINGS.receive_maximum + 1
            most = SETTINGS.max_pending_bytes + LARGEST + 400
            assert self.machine.window.bytes + self.machine.loose <= most

    @invariant()
    def nothing_is_confirmed_that_did_not_arrive(self) -> None:
        assert self.confirmed <= self.arrived.keys()

    def teardown(self) -> None:
        """Given calm, everything arrives and is confirmed, and nothing is left anywhere."""
        if not self.epoch:
            return
        expected = {sent.number for sent in [*self.waiting, *self.flying.values()]} | self.confirmed
        for _ in range(10 + 4 * self.number):
            self.send(5, SMALLEST)
            self.machine.feed(self.wire)
            self.wire = b""
            self.decode()
            self.machine.confirm([d.token for d in self.unconfirmed])
            self.unconfirmed = []
            self.broker_hears()
        assert (self.waiting, self.flying, self.wire) == ([], {}, b"")
        assert self.confirmed == expected
        assert self.machine.stage is Stage.UP
        assert len(self.machine.window) == 0


Session.TestCase.settings = settings(max_examples=200, stateful_step_count=60, deadline=None)
TestSession = Session.TestCase
