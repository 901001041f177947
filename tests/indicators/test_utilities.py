# SPDX-License-Identifier: EUPL-1.2
"""Formulas of waste, heat, electricity, water and lighting."""

import numpy as np
import pytest

from hub.indicators.formulas.base import Context, Floats
from hub.indicators.formulas.utilities import (
    availability,
    collection_in_time,
    heat_intensity,
    minutes_of_window,
    night_flow,
    night_flow_of_hours,
    night_share,
    night_share_of_hours,
    separate_collection,
    water_loss,
)

NAN = float("nan")


def array(*figures: float) -> Floats:
    return np.array(figures, dtype=np.float64)


def context(before: int = 0, seconds: float = 86400.0, **parameters: float) -> Context:
    return Context(parameters, {}, array(seconds), {"fill": before}, {}, {})


def collected(*levels: float, before: int = 0, hours: float = 3) -> tuple[float, float, float, float]:
    outcome = collection_in_time({"fill": array(*levels)[None, :]}, context(before, full=80, drop=40, hours=hours))
    emptied, late, waiting = (float(outcome.details[name][0]) for name in ("emptied", "late", "still_full"))
    return float(outcome.value[0]), emptied, late, waiting


@pytest.mark.parametrize(
    ("levels", "percent", "emptied", "late", "waiting"),
    [
        ((50, 85, 90, 90, 90, 5), 0, 1, 1, 0),  # full since hour 1, emptied in hour 5
        ((50, 60, 85, 90, 90, 5), 100, 1, 0, 0),
        ((50, 60, 5, 10, 20, 30), 100, 1, 0, 0),  # never full
        ((85, 5, 85, 86, 87, 88, 89, 5), 50, 2, 1, 0),
        ((90, 5, NAN, NAN, 85, 5), 100, 2, 0, 0),
        ((50, 85, 86, 87, 88, 89), 0, 0, 0, 1),  # nobody came
        ((50, 85, 86, NAN, NAN, NAN, NAN, NAN), NAN, 0, 0, 0),  # silent before it was too late
        ((90, 50, 5, 5, 6), 100, 1, 0, 0),  # one emptying in two steps
        ((90, 60, 55, 52, 90, 5), 0, 1, 1, 0),  # settled, not emptied: full since hour 0
    ],
)
def test_emptyings_are_late_when_the_container_was_full_for_longer(
    levels: tuple[float, ...], percent: float, emptied: int, late: int, waiting: int
) -> None:
    assert collected(*levels) == pytest.approx((percent, emptied, late, waiting), nan_ok=True)


def test_hours_before_the_month_count_for_the_deadline_alone() -> None:
    assert collected(90, 5, 85, 85, 85, 85, 5, before=4) == (0, 1, 1, 0)


def test_months_side_by_side_do_not_disturb_each_other() -> None:
    rows = np.array([[85, 85, 85, 85, 85, 5], [50, 85, 5, NAN, NAN, NAN]])
    outcome = collection_in_time({"fill": rows}, context(full=80, drop=40, hours=3))
    assert outcome.value.tolist() == [0, 100]


def test_minutes_are_the_share_of_a_day_of_25_hours() -> None:
    assert minutes_of_window({"share": array(0.1)}, context(seconds=90000.0)).tolist() == [150.0]


@pytest.mark.parametrize(
    ("mixed", "sort", "bio", "percent"),
    [(400, 500, 100, 60.0), (400, 500, NAN, 100 * 5 / 9), (0, 5, 0, 100.0), (0, 0, 0, NAN), (NAN, 5, 5, NAN)],
)
def test_separate_collection_is_sorted_and_bio_over_all(mixed: float, sort: float, bio: float, percent: float) -> None:
    masses = {"mixed": array(mixed), "sorted": array(sort), "bio": array(bio)}
    assert separate_collection(masses, context()).value[0] == pytest.approx(percent, nan_ok=True)


@pytest.mark.parametrize(("hdd", "area", "intensity"), [(400, 1000, 0.05), (5, 1000, NAN), (400, 0, NAN)])
def test_heat_is_per_area_and_degree_day(hdd: float, area: float, intensity: float) -> None:
    inputs = {"heat": array(20000), "hdd": array(hdd), "area": array(area)}
    assert heat_intensity(inputs, context(least=10))[0] == pytest.approx(intensity, nan_ok=True)


def hourly(*figures: float) -> Context:
    """Context of a day whose hours are numbered from 0, with a night from 0 to 5 o'clock."""
    hours = {"use": np.arange(len(figures))[None, :]}
    return context()._replace(parameters={"from": 0.0, "to": 5.0}, hour=hours)


def test_the_night_share_is_the_same_of_power_and_of_hourly_energy() -> None:
    day = (1.0, 1.0, NAN, 1.0, 1.0, *[3.0] * 12, *[NAN] * 7)
    of_profile = night_share_of_hours({"use": array(*day)[None, :]}, hourly(*day))
    of_means = night_share({"night": array(1.0), "day": array(2.5)}, context())
    assert of_profile.tolist() == of_means.tolist() == [40.0]


def test_a_day_without_use_has_no_night_share() -> None:
    assert np.isnan(night_share({"night": array(0.0), "day": array(0.0)}, context())[0])


def test_half_a_night_says_nothing_about_the_night() -> None:
    day = (1.0, NAN, NAN, 1.0, 1.0, *[3.0] * 19)
    assert np.isnan(night_share_of_hours({"use": array(*day)[None, :]}, hourly(*day))[0])


@pytest.mark.parametrize(
    ("supplied", "billed", "percent"), [(1000, 850, 15.0), (1000, 1000, 0.0), (1000, 1001, NAN), (0, 0, NAN)]
)
def test_water_loss_is_what_was_not_billed_and_never_negative(supplied: float, billed: float, percent: float) -> None:
    inputs = {"supplied": array(supplied), "billed": array(billed)}
    assert water_loss(inputs, context()).value[0] == pytest.approx(percent, nan_ok=True)


def test_night_flow_is_the_lowest_hour_against_the_days_mean() -> None:
    day = (9.0, 9.0, 3.0, 2.0, 9.0, 28.0)
    hours = hourly(*day)._replace(parameters={"from": 2.0, "to": 4.0})
    metered = night_flow_of_hours({"use": array(*day)[None, :]}, hours)
    flow = night_flow({"night": array(2.0), "day": array(10.0)}, context())
    assert (metered.value.tolist(), metered.details["night_flow"].tolist()) == ([20.0], [2.0])
    assert (flow.value.tolist(), flow.details["night_flow"].tolist()) == ([20.0], [2.0])


def test_availability_is_what_has_not_failed() -> None:
    assert availability({"failed": array(0.02)}, context()).tolist() == [98.0]
