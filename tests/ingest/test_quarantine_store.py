# SPDX-License-Identifier: EUPL-1.2
"""Payloads of quarantined messages in their segments: kept, found by place, erased for good, moved from old files."""

import sqlite3
from collections.abc import AsyncIterator
from contextlib import closing
from pathlib import Path

import pytest
from msgspec.structs import replace

from hub.core.errors import Reject, Retry, SchemaTooNew, Stop
from hub.core.journal import AccountKey, Counts, JournalBatch, Quarantined, Refusal, SpoolPosition
from hub.core.ports import QuarantineFilter
from hub.core.readings import NS
from hub.ingest._schema import open_writer
from hub.ingest.journal import ROWS_KEPT, SqliteJournal
from hub.ingest.journal_reader import SqliteJournalReader
from hub.ingest.quarantine_store import QuarantineStore, payload_folder
from hub.ingest.segments import SegmentLog
from tests.ingest.conftest import NOW
from tests.ingest.schema_1 import SCHEMA as SCHEMA_1
from tests.ingest.test_quota import row

DAY = 86_400 * NS
ANY = QuarantineFilter(state=None)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "ingest-0.db"


@pytest.fixture
async def journal(file: Path) -> AsyncIterator[SqliteJournal]:
    made = SqliteJournal(file)
    yield made
    await made.close()


@pytest.fixture
def reader(file: Path) -> SqliteJournalReader:
    return SqliteJournalReader(file)


def on_disk(file: Path) -> bytes:
    """Every byte that the journal's files hold."""
    folder = payload_folder(file)
    return b"".join(path.read_bytes() for path in [*file.parent.glob("ingest-0.db*"), *folder.glob("*")])


async def put(journal: SqliteJournal, *rows: Quarantined) -> None:
    accounts = {AccountKey(0, "native", ""): Counts(received=len(rows), quarantined=len(rows))}
    await journal.commit(JournalBatch(quarantined=rows, accounts=accounts))


def shown(reader: SqliteJournalReader, where: QuarantineFilter = ANY) -> list[tuple[int, str, bytes]]:
    return [(found.id, found.state, found.payload) for found in reader.quarantine(where)]


PAYLOADS = [b"{}", bytes(range(256)) * 40, b"", b"\0", "žluťoučký".encode()]


async def test_payloads_of_any_kind_come_back_after_a_restart(file: Path) -> None:
    journal = SqliteJournal(file)
    await put(journal, *[row(payload=payload) for payload in PAYLOADS])
    await journal.close()
    journal = SqliteJournal(file)
    waiting = await journal.waiting(QuarantineFilter(), 0, 10)
    assert [(found.payload, found.size) for found in waiting] == [(p, len(p)) for p in PAYLOADS]
    await put(journal, row(payload=b"after"))
    reader = SqliteJournalReader(file)
    [newest] = reader.quarantine(QuarantineFilter(ids=[6]))
    assert newest.payload == b"after"
    reader.close()
    await journal.close()


async def test_payloads_lie_outside_the_database_and_lists_show_their_beginning(
    file: Path, journal: SqliteJournal, reader: SqliteJournalReader
) -> None:
    await put(journal, row(payload=b"personal" * 1000))
    assert b"personal" not in b"".join(path.read_bytes() for path in file.parent.glob("ingest-0.db*"))
    assert [len(found.payload) for found in reader.quarantine(ANY)] == [2048]
    assert [len(found.payload) for found in reader.quarantine(QuarantineFilter(ids=[1]))] == [8000]
    reader.close()


FILTERS = [
    (QuarantineFilter(), [5, 4, 3, 2, 1]),
    (QuarantineFilter(device="air-1"), [2]),
    (QuarantineFilter(topic="devices/b/readings"), [3]),
    (QuarantineFilter(topic="devices/#"), [4, 3]),
    (QuarantineFilter(topic="devices/%"), []),
    (QuarantineFilter(since=NOW + 3), [5, 4]),
    (QuarantineFilter(until=NOW + 3), [3, 2, 1]),
    (QuarantineFilter(since=NOW + 1, until=NOW + 2, connector="native"), [2]),
    (QuarantineFilter(external_id="new-2"), [5]),
    (QuarantineFilter(external_id="new-3"), [5]),
    (QuarantineFilter(ids=[1, 4], reason="unknown_device"), [4, 1]),
    (QuarantineFilter(state="purged"), []),
]


@pytest.mark.parametrize(("where", "ids"), FILTERS, ids=[str(i) for i in range(len(FILTERS))])
async def test_filters(
    journal: SqliteJournal, reader: SqliteJournalReader, where: QuarantineFilter, ids: list[int]
) -> None:
    changes: list[dict[str, object]] = [
        {},
        {"device": "air-1"},
        {"topic": "devices/b/readings"},
        {"topic": "devices/c"},
        {"external_id": "new-2", "others": ["new-3"]},
    ]
    rows = [replace(row(), received=NOW + n, **change) for n, change in enumerate(changes)]
    await put(journal, *rows)
    assert [found.id for found in reader.quarantine(where)] == ids
    assert reader.count(where) == len(ids)
    reader.close()


async def test_a_purged_payload_is_gone_from_the_disk_and_who_and_why_are_kept(
    file: Path, journal: SqliteJournal, reader: SqliteJournalReader
) -> None:
    await put(journal, row("a", payload=b"SECRET-A"), row("b", payload=b"KEPT-B"), row("a", payload=b"SECRET-C"))
    assert await journal.purge(QuarantineFilter(external_id="a"), "personal data", "dana", NOW + 5) == 2
    assert await journal.purge(QuarantineFilter(external_id="a"), "again", "jan", NOW + 9) == 0
    assert shown(reader) == [(3, "purged", b""), (2, "waiting", b"KEPT-B"), (1, "purged", b"")]
    [found] = reader.quarantine(QuarantineFilter(state=None, ids=[1]))
    assert (found.why, found.by, found.changed, found.size) == ("personal data", "dana", NOW + 5, 8)
    assert (b"SECRET" in on_disk(file), b"KEPT-B" in on_disk(file)) == (False, True)
    assert reader.set_aside() == {("native", ""): 3}
    reader.close()


async def test_a_purge_of_all_removes_whole_segments_and_the_next_message_finds_room(
    file: Path, journal: SqliteJournal, reader: SqliteJournalReader
) -> None:
    await put(journal, *[row(payload=b"x" * 900) for _ in range(1200)])
    assert await journal.purge(QuarantineFilter(connector="native"), "flood", "dana", NOW) == 1200
    assert list(payload_folder(file).glob("*.seg")) == []
    await put(journal, row(payload=b"new"))
    assert shown(reader, QuarantineFilter()) == [(1201, "waiting", b"new")]
    reader.close()


async def test_bytes_that_a_crash_left_are_erased_by_the_next_round(file: Path) -> None:
    """The rows are purged, and the process dies before the bytes are erased."""
    journal = SqliteJournal(file)
    await put(journal, row("a", payload=b"SECRET"), row("b", payload=b"KEPT"))
    await journal.close()
    with closing(sqlite3.connect(file)) as connection, connection:
        connection.execute("INSERT INTO erasure SELECT segment, offset FROM quarantine WHERE id = 1")
        connection.execute("UPDATE quarantine SET state = 'purged', segment = 0, offset = 0 WHERE id = 1")
    assert b"SECRET" in on_disk(file)
    journal = SqliteJournal(file)
    await journal.retain(NOW, DAY, 1 << 30)
    assert (b"SECRET" in on_disk(file), b"KEPT" in on_disk(file)) == (False, True)
    await journal.close()


async def test_an_erasure_left_over_by_a_crash_does_not_erase_a_later_payload(file: Path) -> None:
    """The process dies when the segment is gone and its erasure is not written off; messages come before the rest."""
    journal = SqliteJournal(file)
    await put(journal, row(payload=b"SECRET"))
    await journal.close()
    with closing(sqlite3.connect(file)) as connection, connection:
        connection.execute("INSERT INTO erasure SELECT segment, offset FROM quarantine")
        connection.execute("UPDATE quarantine SET state = 'purged', segment = 0, offset = 0")
    for segment in payload_folder(file).glob("*.seg"):
        segment.unlink()
    journal = SqliteJournal(file)
    await put(journal, row(payload=b"later"))
    await journal.erase()
    assert [found.payload for found in await journal.waiting(QuarantineFilter(), 0, 10)] == [b"later"]
    await journal.close()


class Unerasable(SegmentLog):
    """A log on a disk that does not remove segments now."""

    def drop(self, segment: int) -> None:
        raise Retry(f"segment {segment} cannot be removed now")


async def test_a_segment_that_could_not_be_removed_is_removed_by_the_next_round(file: Path) -> None:
    """What is to be erased is not forgotten before its segment is gone, and a message that comes later keeps it not."""
    journal = SqliteJournal(file)
    await put(journal, row(payload=b"SECRET"))
    await journal.close()
    with closing(open_writer(file, {})) as connection, closing(Unerasable(payload_folder(file))) as log:
        store = QuarantineStore(connection, log)
        assert store.purge(ANY, 1, "personal data", "dana", NOW, 10) == 1
        with pytest.raises(Retry):
            store.erase(10)
    journal = SqliteJournal(file)
    await put(journal, row(payload=b"later"))
    await journal.erase()
    assert (b"SECRET" in on_disk(file), b"later" in on_disk(file)) == (False, True)
    await journal.close()


def test_a_segment_with_something_to_erase_is_left_to_the_erasure(file: Path) -> None:
    with closing(open_writer(file, {})) as connection, closing(SegmentLog(payload_folder(file))) as log:
        store = QuarantineStore(connection, log)
        [place, _] = log.append([b"SECRET", b"orphan"])
        connection.execute("INSERT INTO erasure VALUES (?, ?)", place)
        store.sweep()
        assert log.segments() == [place.segment]
        assert store.erase(10) == 0
        assert log.segments() == []


async def test_a_commit_that_is_repeated_appends_its_payloads_once_whatever_comes_between(
    file: Path, journal: SqliteJournal
) -> None:
    live = JournalBatch(quarantined=[row(payload=b"LIVE")])
    with closing(sqlite3.connect(file)) as other:
        other.execute("CREATE TRIGGER busy BEFORE INSERT ON quarantine BEGIN SELECT raise(ABORT, 'busy'); END")
        with pytest.raises(Stop):
            await journal.commit(live)
        other.execute("DROP TRIGGER busy")
    await put(journal, row(payload=b"DRAINED"))
    await journal.commit(live)
    assert on_disk(file).count(b"LIVE") == 1
    assert await journal.purge(QuarantineFilter(ids=[2]), "personal data", "dana", NOW) == 1
    assert (b"LIVE" in on_disk(file), b"DRAINED" in on_disk(file)) == (False, True)


async def test_payloads_of_a_batch_that_cannot_be_recorded_are_erased(file: Path, journal: SqliteJournal) -> None:
    """Ingest halves such a batch: its halves come with their own copies."""
    await put(journal, row(payload=b"before"))
    with pytest.raises(Reject):
        await journal.commit(JournalBatch(quarantined=[row(payload=b"COPY"), row(attempts=1 << 70)]))
    await put(journal, row(payload=b"KEPT"))
    await journal.erase()
    assert (b"COPY" in on_disk(file), b"KEPT" in on_disk(file), b"before" in on_disk(file)) == (False, True, True)


async def test_orphans_of_a_crash_between_payload_and_transaction_go_with_their_segment(file: Path) -> None:
    journal = SqliteJournal(file)
    await put(journal, row(payload=b"ORPHAN"))
    await journal.close()
    with closing(sqlite3.connect(file)) as connection, connection:
        connection.execute("DELETE FROM quarantine")
    journal = SqliteJournal(file)
    assert await journal.waiting(QuarantineFilter(), 0, 10) == []
    await journal.retain(NOW, DAY, 1 << 30)
    assert b"ORPHAN" not in on_disk(file)
    await journal.close()


async def test_a_payload_that_is_lost_is_told_and_does_not_stop_the_others(
    file: Path, journal: SqliteJournal, reader: SqliteJournalReader, caplog: pytest.LogCaptureFixture
) -> None:
    await put(journal, row("a", payload=b"lost"))
    await put(journal, row("b", payload=b"there"))
    with closing(sqlite3.connect(file)) as connection, connection:
        connection.execute("UPDATE quarantine SET segment = 77 WHERE id = 1")
    assert "00000077.seg" in reader.quarantine(QuarantineFilter(ids=[1]))[0].why
    assert [found.payload for found in await journal.waiting(QuarantineFilter(), 0, 1)] == [b"there"]
    assert [record.message for record in caplog.records if record.levelname == "ERROR"] == [
        "payload of a quarantined message is lost: it cannot be redriven"
    ]
    assert [found[:2] for found in shown(reader)] == [(2, "waiting"), (1, "purged")]
    reader.close()


# retention


async def test_retention_erases_old_payloads_whatever_became_of_them(
    file: Path, journal: SqliteJournal, reader: SqliteJournalReader
) -> None:
    old = [row(payload=f"OLD-{n}".encode(), received=NOW - 31 * DAY) for n in range(3)]
    await put(journal, *old, row(payload=b"YOUNG"))
    await journal.commit(JournalBatch(redriven=[2]))
    assert await journal.retain(NOW, 30 * DAY, 1 << 30) == 3
    assert [found[:2] for found in shown(reader)] == [(4, "waiting"), (3, "purged"), (2, "redriven"), (1, "purged")]
    assert {found.why for found in reader.quarantine(QuarantineFilter(state="purged"))} == {"retention"}
    assert (b"OLD-" in on_disk(file), b"YOUNG" in on_disk(file)) == (False, True)
    reader.close()


async def test_rows_are_forgotten_after_a_year_and_their_counts_are_not(
    journal: SqliteJournal, reader: SqliteJournalReader
) -> None:
    rows = [
        row(received=NOW),
        row(received=NOW),
        row(scope="reading", reason="conflict"),
        row(received=NOW + ROWS_KEPT),
    ]
    await put(journal, *rows)
    await journal.commit(JournalBatch(redriven=[1]))
    for later in (NOW + ROWS_KEPT + 1, NOW + ROWS_KEPT + 2):
        await journal.retain(later, 30 * DAY, 1 << 30)
        assert [found.id for found in reader.quarantine(ANY)] == [4]
        assert reader.set_aside() == {("native", ""): 2}
    await put(journal, row())
    assert reader.quarantine(ANY)[0].id == 5
    reader.close()


async def test_payloads_used_already_make_room_before_what_waits_is_refused(
    file: Path, journal: SqliteJournal, reader: SqliteJournalReader
) -> None:
    await put(journal, *[row(payload=b"x" * 1000) for _ in range(4)])
    await journal.commit(JournalBatch(redriven=[1, 2, 3, 4]))
    await journal.retain(NOW, 30 * DAY, 1 << 30)
    assert len(shown(reader)[0][2]) == 1000
    await journal.retain(NOW, 30 * DAY, 1000)
    assert {found[1:] for found in shown(reader)} == {("redriven", b"")}
    assert list(payload_folder(file).glob("*.seg")) == []
    reader.close()


def test_there_is_no_limit_to_how_many_small_payloads_make_room(file: Path) -> None:
    """More than SQLite takes arguments of a statement lie in one segment: they go page by page."""
    with closing(open_writer(file, {})) as connection, closing(SegmentLog(payload_folder(file))) as log:
        connection.setlimit(sqlite3.SQLITE_LIMIT_VARIABLE_NUMBER, 40)
        store = QuarantineStore(connection, log)
        batch = JournalBatch(quarantined=[row(payload=b"{}") for _ in range(250)], redriven=range(1, 231))
        store.write(batch, store.stage(batch))
        store.committed(batch)
        assert store.too_much(1 << 20) == 0
        segment = store.too_much(100)
        assert [store.make_room(segment, NOW, 100) for _ in range(4)] == [100, 100, 30, 0]
        assert store.erase(230) == 0
        assert [found.id for found in store.waiting(QuarantineFilter(), 0, 100)] == list(range(231, 251))
        assert store.too_much(100) == 0


async def test_there_is_no_limit_to_how_many_messages_are_named(
    journal: SqliteJournal, reader: SqliteJournalReader
) -> None:
    await put(journal, row(), row())
    where = QuarantineFilter(ids=[*range(2, 100_000), 1 << 80])
    assert [found.id for found in await journal.waiting(where, 0, 10)] == [2]
    assert (reader.count(where), reader.count(QuarantineFilter(ids=[]))) == (1, 0)
    assert await journal.purge(where, "personal data", "dana", NOW) == 1
    reader.close()


# what was refused


def refusal(first: bytes, last: bytes | None, messages: int, at: int = NOW) -> Refusal:
    sample = row(state="refused", payload=first, received=at)
    return Refusal(
        connector="native",
        source="new-1",
        reason="unknown_device",
        messages=messages,
        since=at,
        until=at + 1,
        first=sample,
        last=None if last is None else replace(sample, payload=last),
    )


async def test_the_first_and_the_last_refused_message_are_kept_however_many_there_were(
    file: Path, journal: SqliteJournal, reader: SqliteJournalReader
) -> None:
    await journal.commit(JournalBatch(refusals=[refusal(b"first", None, 1)]))
    assert [found.stands_for for found in reader.quarantine(ANY)] == [1]
    for n in range(50):
        await journal.commit(JournalBatch(refusals=[refusal(b"a%d" % n, b"b%d" % n, 100, NOW + n)]))
    assert shown(reader) == [(2, "refused", b"b49"), (1, "refused", b"first")]
    assert [found.stands_for for found in reader.quarantine(ANY)] == [5000, 1]
    [refused] = reader.refused()
    assert (refused.messages, refused.since, refused.until) == (5001, NOW, NOW + 50)
    assert list(payload_folder(file).glob("*.seg")) == []
    held = await journal.held()
    assert (held.waiting, list(held.refused)) == ([], [refused])
    reader.close()


async def test_purging_what_was_refused_ends_the_alarm(journal: SqliteJournal, reader: SqliteJournalReader) -> None:
    await journal.commit(JournalBatch(refusals=[refusal(b"first", b"last", 7)]))
    assert await journal.purge(QuarantineFilter(state="refused"), "seen", "dana", NOW) == 2
    assert reader.refused() == []
    assert shown(reader) == [(2, "refused", b""), (1, "refused", b"")]
    await journal.commit(JournalBatch(refusals=[refusal(b"next", None, 1)]))
    assert shown(reader)[0] == (3, "refused", b"next")
    reader.close()


async def test_a_refusal_that_goes_on_outlives_its_first_sample(
    journal: SqliteJournal, reader: SqliteJournalReader
) -> None:
    await journal.commit(JournalBatch(refusals=[refusal(b"first", None, 1, NOW - 31 * DAY)]))
    await journal.commit(JournalBatch(refusals=[refusal(b"last", None, 6)]))
    assert await journal.retain(NOW, 30 * DAY, 1 << 30) == 1
    assert [(found.messages, found.until) for found in reader.refused()] == [(7, NOW + 1)]
    await journal.commit(JournalBatch(refusals=[refusal(b"newest", None, 1, NOW + DAY)]))
    assert shown(reader) == [(2, "refused", b"newest"), (1, "refused", b"")]
    assert await journal.retain(NOW + 32 * DAY, 30 * DAY, 1 << 30) == 1
    assert (reader.refused(), shown(reader)[0]) == ([], (2, "refused", b""))
    reader.close()


# older and newer journals


def write_schema_1(file: Path, rows: int = 450) -> None:
    """A journal of the first release with every state of a quarantined message."""
    with closing(sqlite3.connect(file)) as connection:
        connection.execute("PRAGMA journal_mode = WAL")
        connection.executescript(SCHEMA_1 + "PRAGMA user_version = 1;")
        states = ["waiting", "redriven", "refused"]
        connection.executemany(
            "INSERT INTO quarantine "
            "VALUES (?, ?, 't', ?, 'malformed', 'd', 'native', '', '', 'message', 0, 0, 1, ?, 2, ?)",
            [(n, NOW + n, b"PAYLOAD-%d" % n if n % 7 else b"", states[n % 3], 9) for n in range(1, rows + 1)],
        )
        connection.execute("INSERT INTO quarantine_other VALUES (1, 'other')")
        connection.execute("INSERT INTO account VALUES (0, 'native', '', 450, 0, 300, 150, 0, 0, 0, 0, 0, 0, 0)")
        connection.execute("DELETE FROM quarantine WHERE id = ?", (rows,))  # the highest id: it must not be used again
        connection.commit()


async def test_a_journal_of_the_first_release_is_brought_over_with_every_payload(file: Path) -> None:
    write_schema_1(file)
    reader = SqliteJournalReader(file)
    assert (reader.quarantine(ANY), reader.identity()) == ([], 0)  # not ready yet: readers wait for the writer
    journal = SqliteJournal(file)
    assert reader.identity() > 0
    found = reader.quarantine(ANY, limit=1000)
    assert [(r.id, r.payload) for r in reversed(found)] == [
        (n, b"PAYLOAD-%d" % n if n % 7 else b"") for n in range(1, 450)
    ]
    assert {(r.state, r.retain, r.attempts, r.stands_for) for r in found} == {
        (state, True, 2, 1) for state in ("waiting", "redriven", "refused")
    }
    waiting = await journal.waiting(QuarantineFilter(), 0, 1000)
    assert [r.id for r in waiting] == [n for n in range(1, 450) if n % 3 == 0]
    assert reader.count(QuarantineFilter(state=None, external_id="other")) == 1
    assert (await journal.progress()).spool == SpoolPosition()
    await put(journal, row(payload=b"new"))
    assert reader.quarantine(ANY)[0].id == 451
    reader.close()
    await journal.close()
    assert b"PAYLOAD-300" not in file.read_bytes()


async def test_a_crash_in_the_middle_of_bringing_over_leaves_the_old_journal(file: Path) -> None:
    write_schema_1(file)
    with closing(sqlite3.connect(file)) as connection:
        connection.execute("CREATE TABLE refusal (in_the_way)")  # the last but one table that the step makes
        connection.commit()
    with pytest.raises(Exception, match="refusal already exists"):
        SqliteJournal(file)
    with closing(sqlite3.connect(file)) as connection:
        assert connection.execute("PRAGMA user_version").fetchone() == (1,)
        assert connection.execute("SELECT count(*) FROM quarantine WHERE payload IS NOT NULL").fetchone() == (449,)
        connection.execute("DROP TABLE refusal")
        connection.commit()
    journal = SqliteJournal(file)
    assert len(await journal.waiting(QuarantineFilter(), 0, 1000)) == 149
    await journal.close()


def test_a_journal_of_a_later_release_is_refused_by_writer_and_reader(file: Path) -> None:
    with closing(sqlite3.connect(file)) as connection:
        connection.execute("PRAGMA user_version = 4")
    with pytest.raises(SchemaTooNew, match="has schema 4, this release knows 3"):
        SqliteJournal(file)
    with pytest.raises(SchemaTooNew):
        SqliteJournalReader(file).identity()
