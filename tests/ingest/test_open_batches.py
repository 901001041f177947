# SPDX-License-Identifier: EUPL-1.2
"""Notes of open batches: what a start finds of them, whatever a kill left; and what the journal keeps of it."""

import logging
import resource
from pathlib import Path

import pytest

from hub.core.errors import Retry
from hub.core.journal import JournalBatch, OpenBatch, Progress, SpoolPosition
from hub.ingest.journal import SqliteJournal
from hub.ingest.journal_reader import SqliteJournalReader
from hub.ingest.open_batches import OpenBatches, recover
from tests.ingest.conftest import NOW, Bench, delivery

HOUR = NOW - NOW % 3_600_000_000_000


def batch(number: int, *, readings: int = 5, touches: int = 2, spool: SpoolPosition | None = None) -> OpenBatch:
    """Batch `number` with so many touches."""
    touched = [(f"air-{i}", "pm10", HOUR) for i in range(touches)]
    devices = {device: readings for device, *_ in touched}
    return OpenBatch(
        number=number, started=NOW, messages=3, readings=readings, touches=touched, devices=devices, spool=spool
    )


class Killed(BaseException):
    """The process dies here."""


class DyingJournal:
    """A journal whose process is killed right after commit number `commits`."""

    def __init__(self, journal: SqliteJournal, commits: int) -> None:
        self._journal = journal
        self._left = commits
        self.progress = journal.progress

    async def commit(self, batch: JournalBatch) -> None:
        await self._journal.commit(batch)
        self._left -= 1
        if not self._left:
            raise Killed


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "ingest-0.open"


def numbers(path: Path, progress: Progress) -> list[int]:
    """What a new start finds."""
    return [note.number for note in OpenBatches(path).left(progress)]


def test_nothing_noted_is_nothing_left(path: Path) -> None:
    assert OpenBatches(path).left(Progress()) == []


def test_a_note_is_read_back_as_it_was_written(path: Path) -> None:
    noted = [batch(7), batch(8, spool=SpoolPosition(3, 4096))]
    notes = OpenBatches(path)
    for one in noted:
        notes.note(one)
    assert OpenBatches(path).left(Progress(6)) == noted


def test_what_the_journal_has_committed_is_not_open(path: Path) -> None:
    notes = OpenBatches(path)
    for number in range(1, 101):
        notes.note(batch(number))
    assert [numbers(path, Progress(done)) for done in (97, 98, 99, 100)] == [[98, 99, 100], [99, 100], [100], []]


def test_four_notes_may_follow_an_open_one(path: Path) -> None:
    """Three batches are under way: the newest of them may be noted first, and two more begin before it is done."""
    notes = OpenBatches(path)
    for number in (3, 1, 2, 4, 5):
        notes.note(batch(number))
    assert numbers(path, Progress(2)) == [3, 4, 5]


def test_what_came_out_of_the_spool_is_open_until_the_journal_has_its_position(path: Path) -> None:
    notes = OpenBatches(path)
    notes.note(batch(5))
    for number in range(6, 40):
        notes.note(batch(number, spool=SpoolPosition(1, 100 * number)))
    assert numbers(path, Progress(4, SpoolPosition(1, 3800))) == [5, 39]
    assert numbers(path, Progress(5, SpoolPosition(1, 3900))) == []


def test_a_redriven_page_is_open_until_it_is_written_off(path: Path) -> None:
    notes = OpenBatches(path)
    notes.note(batch(0))
    assert numbers(path, Progress(1000)) == [0]
    notes.note(batch(0, readings=0))
    assert numbers(path, Progress(1000)) == []


def test_a_long_note_gives_its_room_back(path: Path) -> None:
    notes = OpenBatches(path)
    for number in range(1, 17):
        notes.note(batch(number, touches=500_000 if number == 1 else 1))
    files = list(path.parent.glob("ingest-0.open-*"))
    assert len(files) == 8
    assert max(file.stat().st_size for file in files) < 1000
    assert numbers(path, Progress(14)) == [15, 16]


DAMAGE = {
    "a flipped bit": lambda frame: frame[:-1] + bytes([frame[-1] ^ 1]),
    "cut in the body": lambda frame: frame[: len(frame) // 2],
    "cut in the header": lambda frame: frame[:7],
    "zeros": lambda frame: bytes(len(frame)),
    "foreign": lambda frame: b"something else" * 20,
    "a length of all bits": lambda frame: frame[:8] + b"\xff" * 8 + frame[16:],
}


@pytest.mark.parametrize("damage", DAMAGE.values(), ids=DAMAGE)
def test_a_torn_note_is_left_out_and_said(path: Path, damage: object, caplog: pytest.LogCaptureFixture) -> None:
    OpenBatches(path).note(batch(7))
    [file] = path.parent.glob("ingest-0.open-*")
    whole = file.read_bytes()
    file.write_bytes(damage(whole))
    assert numbers(path, Progress()) == []
    assert [record.levelno for record in caplog.records] == [logging.WARNING]
    file.write_bytes(whole)
    assert numbers(path, Progress()) == [7]


def test_no_kill_while_it_is_written_makes_a_note_of_two(path: Path) -> None:
    """A short note over a long one, cut at any byte: the old one, the new one, or none."""
    OpenBatches(path).note(batch(7, touches=9))
    [file] = path.parent.glob("ingest-0.open-*")
    old = file.read_bytes()
    file.unlink()
    OpenBatches(path).note(batch(8, touches=1))
    new = file.read_bytes()
    found = []
    for cut in range(len(new) + 1):
        file.write_bytes(new[:cut] + old[cut:])
        found.append(numbers(path, Progress()))
    assert (found[0], found[-1]) == ([7], [8])
    assert all(some in ([7], [], [8]) for some in found)


def test_a_disk_that_does_not_take_it_is_a_retry_that_names_the_file(path: Path) -> None:
    with pytest.raises(Retry, match=r"missing/ingest-0\.open-1: No such file"):
        OpenBatches(path.parent / "missing" / "ingest-0.open").note(batch(1))


def test_a_note_that_keeps_failing_leaves_the_other_open_notes_alone(path: Path) -> None:
    """What a disk takes of it lies in a note that is done with, however often it is tried."""
    notes = OpenBatches(path)
    for number in range(1, 10):
        notes.note(batch(number))
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (200, before[1]))
    try:
        for _ in range(20):
            with pytest.raises(Retry):
                notes.note(batch(10, touches=100))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert numbers(path, Progress(6)) == [7, 8, 9]
    notes.note(batch(10))
    assert numbers(path, Progress(6)) == [7, 8, 9, 10]


def test_notes_hold_no_descriptors_after_close(path: Path) -> None:
    before = len(list(Path("/proc/self/fd").iterdir()))
    notes = OpenBatches(path)
    for number in range(20):
        notes.note(batch(number))
    notes.close()
    assert len(list(Path("/proc/self/fd").iterdir())) == before


async def test_what_was_cut_off_is_journalled_once_with_its_touches(
    tmp_path: Path, path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    notes = OpenBatches(path)
    for one in (batch(4), batch(5), batch(6), batch(7, spool=SpoolPosition(1, 64)), batch(0)):
        notes.note(one)
    journal = SqliteJournal(tmp_path / "ingest-0.db")
    await journal.commit(JournalBatch(number=4))
    assert [one.number for one in await recover(OpenBatches(path), journal)] == [8, 5, 6, 7]
    reader = SqliteJournalReader(tmp_path / "ingest-0.db")
    assert [(one.number, one.started, one.messages, one.readings) for one in reader.open_batches()] == [
        (number, NOW, 3, 5) for number in (5, 6, 7, 8)
    ]
    assert {touch.device for touch in reader.touches(0, 100)[0]} == {"air-0", "air-1"}
    assert (await journal.progress()).batch == 8
    assert len([record for record in caplog.records if "cut off" in record.getMessage()]) == 4
    await recover(OpenBatches(path), journal)
    assert len(reader.open_batches()) == 4
    reader.close()
    await journal.close()


@pytest.mark.parametrize("kills", [[1, 1, 1], [2, 1], [3]], ids=str)
async def test_a_page_being_redriven_is_recorded_once_when_recovery_is_cut_off_too(
    tmp_path: Path, path: Path, kills: list[int]
) -> None:
    """Killed after so many commits of a recovery, and then of the next; in the end before the note is written off."""
    notes = OpenBatches(path)
    for one in (batch(4), batch(5), batch(0)):
        notes.note(one)
    journal = SqliteJournal(tmp_path / "ingest-0.db")
    for commits in kills:
        with pytest.raises(Killed):
            await recover(OpenBatches(path), DyingJournal(journal, commits))
    await recover(OpenBatches(path), journal)
    reader = SqliteJournalReader(tmp_path / "ingest-0.db")
    assert [one.number for one in reader.open_batches()] == [4, 5, 6]
    assert numbers(path, await journal.progress()) == []
    reader.close()
    await journal.close()


async def test_a_page_redriven_after_a_recovery_is_noted_as_ever(tmp_path: Path, path: Path) -> None:
    notes = OpenBatches(path)
    notes.note(batch(0))
    journal = SqliteJournal(tmp_path / "ingest-0.db")
    await recover(notes, journal)
    notes.note(batch(0, readings=3))
    assert [one.readings for one in OpenBatches(path).left(await journal.progress())] == [3]
    await recover(OpenBatches(path), journal)
    assert numbers(path, await journal.progress()) == []
    await journal.close()


async def test_the_pipeline_notes_what_goes_to_the_store_and_nothing_else(bench: Bench, path: Path) -> None:
    noted: list[OpenBatch] = []
    await bench.restart(note=noted.append)
    good = '{"time": "2026-11-23T11:50:00Z", "readings": {"pm10": 1, "no2": 2}}'
    await bench.pipeline.take([delivery("not json")])
    await bench.pipeline.take([delivery(good), delivery(good)])
    [one] = noted
    assert (one.started, one.messages, one.readings) == (NOW, 2, 4)
    assert [touch[1] for touch in one.touches] == ["pm10 no2"]
    assert one.devices == {"air-1": 4}
    assert (await bench.journal.progress()).batch == one.number
