# SPDX-License-Identifier: EUPL-1.2
"""Queries find their rows through indexes; what they find is the business of test_values."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Select
from sqlalchemy.dialects import sqlite

from hub.core.ports import ValueQuery
from hub.storage.ledger import Ledger, sqlite_url
from hub.storage.ledger import _tables as t
from hub.storage.ledger._queries import select_due, select_series, select_values, select_window, select_windows

STATEMENTS = {
    "range at a place": select_values(ValueQuery("i", "a/b", 0, 9)),
    "range below a place": select_values(ValueQuery("i", "a", 0, 9, below=True)),
    "range of everything": select_values(ValueQuery(start=0, end=9)),
    "latest": select_values(ValueQuery(latest=True)),
    "latest before": select_values(ValueQuery("i", end=9, latest=True)),
    "change feed": select_values(ValueQuery(after_seq=5, limit=10)),
    "due": select_due(5, 10),
    "current": select_windows("sqlite"),
    "revisions": select_window(t.indicator_revision, "i", "a", 0),
}


@pytest.fixture(scope="module")
def database(tmp_path_factory: pytest.TempPathFactory) -> Iterator[sqlite3.Connection]:
    file: Path = tmp_path_factory.mktemp("plans") / "ledger.db"
    with Ledger(sqlite_url(file)) as ledger:
        ledger.upgrade()
    with closing(sqlite3.connect(file)) as connection:
        yield connection


def plan_of(database: sqlite3.Connection, statement: Select[Any]) -> list[str]:
    dialect = sqlite.dialect()
    compiled = statement.compile(dialect=dialect)
    values = [compiled.params.get(name) for name in compiled.positiontup or ()]
    return [row[3] for row in database.execute(f"EXPLAIN QUERY PLAN {compiled}", values)]


@pytest.mark.parametrize("statement", STATEMENTS.values(), ids=STATEMENTS)
def test_no_query_walks_through_all_windows(database: sqlite3.Connection, statement: Select[Any]) -> None:
    plan = plan_of(database, statement)
    touched = [line for line in plan if "indicator_" in line]
    assert touched
    assert all(line.startswith("SEARCH") and "INDEX" in line for line in touched), plan


def test_series_are_found_by_both_names(database: sqlite3.Connection) -> None:
    (line,) = [line for line in plan_of(database, select_series("sqlite")) if "value_series" in line]
    assert "(indicator=? AND place=?)" in line


@pytest.mark.parametrize("name", ["due", "change feed"])
def test_feeds_come_in_the_order_of_their_index(database: sqlite3.Connection, name: str) -> None:
    """At most ties are sorted: a limit stops the walk."""
    assert not [line for line in plan_of(database, STATEMENTS[name]) if line == "USE TEMP B-TREE FOR ORDER BY"]
