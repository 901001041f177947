# SPDX-License-Identifier: EUPL-1.2
"""What a process says of itself reaches readers whole, on a full disk too, and its last word says why it is gone."""

import asyncio
import os
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

import pytest

from hub import status
from hub.core.ports import PartHealth
from hub.settings import load_settings
from hub.status import heartbeat, last_word, read_figures, read_status, remedy

WELL = PartHealth("ingest", True, "taking messages in")
SICK = PartHealth("ingest", False, "waits for the disk")
GONE = PartHealth("ingest", False, "influx.token: refused", "mend it")


async def beat(path: Path, pid: int, *parts: PartHealth) -> None:
    """One heartbeat."""
    beating = asyncio.create_task(heartbeat(path, pid, lambda: parts, lambda: {"x": 1.0}))
    await asyncio.sleep(0.01)
    beating.cancel()
    with suppress(asyncio.CancelledError):
        await beating


async def test_a_heartbeat_is_written_over_its_own_room_and_needs_no_new(tmp_path: Path) -> None:
    path = tmp_path / "ingest-0.json"
    await beat(path, 1, WELL)
    before = path.stat()
    tmp_path.chmod(0o500)  # no new file can be made
    await beat(path, 1, SICK, WELL)
    tmp_path.chmod(0o700)
    after = path.stat()
    assert read_status(path, "ingest-0") == [SICK, WELL]
    assert read_figures(path) == {"x": 1.0}
    assert (after.st_ino, after.st_size, after.st_blocks) == (before.st_ino, before.st_size, before.st_blocks)


async def test_what_does_not_fit_gets_a_larger_file(tmp_path: Path) -> None:
    path, long = tmp_path / "ingest-0.json", WELL._replace(detail="x" * 50_000)
    await beat(path, 1, WELL)
    await beat(path, 1, long)
    assert read_status(path, "ingest-0") == [long]


async def test_half_a_heartbeat_is_never_taken_for_a_whole_one(tmp_path: Path) -> None:
    path = tmp_path / "ingest-0.json"
    await beat(path, 1, WELL)
    whole = path.read_bytes()
    for torn in (whole[:60], whole.replace(b"taking", b"makinp"), b"", b"1 2", b"{}"):
        path.write_bytes(torn)
        assert read_status(path, "ingest-0")[0].detail == "has not reported yet"
    await beat(path, 1, WELL)
    assert read_status(path, "ingest-0") == [WELL]


async def test_the_last_word_of_a_process_holds_until_the_next_one_reports(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "ingest-0.json"
    await beat(path, 1, WELL)
    last_word(path, 1, GONE)
    last_word(path, 1, PartHealth("ingest", False, "exit code 78"))  # the supervisor's knows less
    monkeypatch.setattr(status, "STALE", -1.0)
    assert said(path) == [("ended 0 s ago: influx.token: refused", "mend it")]
    monkeypatch.undo()
    await beat(path, 2, WELL)
    assert read_status(path, "ingest-0") == [WELL]


async def test_a_killed_process_is_told_at_once_and_one_that_lives_keeps_its_word(tmp_path: Path) -> None:
    path = tmp_path / "ingest-0.json"
    await beat(path, 1, WELL)
    assert not last_word(path, 2, PartHealth("ingest", False, "another ingest worker runs"))
    assert read_status(path, "ingest-0") == [WELL]
    last_word(path, 1, PartHealth("ingest", False, "killed by signal 9"))
    hint = "see the log of process ingest-0; it is started again by itself"
    assert said(path) == [("ended 0 s ago: killed by signal 9", hint)]


@pytest.mark.parametrize(
    ("reports", "worked"),
    [([[WELL]], False), ([[SICK], [WELL], [SICK]], True), ([[WELL], [WELL, SICK]], False), ([[WELL], [WELL]], True)],
)
async def test_a_process_has_worked_when_all_was_well_once_after_it_began(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, reports: Sequence[Sequence[PartHealth]], worked: bool
) -> None:
    monkeypatch.setattr(status, "_EVERY", 0.0)
    path, left = tmp_path / "ingest-0.json", iter(reports)
    with pytest.raises(RuntimeError):  # no more reports
        await heartbeat(path, os.getpid(), lambda: next(left))
    assert last_word(path, os.getpid(), GONE) is worked
    assert last_word(path, os.getpid(), GONE) is worked, "asked again by the supervisor"
    assert not last_word(path, 1, GONE), "another process"


def test_a_worker_that_was_started_by_hand_has_to_be_started_by_hand(tmp_path: Path) -> None:
    ingest = load_settings(data=tmp_path, ingest={"workers": 2, "own_shards": [0]}).ingest
    assert "`cityhub ingest --shard 1/2`" in remedy(ingest, "ingest-1")
    for process in ("ingest-0", "ingest-2", "engine"):
        assert remedy(ingest, process) == "it is started again by itself"


def said(path: Path) -> list[tuple[str, str]]:
    return [(part.detail, part.hint) for part in read_status(path, "ingest-0")]
