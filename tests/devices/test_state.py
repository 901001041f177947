# SPDX-License-Identifier: EUPL-1.2
"""A device's state and the words for it."""

import numpy as np
import pytest

from hub.core.access import BrokerRefusal, Credential, CredentialKind
from hub.core.journal import DeviceSeen, EventRecord
from hub.core.places import Device
from hub.core.readings import NS, Columns, Flag, Series
from hub.devices.state import (
    EVENTS,
    Battery,
    Evidence,
    Finding,
    FlagCount,
    State,
    describe,
    device_state,
    duration,
    flag_counts,
)

NOW = 1_800_000_000 * NS
MINUTE = 60 * NS


def _state(minutes_ago: float | None, interval: int | None, flags: FlagCount = FlagCount(60, 0)) -> State:  # noqa: B008 frozen
    device = Device(id="d", connector="native", external_id="d", interval=interval)
    seen = None
    if minutes_ago is not None:
        received = NOW - int(minutes_ago * MINUTE)
        seen = DeviceSeen(device="d", received=received, time=received, messages=2)
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
    seen = DeviceSeen(device="d", received=NOW - 180 * MINUTE, time=NOW - 180 * MINUTE, messages=2)
    finding = device_state(device, seen, FlagCount(), NOW)
    assert describe(finding, "cs") == "poslední zpráva před 3 h, čekána každých 15 min"
    assert describe(finding, "en") == "last message 3 h ago, expected every 15 min"


def test_words_count_suspect_readings_and_admit_a_missing_interval() -> None:
    device = Device(id="d", connector="native", external_id="d")
    seen = DeviceSeen(device="d", received=NOW, time=NOW, messages=2)
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


def _found(evidence: Evidence, *, messages: int = 2, time: int | None = NOW) -> Finding:
    device = Device(id="d", connector="native", external_id="d", interval=900)
    seen = DeviceSeen(device="d", received=NOW, time=time, messages=messages)
    return device_state(device, seen, FlagCount(), NOW, evidence)


def test_messages_without_one_usable_reading_are_told_at_once() -> None:
    finding = _found(Evidence(), messages=1, time=None)
    assert (finding.state, finding.attention) == (State.CHECK_READINGS, True)
    assert "no reading could be taken from any of its messages (1)" in describe(finding, "en")
    assert "nepodařilo získat měření" in describe(finding, "cs")


@pytest.mark.parametrize("number", [1, EVENTS])
def test_what_the_network_alone_told_is_no_message_that_could_not_be_used(number: int) -> None:
    event = EventRecord(
        device="d", connector="chirpstack", external_id="d", kind="log", level="error", reason="UPLINK_MIC",
        text="Invalid MIC", time=NOW, received=NOW,
    )  # fmt: skip
    finding = _found(Evidence(events=[event] * number), messages=number + (number == EVENTS) * 5, time=None)
    assert finding.state is State.REGISTERED
    assert "wrong key (MIC)" in describe(finding, "en")


def _credential(disabled_at: int | None) -> Credential:
    return Credential(
        username="d", kind=CredentialKind.DEVICE, hashes={}, disabled_at=disabled_at, disabled_why="stolen"
    )


@pytest.mark.parametrize("disabled", [False, True])
def test_a_device_whose_access_is_disabled_is_silent_from_then_on(disabled: bool) -> None:
    finding = _found(Evidence(credential=_credential(NOW if disabled else None)))
    assert finding.state is (State.SILENT if disabled else State.HEALTHY)
    assert ("its credential is disabled (stolen)" in describe(finding, "en")) is disabled


REFUSALS = {
    "publish_denied": ("may only below devices/d/", "smí jen pod devices/d/"),
    "subscribe_denied": ("wanted to listen to devices/x/readings", "chtělo poslouchat devices/x/readings"),
    "login_failed": ("wrong user name or secret", "špatné uživatelské jméno nebo heslo"),
    "client_error": ("broke off its connection, 3×: Publish Violation", "přerušil spojení zařízení, 3×"),
    "of a kind yet unknown": ("devices/x/readings Publish Violation", "broker odmítl 3×"),
}


@pytest.mark.parametrize("kind", REFUSALS)
def test_what_the_broker_refused_is_said_in_words(kind: str) -> None:
    refusal = BrokerRefusal(
        username="d", kind=kind, topic="devices/x/readings", text="Publish Violation", count=3, first=NOW, last=NOW
    )
    finding = _found(Evidence(refusals=[refusal]))
    assert finding.attention
    for language, words in zip(("en", "cs"), REFUSALS[kind], strict=True):
        assert words in describe(finding, language)


@pytest.mark.parametrize(
    ("value", "state", "attention"),
    [(87, State.HEALTHY, False), (20, State.HEALTHY, True), (9, State.CHECK_READINGS, True)],
)
def test_the_battery_is_always_told_and_counts_from_its_limits_on(value: float, state: State, attention: bool) -> None:
    finding = _found(Evidence(battery=Battery(value)))
    assert (finding.state, finding.attention, finding.battery) == (state, attention, Battery(value))
    assert f"battery {value} %" in describe(finding, "en")
