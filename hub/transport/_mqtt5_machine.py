# SPDX-License-Identifier: EUPL-1.2
"""One MQTT 5 connection as a state machine: bytes in, deliveries and bytes out. No I/O, no clock, no event loop.

The codec is mqtt5 (Rust). `feed` takes what the network brought, `decode` turns it into deliveries until the bytes run
out, a batch is full, or as much lies unacknowledged as the settings allow; what is left stays undecoded. `output` is
what must be sent, in order. `ended` says why the connection has to go.

Invariants:

- PUBACKs leave in order of receipt and once each (`AckWindow`); a token of another epoch does nothing.
- At most `receive_maximum + 1` QoS 1 messages are in hand. One more than agreed, so that a broker that keeps to the
  agreement is never paused, and one that does not (Mosquitto 2.0.11 with slow PUBACKs) cannot use up all packet ids.
- One message that the codec refuses does not end the connection: the broker would send it again on the next one, for
  ever. It is read without the codec, its topic mended where it is not UTF-8, and ingest sets it aside by name.
- QoS 2 is never asked for. Where another program subscribed with it under the hub's client id, it is taken as QoS 1 is:
  handed over, PUBREC in order once ingest has it, each PUBREL answered. Ending the connection instead would meet the
  same message on the next one, for ever.
- Anything else that is not MQTT 5 ends the connection, with its reason; no bytes raise.
"""

import struct
from collections.abc import Sequence
from enum import Enum
from typing import Final

import mqtt5

from hub.core.delivery import Delivery
from hub.transport._ends import OVERHEAD, End, Ended
from hub.transport._window import AckWindow, Receipt
from hub.transport.settings import BrokerSettings

PINGREQ: Final = b"\xc0\x00"
DISCONNECT: Final = b"\xe0\x00"  # normal, the session stays
_SUBSCRIBE_ID: Final = 1
_PUBACK: Final = 0x40020000  # PUBACK with reason "success" as a number; the packet id is its low half
_PUBREC: Final = 0x50020000  # the same for QoS 2
_PUBCOMP: Final = 0x70020000
_CONNACK_HEAD: Final = 0x20
_FROM_BROKER: Final = frozenset({2, 3, 4, 5, 6, 7, 9, 11, 13, 14, 15})  # packet types, MQTT 5, 2.1.2
_MALFORMED: Final = mqtt5.DisconnectPacket(reason_code=mqtt5.DisconnectReasonCode.MALFORMED_PACKET).write()
_ONCE: Final = mqtt5.QoS.AT_LEAST_ONCE
_WRONG_VERSION: Final = int(mqtt5.ConnAckReasonCode.UNSUPPORTED_PROTOCOL_VERSION)
# the codec's enumerations have no hash: numbers. Server unavailable, busy, moved (twice), connection rate exceeded
_AWAY: Final = frozenset({0x88, 0x89, 0x9C, 0x9D, 0x9F})
# CONNACK return codes of MQTT 3.1.1, 3.2.2.3; 0 answers a CONNECT of MQTT 5 in a version that was not asked for
_OLD_CODES: Final = {
    0: (End.WRONG_VERSION, "the broker answers in MQTT 3.1.1"),
    1: (End.WRONG_VERSION, "Unsupported protocol version"),
    2: (End.REFUSED, "Client identifier not valid"),
    3: (End.LOST, "Server unavailable"),
    4: (End.REFUSED, "Bad user name or password"),
    5: (End.REFUSED, "Not authorized"),
}


class Stage(Enum):
    """How far a connection has come."""

    OPENING = "opening"  # CONNECT is out
    SUBSCRIBING = "subscribing"  # CONNACK is in, SUBSCRIBE is out; queued messages may arrive already
    UP = "up"


class Stop(Enum):
    """Why `decode` returned."""

    DRY = "dry"  # no complete packet is left
    FULL = "full"  # the batch is full: take it and go on
    HEAVY = "heavy"  # too much is unacknowledged: go on when `light()`
    ENDED = "ended"


class Machine:
    """State of one connection. `fresh`: subscribe even if the broker still has our session."""

    def __init__(self, settings: BrokerSettings, filters: Sequence[str], epoch: int, *, fresh: bool) -> None:
        self.window = AckWindow(epoch)
        self.stage = Stage.OPENING
        self.session_present: bool | None = None  # None: no CONNACK yet
        self.twice = 0  # messages of QoS 2
        self.keepalive = settings.keepalive
        self.expiry: int | None = None  # s that the broker keeps the session, where it says so
        self.ended: Ended | None = None
        self.output = bytearray(_connect(settings))
        self.again = 0  # messages that came again while in hand
        self.loose = 0  # bytes of QoS 0 messages that nobody has taken yet
        self._settings = settings
        self._filters = filters
        self._fresh = fresh
        self._batch: list[Delivery] = []
        self._batch_bytes = 0
        self._batch_loose = 0
        self._twice: set[int] = set()  # their packet ids, until ingest has confirmed them
        self._buffer: bytes | bytearray = b""
        self._position = 0
        self._needed = 0  # bytes of the packet that is arriving, where known

    # bytes in

    def feed(self, data: bytes) -> None:
        """Add what the network brought; `decode` looks at it."""
        if self.ended is not None:
            return
        if self._position == len(self._buffer):
            self._buffer = data
        elif self._position == 0 and isinstance(self._buffer, bytearray):
            self._buffer += data  # a large packet grows in place
        else:
            self._buffer = bytearray(memoryview(self._buffer)[self._position :]) + data
        self._position = 0

    def decode(self, now: int) -> Stop:
        """Decode until something stops it; `now` (ns since 1970) is the arrival of what is decoded."""
        if self.ended is not None:
            return Stop.ENDED
        if len(self._buffer) - self._position < self._needed:
            return Stop.DRY
        self._needed = 0
        with memoryview(self._buffer) as view:
            stop = self._packets(view, now)
        if self._position == len(self._buffer):
            self._buffer, self._position = b"", 0
        return stop

    def _packets(self, view: memoryview, now: int) -> Stop:
        """Control packets and what the codec refuses; runs of ordinary messages are `_run`'s."""
        while self.ended is None and self._position < len(view):
            if len(self._batch) >= self._settings.max_batch:
                return Stop.FULL
            if self.heavy():
                return Stop.HEAVY
            if self.stage is Stage.OPENING and not self._opening(view[self._position :]):
                break
            try:
                self._run(view, now)
            except IndexError:
                if view[self._position] >> 4 in _FROM_BROKER:
                    self._needed = _frame(view[self._position :])[1]
                    return Stop.DRY
                self._malformed(f"packet type {view[self._position] >> 4}")  # do not wait for the rest of garbage
            except BaseException as error:
                if not _of_codec(error):
                    raise
                self._position += self._salvage(view[self._position :], now, str(error))
        if self.ended is not None:
            return Stop.ENDED
        return Stop.FULL if len(self._batch) >= self._settings.max_batch else Stop.DRY

    def _run(self, view: memoryview, now: int) -> None:
        """Decode until a batch is full, enough is in hand, or a control packet came; raises what the codec raises.

        This is the hub's hottest loop: everything that is the same for each message is looked up before it.
        """
        window, batch, settings = self.window, self._batch, self._settings
        read, received, keep, publish, once = mqtt5.read, window.received, batch.append, mqtt5.PublishPacket, _ONCE
        base, end, new = window.token(0), len(view), Receipt.NEW
        room = min(settings.max_batch - len(batch), settings.receive_maximum + 1 - len(window))
        limit = settings.max_pending_bytes - self.loose
        while room > 0 and self._position < end and window.bytes <= limit:
            packet, size = read(view[self._position :])
            if type(packet) is not publish:
                self._position += size
                self._control(packet)
                return
            topic, payload, mid, dup = packet.topic, packet.payload, packet.packet_id, packet.duplicate
            weight = len(payload) + len(topic) + OVERHEAD
            if packet.qos is once and mid and received(mid, weight, dup=dup) is new:
                keep(Delivery(topic, payload, now, 1, packet.retain, dup, base | mid))
                self._batch_bytes += weight
                room -= 1
            else:
                self._other(topic, payload, int(packet.qos), packet.retain, dup, mid or 0, now)
                if self.ended is not None:
                    return
                limit = settings.max_pending_bytes - self.loose
                room -= 1
            self._position += size

    # messages

    def _other(self, topic: str, payload: bytes, qos: int, retain: bool, dup: bool, mid: int, now: int) -> None:
        """A message that is no ordinary one: QoS 0, a repeat, or what no broker should send."""
        size = len(payload) + len(topic) + OVERHEAD
        if qos == 0:
            self.loose += size
            self._batch_loose += size
            self._batch_bytes += size
            self._batch.append(Delivery(topic, payload, now, 0, retain, dup, 0))
        elif not mid:
            self._malformed("packet id 0")
        elif qos == 2 and self.window.received(mid, size, dup=dup) is Receipt.NEW:
            self.twice += 1
            self._twice.add(mid)
            self._batch_bytes += size
            self._batch.append(Delivery(topic, payload, now, 2, retain, dup, self.window.token(mid)))
        elif dup:
            self.again += 1
        else:
            self._fail(End.LOST, f"the broker used packet id {mid} again before it was acknowledged")

    def take(self) -> tuple[list[Delivery], int, int]:
        """The batch so far, its weight in bytes, and how much of that is QoS 0."""
        taken = self._batch, self._batch_bytes, self._batch_loose
        self._batch, self._batch_bytes, self._batch_loose = [], 0, 0
        return taken

    @property
    def waiting(self) -> bool:
        """Whether the batch has anything in it."""
        return bool(self._batch)

    def heavy(self) -> bool:
        """Whether so much is unacknowledged that nothing more may be decoded."""
        window, settings = self.window, self._settings
        return len(window) > settings.receive_maximum or window.bytes + self.loose > settings.max_pending_bytes

    def light(self) -> bool:
        """Whether there is room for more than one message again."""
        window, settings = self.window, self._settings
        few = len(window) <= settings.receive_maximum * 3 // 4
        return few and window.bytes + self.loose <= settings.max_pending_bytes * 3 // 4

    def confirm(self, tokens: Sequence[int]) -> tuple[int, int]:
        """Put the PUBACKs that may go out now into `output`; how many those are, and how many tokens were stale."""
        mids, stale = self.window.confirm(tokens)
        if mids and self.ended is None:
            answers = [self._answer(mid) for mid in mids] if self._twice else [_PUBACK | mid for mid in mids]
            self.output += struct.pack(f">{len(mids)}I", *answers)
        return len(mids), stale

    def _answer(self, mid: int) -> int:
        if mid not in self._twice:
            return _PUBACK | mid
        self._twice.discard(mid)
        return _PUBREC | mid

    # everything else

    def _opening(self, view: memoryview) -> bool:
        """Check the beginning of the first packet: nothing but CONNACK may come first (MQTT 5, 3.2)."""
        if view[0] != _CONNACK_HEAD:
            self._fail(End.NO_ANSWER, f"what answers there does not speak MQTT (first byte {view[0]:#04x})")
        elif len(view) >= 4 and view[1] == 2:  # the shape of MQTT 3.1.1: no properties
            end, detail = _OLD_CODES.get(view[3], (End.NO_ANSWER, f"CONNACK with unknown code {view[3]}"))
            self._fail(end, detail)
        return self.ended is None

    def _control(self, packet: object) -> None:
        if isinstance(packet, mqtt5.PingRespPacket):
            return
        if isinstance(packet, mqtt5.ConnAckPacket) and self.stage is Stage.OPENING:
            self._connected(packet)
        elif isinstance(packet, mqtt5.SubAckPacket) and self.stage is Stage.SUBSCRIBING:
            self._subscribed(packet)
        elif isinstance(packet, mqtt5.PubRelPacket):  # also for one of an earlier connection
            self.output += struct.pack(">I", _PUBCOMP | packet.packet_id)
        elif isinstance(packet, mqtt5.DisconnectPacket):
            self._dismissed(packet)
        else:
            self._malformed(f"{type(packet).__name__} out of turn")

    def _connected(self, packet: mqtt5.ConnAckPacket) -> None:
        reason = packet.reason_code
        if reason != mqtt5.ConnAckReasonCode.SUCCESS:
            self._fail(_refusal(reason), _words(reason, packet.reason_str))
            return
        self.session_present = packet.session_present
        self.keepalive = packet.server_keep_alive or self.keepalive
        self.expiry = packet.session_expiry_interval
        if packet.session_present and not self._fresh:
            self.stage = Stage.UP
        else:
            self.stage = Stage.SUBSCRIBING
            self.output += mqtt5.SubscribePacket(_SUBSCRIBE_ID, [_filter(topic) for topic in self._filters]).write()

    def _subscribed(self, packet: mqtt5.SubAckPacket) -> None:
        codes = packet.reason_codes
        refused = [f"{t} ({_words(c, None)})" for t, c in zip(self._filters, codes, strict=False) if c != 1]
        if len(codes) != len(self._filters):
            self._malformed(f"SUBACK with {len(codes)} codes for {len(self._filters)} filters")
        elif refused:
            self._fail(End.REFUSED, f"the broker does not grant QoS 1 for {', '.join(refused)}")
        else:
            self.stage = Stage.UP

    def _dismissed(self, packet: mqtt5.DisconnectPacket) -> None:
        if packet.reason_code == mqtt5.DisconnectReasonCode.SESSION_TAKEN_OVER:
            client = self._settings.client_id
            self._fail(End.REFUSED, f"another client connected as {client!r} and took the session over")
        else:
            self._fail(End.LOST, f"the broker disconnected: {_words(packet.reason_code, packet.reason_str)}")

    def _salvage(self, view: memoryview, now: int, fault: str) -> int:
        """Read a PUBLISH that the codec refuses; end the connection where it is none. Returns its size."""
        start, size = _frame(view)
        found = _publish(view[0], bytes(view[start:size])) if start and size <= len(view) else None
        if found is None or self.stage is Stage.OPENING:
            self._malformed(fault)
            return 0
        topic, payload, mid = found
        retain, dup, weight = bool(view[0] & 1), bool(view[0] & 8), len(payload) + len(topic) + OVERHEAD
        if mid and self.window.received(mid, weight, dup=dup) is Receipt.NEW:
            self._batch.append(Delivery(topic, payload, now, 1, retain, dup, self.window.token(mid)))
            self._batch_bytes += weight
        else:
            self._other(topic, payload, 1 if mid else 0, retain, dup, mid, now)
        return size

    def _malformed(self, detail: str) -> None:
        self._fail(End.LOST, f"the broker broke the protocol: {detail}")
        self.output += _MALFORMED

    def lost(self, detail: str) -> None:
        """The network says that the connection is gone."""
        answered = self.stage is not Stage.OPENING
        self._fail(End.LOST if answered else End.NO_ANSWER, detail)

    def close(self) -> None:
        """The hub wants to go: say so to the broker."""
        if self.ended is None and self.stage is not Stage.OPENING:
            self.output += DISCONNECT
        self._fail(End.CLOSED, "closed by the hub")

    def _fail(self, end: End, detail: str) -> None:
        if self.ended is None:  # the first cause counts
            self.ended = Ended(end, detail)


def _connect(settings: BrokerSettings) -> bytes:
    return mqtt5.ConnectPacket(
        settings.client_id,
        username=settings.username,
        password=None if settings.password is None else settings.password.encode(),
        clean_start=False,
        keep_alive=settings.keepalive,
        session_expiry_interval=settings.session_expiry,
        receive_max=settings.receive_maximum,
    ).write()


def _filter(pattern: str) -> mqtt5.TopicFilter:
    # retained messages come with a new subscription only, not with each renewal; live ones are not marked retained
    return mqtt5.TopicFilter(
        pattern,
        max_qos=mqtt5.QoS.AT_LEAST_ONCE,
        retain_as_published=False,
        retain_handling=mqtt5.RetainHandling.SEND_IF_SUBSCRIPTION_NOT_EXISTS,
    )


def _of_codec(error: BaseException) -> bool:
    """ValueError for what is malformed; a Rust panic, which is no Exception, for text that is not UTF-8 (0.8.0)."""
    return isinstance(error, ValueError) or type(error).__name__ == "PanicException"


def _frame(view: memoryview) -> tuple[int, int]:
    """Where the body of the packet starts and where it ends; (0, 0) while its length has not arrived."""
    length = 0
    for index in range(1, min(5, len(view))):
        length |= (view[index] & 0x7F) << 7 * (index - 1)
        if view[index] < 0x80:
            return index + 1, index + 1 + length
    return 0, 0


def _publish(head: int, body: bytes) -> tuple[str, bytes, int] | None:
    """Topic, payload and packet id of a PUBLISH (MQTT 5, 3.3), its properties skipped; None where it is none."""
    qos = head >> 1 & 3
    if head >> 4 != 3 or qos > 1:
        return None
    after_topic = 2 + int.from_bytes(body[:2])
    after_id = after_topic + 2 * qos
    mid = int.from_bytes(body[after_topic:after_id])
    start, end = _frame(memoryview(b"\0" + body[after_id : after_id + 4]))  # the length of the properties
    payload_at = after_id + end - 1
    if not start or payload_at > len(body) or (qos and not mid):
        return None
    return body[2:after_topic].decode("utf-8", "replace"), body[payload_at:], mid


def _refusal(reason: mqtt5.ConnAckReasonCode) -> End:
    if int(reason) == _WRONG_VERSION:
        return End.WRONG_VERSION
    return End.LOST if int(reason) in _AWAY else End.REFUSED


def _words(reason: Enum, said: str | None) -> str:
    words = reason.name.replace("_", " ").capitalize()
    return f"{words}: {said}" if said else words
