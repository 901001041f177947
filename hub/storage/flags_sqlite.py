# SPDX-License-Identifier: EUPL-1.2
"""Findings of quality control in one SQLite file beside the readings, for the embedded default.

A file of its own, because `readings.db` belongs to ingest and every SQLite file has one writer: this one is the
engine's. Only what is not good (or is explained) has a row. `replace` reads a stretch first and writes where it
differs, so work that changes nothing costs no sync. The file is derived: without it the engine's `recompute` fills a
new one, so it syncs at checkpoints only (synchronous=NORMAL), which never damages it.
"""

import asyncio
import sqlite3
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TypeVar

from hub.core.errors import SchemaTooNew, Stop
from hub.core.ports import FlagStretch, QualityFinding
from hub.core.readings import Series
from hub.storage._sqlite_access import opened, transaction, wrap

SCHEMA = 1
_TABLES = (
    """CREATE TABLE series (
        id INTEGER PRIMARY KEY, device TEXT NOT NULL, quantity TEXT NOT NULL, UNIQUE (device, quantity))""",
    """CREATE TABLE findings (
        series INTEGER NOT NULL, time INTEGER NOT NULL, flag INTEGER NOT NULL, test TEXT NOT NULL,
        PRIMARY KEY (series, time)) WITHOUT ROWID""",
    f"PRAGMA user_version = {SCHEMA}",
)
_READ = "SELECT time, flag, test FROM findings WHERE series = ? AND time >= ? AND time < ? ORDER BY time"
_CLEAR = "DELETE FROM findings WHERE series = ? AND time >= ? AND time < ?"
_INSERT = "INSERT INTO findings VALUES (?, ?, ?, ?)"
_LAST = 2**63 - 1
T = TypeVar("T")


class SqliteFlagStore:
    """A `FlagStore` in the file `path`; opened by the first call that needs it. `readonly`: for all but the engine."""

    def __init__(self, path: Path, *, readonly: bool = False, busy_timeout_s: float = 5.0) -> None:
        self._path = path
        self._readonly = readonly
        self._busy_timeout_s = busy_timeout_s
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="flags-sqlite")
        self._db: sqlite3.Connection | None = None
        self._ids: dict[Series, int] = {}

    async def replace(self, stretches: Sequence[FlagStretch]) -> None:
        """Make the stretches say this and nothing else."""
        if self._readonly:
            raise Stop(f"{self._path} is opened for reading only: flags are written by the engine alone")
        await self._run(lambda db: self._replace(db, stretches), None)

    async def findings(
        self, series: Sequence[Series], start: int, end: int
    ) -> Mapping[tuple[Series, int], QualityFinding]:
        """Findings on the series with start <= time < end (ns)."""

        def work(db: sqlite3.Connection) -> dict[tuple[Series, int], QualityFinding]:
            self._learn(db)
            return {
                (s, time): finding
                for s in series
                for time, finding in self._read(db, FlagStretch(s, start, end, {})).items()
            }

        return await self._run(work, {})

    async def close(self) -> None:
        """Close the file."""
        await asyncio.get_running_loop().run_in_executor(self._thread, self._close)
        self._thread.shutdown()

    def _replace(self, db: sqlite3.Connection, stretches: Sequence[FlagStretch]) -> None:
        self._learn(db)
        changed = [s for s in stretches if self._read(db, s) != s.findings]
        if changed:
            try:
                transaction(db, lambda: self._write(db, changed))
            except BaseException:
                self._ids.clear()  # ids given in a transaction that was rolled back must not be used again
                raise

    def _write(self, db: sqlite3.Connection, stretches: Sequence[FlagStretch]) -> None:
        for stretch in stretches:
            number = self._number(db, stretch.series)
            db.execute(_CLEAR, (number, stretch.start, min(stretch.end, _LAST)))
            db.executemany(_INSERT, [(number, time, *found) for time, found in sorted(stretch.findings.items())])

    def _read(self, db: sqlite3.Connection, stretch: FlagStretch) -> Mapping[int, QualityFinding]:
        number = self._ids.get(stretch.series)
        if number is None:
            return {}
        rows = db.execute(_READ, (number, stretch.start, min(stretch.end, _LAST)))
        return {time: QualityFinding(flag, test) for time, flag, test in rows}

    def _learn(self, db: sqlite3.Connection) -> None:
        """Numbers of all series; a reader's grow while the engine writes."""
        if self._readonly or not self._ids:
            rows = db.execute("SELECT device, quantity, id FROM series")
            self._ids = {Series(device, quantity): number for device, quantity, number in rows}

    def _number(self, db: sqlite3.Connection, series: Series) -> int:
        if series not in self._ids:
            row = db.execute("INSERT INTO series (device, quantity) VALUES (?, ?) RETURNING id", series).fetchone()
            self._ids[series] = int(row[0])
        return self._ids[series]

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
        if self._readonly:
            return version > 0
        db.execute("PRAGMA journal_mode = WAL")
        db.execute("PRAGMA synchronous = NORMAL")
        if version < SCHEMA:
            transaction(db, lambda: [db.execute(statement) for statement in _TABLES])
        return True

    def _close(self) -> None:
        if self._db is not None:
            self._db.close()
            self._db = None
