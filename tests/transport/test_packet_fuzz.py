# SPDX-License-Identifier: EUPL-1.2
"""Whatever bytes a broker sends, the machine goes on right or ends with a reason: no exception, no hang, little memory.

The bound: `max_pending_bytes`, one read, and one packet as far as its bytes have arrived. A length field costs nothing.
"""

import asyncio
import random
import socket
import tracemalloc
from collections.abc import Callable
from itertools import pairwise

import mqtt5
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hub.transport import BrokerSettings
from hub.transport._ends import End
from hub.transport._mqtt5_machine import Machine, Stage, Stop
from tests.proxy import Proxy, proxy
from tests.transport.conftest import Broker
from tests.transport.test_mqtt5_machine import CONNACK, CONVERSATION, RESUMED, SUBACK, message

# the codec panics at text that is not UTF-8 and leaves an error behind
pytestmark = pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
SETTINGS = BrokerSettings(receive_maximum=50, max_pending_bytes=100_000, max_batch=10)
BEFORE = {"first bytes": b"", "before SUBACK": CONNACK, "subscribed": CONNACK + SUBACK, "resumed": RESUMED}
# the fixture changes nothing that an example could
fuzzing = settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
TYPES = [bytes([kind << 4 | flags]) for kind in range(16) for flags in (0, 2, 3, 15)]


@pytest.fixture(autouse=True)
def no_backtraces(monkeypatch: pytest.MonkeyPatch) -> None:
    """With RUST_BACKTRACE set, each panic of the codec costs milliseconds."""
    monkeypatch.setenv("RUST_BACKTRACE", "0")


def survive(chunks: list[bytes], *, confirm: bool = True) -> Machine:
    """Feed a machine as the shell does; every loop is bounded by what it was fed."""
    machine = Machine(SETTINGS, ["#"], 1, fresh=True)
    for chunk in chunks:
        machine.feed(chunk)
        for _ in range(len(chunk) + 2):
            stop = machine.decode(1)
            batch, _, loose = machine.take()
            machine.loose -= loose
            if confirm:
                machine.confirm([d.token for d in batch])
            machine.output.clear()
            if stop in {Stop.DRY, Stop.ENDED}:
                break
        else:
            pytest.fail("does not come to rest")
    assert machine.ended is None or machine.ended.detail
    return machine


@pytest.mark.parametrize("before", BEFORE.values(), ids=BEFORE)
@fuzzing
@given(chunks=st.lists(st.binary(max_size=60), max_size=8))
def test_any_bytes(before: bytes, chunks: list[bytes]) -> None:
    survive([before, *chunks])


@pytest.mark.parametrize("before", BEFORE.values(), ids=BEFORE)
@fuzzing
@given(packets=st.lists(st.tuples(st.sampled_from(TYPES), st.binary(max_size=40)), max_size=6))
def test_any_bodies_in_good_frames(before: bytes, packets: list[tuple[bytes, bytes]]) -> None:
    survive([before, *(head + bytes([len(body)]) + body for head, body in packets)])


def test_every_type_of_packet_at_every_stage_with_every_short_body() -> None:
    bodies = [bytes(count) for count in range(6)] + [b"\xff" * count for count in range(1, 6)]
    for before in BEFORE.values():
        for kind in range(256):
            for body in bodies:
                survive([before, bytes([kind, len(body)]) + body])


# what a broker may do to a conversation
MUTATIONS: dict[str, Callable[[random.Random, bytearray], None]] = {
    "one byte": lambda rng, data: data.__setitem__(rng.randrange(len(data)), rng.randrange(256)),
    "one bit": lambda rng, data: data.__setitem__(at := rng.randrange(len(data)), data[at] ^ 1 << rng.randrange(8)),
    "cut out": lambda rng, data: data.__delitem__(slice(at := rng.randrange(len(data)), at + rng.randrange(1, 30))),
    "put in": lambda rng, data: data.__setitem__(slice(at := rng.randrange(len(data)), at), rng.randbytes(9)),
    "twice": lambda rng, data: data.__setitem__(
        slice(at := rng.randrange(len(data)), at), data[rng.randrange(len(data)) :][:50]
    ),
}


def mutate(traffic: bytes, rounds: int) -> None:
    """Any mutation anywhere, in any chunks, from a fixed seed."""
    rng = random.Random(20261123)
    for number in range(rounds):
        data = bytearray(traffic)
        for _ in range(1 + number % 3):
            MUTATIONS[rng.choice(list(MUTATIONS))](rng, data)
        cuts = sorted(rng.randrange(len(data)) for _ in range(rng.randrange(5)))
        survive([bytes(data[a:b]) for a, b in pairwise([0, *cuts, len(data)])])


def test_mutated_conversations() -> None:
    mutate(CONVERSATION[:400], 3000)


@pytest.mark.server
async def test_mutated_traffic_of_mosquitto(mosquitto_broker: Broker) -> None:
    """What Mosquitto really sent to a session: CONNACK, SUBACK, retained, QoS 0 and 1, PINGRESP, repeats."""
    await asyncio.to_thread(mosquitto_broker.publish, ["state/a", "state/b"], b"kept", retain=True)
    with proxy(mosquitto_broker.server.port) as link:
        traffic = await asyncio.to_thread(record, link, mosquitto_broker)
    whole = survive([traffic], confirm=False)
    assert (whole.stage, whole.ended) == (Stage.UP, None)
    assert len(whole.window) >= 10
    mutate(traffic, 1000)


def record(link: Proxy, broker: Broker) -> bytes:
    """All that the broker sends to a client which confirms nothing."""
    connect = Machine(SETTINGS, ["#"], 1, fresh=True)
    connect.feed(CONNACK)
    connect.decode(1)
    with socket.create_connection(("127.0.0.1", link.port), 5) as client:
        client.sendall(bytes(connect.output))  # CONNECT and SUBSCRIBE
        traffic = receive(client, b"kept", 2)
        broker.publish([f"devices/d{number}/readings" for number in range(8)], b"\x00payload\xff")
        broker.publish(["devices/žluť/readings"], b"loose", qos=0)
        traffic += receive(client, b"payload", 8)
        client.sendall(b"\xc0\x00")
        return traffic + receive(client, b"\xd0\x00", 1)


def receive(client: socket.socket, marker: bytes, count: int) -> bytes:
    got = b""
    while got.count(marker) < count:
        got += client.recv(65_536)
    return got


@pytest.mark.parametrize("kind", sorted({2, 3, 4, 5, 6, 7, 9, 11, 13, 14, 15}))
def test_a_length_field_of_256_mb_allocates_nothing(kind: int) -> None:
    head = (b"" if kind == 2 else CONNACK + SUBACK) + bytes([kind << 4 | (2 if kind in {3, 6} else 0)])
    machine = Machine(SETTINGS, ["#"], 1, fresh=True)
    tracemalloc.start()
    try:
        machine.feed(head + b"\xff\xff\xff\x7f")
        machine.decode(1)
        for _ in range(100):
            machine.feed(b"x" * 100)
            machine.decode(1)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 200_000
    assert machine.decode(1) in {Stop.DRY, Stop.ENDED}


def test_a_length_field_of_five_bytes_ends_the_connection() -> None:
    machine = survive([CONNACK + SUBACK, b"\x32\xff\xff\xff\xff\x01"])
    assert machine.ended is not None
    assert machine.ended.end is End.LOST


def test_what_is_fed_while_nothing_may_be_decoded_is_all_that_is_kept() -> None:
    """The shell stops reading then; until it does, what one read brought lies here, and no more."""
    machine = Machine(SETTINGS, ["#"], 1, fresh=False)
    machine.feed(RESUMED + b"".join(message(mid, bytes(4_000)) for mid in range(1, 60)))
    while machine.decode(1) is Stop.FULL:
        machine.take()
    assert machine.decode(1) is Stop.HEAVY
    assert SETTINGS.max_pending_bytes < machine.window.bytes < SETTINGS.max_pending_bytes + 5_000
    assert len(machine.window) <= SETTINGS.receive_maximum + 1


def test_after_the_end_nothing_is_kept() -> None:
    machine = survive([CONNACK + SUBACK, b"\xe0\x00"])
    assert machine.ended is not None
    held = machine.window.bytes
    for _ in range(10):
        machine.feed(bytes(1_000_000))
    assert machine.decode(1) is Stop.ENDED
    assert machine.window.bytes == held


def test_properties_of_messages_are_skipped_whatever_they_are() -> None:
    """User properties, content type, correlation data: allowed, and not ours."""
    packet = mqtt5.PublishPacket(
        "a",
        b"x",
        qos=mqtt5.QoS.AT_LEAST_ONCE,
        packet_id=1,
        content_type="text/plain",
        correlation_data=b"\x00\xff",
        user_properties=[("k", "v")] * 50,
    ).write()
    machine = survive([CONNACK + SUBACK, packet], confirm=False)
    assert (machine.ended, len(machine.window)) == (None, 1)
