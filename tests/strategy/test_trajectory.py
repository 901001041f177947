# SPDX-License-Identifier: EUPL-1.2
"""Pace against the required one: the method chosen and why, the ratio, the category, the distance."""

import csv
from pathlib import Path

import pytest

from hub.core.strategies import Aim
from hub.strategy.trajectory import Category, Method, category, choose, distance, reached, trajectory
from tests.strategy.town import target

VECTORS = Path(__file__).parents[3] / "shared" / "vectors" / "progress_cagr_ratio_derived.csv"
WORDS = {
    "significant": Category.ON_TRACK,
    "moderate": Category.MODERATE,
    "insufficient": Category.SLOW,
    "movement_away": Category.AWAY,
}


def test_the_derived_cases_of_the_eurostat_measure() -> None:
    if not VECTORS.is_file():
        pytest.skip("../shared/vectors is missing")
    lines = [line for line in VECTORS.read_text().splitlines() if not line.startswith("#")]
    rows = list(csv.DictReader(lines))
    assert rows
    for row in rows:
        y0, t0, y1, t1, post, end = (float(row[n]) for n in ("y0", "t0", "y1", "t1", "target", "t_target"))
        aim = Aim.INCREASE if post > y0 else Aim.DECREASE
        wanted = target(aim=aim, value=post)
        found = trajectory(wanted, y0, y1, t1 - t0, end - t0, "1")
        assert found.method is Method.COMPOUND
        assert found.actual == pytest.approx(float(row["cagr_actual"]), abs=1e-6), row["case"]
        assert found.required == pytest.approx(float(row["cagr_required"]), abs=1e-6), row["case"]
        assert found.ratio == pytest.approx(float(row["ratio"]), abs=1e-4), row["case"]
        assert category(wanted, y1, found) is WORDS[row["category"]], row["case"]


@pytest.mark.parametrize(
    ("baseline", "value", "post", "unit", "method", "why"),
    [
        (20, 26, 40, "1", Method.COMPOUND, "positive"),
        (0, 5, 10, "1", Method.LINEAR, "zero"),
        (-4, 2, 10, "1", Method.LINEAR, "sign"),
        (100, 60, 0, "1", Method.LINEAR, "zero"),
        (100, 60, 4.9, "1", Method.LINEAR, "near zero"),
        (100, 60, 5, "1", Method.COMPOUND, "positive"),
        (80, 90, 96, "%", Method.LINEAR, "bounds"),
        (80, 90, 96, "ug/m3", Method.COMPOUND, "positive"),
        (50, 60, 70, "%", Method.COMPOUND, "positive"),
        (4, 6, 10, "%", Method.LINEAR, "bounds"),
    ],
)
def test_compound_where_values_allow_and_linear_near_zero_or_bounds(
    baseline: float, value: float, post: float, unit: str, method: Method, why: str
) -> None:
    found, words = choose(baseline, value, post, unit)
    assert found is method
    assert why in words


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (5.0, Category.REACHED),
        (-9.5, Category.AWAY),
        (-5.0, Category.SLOW),
        (-4.9, Category.SLOW),
        (-2.0001, Category.SLOW),
        (-2.0, Category.MODERATE),
        (-0.2501, Category.MODERATE),
        (-0.25, Category.ON_TRACK),
        (0.0, Category.ON_TRACK),
    ],
)
def test_the_thresholds_of_the_categories(value: float, expected: Category) -> None:
    """From -5 to 5 in ten years, five of them gone: the straight way is at 0."""
    wanted = target(value=5.0)
    assert category(wanted, value, trajectory(wanted, -5.0, value, 5, 10, "1")) is expected


def test_progress_is_progress_in_either_direction() -> None:
    """Down from 300 to 200 is as good as up: the ratio is positive on the way, negative away from it."""
    wanted = target(aim=Aim.DECREASE, value=200.0)
    assert category(wanted, 244.9, trajectory(wanted, 300.0, 244.9, 5, 10, "1")) is Category.ON_TRACK
    assert category(wanted, 310.0, trajectory(wanted, 300.0, 310.0, 5, 10, "1")) is Category.AWAY


@pytest.mark.parametrize(("spent", "total"), [(1 / 366, 10), (1, 1 / 366)])
def test_within_a_year_pace_is_linear_and_never_explodes(spent: float, total: float) -> None:
    """Growth by 19 on one day would be 10 to the 467th a year."""
    found = trajectory(target(value=40.0), 2.1, 39.9, spent, total, "1")
    assert found.method is Method.LINEAR
    assert "less than a year" in found.why


def test_a_baseline_that_had_reached_the_target_makes_falling_back_movement_away() -> None:
    wanted = target(value=40.0)
    found = trajectory(wanted, 45.0, 38.0, 5, 10, "1")
    assert found.ratio is None
    assert category(wanted, 38.0, found) is Category.AWAY
    assert category(wanted, 41.0, found) is Category.REACHED


@pytest.mark.parametrize(
    ("baseline", "value", "expected"),
    [
        (40.0, 70.0, Category.REACHED),
        (40.0, 60.0, Category.REACHED),
        (40.0, 85.0, Category.REACHED),
        (40.0, 51.0, Category.ON_TRACK),
        (95.0, 90.0, Category.ON_TRACK),
        (95.0, 99.0, Category.AWAY),
        (70.0, 86.0, Category.AWAY),
        (40.0, 86.0, Category.ON_TRACK),  # 20 below then, 1 above now
        (40.0, 110.0, Category.AWAY),  # further above now than below then
    ],
)
def test_a_band_is_reached_from_either_side_and_can_be_overshot(
    baseline: float, value: float, expected: Category
) -> None:
    wanted = target(aim=Aim.REACH_BAND, value=None, lo=60.0, hi=85.0)
    assert category(wanted, value, trajectory(wanted, baseline, value, 5, 10, "1")) is expected


@pytest.mark.parametrize(
    ("changes", "value", "baseline", "absolute", "share"),
    [
        ({"value": 40.0}, 30.0, 20.0, 10.0, 0.5),
        ({"value": 40.0}, 15.0, 20.0, 25.0, -0.25),
        ({"value": 40.0}, 50.0, 20.0, 0.0, 1.0),
        ({"value": 40.0}, 30.0, None, 10.0, None),
        ({"value": 40.0}, 30.0, 45.0, 10.0, None),
        ({"aim": Aim.DECREASE, "value": 10.0}, 15.0, 20.0, 5.0, 0.5),
        ({"aim": Aim.REACH_BAND, "value": None, "lo": 60.0, "hi": 85.0}, 90.0, 40.0, 5.0, 0.75),
    ],
)
def test_distance_is_absolute_and_a_share_of_the_way(
    changes: dict[str, object], value: float, baseline: float | None, absolute: float, share: float | None
) -> None:
    found = distance(target(**changes), value, baseline)
    assert (found.absolute, found.share_of_way) == (absolute, share)


def test_the_targets_own_value_fulfils_it() -> None:
    assert reached(target(value=40.0), 40.0)
    assert reached(target(aim=Aim.DECREASE, value=40.0), 40.0)
    assert not reached(target(value=40.0), 39.999)
