# SPDX-License-Identifier: EUPL-1.2
"""From older journals to this release's. Each step runs in the writer's transaction; a crash leaves the old file.

1 to 2: payloads move from the table into the segment log. They are appended (and durable) before the transaction that
refers to them commits; what a crash leaves in the log is referred to by nobody and goes with its segment.
2 to 3: room for the last uplinks and raw messages of each device, and an index of devices that are not registered.
"""

import sqlite3
from collections.abc import Sequence
from typing import Any

from hub.ingest._schema import PROGRESS, QUARANTINE, SAMPLES
from hub.ingest.segments import SegmentLog

_PAGE = 200  # payloads in memory at once
_OLD = (
    "id, received, topic, reason, detail, connector, external_id, device, scope, conflicts, rejects, retain, state, "
    "attempts, size"
)
_NEW = f"INSERT INTO quarantine ({_OLD}, segment, offset, sample) VALUES ({', '.join('?' * 18)})"  # noqa: S608 our names


def to_2(connection: sqlite3.Connection, log: SegmentLog) -> None:
    """Payloads into segments, samples of what was refused into their column; progress, open batches and repairs."""
    connection.execute("PRAGMA secure_delete = ON")  # the old table's payloads must not stay in free pages
    connection.execute("DROP INDEX quarantine_source")
    connection.execute("DROP INDEX quarantine_reason")
    connection.execute("ALTER TABLE quarantine RENAME TO quarantine_1")
    for statement in (PROGRESS + QUARANTINE).split(";"):
        connection.execute(statement)
    after = 0
    page = f"SELECT {_OLD}, payload FROM quarantine_1 WHERE id > ? ORDER BY id LIMIT ?"  # noqa: S608 our own names
    while rows := connection.execute(page, (after, _PAGE)).fetchall():
        after = rows[-1][0]
        connection.executemany(_NEW, _moved(rows, log))
    # ids of messages that were deleted are not given to others: cursors of pages rely on it
    connection.execute("DELETE FROM sqlite_sequence WHERE name = 'quarantine'")
    connection.execute("UPDATE sqlite_sequence SET name = 'quarantine' WHERE name = 'quarantine_1'")
    connection.execute("DROP TABLE quarantine_1")
    connection.execute("PRAGMA secure_delete = FAST")


def to_3(connection: sqlite3.Connection) -> None:
    """New tables and an index; nothing moves."""
    for statement in SAMPLES.split(";"):
        connection.execute(statement)


def _moved(rows: Sequence[tuple[Any, ...]], log: SegmentLog) -> list[tuple[Any, ...]]:
    """Rows of the new table: payloads in the log, but for samples and empty ones."""
    places = iter(log.append([row[-1] for row in rows if _belongs_in_log(row)]))
    moved = []
    for row in rows:
        payload, size = row[-1], max(row[_SIZE], len(row[-1]))
        place = (*next(places), None) if _belongs_in_log(row) else (0, 0, payload or None)
        moved.append((*row[:_SIZE], size, *place))
    return moved


_STATE, _SIZE = 12, 14


def _belongs_in_log(row: tuple[Any, ...]) -> bool:
    return row[_STATE] != "refused" and bool(row[-1])
