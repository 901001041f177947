# SPDX-License-Identifier: EUPL-1.2
"""The pipeline behind a store that goes away: what was acknowledged is in the store in the end, once, and accounted."""

import asyncio
import json
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hub import sdk
from hub.core.delivery import Delivery
from hub.core.errors import Retry
from hub.core.journal import HOUR_NS, OpenBatch
from hub.core.places import Device
from hub.core.ports import QuarantineFilter
from hub.core.readings import NS, PutResult, Reading
from hub.ingest.interpret import Interpreter
from hub.ingest.journal import SqliteJournal
from hub.ingest.journal_reader import SqliteJournalReader
from hub.ingest.normalise import Conversions
from hub.ingest.pipeline import Pipeline
from hub.ingest.segments import SegmentLimits
from hub.ingest.spool import DiskSpool
from tests.ingest.conftest import NOW, delivery
from tests.ingest.fakes import Clock, MemoryRegistry, MemoryStore

DEVICES = [Device(id=f"air-{n}", connector="native", external_id=f"air-{n}", interval=600) for n in range(3)]


class Moody(MemoryStore):
    """A store that can be down, store and lose its answer for the next `lost` calls, or be slow from a large put on."""

    down = False
    lost = 0
    large = 0  # puts of more than 1,000 rows until one of them waits for `released`

    def __init__(self) -> None:
        super().__init__()
        self.released = asyncio.Event()

    async def put(self, rows: Sequence[Reading]) -> PutResult:
        await asyncio.sleep(0)
        if self.down:
            raise Retry("store is down", after=0.0)
        if self.large and len(rows) > 1000:
            self.large -= 1
            if not self.large:
                await self.released.wait()
        result = await super().put(rows)
        if self.lost:
            self.lost -= 1
            raise Retry("no answer", after=0.0)
        return result


class Broker:
    """A persistent session: what is not acknowledged comes again, marked as such, to whoever connects next."""

    def __init__(self) -> None:
        self.session: dict[int, Delivery] = {}
        self.queue: asyncio.Queue[Sequence[Delivery]] = asyncio.Queue()
        self.acked: list[Delivery] = []
        self.sent = 0

    def publish(self, *messages: Delivery) -> None:
        batch = []
        for message in messages:
            self.sent += 1
            one = delivery(message.payload, topic=message.topic, token=self.sent)
            self.session[self.sent] = one
            batch.append(one)
        self.queue.put_nowait(batch)

    def reconnect(self) -> None:
        self.queue = asyncio.Queue()
        again = [Delivery(m.topic, m.payload, m.received, 1, m.retain, True, m.token) for m in self.session.values()]
        if again:
            self.queue.put_nowait(again)

    async def batches(self) -> AsyncIterator[Sequence[Delivery]]:
        while True:
            yield await self.queue.get()

    async def ack(self, tokens: Sequence[int]) -> None:
        self.acked += [self.session.pop(token) for token in tokens if token in self.session]

    async def close(self) -> None:
        """Nothing to release."""


class Hub:
    """One data directory, one store, one broker; the pipeline may come and go."""

    def __init__(self, folder: Path, router: sdk.Router, conversions: Conversions, limits: SegmentLimits) -> None:
        self.folder, self.limits = folder, limits
        self.interpreter = Interpreter(router, conversions, max_payload=65536)
        self.store, self.broker, self.registry = Moody(), Broker(), MemoryRegistry(*DEVICES)
        self.pipeline: Pipeline

    @asynccontextmanager
    async def running(self, note: Callable[[OpenBatch], None] = lambda _: None) -> AsyncIterator[None]:
        """The pipeline at work; leaving it is as good as a kill: nothing is finished."""
        journal = SqliteJournal(self.folder / "ingest-0.db")
        spool = DiskSpool(self.folder / "spool", self.limits)
        self.broker.reconnect()

        async def sleep(_: float) -> None:
            await asyncio.sleep(0.001)

        self.pipeline = Pipeline(
            self.broker, self.store, journal, self.registry, self.registry, self.interpreter,
            clock=Clock(NOW), sleep=sleep, spool=spool, spool_after=0.0, note=note,
        )  # fmt: skip
        begun = asyncio.Event()
        self.registry.on_snapshot = begun.set
        task = asyncio.create_task(self.pipeline.run(poll=60))
        try:
            await asyncio.wait({task, asyncio.ensure_future(begun.wait())}, return_when=asyncio.FIRST_COMPLETED)
            yield
        finally:
            task.cancel()
            await asyncio.wait({task})
            await spool.close()
            await journal.close()

    async def until(self, holds: Callable[[], bool]) -> None:
        async with asyncio.timeout(20):
            while not holds():
                await asyncio.sleep(0.001)

    async def settled(self) -> None:
        """Everything published is acknowledged, and nothing waits in the spool."""
        await self.until(lambda: not self.broker.session and not self.pipeline.spool_state().messages)

    def totals(self) -> dict[str, int]:
        reader = SqliteJournalReader(self.folder / "ingest-0.db")
        try:
            accounts = [counts for _, _, counts in reader.accounts(0)]
            for n in accounts:
                assert n["received"] == n["decoded"] + n["quarantined"] + n["refused"] + n["ignored"]
                assert n["readings"] == n["stored"] + n["duplicate"] + n["conflict"] + n["rejected"]
            total = {name: sum(n[name] for n in accounts) for name in accounts[0]} if accounts else {}
            touches, _ = reader.touches(0, 100_000)
            waiting = reader.count(QuarantineFilter())
        finally:
            reader.close()
        touched = {(touch.device, touch.quantity, touch.hour) for touch in touches}
        assert {(d, q, t - t % HOUR_NS) for d, q, t in self.store.rows} <= touched
        return {**total, "waiting": waiting}


def message(device: int, minute: int, value: float = 20.0) -> Delivery:
    time = datetime.fromtimestamp(NOW // NS - 60 * minute, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    return delivery(
        json.dumps({"time": time, "readings": {"pm10": value, "no2": 1.5}}), f"devices/air-{device}/readings"
    )


GARBAGE = delivery("{", "devices/air-0/readings")
UNTIMED = delivery('{"readings": {"pm10": 7.5}}', "devices/air-2/readings")


@pytest.fixture
def hub(tmp_path: Path, router: sdk.Router, conversions: Conversions) -> Hub:
    return Hub(tmp_path, router, conversions, SegmentLimits(min_free_bytes=0))


async def test_messages_are_acknowledged_while_the_store_is_away_and_stored_when_it_is_back(hub: Hub) -> None:
    hub.store.down = True
    async with hub.running():
        for minute in range(20):
            hub.broker.publish(message(0, minute), message(1, minute))
        await hub.until(lambda: not hub.broker.session)
        assert hub.store.rows == {}
        assert hub.pipeline.spool_state().messages == 40
        assert hub.pipeline.spooling == "store is down"
        assert hub.totals().get("received", 0) == 0
        hub.store.down = False
        await hub.settled()
        assert hub.pipeline.spooling is None
    assert len(hub.store.rows) == 80
    totals = hub.totals()
    assert (totals["received"], totals["stored"], totals["duplicate"]) == (40, 80, 0)


async def test_what_needs_no_store_is_not_kept_waiting_by_one(hub: Hub) -> None:
    """A message that cannot be read is in quarantine, and the other devices are seen, while the store is away."""
    hub.store.down = True
    async with hub.running():
        hub.broker.publish(message(1, 1), GARBAGE)
        await hub.until(lambda: not hub.broker.session)
        assert hub.totals() | {"received": 1, "quarantined": 1, "waiting": 1} == hub.totals()
        reader = SqliteJournalReader(hub.folder / "ingest-0.db")
        assert reader.seen()["air-1"].received == NOW
        reader.close()
        hub.store.down = False
        await hub.settled()
    assert hub.totals() | {"received": 2, "quarantined": 1, "decoded": 1, "stored": 2} == hub.totals()


async def test_the_spool_survives_a_kill_and_counts_once(hub: Hub) -> None:
    hub.store.down = True
    async with hub.running():
        for minute in range(10):
            hub.broker.publish(message(0, minute))
        await hub.until(lambda: not hub.broker.session)
    async with hub.running():
        hub.broker.publish(message(1, 1))
        await hub.until(lambda: not hub.broker.session)
        assert hub.pipeline.spool_state().messages == 11
    hub.store.down = False
    async with hub.running():
        await hub.settled()
    totals = hub.totals()
    assert (totals["received"], totals["stored"], totals["duplicate"]) == (11, 22, 0)


async def test_live_messages_pass_a_spool_that_drains(hub: Hub) -> None:
    """A store that answers is used for live messages at once, however much waits."""
    hub.store.down = True
    async with hub.running():
        for some in range(60):
            hub.broker.publish(*[message(0, some * 100 + minute) for minute in range(100)])
        await hub.until(lambda: not hub.broker.session)
        hub.store.down, hub.store.large = False, 2
        await hub.until(lambda: hub.pipeline.spooling is None and not hub.store.large)
        hub.broker.publish(message(1, 1))
        await hub.until(lambda: ("air-1", "pm10", NOW - 60 * NS) in hub.store.rows)
        assert 0 < hub.pipeline.spool_state().messages <= 1000
        hub.store.released.set()
        await hub.settled()
    assert len(hub.store.rows) == 12_002


async def test_a_full_spool_keeps_the_rest_at_the_broker(
    tmp_path: Path, router: sdk.Router, conversions: Conversions
) -> None:
    """Back-pressure: nothing is acknowledged beyond the limit, and it goes on by itself."""
    hub = Hub(tmp_path, router, conversions, SegmentLimits(segment_bytes=4096, max_bytes=8192, min_free_bytes=0))
    hub.store.down = True
    async with hub.running():
        for minute in range(200):
            hub.broker.publish(message(0, minute))
        await hub.until(lambda: hub.pipeline.waiting_for is not None and "spool" in hub.pipeline.waiting_for)
        assert 0 < hub.pipeline.spool_state().messages < 200
        assert len(hub.broker.session) == 200 - hub.pipeline.spool_state().messages
        hub.store.down = False
        await hub.settled()
    totals = hub.totals()
    assert (totals["received"], totals["stored"], len(hub.store.rows)) == (200, 400, 400)


async def test_a_message_without_time_keeps_its_stamp_through_the_spool_and_a_kill(hub: Hub) -> None:
    hub.store.down = True
    async with hub.running():
        hub.broker.publish(UNTIMED)
        await hub.until(lambda: not hub.broker.session)
    hub.store.down = False
    async with hub.running():
        await hub.settled()
    assert list(hub.store.rows) == [("air-2", "pm10", NOW)]


Step = Callable[[Hub], Awaitable[None]]


def steps() -> st.SearchStrategy[list[tuple[str, int, int]]]:
    kinds = ["publish"] * 6 + ["garbage", "untimed", "conflict", "again", "down", "up", "lost", "kill", "wait", "wait"]
    return st.lists(st.tuples(st.sampled_from(kinds), st.integers(0, 2), st.integers(0, 30)), max_size=30)


@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
@given(steps())
def test_any_history_ends_with_everything_stored_and_accounted(
    router: sdk.Router, conversions: Conversions, history: list[tuple[str, int, int]]
) -> None:
    """Batches, outages, lost answers and kills in any order: 0 lost, 0 double, 0 unaccounted."""
    with tempfile.TemporaryDirectory() as folder:
        asyncio.run(_play(Hub(Path(folder), router, conversions, SegmentLimits(min_free_bytes=0)), history))


async def _play(hub: Hub, history: list[tuple[str, int, int]]) -> None:
    first: dict[tuple[str, str, int], set[float]] = {}
    garbage = 0
    parts: list[list[tuple[str, int, int]]] = [[]]
    for step in history:
        if step[0] == "kill":
            parts.append([])
        else:
            parts[-1].append(step)
    for index, part in enumerate(parts):
        async with hub.running():
            for kind, device, number in part:
                if kind in {"publish", "again", "conflict"}:
                    value = 20.0 if kind != "conflict" else 21.0
                    hub.broker.publish(*[message(device, number + more, value) for more in range(device + 1)])
                    for more in range(device + 1):
                        time = NOW - 60 * (number + more) * NS
                        first.setdefault((f"air-{device}", "pm10", time), set()).add(value)
                        first.setdefault((f"air-{device}", "no2", time), set()).add(1.5)
                elif kind in {"garbage", "untimed"}:
                    hub.broker.publish(GARBAGE if kind == "garbage" else UNTIMED)
                    garbage += kind == "garbage"
                elif kind == "lost":
                    hub.store.lost += 1
                elif kind == "wait":
                    await asyncio.sleep(0.001 * number)
                else:
                    hub.store.down = kind == "down"
            if index == len(parts) - 1:
                hub.store.down, hub.store.lost = False, 0
                await hub.settled()
    stored = {key: row.value for key, row in hub.store.rows.items()}
    assert {key for key in stored if not (key[0] == "air-2" and key[2] == NOW)} >= {k for k in first if k[2] != NOW}
    assert all(stored[key] in values for key, values in first.items() if key[2] != NOW)
    totals = hub.totals()
    if hub.broker.sent:
        assert totals["received"] >= hub.broker.sent == len(hub.broker.acked)
        assert totals["quarantined"] >= garbage
        assert totals["stored"] - totals["replaced"] <= len(stored) <= totals["stored"] + totals["duplicate"]


async def test_what_a_full_spool_sends_to_the_store_is_noted_first(
    tmp_path: Path, router: sdk.Router, conversions: Conversions
) -> None:
    """A kill between store and journal must leave a trace there too."""
    hub = Hub(tmp_path, router, conversions, SegmentLimits(segment_bytes=4096, max_bytes=8192, min_free_bytes=0))
    hub.store.down = True
    noted: list[int] = []
    async with hub.running(lambda batch: noted.append(batch.number) if batch.spool is None else None):
        for minute in range(200):
            hub.broker.publish(message(0, minute))
        await hub.until(lambda: hub.pipeline.waiting_for is not None and "spool" in hub.pipeline.waiting_for)
        before = len(noted)
        hub.store.down = False
        await hub.settled()
    assert len(noted) > before
    assert len(set(noted)) == len(noted)
