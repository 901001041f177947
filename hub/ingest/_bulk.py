# SPDX-License-Identifier: EUPL-1.2
"""Many rows into SQLite with few statements.

sqlite3 lets go of the interpreter lock at each step of a statement, and `executemany` takes a step a row: where another
thread is busy, getting the lock back each time costs more than the row. A statement with some hundred rows takes one.
"""

import sqlite3
from collections.abc import Collection
from functools import lru_cache
from itertools import chain, islice

_AT_ONCE = 200  # rows a statement


def insert_many(
    connection: sqlite3.Connection, into: str, rows: Collection[tuple[object, ...]], conflict: str = ""
) -> None:
    """Insert rows; `into` is all up to VALUES, `conflict` what follows."""
    left, given = len(rows), iter(rows)
    while left:
        some = list(islice(given, _AT_ONCE))
        left -= len(some)
        connection.execute(_statement(into, len(some[0]), len(some), conflict), list(chain.from_iterable(some)))


@lru_cache(maxsize=2048)
def _statement(into: str, width: int, rows: int, conflict: str) -> str:
    one = f"({', '.join('?' * width)})"
    return f"{into} VALUES {', '.join([one] * rows)} {conflict}"
