# SPDX-License-Identifier: EUPL-1.2
"""The fast session on the event loop: floods, silence, garbage, and brokers that do not speak MQTT 5.

What it shares with paho's session is in test_source_contract.py and test_paho_session.py.
"""

import asyncio
from collections.abc import Callable

import pytest
import uvloop

from benchmarks.load import Message
from benchmarks.publisher import make_session, publish
from hub.core.errors import SettingsError
from hub.transport import BrokerSettings, Mqtt5Session, Session
from hub.transport._mqtt5_machine import Machine, Stage
from hub.transport._mqtt5_wire import Wire
from tests.servers import nats
from tests.transport.conftest import Broker, take, until
from tests.transport.test_paho_session import QUICK, greet, hang_up, packet, scripted

RESUMED = b"\x20\x03\x01\x00\x00"
Reader, Writer = asyncio.StreamReader, asyncio.StreamWriter


def backlog(broker: Broker, count: int, size: int = 0) -> None:
    """Leave the hub's session behind with `count` numbered messages waiting."""
    make_session(broker.server.port, "hub-under-test", "#")
    publish(broker.server.port, [Message("a", b"%d" % n + bytes(size)) for n in range(count)], connections=1)


async def drain(session: Mqtt5Session, count: int, *, lag: int) -> tuple[list[int], int]:
    """Acknowledge each batch only when `lag` more have come or nothing comes; payloads, and the most in hand."""
    got: list[int] = []
    held: list[list[int]] = []
    most = 0
    batches = session.batches()
    while len(got) < count:
        try:
            async with asyncio.timeout(0.3):
                batch = await anext(batches)
        except TimeoutError:
            batches, batch = session.batches(), ()
        got += [int(d.payload) for d in batch]
        most = max(most, session.stats().in_hand)
        held.append([d.token for d in batch])
        while len(held) > (lag if batch else 0):
            await session.ack(held.pop(0))
    for tokens in held:
        await session.ack(tokens)
    return got, most


@pytest.mark.server
async def test_a_backlog_of_more_messages_than_packet_ids_is_drained_exactly(mosquitto_broker: Broker) -> None:
    """Acknowledged late, so that Mosquitto 2.0.11 sends more than was agreed."""
    count = 150_000
    await asyncio.to_thread(backlog, mosquitto_broker, count)
    session = Mqtt5Session(mosquitto_broker.settings(), ["#"])
    async with asyncio.timeout(60):
        got, most = await drain(session, count, lag=3)
    assert got == list(range(count))
    assert most <= 20_001
    assert session.stats().reconnects == 0
    await session.close()


@pytest.mark.server
async def test_ready_does_not_wait_for_a_suback_that_lies_behind_more_than_memory_may_hold(
    mosquitto_broker: Broker,
) -> None:
    await asyncio.to_thread(backlog, mosquitto_broker, 2_000, 1_000)
    session = Mqtt5Session(mosquitto_broker.settings(max_pending_bytes=50_000), ["#"])
    async with asyncio.timeout(5):
        await session.ready()
    assert session.stats().in_hand < 60
    assert len(await take(session, 2_000)) == 2_000
    await session.close()


@pytest.mark.server
def test_runs_on_uvloop(mosquitto_broker: Broker) -> None:
    async def run() -> int:
        session = Mqtt5Session(mosquitto_broker.settings(), ["#"])
        got = await take(session, 1_000)
        await session.close()
        return len(got)

    backlog(mosquitto_broker, 1_000)
    assert uvloop.run(run()) == 1_000


@pytest.mark.server
async def test_a_message_of_5_mb_arrives(mosquitto_broker: Broker) -> None:
    session = Mqtt5Session(mosquitto_broker.settings(), ["#"])
    async with asyncio.timeout(5):
        await session.ready()
    payload = bytes(range(256)) * 20_000
    await asyncio.to_thread(mosquitto_broker.publish, ["a"], payload)
    (got,) = await take(session, 1)
    assert got.payload == payload
    await session.close()


async def test_garbage_after_a_good_start_means_a_new_connection() -> None:
    connections = 0

    async def garble_once(reader: Reader, writer: Writer) -> None:
        nonlocal connections
        connections += 1
        await greet(reader, writer)
        if connections == 1:
            writer.write(b"\x00\xff garbage")
        await reader.read(-1)

    async with scripted(garble_once) as port:
        session = Mqtt5Session(BrokerSettings(port=port, **QUICK), ["#"])
        session.start()
        await until(lambda: connections == 2 and session.health().ok)
        await session.close()


async def run_wire(script: Callable[[Reader, Writer], object], until: asyncio.Event | None, **settings: object) -> Wire:
    """A connection to `script` with a keep-alive of 2 s, until it ends by itself, or `until` is set before."""
    async with scripted(script) as port:  # type: ignore[arg-type] # every script is a coroutine function
        made = BrokerSettings(port=port, keepalive=2, **settings)  # type: ignore[arg-type] # checked there
        wire = Wire(made, Machine(made, ["#"], 1, fresh=True), on_batch=lambda batch: None, on_up=lambda: None)
        running = asyncio.create_task(wire.run())
        async with asyncio.timeout(15):
            if until is None:
                await asyncio.wait([running])
            else:
                waiting = asyncio.create_task(until.wait())
                await asyncio.wait([running, waiting], return_when=asyncio.FIRST_COMPLETED)
                assert not running.done()
        await wire.close()
        await running
    return wire


async def test_a_broker_that_no_longer_answers_pings_is_left() -> None:
    async def fall_silent(reader: Reader, writer: Writer) -> None:
        await greet(reader, writer)
        await reader.read(-1)

    wire = await run_wire(fall_silent, None)
    assert wire.machine.ended is not None
    assert "no answer to a ping within 1 s" in wire.machine.ended.detail


async def test_a_broker_that_answers_pings_is_kept() -> None:
    pings = 0
    twice = asyncio.Event()

    async def answer(reader: Reader, writer: Writer) -> None:
        nonlocal pings
        await greet(reader, writer)
        while await packet(reader) == b"\xc0\x00":
            pings += 1
            if pings == 2:  # without the answer to the first the connection would have ended now
                twice.set()
            writer.write(b"\xd0\x00")

    wire = await run_wire(answer, twice)
    assert wire.machine.stage is Stage.UP


async def test_a_subscription_that_is_never_answered_ends_the_connection() -> None:
    async def ignore(reader: Reader, writer: Writer) -> None:
        await packet(reader)
        writer.write(RESUMED)
        while await reader.read(100):
            pass

    wire = await run_wire(ignore, None, connect_timeout=0.3)
    assert wire.machine.ended is not None
    assert "no answer to SUBSCRIBE within 0.3 s" in wire.machine.ended.detail


def test_a_session_for_another_version_is_refused() -> None:
    with pytest.raises(SettingsError, match=r"broker\.protocol"):
        Mqtt5Session(BrokerSettings(protocol="3.1.1"), ["#"])


async def test_a_broker_that_hangs_up_on_mqtt_5_again_and_again_gets_3_1_1() -> None:
    levels: list[int] = []

    async def old(reader: Reader, writer: Writer) -> None:
        connect = await packet(reader)
        levels.append(connect[8])
        if connect[8] == 4:
            writer.write(b"\x20\x02\x00\x00")
            subscribe = await packet(reader)
            writer.write(b"\x90\x03" + subscribe[2:4] + b"\x01")
            await reader.read(-1)

    async with scripted(old) as port:
        session = Session(BrokerSettings(port=port, **QUICK), ["#"])
        async with asyncio.timeout(10):
            await session.ready()
        assert "MQTT 3.1.1" in session.health().detail
        assert set(levels[:8]) == {5}
        assert levels[-1] == 4
        await session.close()


async def test_a_few_hang_ups_are_no_reason_to_leave_mqtt_5() -> None:
    """A container's port opens before its broker listens."""
    connections = 0

    async def late(reader: Reader, writer: Writer) -> None:
        nonlocal connections
        connections += 1
        if connections <= 3:
            await hang_up(reader, writer)
        else:
            await greet(reader, writer)
            await reader.read(-1)

    async with scripted(late) as port:
        session = Session(BrokerSettings(port=port, **QUICK), ["#"])
        async with asyncio.timeout(10):
            await session.ready()
        assert "MQTT 5" in session.health().detail
        await session.close()


@pytest.mark.server
async def test_when_the_broker_is_replaced_by_an_older_one_what_came_before_is_handed_out_and_stale(
    mosquitto_broker: Broker,
) -> None:
    port = mosquitto_broker.server.port
    session = Session(mosquitto_broker.settings(), ["#"])
    async with asyncio.timeout(10):
        await session.ready()
    await asyncio.to_thread(mosquitto_broker.publish, ["a"] * 3)
    await until(lambda: session.stats().received == 3)
    mosquitto_broker.server.stop()
    with nats(mosquitto_broker.server.log.parent.parent, port=port, ack_wait="30s") as server:
        await until(lambda: "MQTT 3.1.1" in session.health().detail)
        assert server.port == port
        old = await take(session, 3, ack=False)
        await asyncio.to_thread(mosquitto_broker.publish, ["b"] * 2)
        new = await take(session, 2, ack=False)
        assert ([d.topic for d in old], [d.topic for d in new]) == (["a"] * 3, ["b"] * 2)
        await session.ack([d.token for d in old])
        await until(lambda: session.stats().stale_acks == 3)
        assert session.stats().acked == 0
        await session.ack([d.token for d in new])
        await until(lambda: session.stats().acked == 2)
        await session.close()
