# SPDX-License-Identifier: EUPL-1.2
"""Statements that both databases spell alike but SQLAlchemy keeps per dialect, and the two counters."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, Table, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.sql.dml import Insert

from hub.storage.ledger import _tables as t
from hub.storage.ledger._rows import Row

_INSERT: dict[str, Any] = {"sqlite": sqlite.insert, "postgresql": postgresql.insert}


def upsert(dialect: str, table: Table) -> Insert:
    """Insert a row, or replace all of the one with the same primary key."""
    statement = _INSERT[dialect](table)
    changes = {column.name: statement.excluded[column.name] for column in table.c if not column.primary_key}
    result: Insert = statement.on_conflict_do_update(index_elements=list(table.primary_key), set_=changes)
    return result


def insert_new(dialect: str, table: Table) -> Insert:
    """Insert a row unless one with the same unique columns is there."""
    result: Insert = _INSERT[dialect](table).on_conflict_do_nothing()
    return result


def execute_all(connection: Connection, statement: Any, rows: Sequence[Row]) -> None:
    """Run for each row; nothing at all for no rows (SQLAlchemy would insert one of defaults)."""
    if rows:
        connection.execute(statement, list(rows))


def advance(connection: Connection, counter: str, by: int = 1) -> int:
    """Add to a counter within the writer's transaction; returns the new value."""
    statement = (
        update(t.counter)
        .where(t.counter.c.name == counter)
        .values(value=t.counter.c.value + by)
        .returning(t.counter.c.value)
    )
    return int(connection.execute(statement).scalar_one())
