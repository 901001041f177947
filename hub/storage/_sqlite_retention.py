# SPDX-License-Identifier: EUPL-1.2
"""Forgets old readings in an SQLite file, a piece at a time, and counts them.

A pass visits all series in order of id. Each piece is one transaction of bounded size, at most `ROWS` rows deleted and
`SERIES` series looked at, so that a batch of ingest never waits long behind it; the caller pauses between pieces. What
is deleted is added to the table `dropped` in the same transaction: readings stored = readings held + dropped, always.
Pages that become free are used again by the same file.
"""

import sqlite3
from collections import Counter
from collections.abc import Mapping

ROWS = 5_000
SERIES = 1_000
TABLE = "CREATE TABLE IF NOT EXISTS dropped (device TEXT PRIMARY KEY, readings INTEGER NOT NULL) WITHOUT ROWID"
_NEXT = "SELECT id, device, quantity FROM series WHERE id > ? ORDER BY id LIMIT ?"
_BOUND = "SELECT time FROM readings WHERE series = ? AND time < ? ORDER BY time LIMIT 1 OFFSET ?"
_DELETE = "DELETE FROM readings WHERE series = ? AND time < ?"
_COUNT = (
    "INSERT INTO dropped (device, readings) VALUES (?, ?) "
    "ON CONFLICT (device) DO UPDATE SET readings = readings + excluded.readings"
)


class Forgetting:
    """A pass over the file. `lives`: after how long (ns) readings of a quantity go; the others stay for ever."""

    def __init__(self, lives: Mapping[str, int]) -> None:
        self._lives = lives
        self._after = 0

    def piece(self, db: sqlite3.Connection, now: int) -> int | None:
        """Do one piece within the caller's transaction: the id of the series to go on behind, None at the end."""
        dropped: Counter[str] = Counter()
        left, at = ROWS, self._after
        found = db.execute(_NEXT, (at, SERIES)).fetchall() if self._lives else []
        for series, device, quantity in found:
            if (life := self._lives.get(quantity)) is not None:
                gone = _delete(db, series, now - life, left)
                dropped[device] += gone
                left -= gone
            if left <= 0:
                break  # this series may hold more: it is visited again
            at = series
        db.executemany(_COUNT, [(device, count) for device, count in sorted(dropped.items()) if count])
        return at if left <= 0 or len(found) == SERIES else None

    def move(self, position: int | None) -> bool:
        """The transaction is committed: go on from `position`; whether there is more of this pass."""
        self._after = position or 0
        return position is not None


def _delete(db: sqlite3.Connection, series: int, limit: int, most: int) -> int:
    """Delete at most `most` rows of one series before `limit`, oldest first; returns how many."""
    bound = db.execute(_BOUND, (series, limit, most)).fetchone()
    return db.execute(_DELETE, (series, bound[0] if bound else limit)).rowcount


def dropped(db: sqlite3.Connection) -> Mapping[str, int]:
    """Readings forgotten of each device; nothing in a file that has not been written since the table came."""
    if not db.execute("SELECT 1 FROM sqlite_master WHERE name = 'dropped'").fetchone():
        return {}
    return dict(db.execute("SELECT device, readings FROM dropped"))
