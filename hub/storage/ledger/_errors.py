# SPDX-License-Identifier: EUPL-1.2
"""What a database's failure means to the hub.

Tables say it: SQLite by the name of its result code, PostgreSQL by SQLSTATE (its failures to connect carry none, so
there the server's words count). The texts name the ledger (never its password) and hold no parameters of the statement,
because those may be secrets' hashes.

    locked, server away, disk full          Retry    nothing was lost, the transaction did not happen
    wrong login, foreign or damaged file    Stop     the operator has to act
    a value that no column takes            Invalid  the caller has to act
"""

import sqlite3
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import partial

from sqlalchemy.exc import DBAPIError, IntegrityError, SQLAlchemyError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from hub.core.errors import HubError, Invalid, Retry, Stop

Maker = Callable[[str], HubError]

_FULL = partial(Retry, after=30.0)
_AWAY = partial(Retry, after=2.0)

SQLITE: Mapping[str, tuple[Maker, str]] = {
    "SQLITE_BUSY": (Retry, "another process holds it for longer than the busy timeout"),
    "SQLITE_LOCKED": (Retry, "another connection holds it"),
    "SQLITE_FULL": (_FULL, "the disk is full: free some space"),
    "SQLITE_CANTOPEN": (Stop, "cannot be opened: check that its folder exists and that the hub may write there"),
    "SQLITE_READONLY": (Stop, "is read-only: check owner and mode of the file and its folder"),
    "SQLITE_PERM": (Stop, "access denied: check owner and mode of the file"),
    "SQLITE_NOTADB": (Stop, "is no SQLite file: check the path, or restore it from a backup"),
    "SQLITE_CORRUPT": (Stop, "is damaged: restore it from a backup"),
    "SQLITE_IOERR": (Stop, "the disk fails: check the system's log"),
    "SQLITE_TOOBIG": (Invalid, "a text is too long to be stored"),
    "SQLITE_MISMATCH": (Invalid, "a value has the wrong type for its column"),
}

POSTGRESQL: Mapping[str, tuple[Maker, str]] = {
    "08": (_AWAY, "the connection was lost"),
    "57P": (_AWAY, "the server is stopping or starting"),
    "57014": (Retry, "the statement was cancelled"),
    "53100": (_FULL, "the server's disk is full: free some space"),
    "53": (_AWAY, "the server is out of resources"),
    "55P03": (Retry, "another process holds it for longer than the lock timeout"),
    "40": (Retry, "another transaction was in the way"),
    "22": (Invalid, "a value does not fit its column"),
    "28": (Stop, "login refused: check user and password of the setting ledger.url"),
    "3D": (Stop, "there is no such database: create it, or check the setting ledger.url"),
    "42501": (Stop, "the user lacks a privilege"),
    "42P01": (Stop, "a table is missing: run `cityhub init`"),
    "25006": (Stop, "the database is read-only"),
}

CONNECT: Mapping[str, tuple[Maker, str]] = {
    "authentication failed": POSTGRESQL["28"],
    "no password supplied": POSTGRESQL["28"],
    "no pg_hba.conf entry": POSTGRESQL["28"],
    "role ": POSTGRESQL["28"],
    "does not exist": POSTGRESQL["3D"],
}


def _lookup(table: Mapping[str, tuple[Maker, str]], code: str) -> tuple[Maker, str] | None:
    """Entry of the longest key that `code` begins with."""
    best = max((key for key in table if code.startswith(key)), key=len, default=None)
    return table[best] if best else None


def _postgres_entry(state: str | None, words: str) -> tuple[Maker, str]:
    if state:
        return _lookup(POSTGRESQL, state) or (Stop, f"unexpected error {state}")
    return next((entry for part, entry in CONNECT.items() if part in words), (_AWAY, "the server does not answer"))


def _entry(driver_error: BaseException) -> tuple[Maker, str]:
    if isinstance(driver_error, sqlite3.Error):
        code = getattr(driver_error, "sqlite_errorname", None) or ""
        return _lookup(SQLITE, code) or (Stop, f"unexpected error {code}".strip())
    return _postgres_entry(getattr(driver_error, "sqlstate", None), str(driver_error))


def translate(error: Exception, where: str) -> HubError:
    """The hub's error for one of SQLAlchemy's or of a value that a driver cannot take; `where` names the ledger."""
    if isinstance(error, PoolTimeout):
        return Retry(f"ledger {where}: all connections are in use")
    if isinstance(error, IntegrityError):
        return Invalid(f"contradicts what is stored: {_first_line(error.orig)}", f"ledger {where}")
    if isinstance(error, DBAPIError) and error.orig is not None:
        make, meaning = _entry(error.orig)
        return make(f"ledger {where}: {meaning} ({_first_line(error.orig)})")
    if isinstance(error, SQLAlchemyError):
        return Stop(f"ledger {where}: {_first_line(error)}")
    return Invalid(f"a value cannot be stored: {_first_line(error)}", f"ledger {where}")


def _first_line(error: object) -> str:
    return next(iter(str(error).strip().splitlines()), type(error).__name__)


@contextmanager
def wrapped(where: str) -> Iterator[None]:
    """Let only errors of `hub.core.errors` out of the block."""
    try:
        yield
    except (SQLAlchemyError, sqlite3.Error, OverflowError, UnicodeEncodeError) as error:
        raise translate(error, where) from error
