# SPDX-License-Identifier: EUPL-1.2
"""Where an indicator will be at the target's date when it goes on as it did: a line and its prediction interval.

Ordinary least squares over all points, of the values themselves or (where the trajectory is compound) of their
logarithms, and the two-sided 90 % prediction interval with Student's t on n - 2 degrees of freedom. Errors are taken
as independent and normal, which values of neighbouring years are only roughly; so the interval is rather too narrow.
Quantiles are the table of NIST/SEMATECH, e-Handbook of Statistical Methods, section 1.3.6.7.2; between its rows the one
above counts, which makes the interval wider, never narrower.
"""

from bisect import bisect_right
from collections.abc import Sequence
from math import isfinite

import numpy as np
from msgspec import Struct

from hub.strategy.trajectory import Method

LEVEL = 0.90
LEAST = 3
FURTHEST = 3.0  # times the span of the points: further ahead a line says nothing

_T95 = (
    6.314, 2.920, 2.353, 2.132, 2.015, 1.943, 1.895, 1.860, 1.833, 1.812,
    1.796, 1.782, 1.771, 1.761, 1.753, 1.746, 1.740, 1.734, 1.729, 1.725,
    1.721, 1.717, 1.714, 1.711, 1.708, 1.706, 1.703, 1.701, 1.699, 1.697,
)  # fmt: skip
_FURTHER = ((40, 1.684), (50, 1.676), (60, 1.671), (80, 1.664), (100, 1.660))


class Forecast(Struct, frozen=True, kw_only=True):
    """Value at the target's date with its 90 % prediction interval, from `n` points, and how it was made."""

    value: float
    low: float
    high: float
    level: float
    n: int
    method: str


class NoForecast(Struct, frozen=True):
    """Why there is none."""

    reason: str


def quantile(freedom: int) -> float:
    """The 0.95 quantile of Student's t with so many degrees of freedom (1 or more)."""
    if freedom <= len(_T95):
        return _T95[freedom - 1]
    row = bisect_right(_FURTHER, (freedom, 9.0)) - 1
    return _FURTHER[row][1] if row >= 0 else _T95[-1]


def forecast(times: Sequence[float], values: Sequence[float], at: float, method: Method) -> Forecast | NoForecast:
    """Value at time `at` (years) from the points (years, value), in any order."""
    n = len(values)
    if n < LEAST:
        return NoForecast(f"{n} of at least {LEAST} values are there")
    t, y = np.asarray(times, float), np.asarray(values, float)
    span = float(t.max() - t.min())
    if span <= 0:
        return NoForecast("all values are of one date")
    if at - t.max() > FURTHEST * span:
        return NoForecast(f"the target's date is more than {FURTHEST:g} times as far ahead as the values reach back")
    logarithmic = method is Method.COMPOUND and bool((y > 0).all())
    with np.errstate(over="ignore", invalid="ignore"):
        middle, half = _line(t, np.log(y) if logarithmic else y, at)
        ends = np.array([middle, middle - half, middle + half])
        value, low, high = (float(x) for x in (np.exp(ends) if logarithmic else ends))
    if not (isfinite(low) and isfinite(high)):
        return NoForecast("the values vary too much for a forecast")
    name = "log-linear" if logarithmic else "linear"
    words = f"{name} regression by least squares, {LEVEL:.0%} prediction interval (Student's t, {n - 2} d.f.)"
    return Forecast(value=value, low=low, high=high, level=LEVEL, n=n, method=words)


def _line(t: np.ndarray, y: np.ndarray, at: float) -> tuple[float, float]:
    """Value of the fitted line at `at` and half the width of the prediction interval."""
    n, centre = len(t), float(t.mean())
    spread = float(((t - centre) ** 2).sum())
    slope = float(((t - centre) * (y - y.mean())).sum()) / spread
    rest = y - y.mean() - slope * (t - centre)
    variance = float((rest**2).sum()) / (n - 2)
    half = quantile(n - 2) * float(np.sqrt(variance * (1 + 1 / n + (at - centre) ** 2 / spread)))
    return float(y.mean()) + slope * (at - centre), half
