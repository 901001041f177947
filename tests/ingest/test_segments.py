# SPDX-License-Identifier: EUPL-1.2
"""The segment log gives back what its appends returned for, and never anything else, whatever happens to its files."""

import errno
import io
import os
import random
import signal
import struct
import subprocess
import sys
import tempfile
import time
import zlib
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hub.core.errors import Invalid, NotFound, Retry, SchemaTooNew, SettingsError, Stop
from hub.core.journal import SpoolPosition
from hub.ingest import _frames
from hub.ingest._frames import FIRST, header, pack
from hub.ingest.segments import SegmentLimits, SegmentLog, SegmentReader

BEGINNING = SpoolPosition()
SMALL = SegmentLimits(segment_bytes=4096, max_bytes=1 << 20, min_free_bytes=0)
ONE = SegmentLimits(segment_bytes=1 << 20, max_bytes=1 << 22, min_free_bytes=0)


@pytest.fixture
def log(tmp_path: Path) -> Iterator[SegmentLog]:
    log = SegmentLog(tmp_path / "log", SMALL)
    log.open()
    yield log
    log.close()


def payloads(log: SegmentLog, after: SpoolPosition = BEGINNING) -> list[bytes | None]:
    return [stored.payload for stored in log.frames(after)]


def reopened(folder: Path, limits: SegmentLimits = SMALL) -> SegmentLog:
    log = SegmentLog(folder, limits)
    log.open()
    return log


def files(folder: Path) -> Sequence[str]:
    return sorted(path.name for path in folder.iterdir())


def test_appends_come_back_in_order_over_segments_and_by_position(log: SegmentLog) -> None:
    appends = [[b"%d-%d" % (i, j) * i for j in range(i % 4 + 1)] for i in range(60)]
    positions = [log.append(append) for append in appends]
    assert payloads(log) == [payload for append in appends for payload in append]
    assert len(log.segments()) > 2
    for where, append in zip(positions, appends, strict=True):
        assert [log.read(position) for position in where] == append
        assert len({position.segment for position in where}) == 1


def test_iteration_goes_on_behind_any_position(log: SegmentLog) -> None:
    for i in range(100):
        log.append([b"x" * i])
    stored = list(log.frames())
    for i in range(0, 100, 7):
        assert list(log.frames(stored[i].end)) == stored[i + 1 :]
        assert next(log.frames(stored[i].position)) == stored[i]
    assert stored[-1].end == log.end()


def test_nothing_is_appended_by_an_empty_append(log: SegmentLog, tmp_path: Path) -> None:
    assert log.append([]) == []
    assert files(tmp_path / "log") == []


def test_appending_goes_on_in_the_same_segment_after_a_clean_restart(tmp_path: Path, log: SegmentLog) -> None:
    log.append([b"one"])
    log.close()
    log = reopened(tmp_path / "log")
    [position] = log.append([b"two"])
    assert position.segment == 1
    assert payloads(log) == [b"one", b"two"]
    log.close()


def test_numbers_go_on_behind_what_somebody_remembers(tmp_path: Path) -> None:
    """The folder was emptied or restored: a position from before must not come to mean a new frame."""
    log = SegmentLog(tmp_path / "log", SMALL)
    log.open(SpoolPosition(7, 100))
    assert log.append([b"new"]) == [SpoolPosition(8, FIRST)]
    log.close()
    log.open(SpoolPosition(8, 1000))
    assert log.append([b"newer"]) == [SpoolPosition(9, FIRST)]
    log.close()


def test_a_second_writer_is_told_to_wait_and_a_reader_is_not_kept_out(tmp_path: Path, log: SegmentLog) -> None:
    [position] = log.append([b"seen"])
    with pytest.raises(Stop, match="in use by another process"):
        SegmentLog(tmp_path / "log", SMALL).open()
    assert SegmentReader(tmp_path / "log").read(position) == b"seen"


@pytest.mark.parametrize(
    "position", [SpoolPosition(1, FIRST + 8), SpoolPosition(1, 1 << 40), SpoolPosition(2, FIRST), SpoolPosition()]
)
def test_a_position_without_a_frame_is_named(log: SegmentLog, position: SpoolPosition) -> None:
    log.append([b"something"])
    with pytest.raises(NotFound, match=f"{position.segment:08}.seg"):
        log.read(position)
    with pytest.raises(NotFound, match=f"{position.segment:08}.seg"):
        log.erase(position)


def test_dropping_frees_room_and_appends_go_on(tmp_path: Path, log: SegmentLog) -> None:
    for _ in range(30):
        log.append([bytes(500)])
    before, (first, *others) = log.size(), log.segments()
    log.drop(first)
    log.drop(first)
    assert (list(log.segments()), log.size() < before) == (others, True)
    for segment in others:
        log.drop(segment)
    assert (log.size(), payloads(log), files(tmp_path / "log")) == (0, [], [])
    [position] = log.append([b"more"])
    assert position.segment > others[-1]


@pytest.mark.parametrize("limits", [{"segment_bytes": 10}, {"max_bytes": 4096}, {"min_free_bytes": -1}])
def test_limits_that_make_no_sense_are_named(limits: dict[str, int]) -> None:
    with pytest.raises(SettingsError, match=next(iter(limits))):
        SegmentLimits(**limits)


def test_full_is_retry_until_something_is_dropped(tmp_path: Path) -> None:
    log = reopened(tmp_path / "log", SegmentLimits(segment_bytes=4096, max_bytes=10_000, min_free_bytes=0))
    kept = 0
    while log.size() + 1100 <= 10_000:
        log.append([bytes(1000)])
        kept += 1
    with pytest.raises(Retry, match="is full"):
        log.append([bytes(1000)])
    assert len(payloads(log)) == kept
    log.drop(log.segments()[0])
    log.append([b"goes on"])
    assert payloads(log)[-1] == b"goes on"
    log.close()


def test_what_is_to_stay_free_on_the_disk_is_left_alone(tmp_path: Path) -> None:
    disk = os.statvfs(tmp_path)
    greedy = SegmentLimits(min_free_bytes=disk.f_blocks * disk.f_frsize)
    log = reopened(tmp_path / "log", greedy)
    with pytest.raises(Retry, match="are kept free: make room"):
        log.append([b"no"])
    assert files(tmp_path / "log") == []
    log.close()


def test_a_payload_that_no_frame_can_hold_is_refused(log: SegmentLog) -> None:
    class Huge(bytes):
        def __len__(self) -> int:
            return 1 << 30

    with pytest.raises(Invalid, match="more than one frame can hold"):
        log.append([Huge()])


def test_removed_under_the_running_hub_is_stop_not_silence(tmp_path: Path, log: SegmentLog) -> None:
    log.append([b"one"])
    (tmp_path / "log" / "00000001.seg").unlink()
    with pytest.raises(Stop, match="was removed under the running hub"):
        log.append([b"two"])


# Erasing


def test_an_erased_payload_is_gone_from_the_disk_and_its_neighbours_stay(tmp_path: Path, log: SegmentLog) -> None:
    positions = log.append([b"before", b"personal data", b"after"])
    log.erase(positions[1])
    assert payloads(log) == [b"before", None, b"after"]
    assert log.read(positions[1]) is None
    assert b"personal" not in (tmp_path / "log" / "00000001.seg").read_bytes()
    log.append([b"more"])
    log.close()
    log = reopened(tmp_path / "log")
    assert payloads(log) == [b"before", None, b"after", b"more"]
    log.close()


def test_erasing_again_mends_an_erasure_that_a_crash_cut_off(tmp_path: Path, log: SegmentLog) -> None:
    """The mark is written first: the payload may still stand on the disk, but is not handed out, nor is it damage."""
    [first, second] = log.append([b"personal data", b"next"])
    path = tmp_path / "log" / "00000001.seg"
    with path.open("r+b") as file:
        file.seek(first.offset)
        file.write(_frames.erased_head(b"personal data", more=True))
    assert payloads(log) == [None, b"next"]
    assert b"personal" in path.read_bytes()
    log.erase(first)
    assert b"personal" not in path.read_bytes()
    assert log.read(second) == b"next"


# What crashes and disks leave


def test_a_torn_tail_is_cut_off_with_a_warning(
    tmp_path: Path, log: SegmentLog, caplog: pytest.LogCaptureFixture
) -> None:
    log.append([b"whole"])
    end = log.end().offset
    log.append([b"torn" * 100])
    log.close()
    path = tmp_path / "log" / "00000001.seg"
    os.truncate(path, path.stat().st_size - 9)
    log = reopened(tmp_path / "log")
    assert (payloads(log), path.stat().st_size) == ([b"whole"], end)
    assert [record.levelname for record in caplog.records] == ["WARNING"]
    assert log.append([b"next"]) == [SpoolPosition(2, FIRST)]
    assert log.damaged() == []
    log.close()


def test_an_append_of_several_frames_is_torn_as_one(tmp_path: Path, log: SegmentLog) -> None:
    log.append([b"whole"])
    log.append([b"first", b"second", b"third" * 9])
    log.close()
    path = tmp_path / "log" / "00000001.seg"
    os.truncate(path, path.stat().st_size - 8)
    log = reopened(tmp_path / "log")
    assert payloads(log) == [b"whole"]
    log.close()


def test_zeros_behind_the_end_are_torn(tmp_path: Path, log: SegmentLog) -> None:
    """A power cut may leave a file that had grown and was not filled."""
    log.append([b"whole"])
    log.close()
    path = tmp_path / "log" / "00000001.seg"
    os.truncate(path, 100_000)
    log = reopened(tmp_path / "log")
    assert payloads(log) == [b"whole"]
    assert log.damaged() == []
    log.close()


def test_damage_in_the_newest_segment_is_kept_aside_not_cut_off(
    tmp_path: Path, log: SegmentLog, caplog: pytest.LogCaptureFixture
) -> None:
    """A valid frame behind it proves that it was once complete; other frames can still be had by their position."""
    [first], [second], [third] = log.append([b"first"]), log.append([b"second"]), log.append([b"third"])
    log.close()
    path = tmp_path / "log" / "00000001.seg"
    flip(path, second.offset)
    before = path.read_bytes()
    log = reopened(tmp_path / "log")
    log.append([b"fourth"])
    assert payloads(log) == [b"first", b"fourth"]
    assert (log.read(first), log.read(third)) == (b"first", b"third")
    [record] = caplog.records
    assert (record.levelname, record.fields["from_byte"]) == ("ERROR", second.offset)
    assert record.fields["file"].endswith("00000001.damaged")
    log.drop(1)
    assert files(tmp_path / "log") == ["00000001.damaged", "00000002.seg"]
    assert (tmp_path / "log" / "00000001.damaged").read_bytes() == before
    log.close()


def test_a_frame_far_behind_the_damage_is_found(tmp_path: Path) -> None:
    """The proof that a tail is damaged, not torn, may lie megabytes on."""
    log = reopened(tmp_path / "log", SegmentLimits(segment_bytes=8 << 20, max_bytes=1 << 24, min_free_bytes=0))
    log.append([b"first"])
    [large], [last] = log.append([random.Random(1).randbytes(3_000_000)]), log.append([b"last"])
    log.close()
    flip(tmp_path / "log" / "00000001.seg", large.offset + 1_000_000)
    log.open()
    assert (payloads(log), log.read(last), log.damaged()) == ([b"first"], b"last", ["00000001.damaged"])
    log.close()


def test_damage_in_an_older_segment_leaves_all_others_usable(tmp_path: Path, log: SegmentLog) -> None:
    for i in range(60):
        log.append([b"%04d" % i * 50])
    whole = payloads(log)
    middle = log.segments()[1]
    log.close()
    flip(tmp_path / "log" / f"{middle:08}.seg", 2000)
    log = reopened(tmp_path / "log")
    found = payloads(log)
    missing = [payload for payload in whole if payload not in found]
    assert found == [payload for payload in whole if payload not in missing]
    assert 0 < len(missing) < 20
    assert log.damaged() == [f"{middle:08}.damaged"]
    log.close()


def test_what_is_appended_after_damage_was_met_is_read(tmp_path: Path, log: SegmentLog) -> None:
    """Damage found while running: the next append must not stand behind it in the same segment."""
    [position] = log.append([b"rots"])
    flip(tmp_path / "log" / "00000001.seg", position.offset + 9)
    assert payloads(log) == []
    log.append([b"later"])
    assert payloads(log) == [b"later"]


@pytest.mark.parametrize(
    ("content", "aside"),
    [
        (b"", False),
        (header(1)[:10], False),
        (bytes(5000), False),
        (b"#!/bin/sh\n" * 100, True),
        (b"short", True),
        (header(2) + bytes(8), True),
        (bytes([header(1)[0] ^ 1]) + header(1)[1:], True),
    ],
    ids=["empty", "half a header", "zeros", "foreign", "foreign and short", "another number", "damaged header"],
)
@pytest.mark.parametrize("newest", [True, False])
def test_a_file_that_is_no_segment_stops_nobody(tmp_path: Path, content: bytes, aside: bool, newest: bool) -> None:
    """Nothing but what was never written to is removed."""
    folder = tmp_path / "log"
    log = SegmentLog(folder, SMALL)
    log.open(SpoolPosition(0 if newest else 1, 0))
    kept = [] if newest else [b"kept"]
    log.append(kept)
    log.close()
    (folder / "00000001.seg").write_bytes(content)
    log = reopened(folder)
    assert payloads(log) == kept
    log.append([b"more"])
    assert payloads(log) == [*kept, b"more"]
    assert log.damaged() == (["00000001.damaged"] if aside else [])
    log.close()


def test_files_of_others_are_left_alone(tmp_path: Path, log: SegmentLog) -> None:
    log.append([b"ours"])
    log.close()
    for name in ("README", "1.seg", "00000002.seg.bak", "00000003.tmp"):
        (tmp_path / "log" / name).write_text("theirs")
    (tmp_path / "log" / "lost+found").mkdir()
    log = reopened(tmp_path / "log")
    assert payloads(log) == [b"ours"]
    log.close()
    assert len(files(tmp_path / "log")) == 6


def test_missing_segments_leave_the_others_usable(tmp_path: Path, log: SegmentLog) -> None:
    for i in range(60):
        log.append([b"%04d" % i * 50])
    first, second, *_ = log.segments()
    rest = payloads(log, SpoolPosition(second + 1, 0))
    log.close()
    (tmp_path / "log" / f"{first:08}.seg").unlink()
    (tmp_path / "log" / f"{second:08}.seg").unlink()
    log = reopened(tmp_path / "log")
    assert payloads(log) == rest
    log.close()


def test_a_newer_format_is_refused(tmp_path: Path) -> None:
    (tmp_path / "00000001.seg").write_bytes(header(1, version=2))
    with pytest.raises(SchemaTooNew, match=r"00000001.seg has format 2.*upgrade"):
        SegmentLog(tmp_path).open()


def test_a_sector_that_cannot_be_read_is_damage() -> None:
    """EIO where the payload stands, from a file that behaves like a failing disk."""
    parts, _ = pack([b"payload" * 100])
    content = header(1) + b"".join(parts)

    class Failing(io.BytesIO):
        def read(self, size: int | None = -1, /) -> bytes:
            if self.tell() > FIRST:
                raise OSError(errno.EIO, "Input/output error")
            return super().read(size)

    assert _frames.frame_at(Failing(content), FIRST, len(content)) is None
    assert not _frames.is_torn(Failing(content), FIRST + 8, len(content))


def flip(path: Path, offset: int, bit: int = 0) -> None:
    content = bytearray(path.read_bytes())
    content[offset] ^= 1 << bit
    path.write_bytes(content)


# Any damage at all

APPENDS = st.lists(st.lists(st.binary(max_size=200), min_size=1, max_size=4), min_size=1, max_size=12)


def written(folder: Path, appends: Sequence[Sequence[bytes]], limits: SegmentLimits) -> list[SpoolPosition]:
    """Append all; returns the end of the log after each."""
    log = reopened(folder, limits)
    ends = []
    for append in appends:
        log.append(append)
        ends.append(log.end())
    log.close()
    return ends


@settings(max_examples=60, deadline=None)
@given(appends=APPENDS, reopen=st.sets(st.integers(0, 12)))
def test_any_appends_with_any_restarts_come_back(appends: list[list[bytes]], reopen: set[int]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        log = reopened(Path(folder))
        for i, append in enumerate(appends):
            if i in reopen:
                log.close()
                log.open()
            log.append(append)
        assert payloads(log) == [payload for append in appends for payload in append]
        log.close()


@settings(max_examples=150, deadline=None)
@given(appends=APPENDS, data=st.data())
def test_a_cut_at_any_byte_leaves_exactly_the_appends_before_it(
    appends: list[list[bytes]], data: st.DataObject
) -> None:
    with tempfile.TemporaryDirectory() as folder:
        ends = written(Path(folder), appends, ONE)
        path = Path(folder) / "00000001.seg"
        cut = data.draw(st.integers(0, ends[-1].offset))
        os.truncate(path, cut)
        log = reopened(Path(folder), ONE)
        kept = [append for append, end in zip(appends, ends, strict=True) if end.offset <= cut]
        assert payloads(log) == [payload for append in kept for payload in append]
        log.append([b"next"])
        log.close()
        log.open()
        assert payloads(log) == [payload for append in [*kept, [b"next"]] for payload in append]
        assert log.damaged() == []
        log.close()


@settings(max_examples=250, deadline=None)
@given(appends=APPENDS, data=st.data())
def test_a_flipped_bit_anywhere_returns_nothing_wrong(appends: list[list[bytes]], data: st.DataObject) -> None:
    """What stands before the damage comes back, behind it what is there in order, and appends go on."""
    small = SegmentLimits(segment_bytes=4096, max_bytes=1 << 20, min_free_bytes=0)
    with tempfile.TemporaryDirectory() as folder:
        ends = written(Path(folder), [[*append, bytes(300)] for append in appends], small)
        number = data.draw(st.integers(1, ends[-1].segment))
        path = Path(folder) / f"{number:08}.seg"
        at = data.draw(st.integers(0, path.stat().st_size - 1))
        flip(path, at, data.draw(st.integers(0, 7)))
        log = reopened(Path(folder), small)
        sent = [payload for append in appends for payload in (*append, bytes(300))]
        before = [
            payload
            for append, end in zip(appends, ends, strict=True)
            for payload in (*append, bytes(300))
            if end.segment < number or (at >= FIRST and end <= (number, at))
        ]
        found = payloads(log)
        assert found[: len(before)] == before
        left = iter(sent)
        assert all(payload in left for payload in found), "something that was never appended, or out of order"
        log.append([b"next"])
        assert payloads(log) == [*found, b"next"]
        log.close()


@settings(max_examples=100, deadline=None)
@given(content=st.binary(max_size=400), tail=st.booleans())
def test_any_bytes_as_a_segment_never_stop_the_start(content: bytes, tail: bool) -> None:
    """Fuzzing of the reader: rubbish as a whole file, or behind a valid header and frame."""
    parts, _ = pack([b"good"])
    with tempfile.TemporaryDirectory() as folder:
        valid = header(1) + b"".join(parts) if tail else b""
        (Path(folder) / "00000001.seg").write_bytes(valid + content)
        log = reopened(Path(folder))
        assert payloads(log)[:1] == ([b"good"] if tail else [])
        log.append([b"next"])
        assert payloads(log)[-1] == b"next"
        log.close()


# Killed while writing

WRITER = """
import os, sys, random
from pathlib import Path
from hub.ingest.segments import SegmentLimits, SegmentLog
log = SegmentLog(Path(sys.argv[1]), SegmentLimits(segment_bytes=200_000, max_bytes=1 << 30, min_free_bytes=0))
log.open()
dice = random.Random(int(sys.argv[2]))
first = int(sys.argv[3])
for number in range(first, first + 1_000_000):
    log.append([b"%d/%d " % (number, part) + bytes(dice.randrange(30_000)) for part in range(dice.randrange(1, 4))])
    os.write(1, b"%d\\n" % number)
"""


def test_every_append_that_returned_survives_kill_9(tmp_path: Path) -> None:
    """A real process killed at random moments, ten times over the same folder."""
    seed = random.SystemRandom().randrange(1 << 30)
    print(f"seed {seed}")
    dice, returned, first = random.Random(seed), set[int](), 0
    for life in range(10):
        command = [sys.executable, "-c", WRITER, str(tmp_path / "log"), str(seed + life), str(first)]
        with subprocess.Popen(command, stdout=subprocess.PIPE) as child:
            assert child.stdout is not None
            lines = [child.stdout.readline()]
            time.sleep(dice.uniform(0, 0.15))
            child.send_signal(signal.SIGKILL)
            lines += child.stdout.read().splitlines()
        numbers = [int(line) for line in lines]
        returned.update(numbers)
        first = numbers[-1] + 2  # the one in hand may be there or not
    log = SegmentLog(tmp_path / "log")
    log.open()
    found: dict[int, int] = {}
    for stored in log.frames():
        assert stored.payload is not None
        name, body = stored.payload.split(b" ", 1)
        number, part = map(int, name.split(b"/"))
        assert part == found.get(number, 0)
        assert not body.strip(b"\x00")
        found[number] = part + 1
    assert returned <= set(found)
    assert len(set(found) - returned) <= 10
    assert log.damaged() == []
    log.close()


def test_the_files_are_in_the_documented_format(tmp_path: Path, log: SegmentLog) -> None:
    """Read with nothing but struct and zlib, as another tool would."""
    log.append([b"one", b"other"])
    content = (tmp_path / "log" / "00000001.seg").read_bytes()
    magic, version, number, _, crc = struct.unpack_from("<8sIIII", content)
    assert (magic, version, number, crc) == (b"cityhubS", 1, 1, zlib.crc32(content[:20]))
    more = 1 << 30
    for at, word, payload in ((24, 3 | more, b"one"), (40, 5, b"other")):
        assert struct.unpack_from("<II", content, at) == (word, zlib.crc32(struct.pack("<I", word) + payload))
        assert content[at + 8 : at + 16] == payload.ljust(8, b"\x00")
    assert len(content) == 56
