# SPDX-License-Identifier: EUPL-1.2
"""A full disk is Retry everywhere: nothing is lost, nothing is half kept, and it goes on by itself when there is room.

Every test runs twice: on a small file system of its own that is really filled (where mounting is allowed), and under a
limit on the size of files, which makes writing fail in the same places everywhere.
"""

import asyncio
import os
import resource
import subprocess
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Protocol

import pytest

from hub import sdk
from hub.core.delivery import Delivery
from hub.core.errors import Retry
from hub.core.journal import AccountKey, Counts, JournalBatch, Quarantined, SpoolPosition
from hub.core.places import Device
from hub.core.ports import QuarantineFilter, SpoolState
from hub.core.quantities import Quantities
from hub.core.readings import NS, Outcome, PutResult, Reading, Series
from hub.ingest.interpret import Interpreter
from hub.ingest.journal import SqliteJournal
from hub.ingest.journal_reader import SqliteJournalReader
from hub.ingest.normalise import Conversions
from hub.ingest.pipeline import Pipeline
from hub.ingest.segments import SegmentLimits, SegmentLog
from hub.ingest.spool import DiskSpool
from hub.storage.readings_sqlite import SqliteReadingStore
from tests.ingest.conftest import NOW, delivery
from tests.ingest.fakes import Clock, ListSource, MemoryRegistry

POLL = 0.123
TMPFS_BYTES = 4 << 20
LEFT = (0, 1, 3000, 4096, 9000, 30_000, 70_000)  # bytes that can still be written when it gets tight
LIMITS = SegmentLimits(segment_bytes=100_000, max_bytes=1 << 22, min_free_bytes=0)


class Room(Protocol):
    """A place whose room can be taken away."""

    folder: Path

    def short(self, left: int) -> AbstractContextManager[None]:
        """While in it, only about `left` bytes can be written."""
        ...


class Tmpfs:
    """A file system in memory, filled up by a file of ballast."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    @contextmanager
    def short(self, left: int) -> Iterator[None]:
        ballast = self.folder / "ballast"
        disk = os.statvfs(self.folder)
        ballast.write_bytes(bytes(max(0, disk.f_bavail * disk.f_frsize - left)))
        try:
            yield
        finally:
            ballast.unlink()


class FileLimit:
    """A limit on the size of any file of this process, as `ulimit -f` sets it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    @contextmanager
    def short(self, left: int) -> Iterator[None]:
        soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
        resource.setrlimit(resource.RLIMIT_FSIZE, (left, hard))
        try:
            yield
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


@pytest.fixture(params=["tmpfs", "file size limit"])
def room(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Room]:
    folder = tmp_path / "small"
    folder.mkdir()
    if request.param == "file size limit":
        yield FileLimit(folder)
        return
    command = ["mount", "-t", "tmpfs", "-o", f"size={TMPFS_BYTES}", "tmpfs", str(folder)]
    mounted = subprocess.run(command, capture_output=True, text=True, check=False)
    if mounted.returncode:
        pytest.skip(f"mounting is not allowed here: {mounted.stderr.strip()}")
    try:
        yield Tmpfs(folder)
    finally:
        subprocess.run(["umount", "--lazy", str(folder)], check=True)  # a test that failed may hold files


def test_segments_keep_nothing_of_an_append_that_failed(room: Room) -> None:
    log = SegmentLog(room.folder / "log", LIMITS)
    log.open()
    kept, refused = [], 0
    for number, left in enumerate(LEFT):
        log.append([b"before %d" % number])
        kept.append(b"before %d" % number)
        with room.short(left):
            try:
                log.append([b"%d" % number + bytes(20_000), b"part"])
                kept += [b"%d" % number + bytes(20_000), b"part"]
            except Retry as error:
                refused += 1
                assert "raise it" in str(error) or "make room" in str(error)
            assert [stored.payload for stored in log.frames()] == kept
    assert 2 <= refused < len(LEFT)
    log.append([b"after"])
    log.close()
    log.open()
    assert [stored.payload for stored in log.frames()] == [*kept, b"after"]
    assert log.damaged() == []
    log.close()


def test_segments_full_to_the_last_byte_go_on_by_themselves(room: Room) -> None:
    """Not even a file of the smallest size can be made; again and again, and nothing piles up meanwhile."""
    log = SegmentLog(room.folder / "log", LIMITS)
    log.open()
    with room.short(0):
        for _ in range(20):
            with pytest.raises(Retry):
                log.append([b"x"])
        assert list((room.folder / "log").iterdir()) == []
    assert log.append([b"x"]) == [SpoolPosition(1, 24)]
    log.close()


async def test_spool_keeps_its_count_and_takes_the_same_batch_later(room: Room) -> None:
    spool = DiskSpool(room.folder / "spool", LIMITS)
    await spool.open(SpoolPosition())
    sent, refused = [], 0
    for number, left in enumerate(LEFT):
        batch = [delivery(f"{number}-{i}".ljust(2000), received=NOW + i, token=0) for i in range(10)]
        with room.short(left):
            before = spool.state()
            try:
                await spool.append(batch)
            except Retry:
                refused += 1
                assert spool.state() == before
                spooled = False
            else:
                spooled = True
        if not spooled:
            await spool.append(batch)
        sent += batch
        assert spool.state().messages == len(sent)
    assert refused >= 2
    await spool.close()
    spool = DiskSpool(room.folder / "spool", LIMITS)
    assert (await spool.open(SpoolPosition())).messages == len(sent)
    found, after = [], SpoolPosition()
    while (part := await spool.next(after)) is not None:
        found += part.deliveries
        after = part.position
    assert found == sent
    await spool.close()


async def test_draining_needs_no_room(room: Room) -> None:
    """What frees the disk must work on a full one."""
    spool = DiskSpool(room.folder / "spool", LIMITS)
    await spool.open(SpoolPosition())
    await spool.append([delivery("x" * 2000, token=0)])
    with room.short(0):
        part = await spool.next(SpoolPosition())
        assert part is not None
        await spool.done(part.position)
        assert list((room.folder / "spool").iterdir()) == []
    await spool.close()


def journal_batch(number: int) -> JournalBatch:
    key = AccountKey(NOW - NOW % (3600 * NS), "native", "air-1")
    row = Quarantined(received=NOW + number, topic="t", payload=bytes(20_000), reason="malformed", detail=str(number))
    return JournalBatch(
        touches=[("air-1", "pm10", number)],
        accounts={key: Counts(received=1, quarantined=1)},
        quarantined=[row],
        spool=SpoolPosition(1, number),
        number=number,
    )


async def test_journal_commits_a_batch_once_when_there_is_room_again(room: Room) -> None:
    path = room.folder / "ingest-0.db"
    journal, refused = SqliteJournal(path), 0
    await journal.commit(journal_batch(1))
    for number, left in enumerate(LEFT, 2):
        with room.short(left):
            try:
                await journal.commit(journal_batch(number))
                continue
            except Retry:
                refused += 1
                assert (await journal.progress()).spool == SpoolPosition(1, number - 1)
        await journal.commit(journal_batch(number))
    assert refused >= 2
    count = len(LEFT) + 1
    assert await journal.progress() == (count, SpoolPosition(1, count))
    await journal.close()
    reader = SqliteJournalReader(path)
    [(_, _, counts)] = reader.accounts(0)
    rows = reader.quarantine(QuarantineFilter())
    assert (counts["received"], len(reader.touches(0, 100)[0])) == (count, count)
    assert sorted(int(row.detail) for row in rows) == list(range(1, count + 1))
    [whole] = reader.quarantine(QuarantineFilter(ids=[rows[0].id]))
    assert whole.payload == bytes(20_000)
    reader.close()


class MovableStore:
    """A real store that can be told to be away."""

    def __init__(self, store: SqliteReadingStore, *, away: bool) -> None:
        self._store = store
        self.away = away

    def __getattr__(self, name: str) -> object:
        return getattr(self._store, name)

    async def put(self, rows: Sequence[Reading]) -> PutResult:
        if self.away:
            raise Retry("away", after=0.6)
        return await self._store.put(rows)


def readings(number: int) -> Sequence[Reading]:
    return [Reading(f"air-{i}", "pm10", float(i), NOW + (1000 * number + i) * NS) for i in range(500)]


async def test_reading_store_holds_all_or_nothing_of_a_batch(room: Room) -> None:
    store, refused = SqliteReadingStore(room.folder / "readings.db", Quantities.load()), 0
    await store.put(readings(0))
    for number, left in enumerate(LEFT, 1):
        with room.short(left):
            try:
                result = await store.put(readings(number))
            except Retry:
                refused += 1
                result = None
        result = result or await store.put(readings(number))
        assert set(result.outcomes) == {Outcome.STORED}, "a part of the batch that failed had been kept"
    assert refused >= 2
    found = await store.scan([Series(f"air-{i}", "pm10") for i in range(500)], 0, 2**62)
    assert len(found.time) == 500 * (len(LEFT) + 1)
    await store.close()


class Feed(ListSource):
    """Batches as the test gives them; `end` closes it."""

    def __init__(self) -> None:
        super().__init__()
        self.queue: asyncio.Queue[Sequence[Delivery] | None] = asyncio.Queue()

    async def batches(self) -> AsyncIterator[Sequence[Delivery]]:
        while (batch := await self.queue.get()) is not None:
            yield batch

    def give(self, first: int, count: int) -> None:
        """One reading a message, each of its own second; tokens from `first` on."""
        at = [datetime.fromtimestamp(NOW / NS - 86_400 + i, UTC).isoformat() for i in range(first, first + count)]
        text = '{"time": "%s", "readings": {"pm10": %d}}'
        self.queue.put_nowait([delivery(text % (time, i), token=i) for i, time in enumerate(at, first)])


class Patience:
    """A sleep that only moves the clock, and counts how often somebody waited, but for the chores."""

    def __init__(self, clock: Clock) -> None:
        self.clock = clock
        self.times = 0

    async def __call__(self, seconds: float) -> None:
        self.times += seconds != POLL
        self.clock.now += int(seconds * NS)
        await asyncio.sleep(0.001)


async def until(claim: Callable[[], bool]) -> None:
    async with asyncio.timeout(60):
        while not claim():
            await asyncio.sleep(0.002)


@pytest.mark.parametrize("spooled", [False, True], ids=["the store is there", "the store is away"])
async def test_ingest_on_a_full_disk_stops_acknowledging_and_resumes(
    room: Room, router: sdk.Router, conversions: Conversions, spooled: bool
) -> None:
    """The whole pipeline with journal, spool and readings on the one disk: every reading once, every term adds up."""
    device = Device(id="air-1", connector="native", external_id="air-1", interval=600)
    feed, clock, registry = Feed(), Clock(NOW), MemoryRegistry(device)
    patience = Patience(clock)
    journal = SqliteJournal(room.folder / "ingest-0.db")
    store = MovableStore(SqliteReadingStore(room.folder / "readings.db", Quantities.load()), away=spooled)
    spool = DiskSpool(room.folder / "spool", LIMITS)
    pipeline = Pipeline(
        feed,
        store,
        journal,
        registry,
        registry,
        Interpreter(router, conversions, max_payload=65536),
        clock=clock,
        sleep=patience,
        spool=spool,
        spool_after=1.0,
    )
    running = asyncio.create_task(pipeline.run(POLL))
    feed.give(0, 300)
    await until(lambda: len(feed.acked) == 300)
    with room.short(0):
        for number in range(1, 9):
            feed.give(300 * number, 300)
        await until(lambda: pipeline.waiting_for is not None)
        before = patience.times
        await until(lambda: patience.times > before + 50)
        assert not running.done()
        acknowledged = len(feed.acked)
        assert acknowledged < 2700
    await until(lambda: len(feed.acked) == 2700)
    assert feed.acked == list(range(2700))
    store.away = False
    await until(lambda: pipeline.spool_state() == SpoolState() and pipeline.waiting_for is None)
    feed.queue.put_nowait(None)
    await running
    found = await store.scan([Series("air-1", "pm10")], 0, 2**62)
    assert found.value.tolist() == list(range(2700))
    reader = SqliteJournalReader(room.folder / "ingest-0.db")
    [(_, _, counts)] = reader.accounts(0)
    reader.close()
    assert (counts["received"], counts["decoded"], counts["stored"] + counts["duplicate"]) == (2700, 2700, 2700)
    for part in (spool, journal, store):
        await part.close()
