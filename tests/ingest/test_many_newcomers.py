# SPDX-License-Identifier: EUPL-1.2
"""Newcomers of a quarantine that has filled up, and events of many devices at once."""

import sqlite3
from pathlib import Path

from hub.core.journal import EventRecord, JournalBatch
from hub.ingest.journal import SqliteJournal
from hub.ingest.journal_reader import SqliteJournalReader

MESSAGES, SENDERS = 100_000, 1_000
_INSERT = (
    "INSERT INTO quarantine (received, topic, reason, detail, connector, external_id, device, scope, conflicts, "
    "rejects, retain, state, attempts, size, segment, offset, sample) "
    "VALUES (?, 't', 'unknown_device', '', 'c', ?, '', 'message', 0, 0, 0, 'waiting', 0, 0, 0, 0, NULL)"
)


async def test_a_hundred_thousand_messages_are_counted_by_sender(tmp_path: Path) -> None:
    journal, reader = SqliteJournal(tmp_path / "ingest-0.db"), SqliteJournalReader(tmp_path / "ingest-0.db")
    await journal.commit(JournalBatch())
    with sqlite3.connect(tmp_path / "ingest-0.db") as connection:
        connection.executemany(_INSERT, ((i, f"n{i % SENDERS}") for i in range(1, MESSAGES + 1)))
    connection.close()
    found = reader.newcomers(SENDERS + 1)
    assert len(found) == SENDERS
    assert {row.waiting for row in found} == {MESSAGES // SENDERS}
    assert (found[0].external_id, found[0].last) == ("n0", MESSAGES)
    reader.close()
    await journal.close()


async def test_the_last_events_of_several_devices_come_at_once(tmp_path: Path) -> None:
    journal, reader = SqliteJournal(tmp_path / "ingest-0.db"), SqliteJournalReader(tmp_path / "ingest-0.db")
    events = [
        EventRecord(
            device=f"d{i % 3}",
            connector="c",
            external_id="x",
            kind="k",
            level="info",
            reason="r",
            text="",
            time=i,
            received=i,
        )
        for i in range(9)
    ]
    await journal.commit(JournalBatch(events=events))
    found = reader.events_of(["d0", "d1", "nobody"], 2)
    assert {name: [event.time for event in rows] for name, rows in found.items()} == {"d0": [6, 3], "d1": [7, 4]}
    reader.close()
    await journal.close()
