# SPDX-License-Identifier: EUPL-1.2
"""A device's state and the words for it."""

import numpy as np
import pytest

from hub.core.journal import DeviceSeen
from hub.core.places import Device
from hub.core.readings import NS, Columns, Flag, Series
from hub.devices.state import FlagCount, State, describe, device_state, duration, flag_counts

NOW = 1_800_000_000 * NS
MINUTE = 60 * NS


def _state(minutes_ago: float | None, interval: int | None, flags: FlagCount = FlagCount(60, 0)) -> State:  # noqa: B008 frozen
    device = Device(id="d", connector="native", external_id="d", interval=interval)
    seen = None
    if minutes_ago is not None:
        seen = DeviceSeen(device="d", received=NOW - int(minutes_ago * MINUTE), time=None, messages=1)
    return device_state(device, seen, flags, NOW).state


@pytest.mark.parametrize(
    ("claim", "minutes_ago", "interval", "flags", "expected"),
    [
        ("within its interval", 10, 900, FlagCount(60, 0), State.HEALTHY),
        ("one message may be lost", 30, 900, FlagCount(60, 0), State.HEALTHY),
        ("more than two intervals late", 31, 900, FlagCount(60, 0), State.OVERDUE),
        ("more than ten intervals late", 151, 900, FlagCount(0, 0), State.SILENT),
        ("silence outranks doubt", 151, 900, FlagCount(10, 10), State.SILENT),
        ("doubt outranks lateness", 31, 900, FlagCount(10, 10), State.CHECK_READINGS),
        ("a tenth of the readings is suspect", 1, 900, FlagCount(60, 6), State.CHECK_READINGS),
        ("a single outlier is not", 1, 900, FlagCount(60, 5), State.HEALTHY),
        ("no interval: never silent", 100_000, None, FlagCount(60, 0), State.HEALTHY),
        ("no message yet", None, 900, FlagCount(0, 0), State.REGISTERED),
        ("arrived ahead of this clock", -5, 900, FlagCount(1, 0), State.HEALTHY),
    ],
)
def test_state(claim: str, minutes_ago: float | None, interval: int | None, flags: FlagCount, expected: State) -> None:
    assert _state(minutes_ago, interval, flags) is expected, claim


def test_states_sort_with_what_needs_a_hand_first() -> None:
    assert min(State, key=lambda s: s.rank) is State.SILENT
    assert State.HEALTHY.rank == len(State) - 1


def test_words_say_when_the_last_message_came_and_when_one_was_due() -> None:
    device = Device(id="d", connector="native", external_id="d", interval=900)
    seen = DeviceSeen(device="d", received=NOW - 180 * MINUTE, time=None, messages=1)
    finding = device_state(device, seen, FlagCount(), NOW)
    assert describe(finding, "cs") == "poslední zpráva před 3 h, čekána každých 15 min"
    assert describe(finding, "en") == "last message 3 h ago, expected every 15 min"


def test_words_count_suspect_readings_and_admit_a_missing_interval() -> None:
    device = Device(id="d", connector="native", external_id="d")
    seen = DeviceSeen(device="d", received=NOW, time=None, messages=1)
    words = describe(device_state(device, seen, FlagCount(10, 4), NOW), "en")
    assert "4 of 10 recent readings are suspect" in words
    assert "no interval declared" in words


@pytest.mark.parametrize(
    ("seconds", "text"), [(0, "0 s"), (119, "119 s"), (120, "2 min"), (7200, "2 h"), (172_800, "2 d")]
)
def test_durations_use_the_largest_unit_that_gives_at_least_two(seconds: int, text: str) -> None:
    assert duration(seconds) == text


def test_flags_are_counted_by_device_over_its_quantities() -> None:
    series = [Series("a", "pm10"), Series("a", "no2"), Series("b", "pm10")]
    flags = np.array([1, Flag.SUSPECT, Flag.FAIL, 1, 2], dtype=np.uint8)
    columns = Columns(
        series=series,
        index=np.array([0, 0, 1, 2, 2], dtype=np.int32),
        time=np.arange(5, dtype=np.int64),
        value=np.zeros(5),
        flag=flags,
        origin=np.zeros(5, dtype=np.uint8),
    )
    assert flag_counts(columns) == {"a": FlagCount(3, 2), "b": FlagCount(2, 0)}


@pytest.mark.parametrize(
    ("claim", "reading_hours_ago", "expected"),
    [
        ("a buffer sent late says nothing about now", 6, State.SILENT),
        ("an hour's mean is stamped with its start", 1.05, State.HEALTHY),
        ("a clock that runs ahead does not make a device fresher than its message", -1, State.HEALTHY),
    ],
)
def test_old_readings_do_not_make_a_device_healthy(claim: str, reading_hours_ago: float, expected: State) -> None:
    device = Device(id="d", connector="native", external_id="d", interval=1800)
    time = NOW - int(reading_hours_ago * 60 * MINUTE)
    seen = DeviceSeen(device="d", received=NOW, time=time, messages=2)
    assert device_state(device, seen, FlagCount(), NOW).state is expected, claim
