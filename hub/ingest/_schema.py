# SPDX-License-Identifier: EUPL-1.2
"""Schema of `ingest-<n>.db` and how its connections are opened.

`PRAGMA user_version` is the schema version: a newer file is refused. WAL with synchronous=FULL, because a commit here
is what allows the acknowledgement; readers of other processes never block the writer.
"""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from hub.core.errors import HubError, Retry, SchemaTooNew, Stop

VERSION = 1

SCHEMA = """
CREATE TABLE touch (
    seq INTEGER PRIMARY KEY AUTOINCREMENT, device TEXT NOT NULL, quantity TEXT NOT NULL, hour INTEGER NOT NULL);
CREATE TABLE account (
    hour INTEGER NOT NULL, connector TEXT NOT NULL, device TEXT NOT NULL,
    received INTEGER NOT NULL, decoded INTEGER NOT NULL, quarantined INTEGER NOT NULL, refused INTEGER NOT NULL,
    ignored INTEGER NOT NULL, readings INTEGER NOT NULL, stored INTEGER NOT NULL, duplicate INTEGER NOT NULL,
    conflict INTEGER NOT NULL, rejected INTEGER NOT NULL,
    PRIMARY KEY (hour, connector, device)) WITHOUT ROWID;
CREATE TABLE reason_count (
    connector TEXT NOT NULL, reason TEXT NOT NULL, n INTEGER NOT NULL, PRIMARY KEY (connector, reason)) WITHOUT ROWID;
CREATE TABLE quarantine (
    id INTEGER PRIMARY KEY AUTOINCREMENT, received INTEGER NOT NULL, topic TEXT NOT NULL, payload BLOB NOT NULL,
    reason TEXT NOT NULL, detail TEXT NOT NULL, connector TEXT NOT NULL, external_id TEXT NOT NULL,
    device TEXT NOT NULL, scope TEXT NOT NULL, readings INTEGER NOT NULL, retain INTEGER NOT NULL,
    state TEXT NOT NULL, attempts INTEGER NOT NULL);
CREATE INDEX quarantine_source ON quarantine (state, connector, external_id);
CREATE INDEX quarantine_reason ON quarantine (state, reason);
CREATE TABLE event (
    id INTEGER PRIMARY KEY AUTOINCREMENT, device TEXT NOT NULL, connector TEXT NOT NULL, external_id TEXT NOT NULL,
    kind TEXT NOT NULL, level TEXT NOT NULL, reason TEXT NOT NULL, text TEXT NOT NULL,
    time INTEGER NOT NULL, received INTEGER NOT NULL);
CREATE INDEX event_device ON event (device, id);
CREATE TABLE seen (
    device TEXT PRIMARY KEY, received INTEGER NOT NULL, time INTEGER, messages INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE untimed (hash BLOB PRIMARY KEY, received INTEGER NOT NULL) WITHOUT ROWID;
"""


@contextmanager
def wrapped(path: Path) -> Iterator[None]:
    """Turn sqlite3's errors into the hub's: full disk and locks are Retry, a broken file is Stop."""
    try:
        yield
    except sqlite3.OperationalError as error:
        raise Retry(f"journal {path.name}: {error}", after=1.0) from error
    except sqlite3.DatabaseError as error:
        raise Stop(f"journal {path.name} cannot be used: {error}; restore it from a backup") from error


def open_writer(path: Path) -> sqlite3.Connection:
    """Open for the one writer; creates the file when missing."""
    with wrapped(path):
        connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
        try:
            connection.execute("PRAGMA busy_timeout = 5000")
            connection.execute("PRAGMA journal_mode = WAL")
            connection.execute("PRAGMA synchronous = FULL")
            if _version(connection, path) == 0:
                connection.executescript(f"BEGIN IMMEDIATE; {SCHEMA} PRAGMA user_version = {VERSION}; COMMIT;")
        except (sqlite3.Error, HubError):
            connection.close()
            raise
        return connection


def open_reader(path: Path) -> sqlite3.Connection | None:
    """Open read-only; None while the writer has not made the file yet."""
    if not path.exists():
        return None
    with wrapped(path):
        connection = sqlite3.connect(f"file:{path}?mode=ro", uri=True, isolation_level=None, check_same_thread=False)
        try:
            connection.execute("PRAGMA busy_timeout = 5000")
            ready = _version(connection, path) > 0
        except (sqlite3.Error, HubError):
            connection.close()
            raise
        if not ready:
            connection.close()
            return None
        return connection


def _version(connection: sqlite3.Connection, path: Path) -> int:
    version = int(connection.execute("PRAGMA user_version").fetchone()[0])
    if version > VERSION:
        raise SchemaTooNew(f"{path.name} has schema {version}, this release knows {VERSION}: upgrade cityhub")
    return version
