# SPDX-License-Identifier: EUPL-1.2
"""Clock, profiles, loads and sun behind the simulation."""

from datetime import datetime
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest

from hub.simulation.noise import Noise
from hub.simulation.rhythm import BUILDING, HOUR, TRAFFIC, WATER, WeeklyLoad, moment, standard_offset
from hub.simulation.sky import sun_elevation

PRAGUE = ZoneInfo("Europe/Prague")


def _at(text: str, zone: ZoneInfo = PRAGUE) -> float:
    return datetime.fromisoformat(text).replace(tzinfo=zone).timestamp()


@pytest.mark.parametrize("day", ["2026-01-14", "2026-07-15", "2026-03-30", "2026-10-26"])
def test_the_rush_hour_is_at_seven_on_the_wall_clock_in_summer_and_winter(day):
    assert TRAFFIC.at(moment(_at(f"{day}T07:00"), PRAGUE)) == 1.0


def test_profiles_are_linear_between_hours_and_closed_at_midnight():
    half = TRAFFIC.at(moment(_at("2026-01-14T06:30"), PRAGUE))
    assert half == pytest.approx((TRAFFIC.workday[6] + TRAFFIC.workday[7]) / 2)
    late = TRAFFIC.at(moment(_at("2026-01-14T23:30"), PRAGUE))
    assert late == pytest.approx((TRAFFIC.workday[23] + TRAFFIC.workday[0]) / 2)


@pytest.mark.parametrize("profile", [BUILDING, WATER])
def test_a_load_adds_up_to_the_sum_of_its_hours(profile):
    load = WeeklyLoad.of(profile, 0.1)
    start = _at("2026-11-23T00:00", ZoneInfo("UTC"))
    hours = [load.total(start + (i + 1) * HOUR, 0) - load.total(start + i * HOUR, 0) for i in range(168)]
    expected = 5 * sum(profile.workday) + 2 * sum(profile.weekend) + 168 * 0.1
    assert sum(hours) == pytest.approx(expected)
    assert hours[8] == pytest.approx(profile.workday[8] + 0.1)
    assert hours[-1] == pytest.approx(profile.weekend[23] + 0.1)


@pytest.mark.parametrize(
    ("zone", "seconds"),
    [("Europe/Prague", 3600), ("UTC", 0), ("Australia/Sydney", 36000), ("America/New_York", -18000)],
)
def test_standard_time_is_that_without_daylight_saving(zone, seconds):
    assert standard_offset(ZoneInfo(zone)) == seconds


@pytest.mark.parametrize(
    ("text", "latitude", "elevation"),
    [
        ("2026-06-21T12:00", 50.0, 63.4),
        ("2026-12-21T12:00", 50.0, 16.6),
        ("2026-03-20T12:00", 0.0, 90.0),
        ("2026-06-21T00:00", 50.0, -16.6),
    ],
)
def test_the_sun_stands_where_astronomy_puts_it(text, latitude, elevation):
    """At noon 90 - latitude + declination; 23.44 degrees at the solstices."""
    assert sun_elevation(_at(text, ZoneInfo("UTC")), latitude, 0.0) == pytest.approx(elevation, abs=1.0)


def test_noise_is_a_function_of_its_names_index_and_channel():
    noise = Noise.of(1, "a")
    assert Noise.of(1, "a").uniform(5) == noise.uniform(5)
    assert len({noise.uniform(5), noise.uniform(6), noise.uniform(5, 1), Noise.of(2, "a").uniform(5)}) == 4


def test_noise_is_spread_evenly():
    numbers = sorted(Noise.of("even").uniform(i) for i in range(4000))
    assert max(abs(number - i / 4000) for i, number in enumerate(numbers)) < 0.03


def test_smooth_noise_stays_in_its_bounds_and_below_its_slope():
    curve = [Noise.of("smooth").smooth(t, 100.0) for t in range(5000)]
    assert max(map(abs, curve)) <= 1
    assert max(abs(b - a) for a, b in pairwise(curve)) <= 3.1416 / 100
