# SPDX-License-Identifier: EUPL-1.2
"""Many rows into a table of the journal with few statements: see `hub.core.statements`."""

import sqlite3
from collections.abc import Collection

from hub.core.statements import divided, many_values


def insert_many(
    connection: sqlite3.Connection, into: str, rows: Collection[tuple[object, ...]], conflict: str = ""
) -> None:
    """Insert rows; `into` is all up to VALUES, `conflict` what follows."""
    given = list(rows)
    one = f"({', '.join('?' * len(given[0]))})" if given else ""
    for count, values in divided(given):
        connection.execute(f"{into} VALUES {many_values(one, count)} {conflict}", values)
