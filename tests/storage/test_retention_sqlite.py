# SPDX-License-Identifier: EUPL-1.2
"""What the SQLite store forgets, in which pieces, and that it counts it."""

import sqlite3
from collections.abc import Sequence
from pathlib import Path

import pytest

from hub.core.errors import Stop
from hub.core.quantities import Quantities
from hub.core.readings import Outcome, Reading, Series
from hub.storage import _sqlite_retention as retention
from hub.storage.readings_sqlite import SqliteReadingStore
from hub.storage.retention import DAY_NS, MARGIN_NS

NOW = 1_700_000_000_000_000_000
KEEP = {"air": 10 * DAY_NS}
OLD = NOW - KEEP["air"] - MARGIN_NS  # the first instant that stays


def rows(device: str, quantity: str, times: Sequence[int]) -> list[Reading]:
    return [Reading(device, quantity, 1.0, time) for time in times]


async def passes(store: SqliteReadingStore, now: int = NOW) -> int:
    """Pieces until the pass is over."""
    pieces = 1
    while await store.forget(now):
        pieces += 1
    return pieces


async def times(store: SqliteReadingStore, device: str, quantity: str) -> list[int]:
    return (await store.scan([Series(device, quantity)], 0, 2**63 - 1)).time.tolist()


async def test_what_is_older_goes_is_counted_and_never_comes_back(readings_file: Path, quantities: Quantities) -> None:
    store = SqliteReadingStore(readings_file, quantities, keep=KEEP)
    await store.put(rows("a", "pm10", [OLD - 2, OLD - 1, OLD, NOW]) + rows("b", "no2", [OLD - 5]))
    await passes(store)
    assert await times(store, "a", "pm10") == [OLD, NOW]
    assert await times(store, "b", "no2") == []
    assert await store.dropped() == {"a": 2, "b": 1}
    assert await store.counts() == {"a": 2}
    await passes(store, NOW + 1)
    assert await store.dropped() == {"a": 3, "b": 1}
    await store.close()
    reader = SqliteReadingStore(readings_file, quantities, readonly=True)
    assert await reader.dropped() == {"a": 3, "b": 1}
    await reader.close()


async def test_domains_without_limit_are_kept_for_ever(readings_file: Path, quantities: Quantities) -> None:
    store = SqliteReadingStore(readings_file, quantities, keep=KEEP)
    await store.put(rows("a", "air_temperature", [OLD - 1000 * DAY_NS]))
    await passes(store)
    assert await times(store, "a", "air_temperature") == [OLD - 1000 * DAY_NS]
    assert await store.dropped() == {}
    await store.close()


async def test_a_piece_deletes_a_bounded_number_of_rows(readings_file: Path, quantities: Quantities) -> None:
    """2.4 pieces full in one series, the next series in what is left of the third; batches come in between."""
    store = SqliteReadingStore(readings_file, quantities, keep=KEEP)
    many = int(2.4 * retention.ROWS)
    await store.put(rows("a", "pm10", range(OLD - many, OLD)) + rows("b", "pm10", [OLD - 1]))
    left = []
    while await store.forget(NOW):
        left.append(sum((await store.counts()).values()))
        assert (await store.put(rows("c", "pm10", [NOW + len(left)]))).outcomes == [Outcome.STORED]
    assert left == [many + 1 - retention.ROWS, many + 2 - 2 * retention.ROWS]
    assert await store.counts() == {"c": 2}
    assert await store.dropped() == {"a": many, "b": 1}
    await store.close()


async def test_a_piece_looks_at_a_bounded_number_of_series(readings_file: Path, quantities: Quantities) -> None:
    store = SqliteReadingStore(readings_file, quantities, keep=KEEP)
    await store.put([Reading(f"d{i}", "pm10", 1.0, OLD - 1) for i in range(retention.SERIES + 1)])
    assert await passes(store) == 2
    assert sum((await store.dropped()).values()) == retention.SERIES + 1
    await store.close()


async def test_the_room_of_what_went_is_used_again(readings_file: Path, quantities: Quantities) -> None:
    """The file does not grow once as much goes as comes."""
    store = SqliteReadingStore(readings_file, quantities, keep=KEEP)
    sizes, step = [], 20_000
    for day in range(12):
        now = NOW + day * 4 * DAY_NS
        await store.put(rows("a", "pm10", range(now - step, now)))
        await passes(store, now)
        with sqlite3.connect(readings_file) as db:
            sizes.append(int(db.execute("PRAGMA page_count").fetchone()[0]))
        db.close()
    assert max(sizes[6:]) <= max(sizes[:6])
    await store.close()


async def test_a_redelivery_of_what_just_counted_is_still_a_duplicate(
    readings_file: Path, quantities: Quantities
) -> None:
    """Deleting lags a day behind what is accepted, so nothing acceptable can be stored and counted twice."""
    store = SqliteReadingStore(readings_file, quantities, keep=KEEP)
    oldest = rows("a", "pm10", [NOW - KEEP["air"]])
    await store.put(oldest)
    await passes(store, NOW + DAY_NS // 2)
    assert (await store.put(oldest)).outcomes == [Outcome.DUPLICATE]
    await store.close()


async def test_a_file_of_the_release_before_gets_its_table(readings_file: Path, quantities: Quantities) -> None:
    """Readers take it as it is; the writer brings it up to date and forgets."""
    store = SqliteReadingStore(readings_file, quantities)
    await store.put(rows("a", "pm10", [OLD - 1, NOW]))
    await store.close()
    with sqlite3.connect(readings_file) as db:
        db.executescript("DROP TABLE dropped; PRAGMA user_version = 1")
    db.close()
    reader = SqliteReadingStore(readings_file, quantities, readonly=True)
    assert await reader.dropped() == {}
    store = SqliteReadingStore(readings_file, quantities, keep=KEEP)
    await passes(store)
    assert await reader.dropped() == {"a": 1}
    assert await times(reader, "a", "pm10") == [NOW]
    await reader.close()
    await store.close()


async def test_a_reader_forgets_nothing(readings_file: Path, quantities: Quantities) -> None:
    store = SqliteReadingStore(readings_file, quantities, readonly=True, keep=KEEP)
    with pytest.raises(Stop, match="reading only"):
        await store.forget(NOW)
    await store.close()
