# SPDX-License-Identifier: EUPL-1.2
"""Ingest's own record, written before a batch is acknowledged.

One `commit` is one transaction in one thread: touch log, accounts, quarantine, device events, last-seen times and the
hashes of messages stamped on arrival stand or fall together. What a crash cuts off before the commit was not
acknowledged either, so it comes again.
"""

import asyncio
import sqlite3
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TypeVar

from hub.core.errors import Invalid
from hub.core.journal import JournalBatch, Progress, Quarantined, Repair, SpoolPosition
from hub.core.ports import QuarantineFilter
from hub.ingest._rows import COUNTS, QUARANTINE, quarantined_of, where_of
from hub.ingest._schema import identity_of, newest_of, open_writer, wrapped

T = TypeVar("T")

_ADD_ACCOUNT = (
    f"INSERT INTO account (hour, connector, device, {', '.join(COUNTS)}) "  # noqa: S608 names are our own constants
    f"VALUES (?, ?, ?, {', '.join('?' * len(COUNTS))}) ON CONFLICT DO UPDATE SET "
    + ", ".join(f"{name} = {name} + excluded.{name}" for name in COUNTS)
)
_ADD_REASON = "INSERT INTO reason_count VALUES (?, ?, ?) ON CONFLICT DO UPDATE SET n = n + excluded.n"
_ADD_SEEN = (
    "INSERT INTO seen VALUES (?, ?, ?, ?) ON CONFLICT DO UPDATE SET received = max(received, excluded.received), "
    "time = max(coalesce(time, excluded.time), coalesce(excluded.time, time)), messages = messages + excluded.messages"
)
_ADD_QUARANTINE = (
    f"INSERT INTO quarantine ({', '.join(QUARANTINE[1:])}) "  # noqa: S608 names are our own constants
    f"VALUES ({', '.join('?' * (len(QUARANTINE) - 1))})"
)
_ADD_OTHER = "INSERT OR IGNORE INTO quarantine_other (quarantine, external_id) VALUES (?, ?)"
_ADD_EVENT = (
    "INSERT INTO event (device, connector, external_id, kind, level, reason, text, time, received) "
    "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)"
)
_RETRIED = (
    "UPDATE quarantine SET reason = ?, detail = ?, external_id = ?, device = ?, connector = ?, scope = ?, "
    "conflicts = ?, rejects = ?, attempts = ? WHERE id = ?"
)
_RETRIED_COLUMNS = (
    "reason",
    "detail",
    "external_id",
    "device",
    "connector",
    "scope",
    "conflicts",
    "rejects",
    "attempts",
    "id",
)
_KEEP_REFUSED = 100


class SqliteJournal:
    """The one writer of `ingest-<n>.db`."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._connection = open_writer(path)
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="journal")

    async def recognise(self, cursor: int) -> int:
        """The file's identity; a new one when `cursor`, where its readers stand, is further than it ever was.

        Then an older state of this file was restored: its readers have to look at everything again.
        """

        def work() -> int:
            if cursor > newest_of(self._connection):
                self._connection.execute("UPDATE identity SET id = abs(random() % 4611686018427387903) + 1")
            return identity_of(self._connection)

        return await self._run(work)

    async def commit(self, batch: JournalBatch) -> None:
        """Commit all in one transaction; durable on return."""
        await self._run(lambda: self._transaction(batch))

    async def progress(self) -> Progress:
        """How far the committed batches have come."""

        def work() -> Progress:
            row = self._connection.execute("SELECT batch, segment, offset FROM progress").fetchone()
            return Progress(row[0], SpoolPosition(row[1], row[2]))

        return await self._run(work)

    async def recent_untimed(self, since: int) -> Mapping[bytes, int]:
        """Hashes of messages stamped on arrival since `since` (ns), with the arrival."""
        return await self._run(
            lambda: dict(
                self._connection.execute("SELECT hash, received FROM untimed WHERE received >= ?", (since,)).fetchall()
            )
        )

    async def waiting(self, where: QuarantineFilter, after: int, limit: int) -> Sequence[Quarantined]:
        """Quarantined messages that still wait, with payload, in order of id (from `after`, exclusive)."""
        clause, arguments = where_of(where._replace(state="waiting"))
        sql = f"SELECT {', '.join(QUARANTINE)} FROM quarantine WHERE {clause} AND id > ? ORDER BY id LIMIT ?"  # noqa: S608 clause has placeholders only
        return await self._run(
            lambda: [quarantined_of(row) for row in self._connection.execute(sql, (*arguments, after, limit))]
        )

    async def trim(self, cursor: int, untimed_before: int) -> None:
        """Forget touches up to `cursor`, which every reader has passed, and untimed hashes older than given."""

        def work() -> None:
            if cursor <= newest_of(self._connection):  # else the cursor belongs to another file: read before forgetting
                self._connection.execute("DELETE FROM touch WHERE seq <= ?", (cursor,))
            self._connection.execute("DELETE FROM untimed WHERE received < ?", (untimed_before,))

        await self._run(work)

    async def close(self) -> None:
        """Release the file."""
        await self._run(self._connection.close)
        self._thread.shutdown()

    async def _run(self, work: Callable[[], T]) -> T:
        def guarded() -> T:
            with wrapped(self._path):
                return work()

        return await asyncio.get_running_loop().run_in_executor(self._thread, guarded)

    def _transaction(self, batch: JournalBatch) -> None:
        connection = self._connection
        connection.execute("BEGIN IMMEDIATE")
        try:
            _write(connection, batch)
            connection.execute("COMMIT")
        except BaseException:
            if connection.in_transaction:
                connection.execute("ROLLBACK")
            raise


def _write(connection: sqlite3.Connection, batch: JournalBatch) -> None:
    many = connection.executemany
    many("INSERT INTO touch (device, quantity, hour) VALUES (?, ?, ?)", batch.touches)
    many(_ADD_ACCOUNT, [(*key, *(getattr(n, name) for name in COUNTS)) for key, n in batch.accounts.items()])
    many(_ADD_REASON, [(*key, n) for key, n in batch.reasons.items()])
    for row in batch.quarantined:
        number = connection.execute(_ADD_QUARANTINE, [getattr(row, name) for name in QUARANTINE[1:]]).lastrowid
        many(_ADD_OTHER, [(number, other) for other in row.others])
    many("UPDATE quarantine SET state = 'redriven' WHERE id = ?", [(row,) for row in batch.redriven])
    many("DELETE FROM quarantine_other WHERE quarantine = ?", [(row,) for row in batch.redriven])
    many(_ADD_OTHER, [(row.id, other) for row in batch.retried for other in row.others])
    many(_RETRIED, [[getattr(row, name) for name in _RETRIED_COLUMNS] for row in batch.retried])
    many(
        _ADD_EVENT,
        [
            (e.device, e.connector, e.external_id, e.kind, e.level, e.reason, e.text, e.time, e.received)
            for e in batch.events
        ],
    )
    many(_ADD_SEEN, [(s.device, s.received, s.time, s.messages) for s in batch.seen])
    many("INSERT OR REPLACE INTO untimed VALUES (?, ?)", list(batch.untimed.items()))
    if batch.number:
        connection.execute("UPDATE progress SET batch = max(batch, ?)", (batch.number,))
    if batch.spool is not None:
        connection.execute("UPDATE progress SET segment = ?, offset = ?", batch.spool)
    many(
        "INSERT OR IGNORE INTO open_batch VALUES (?, ?, ?, ?)",
        [(b.number, b.started, b.messages, b.readings) for b in batch.opened],
    )
    many(
        "INSERT OR IGNORE INTO open_device VALUES (?, ?)",
        sorted({(b.number, touch[0]) for b in batch.opened for touch in b.touches}),
    )
    if batch.repairs:
        _record(connection, batch.repairs)
    if any(row.state == "refused" for row in batch.quarantined):
        connection.execute(
            "DELETE FROM quarantine WHERE state = 'refused' AND id NOT IN "
            "(SELECT id FROM quarantine WHERE state = 'refused' ORDER BY id DESC LIMIT ?)",
            (_KEEP_REFUSED,),
        )


def _record(connection: sqlite3.Connection, repairs: Sequence[Repair]) -> None:
    last = connection.execute("SELECT coalesce(max(id), 0) FROM repair").fetchone()[0]
    if [repair.id for repair in repairs] != list(range(last + 1, last + 1 + len(repairs))):
        raise Invalid("another repair came first: look at the books again", "repair")
    connection.executemany(
        "INSERT INTO repair VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        [(r.id, r.kind, r.device, r.readings, r.at, r.batch, r.connector, r.hour) for r in repairs],
    )
