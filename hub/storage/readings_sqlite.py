# SPDX-License-Identifier: EUPL-1.2
"""Readings in one SQLite file: the embedded default.

Mechanism: one thread owns the connection. `put` is one transaction: keys are decided, rows written, and the COMMIT
is synced (WAL with synchronous=FULL), so that on return the readings survive a power cut; that is what the broker's
acknowledgement waits for. A row newer than the last time of its series is new without a look-up; the last times are
filled from the file when a series is first met, so a restart overwrites nothing. `readings.value` has no column type:
a REAL column would turn -0.0 into 0.0.

A batch in which every row is newer than its series (nearly all are) is written without deciding row by row, sorted by
key and some thousand rows a statement (`hub.core.statements`).

One process writes. Others open the file with `readonly=True`: WAL lets them read while it grows, and as long as the
file does not exist they find nothing. Should a second writer come in all the same, its rows are met as a violated
primary key: the last times are then read anew and the batch is decided once more.

Schema 2 counts what was forgotten by retention (`_sqlite_retention`); a file of schema 1 gets its table when opened.
"""

import asyncio
import shutil
import sqlite3
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import repeat
from math import isfinite
from pathlib import Path
from typing import NamedTuple, TypeVar

import msgspec
import numpy as np

from hub.core.errors import HubError, Invalid, Reject, SchemaTooNew, Stop
from hub.core.places import check_device_id
from hub.core.ports import PartHealth
from hub.core.quantities import Quantities
from hub.core.readings import Columns, Outcome, PutResult, Reading, ReadingBatch, ReadingGroup, Series, TimeSource
from hub.core.statements import divided, many_values
from hub.storage._reading_columns import ROW, Rows, columns
from hub.storage._reading_key import FIRST_NS, LAST_NS, conflict_words, decide, fault
from hub.storage._sqlite_access import opened, transaction, wrap
from hub.storage._sqlite_retention import TABLE as DROPPED
from hub.storage._sqlite_retention import Forgetting, dropped
from hub.storage.retention import by_quantity

SCHEMA = 2
_MIN_FREE_BYTES = 200_000_000
_PART = "readings (SQLite)"
_TABLES = (
    """CREATE TABLE series (
        id INTEGER PRIMARY KEY, device TEXT NOT NULL, quantity TEXT NOT NULL, UNIQUE (device, quantity))""",
    """CREATE TABLE readings (
        series INTEGER NOT NULL, time INTEGER NOT NULL, value NOT NULL, flag INTEGER NOT NULL, origin INTEGER NOT NULL,
        revision INTEGER NOT NULL, time_source INTEGER NOT NULL, PRIMARY KEY (series, time)) WITHOUT ROWID""",
    DROPPED,
    f"PRAGMA user_version = {SCHEMA}",
)
_FROM_1 = (DROPPED, f"PRAGMA user_version = {SCHEMA}")
_PRAGMAS = (
    "PRAGMA journal_mode = WAL",
    "PRAGMA synchronous = FULL",
    "PRAGMA cache_size = -32768",  # 32 MiB: the newest pages of some thousand series
    "PRAGMA wal_autocheckpoint = 4000",  # 16 MiB: fewer, longer checkpoints than the default's 4 MiB
    "PRAGMA journal_size_limit = 67108864",
)
_INSERT = "INSERT INTO readings VALUES (?, ?, ?, ?, ?, ?, ?)"
_REPLACE = _INSERT.replace("INSERT", "INSERT OR REPLACE")
_ONE = "SELECT value, flag, origin, revision, time_source FROM readings WHERE series = ? AND time = ?"
_NEWEST = (
    "SELECT time, value, flag, origin, revision, time_source FROM readings WHERE series = ? ORDER BY time DESC LIMIT 1"
)
_SCAN = "SELECT time, value, flag, origin FROM readings WHERE series = ? AND time >= ? AND time < ? ORDER BY time"
_HOLDS = "SELECT device, quantity FROM series AS s WHERE EXISTS (SELECT 1 FROM readings WHERE series = s.id)"
_COUNTS = (
    "SELECT device, sum((SELECT count(*) FROM readings WHERE series = s.id)) AS n FROM series AS s "
    "WHERE ?1 IS NULL OR device IN (SELECT value FROM json_each(?1)) GROUP BY device HAVING n > 0"
)
_SOURCES = (TimeSource.DEVICE, TimeSource.SERVER, TimeSource.ARRIVAL)  # stored by position: append only
_SOURCE_CODE = {source: code for code, source in enumerate(_SOURCES)}
_Row = tuple[int, int, float, int, int, int, int]
_Key = tuple[int, int]
T = TypeVar("T")
_MOST_SETS = 200_000
_PLAIN = "INSERT INTO readings (series, time, value, flag, origin, revision, time_source) VALUES "
_PLAIN_ROW = "(?, ?, ?, 1, ?, 0, 0)"


class _Fresh(NamedTuple):
    """Rows that are plainly new: those of groups, all others, and the newest time of each series."""

    plain: list[tuple[int, int, float, int]]
    other: list[_Row]
    newest: dict[int, int]


class SqliteReadingStore:
    """A `ReadingStore` in the file `path`; opened by the first call that needs it."""

    def __init__(
        self,
        path: Path,
        quantities: Quantities,
        *,
        readonly: bool = False,
        busy_timeout_s: float = 5.0,
        keep: Mapping[str, int] | None = None,
    ) -> None:
        self._path = path
        self._quantities = quantities
        self._readonly = readonly
        self._busy_timeout_s = busy_timeout_s
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="readings-sqlite")
        self._db: sqlite3.Connection | None = None
        self._ids: dict[tuple[str, str], int] = {}
        self._id_sets: dict[tuple[str, tuple[str, ...]], tuple[int, ...]] = {}
        self._last: dict[int, int] = {}
        self._forgetting = Forgetting(by_quantity(keep or {}, quantities))

    async def put(self, rows: Sequence[Reading]) -> PutResult:
        """Store what is new under the key rule of `hub.storage._reading_key`; synced to disk on return."""
        if self._readonly:
            raise Stop(f"{self._path} is opened for reading only: readings are written by ingest alone")
        batch = ReadingBatch.of(rows)
        return await self._run(lambda db: self._put(db, batch), PutResult([Outcome.REJECTED] * len(rows)))

    async def scan(self, series: Sequence[Series], start: int, end: int) -> Columns:
        """All readings of the series with start <= time < end (ns)."""
        bounds = max(start, FIRST_NS), min(end, 2**63 - 1)
        return await self._run(lambda db: self._scan(db, series, *bounds), columns(series, {}))

    async def latest(self, series: Sequence[Series]) -> Mapping[Series, Reading]:
        """The newest reading of each series that has one."""
        return await self._run(lambda db: self._latest(db, series), {})

    async def series(self, devices: Sequence[str] | None = None) -> Sequence[Series]:
        """All series that hold readings, of the devices named or of all."""
        nothing: list[Series] = []
        found = await self._run(lambda db: [Series(*row) for row in db.execute(_HOLDS)], nothing)
        wanted = None if devices is None else set(devices)
        return sorted(s for s in found if wanted is None or s.device in wanted)

    async def counts(self, devices: Sequence[str] | None = None) -> Mapping[str, int]:
        """How many readings the file holds of each device that has any, of the devices named or of all."""
        wanted = None if devices is None else msgspec.json.encode(list(devices)).decode()
        return await self._run(lambda db: {row[0]: row[1] for row in db.execute(_COUNTS, (wanted,))}, {})

    async def forget(self, now: int) -> bool:
        """Delete a piece of what is older than its domain's retention; whether there may be more of it."""
        if self._readonly:
            raise Stop(f"{self._path} is opened for reading only: readings are deleted by ingest alone")
        return await self._run(lambda db: self._forget_piece(db, now), False)

    async def dropped(self) -> Mapping[str, int]:
        """How many readings of each device retention has deleted."""
        return await self._run(dropped, {})

    async def check(self) -> PartHealth:
        """Read from the file, and look at the room on its disk."""
        try:
            count = await self._run(lambda db: int(db.execute("SELECT count(*) FROM series").fetchone()[0]), 0)
            free = shutil.disk_usage(self._path.parent).free
        except HubError as error:
            return PartHealth(_PART, False, str(error), "See the log, then start the hub again.")
        except OSError as error:
            return PartHealth(_PART, False, str(error), f"Make {self._path.parent} and let the hub write there.")
        room = f"{self._path}: {count} series, {free / 1e9:.1f} GB free"
        if free < _MIN_FREE_BYTES:
            return PartHealth(_PART, False, room, "Make room on this disk: when it is full, no readings are taken in.")
        return PartHealth(_PART, True, room)

    async def close(self) -> None:
        """Close the file; the writer's close merges the write-ahead log into it."""
        await asyncio.get_running_loop().run_in_executor(self._thread, self._close)
        self._thread.shutdown()

    async def _run(self, work: Callable[[sqlite3.Connection], T], absent: T) -> T:
        """Do `work` in the file's thread; `absent` is the answer where a reader finds no file yet."""
        return await asyncio.get_running_loop().run_in_executor(self._thread, self._guarded, work, absent)

    def _guarded(self, work: Callable[[sqlite3.Connection], T], absent: T) -> T:
        try:
            if self._db is None:
                self._db = self._open()
            return absent if self._db is None else work(self._db)
        except sqlite3.Error as error:
            raise wrap(error, self._path) from error

    def _open(self) -> sqlite3.Connection | None:
        return opened(self._path, self._prepare, readonly=self._readonly, busy_timeout_s=self._busy_timeout_s)

    def _prepare(self, db: sqlite3.Connection) -> bool:
        version = int(db.execute("PRAGMA user_version").fetchone()[0])
        if version > SCHEMA:
            raise SchemaTooNew(f"{self._path} has schema {version}, this release knows {SCHEMA}: install the newer one")
        if version == 0 and db.execute("SELECT 1 FROM sqlite_master").fetchone():
            raise Stop(f"{self._path} is no readings file of the hub: name another file or move this one away")
        if self._readonly:
            return version > 0
        for pragma in _PRAGMAS:
            db.execute(pragma)
        if version < SCHEMA:
            transaction(db, lambda: [db.execute(statement) for statement in (_FROM_1 if version else _TABLES)])
        return True

    def _close(self) -> None:
        if self._db is not None:
            self._db.close()
            self._db = None

    def _put(self, db: sqlite3.Connection, rows: ReadingBatch) -> PutResult:
        def work() -> PutResult:
            fresh = self._all_new(db, rows)
            return self._decide_and_write(db, rows) if fresh is None else self._write_new(db, fresh, len(rows))

        try:
            return self._transaction(db, work)
        except sqlite3.IntegrityError:  # a second writer: what was remembered of the file was out of date
            return self._transaction(db, work)

    def _transaction(self, db: sqlite3.Connection, work: Callable[[], T]) -> T:
        try:
            return transaction(db, work)
        except BaseException:
            self._forget()  # ids given in a transaction that was rolled back must not be used again
            raise

    def _forget_piece(self, db: sqlite3.Connection, now: int) -> bool:
        return self._forgetting.move(transaction(db, lambda: self._forgetting.piece(db, now)))

    def _forget(self) -> None:
        self._ids.clear()
        self._id_sets.clear()
        self._last.clear()

    def _all_new(self, db: sqlite3.Connection, batch: ReadingBatch) -> "_Fresh | None":
        """The rows to insert when all are newer than what their series hold, and fit to be stored; else None."""
        fresh, last = _Fresh([], [], {}), self._last
        newest = fresh.newest
        for part in batch.parts:
            if type(part) is ReadingGroup:
                found, time = self._ids_of(db, part), part.time
                if found is None or not FIRST_NS < time <= LAST_NS or not all(map(isfinite, part.values)):
                    return None
                ids = found
                fresh.plain.extend(zip(ids, repeat(time), part.values, repeat(part.origin)))
            elif isinstance(part, Reading):
                series = self._ids.get((part.device, part.quantity))
                if series is None or fault(part) is not None:
                    return None
                ids, time = (series,), part.time
                fresh.other.append(_row((series, time), part))
            for series in ids:
                if time <= last[series] or time <= newest.get(series, FIRST_NS):
                    return None
                newest[series] = time
        return fresh

    def _ids_of(self, db: sqlite3.Connection, group: ReadingGroup) -> tuple[int, ...] | None:
        """Ids of the group's series, None when one cannot be."""
        key = group.device, group.quantities
        found = self._id_sets.get(key)
        if found is None:
            for row in group.readings():
                if (row.device, row.quantity) not in self._ids and self._series_id(db, row)[0] is None:
                    return None
            if len(self._id_sets) >= _MOST_SETS:
                self._id_sets.clear()
            found = tuple([self._ids[group.device, quantity] for quantity in group.quantities])
            self._id_sets[key] = found
        return found

    def _write_new(self, db: sqlite3.Connection, fresh: "_Fresh", count: int) -> PutResult:
        plain = sorted(fresh.plain)
        for some, values in divided(plain):
            db.execute(_PLAIN + many_values(_PLAIN_ROW, some), values)
        db.executemany(_INSERT, sorted(fresh.other))
        self._last.update(fresh.newest)
        return PutResult([Outcome.STORED] * count)

    def _decide_and_write(self, db: sqlite3.Connection, rows: Sequence[Reading]) -> PutResult:
        outcomes = [Outcome.STORED] * len(rows)
        errors: dict[int, str] = {}
        pending: dict[_Key, Reading] = {}
        replaced: set[_Key] = set()
        ids, last = self._ids, self._last
        for i, row in enumerate(rows):
            series = ids.get((row.device, row.quantity))
            words = fault(row)
            if series is None and words is None:
                series, words = self._series_id(db, row)
            if words is not None or series is None:
                outcomes[i], errors[i] = Outcome.REJECTED, words or ""
                continue
            key = (series, row.time)
            held = pending.get(key)
            if held is None:
                if row.time <= last[series]:
                    held = _held(db, row, key)
                if held is None:
                    pending[key] = row
                    continue
                replaced.add(key)
            outcomes[i], replaces = decide(held, row)
            if replaces:
                pending[key] = row
            elif outcomes[i] is Outcome.CONFLICT:
                errors[i] = conflict_words(held)
        self._write(db, pending, replaced)
        return PutResult(outcomes, errors)

    def _write(self, db: sqlite3.Connection, pending: Mapping[_Key, Reading], replaced: set[_Key]) -> None:
        fresh = sorted(_row(key, row) for key, row in pending.items() if key not in replaced)
        db.executemany(_INSERT, fresh)
        db.executemany(_REPLACE, [_row(key, row) for key, row in pending.items() if key in replaced])
        self._last.update((row[0], row[1]) for row in fresh if row[1] > self._last[row[0]])

    def _series_id(self, db: sqlite3.Connection, row: Reading) -> tuple[int | None, str | None]:
        """Id of the row's series, made where there is none, its last time remembered; or why there can be none."""
        try:
            check_device_id(row.device)
            self._quantities.get(row.quantity)
        except (Reject, Invalid) as error:
            return None, error.detail
        series = _find(db, row.series)
        if series is None:
            series = db.execute("INSERT INTO series (device, quantity) VALUES (?, ?)", row.series).lastrowid or 0
        newest = db.execute(_NEWEST, (series,)).fetchone()
        self._last[series] = newest[0] if newest else FIRST_NS - 1
        self._ids[row.device, row.quantity] = series
        return series, None

    def _scan(self, db: sqlite3.Connection, series: Sequence[Series], start: int, end: int) -> Columns:
        parts: dict[Series, Rows] = {}
        for s in set(series):
            found = _find(db, s)
            if found is not None:
                parts[s] = np.fromiter(db.execute(_SCAN, (found, start, end)), ROW)
        return columns(series, parts)

    def _latest(self, db: sqlite3.Connection, series: Sequence[Series]) -> Mapping[Series, Reading]:
        newest = {}
        for s in set(series):
            row = db.execute(_NEWEST, (_find(db, s),)).fetchone()
            if row:
                newest[s] = _reading(s, *row)
        return newest


def _find(db: sqlite3.Connection, series: Series) -> int | None:
    found = db.execute("SELECT id FROM series WHERE device = ? AND quantity = ?", series).fetchone()
    return int(found[0]) if found else None


def _held(db: sqlite3.Connection, row: Reading, key: _Key) -> Reading | None:
    found = db.execute(_ONE, key).fetchone()
    return _reading(row.series, row.time, *found) if found else None


def _row(key: _Key, row: Reading) -> _Row:
    return (*key, float(row.value), row.flag, row.origin, row.revision, _SOURCE_CODE[row.time_source])


def _reading(series: Series, time: int, value: float, flag: int, origin: int, revision: int, source: int) -> Reading:
    return Reading(
        series.device,
        series.quantity,
        value,
        time,
        flag=flag,
        time_source=_SOURCES[source],
        revision=revision,
        origin=origin,
    )
