# SPDX-License-Identifier: EUPL-1.2
"""More waits for the hub than fits into its hands: nothing stands still, nothing is missing."""

import asyncio
import socket
import threading
from collections import deque
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.servers import mosquitto_server
from tests.transport.conftest import VARIANTS, Broker, Source, take, until

pytestmark = pytest.mark.server
IN_FLIGHT = 20_000


@pytest.fixture(params=["mosquitto-5", "mosquitto-5-paho", "mosquitto-3.1.1"])
def forgetful(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Broker]:
    """Mosquitto that keeps its queue in memory: saving 80,000 messages each second would be what the test measures."""
    server = mosquitto_server(tmp_path, options={"log_type": "error", "persistence": "false"})
    kind, protocol, spoken, make = VARIANTS[request.param]
    try:
        server.start()
        yield Broker(server, kind, protocol, spoken, make)
    finally:
        server.stop()


def flood(port: int, count: int) -> None:
    """Publish `count` numbered messages with QoS 1 and return when all are confirmed; much faster than a client."""
    packets = bytearray()
    for number in range(count):
        body = b"\x00\x01a" + (number % 60_000 + 1).to_bytes(2, "big") + b"%d" % number
        packets += b"\x32" + len(body).to_bytes(1, "big") + body
    with socket.create_connection(("127.0.0.1", port), 30) as sock:
        sock.sendall(b"\x10\x11\x00\x04MQTT\x04\x02\x00\x00\x00\x05flood")
        missing = 4 + 4 * count  # CONNACK and as many PUBACKs
        sending = threading.Thread(target=sock.sendall, args=(packets,))
        sending.start()
        while missing:
            missing -= len(sock.recv(65_536)) or pytest.fail("the broker closed the connection")
        sending.join()


async def leave_a_session(broker: Broker) -> None:
    """Have the broker keep messages for the hub from now on."""
    async with asyncio.timeout(10):
        session = broker.session()
        await session.ready()
        await session.close()


async def drain(session: Source, count: int) -> list[int]:
    """The numbers of `count` deliveries in order of receipt, confirmed by an ingest that hangs at first."""
    got: list[int] = []
    tokens: deque[int] = deque()

    async def confirm() -> None:
        await until(lambda: len(tokens) >= IN_FLIGHT, seconds=30)
        # few PUBACKs at a time: for each lot Mosquitto 2.0.11 sends thousands, whatever the receive maximum
        for _ in range(100):
            await session.ack([tokens.popleft() for _ in range(20)])
            await asyncio.sleep(0.01)
        await settled(session)
        while True:
            await session.ack([tokens.popleft() for _ in range(min(IN_FLIGHT // 5, len(tokens)))])
            await asyncio.sleep(0.005)

    confirming = asyncio.create_task(confirm())
    try:
        async with asyncio.timeout(60):
            async for batch in session.batches():
                got += [int(delivery.payload) for delivery in batch]
                tokens.extend(delivery.token for delivery in batch)
                if len(got) >= count:
                    break
    finally:
        confirming.cancel()
    await session.ack(list(tokens))
    return got


async def settled(session: Source) -> None:
    """Return when nothing more comes in."""
    before = -1
    while before != session.stats().received:
        before = session.stats().received
        await asyncio.sleep(0.2)


async def test_a_backlog_beyond_all_packet_ids_is_drained_in_order_without_a_reconnect(
    forgetful: Broker,
) -> None:
    """80,000 messages wait, there are 65,535 packet ids, and ingest confirms slower than the broker sends."""
    await leave_a_session(forgetful)
    await asyncio.to_thread(flood, forgetful.server.port, 80_000)
    session = forgetful.session(receive_maximum=IN_FLIGHT)
    async with asyncio.timeout(10):
        await session.ready()  # before anything is consumed
    assert await drain(session, 80_000) == list(range(80_000))
    stats = session.stats()
    assert (stats.connects, stats.stale_acks, stats.redelivered_in_hand) == (1, 0, 0)
    await until(lambda: session.stats().acked == 80_000)
    await session.close()


@pytest.mark.parametrize("limit", [{"max_pending_bytes": 5_000}, {"receive_maximum": 7}])
async def test_who_waits_for_the_subscription_before_consuming_gets_it(broker: Broker, limit: dict[str, int]) -> None:
    """The broker sends the backlog before it confirms the subscription, and the backlog exceeds what may be in hand."""
    await leave_a_session(broker)
    await asyncio.to_thread(broker.publish, ["a"] * 200)
    session = broker.session(max_batch=5, **limit)
    async with asyncio.timeout(10):
        await session.ready()
    got: list[int] = []
    while len(set(got)) < 200:
        got += [int(delivery.payload) for delivery in await take(session, 1)]
    # nobody had taken the first ones: they were dropped when the broker sent them again
    assert sorted(got) == list(range(200))
    assert session.stats().connects == 1
    assert session.health().ok
    await session.close()


async def test_retained_messages_beyond_the_limit_do_not_keep_a_new_session_from_its_subscription(
    broker: Broker,
) -> None:
    topics = [f"state/{number}" for number in range(200)]
    await asyncio.to_thread(broker.publish, topics, retain=True)
    session = broker.session(max_pending_bytes=5_000, max_batch=5)
    async with asyncio.timeout(10):
        await session.ready()
    got: set[str] = set()
    while len(got) < 200:
        got |= {delivery.topic for delivery in await take(session, 1)}
    assert got == set(topics)
    await session.close()


@pytest.mark.parametrize("most", [1, 2])
async def test_the_smallest_receive_maximum_still_moves(broker: Broker, most: int) -> None:
    session = broker.session(receive_maximum=most)
    async with asyncio.timeout(10):
        await session.ready()
    await asyncio.to_thread(broker.publish, ["a"] * 20)
    assert [int(delivery.payload) for delivery in await take(session, 20)] == list(range(20))
    await session.close()
