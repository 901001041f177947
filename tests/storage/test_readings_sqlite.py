# SPDX-License-Identifier: EUPL-1.2
"""What only the SQLite store has: a file, its readers in other processes, and its troubles."""

import asyncio
import resource
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from hub.core.errors import Retry, SchemaTooNew, Stop
from hub.core.quantities import Quantities
from hub.core.readings import Outcome, Reading, Series
from hub.storage.readings_sqlite import SCHEMA, SqliteReadingStore

T = 1_700_000_000_000_000_000
PM10 = Series("a", "pm10")
NEW, DUPLICATE, CONFLICT = Outcome.STORED, Outcome.DUPLICATE, Outcome.CONFLICT


def row(value: float = 20.3, at: int = 0, device: str = "a") -> Reading:
    return Reading(device, "pm10", value, T + at)


async def values(store: SqliteReadingStore) -> list[float]:
    return list((await store.scan([PM10], 0, 2**63 - 1)).value)


async def test_a_reader_finds_nothing_before_the_file_exists_and_everything_after(
    readings_file: Path, quantities: Quantities
) -> None:
    """A reader opened before the writer's first start needs no restart to see what is written later."""
    reader = SqliteReadingStore(readings_file, quantities, readonly=True)
    writer = SqliteReadingStore(readings_file, quantities)
    assert await values(reader) == []
    assert await reader.latest([PM10]) == {}
    assert list(await reader.series()) == []
    assert (await reader.check()).ok
    assert not await asyncio.to_thread(readings_file.exists)
    await writer.put([row(1.0)])
    assert await values(reader) == [1.0]
    await writer.put([row(2.0, at=1)])
    assert await values(reader) == [1.0, 2.0]
    assert list(await reader.series()) == [PM10]
    await writer.close()
    assert await values(reader) == [1.0, 2.0]
    await reader.close()


async def test_a_reader_takes_an_empty_file_for_nothing(readings_file: Path, quantities: Quantities) -> None:
    """The writer's first moments leave a file without tables."""
    await asyncio.to_thread(readings_file.touch)
    reader = SqliteReadingStore(readings_file, quantities, readonly=True)
    assert await values(reader) == []
    await reader.close()


async def test_a_reader_does_not_write(readings_file: Path, quantities: Quantities) -> None:
    reader = SqliteReadingStore(readings_file, quantities, readonly=True)
    with pytest.raises(Stop, match="opened for reading only"):
        await reader.put([row()])
    await reader.close()


READER = """
import asyncio, sys
from pathlib import Path
from hub.core.quantities import Quantities
from hub.core.readings import Series
from hub.storage.readings_sqlite import SqliteReadingStore

async def main():
    store = SqliteReadingStore(Path(sys.argv[1]), Quantities.load(), readonly=True)
    print(list((await store.scan([Series("a", "pm10")], 0, 2**63 - 1)).value))
    await store.close()

asyncio.run(main())
"""


async def test_another_process_reads_while_the_writer_lives(readings_file: Path, quantities: Quantities) -> None:
    writer = SqliteReadingStore(readings_file, quantities)
    await writer.put([row(1.5)])
    command = [sys.executable, "-c", READER, str(readings_file)]
    read = await asyncio.to_thread(subprocess.run, command, capture_output=True, text=True, check=True, timeout=60)
    assert "1.5" in read.stdout
    assert list((await writer.put([row(2.5, at=1)])).outcomes) == [NEW]
    await writer.close()


async def test_a_locked_file_asks_to_try_again_and_then_stores_once(
    readings_file: Path, quantities: Quantities
) -> None:
    store = SqliteReadingStore(readings_file, quantities, busy_timeout_s=0.05)
    await store.put([row(1.0)])
    other = sqlite3.connect(readings_file, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(Retry, match="locked by another process"):
        await store.put([row(2.0, at=1), row(3.0, device="new")])
    other.execute("ROLLBACK")
    other.close()
    assert list((await store.put([row(2.0, at=1), row(3.0, device="new")])).outcomes) == [NEW, NEW]
    assert await values(store) == [1.0, 2.0]
    await store.close()


async def test_a_full_disk_asks_to_try_again_and_then_stores_once(readings_file: Path, quantities: Quantities) -> None:
    """A limit on file size stands in for the disk: the kernel refuses the write just so."""
    store = SqliteReadingStore(readings_file, quantities)
    await store.put([row(1.0)])
    many = [row(float(i), at=i + 1, device=d) for i in range(20_000) for d in ("a", "new")]
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (300_000, hard))
    try:
        with pytest.raises(Retry, match="make room"):
            await store.put(many)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert await values(store) == [1.0]
    assert set((await store.put(many)).outcomes) == {NEW}
    assert len(await values(store)) == 20_001
    await store.close()


async def test_rows_of_a_second_writer_are_never_overwritten(readings_file: Path, quantities: Quantities) -> None:
    """There is to be one writer; two all the same keep the key rule."""
    one, two = (SqliteReadingStore(readings_file, quantities) for _ in range(2))
    await one.put([row(1.0)])
    await two.put([row(2.0, at=10), row(2.0, at=11)])
    assert list((await one.put([row(9.0, at=10), row(2.0, at=11), row(3.0, at=12)])).outcomes) == [
        CONFLICT,
        DUPLICATE,
        NEW,
    ]
    assert await values(two) == [1.0, 2.0, 2.0, 3.0]
    await one.close()
    await two.close()


async def test_a_full_disk_after_a_second_writer_leaves_every_row_in_its_own_series(
    readings_file: Path, quantities: Quantities
) -> None:
    """The first try meets a row of the other writer, the second one the full disk; its new series is none then."""
    one, two = (SqliteReadingStore(readings_file, quantities) for _ in range(2))
    await one.put([row(0.0)])
    await two.put([row(10.0, at=10)])
    many = [row(float(i), at=i, device=d) for i in range(1, 20_001) for d in ("a", "new")]
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (300_000, hard))
    try:
        with pytest.raises(Retry, match="make room"):
            await one.put(many)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    await two.put([row(99.0, device="other")])
    assert sum(o is NEW for o in (await one.put(many)).outcomes) == 39_999
    assert await one.counts() == {"a": 20_001, "new": 20_000, "other": 1}
    await one.close()
    await two.close()


def garbage(path: Path) -> None:
    path.write_bytes(b"not a database at all" * 1000)


def newer(path: Path) -> None:
    with sqlite3.connect(path) as db:
        db.execute(f"PRAGMA user_version = {SCHEMA + 1}")
    db.close()


def foreign(path: Path) -> None:
    with sqlite3.connect(path) as db:
        db.execute("CREATE TABLE holidays (day TEXT)")
    db.close()


def directory(path: Path) -> None:
    path.mkdir()


@pytest.mark.parametrize(
    ("spoil", "error", "words"),
    [
        (garbage, Stop, "damaged or no readings file"),
        (newer, SchemaTooNew, f"has schema {SCHEMA + 1}, this release knows {SCHEMA}"),
        (foreign, Stop, "is no readings file of the hub"),
        (directory, Stop, "is a directory"),
    ],
)
@pytest.mark.parametrize("readonly", [False, True])
async def test_a_file_that_is_not_ours_stops_and_is_named(
    readings_file: Path,
    quantities: Quantities,
    spoil: Callable[[Path], None],
    error: type[Stop],
    words: str,
    readonly: bool,
) -> None:
    spoil(readings_file)
    store = SqliteReadingStore(readings_file, quantities, readonly=readonly)
    with pytest.raises(error, match=words) as raised:
        await store.series()
    assert str(readings_file) in str(raised.value)
    assert not (await store.check()).ok
    await store.close()


async def test_a_missing_directory_stops_and_the_check_says_what_to_do(tmp_path: Path, quantities: Quantities) -> None:
    store = SqliteReadingStore(tmp_path / "nowhere" / "readings.db", quantities)
    with pytest.raises(Stop, match="nowhere"):
        await store.put([row()])
    health = await store.check()
    assert not health.ok
    assert health.hint
    await store.close()


WRITER_THAT_IS_KILLED = """
import asyncio, os, signal, sys
from pathlib import Path
from hub.core.quantities import Quantities
from hub.core.readings import Reading
from hub.storage.readings_sqlite import SqliteReadingStore

async def main():
    store = SqliteReadingStore(Path(sys.argv[1]), Quantities.load())
    await store.put([Reading("a", "pm10", float(i), 10**18 + i) for i in range(1000)])
    os.kill(os.getpid(), signal.SIGKILL)

asyncio.run(main())
"""


async def test_what_put_returned_for_survives_a_kill(readings_file: Path, quantities: Quantities) -> None:
    command = [sys.executable, "-c", WRITER_THAT_IS_KILLED, str(readings_file)]
    killed = await asyncio.to_thread(subprocess.run, command, check=False, timeout=60)
    assert killed.returncode == -9
    store = SqliteReadingStore(readings_file, quantities)
    assert await values(store) == [float(i) for i in range(1000)]
    await store.close()
