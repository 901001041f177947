# SPDX-License-Identifier: EUPL-1.2
"""Stored values as NumPy columns: rows go from the driver's cursor into arrays, without an object each.

A year of hours of a hundred sites is read in about a second this way. Statements come from `_queries`, so that they
find their rows by the key (series, window_start); the order is made here, since sorting is NumPy's trade.
"""

from collections.abc import Collection, Iterator, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
from sqlalchemy import Connection, Select

from hub.core.indicators import Digests, ValueColumns
from hub.storage.ledger._json import dump
from hub.storage.ledger._queries import select_columns, select_digests, select_named

_KEY = [("place", "i8"), ("start", "i8")]
_VALUE = np.dtype(
    [
        *_KEY, ("value", "f8"), ("unknown", "?"), ("lower_bound", "?"), ("origin", "u1"), ("grade", "u1"),
        ("n", "f8"), ("partial", "f8"),
    ]
)  # fmt: skip
_DIGEST = np.dtype([*_KEY, ("digest", "i8"), ("known", "?"), ("closed", "?")])
Rows = npt.NDArray[np.void]


def read_columns(
    connection: Connection, indicator: str, places: Sequence[str] | None, start: int, end: int, below: bool
) -> ValueColumns:
    """Values of one indicator; see `ValueLedger.columns`."""
    names, statement = _named(connection, indicator, places, below), select_columns(connection.dialect.name)
    rows = _rows(connection, statement, names, start, end, _VALUE)
    return ValueColumns([name for _, name in names], *_fields(rows))


def read_digests(
    connection: Connection,
    indicator: str,
    places: Sequence[str] | None,
    start: int,
    end: int,
    but: Collection[str] = (),
) -> Digests:
    """Digests of one indicator; see `ValueLedger.digests`."""
    found = _named(connection, indicator, places, False)
    names = [(id_, place) for id_, place in found if place not in but]
    rows = _rows(connection, select_digests(connection.dialect.name), names, start, end, _DIGEST)
    return Digests([name for _, name in names], *_fields(rows))


def _named(
    connection: Connection, indicator: str, places: Sequence[str] | None, below: bool
) -> Sequence[tuple[int, str]]:
    """(series, place) in order of place."""
    given = {"indicator": indicator, **({} if places is None else {"places": dump([[place] for place in places])})}
    statement = select_named(connection.dialect.name, every=places is None, below=below)
    return sorted({(int(id_), str(place)) for id_, place in connection.execute(statement, given)}, key=lambda n: n[1])


def _rows(
    connection: Connection, statement: Select[Any], names: Sequence[tuple[int, str]], start: int, end: int,
    form: np.dtype[np.void],
) -> Rows:  # fmt: skip
    if not names:
        return np.empty(0, form)
    listed = dump([[id_, position] for position, (id_, _) in enumerate(names)])
    result = connection.execute(statement, {"series": listed, "first": start, "end": end})
    cursor: Any = result.cursor  # of the driver: it yields plain tuples, where SQLAlchemy would make a Row of each
    rows: Rows = np.fromiter(cursor, form)
    result.close()
    return rows[np.lexsort((rows["start"], rows["place"]))]


def _fields(rows: Rows) -> Iterator[Any]:
    return (np.ascontiguousarray(rows[name]) for name in rows.dtype.names or ())
