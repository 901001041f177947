# SPDX-License-Identifier: EUPL-1.2
"""Findings of quality control in SQLite: a stretch says what was said last, and nothing else."""

import sqlite3
from pathlib import Path

import pytest

from hub.core.errors import SchemaTooNew, Stop
from hub.core.ports import FlagStretch, QualityFinding
from hub.core.readings import Series
from hub.storage.flags_sqlite import SqliteFlagStore

A, B = Series("a", "pm10"), Series("b", "pm10")
SPIKE, FAIL = QualityFinding(3, "spike"), QualityFinding(4, "gross_range")


async def test_a_stretch_is_replaced_as_a_whole_and_nothing_else_is(tmp_path: Path) -> None:
    store = SqliteFlagStore(tmp_path / "flags.db")
    reader = SqliteFlagStore(tmp_path / "flags.db", readonly=True)
    assert await reader.findings([A, B], 0, 100) == {}  # there is no file yet
    await store.replace([FlagStretch(A, 0, 100, {10: SPIKE, 20: FAIL, 99: SPIKE}), FlagStretch(B, 0, 100, {10: FAIL})])
    await store.replace([FlagStretch(A, 10, 99, {30: FAIL})])
    expected = {(A, 30): FAIL, (A, 99): SPIKE, (B, 10): FAIL}
    assert await store.findings([A, B], 0, 100) == expected
    assert await reader.findings([A, B], 0, 100) == expected
    assert await reader.findings([A], 31, 99) == {}
    await store.close()
    again = SqliteFlagStore(tmp_path / "flags.db")
    await again.replace([FlagStretch(A, 0, 2**63, {})])
    assert await reader.findings([A, B], 0, 2**63) == {(B, 10): FAIL}
    for each in (again, reader):
        await each.close()


async def test_saying_the_same_again_writes_nothing(tmp_path: Path) -> None:
    store = SqliteFlagStore(tmp_path / "flags.db")
    await store.replace([FlagStretch(A, 0, 100, {10: SPIKE})])
    with sqlite3.connect(tmp_path / "flags.db") as db:
        before = db.execute("PRAGMA data_version").fetchone()
        await store.replace([FlagStretch(A, 0, 100, {10: SPIKE}), FlagStretch(B, 0, 100, {})])
        assert db.execute("PRAGMA data_version").fetchone() == before
        await store.replace([FlagStretch(A, 0, 100, {10: FAIL})])
        assert db.execute("PRAGMA data_version").fetchone() != before
    db.close()
    await store.close()


async def test_a_reader_cannot_write_and_a_newer_file_is_refused(tmp_path: Path) -> None:
    reader = SqliteFlagStore(tmp_path / "flags.db", readonly=True)
    with pytest.raises(Stop, match="engine alone"):
        await reader.replace([])
    await reader.close()
    with sqlite3.connect(tmp_path / "flags.db") as db:
        db.execute("PRAGMA user_version = 2")
    db.close()
    store = SqliteFlagStore(tmp_path / "flags.db")
    with pytest.raises(SchemaTooNew):
        await store.findings([A], 0, 1)
    await store.close()
