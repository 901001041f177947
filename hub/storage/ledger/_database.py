# SPDX-License-Identifier: EUPL-1.2
"""Transactions on the ledger's database, the same on SQLite and on PostgreSQL.

Several processes use one ledger at the same time. There is one writer at any moment: `write` takes the writer's lock
first (SQLite: BEGIN IMMEDIATE, PostgreSQL: an advisory lock that ends with the transaction), so what a writer reads
cannot change before it commits, whatever is numbered inside commits in the order of its numbers, and two writers wait
for each other instead of failing half-way. The price is that writers queue, so their transactions must be short.
`read` sees one state of the database from begin to end and waits for nobody.

SQLite runs in WAL mode with synchronous=FULL: a registration that was confirmed survives a power cut.
"""

import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError

from hub.core.errors import SettingsError
from hub.storage.ledger._errors import wrapped

WRITER_LOCK = 0x63697479687562  # "cityhub" in ASCII: the key of the advisory lock

_DRIVERS = {"sqlite": "sqlite+pysqlite", "postgresql": "postgresql+psycopg"}
_READ = {"sqlite": "BEGIN", "postgresql": "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY"}
_WRITE = {"sqlite": "BEGIN IMMEDIATE", "postgresql": f"SELECT pg_advisory_xact_lock({WRITER_LOCK})"}


def sqlite_url(path: Path) -> str:
    """URL of a ledger in a file."""
    return URL.create("sqlite", database=str(path)).render_as_string(hide_password=False)


def parse_url(text: str) -> URL:
    """Check the setting and choose the driver; SettingsError names what is wrong without showing a password."""
    try:
        url = make_url(text)
    except (ArgumentError, ValueError) as error:
        raise SettingsError("ledger.url", "is no database URL, such as sqlite:////var/lib/cityhub/ledger.db") from error
    driver = _DRIVERS.get(url.get_backend_name())
    if driver is None:
        raise SettingsError("ledger.url", f"{url.get_backend_name()!r} is none of sqlite, postgresql")
    if driver == _DRIVERS["sqlite"] and url.database in {None, "", ":memory:"}:
        raise SettingsError(
            "ledger.url", "names no file; several processes share the ledger, so it cannot be in memory"
        )
    return url.set(drivername=driver)


class Database:
    """One ledger's connections. `busy_timeout` is how long a writer waits for another, in seconds."""

    def __init__(self, url: str, busy_timeout: float = 10.0) -> None:
        self.url = parse_url(url)
        self.dialect = self.url.get_backend_name()
        self.where = self.url.database or "" if self.dialect == "sqlite" else self._public_name()
        self.engine = self._engine(busy_timeout)

    @property
    def file(self) -> Path | None:
        """The SQLite file, None with PostgreSQL."""
        return Path(self.where) if self.dialect == "sqlite" else None

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """One consistent state; writes nothing."""
        with self._transaction(_READ[self.dialect]) as connection:
            yield connection

    @contextmanager
    def write(self) -> Iterator[Connection]:
        """The only writer until the block ends; commits then, or rolls everything back on any error."""
        with self._transaction(_WRITE[self.dialect]) as connection:
            yield connection

    def close(self) -> None:
        """Release connections and, with SQLite, fold the WAL into the file when nobody else uses it."""
        self.engine.dispose()

    @contextmanager
    def _transaction(self, opening: str) -> Iterator[Connection]:
        with wrapped(self.where), self.engine.connect() as connection, connection.begin():
            connection.exec_driver_sql(opening)
            yield connection

    def _public_name(self) -> str:
        return self.url.set(drivername="postgresql", query={}).render_as_string(hide_password=True)

    def _engine(self, busy_timeout: float) -> Engine:
        options = _engine_options(self.dialect, busy_timeout)
        try:
            engine = create_engine(self.url, hide_parameters=True, **options)
        except ModuleNotFoundError as error:
            raise SettingsError("ledger.url", "PostgreSQL needs its driver: install cityhub[postgres]") from error
        if self.dialect == "sqlite":
            event.listen(engine, "connect", _prepare_sqlite)
        return engine


def _engine_options(dialect: str, busy_timeout: float) -> Mapping[str, Any]:
    if dialect == "sqlite":
        return {"connect_args": {"timeout": busy_timeout}}
    milliseconds = int(busy_timeout * 1000)
    return {
        "pool_pre_ping": True,  # a server that was restarted in between is no error
        "connect_args": {"connect_timeout": 10, "options": f"-c lock_timeout={milliseconds}"},
    }


def _prepare_sqlite(connection: sqlite3.Connection, _record: object) -> None:
    """Switch off the driver's own BEGIN (it comes too late for a lock) and set what SQLite keeps per connection."""
    connection.isolation_level = None
    for pragma in ("journal_mode = WAL", "synchronous = FULL", "foreign_keys = ON"):
        connection.execute(f"PRAGMA {pragma}")
