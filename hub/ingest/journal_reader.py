# SPDX-License-Identifier: EUPL-1.2
"""What engine, API and console read of `ingest-<n>.db`, from other processes; opened read-only.

While ingest has not made the file yet, everything is empty. A lock held by a lock-step reader (threads of the API)
keeps one connection usable by many.
"""

import sqlite3
import threading
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import Any

from msgspec.structs import replace

from hub.core.errors import NotFound, Retry
from hub.core.journal import (
    DeviceSeen,
    EventRecord,
    Newcomer,
    OpenBatch,
    Quarantined,
    RawSample,
    Refused,
    Touch,
    UplinkSeen,
)
from hub.core.ports import QuarantineFilter
from hub.ingest._rows import COUNTS, ROW, quarantined_of, where_of
from hub.ingest._samples import SELECT_SAMPLES, SELECT_UPLINKS, listed, sample_of, uplink_of
from hub.ingest._schema import open_reader, wrapped
from hub.ingest.quarantine_store import payload_folder
from hub.ingest.segments import SegmentReader

_PREVIEW = 2048  # bytes of a payload in a list
_NEW = "state = 'waiting' AND reason = 'unknown_device'"  # as in the index quarantine_newcomer
_NEWCOMERS = (
    "SELECT connector, external_id, sum(n), sum(refused), min(first), max(last), max(newest) FROM ("  # noqa: S608 our own words
    "SELECT connector, external_id, count(*) AS n, 0 AS refused, min(received) AS first, max(received) AS last, "
    f"max(id) AS newest FROM quarantine INDEXED BY quarantine_newcomer WHERE {_NEW} GROUP BY connector, external_id "
    "UNION ALL SELECT q.connector, o.external_id, count(*), 0, min(q.received), max(q.received), max(q.id) "
    "FROM quarantine_other AS o JOIN quarantine AS q ON q.id = o.quarantine WHERE q.state = 'waiting' GROUP BY 1, 2 "
    "UNION ALL SELECT connector, source, 0, messages, since, until, 0 FROM refusal WHERE reason = 'unknown_device'"
    ") GROUP BY connector, external_id ORDER BY 6 DESC LIMIT ?"
)
_ARRIVALS = (
    "SELECT received FROM quarantine INDEXED BY quarantine_newcomer "  # noqa: S608 our own words
    f"WHERE {_NEW} AND connector = ? AND external_id = ? ORDER BY received DESC LIMIT ?"
)
_EVENT = ("id", "device", "connector", "external_id", "kind", "level", "reason", "text", "time", "received")
_EVENTS_OF = (  # a search by index for each device: their number bounds the work, not that of all events
    f"SELECT {', '.join(f'e.{name}' for name in _EVENT)} FROM json_each(?) AS named "  # noqa: S608 our own names
    "JOIN event AS e ON e.id IN (SELECT id FROM event WHERE device = named.value ORDER BY id DESC LIMIT ?) "
    "ORDER BY e.id DESC"
)


class SqliteJournalReader:
    """Reads one journal; `name` is its cursor's suffix, such as "0" for `touch:0`."""

    def __init__(self, path: Path, name: str = "0") -> None:
        self.name = name
        self._path = path
        self._lock = threading.Lock()
        self._connection: sqlite3.Connection | None = None
        self._payloads = SegmentReader(payload_folder(path), "quarantine")

    def touches(self, after: int, limit: int) -> tuple[Sequence[Touch], int]:
        """Touches after cursor `after` in order, and the new cursor."""
        rows = self._all(
            "SELECT seq, device, quantity, hour FROM touch WHERE seq > ? ORDER BY seq LIMIT ?", (after, limit)
        )
        touches = [Touch(device, one, hour) for _, device, names, hour in rows for one in names.split(" ")]
        return touches, rows[-1][0] if rows else after

    def identity(self) -> int:
        """The random number that the file was made with; 0 while there is none."""
        rows = self._all("SELECT id FROM identity", ())
        return int(rows[0][0]) if rows else 0

    def newest(self) -> int:
        """The highest touch that the file ever had, forgotten ones included."""
        rows = self._all("SELECT seq FROM sqlite_sequence WHERE name = 'touch'", ())
        return int(rows[0][0]) if rows else 0

    def count(self, where: QuarantineFilter) -> int:
        """How many quarantined messages there are."""
        clause, arguments = where_of(where)
        rows = self._all(f"SELECT count(*) FROM quarantine WHERE {clause}", arguments)  # noqa: S608 clause has placeholders only
        return int(rows[0][0]) if rows else 0

    def quarantine(self, where: QuarantineFilter, after: int = 0, limit: int = 100) -> Sequence[Quarantined]:
        """Newest first; `after` is the id of the last row of the page before (0: from the top).

        Payloads are cut to their beginning unless single messages are asked for by id.
        """
        clause, arguments = where_of(where)
        if after:
            clause, arguments = f"{clause} AND id < ?", [*arguments, after]
        sql = f"SELECT {ROW} FROM quarantine WHERE {clause} ORDER BY id DESC LIMIT ?"  # noqa: S608 clause has placeholders only
        rows = [self._quarantined(row) for row in self._all(sql, (*arguments, limit))]
        return rows if where.ids is not None else [replace(row, payload=row.payload[:_PREVIEW]) for row in rows]

    def refused(self) -> Sequence[Refused]:
        """What went beyond the quota, per source and reason."""
        sql = "SELECT connector, source, reason, messages, since, until FROM refusal"
        return [Refused(*row) for row in self._all(sql, ())]

    def set_aside(self) -> Mapping[tuple[str, str], int]:
        """By (connector, device) the messages that count as quarantined in the accounts.

        They wait or were purged, or are so old that their rows were forgotten.
        """
        rows = self._all(
            "SELECT connector, device, sum(n) FROM ("
            "SELECT connector, device, count(*) AS n FROM quarantine "
            "WHERE scope = 'message' AND state IN ('waiting', 'purged') GROUP BY connector, device "
            "UNION ALL SELECT connector, device, messages FROM quarantine_forgotten) GROUP BY connector, device",
            (),
        )
        return {(connector, device): n for connector, device, n in rows}

    def accounts(self, since: int) -> Sequence[tuple[str, str, Mapping[str, int]]]:
        """(connector, device, counts by name) summed over hours from `since` (ns)."""
        sums = ", ".join(f"sum({name})" for name in COUNTS)
        sql = f"SELECT connector, device, {sums} FROM account WHERE hour >= ? GROUP BY connector, device"  # noqa: S608 names are our own constants
        return [(row[0], row[1], dict(zip(COUNTS, row[2:], strict=True))) for row in self._all(sql, (since,))]

    def hourly(self, since: int) -> Sequence[tuple[int, str, Mapping[str, int]]]:
        """(hour in ns, connector, counts by name) of hours from `since` (ns), devices summed."""
        sums = ", ".join(f"sum({name})" for name in COUNTS)
        sql = f"SELECT hour, connector, {sums} FROM account WHERE hour >= ? GROUP BY hour, connector"  # noqa: S608 names are our own constants
        return [(row[0], row[1], dict(zip(COUNTS, row[2:], strict=True))) for row in self._all(sql, (since,))]

    def reasons(self) -> Mapping[tuple[str, str], int]:
        """(connector, reason) to count, of all time."""
        return {(row[0], row[1]): row[2] for row in self._all("SELECT connector, reason, n FROM reason_count", ())}

    def seen(self) -> Mapping[str, DeviceSeen]:
        """Newest transmission of each device."""
        rows = self._all("SELECT device, received, time, messages FROM seen", ())
        return {row[0]: DeviceSeen(device=row[0], received=row[1], time=row[2], messages=row[3]) for row in rows}

    def events(self, device: str | None = None, limit: int = 100) -> Sequence[EventRecord]:
        """Device events, newest first."""
        clause = "device = ?" if device is not None else "1"
        arguments = (device, limit) if device is not None else (limit,)
        sql = f"SELECT {', '.join(_EVENT)} FROM event WHERE {clause} ORDER BY id DESC LIMIT ?"  # noqa: S608 clause has placeholders only
        return [EventRecord(**dict(zip(_EVENT, row, strict=True))) for row in self._all(sql, arguments)]

    def events_of(self, devices: Collection[str], limit: int = 20) -> Mapping[str, Sequence[EventRecord]]:
        """The last events of these devices, newest first; who has none is left out."""
        found: dict[str, list[EventRecord]] = {}
        for row in self._all(_EVENTS_OF, (listed(devices), limit)):
            found.setdefault(row[1], []).append(EventRecord(**dict(zip(_EVENT, row, strict=True))))
        return found

    def newcomers(self, limit: int = 1000) -> Sequence[Newcomer]:
        """Who talks without being registered, who spoke last first."""
        return [
            Newcomer(connector=c, external_id=name, waiting=n, refused=r, first=first, last=last, newest=newest)
            for c, name, n, r, first, last, newest in self._all(_NEWCOMERS, (limit,))
        ]

    def arrivals(self, connector: str, external_id: str, limit: int = 100) -> Sequence[int]:
        """When the last waiting messages of somebody who is not registered came (ns), newest first."""
        return [row[0] for row in self._all(_ARRIVALS, (connector, external_id, limit))]

    def samples(self, device: str) -> Sequence[RawSample]:
        """The last raw messages of a registered device, newest first."""
        return [sample_of(row) for row in self._all(SELECT_SAMPLES, (device,))]

    def uplinks(self, devices: Collection[str]) -> Mapping[str, Sequence[UplinkSeen]]:
        """How the last messages of these devices came over the air, newest first; who has none is left out."""
        found: dict[str, list[UplinkSeen]] = {}
        for row in self._all(SELECT_UPLINKS, (listed(devices),)):
            found.setdefault(row[0], []).append(uplink_of(row))
        return found

    def open_batches(self) -> Sequence[OpenBatch]:
        """Batches that crashes cut off between store and journal, oldest first, without their touches."""
        rows = self._all("SELECT number, started, messages, readings FROM open_batch ORDER BY number", ())
        return [OpenBatch(number=n, started=started, messages=m, readings=r) for n, started, m, r in rows]

    def close(self) -> None:
        """Release the file."""
        with self._lock:
            if self._connection is not None:
                self._connection.close()
                self._connection = None

    def _quarantined(self, row: tuple[Any, ...]) -> Quarantined:
        """A row with its payload; when that cannot be read the row says so."""
        try:
            return quarantined_of(row, self._payloads.read)
        except (NotFound, Retry) as error:
            return replace(quarantined_of(row, lambda _: b""), why=str(error))

    def _all(self, sql: str, arguments: Sequence[object]) -> list[tuple[Any, ...]]:
        with self._lock, wrapped(self._path):
            if self._connection is None:
                self._connection = open_reader(self._path)
            if self._connection is None:
                return []
            return self._connection.execute(sql, arguments).fetchall()
