# SPDX-License-Identifier: EUPL-1.2
"""A ledger held at one moment and copied into a SQLite file; and such a file taken into an empty ledger.

The file is a ledger like any other, whichever database it came from, so a backup of a hub on PostgreSQL can be restored
on SQLite and the other way round. A copy of an older release is brought to this release's schema first, in the file.
"""

from pathlib import Path
from types import TracebackType
from typing import Self

from sqlalchemy import Connection, MetaData, Table, delete, func, insert, select

from hub.core.errors import Stop
from hub.storage.ledger._database import Database, sqlite_url
from hub.storage.ledger._errors import wrapped
from hub.storage.ledger._schema import Schema
from hub.storage.ledger._tables import cursor, metadata
from hub.storage.snapshot import HeldFile

_ROWS = 5_000  # in memory at once


class HeldLedger:
    """One ledger, of this release or an older one (`version`), at the moment at which this was made."""

    def __init__(self, url: str) -> None:
        self._database = Database(url)
        self.version = Schema(self._database).current()
        if self.version is None:
            raise Stop(f"ledger {self._database.where} does not exist yet: run `cityhub init`")
        file = self._database.file
        self._file = None if file is None else HeldFile(file)
        self._connection = None if self._file is not None else self._hold()

    def cursors(self) -> dict[str, int]:
        """Positions of the readers that keep theirs in the ledger."""
        if self._file is not None:
            return dict(self._file.rows("SELECT name, position FROM cursor"))
        assert self._connection is not None  # noqa: S101 one of the two is there
        rows = self._connection.execute(select(cursor.c.name, cursor.c.position))
        return {row.name: row.position for row in rows}

    def copy(self, target: Path) -> None:
        """Write the held state into a new SQLite file."""
        if self._file is not None:
            return self._file.copy(target)
        assert self._connection is not None  # noqa: S101 one of the two is there
        copy = Database(sqlite_url(target))
        try:
            Schema(copy).upgrade(self.version or "head")
            with wrapped(str(target)), copy.write() as connection:
                _copy(self._connection, connection)
        finally:
            copy.close()

    def close(self) -> None:
        """Let go."""
        if self._file is not None:
            self._file.close()
        if self._connection is not None:
            self._connection.close()
        self._database.close()

    def _hold(self) -> Connection:
        connection = self._database.engine.connect()
        connection.begin()
        connection.exec_driver_sql("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
        connection.execute(select(func.count()).select_from(cursor)).scalar()
        return connection

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def take_in(file: Path, url: str) -> None:
    """Fill the empty ledger at `url` with the ledger in `file`. All or nothing; raise Stop where it is not empty."""
    source, target = Database(sqlite_url(file)), Database(url)
    try:
        Schema(source).upgrade()
        if Schema(target).current() is not None:
            raise Stop(f"ledger {target.where} has tables already: restore into an empty database")
        Schema(target).upgrade()
        with source.read() as old, target.write() as new:
            _copy(old, new)
            if target.dialect == "postgresql":
                _advance_sequences(new)
    finally:
        source.close()
        target.close()


def _copy(source: Connection, target: Connection) -> None:
    tables = _tables(target)
    for table in reversed(tables):  # the rows that a new ledger begins with
        target.execute(delete(table))
    for table in tables:
        _copy_table(source, target, table)


def _tables(connection: Connection) -> list[Table]:
    """The ledger's tables as they are there, which may be an older release's; parents first."""
    found = MetaData()
    found.reflect(connection, only=lambda name, _: name in metadata.tables)
    return found.sorted_tables


def _copy_table(source: Connection, target: Connection, table: Table) -> None:
    order = [table.c.id] if "parent" in table.c else list(table.primary_key.columns)  # parents of places come first
    rows = source.execute(select(table).order_by(*order)).mappings()
    while page := rows.fetchmany(_ROWS):
        target.execute(insert(table), [dict(row) for row in page])


def _advance_sequences(connection: Connection) -> None:
    for table in metadata.sorted_tables:
        if (serial := table.autoincrement_column) is not None:
            highest = connection.execute(select(func.max(serial))).scalar()
            if highest is not None:
                sequence = func.pg_get_serial_sequence(table.name, serial.name)
                connection.execute(select(func.setval(sequence, highest)))
