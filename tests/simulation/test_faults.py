# SPDX-License-Identifier: EUPL-1.2
"""Faults: each has its documented effect at its rate, and leaves everything else alone."""

from collections import Counter

import pytest
from msgspec import json

from hub.core.errors import Invalid
from hub.core.quantities import Quantities
from hub.core.readings import NS
from hub.simulation import FAULTS, DeviceFault, Faults, demo_faults, generate, registration
from hub.simulation.faults import OF_DEVICE, OF_MESSAGE

START = 1_777_939_200 * NS  # 2026-05-05T00:00Z
HOUR, DAY = 3600 * NS, 86400 * NS


@pytest.fixture(scope="module")
def clean(city):
    return list(generate(city, START, START + DAY))


def _run(city, faults, end=DAY):
    return list(generate(city, START, START + end, faults))


def _key(message):
    return message.device, json.decode(message.payload)["time"]


def _readings(message):
    return json.decode(message.payload)["readings"]


def test_every_fault_is_documented():
    assert set(OF_MESSAGE) | set(OF_DEVICE) == set(FAULTS)
    assert set(FAULTS) == set(Faults.__struct_fields__) - {"devices"}


@pytest.mark.parametrize("name", ["late", "duplicate", "conflict", "garbage", "wrong_clock"])
def test_faults_of_messages_come_at_their_rate_and_can_be_counted(city, clean, name):
    """Within four standard deviations of the binomial distribution."""
    n, rate = len(clean), 0.1
    found = sum(message.fault == name for message in _run(city, Faults.parse([f"{name}={rate}"])))
    assert abs(found - n * rate) < 4 * (n * rate * (1 - rate)) ** 0.5


def test_a_dropped_message_is_missing_and_all_others_are_as_before(city, clean):
    found = _run(city, Faults(drop=0.1))
    assert set(found) < set(clean)
    assert abs(len(clean) - len(found) - 0.1 * len(clean)) < 120


def test_a_late_message_has_its_true_time_and_comes_1_to_24_hours_later(city, clean):
    sent = {_key(message): message for message in clean}
    late = [m for m in _run(city, Faults(late=0.05), 2 * DAY) if m.fault == "late" and _key(m) in sent]
    assert len(late) > 200
    for message in late:
        truth = sent[_key(message)]
        assert message.payload == truth.payload
        assert HOUR <= message.time_ns - truth.time_ns <= DAY


def test_late_messages_lose_nothing(city, clean):
    found = {_key(message) for message in _run(city, Faults(late=0.2), 2 * DAY + HOUR)}
    assert {_key(message) for message in clean} <= found


def test_late_messages_are_in_order_and_do_not_depend_on_the_start(city):
    faults = Faults(late=0.3, duplicate=0.1)
    whole = _run(city, faults)
    later = list(generate(city, START + 5 * HOUR, START + DAY, faults))
    assert later == [message for message in whole if message.time_ns >= START + 5 * HOUR]
    assert [m.time_ns for m in whole] == sorted(m.time_ns for m in whole)


def test_duplicates_conflicts_and_garbage_add_messages_to_an_unchanged_run(city, clean):
    found = _run(city, Faults(duplicate=0.1, conflict=0.1))
    assert [m for m in found if m.fault is None] == clean
    truth = {_key(message): message for message in clean}
    extra = [m for m in found if m.fault and _key(m) in truth]
    assert {m.payload == truth[_key(m)].payload for m in extra if m.fault == "duplicate"} == {True}
    assert {m.payload == truth[_key(m)].payload for m in extra if m.fault == "conflict"} == {False}
    assert all(m.time_ns > truth[_key(m)].time_ns for m in extra)


def test_garbage_cannot_be_parsed_and_the_whole_telegram_follows(city, clean):
    found = _run(city, Faults(garbage=0.1))
    for message in found:
        if message.fault == "garbage":
            with pytest.raises(ValueError, match=r"truncated|malformed"):
                json.decode(message.payload)
    assert [m.payload for m in found if m.fault is None and m.device == "sim-air-1"] == [
        m.payload for m in clean if m.device == "sim-air-1"
    ]


def test_a_wrong_clock_says_1970_or_years_ahead(city):
    years = Counter(_key(m)[1][:4] for m in _run(city, Faults(wrong_clock=0.1)) if m.fault == "wrong_clock")
    assert set(years) == {"1970", "2036"}


def test_a_stuck_device_repeats_its_first_values_of_the_day(city):
    found = [m for m in _run(city, Faults(stuck=1.0)) if m.device == "sim-air-1"]
    today = [m for m in found if _key(m)[1].startswith("2026-05-05")]
    assert len({json.encode(_readings(m)) for m in today}) == 1
    assert {m.fault for m in today} == {"stuck"}


def test_a_drifting_device_is_ever_further_too_high(city, clean):
    truth = {_key(message): _readings(message) for message in clean}
    drifting = [m for m in _run(city, Faults(drift=1.0)) if m.device == "sim-air-1" and "05-05" in _key(m)[1]]
    ratios = [_readings(m)["o3"] / truth[_key(m)]["o3"] for m in drifting]
    assert ratios[0] == pytest.approx(1.01, abs=0.01)
    assert ratios[-1] == pytest.approx(1.25, abs=0.01)


def test_silent_device_days_come_at_their_rate(city):
    faults = Faults(silent=0.2)
    days = [(item, START // NS + 86400 * day) for item in city.devices for day in range(40)]
    silent = [(item.id, t) for item, t in days if faults.of_device(item.station.noise, item.id, t) is not None]
    assert len(silent) / len(days) == pytest.approx(0.2, abs=0.04)
    heard = {(m.device, _key(m)[1][:10]) for m in _run(city, faults)}
    today = {item.id for item in city.devices} - {device for device, t in silent if t == START // NS}
    assert {device for device, day in heard if day == "2026-05-05"} == today


def test_the_demo_has_one_silent_and_one_implausible_registered_device(city, clean):
    now = START + DAY
    faults = demo_faults(now)
    found = list(generate(city, START, now, faults))
    quantities, known = Quantities.load(), {device.id for device in registration(city)}
    fault = {given.fault: given.device for given in faults.devices}
    assert set(fault) == {"silent", "implausible"}
    assert set(fault.values()) <= known
    last = max(m.time_ns for m in found if m.device == fault["silent"])
    assert 5.5 * HOUR < now - last < 6.5 * HOUR
    wrong = [m for m in found if m.fault == "implausible"]
    assert {m.device for m in wrong} == {fault["implausible"]}
    assert not any(quantities.get(q).plausible(v) for m in wrong for q, v in _readings(m).items())
    assert [m for m in found if m.device not in fault.values()] == [m for m in clean if m.device not in fault.values()]


def test_the_implausible_code_is_outside_of_the_range_of_every_simulated_quantity(city):
    quantities = Quantities.load()
    faults = Faults(devices=[DeviceFault(item.id, "implausible", 0) for item in city.devices])
    found = {(q, v) for m in _run(city, faults, 12 * HOUR) for q, v in _readings(m).items()}
    assert len(found) > 40
    assert not any(quantities.get(q).plausible(v) for q, v in found)


def test_a_given_fault_begins_at_its_moment(city):
    faults = Faults(devices=[DeviceFault("sim-air-1", "stuck", START + 6 * HOUR)])
    marked = [_key(m)[1] for m in _run(city, faults) if m.fault == "stuck"]
    assert min(marked) == "2026-05-05T06:00:00Z"


@pytest.mark.parametrize(
    ("given", "culprit"),
    [
        (["late=1.5"], "late: the rate must be from 0 to 1, got 1.5"),
        (["late=nan"], "late: the rate"),
        (["drop=-0.1"], "drop: the rate"),
        (["late=much"], "late: write a rate"),
        (["late"], "late: write a rate"),
        (["hail=0.1"], "hail: no such fault; there are drop, late"),
        (["=1"], "fault: no such fault"),
        (["late=0.6", "drop=0.6"], "add up to 1 at most, got 1.2"),
        (["stuck=0.6", "silent=0.6"], "add up to 1 at most"),
    ],
)
def test_rates_that_make_no_sense_are_refused_by_name(given, culprit):
    with pytest.raises(Invalid) as caught:
        Faults.parse(given)
    assert culprit in str(caught.value)


def test_rates_are_read_from_a_command_line():
    assert Faults.parse(["late=0.05", "wrong-clock=0.01"]) == Faults(late=0.05, wrong_clock=0.01)


def test_a_fault_of_a_device_that_is_not_there_is_refused(city):
    with pytest.raises(Invalid, match="sim-x: the simulated city has no such device"):
        next(generate(city, START, START + HOUR, Faults(devices=[DeviceFault("sim-x", "stuck", 0)])))
