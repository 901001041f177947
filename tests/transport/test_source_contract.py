# SPDX-License-Identifier: EUPL-1.2
"""What ingest relies on in a Source, checked against each real broker and protocol version."""

import asyncio
from collections import Counter

import pytest

from benchmarks.load import Message
from benchmarks.publisher import publish as flood
from hub.core.delivery import Delivery
from hub.transport import Mqtt5Session, PahoSession
from tests.transport.conftest import Broker, Source, quiet, take, until

pytestmark = pytest.mark.server


def payloads(deliveries: list[Delivery]) -> list[int]:
    return [int(delivery.payload) for delivery in deliveries]


def tokens(deliveries: list[Delivery]) -> list[int]:
    return [delivery.token for delivery in deliveries]


async def ready(session: Source) -> None:
    async with asyncio.timeout(10):
        await session.ready()


async def publish(broker: Broker, count: int, topic: str = "devices/d1/readings", **more: object) -> None:
    await asyncio.to_thread(broker.publish, [topic] * count, **more)  # type: ignore[arg-type] # passed through


async def test_everything_published_arrives_once_in_order_when_acknowledged(broker: Broker) -> None:
    session = broker.session()
    await ready(session)
    await publish(broker, 100)
    got = await take(session, 100)
    assert payloads(got) == list(range(100))
    assert {(d.topic, d.qos, d.retain, d.dup) for d in got} == {("devices/d1/readings", 1, False, False)}
    await session.close()
    again = broker.session()
    await ready(again)
    assert await quiet(again, 1.3 if broker.kind == "nats" else 0.3) == []  # NATS repeats after ack_wait, 1 s


async def test_speaks_the_best_version_that_the_broker_knows(broker: Broker) -> None:
    session = broker.session()
    await ready(session)
    assert f"MQTT {broker.spoken}," in session.health().detail
    assert session.health().ok


async def test_arrival_is_stamped_in_utc_nanoseconds(broker: Broker) -> None:
    session = broker.session()
    await ready(session)
    await publish(broker, 2)
    first, second = (await take(session, 2))[:2]
    assert 1_700_000_000_000_000_000 < first.received <= second.received < 5_000_000_000_000_000_000


async def test_unacknowledged_comes_again_marked_dup_after_a_reconnect(broker: Broker) -> None:
    session = broker.session()
    await ready(session)
    await publish(broker, 3)
    first = await take(session, 3, ack=False)
    await session.ack(tokens(first)[:1])
    await session.close()
    again = broker.session()
    second = await take(again, 2)
    assert sorted(payloads(second)) == [1, 2]
    assert all(d.dup for d in second)


async def test_a_token_of_an_earlier_connection_confirms_nothing(broker: Broker) -> None:
    session = broker.session()
    await ready(session)
    await publish(broker, 3)
    stale = tokens(await take(session, 3, ack=False))
    broker.server.restart()
    again = await take(session, 3, ack=False)
    assert not set(stale) & set(tokens(again))
    await session.ack(stale)
    await until(lambda: session.stats().stale_acks == 3)
    assert session.stats().acked == 0
    await session.close()
    third = broker.session()
    assert sorted(payloads(await take(third, 3))) == [0, 1, 2]


async def test_pubacks_leave_in_order_of_receipt_though_acknowledged_backwards(broker: Broker) -> None:
    session = broker.session()
    await ready(session)
    await publish(broker, 5)
    got = await take(session, 5, ack=False)
    await session.ack(tokens(got)[1:][::-1])
    await asyncio.sleep(0.1)
    assert session.stats().acked == 0
    await session.ack(tokens(got)[:1])
    await until(lambda: session.stats().acked == 5)


async def test_reconnects_and_loses_nothing_when_the_broker_is_killed(broker: Broker) -> None:
    session = broker.session()
    await ready(session)
    await publish(broker, 3)
    await take(session, 3)
    await broker.persist()
    broker.server.kill()
    await until(lambda: not session.health().ok)
    broker.server.start()
    await ready(session)
    await publish(broker, 4)
    seen: set[object] = set()
    while seen != {0, 1, 2, 3}:  # after SIGKILL NATS may send older ones again, between the new ones
        seen |= set(payloads(await take(session, 1)))
    assert session.stats().reconnects == 1
    assert session.stats().sessions_lost == 0


async def test_waits_for_a_broker_that_is_not_there_yet(broker: Broker) -> None:
    broker.server.stop()
    session = broker.session()
    session.start()
    await until(lambda: "unreachable" in session.health().detail)
    assert not session.health().ok
    assert session.health().hint
    broker.server.start()
    await ready(session)


async def test_messages_published_while_the_hub_is_away_arrive_later(broker: Broker) -> None:
    session = broker.session()
    await ready(session)
    await session.close()
    await publish(broker, 50)
    again = broker.session()
    assert payloads(await take(again, 50)) == list(range(50))


async def test_messages_wait_through_a_broker_restart_while_the_hub_is_away(broker: Broker) -> None:
    session = broker.session()
    await ready(session)
    await session.close()
    await publish(broker, 20)
    broker.server.restart()
    again = broker.session()
    assert payloads(await take(again, 20)) == list(range(20))


async def test_a_burst_of_20000_arrives_complete_within_batch_bounds(broker: Broker) -> None:
    session = broker.session(max_batch=700)
    await ready(session)
    sizes: list[int] = []
    seen: Counter[bytes] = Counter()
    messages = [Message("a", b"%d" % number) for number in range(20_000)]
    burst = asyncio.create_task(asyncio.to_thread(flood, broker.server.port, messages, connections=1))
    async with asyncio.timeout(60):
        async for batch in session.batches():
            sizes.append(len(batch))
            seen.update(
                delivery.payload for delivery in batch if not delivery.dup
            )  # a busy machine may be sent it again
            await session.ack([delivery.token for delivery in batch])
            if len(seen) == 20_000:
                break
    await burst
    assert max(sizes) <= 700
    assert set(seen.values()) == {1}


async def test_a_small_batch_does_not_wait_for_more(broker: Broker) -> None:
    session = broker.session()
    await ready(session)
    await publish(broker, 1)
    assert len(await take(session, 1)) == 1


async def test_retained_messages_arrive_marked_retained(broker: Broker) -> None:
    await publish(broker, 1, "state/d1", retain=True)
    session = broker.session()
    await ready(session)
    (got,) = await take(session, 1)
    assert (got.topic, got.retain, got.payload) == ("state/d1", True, b"0")


async def test_qos_0_has_nothing_to_acknowledge(broker: Broker) -> None:
    session = broker.session()
    await ready(session)
    await publish(broker, 1, qos=0)
    (got,) = await take(session, 1)
    assert (got.qos, got.token) == (0, 0)


async def test_closing_leaves_what_was_not_acknowledged_to_the_next_session(broker: Broker) -> None:
    session = broker.session()
    await ready(session)
    await publish(broker, 10)
    got = await take(session, 10, ack=False)
    await session.ack(tokens(got)[:4])
    await session.close()
    again = broker.session()
    assert sorted(payloads(await take(again, 6))) == [4, 5, 6, 7, 8, 9]


async def test_batches_end_when_the_session_is_closed(broker: Broker) -> None:
    session = broker.session()
    await ready(session)
    reading = asyncio.create_task(quiet(session, 30))
    await asyncio.sleep(0)
    await session.close()
    async with asyncio.timeout(5):
        assert await reading == []


async def test_only_what_was_subscribed_to_arrives(broker: Broker) -> None:
    session = broker.session(["devices/+/readings", "wmbus/#"])
    await ready(session)
    topics = ["devices/a/readings", "devices/a/other", "wmbus/x/y", "other"]
    await asyncio.to_thread(broker.publish, topics)
    await publish(broker, 1, "wmbus/last")
    got = await take(session, 3)
    # NATS keeps the order within one filter only
    assert sorted(d.topic for d in got) == ["devices/a/readings", "wmbus/last", "wmbus/x/y"]


async def test_reading_pauses_while_too_much_waits_for_ingest(broker: Broker) -> None:
    """100 messages of 1 kB against a bound of 20 kB: never much more in memory, and all arrive in the end."""
    session = broker.session(max_pending_bytes=20_000, max_batch=5)
    await ready(session)
    await publish(broker, 100, payload=b"x" * 1000)
    await asyncio.sleep(0.3)
    held = session.stats().in_hand
    assert 0 < held < 30
    got = 0
    most = 0
    async with asyncio.timeout(20):
        async for batch in session.batches():
            most = max(most, session.stats().in_hand)
            got += len(batch)
            await session.ack([delivery.token for delivery in batch])
            if got == 100:
                break
    assert most < 30


async def test_a_paused_session_keeps_its_connection_alive(mosquitto_broker: Broker) -> None:
    """Keep-alive 2 s, paused for 4: the broker would drop a silent client after 3. Both kinds, to wait once."""
    sessions = [
        mosquitto_broker.session_of(make, max_pending_bytes=3_000, keepalive=2, client_id=make.__name__)
        for make in (PahoSession, Mqtt5Session)
    ]
    for session in sessions:
        await ready(session)
    await publish(mosquitto_broker, 20, payload=b"x" * 1000)
    await asyncio.sleep(4)
    for session in sessions:
        assert session.stats().in_hand > 0
        assert session.health().ok
        assert session.stats().reconnects == 0
        await session.close()
