# SPDX-License-Identifier: EUPL-1.2
"""Messages of the simulated city: repeatable, in order, readable by the native connector, and plausible."""

from collections import defaultdict
from datetime import datetime
from itertools import pairwise
from statistics import fmean
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from connectors.native.connector import CONNECTOR
from hub.core.errors import Invalid
from hub.core.quantities import Kind, Quantities
from hub.core.readings import NS
from hub.devices.city import load_city
from hub.sdk import RawMessage, singly
from hub.simulation import generate, simulated_city
from hub.simulation.generate import EARLIEST

QUANTITIES = Quantities.load()
CITY = simulated_city(7, load_city())
HOUR, DAY = 3600 * NS, 86400 * NS
LATEST = 4_102_444_800 * NS  # 2100


def _ns(text: str) -> int:
    return int(datetime.fromisoformat(text).replace(tzinfo=ZoneInfo("Europe/Prague")).timestamp()) * NS


def _readings(messages):
    """Readings by the real connector."""
    for message in messages:
        yield from singly(CONNECTOR.decode(RawMessage(message.topic, message.payload), {"device": message.device}))


def _series(start: int, end: int, device: str, quantity: str) -> list[tuple[int, float]]:
    return [(r.time, r.value) for r in _readings(_of(device, start, end)) if r.quantity == quantity]


def _of(device: str, start: int, end: int):
    one = type(CITY)(CITY.seed, CITY.id, [item for item in CITY.devices if item.id == device])
    return generate(one, start, end)


def _mean(start: str, hours: float, device: str, quantity: str) -> float:
    return fmean(value for _, value in _series(_ns(start), _ns(start) + int(hours * HOUR), device, quantity))


@settings(max_examples=40, deadline=None)
@given(st.integers(EARLIEST // HOUR + 2, LATEST // HOUR))
def test_every_value_is_plausible_at_any_time(hour):
    for reading in _readings(generate(CITY, hour * HOUR, (hour + 1) * HOUR)):
        assert QUANTITIES.get(reading.quantity).plausible(reading.value), reading


@pytest.mark.parametrize("day", ["2026-03-29", "2026-10-25", "2028-02-29", "2026-01-01"])
def test_every_value_of_a_special_day_is_plausible_and_counters_never_fall(day):
    """Days of 23 and 25 hours, a leap day and New Year."""
    last: dict[tuple[str, str], float] = {}
    for reading in _readings(generate(CITY, _ns(day) - 2 * HOUR, _ns(day) + DAY + 2 * HOUR)):
        quantity = QUANTITIES.get(reading.quantity)
        assert quantity.plausible(reading.value), reading
        if quantity.kind is Kind.COUNTER and not reading.device.startswith("sim-gateway"):
            key = (reading.device, reading.quantity)
            assert reading.value >= last.get(key, 0.0)
            last[key] = reading.value
    assert len(last) == 6


def test_every_device_sends_as_often_as_it_declares():
    sent = defaultdict(int)
    for message in generate(CITY, _ns("2026-05-04"), _ns("2026-05-04") + DAY):
        sent[message.device] += 1
    assert sent == {item.id: 86400 // item.device.interval for item in CITY.devices}


def test_messages_come_in_order_of_sending_within_the_time_asked_for():
    start = _ns("2026-05-04") + 1234
    times = [message.time_ns for message in generate(CITY, start, start + 3 * HOUR)]
    assert times == sorted(times)
    assert start <= times[0]
    assert times[-1] < start + 3 * HOUR


def test_no_message_is_sent_before_its_readings_end():
    """Otherwise the hub would see times in the future."""
    spans = {item.id: item.device.interval * item.kind.spanned * NS for item in CITY.devices}
    for message in generate(CITY, _ns("2026-05-04"), _ns("2026-05-04") + 2 * HOUR):
        assert all(r.time + spans[r.device] < message.time_ns for r in _readings([message]))


def test_overlapping_runs_agree_message_by_message():
    start = _ns("2026-10-25")
    whole = list(generate(CITY, start, start + 6 * HOUR))
    middle = list(generate(CITY, start + HOUR + 17, start + 4 * HOUR))
    assert middle == [m for m in whole if start + HOUR + 17 <= m.time_ns < start + 4 * HOUR]
    assert len(middle) > 500


def test_another_seed_gives_other_values():
    start = _ns("2026-05-04")
    other = simulated_city(8, load_city())
    assert list(generate(CITY, start, start + HOUR)) != list(generate(other, start, start + HOUR))


def test_every_payload_says_simulated():
    readings = list(_readings(generate(CITY, _ns("2026-05-04"), _ns("2026-05-04") + HOUR)))
    assert {reading.origin for reading in readings} == {"simulated"}


def test_air_stations_measure_what_the_air_index_needs():
    found = defaultdict(set)
    for reading in _readings(generate(CITY, _ns("2026-05-04"), _ns("2026-05-04") + HOUR)):
        found[reading.device].add(reading.quantity)
    stations = [found[item.id] for item in CITY.devices if item.kind.name == "air"]
    assert all(quantities >= {"pm10", "pm2_5", "no2", "o3"} for quantities in stations)
    assert 0 < sum("so2" in quantities for quantities in stations) < len(stations)


@pytest.mark.parametrize(
    ("device", "quantity", "high", "low"),
    [
        ("sim-traffic-1", "vehicle_count", ("2026-05-04T07:00", 1), ("2026-05-04T02:00", 1)),
        ("sim-traffic-1", "vehicle_count", ("2026-05-04T07:00", 1), ("2026-05-03T07:00", 1)),
        ("sim-noise-1", "sound_level", ("2026-05-04T08:00", 8), ("2026-05-04T00:00", 4)),
        ("sim-air-1", "o3", ("2026-07-15T12:00", 5), ("2026-07-15T00:00", 4)),
        ("sim-air-1", "o3", ("2026-07-15T12:00", 5), ("2026-01-14T12:00", 5)),
        ("sim-air-1", "no2", ("2026-02-03T07:00", 1), ("2026-02-03T02:00", 1)),
        ("sim-parking-1", "parking_occupied", ("2026-05-05T10:00", 2), ("2026-05-03T10:00", 2)),
        ("sim-energy-1", "power", ("2026-05-05T09:00", 3), ("2026-05-05T00:00", 3)),
        ("sim-water-1", "water_flow", ("2026-05-05T07:00", 1), ("2026-05-05T02:00", 1)),
        ("sim-sport-1", "people_present", ("2026-05-05T17:00", 2), ("2026-05-05T07:00", 2)),
        ("sim-lighting-1", "lamp_power", ("2026-05-05T22:00", 1), ("2026-05-05T12:00", 1)),
        ("sim-weather-1", "solar_irradiance", ("2026-06-21T12:00", 2), ("2026-06-21T00:00", 2)),
    ],
)
def test_days_and_weeks_have_their_pattern(device, quantity, high, low):
    assert _mean(*high, device, quantity) > 1.05 * _mean(*low, device, quantity)


def test_particles_are_worst_on_winter_evenings():
    """Means of ten days, as the weather changes from day to day."""
    days = range(10, 20)
    evening = fmean(_mean(f"2026-01-{day}T18:00", 3, "sim-air-1", "pm10") for day in days)
    midday = fmean(_mean(f"2026-01-{day}T11:00", 3, "sim-air-1", "pm10") for day in days)
    summer = fmean(_mean(f"2026-07-{day}T18:00", 3, "sim-air-1", "pm10") for day in days)
    assert evening > 1.3 * midday > 1.3 * summer


@pytest.mark.parametrize(
    ("device", "quantity", "closed"),
    [
        ("sim-sport-2", "visitor_count", "2026-05-05T01:00"),
        ("sim-social-1", "client_count", "2026-05-03T09:00"),
        ("sim-satisfaction-1", "votes_positive", "2026-05-05T01:00"),
        ("sim-lighting-1", "lamp_on", "2026-06-21T12:00"),
    ],
)
def test_what_is_closed_or_off_counts_nothing(device, quantity, closed):
    assert _mean(closed, 3, device, quantity) == 0


def test_open_facilities_have_visitors_and_votes():
    assert _mean("2026-05-05T16:00", 4, "sim-sport-2", "visitor_count") > 0
    assert _mean("2026-05-05T09:00", 4, "sim-satisfaction-1", "votes_positive") > 0


def test_a_container_fills_for_a_week_and_is_emptied_once():
    levels = [value for _, value in _series(_ns("2026-05-04"), _ns("2026-05-11"), "sim-waste-1", "fill_level")]
    drops = [after - before for before, after in pairwise(levels) if after < before]
    assert len(drops) == 1
    assert drops[0] < -40


def test_parts_of_a_whole_fit_together():
    for message in generate(CITY, _ns("2026-05-05T09:00"), _ns("2026-05-05T10:00")):
        values = {reading.quantity: reading.value for reading in _readings([message])}
        if "parking_free" in values:
            assert values["parking_free"] + values["parking_occupied"] == values["parking_capacity"]
        if "pm10" in values:
            assert values["pm2_5"] <= values["pm10"]


def test_power_is_the_slope_of_the_register():
    start = _ns("2026-05-05")
    energy = dict(_series(start, start + 6 * HOUR, "sim-energy-1", "energy"))
    power = dict(_series(start, start + 6 * HOUR, "sim-energy-1", "power"))
    step = 900 * NS
    checked = [t for t in energy if t - step in energy]
    assert len(checked) > 20
    for t in checked:
        assert power[t] == pytest.approx((energy[t] - energy[t - step]) * 4 * 1000, abs=10)


def test_a_start_before_2000_is_refused():
    with pytest.raises(Invalid, match="start: the simulation starts in 2000"):
        next(generate(CITY, EARLIEST - 1, EARLIEST))
