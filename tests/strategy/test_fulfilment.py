# SPDX-License-Identifier: EUPL-1.2
"""One target judged: before, during and after its strategy, with and without figures."""

from datetime import date

import pytest

from hub.core.indicators import Status
from hub.core.readings import Origin
from hub.core.strategies import Aim, Statistic
from hub.core.windows import Period
from hub.strategy.fulfilment import Phase, fulfil
from hub.strategy.trajectory import Category
from tests.strategy.town import CALENDAR, FACTS, judged, moment, placed, series, strategy, target, value


def test_a_running_target_has_distance_pace_and_forecast_and_its_value_is_never_bare() -> None:
    found = judged(series(y2016=21.0, y2017=22.0, y2018=24.0, y2019=25.0, y2020=26.0))
    assert (found.phase, found.final, found.category) == (Phase.RUNNING, False, Category.ON_TRACK)
    assert found.value is not None
    assert (found.value.value, found.value_date) == (26.0, date(2020, 12, 31))
    assert (found.value.status, found.value.coverage, found.value.revision) == (Status.FINAL, 0.9, 1)
    assert found.trajectory is not None
    assert found.trajectory.ratio == pytest.approx(1.1391, abs=1e-4)  # the derived case "share up"
    assert found.forecast is not None
    assert found.forecast.n == 6  # the baseline and five years
    assert found.distance is not None
    assert found.distance.share_of_way == pytest.approx(0.3)


def test_only_windows_that_are_over_count() -> None:
    """A value of 2020 is none in mid 2020, even if somebody had written it."""
    found = judged(series(y2018=24.0, y2020=26.0), "2020-06-01")
    assert found.value_date == date(2018, 12, 31)


def test_the_order_of_values_makes_no_difference() -> None:
    values = series(y2016=21.0, y2017=22.0, y2018=24.0)
    assert judged(values) == judged(values[::-1])


def test_before_its_start_a_strategy_has_not_started() -> None:
    found = judged(series(y2014=19.0), "2015-12-31")
    assert (found.phase, found.category, found.trajectory) == (Phase.NOT_STARTED, Category.NOT_STARTED, None)
    assert found.reason == "the strategy has not begun"


@pytest.mark.parametrize(
    ("changes", "values", "reason"),
    [
        ({}, {}, "no value at this place"),
        ({}, {"y2019": None, "y2020": None}, "insufficient data in all 2 windows; the newest: 3 of 12 months"),
        ({"baseline": None}, {"y2020": 26.0}, "no baseline"),
        ({}, {"y2014": 26.0}, "not later than the baseline"),
        ({}, {"y2015": 26.0}, "not later than the baseline"),
        ({}, {"y2022": 26.0}, "no value up to now"),
    ],
)
def test_without_figures_there_is_a_reason_and_no_judgement(
    changes: dict[str, object], values: dict[str, float | None], reason: str
) -> None:
    found = judged(series(**values), **changes)
    assert found.category is Category.NO_DATA
    assert found.reason is not None
    assert reason in found.reason
    assert (found.trajectory, found.forecast) == (None, None)


def test_without_a_baseline_reached_can_still_be_told() -> None:
    found = judged(series(y2020=41.0), baseline=None)
    assert (found.category, found.reason) == (Category.REACHED, None)
    assert found.no_forecast == "there is no baseline"


def test_after_the_end_the_evaluation_is_final_and_has_neither_trajectory_nor_forecast() -> None:
    values = series(y2016=21.0, y2017=25.0, y2018=30.0, y2019=35.0, y2020=39.0, y2021=55.0)
    ended = strategy(target(date=date(2020, 12, 31)), valid_to=date(2020, 12, 31))
    found = judged(values, "2026-11-23", ended)
    assert (found.phase, found.final, found.category) == (Phase.ENDED, True, Category.NOT_REACHED)
    assert (found.value_date, found.trajectory, found.forecast) == (date(2020, 12, 31), None, None)
    assert found.distance is not None
    assert found.distance.absolute == 1.0
    assert judged(values[:-2], "2026-11-23", ended).value_date == date(2019, 12, 31)


def test_what_comes_after_the_end_makes_no_target_reached() -> None:
    late = strategy(target(), valid_to=date(2020, 12, 31))  # the target's own date is 2030
    assert judged(series(y2020=39.0, y2021=55.0), "2026-11-23", late).category is Category.NOT_REACHED
    assert judged(series(y2020=40.0, y2021=15.0), "2026-11-23", late).category is Category.REACHED


def test_the_last_day_still_belongs_to_the_strategy() -> None:
    plan = strategy(target(date=date(2020, 12, 31)), valid_to=date(2020, 12, 31))
    assert judged(series(y2019=35.0), "2020-12-31", plan).phase is Phase.RUNNING
    assert judged(series(y2019=35.0), "2021-01-01", plan).phase is Phase.ENDED


def test_a_target_whose_date_is_past_is_final_though_its_strategy_runs() -> None:
    found = judged(series(y2018=41.0, y2019=30.0), "2021-06-01", date=date(2018, 12, 31))
    assert (found.phase, found.final, found.category) == (Phase.RUNNING, True, Category.REACHED)


def test_provisional_values_count_only_when_asked_for_and_say_so() -> None:
    values = [*series(y2019=25.0), value("2021", 30.0, status=Status.PROVISIONAL, revision=0, closed=False)]
    plan = strategy(target())
    assert judged(values, "2021-06-01", plan).value_date == date(2019, 12, 31)
    found = fulfil(plan, placed(plan), values, FACTS, moment("2021-06-01", provisional=True))
    assert found.value is not None
    assert (found.value.value, found.value.status) == (30.0, Status.PROVISIONAL)
    assert "the value is provisional" in found.caveats


def test_a_count_that_is_still_growing_keeps_no_target() -> None:
    """Four days in January say nothing about at most 35 in the year; for an increase they would."""
    running = [value("2021", 4.0, status=Status.PROVISIONAL, revision=0, closed=False, lower_bound=True)]
    for aim, category in ((Aim.DECREASE, Category.NO_DATA), (Aim.INCREASE, Category.REACHED)):
        plan = strategy(target(aim=aim, value=35.0 if aim is Aim.DECREASE else 3.0))
        found = fulfil(plan, placed(plan), running, FACTS, moment("2021-06-01", provisional=True))
        assert found.category is category
    plan = strategy(target(aim=Aim.DECREASE, value=35.0))
    found = fulfil(plan, placed(plan), running, FACTS, moment("2021-06-01", provisional=True))
    assert (found.reason, found.distance) == ("there is only the lower bound of a window that is not over", None)


def test_without_a_known_end_a_strategy_runs_and_says_so() -> None:
    found = judged(series(y2020=26.0), "2026-11-23", strategy(target(), valid_to=None))
    assert found.phase is Phase.RUNNING
    assert found.caveats == ["the strategy's end is not known", "the newest value is of 2020-12-31"]


def test_a_lower_bound_a_gap_and_simulation_are_told() -> None:
    values = [value("2018", 30.0, lower_bound=True, origin=Origin.SIMULATED), *series(y2019=None)]
    found = judged(values, "2020-06-01", aim=Aim.DECREASE, value=10.0)
    assert found.simulated
    assert found.caveats == [
        "the value is a lower bound: what is missing could only make it higher",
        "the value is simulated",
        "1 later windows have too little data: 3 of 12 months",
    ]


def test_the_mean_of_a_year_needs_three_quarters_of_its_windows() -> None:
    """2020 was a leap year: 366 days, 275 of them are enough and 274 are not."""
    start, end = CALENDAR.window(value("2020", 1.0).start, Period.YEAR)
    labels = [str(date(2020, 1, 1).fromordinal(date(2020, 1, 1).toordinal() + n)) for n in range(366)]
    days = [value(label, 30.0 if n % 2 else 22.0, Period.DAY) for n, label in enumerate(labels)]
    plan = strategy(target(statistic=Statistic.YEAR_MEAN))
    found = judged(days, "2021-06-01", plan)
    assert found.value is not None
    assert (found.value.value, found.value.coverage, found.value.n_expected) == (26.0, 1.0, 366)
    assert (found.value.start, found.value.end, found.value.period) == (start, end, "P1Y")
    enough = judged(days[:275], "2021-06-01", plan).value
    assert enough is not None
    assert enough.coverage == pytest.approx(275 / 366)
    assert judged(days[:274], "2021-06-01", plan).category is Category.NO_DATA


def test_a_year_that_is_not_over_has_no_mean() -> None:
    labels = [str(date(2020, 1, 1).fromordinal(date(2020, 1, 1).toordinal() + n)) for n in range(330)]
    days = [value(label, 30.0, Period.DAY) for label in labels]
    assert judged(days, "2020-12-01", strategy(target(statistic=Statistic.YEAR_MEAN))).value is None
