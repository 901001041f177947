# SPDX-License-Identifier: EUPL-1.2
"""The books of one journal as `cityhub reconcile` reads them, while ingest writes on.

Each look is one read transaction, so that its figures belong together. Sums are made by SQLite; only rows that are out
of balance, and what concerns devices in question, are handed out singly.
"""

from collections import defaultdict
from collections.abc import Callable, Collection, Mapping, Sequence
from pathlib import Path
from sqlite3 import Connection
from typing import TypeVar

import msgspec
from msgspec import Struct

from hub.core.errors import Invalid
from hub.core.journal import HOUR_NS, AccountKey, Counts, OpenBatch, Progress, SpoolPosition
from hub.ingest._rows import COUNTS
from hub.ingest._schema import VERSION, open_reader, wrapped

T = TypeVar("T")
_SUMS = ", ".join(f"sum({name})" for name in COUNTS)
_BY_DEVICE = f"SELECT connector, device, {_SUMS} FROM account GROUP BY connector, device"  # noqa: S608 names are our own constants
_UNBALANCED = (
    f"SELECT hour, connector, device, {', '.join(COUNTS)} FROM account "  # noqa: S608 names are our own constants
    "WHERE received != decoded + quarantined + refused + ignored "
    "OR readings != stored + duplicate + conflict + rejected"
)
_SET_ASIDE = (  # rows that are so old that they were forgotten left their number behind
    "SELECT connector, device, sum(n) FROM (SELECT connector, device, count(*) AS n FROM quarantine "
    "WHERE scope = 'message' AND state IN ('waiting', 'purged') GROUP BY connector, device "
    "UNION ALL SELECT connector, device, messages FROM quarantine_forgotten) GROUP BY connector, device"
)
_BESIDE = "SELECT device, sum(readings) FROM repair WHERE kind != 'duplicate' GROUP BY device"
_OPEN = (
    "SELECT number, started, messages, readings, "
    "(SELECT coalesce(sum(r.readings), 0) FROM repair AS r WHERE r.batch = b.number) FROM open_batch AS b"
)
_SUSPECTS = (  # with what no repair has spoken for yet
    "SELECT number, device, readings - (SELECT coalesce(sum(r.readings), 0) FROM repair AS r "
    "WHERE r.batch = o.number AND r.device = o.device) FROM open_device AS o "
    "WHERE device IN (SELECT value FROM json_each(?)) ORDER BY number"
)
_DUPLICATES = (
    "SELECT device, hour, connector, duplicate FROM account "
    "WHERE duplicate > 0 AND hour >= ? AND device IN (SELECT value FROM json_each(?)) ORDER BY device, hour, connector"
)


class Books(Struct, frozen=True):
    """What one journal accounts for at one moment.

    `accounts` are sums by (connector, device) of all time; `unbalanced` the single rows that break an equation.
    `set_aside` are whole messages in quarantine by (connector, device), `waiting` all its rows that can be redriven.
    `beside` are readings by device that repairs added beside the accounts; `last_repair` is the id to go on from.
    """

    name: str
    accounts: Mapping[tuple[str, str], Counts]
    unbalanced: Sequence[tuple[AccountKey, Counts]]
    set_aside: Mapping[tuple[str, str], int]
    waiting: int
    beside: Mapping[str, int]
    last_repair: int
    progress: Progress


class Causes(Struct, frozen=True):
    """What may explain that the store holds more of some devices than one journal accounts for.

    `batches` by device are those that a crash cut off, oldest first; `left` by number and device says how many of its
    readings in a batch no repair has spoken for yet. `duplicates` by device are the accounts to move them from.
    """

    name: str
    batches: Mapping[str, Sequence[OpenBatch]]
    left: Mapping[tuple[int, str], int]
    duplicates: Mapping[str, Sequence[tuple[AccountKey, int]]]


class BooksReader:
    """Reads the books in `path`; `name` is the journal's, such as "0"."""

    def __init__(self, path: Path, name: str = "0") -> None:
        self.name = name
        self._path = path

    def read(self) -> Books:
        """All sums."""
        return self._transaction(lambda connection: _books(connection, self.name))

    def opened(self) -> Sequence[tuple[OpenBatch, int]]:
        """All batches that crashes cut off, oldest first, each with the readings that repairs speak of."""
        return self._transaction(_opened)

    def causes(self, devices: Collection[str]) -> Causes:
        """What may explain surpluses of these devices."""
        return self._transaction(lambda connection: _causes(connection, self.name, devices))

    def _transaction(self, work: Callable[[Connection], T]) -> T:
        with wrapped(self._path):
            connection = open_reader(self._path)
            if connection is None:
                raise Invalid(f"{self._path} is no journal yet: start the hub once")
            try:
                if connection.execute("PRAGMA user_version").fetchone()[0] < VERSION:
                    raise Invalid(f"{self._path} is of an earlier release: start the hub once, it migrates the file")
                connection.execute("BEGIN")
                return work(connection)
            finally:
                connection.close()


def counted_since(batch: OpenBatch) -> int:
    """The first hour in whose accounts its messages may be counted when they come again.

    One before that of their arrival, because a message without time may carry the stamp of its first arrival.
    """
    return batch.started - batch.started % HOUR_NS - HOUR_NS


def _books(connection: Connection, name: str) -> Books:
    batch, segment, offset = connection.execute("SELECT batch, segment, offset FROM progress").fetchone()
    return Books(
        name=name,
        accounts={(row[0], row[1]): Counts(*row[2:]) for row in connection.execute(_BY_DEVICE)},
        unbalanced=[(AccountKey(*row[:3]), Counts(*row[3:])) for row in connection.execute(_UNBALANCED)],
        set_aside={(row[0], row[1]): row[2] for row in connection.execute(_SET_ASIDE)},
        waiting=connection.execute("SELECT count(*) FROM quarantine WHERE state = 'waiting'").fetchone()[0],
        beside=dict(connection.execute(_BESIDE).fetchall()),
        last_repair=connection.execute("SELECT coalesce(max(id), 0) FROM repair").fetchone()[0],
        progress=Progress(batch, SpoolPosition(segment, offset)),
    )


def _opened(connection: Connection) -> Sequence[tuple[OpenBatch, int]]:
    rows = connection.execute(_OPEN + " ORDER BY number").fetchall()
    return [(OpenBatch(number=n, started=at, messages=m, readings=r), spoken) for n, at, m, r, spoken in rows]


def _causes(connection: Connection, name: str, devices: Collection[str]) -> Causes:
    wanted = msgspec.json.encode(sorted(devices)).decode()
    known = {batch.number: batch for batch, _ in _opened(connection)}
    batches: dict[str, list[OpenBatch]] = defaultdict(list)
    left: dict[tuple[int, str], int] = {}
    for number, device, readings in connection.execute(_SUSPECTS, (wanted,)):
        batches[device].append(known[number])
        left[number, device] = readings
    first = min((counted_since(batch) for found in batches.values() for batch in found), default=0)
    duplicates: dict[str, list[tuple[AccountKey, int]]] = defaultdict(list)
    if batches:
        for device, hour, connector, n in connection.execute(_DUPLICATES, (first, wanted)):
            duplicates[device].append((AccountKey(hour, connector, device), n))
    return Causes(name, batches, left, duplicates)
