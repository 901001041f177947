# SPDX-License-Identifier: EUPL-1.2
"""The forecast against figures worked out elsewhere, and when there is none."""

import math

import pytest

from hub.strategy.forecast import Forecast, NoForecast, forecast, quantile
from hub.strategy.trajectory import Method

YEARS = (2016.0, 2017.0, 2018.0, 2019.0, 2020.0)


def test_the_prediction_interval_is_the_textbook_one() -> None:
    """Slope 2.2 through (2018, 14), and Student's t of 3 degrees of freedom."""
    values = (10.0, 11.0, 14.0, 17.0, 18.0)
    found = forecast(YEARS, values, 2022.0, Method.LINEAR)
    assert isinstance(found, Forecast)
    assert found.value == pytest.approx(14 + 2.2 * 4)
    residuals = [y - (14 + 2.2 * (t - 2018)) for t, y in zip(YEARS, values, strict=True)]
    s = math.sqrt(sum(r * r for r in residuals) / 3)
    half = 2.353 * s * math.sqrt(1 + 1 / 5 + 4**2 / 10)
    assert (found.low, found.high) == (pytest.approx(22.8 - half), pytest.approx(22.8 + half))
    assert (found.level, found.n) == (0.9, 5)
    assert "linear regression" in found.method


def test_growth_is_continued_as_growth() -> None:
    found = forecast(YEARS, [100 * 1.1**n for n in range(5)], 2025.0, Method.COMPOUND)
    assert isinstance(found, Forecast)
    assert found.value == pytest.approx(100 * 1.1**9)
    assert found.low == pytest.approx(found.high)
    assert "log-linear" in found.method


def test_the_order_of_points_makes_no_difference() -> None:
    values = (10.0, 11.0, 14.0, 17.0, 18.0)
    assert forecast(YEARS, values, 2022.0, Method.LINEAR) == forecast(YEARS[::-1], values[::-1], 2022.0, Method.LINEAR)


@pytest.mark.parametrize(
    ("times", "values", "at", "reason"),
    [
        ((2016.0, 2017.0), (1.0, 2.0), 2030.0, "2 of at least 3 values"),
        ((2016.0, 2016.0, 2016.0), (1.0, 2.0, 3.0), 2030.0, "all values are of one date"),
        ((2016.0, 2017.0, 2018.0), (1.0, 2.0, 3.0), 2030.0, "times as far ahead"),
        ((2016.0, 2017.0, 2018.0), (1e-300, 1e300, 1e-300), 2019.0, "vary too much"),
    ],
)
def test_without_enough_to_go_by_there_is_a_reason_and_no_forecast(
    times: tuple[float, ...], values: tuple[float, ...], at: float, reason: str
) -> None:
    found = forecast(times, values, at, Method.COMPOUND)
    assert isinstance(found, NoForecast)
    assert reason in found.reason


@pytest.mark.parametrize(
    ("freedom", "expected"),
    [(1, 6.314), (2, 2.920), (30, 1.697), (39, 1.697), (40, 1.684), (99, 1.664), (10**6, 1.660)],
)
def test_quantiles_between_rows_of_the_table_are_those_of_the_row_above(freedom: int, expected: float) -> None:
    assert quantile(freedom) == expected
