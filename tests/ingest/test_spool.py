# SPDX-License-Identifier: EUPL-1.2
"""The spool keeps deliveries in order through restarts, counts exactly, forgets only what the journal has passed."""

import asyncio
import random
import tempfile
from collections.abc import AsyncIterator, Coroutine, Sequence
from pathlib import Path
from typing import TypeVar

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from hub.core.delivery import Delivery
from hub.core.errors import Retry
from hub.core.journal import JournalBatch, SpoolPosition
from hub.core.ports import Spool, SpoolState
from hub.ingest.journal import SqliteJournal
from hub.ingest.segments import SegmentLimits
from hub.ingest.spool import DiskSpool
from tests.ingest.conftest import NOW, delivery

T = TypeVar("T")
BEGINNING = SpoolPosition()
SMALL = SegmentLimits(segment_bytes=4096, max_bytes=1 << 20, min_free_bytes=0)


def deliveries(first: int, count: int, size: int = 40) -> list[Delivery]:
    """Messages that tell each other apart by payload and arrival."""
    return [delivery(f"{i:08}".ljust(size), token=0, received=NOW + i) for i in range(first, first + count)]


@pytest.fixture
async def spool(tmp_path: Path) -> AsyncIterator[DiskSpool]:
    spool = DiskSpool(tmp_path / "spool", SMALL)
    await spool.open(BEGINNING)
    yield spool
    await spool.close()


async def drain(spool: Spool, after: SpoolPosition = BEGINNING) -> list[Delivery]:
    """Everything behind `after`, each batch done with at once."""
    found: list[Delivery] = []
    while (batch := await spool.next(after)) is not None:
        found += batch.deliveries
        after = batch.position
        await spool.done(after)
    return found


async def fill(spool: Spool) -> list[Delivery]:
    """Append until the spool is full; returns what it took."""
    kept: list[Delivery] = []
    try:
        while True:
            await spool.append(deliveries(len(kept), 10))
            kept += deliveries(len(kept), 10)
    except Retry:
        return kept


def files(folder: Path) -> Sequence[str]:
    return sorted(path.name for path in (folder / "spool").iterdir())


async def test_deliveries_come_back_in_order_with_all_but_their_tokens(spool: DiskSpool) -> None:
    sent = [
        delivery(b"\x00\xff", token=7, qos=0, retain=True, dup=True, received=NOW),
        delivery("", topic="příliš/žluťoučký", token=8, received=NOW + 1),
        delivery("x", topic="broken/\udcff", token=9, received=NOW + 2),
    ]
    await spool.append(sent[:2])
    await spool.append(sent[2:])
    assert await drain(spool) == [
        delivery(b"\x00\xff", token=0, qos=0, retain=True, dup=True, received=NOW),
        delivery("", topic="příliš/žluťoučký", token=0, received=NOW + 1),
        delivery("x", topic="broken/\udcff", token=0, received=NOW + 2),
    ]


async def test_what_was_appended_together_is_handed_out_together(spool: DiskSpool) -> None:
    await spool.append(deliveries(0, 3))
    await spool.append(deliveries(3, 2))
    first = await spool.next(BEGINNING)
    assert first is not None
    second = await spool.next(first.position)
    assert second is not None
    assert (len(first.deliveries), len(second.deliveries)) == (3, 2)
    assert await spool.next(second.position) is None


async def test_asking_twice_gives_the_same_and_counts_once(spool: DiskSpool) -> None:
    """A batch that the store refuses again is asked for again."""
    await spool.append(deliveries(0, 3))
    assert await spool.next(BEGINNING) == await spool.next(BEGINNING)
    batch = await spool.next(BEGINNING)
    assert batch is not None
    await spool.done(batch.position)
    assert spool.state() == SpoolState()


async def test_a_large_batch_is_cut_into_frames_that_drain_one_by_one(tmp_path: Path) -> None:
    spool = DiskSpool(tmp_path / "spool", SMALL, frame_bytes=1000)
    await spool.open(BEGINNING)
    sent = [*deliveries(0, 50), *deliveries(50, 1, size=5000), *deliveries(51, 5)]
    await spool.append(sent)
    first = await spool.next(BEGINNING)
    assert first is not None
    assert 1 < len(first.deliveries) < 20
    assert await drain(spool) == sent
    await spool.close()


async def test_state_is_exact_while_draining_and_after_a_restart(tmp_path: Path) -> None:
    """Messages, bytes and the oldest arrival, at every step, as a fresh spool on the same files counts them."""
    spool = DiskSpool(tmp_path / "spool", SMALL)
    await spool.open(BEGINNING)
    for i in range(30):
        await spool.append(deliveries(10 * i, 10))
    after, left = BEGINNING, 300
    while (batch := await spool.next(after)) is not None:
        assert spool.state().messages == left
        assert spool.state().oldest == NOW + 300 - left
        after, left = batch.position, left - len(batch.deliveries)
        await spool.done(after)
        if left % 70 == 0:
            before = spool.state()
            await spool.close()
            spool = DiskSpool(tmp_path / "spool", SMALL)
            assert await spool.open(after) == before
    assert (left, spool.state()) == (0, SpoolState())
    await spool.close()


async def test_bytes_tell_what_waits_on_disk(tmp_path: Path, spool: DiskSpool) -> None:
    await spool.append(deliveries(0, 10))
    [path] = (tmp_path / "spool").iterdir()
    assert spool.state().bytes == path.stat().st_size - 24  # beside the header of the file


async def test_segments_go_only_when_the_journal_has_passed_them(tmp_path: Path, spool: DiskSpool) -> None:
    for i in range(20):
        await spool.append(deliveries(10 * i, 10))
    all_files = files(tmp_path)
    assert len(all_files) > 2
    after, positions = BEGINNING, []
    while (batch := await spool.next(after)) is not None:
        after = batch.position
        positions.append(after)
    assert files(tmp_path) == all_files
    for position in positions[:-1]:
        await spool.done(position)
        assert files(tmp_path)[0] == f"{position.segment:08}.seg"
    await spool.done(positions[-1])
    assert files(tmp_path) == []


async def test_a_number_is_never_used_twice(tmp_path: Path, spool: DiskSpool) -> None:
    """Else a cursor from before would make the spool skip messages that it never handed out."""
    await spool.append(deliveries(0, 1))
    batch = await spool.next(BEGINNING)
    assert batch is not None
    await spool.done(batch.position)
    await spool.close()
    again = DiskSpool(tmp_path / "spool", SMALL)
    assert await again.open(batch.position) == SpoolState()
    await again.append(deliveries(1, 1))
    assert await drain(again, batch.position) == deliveries(1, 1)
    await again.close()


@pytest.mark.parametrize(
    ("cursor", "expected"),
    [
        (SpoolPosition(0, 0), range(100)),
        (SpoolPosition(1, 24), range(100)),
        (SpoolPosition(1, 25), range(100)),
        (SpoolPosition(1, 1 << 30), range(100)),
        (SpoolPosition(99, 640), range(100)),
    ],
    ids=["a new journal", "the very beginning", "no frame starts there", "behind the file", "a segment that is gone"],
)
async def test_a_cursor_that_does_not_fit_begins_too_early_never_too_late(
    tmp_path: Path, cursor: SpoolPosition, expected: range
) -> None:
    """Journal or spool came from a backup: what was stored already comes out as duplicate, nothing is left out."""
    spool = DiskSpool(tmp_path / "spool", SMALL)
    await spool.open(BEGINNING)
    for i in range(10):
        await spool.append(deliveries(10 * i, 10))
    await spool.close()
    spool = DiskSpool(tmp_path / "spool", SMALL)
    state = await spool.open(cursor)
    assert state.messages == len(expected)
    await spool.append(deliveries(100, 1))
    assert await drain(spool, cursor) == deliveries(expected.start, len(expected) + 1)
    assert spool.state() == SpoolState()
    await spool.close()


async def test_full_means_wait_and_draining_makes_room(tmp_path: Path) -> None:
    spool = DiskSpool(tmp_path / "spool", SegmentLimits(segment_bytes=4096, max_bytes=8192, min_free_bytes=0))
    await spool.open(BEGINNING)
    kept = await fill(spool)
    with pytest.raises(Retry, match="is full"):
        await spool.append(deliveries(0, 10))
    assert spool.state().messages == len(kept) > 0
    assert sum(path.stat().st_size for path in (tmp_path / "spool").iterdir()) <= 8192
    assert await drain(spool) == kept
    await spool.append(deliveries(0, 10))
    assert spool.state().messages == 10
    await spool.close()


async def test_a_damaged_frame_costs_only_the_rest_of_its_segment(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    spool = DiskSpool(tmp_path / "spool", SMALL)
    await spool.open(BEGINNING)
    for i in range(30):
        await spool.append(deliveries(10 * i, 10))
    await spool.close()
    first, *_ = sorted((tmp_path / "spool").iterdir())
    content = bytearray(first.read_bytes())
    content[len(content) // 2] ^= 1
    first.write_bytes(content)
    spool = DiskSpool(tmp_path / "spool", SMALL)
    state = await spool.open(BEGINNING)
    found = await drain(spool)
    assert state.messages == len(found)
    numbers = [int(d.payload) for d in found]
    assert numbers == sorted(numbers)
    missing = sorted(set(range(300)) - set(numbers))
    assert missing == list(range(missing[0], missing[-1] + 1))
    assert 0 < missing[0] < missing[-1] < 299
    assert files(tmp_path) == ["00000001.damaged"]
    assert spool.damaged() == ["00000001.damaged"]
    assert [record.levelname for record in caplog.records] == ["ERROR"]
    await spool.close()


async def test_damage_after_it_was_counted_leaves_nothing_waiting_for_ever(tmp_path: Path, spool: DiskSpool) -> None:
    """A disk that rots under a running hub: the count is put right, and what comes then is drained."""
    await spool.append(deliveries(0, 10))
    [path] = (tmp_path / "spool").iterdir()
    content = bytearray(path.read_bytes())
    content[60] ^= 1
    path.write_bytes(content)
    assert await spool.next(BEGINNING) is None
    assert spool.state() == SpoolState()
    await spool.append(deliveries(10, 10))
    assert await drain(spool) == deliveries(10, 10)


async def test_with_the_cursor_in_the_journal_every_message_is_drained_once(tmp_path: Path) -> None:
    """Killed after any step of a drain, the next start goes on exactly behind the last committed batch."""
    sent = deliveries(0, 200)
    drained: list[Delivery] = []
    for life in range(40):
        journal, spool = SqliteJournal(tmp_path / "ingest-0.db"), DiskSpool(tmp_path / "spool", SMALL)
        done = (await journal.progress()).spool
        await spool.open(done)
        if life < 20:
            await spool.append(sent[10 * life : 10 * life + 10])
        batch = await spool.next(done)
        if batch is not None and life % 3:  # every third one is cut off between store and journal
            await journal.commit(JournalBatch(spool=batch.position))
            drained += batch.deliveries
            if life % 2:  # half of the others between journal and `done`
                await spool.done(batch.position)
        await spool.close()
        await journal.close()
    assert drained == sent


class SpoolMachine(RuleBasedStateMachine):
    """Spool and journal's cursor against a list: any order of appends, drains, commits, crashes and lost tails."""

    def __init__(self) -> None:
        super().__init__()
        self.loop = asyncio.new_event_loop()
        self.home = tempfile.TemporaryDirectory()
        self.waiting: list[list[Delivery]] = []  # by frame, as the journal knows it
        self.cursor = self.next_after = BEGINNING
        self.handed: list[tuple[SpoolPosition, list[Delivery]]] = []
        self.sent = 0
        self.start()

    def run(self, work: Coroutine[object, object, T]) -> T:
        return self.loop.run_until_complete(work)

    def start(self) -> None:
        self.spool = DiskSpool(
            Path(self.home.name), SegmentLimits(segment_bytes=4096, max_bytes=20_000, min_free_bytes=0), frame_bytes=999
        )
        self.run(self.spool.open(self.cursor))
        self.next_after, self.handed = self.cursor, []

    @rule(count=st.integers(1, 40), size=st.integers(8, 200))
    def append(self, count: int, size: int) -> None:
        batch = deliveries(self.sent, count, size)
        try:
            self.run(self.spool.append(batch))
        except Retry:
            return
        self.sent += count
        self.waiting.append(batch)

    @rule()
    def take(self) -> None:
        batch = self.run(self.spool.next(self.next_after))
        if batch is None:
            assert sum(len(found) for _, found in self.handed) == sum(map(len, self.waiting))
            return
        self.next_after = batch.position
        self.handed.append((batch.position, list(batch.deliveries)))
        taken = [d for _, found in self.handed for d in found]
        assert taken == [d for frame in self.waiting for d in frame][: len(taken)]

    @precondition(lambda self: self.handed)
    @rule(finish=st.booleans())
    def commit(self, finish: bool) -> None:
        """The journal commits a batch; then `done` comes, or a crash does."""
        self.cursor, found = self.handed.pop(0)
        rest = [d for batch in self.waiting for d in batch][len(found) :]
        self.waiting = [rest] if rest else []
        if finish:
            self.run(self.spool.done(self.cursor))
        else:
            self.crash(torn=0)

    @rule(torn=st.integers(0, 300))
    def crash(self, torn: int) -> None:
        """`torn` bytes of an append that never returned stand behind the end of the newest file."""
        self.run(self.spool.close())
        newest = max(Path(self.home.name).glob("*.seg"), default=None)
        if newest is not None and torn:
            with newest.open("ab") as file:
                file.write(random.Random(torn).randbytes(torn))
        self.start()

    @invariant()
    def state_is_exact(self) -> None:
        messages, size, oldest = self.spool.state()
        left = [d for batch in self.waiting for d in batch]
        assert (messages, oldest) == (len(left), left[0].received if left else None)
        assert (size > 0) == bool(left)

    def teardown(self) -> None:
        self.run(self.spool.close())
        self.loop.close()
        self.home.cleanup()


TestSpoolMachine = SpoolMachine.TestCase
TestSpoolMachine.settings = settings(max_examples=60, stateful_step_count=40, deadline=None)
