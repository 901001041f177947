# SPDX-License-Identifier: EUPL-1.2
"""What the hub relies on when it publishes."""

import asyncio
from pathlib import Path

import pytest

from hub.core.delivery import Publication
from hub.core.errors import Invalid, Retry, Stop
from hub.transport import BrokerSettings, MqttPublisher
from tests.servers import free_port, mosquitto_server, running
from tests.transport.conftest import Broker, take, until


def publications(count: int, topic: str = "a/b") -> list[Publication]:
    return [Publication(topic, b"%d" % number) for number in range(count)]


@pytest.mark.server
async def test_everything_arrives_in_the_order_given(broker: Broker) -> None:
    session = broker.session()
    async with asyncio.timeout(10):
        await session.ready()
    publisher = MqttPublisher(broker.settings(), "publisher")
    await publisher.publish(publications(3000))
    got = await take(session, 3000)
    assert [int(d.payload) for d in got] == list(range(3000))
    assert publisher.health().ok
    await publisher.close()


@pytest.mark.server
async def test_what_was_published_retained_is_there_for_a_later_subscriber(broker: Broker) -> None:
    publisher = MqttPublisher(broker.settings(), "publisher")
    await publisher.publish([Publication("i/x", b"1", retain=True), Publication("i/x", b"2", retain=True)])
    await publisher.close()
    session = broker.session()
    (got,) = await take(session, 1)
    assert (got.payload, got.retain) == (b"2", True)


@pytest.mark.server
async def test_survives_a_restart_of_the_broker_between_and_during_publishing(broker: Broker) -> None:
    session = broker.session()
    async with asyncio.timeout(10):
        await session.ready()
    publisher = MqttPublisher(broker.settings(), "publisher", tries=20)
    await publisher.publish(publications(1))
    broker.server.restart()
    await publisher.publish(publications(1))
    sending = asyncio.create_task(publisher.publish(publications(5000)))
    await asyncio.sleep(0.1)
    await asyncio.to_thread(broker.server.restart)
    async with asyncio.timeout(30):
        await sending
        seen: set[int] = set()
        async for batch in session.batches():
            seen |= {int(delivery.payload) for delivery in batch}
            await session.ack([delivery.token for delivery in batch])
            if len(seen) == 5000:
                break
    await publisher.close()


@pytest.mark.server
async def test_several_callers_share_one_connection(broker: Broker) -> None:
    session = broker.session()
    async with asyncio.timeout(10):
        await session.ready()
    publisher = MqttPublisher(broker.settings(), "publisher", window=8)
    await asyncio.gather(*(publisher.publish(publications(50, f"t/{number}")) for number in range(20)))
    got = await take(session, 1000)
    for number in range(20):
        assert [int(d.payload) for d in got if d.topic == f"t/{number}"] == list(range(50))
    await publisher.close()


async def test_an_absent_broker_asks_to_try_again() -> None:
    publisher = MqttPublisher(BrokerSettings(port=free_port(), reconnect_min=0.01, reconnect_max=0.02), "publisher")
    with pytest.raises(Retry, match="broker away"):
        await publisher.publish(publications(1))
    assert not publisher.health().ok
    await publisher.close()


@pytest.mark.server
async def test_refused_credentials_stop(tmp_path: Path) -> None:
    server = mosquitto_server(tmp_path, users={"hub": "right"})
    with running(server):
        publisher = MqttPublisher(BrokerSettings(port=server.port, username="hub", password="wrong"), "publisher")
        with pytest.raises(Stop, match="refuses"):
            await publisher.publish(publications(1))
        await publisher.close()


@pytest.mark.parametrize("topic", ["", "a/+/b", "a/#", "a b", "a\tb", "a\0b", "x" * 65_536])
async def test_a_topic_that_would_break_the_connection_is_refused_before_anything_is_sent(topic: str) -> None:
    publisher = MqttPublisher(BrokerSettings(port=free_port()), "publisher")
    with pytest.raises(Invalid):
        await publisher.publish([Publication("fine", b""), Publication(topic, b"")])
    await publisher.close()


async def test_publishing_nothing_needs_no_broker() -> None:
    publisher = MqttPublisher(BrokerSettings(port=free_port()), "publisher")
    await publisher.publish([])
    await publisher.close()


@pytest.mark.server
async def test_closing_fails_what_is_under_way_with_retry(mosquitto_broker: Broker) -> None:
    publisher = MqttPublisher(mosquitto_broker.settings(), "publisher", window=4)
    sending = asyncio.create_task(publisher.publish(publications(20_000)))
    await until(lambda: publisher.health().detail.startswith("connected"))
    await publisher.close()
    with pytest.raises(Retry):
        await sending
