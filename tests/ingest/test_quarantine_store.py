# SPDX-License-Identifier: EUPL-1.2
"""Payloads of quarantined messages in their segments: kept, found by place, erased for good, moved from old files."""

import sqlite3
from collections.abc import AsyncIterator
from contextlib import closing
from pathlib import Path

import pytest
from msgspec.structs import replace

from hub.core.errors import SchemaTooNew
from hub.core.journal import AccountKey, Counts, JournalBatch, Quarantined, Refusal, SpoolPosition
from hub.core.ports import QuarantineFilter
from hub.core.readings import NS
from hub.ingest.journal import ROWS_KEPT, SqliteJournal
from hub.ingest.journal_reader import SqliteJournalReader
from hub.ingest.quarantine_store import payload_folder
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
        connection.execute("PRAGMA user_version = 3")
    with pytest.raises(SchemaTooNew, match="has schema 3, this release knows 2"):
        SqliteJournal(file)
    with pytest.raises(SchemaTooNew):
        SqliteJournalReader(file).identity()
