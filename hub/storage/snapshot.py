# SPDX-License-Identifier: EUPL-1.2
"""A SQLite file held still while others go on writing to it, and copied as it was at that moment.

A read transaction on a file in WAL mode sees one state from its first statement on. Several files are thus held at
(almost) one moment, and copied at leisure afterwards: the copy is made inside the same transaction, through SQLite's
own backup, page by page. While a file is held its write-ahead log cannot be folded in, so it grows for that long.
"""

import contextlib
import sqlite3
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Self

from hub.core.errors import Stop
from hub.storage._sqlite_access import wrap


class HeldFile:
    """One file at the moment at which this was made. Use as a context manager, or `close` it."""

    def __init__(self, path: Path, busy_timeout_s: float = 10.0) -> None:
        self._path = path
        try:
            self._db = sqlite3.connect(
                f"{path.resolve().as_uri()}?mode=ro", uri=True, isolation_level=None, timeout=busy_timeout_s
            )
            self._db.execute("BEGIN")
            self._db.execute("SELECT count(*) FROM sqlite_master").fetchone()
        except sqlite3.Error as error:
            raise wrap(error, path) from error

    def rows(self, sql: str, arguments: Sequence[object] = ()) -> list[tuple[Any, ...]]:
        """What the held state answers."""
        try:
            return self._db.execute(sql, arguments).fetchall()
        except sqlite3.Error as error:
            raise wrap(error, self._path) from error

    def copy(self, target: Path) -> None:
        """Write the held state to a new file, synced. Raise Retry when the disk is full."""
        with contextlib.closing(sqlite3.connect(target, isolation_level=None)) as copy:
            try:
                self._db.backup(copy, pages=4096)
                copy.execute("PRAGMA journal_mode = DELETE")  # one file, nothing beside it
                (found,) = copy.execute("PRAGMA quick_check(1)").fetchone()
            except sqlite3.Error as error:
                raise wrap(error, target) from error
        if found != "ok":
            raise Stop(f"{self._path} is damaged ({found}): restore it from an older backup")

    def close(self) -> None:
        """Let the file go on."""
        self._db.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
