# SPDX-License-Identifier: EUPL-1.2
"""The MQTT 5 connection without a network: any bytes in, deliveries and PUBACKs out."""

import struct
from itertools import pairwise

import mqtt5
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.core.delivery import Delivery
from hub.transport import BrokerSettings
from hub.transport._ends import End
from hub.transport._mqtt5_machine import DISCONNECT, Machine, Stage, Stop

CONNACK = b"\x20\x03\x00\x00\x00"
RESUMED = b"\x20\x03\x01\x00\x00"
SUBACK = b"\x90\x04\x00\x01\x00\x01"
# the codec panics at text that is not UTF-8 and leaves an error behind
panics = pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
QOS = (mqtt5.QoS.AT_MOST_ONCE, mqtt5.QoS.AT_LEAST_ONCE, mqtt5.QoS.EXACTLY_ONCE)


def machine(*, fresh: bool = True, filters: tuple[str, ...] = ("#",), **settings: object) -> Machine:
    made = Machine(BrokerSettings(**settings), filters, 7, fresh=fresh)  # type: ignore[arg-type] # checked there
    made.output.clear()
    return made


def up(**settings: object) -> Machine:
    made = machine(fresh=False, **settings)
    assert drive(made, RESUMED) == []
    assert made.stage is Stage.UP
    return made


def drive(made: Machine, *chunks: bytes) -> list[Delivery]:
    """Feed chunks as the shell does; all deliveries."""
    got: list[Delivery] = []
    for chunk in chunks:
        made.feed(chunk)
        while made.decode(5) is Stop.FULL:
            got += made.take()[0]
    return got + made.take()[0]


def message(number: int, payload: bytes = b"x", topic: str = "a/b", qos: int = 1, **more: bool) -> bytes:
    packet_id = number if qos else None
    return mqtt5.PublishPacket(topic, payload, qos=QOS[qos], packet_id=packet_id, **more).write()


CONVERSATION = (
    CONNACK
    + message(1, b"queued before SUBACK")
    + SUBACK
    + message(2, b"y" * 200, "žluťoučký/kůň")
    + b"\xd0\x00"
    + message(0, b"", qos=0)
    + message(3, b"z" * 20_000, retain=True)
    + message(4, duplicate=True)
)


def check(got: list[Delivery], made: Machine) -> None:
    assert [(d.token & 0xFFFF, d.topic, len(d.payload), d.qos, d.retain, d.dup) for d in got] == [
        (1, "a/b", 20, 1, False, False),
        (2, "žluťoučký/kůň", 200, 1, False, False),
        (0, "a/b", 0, 0, False, False),
        (3, "a/b", 20_000, 1, True, False),
        (4, "a/b", 1, 1, False, True),
    ]
    assert {d.token >> 16 for d in got if d.token} == {7}
    assert (made.stage, made.ended) == (Stage.UP, None)


def test_a_conversation_cut_at_every_byte_means_the_same() -> None:
    for cut in [*range(400), *range(len(CONVERSATION) - 40, len(CONVERSATION) + 1)]:
        made = machine()
        check(drive(made, CONVERSATION[:cut], CONVERSATION[cut:]), made)


def test_a_conversation_byte_by_byte_means_the_same() -> None:
    made = machine()
    check(drive(made, *(bytes([byte]) for byte in CONVERSATION)), made)


@given(st.lists(st.integers(0, len(CONVERSATION)), max_size=20), st.integers(1, 4))
def test_a_conversation_in_any_chunks_and_batches_means_the_same(cuts: list[int], max_batch: int) -> None:
    edges = [0, *sorted(cuts), len(CONVERSATION)]
    made = machine(max_batch=max_batch)
    check(drive(made, *(CONVERSATION[a:b] for a, b in pairwise(edges))), made)


@panics
@given(st.lists(st.binary(max_size=60), max_size=8), st.booleans())
def test_no_bytes_raise(chunks: list[bytes], begun: bool) -> None:
    made = up() if begun else machine()
    drive(made, *chunks)
    assert made.decode(5) in {Stop.DRY, Stop.ENDED}


@panics
@given(st.integers(0, len(CONVERSATION) - 1), st.integers(0, 255))
def test_one_wrong_byte_never_raises(at: int, byte: int) -> None:
    made = machine()
    drive(made, CONVERSATION[:at] + bytes([byte]) + CONVERSATION[at + 1 :])
    assert made.decode(5) in {Stop.DRY, Stop.ENDED}


def test_a_packet_of_16_mb_arrives_whole() -> None:
    made = up()
    data = message(1, payload := bytes(range(256)) * 65_536)
    (got,) = drive(made, *(data[at : at + 65_536] for at in range(0, len(data), 65_536)))
    assert got.payload == payload


@pytest.mark.parametrize(
    ("answer", "end", "detail"),
    [
        (b"HTTP/1.1 400 Bad Request\r\n", End.NO_ANSWER, "does not speak MQTT"),
        (b"\x15\x03\x03\x00\x02\x02\x28", End.NO_ANSWER, "does not speak MQTT"),
        (b"\x20\x02\x00\x01", End.WRONG_VERSION, "Unsupported protocol version"),
        (b"\x20\x02\x00\x00", End.WRONG_VERSION, "answers in MQTT 3.1.1"),
        (b"\x20\x02\x00\x05", End.REFUSED, "Not authorized"),
        (b"\x20\x03\x00\x84\x00", End.WRONG_VERSION, "Unsupported protocol version"),
        (b"\x20\x03\x00\x87\x00", End.REFUSED, "Not authorized"),
        (b"\x20\x03\x00\x89\x00", End.LOST, "Server busy"),
        (CONNACK + b"\x90\x04\x00\x01\x00\x00", End.REFUSED, "does not grant QoS 1 for # (Granted"),
        (CONNACK + b"\x90\x04\x00\x01\x00\x87", End.REFUSED, "does not grant QoS 1 for # (Not authorized)"),
        (CONNACK + b"\x90\x05\x00\x01\x00\x01\x01", End.LOST, "2 codes for 1 filters"),
        (CONNACK + CONNACK, End.LOST, "ConnAckPacket out of turn"),
        (CONNACK + b"\xe0\x02\x8e\x00", End.REFUSED, "took the session over"),
        (CONNACK + b"\xe0\x02\x8b\x00", End.LOST, "Server shutting down"),
        (CONNACK + b"\x36\x07\x00\x01a\x00\x01\x00x", End.LOST, "broke the protocol"),
        (CONNACK + b"\x00\x00", End.LOST, "broke the protocol"),
        (CONNACK + b"\x32\x07\x00\x01a\x00\x00\x00x", End.LOST, "packet id 0"),
        (CONNACK + message(9) + message(9), End.LOST, "packet id 9 again"),
    ],
)
def test_what_the_broker_does_wrong_is_named(answer: bytes, end: End, detail: str) -> None:
    made = machine()
    drive(made, answer)
    assert made.ended is not None
    assert (made.ended.end, detail in made.ended.detail) == (end, True), made.ended


@panics
def test_a_topic_that_is_not_utf_8_is_delivered_for_quarantine_and_ends_nothing() -> None:
    """The codec panics at it; the broker would send it again on each connection."""
    made = up()
    bad = b"\x32\x0a\x00\x03a\xffb\x00\x01\x00xy"
    got = drive(made, bad + message(2))
    assert [(d.topic, d.payload, d.token & 0xFFFF) for d in got] == [("a\ufffdb", b"xy", 1), ("a/b", b"x", 2)]
    assert made.confirm([d.token for d in got]) == (2, 0)


def test_pubacks_are_one_run_of_bytes_in_order_of_receipt() -> None:
    made = up()
    got = drive(made, message(5) + message(0x1234) + message(1))
    made.confirm([d.token for d in got[::-1]])
    assert bytes(made.output) == struct.pack(">HHHHHH", 0x4002, 5, 0x4002, 0x1234, 0x4002, 1)


def test_a_repeat_of_what_is_in_hand_is_delivered_once() -> None:
    made = up()
    assert len(drive(made, message(5) + message(5, duplicate=True))) == 1
    assert made.again == 1


def test_a_broker_that_keeps_to_the_receive_maximum_is_never_stopped() -> None:
    made = up(receive_maximum=10)
    made.feed(b"".join(message(mid) for mid in range(1, 11)))
    assert made.decode(5) is Stop.DRY
    assert len(made.take()[0]) == 10


def test_a_broker_that_exceeds_it_is_stopped_one_message_later_until_a_quarter_is_free() -> None:
    made = up(receive_maximum=8)
    got = drive(made, b"".join(message(mid) for mid in range(1, 31)))
    assert (len(got), made.decode(5)) == (9, Stop.HEAVY)
    made.confirm([d.token for d in got[:2]])
    assert not made.light()
    made.confirm([d.token for d in got[2:3]])
    assert made.light()
    made.decode(5)
    assert [d.token & 0xFFFF for d in made.take()[0]] == [10, 11, 12]


def test_qos_0_counts_against_the_bytes_until_somebody_takes_it() -> None:
    made = up(max_pending_bytes=2000)
    made.feed(b"".join(message(0, b"x" * 500, qos=0) for _ in range(10)))
    assert made.decode(5) is Stop.HEAVY
    taken, size, loose = made.take()
    assert (len(taken), size) == (3, loose)
    made.loose -= loose
    assert made.decode(5) is Stop.HEAVY
    assert len(made.take()[0]) == 3


def test_subscribes_unless_the_session_is_there_and_known_to_be_right() -> None:
    again, new, right = machine(), machine(fresh=False), machine(fresh=False)
    drive(again, RESUMED)
    drive(new, CONNACK)
    drive(right, RESUMED)
    assert [m.output[:1] for m in (again, new, right)] == [b"\x82", b"\x82", b""]


def test_connect_asks_for_a_session_that_stays_and_for_the_receive_maximum() -> None:
    packet, _ = mqtt5.read(memoryview(bytes(Machine(BrokerSettings(receive_maximum=777), ["#"], 1, fresh=True).output)))
    assert isinstance(packet, mqtt5.ConnectPacket)
    assert (packet.clean_start, packet.session_expiry_interval, packet.receive_max) == (False, 0xFFFFFFFF, 777)


def test_the_broker_may_set_the_keep_alive() -> None:
    made = machine()
    drive(made, mqtt5.ConnAckPacket(server_keep_alive=7, session_expiry_interval=60).write())
    assert (made.keepalive, made.expiry) == (7, 60)


def test_says_goodbye_only_to_a_broker_that_answered() -> None:
    early, late = machine(), up()
    early.close()
    late.close()
    assert (early.output, late.output) == (b"", DISCONNECT)


def test_qos_2_that_nobody_asked_for_is_taken_like_qos_1_with_its_own_answers() -> None:
    """PUBREC when ingest has it, in order with the PUBACKs; PUBCOMP for each PUBREL, known or not."""
    made = up()
    got = drive(made, message(1) + message(2, qos=2) + message(2, qos=2, duplicate=True) + message(3))
    assert [(d.qos, d.token & 0xFFFF) for d in got] == [(1, 1), (2, 2), (1, 3)]
    assert (made.again, made.twice) == (1, 1)
    made.confirm([d.token for d in got[1:]])
    assert made.output == b""
    made.confirm([got[0].token])
    assert bytes(made.output) == struct.pack(">HHHHHH", 0x4002, 1, 0x5002, 2, 0x4002, 3)
    made.output.clear()
    drive(made, b"\x62\x02\x00\x02\x62\x02\x00\x63")
    assert bytes(made.output) == struct.pack(">HHHH", 0x7002, 2, 0x7002, 0x63)
    assert made.ended is None
    (later,) = drive(made, message(2, b"next under this id"))
    made.output.clear()
    made.confirm([later.token])
    assert bytes(made.output) == struct.pack(">HH", 0x4002, 2)
