# SPDX-License-Identifier: EUPL-1.2
"""A bad network between the hub and InfluxDB: Retry, and then everything is stored once."""

import asyncio
from collections.abc import AsyncIterator, Iterator

import pytest

from hub.core.errors import Retry
from hub.core.quantities import Quantities
from hub.core.readings import Outcome, Reading
from hub.storage import InfluxSettings
from hub.storage.readings_influx import InfluxReadingStore
from tests.influx_servers import DatabaseServer
from tests.proxy import Proxy, proxy

pytestmark = pytest.mark.server
T = 1_700_000_000_000_000_000
ROWS = [Reading(f"d{number}", "pm10", float(number), T + number) for number in range(200)]


@pytest.fixture
def link(influx_server: DatabaseServer) -> Iterator[Proxy]:
    """The network between the hub and the database."""
    with proxy(influx_server.port) as made:
        yield made


@pytest.fixture
async def store(link: Proxy, database: str, quantities: Quantities) -> AsyncIterator[InfluxReadingStore]:
    """A store behind the bad network, connected."""
    settings = InfluxSettings(url=f"http://127.0.0.1:{link.port}", database=database, timeout_s=1.0)
    made = InfluxReadingStore(settings, quantities)
    await made.put([Reading("first", "pm10", 1.0, T)])
    yield made
    await made.close()


async def persist(store: InfluxReadingStore) -> list[Outcome]:
    """Put until it is stored, as the pipeline does."""
    async with asyncio.timeout(20):
        while True:
            try:
                return list((await store.put(ROWS)).outcomes)
            except Retry:
                await asyncio.sleep(0.02)


def stored(server: DatabaseServer, database: str) -> list[dict[str, object]]:
    return server.query(database, 'SELECT "pm10" FROM "air" WHERE "device" =~ /^d/ GROUP BY "device"')


async def test_an_answer_lost_after_the_write_was_stored_does_not_count_twice(
    influx_server: DatabaseServer, database: str, link: Proxy, store: InfluxReadingStore
) -> None:
    """The same rows again are stored rows: to who counts, this is the first time that they are confirmed."""
    link.lose_answer_to(b"/write?")
    with pytest.raises(Retry):
        await store.put(ROWS)
    assert len(stored(influx_server, database)) == len(ROWS), "the write had happened"
    assert await persist(store) == [Outcome.STORED] * len(ROWS)
    assert len(stored(influx_server, database)) == len(ROWS)
    assert await persist(store) == [Outcome.DUPLICATE] * len(ROWS)


@pytest.mark.parametrize("reset", [False, True], ids=["FIN", "RST"])
async def test_idle_connections_that_were_cut_are_replaced(
    influx_server: DatabaseServer, database: str, link: Proxy, store: InfluxReadingStore, reset: bool
) -> None:
    assert link.cut(reset=reset) > 0
    assert await persist(store) == [Outcome.STORED] * len(ROWS)
    assert len(stored(influx_server, database)) == len(ROWS)


async def test_a_half_open_link_is_a_timeout_and_then_all_is_stored_once(
    influx_server: DatabaseServer, database: str, link: Proxy, store: InfluxReadingStore
) -> None:
    link.go_dark()
    with pytest.raises(Retry):
        await store.put(ROWS)
    link.go_light()
    assert await persist(store) == [Outcome.STORED] * len(ROWS)
    assert len(stored(influx_server, database)) == len(ROWS)


async def test_a_stalled_answer_is_a_timeout_and_does_not_count_twice(
    influx_server: DatabaseServer, database: str, link: Proxy, store: InfluxReadingStore
) -> None:
    link.stall("down")
    with pytest.raises(Retry):
        await store.put(ROWS)
    link.flow()
    assert await persist(store) == [Outcome.STORED] * len(ROWS)
    assert len(stored(influx_server, database)) == len(ROWS)


async def test_a_slow_and_narrow_link_is_only_slow(
    influx_server: DatabaseServer, database: str, link: Proxy, store: InfluxReadingStore
) -> None:
    link.latency, link.rate = 0.05, 50_000
    assert await persist(store) == [Outcome.STORED] * len(ROWS)
    assert len(stored(influx_server, database)) == len(ROWS)
