# SPDX-License-Identifier: EUPL-1.2
"""Many rows into SQLite with few statements. Pure: only how rows are divided.

sqlite3 lets go of the interpreter lock at each step of a statement, and `executemany` takes a step a row. Where another
thread is busy, getting the lock back takes up to its switch interval (5 ms) each time: far longer than a row. So rows
go into statements with thousands of rows, whose sizes are powers of two: their texts are few, and stay compiled.
"""

from collections.abc import Iterator, Sequence
from functools import lru_cache
from itertools import chain
from typing import Any

_PARAMETERS = 32_766  # SQLite's limit for one statement, since 3.32


def divided(rows: Sequence[tuple[Any, ...]]) -> Iterator[tuple[int, list[Any]]]:
    """How many rows a statement takes, and their values one after the other; rows keep their order."""
    start, left = 0, len(rows)
    if not left:
        return
    most = 1 << (_PARAMETERS // len(rows[0])).bit_length() - 1
    while left:
        size = min(most, 1 << left.bit_length() - 1)
        yield size, list(chain.from_iterable(rows[start : start + size]))
        start, left = start + size, left - size


@lru_cache(maxsize=256)
def many_values(row: str, rows: int) -> str:
    """The text after VALUES: `row`, such as `(?, ?, 1)`, so many times."""
    return ", ".join([row] * rows)
