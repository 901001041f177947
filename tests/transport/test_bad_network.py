# SPDX-License-Identifier: EUPL-1.2
"""A bad network between the hub and its broker: nothing is lost, nothing comes twice on one connection, it goes on.

Devices publish past the bad network. What a cut takes away between PUBACK and broker comes again on the next
connection; that is MQTT's "at least once", and ingest knows it by its key.
"""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from hub.core.delivery import Delivery, Publication
from hub.core.errors import Retry
from hub.transport import Mqtt5Session, MqttPublisher, PahoSession
from tests.proxy import Proxy, proxy
from tests.servers import mosquitto_server, nats_server
from tests.transport.conftest import Broker, Source, quiet, until

pytestmark = pytest.mark.server
COUNT = 400
KEEPALIVE = 2
ACK_WAIT = 3  # seconds until NATS sends again what was not confirmed


@pytest.fixture(params=["mosquitto-5", "nats-3.1.1"])
def broker(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Broker]:
    """The fast session on Mosquitto, paho's on NATS."""
    if request.param == "nats-3.1.1":
        made = Broker(nats_server(tmp_path, ack_wait=f"{ACK_WAIT}s"), "nats", "3.1.1", "3.1.1", PahoSession)
    else:
        server = mosquitto_server(tmp_path, options={"log_type": "error"})
        made = Broker(server, "mosquitto", "5", "5", Mqtt5Session)
    try:
        made.server.start()
        yield made
    finally:
        made.server.stop()


@pytest.fixture
def link(broker: Broker) -> Iterator[Proxy]:
    """The network between the hub and the broker."""
    with proxy(broker.server.port) as made:
        yield made


class Hub:
    """An ingest that confirms everything at once."""

    def __init__(self, session: Source) -> None:
        self.session = session
        self.got: list[Delivery] = []

    @property
    def numbers(self) -> set[int]:
        """What has arrived."""
        return {int(delivery.payload) for delivery in self.got}

    async def run(self) -> None:
        """Confirm until the session is closed."""
        async for batch in self.session.batches():
            self.got += batch
            await self.session.ack([delivery.token for delivery in batch])


@asynccontextmanager
async def hub_behind(link: Proxy, broker: Broker) -> AsyncIterator[Hub]:
    """A hub at work; in the end: nothing twice on one connection, nothing left at the broker."""
    session = broker.session(port=link.port, keepalive=KEEPALIVE, connect_timeout=1.0)
    hub = Hub(session)
    async with asyncio.timeout(10):
        await session.ready()
    running = asyncio.create_task(hub.run())
    try:
        yield hub
        await until(lambda: session.stats().in_hand == 0)
        if broker.kind == "nats" and session.stats().reconnects:  # what was confirmed into a cut comes once more
            await asyncio.sleep(ACK_WAIT + 1)
            await until(lambda: session.stats().in_hand == 0)
    finally:
        await session.close()
        await running
    # NATS sends what it has not seen confirmed again on the same connection after ack_wait, marked DUP
    per_connection = Counter((delivery.token >> 16, delivery.payload) for delivery in hub.got if not delivery.dup)
    assert set(per_connection.values()) <= {1}
    again = broker.session()
    async with asyncio.timeout(10):
        await again.ready()
    left = await quiet(again, 0.3)
    await again.close()
    assert [int(delivery.payload) for delivery in left] == []


async def publish(broker: Broker, count: int = COUNT, size: int = 0) -> None:
    """Numbered messages, a few at a time, so that the weather finds some of them under way."""
    client = MqttPublisher(broker.settings(), "device")
    try:
        for start in range(0, count, 40):
            numbers = range(start, start + 40)
            await client.publish([Publication("a", (b"%d" % number).zfill(size)) for number in numbers])
            await asyncio.sleep(0.02)
    finally:
        await client.close()


async def test_latency_is_only_latency(broker: Broker, link: Proxy) -> None:
    link.latency = 0.05
    async with hub_behind(link, broker) as hub:
        await publish(broker)
        await until(lambda: len(hub.numbers) == COUNT)
        assert len(hub.got) == COUNT
        assert hub.session.stats().reconnects == 0


async def test_a_narrow_link_is_only_slow(broker: Broker, link: Proxy) -> None:
    """400 kB over 400 kB/s."""
    link.rate = 400_000
    async with hub_behind(link, broker) as hub:
        await publish(broker, size=1000)
        await until(lambda: len(hub.numbers) == COUNT)
        assert len(hub.got) == COUNT
        assert hub.session.stats().reconnects == 0


@pytest.mark.parametrize("reset", [False, True], ids=["FIN", "RST"])
async def test_cuts_lose_nothing(broker: Broker, link: Proxy, reset: bool) -> None:
    async with hub_behind(link, broker) as hub:
        publishing = asyncio.create_task(publish(broker))
        for cut in range(1, 6):
            await until(lambda: hub.session.health().ok)
            await asyncio.sleep(0.02)
            assert link.cut(reset=reset) > 0
            await until(lambda cut=cut: hub.session.stats().connects > cut)  # type: ignore[misc] # bound on purpose
        await publishing
        await until(lambda: len(hub.numbers) == COUNT)
        assert hub.session.stats().reconnects == 5
        assert hub.session.stats().sessions_lost == 0


async def test_a_half_open_link_is_found_by_keep_alive_and_left(broker: Broker, link: Proxy) -> None:
    """Nobody says that the connection is gone; a ping without an answer does, within two keep-alives."""
    async with hub_behind(link, broker) as hub:
        link.go_dark()
        await publish(broker)
        await until(lambda: not hub.session.health().ok, seconds=2 * KEEPALIVE + 3)
        await until(lambda: "no answer to CONNECT" in hub.session.health().detail)  # still dark: tries go unanswered
        link.go_light()
        await until(lambda: len(hub.numbers) == COUNT)
        assert len(hub.got) == COUNT


async def test_a_short_stall_of_one_way_goes_unnoticed(broker: Broker, link: Proxy) -> None:
    async with hub_behind(link, broker) as hub:
        for way in ("down", "up"):
            link.stall(way)
            await asyncio.sleep(0.3)
            link.flow()
        await publish(broker)
        await until(lambda: len(hub.numbers) == COUNT)
        assert hub.session.stats().reconnects == 0


async def test_when_nothing_of_ours_reaches_the_broker_the_connection_is_given_up(broker: Broker, link: Proxy) -> None:
    """PUBACKs stand still, messages come: what was confirmed into the void comes again on the next connection."""
    async with hub_behind(link, broker) as hub:
        link.stall("up")
        await publish(broker, 40)
        await until(lambda: len(hub.numbers) == 40)
        await until(lambda: not hub.session.health().ok, seconds=2 * KEEPALIVE + 3)
        link.flow()
        await until(lambda: hub.session.health().ok)
        await publish(broker)
        await until(lambda: len(hub.numbers) == COUNT)


async def test_a_connect_into_the_dark_is_tried_again(broker: Broker, link: Proxy) -> None:
    link.go_dark()
    session = broker.session(port=link.port, connect_timeout=0.3)
    session.start()
    await until(lambda: "no answer to CONNECT" in session.health().detail)
    link.go_light()
    async with asyncio.timeout(10):
        await session.ready()
    await session.close()


async def insist(publish: Callable[[], Awaitable[None]]) -> None:
    """What the hub's own users of a publisher do: the same again when it says Retry."""
    async with asyncio.timeout(30):
        while True:
            try:
                return await publish()
            except Retry:
                await asyncio.sleep(0.01)


@pytest.mark.parametrize("weather", ["latency", "FIN", "RST", "dark", "stall"])
async def test_what_the_hub_publishes_arrives_in_any_weather(broker: Broker, link: Proxy, weather: str) -> None:
    """Each message at least once, and the last one last: of a retained topic the newest must stay."""
    session = broker.session()
    async with asyncio.timeout(10):
        await session.ready()
    hub = Hub(session)
    running = asyncio.create_task(hub.run())
    publisher = MqttPublisher(
        broker.settings(port=link.port, keepalive=KEEPALIVE, connect_timeout=1.0), "hub-publisher", tries=5
    )
    link.latency = 0.02
    messages = [Publication("a", b"%d" % number) for number in range(COUNT)]
    sending = asyncio.create_task(insist(lambda: publisher.publish(messages)))
    await until(lambda: hub.numbers)
    match weather:
        case "FIN" | "RST":
            link.cut(reset=weather == "RST")
        case "dark":
            link.go_dark()
            await until(lambda: link.accepted > 1)  # it gave the silent connection up and tries another
            link.go_light()
        case "stall":
            link.stall("down")  # all arrives, and no confirmation comes back
            await until(lambda: len(hub.numbers) == COUNT or link.accepted > 1)
            link.flow()
    await sending
    await until(lambda: len(hub.numbers) == COUNT)
    await until(lambda: int(hub.got[-1].payload) == COUNT - 1)
    await publisher.close()
    await session.close()
    await running
