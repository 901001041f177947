# SPDX-License-Identifier: EUPL-1.2
"""Schema of `ingest-<n>.db` and how its connections are opened.

`PRAGMA user_version` is the schema version: a newer file is refused. WAL with synchronous=FULL, because a commit here
is what allows the acknowledgement; readers of other processes never block the writer.
"""

import sqlite3
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from hub.core.errors import HubError, Reject, Retry, SchemaTooNew, Stop

VERSION = 3
_PASSING = {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED, sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR, sqlite3.SQLITE_NOMEM}

SCHEMA = """
CREATE TABLE touch (
    seq INTEGER PRIMARY KEY AUTOINCREMENT, device TEXT NOT NULL, quantity TEXT NOT NULL, hour INTEGER NOT NULL);
CREATE TABLE account (
    hour INTEGER NOT NULL, connector TEXT NOT NULL, device TEXT NOT NULL,
    received INTEGER NOT NULL, decoded INTEGER NOT NULL, quarantined INTEGER NOT NULL, refused INTEGER NOT NULL,
    ignored INTEGER NOT NULL, readings INTEGER NOT NULL, stored INTEGER NOT NULL, duplicate INTEGER NOT NULL,
    conflict INTEGER NOT NULL, rejected INTEGER NOT NULL, replaced INTEGER NOT NULL,
    PRIMARY KEY (hour, connector, device)) WITHOUT ROWID;
CREATE TABLE reason_count (
    connector TEXT NOT NULL, reason TEXT NOT NULL, n INTEGER NOT NULL, PRIMARY KEY (connector, reason)) WITHOUT ROWID;
CREATE TABLE quarantine_other (
    quarantine INTEGER NOT NULL, external_id TEXT NOT NULL, PRIMARY KEY (external_id, quarantine)) WITHOUT ROWID;
CREATE TABLE identity (id INTEGER NOT NULL);
INSERT INTO identity VALUES (abs(random() % 4611686018427387903) + 1);
CREATE TABLE event (
    id INTEGER PRIMARY KEY AUTOINCREMENT, device TEXT NOT NULL, connector TEXT NOT NULL, external_id TEXT NOT NULL,
    kind TEXT NOT NULL, level TEXT NOT NULL, reason TEXT NOT NULL, text TEXT NOT NULL,
    time INTEGER NOT NULL, received INTEGER NOT NULL);
CREATE INDEX event_device ON event (device, id);
CREATE TABLE seen (
    device TEXT PRIMARY KEY, received INTEGER NOT NULL, time INTEGER, messages INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE untimed (hash BLOB PRIMARY KEY, received INTEGER NOT NULL) WITHOUT ROWID;
"""
_PROGRESS = """
CREATE TABLE progress (
    one INTEGER PRIMARY KEY CHECK (one = 1), batch INTEGER NOT NULL, segment INTEGER NOT NULL, offset INTEGER NOT NULL);
INSERT INTO progress VALUES (1, 0, 0, 0);
CREATE TABLE open_batch (
    number INTEGER PRIMARY KEY, started INTEGER NOT NULL, messages INTEGER NOT NULL, readings INTEGER NOT NULL);
"""
_REPAIRS = """
CREATE TABLE open_device (
    number INTEGER NOT NULL, device TEXT NOT NULL, readings INTEGER NOT NULL,
    PRIMARY KEY (number, device)) WITHOUT ROWID;
CREATE TABLE repair (
    id INTEGER PRIMARY KEY, kind TEXT NOT NULL, device TEXT NOT NULL, readings INTEGER NOT NULL, at INTEGER NOT NULL,
    batch INTEGER NOT NULL, connector TEXT NOT NULL, hour INTEGER NOT NULL);
"""
PROGRESS = _PROGRESS + _REPAIRS
# A payload lies at (segment, offset) of the segment log beside this file, or nowhere (0, 0); a refused one is a sample.
# `erasure` has the places of payloads that nobody refers to any more and whose bytes are still to be erased.
QUARANTINE = """
CREATE TABLE quarantine (
    id INTEGER PRIMARY KEY AUTOINCREMENT, received INTEGER NOT NULL, topic TEXT NOT NULL,
    reason TEXT NOT NULL, detail TEXT NOT NULL, connector TEXT NOT NULL, external_id TEXT NOT NULL,
    device TEXT NOT NULL, scope TEXT NOT NULL, conflicts INTEGER NOT NULL, rejects INTEGER NOT NULL,
    retain INTEGER NOT NULL, state TEXT NOT NULL, attempts INTEGER NOT NULL, size INTEGER NOT NULL,
    stands_for INTEGER NOT NULL DEFAULT 1, why TEXT NOT NULL DEFAULT '', "by" TEXT NOT NULL DEFAULT '',
    changed INTEGER NOT NULL DEFAULT 0,
    segment INTEGER NOT NULL DEFAULT 0, offset INTEGER NOT NULL DEFAULT 0, sample BLOB);
CREATE INDEX quarantine_source ON quarantine (state, connector, external_id);
CREATE INDEX quarantine_reason ON quarantine (state, reason);
CREATE INDEX quarantine_received ON quarantine (received);
CREATE INDEX quarantine_segment ON quarantine (segment) WHERE segment > 0;
CREATE TABLE quarantine_forgotten (
    connector TEXT NOT NULL, device TEXT NOT NULL, messages INTEGER NOT NULL,
    PRIMARY KEY (connector, device)) WITHOUT ROWID;
CREATE TABLE refusal (
    connector TEXT NOT NULL, source TEXT NOT NULL, reason TEXT NOT NULL, messages INTEGER NOT NULL,
    since INTEGER NOT NULL, until INTEGER NOT NULL, first INTEGER NOT NULL, last INTEGER,
    PRIMARY KEY (connector, source, reason)) WITHOUT ROWID;
CREATE TABLE erasure (
    segment INTEGER NOT NULL, offset INTEGER NOT NULL, PRIMARY KEY (segment, offset)) WITHOUT ROWID;
"""
# Since version 3: the last uplinks and raw messages of each device, and an index for who is not registered.
SAMPLES = """
CREATE TABLE uplink (
    device TEXT NOT NULL, received INTEGER NOT NULL, frame INTEGER, rssi REAL, snr REAL, spreading_factor INTEGER,
    gateways TEXT NOT NULL, PRIMARY KEY (device, received)) WITHOUT ROWID;
CREATE TABLE sample (
    id INTEGER PRIMARY KEY, device TEXT NOT NULL, received INTEGER NOT NULL, connector TEXT NOT NULL,
    topic TEXT NOT NULL, payload BLOB NOT NULL, size INTEGER NOT NULL, verdict TEXT NOT NULL,
    readings INTEGER NOT NULL, reason TEXT NOT NULL, detail TEXT NOT NULL);
CREATE INDEX sample_device ON sample (device, received);
CREATE INDEX sample_received ON sample (received);
CREATE INDEX quarantine_newcomer ON quarantine (connector, external_id, received)
    WHERE state = 'waiting' AND reason = 'unknown_device';
"""
SCHEMA += PROGRESS + QUARANTINE + SAMPLES


@contextmanager
def wrapped(path: Path) -> Iterator[None]:
    """Turn sqlite3's errors into the hub's.

    A full disk, a lock, an input/output error are Retry; a row that SQLite cannot hold is Reject; the rest is Stop.
    """
    try:
        yield
    except (OverflowError, UnicodeEncodeError) as error:
        raise Reject("connector_failed", f"cannot be recorded: {error}") from error
    except sqlite3.OperationalError as error:
        code = (error.sqlite_errorcode or 0) & 0xFF
        if code in _PASSING:
            raise Retry(f"journal {path.name}: {error}", after=1.0) from error
        raise Stop(f"journal {path.name}: {error}") from error
    except sqlite3.DatabaseError as error:
        raise Stop(f"journal {path.name} cannot be used: {error}; restore it from a backup") from error


def open_writer(path: Path, upgrade: Mapping[int, Callable[[sqlite3.Connection], None]]) -> sqlite3.Connection:
    """Open for the one writer; creates the file when missing.

    `upgrade` has the step from each older version to the next; a step and its version are one transaction.
    """
    with wrapped(path):
        connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
        try:
            connection.execute("PRAGMA busy_timeout = 5000")
            connection.execute("PRAGMA journal_mode = WAL")
            connection.execute("PRAGMA synchronous = FULL")
            connection.execute("PRAGMA secure_delete = FAST")  # samples may hold personal data
            version = _version(connection, path)
            if version == 0:
                connection.executescript(f"BEGIN IMMEDIATE; {SCHEMA} PRAGMA user_version = {VERSION}; COMMIT;")
            for older in range(version or VERSION, VERSION):
                connection.execute("BEGIN IMMEDIATE")
                upgrade[older](connection)
                connection.execute(f"PRAGMA user_version = {older + 1}")
                connection.execute("COMMIT")
        except (sqlite3.Error, HubError):
            connection.close()
            raise
        return connection


def open_reader(path: Path) -> sqlite3.Connection | None:
    """Open read-only; None while the writer has not made the file yet, or not brought it to this version."""
    if not path.exists():
        return None
    with wrapped(path):
        connection = sqlite3.connect(
            f"{path.absolute().as_uri()}?mode=ro", uri=True, isolation_level=None, check_same_thread=False
        )
        try:
            connection.execute("PRAGMA busy_timeout = 5000")
            ready = _version(connection, path) == VERSION
        except (sqlite3.Error, HubError):
            connection.close()
            raise
        if not ready:
            connection.close()
            return None
        return connection


def identity_of(connection: sqlite3.Connection) -> int:
    """The random number that this very file was made with."""
    return int(connection.execute("SELECT id FROM identity").fetchone()[0])


def newest_of(connection: sqlite3.Connection) -> int:
    """The highest touch that this file ever had, forgotten ones included."""
    row = connection.execute("SELECT seq FROM sqlite_sequence WHERE name = 'touch'").fetchone()
    return int(row[0]) if row else 0


def _version(connection: sqlite3.Connection, path: Path) -> int:
    version = int(connection.execute("PRAGMA user_version").fetchone()[0])
    if version > VERSION:
        raise SchemaTooNew(f"{path.name} has schema {version}, this release knows {VERSION}: upgrade cityhub")
    return version
