# SPDX-License-Identifier: EUPL-1.2
"""Messages set aside, on disk: raw payloads in an append-only segment log, everything else in the journal's tables.

Payloads are appended, and durable, before the transaction that refers to them; what a crash leaves in the log is
referred to by nobody and goes with its segment. A transaction that has to be repeated does not append again, whatever
other batches do meanwhile; the payloads of one that is given up are erased.

Erasing goes the other way round: the transaction that takes a row's payload away leaves its place in `erasure`, and
`erase` works that off, so that a crash in between erases later and never forgets. A place in `erasure` never comes to
mean a later payload: as long as it stands there, the log does not use the segment's number again. A segment to which
nothing refers any more is removed as a whole, which is how retention gets rid of most.

What was refused beyond the quota is one row for the first message and one, written over, for the last of its source;
their samples lie in the table, so a flood costs no disk. Blocking calls, in the one thread of the journal.
"""

import json
import logging
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from hub.core.errors import NotFound
from hub.core.journal import JournalBatch, Quarantined, Refusal, Refused, SpoolPosition, Waiting
from hub.core.ports import QuarantineFilter
from hub.ingest._rows import QUARANTINE, ROW, among, quarantined_of, where_of
from hub.ingest.quota import ROW as ROW_COST
from hub.ingest.segments import SegmentLimits, SegmentLog

_LOG = logging.getLogger("cityhub.ingest")
_LIMITS = SegmentLimits(segment_bytes=8 << 20, max_bytes=1 << 50, min_free_bytes=0)  # the quota is the limit
_COLUMNS = QUARANTINE[1:]
_QUOTED = [f'"{name}"' for name in _COLUMNS]
_ADD = (
    f"INSERT INTO quarantine ({', '.join(_QUOTED)}, segment, offset, sample) "  # noqa: S608 our own names
    f"VALUES ({', '.join('?' * (len(_COLUMNS) + 3))})"
)
_WRITE_OVER = f"UPDATE quarantine SET {', '.join(f'{name} = ?' for name in _QUOTED)}, sample = ? WHERE id = ?"  # noqa: S608 our own names
_ADD_OTHER = "INSERT OR IGNORE INTO quarantine_other (quarantine, external_id) VALUES (?, ?)"
_RETRIED = (
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
_RETRY = f"UPDATE quarantine SET {', '.join(f'{name} = ?' for name in _RETRIED[:-1])} WHERE id = ?"  # noqa: S608 our own names
_REFUSED = (
    "INSERT INTO refusal VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO UPDATE SET "
    "messages = messages + excluded.messages, until = max(until, excluded.until), last = excluded.last"
)
_PLACES = ("quarantine WHERE segment > 0", "erasure")  # where places in the log are written down
_KEEP_SAMPLES = 100  # of what is refused by a pipeline without quota


def payload_folder(journal: Path) -> Path:
    """Where the payloads of a journal lie: `quarantine-0` beside `ingest-0.db`."""
    return journal.with_name(f"quarantine-{journal.stem.removeprefix('ingest-')}")


def payload_log(journal: Path) -> SegmentLog:
    """The writer of a journal's payloads, not opened yet."""
    return SegmentLog(payload_folder(journal), _LIMITS, name="quarantine")


class QuarantineStore:
    """The tables `quarantine*`, `refusal`, `erasure` and the segment log of one journal."""

    def __init__(self, connection: sqlite3.Connection, log: SegmentLog) -> None:
        self._connection = connection
        self._log = log
        self._staged: dict[int, tuple[JournalBatch, list[SpoolPosition]]] = {}  # by the batch's id()
        newest = "SELECT segment, offset FROM {} ORDER BY segment DESC, offset DESC LIMIT 1"
        found = [connection.execute(newest.format(places)).fetchone() for places in _PLACES]
        log.open(max(SpoolPosition(*place) for place in (*filter(None, found), (0, 0))))

    def close(self) -> None:
        """Release the log's files."""
        self._log.close()

    # a batch

    def stage(self, batch: JournalBatch) -> Sequence[SpoolPosition]:
        """Make the payloads of a batch durable; for the same batch again, where they are already."""
        if (staged := self._staged.get(id(batch))) is not None:
            return staged[1]
        places = self._log.append([row.payload for row in batch.quarantined if _in_log(row)])
        if places:
            self._staged[id(batch)] = batch, places
        return places

    def committed(self, batch: JournalBatch) -> None:
        """The transaction of a staged batch is committed."""
        self._staged.pop(id(batch), None)

    def give_up(self, batch: JournalBatch) -> None:
        """A staged batch will never be committed as it is: its payloads are to be erased."""
        if (staged := self._staged.get(id(batch))) is not None:
            with transaction(self._connection):
                self._connection.executemany("INSERT OR IGNORE INTO erasure VALUES (?, ?)", staged[1])
            self.committed(batch)

    def write(self, batch: JournalBatch, places: Sequence[SpoolPosition]) -> None:
        """Write all of a batch that concerns the quarantine, within the journal's transaction."""
        many = self._connection.executemany
        free = iter(places)
        for row in batch.quarantined:
            self._add(row, next(free) if _in_log(row) else SpoolPosition())
        used = [(row,) for row in batch.redriven]
        many("UPDATE quarantine SET state = 'redriven' WHERE id = ?", used)
        many(
            "UPDATE quarantine SET state = 'ignored', why = 'its device is ignored' WHERE id = ?", _ones(batch.ignored)
        )
        if batch.ignored:
            self._let_go(*among(batch.ignored))
        many("DELETE FROM quarantine_other WHERE quarantine = ?", [*used, *_ones(batch.ignored)])
        many(_ADD_OTHER, [(row.id, other) for row in batch.retried for other in row.others])
        many(_RETRY, [[getattr(row, name) for name in _RETRIED] for row in batch.retried])
        for refusal in batch.refusals:
            self._refuse(refusal)
        if any(row.state == "refused" for row in batch.quarantined):
            self._connection.execute(
                "DELETE FROM quarantine WHERE state = 'refused' AND id NOT IN "
                "(SELECT id FROM quarantine WHERE state = 'refused' ORDER BY id DESC LIMIT ?) "
                "AND id NOT IN (SELECT first FROM refusal UNION SELECT last FROM refusal WHERE last IS NOT NULL)",
                (_KEEP_SAMPLES,),
            )

    def _add(self, row: Quarantined, place: SpoolPosition) -> int:
        number = self._connection.execute(_ADD, [*_values(row), *place, None if place.segment else row.payload or None])
        self._connection.executemany(_ADD_OTHER, [(number.lastrowid, other) for other in row.others])
        return int(number.lastrowid or 0)

    def _refuse(self, refusal: Refusal) -> None:
        """Count a refusal; the first message of a source stays as a sample, the last is written over."""
        key = refusal.connector, refusal.source, refusal.reason
        found = self._connection.execute(
            "SELECT first, last, messages FROM refusal WHERE connector = ? AND source = ? AND reason = ?", key
        ).fetchone()
        first, last, before = found or (None, None, 0)
        newest = refusal.last
        if first is None:
            first = self._add(refusal.first, SpoolPosition())
        elif newest is None:
            newest = refusal.first
        if newest is not None:
            counted = _values(newest, stands_for=before + refusal.messages - 1)
            if last is None:
                last = self._add(newest, SpoolPosition())
            self._connection.execute(_WRITE_OVER, [*counted, newest.payload or None, last])
        row = (*key, refusal.messages, refusal.since, refusal.until, first, last)
        self._connection.execute(_REFUSED, row)

    # what waits

    def waiting(self, where: QuarantineFilter, after: int, limit: int) -> Sequence[Quarantined]:
        """Messages that wait, with payload, in order of id. One whose payload is lost is told and marked so."""
        clause, arguments = where_of(where._replace(state="waiting"))
        sql = f"SELECT {ROW} FROM quarantine WHERE {clause} AND id > ? ORDER BY id LIMIT ?"  # noqa: S608 clause has placeholders only
        rows: list[Quarantined] = []
        while not rows:  # else a page of lost ones would look like the end
            page = self._connection.execute(sql, (*arguments, after, limit)).fetchall()
            if not page:
                break
            after = page[-1][0]
            for row in page:
                try:
                    rows.append(quarantined_of(row, self._log.read))
                except NotFound as error:
                    self._lost(row[0], str(error))
        return rows

    def _lost(self, number: int, why: str) -> None:
        fields = {"message": number, "why": why}
        _LOG.error("payload of a quarantined message is lost: it cannot be redriven", extra={"fields": fields})
        self._connection.execute(
            "UPDATE quarantine SET state = 'purged', why = ?, \"by\" = 'hub' WHERE id = ?", (why, number)
        )

    def sources(self) -> Sequence[Waiting]:
        """What waits, per source and reason."""
        rows = self._connection.execute(
            "SELECT connector, "
            "CASE WHEN external_id != '' THEN external_id WHEN device != '' THEN device ELSE topic END, "
            "reason, count(*), sum(size + length(topic) + length(detail) + ?) "
            "FROM quarantine WHERE state = 'waiting' GROUP BY 1, 2, 3",
            (ROW_COST,),
        )
        return [Waiting(*row) for row in rows]

    def refused(self) -> Sequence[Refused]:
        """What went beyond the quota, per source and reason."""
        rows = self._connection.execute("SELECT connector, source, reason, messages, since, until FROM refusal")
        return [Refused(*row) for row in rows]

    # what goes

    def newest(self) -> int:
        """The highest id so far."""
        return int(self._connection.execute("SELECT coalesce(max(id), 0) FROM quarantine").fetchone()[0])

    def purge(self, where: QuarantineFilter, newest: int, why: str, by: str, now: int, limit: int) -> int:
        """Take the payloads of up to `limit` messages away; returns how many, 0 when nothing up to `newest` is left.

        What waited is `purged` then. What was redriven or refused keeps its state, without payload. One transaction.
        """
        clause, arguments = where_of(where)
        sql = f"SELECT id FROM quarantine WHERE {clause} AND id <= ? AND {_HAS_SOMETHING} LIMIT ?"  # noqa: S608 clause has placeholders only
        with transaction(self._connection):
            ids = [row[0] for row in self._connection.execute(sql, (*arguments, newest, limit))]
            self._purge(ids, why, by, now)
            self._forget_refusals(ids, where.until)
        return len(ids)

    def expire(self, before: int, now: int, limit: int) -> int:
        """Retention: purge what arrived before `before` (ns)."""
        self._connection.execute("DELETE FROM refusal WHERE until < ?", (before,))
        return self.purge(QuarantineFilter(state=None, until=before), self.newest(), "retention", "hub", now, limit)

    def too_much(self, most: int) -> int:
        """When the log is larger than `most` bytes: its oldest segment with payloads that were redriven, else 0."""
        if self._log.size() <= most:
            return 0
        return int(self._connection.execute(_OLDEST_REDRIVEN).fetchone()[0] or 0)

    def make_room(self, segment: int, now: int, limit: int) -> int:
        """Take away up to `limit` payloads of a segment that were redriven already; returns how many."""
        with transaction(self._connection):
            ids = [row[0] for row in self._connection.execute(_REDRIVEN_OF, (segment, limit))]
            self._purge(ids, "room", "hub", now)
        return len(ids)

    def _purge(self, ids: Sequence[int], why: str, by: str, now: int) -> None:
        run, clause, arguments = self._connection.execute, *among(ids)
        self._let_go(clause, arguments)
        run(f"DELETE FROM quarantine_other WHERE quarantine IN (SELECT id FROM quarantine WHERE {clause})", arguments)  # noqa: S608 clause has placeholders only
        run(
            "UPDATE quarantine SET state = CASE state WHEN 'waiting' THEN 'purged' ELSE state END, sample = NULL, "  # noqa: S608 clause has placeholders only
            f'why = ?, "by" = ?, changed = ? WHERE {clause}',
            (why, by, now, *arguments),
        )

    def _forget_refusals(self, ids: Sequence[int], until: int | None) -> None:
        """Forget refusals whose samples were purged, but not one that went on after what was purged ends."""
        listed = json.dumps(ids)
        self._connection.execute(
            "DELETE FROM refusal WHERE (first IN (SELECT value FROM json_each(?)) "
            "OR last IN (SELECT value FROM json_each(?))) AND until < coalesce(?, until + 1)",
            (listed, listed, until),
        )

    def _let_go(self, clause: str, arguments: Sequence[object]) -> None:
        """Take payloads away from rows, within a transaction; their bytes are erased afterwards."""
        run = self._connection.execute
        chosen = f"FROM quarantine WHERE segment > 0 AND {clause}"
        run(f"INSERT OR IGNORE INTO erasure SELECT segment, offset {chosen}", arguments)
        run(f"UPDATE quarantine SET segment = 0, offset = 0 WHERE segment > 0 AND {clause}", arguments)  # noqa: S608 clause has placeholders only

    def erase(self, limit: int) -> int:
        """Erase payloads that nobody refers to, up to `limit` one by one; returns how many are still to be erased."""
        run = self._connection.execute
        for (segment,) in run("SELECT DISTINCT segment FROM erasure").fetchall():
            if self._unused(segment):
                self._log.drop(segment)  # before it is forgotten: a crash in between would leave the bytes
                run("DELETE FROM erasure WHERE segment = ?", (segment,))
        for place in run("SELECT segment, offset FROM erasure LIMIT ?", (limit,)).fetchall():
            try:
                self._log.erase(SpoolPosition(*place))
            except NotFound as error:
                _LOG.warning("payload to be erased is not there", extra={"fields": {"why": str(error)}})
            run("DELETE FROM erasure WHERE segment = ? AND offset = ?", place)
        return int(run("SELECT count(*) FROM erasure").fetchone()[0])

    def sweep(self) -> None:
        """Remove segments to which nothing refers: left by a crash, or all of it erased."""
        named = {row[0] for row in self._connection.execute("SELECT DISTINCT segment FROM erasure")}
        for segment in self._log.segments():
            if segment not in named and self._unused(segment):
                self._log.drop(segment)

    def _unused(self, segment: int) -> bool:
        if any(place.segment == segment for _, places in self._staged.values() for place in places):
            return False
        used = "SELECT 1 FROM quarantine WHERE segment = ? LIMIT 1"
        return self._connection.execute(used, (segment,)).fetchone() is None

    def forget(self, before: int, limit: int) -> int:
        """Drop rows that arrived before `before` and have no payload; what the accounts count of them is kept."""
        with transaction(self._connection):
            ids = [row[0] for row in self._connection.execute(_FORGETTABLE, (before, limit))]
            clause, arguments = among(ids)
            self._connection.execute(
                f"INSERT INTO quarantine_forgotten SELECT connector, device, count(*) FROM quarantine "  # noqa: S608 placeholders only
                f"WHERE {clause} AND scope = 'message' AND state = 'purged' GROUP BY connector, device "
                "ON CONFLICT DO UPDATE SET messages = messages + excluded.messages",
                arguments,
            )
            self._connection.execute(f"DELETE FROM quarantine WHERE {clause}", arguments)  # noqa: S608 placeholders only
        return len(ids)


_OLDEST_REDRIVEN = "SELECT min(segment) FROM quarantine WHERE segment > 0 AND +state = 'redriven'"
_REDRIVEN_OF = "SELECT id FROM quarantine WHERE segment > 0 AND segment = ? AND +state = 'redriven' LIMIT ?"
_FORGETTABLE = (
    "SELECT id FROM quarantine WHERE received < ? AND segment = 0 AND sample IS NULL AND state != 'waiting' LIMIT ?"
)
_HAS_SOMETHING = "state NOT IN ('purged', 'ignored') AND (state = 'waiting' OR segment > 0 OR sample IS NOT NULL)"


@contextmanager
def transaction(connection: sqlite3.Connection) -> Iterator[None]:
    """All of it is committed, or nothing."""
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise


def _in_log(row: Quarantined) -> bool:
    return row.state != "refused" and bool(row.payload)


def _values(row: Quarantined, **changes: object) -> list[object]:
    values = {name: getattr(row, name) for name in _COLUMNS}
    values["size"] = max(row.size, len(row.payload))
    values.update(changes)
    return list(values.values())


def _ones(ids: Sequence[int]) -> list[tuple[int]]:
    return [(number,) for number in ids]
