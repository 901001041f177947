# SPDX-License-Identifier: EUPL-1.2
"""Each kind of quantity aggregates as its physics asks, and rounding is that of authorities."""

import math

import numpy as np
import pytest

from hub.core.quantities import Kind
from hub.core.windows import HOUR
from hub.indicators.aggregation import DEVICES, STEPS, WITHIN, Rows
from hub.indicators.rounding import half_up

EDGES = np.array([0, HOUR, 2 * HOUR, 3 * HOUR])
MINUTE = HOUR // 60


def within(kind: Kind, *readings: tuple[int, float], source: int = 0) -> list[float | None]:
    time = np.array([t for t, _ in readings], dtype=np.int64) * MINUTE
    step = np.searchsorted(EDGES, time, side="right") - 1
    rows = Rows(np.full(len(time), source), step, time, np.array([float(v) for _, v in readings]), EDGES, 1)
    return [None if math.isnan(v) else round(float(v), 6) for v in WITHIN[kind](rows)]


@pytest.mark.parametrize(
    ("kind", "readings", "expected"),
    [
        (Kind.ARITHMETIC, [(0, 10), (30, 20), (70, 5)], [15, 5, None]),
        (Kind.INTERVAL_TOTAL, [(0, 1.5), (30, 2), (130, 0)], [3.5, None, 0]),
        # two equal halves of 60 and 70 dB: 10 lg((10^6 + 10^7) / 2)
        (Kind.ENERGETIC, [(0, 60), (30, 70), (60, 50)], [round(10 * math.log10((1e6 + 1e7) / 2), 6), 50, None]),
        (Kind.VECTOR, [(0, 350), (30, 10), (60, 90), (90, 180)], [0, 135, None]),
        (Kind.VECTOR, [(0, 0), (30, 180)], [None, None, None]),
        # the first reading has no predecessor; at 70 the register was reset and counts from zero
        (Kind.COUNTER, [(-10, 100), (10, 103), (50, 110), (70, 4), (170, 5)], [10, 4, 1]),
        (Kind.COUNTER, [(10, 103)], [None, None, None]),
        (Kind.COUNTER, [(-25 * 60, 100), (10, 103)], [3, None, None]),  # a meter read daily, on a day of 25 hours
        (Kind.COUNTER, [(-50 * 60, 100), (10, 103)], [None, None, None]),
        # 3 for 45 minutes and 1 for 15, then 1 holds
        (Kind.STATE, [(0, 3), (45, 1)], [2.5, 1, 1]),
        (Kind.STATE, [(-30, 1), (30, 2), (150, 0)], [1.5, 2, 1]),
        (Kind.STATE, [(-24 * 60 - 1, 1)], [None, None, None]),
        (Kind.ARITHMETIC, [], [None, None, None]),
        (Kind.STATE, [], [None, None, None]),
        (Kind.COUNTER, [], [None, None, None]),
    ],
)
def test_readings_of_a_step(kind: Kind, readings: list[tuple[int, float]], expected: list[float | None]) -> None:
    found = within(kind, *readings)
    assert [None if v is None else v % 360 if kind is Kind.VECTOR else v for v in found] == pytest.approx(expected)


def test_every_kind_has_all_three_ways() -> None:
    assert set(WITHIN) == set(STEPS) == set(DEVICES) == set(Kind)


def test_two_rain_gauges_do_not_make_more_rain() -> None:
    both = np.array([2.0, 4.0]), np.array([0, 0]), 1
    assert DEVICES[Kind.INTERVAL_TOTAL](*both) == [3.0]
    assert STEPS[Kind.INTERVAL_TOTAL](*both) == [6.0]


@pytest.mark.parametrize(
    ("value", "digits", "expected"),
    [
        (0.5, 0, 1.0), (1.5, 0, 2.0), (2.5, 0, 3.0), (-2.5, 0, -3.0), (2.4999, 0, 2.0), (20.25, 1, 20.3),
        (44.249999999999996, 1, 44.3), (2.675, 2, 2.68), (1.005, 2, 1.01), (50.04, 1, 50.0), (1250, -2, 1300),
        (-0.04, 1, 0.0), (1e9 + 0.5, 0, 1e9 + 1),
    ],
)  # fmt: skip
def test_half_goes_away_from_zero_on_the_decimal_that_was_meant(value: float, digits: int, expected: float) -> None:
    assert half_up(np.array([value]), digits)[0] == expected


def test_nothing_stays_nothing() -> None:
    assert np.isnan(half_up(np.array([np.nan]), 1)[0])
