# SPDX-License-Identifier: EUPL-1.2
"""Ingest's own record, written before a batch is acknowledged.

One `commit` is one transaction in one thread: touch log, accounts, quarantine, device events, last-seen times and the
hashes of messages stamped on arrival stand or fall together. Payloads of what is set aside are durable before that, in
a segment log beside the file (`quarantine_store`). What a crash cuts off before the commit was not
acknowledged either, so it comes again.
"""

import asyncio
import sqlite3
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import TypeVar

from msgspec.structs import astuple

from hub.core.errors import Invalid
from hub.core.journal import HOUR_NS, Held, JournalBatch, Progress, Quarantined, Repair, SpoolPosition
from hub.core.ports import QuarantineFilter
from hub.ingest._bulk import insert_many
from hub.ingest._migration import to_2, to_3
from hub.ingest._rows import COUNTS
from hub.ingest._samples import forget_device, forget_older, write_samples
from hub.ingest._schema import identity_of, newest_of, open_writer, wrapped
from hub.ingest.quarantine_store import QuarantineStore, payload_log, transaction
from hub.ingest.segments import SegmentLog

T = TypeVar("T")
ROWS_KEPT = 365 * 24 * HOUR_NS  # rows of the quarantine's index, without their payloads
_PAGE = 500  # rows that one transaction purges
_UNRECORDABLE = (OverflowError, UnicodeEncodeError)  # `wrapped` makes them Reject: its batch is not committed again
_ERASED_AT_ONCE = 20  # payloads between two batches

_ACCOUNT = f"INSERT INTO account (hour, connector, device, {', '.join(COUNTS)})"
_ADD_COUNTS = "ON CONFLICT DO UPDATE SET " + ", ".join(f"{name} = {name} + excluded.{name}" for name in COUNTS)
_ADD_REASON = "INSERT INTO reason_count VALUES (?, ?, ?) ON CONFLICT DO UPDATE SET n = n + excluded.n"
_LATER_SEEN = (
    "ON CONFLICT DO UPDATE SET received = max(received, excluded.received), "
    "time = max(coalesce(time, excluded.time), coalesce(excluded.time, time)), messages = messages + excluded.messages"
)
_ADD_EVENT = (
    "INSERT INTO event (device, connector, external_id, kind, level, reason, text, time, received) "
    "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)"
)


class SqliteJournal:
    """The one writer of `ingest-<n>.db`."""

    def __init__(self, path: Path) -> None:
        self._path = path
        log = payload_log(path)
        try:
            self._connection = open_writer(path, {1: partial(_to_2, log), 2: to_3})
            with wrapped(path):
                self._quarantine = QuarantineStore(self._connection, log)
        except BaseException:
            log.close()
            raise
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
        return await self._run(lambda: self._quarantine.waiting(where, after, limit))

    async def held(self) -> Held:
        """What waits in quarantine and what was refused, per source and reason, at one moment."""
        return await self._run(lambda: Held(self._quarantine.sources(), self._quarantine.refused()))

    async def purge(self, where: QuarantineFilter, why: str, by: str, now: int) -> int:
        """Take away the payloads of all that matches and is there when it begins; returns of how many messages.

        What waited is `purged` then; what was redriven or refused keeps its state. Page by page, so that batches of
        live messages come between; harmless when repeated. Bytes are erased at the end.
        """
        purged = 0
        newest = await self._run(self._quarantine.newest)
        while page := await self._run(lambda: self._quarantine.purge(where, newest, why, by, now, _PAGE)):
            purged += page
        await self._run(lambda: forget_device(self._connection, where))
        await self.erase()
        return purged

    async def forget_samples(self) -> None:
        """Erase all raw messages that are kept of registered devices: somebody switched that off."""
        await self._run(lambda: forget_older(self._connection, 1 << 62))

    async def retain(self, now: int, keep: int, most_bytes: int) -> int:
        """Retention: purge what is older than `keep` ns, forget rows after a year; returns how many were purged.

        Payloads redriven already go earlier when the log takes more than `most_bytes`.
        """
        purged = 0
        await self._run(lambda: forget_older(self._connection, now - keep))
        while page := await self._run(lambda: self._quarantine.expire(now - keep, now, _PAGE)):
            purged += page
        crowded = await self._run(lambda: self._quarantine.too_much(most_bytes))
        while crowded and await self._run(lambda: self._quarantine.make_room(crowded, now, _PAGE)):
            pass
        while await self._run(lambda: self._quarantine.forget(now - max(keep, ROWS_KEPT), _PAGE)):
            pass
        await self.erase()
        await self._run(self._quarantine.sweep)
        return purged

    async def erase(self) -> None:
        """Erase the bytes of payloads that were taken away, also of those that a crash left over."""
        while await self._run(lambda: self._quarantine.erase(_ERASED_AT_ONCE)):
            pass

    async def trim(self, cursor: int, untimed_before: int) -> None:
        """Forget touches up to `cursor`, which every reader has passed, and untimed hashes older than given."""

        def work() -> None:
            if cursor <= newest_of(self._connection):  # else the cursor belongs to another file: read before forgetting
                self._connection.execute("DELETE FROM touch WHERE seq <= ?", (cursor,))
            self._connection.execute("DELETE FROM untimed WHERE received < ?", (untimed_before,))

        await self._run(work)

    async def close(self) -> None:
        """Release the files."""

        def work() -> None:
            self._quarantine.close()
            self._connection.close()

        await self._run(work)
        self._thread.shutdown()

    async def _run(self, work: Callable[[], T]) -> T:
        def guarded() -> T:
            with wrapped(self._path):
                return work()

        return await asyncio.get_running_loop().run_in_executor(self._thread, guarded)

    def _transaction(self, batch: JournalBatch) -> None:
        places = self._quarantine.stage(batch)
        try:
            with transaction(self._connection):
                _write(self._connection, batch)
                self._quarantine.write(batch, places)
        except _UNRECORDABLE:
            self._quarantine.give_up(batch)
            raise
        self._quarantine.committed(batch)


def _to_2(log: SegmentLog, connection: sqlite3.Connection) -> None:
    log.open()
    to_2(connection, log)


def _write(connection: sqlite3.Connection, batch: JournalBatch) -> None:
    many = connection.executemany
    insert_many(connection, "INSERT INTO touch (device, quantity, hour)", batch.touches)
    accounts = [(*key, *astuple(counts)) for key, counts in batch.accounts.items()]
    insert_many(connection, _ACCOUNT, accounts, _ADD_COUNTS)
    many(_ADD_REASON, [(*key, n) for key, n in batch.reasons.items()])
    many(
        _ADD_EVENT,
        [
            (e.device, e.connector, e.external_id, e.kind, e.level, e.reason, e.text, e.time, e.received)
            for e in batch.events
        ],
    )
    seen = [(s.device, s.received, s.time, s.messages) for s in batch.seen]
    insert_many(connection, "INSERT INTO seen", seen, _LATER_SEEN)
    write_samples(connection, batch)
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
        "INSERT OR IGNORE INTO open_device VALUES (?, ?, ?)",
        [(b.number, device, readings) for b in batch.opened for device, readings in b.devices.items()],
    )
    if batch.repairs:
        _record(connection, batch.repairs)


def _record(connection: sqlite3.Connection, repairs: Sequence[Repair]) -> None:
    last = connection.execute("SELECT coalesce(max(id), 0) FROM repair").fetchone()[0]
    if [repair.id for repair in repairs] != list(range(last + 1, last + 1 + len(repairs))):
        raise Invalid("another repair came first: look at the books again", "repair")
    connection.executemany(
        "INSERT INTO repair VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        [(r.id, r.kind, r.device, r.readings, r.at, r.batch, r.connector, r.hour) for r in repairs],
    )
