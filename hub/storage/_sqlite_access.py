# SPDX-License-Identifier: EUPL-1.2
"""Files of SQLite: how they are opened, transactions, and what an error of SQLite asks for."""

import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from hub.core.errors import HubError, Retry, Stop

T = TypeVar("T")
_RETRY = {
    sqlite3.SQLITE_BUSY: "the file is locked by another process",
    sqlite3.SQLITE_LOCKED: "the file is locked by another process",
    sqlite3.SQLITE_FULL: "the disk is full: make room, the hub goes on by itself",
    sqlite3.SQLITE_IOERR: "the disk cannot be written or read: make room or check it",
    sqlite3.SQLITE_NOMEM: "out of memory",
}


def wrap(error: sqlite3.Error, path: Path) -> HubError:
    """The error of ours that one of the driver means."""
    code = getattr(error, "sqlite_errorcode", sqlite3.SQLITE_ERROR) & 0xFF
    if code in _RETRY:
        return Retry(f"{path}: {_RETRY[code]} ({error})", after=2.0)
    if code in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB):
        return Stop(f"{path} is damaged or no readings file ({error}): restore it from a backup")
    return Stop(f"{path}: {error}")


def transaction(db: sqlite3.Connection, work: Callable[[], T]) -> T:
    """Do `work` in one immediate transaction; all of it or nothing."""
    db.execute("BEGIN IMMEDIATE")
    try:
        result = work()
        db.execute("COMMIT")
    except BaseException:
        if db.in_transaction:  # a full disk may have rolled back already
            db.execute("ROLLBACK")
        raise
    return result


def opened(
    path: Path, prepare: Callable[[sqlite3.Connection], bool], *, readonly: bool, busy_timeout_s: float
) -> sqlite3.Connection | None:
    """A connection that `prepare` has checked; None where a reader's file does not exist or has no tables yet."""
    if path.is_dir():
        raise Stop(f"{path} is a directory: name a file in it")
    if readonly and not path.exists():
        return None
    uri = f"{path.resolve().as_uri()}?mode={'ro' if readonly else 'rwc'}"
    db = sqlite3.connect(uri, uri=True, isolation_level=None, timeout=busy_timeout_s)
    try:
        usable = prepare(db)
    except BaseException:
        db.close()
        raise
    if not usable:
        db.close()
    return db if usable else None
