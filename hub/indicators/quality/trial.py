# SPDX-License-Identifier: EUPL-1.2
"""One test of QARTOD, named and with its parameters, on values from outside: how published vectors are tried.

Parameters have the names of ioos_qc; `suspect` and `fail` stand for its `suspect_threshold` and `fail_threshold`.
"""

import math
from collections.abc import Callable, Mapping
from typing import Any, cast

import numpy as np

from hub.core.errors import Invalid
from hub.core.readings import NS
from hub.indicators.quality.qartod import (
    Flags,
    Floats,
    Ints,
    Method,
    Span,
    alone,
    flat_line,
    gross_range,
    rate_of_change,
    spike,
)

Params = Mapping[str, object]
_SAME = {"suspect_threshold": "suspect", "fail_threshold": "fail", "threshold": "suspect"}
_METHODS = ("average", "differential")


def run_test(test: str, params: Params, value: Floats, time: Ints | None) -> Flags:
    """Flags of one series; NaN is missing. Without `time` (ns) readings are a second apart. Invalid names the fault."""
    if test not in TESTS:
        raise Invalid(f"{test!r} is none of {', '.join(TESTS)}", "test")
    run, known = TESTS[test]
    given = {_SAME.get(name, name): (name, figure) for name, figure in params.items()}
    for name, (written, _) in given.items():
        if name not in known:
            raise Invalid(f"{test} takes {', '.join(known)}", written)
    at = np.arange(len(value), dtype=np.int64) * NS if time is None else time
    if np.any(np.diff(at) <= 0):
        raise Invalid("must rise from row to row", "time")
    return run(_Given(given), value, at)


class _Given:
    """Parameters, each checked when it is asked for."""

    def __init__(self, figures: Mapping[str, tuple[str, object]]) -> None:
        self._figures = figures

    def number(self, name: str) -> float | None:
        """A number from 0 on, None where it is not given."""
        written, figure = self._figures.get(name, (name, None))
        if figure is None:
            return None
        if isinstance(figure, bool) or not isinstance(figure, int | float) or not 0 <= figure < math.inf:
            raise Invalid(f"{figure!r} is no number from 0 on", written)
        return float(figure)

    def needed(self, name: str) -> float:
        """A number that must be given."""
        found = self.number(name)
        if found is None:
            raise Invalid("is missing", name)
        return found

    def thresholds(self) -> tuple[float | None, float | None]:
        """`suspect` and `fail`, one of which must be given."""
        suspect, fail = self.number("suspect"), self.number("fail")
        if suspect is None and fail is None:
            raise Invalid("give `suspect`, `fail` or both", "suspect")
        return suspect, fail

    def span(self, name: str) -> Span | None:
        """Two numbers, the lower one first whatever their order."""
        written, figure = self._figures.get(name, (name, None))
        if figure is None:
            return None
        if not isinstance(figure, list) or len(figure) != 2 or not all(isinstance(end, int | float) for end in figure):
            raise Invalid(f"{figure!r} are not two numbers", written)
        return sorted(figure)

    def method(self) -> Method:
        """Of the spike test."""
        _, figure = self._figures.get("method", ("method", "average"))
        if figure not in _METHODS:
            raise Invalid(f"{figure!r} is neither average nor differential", "method")
        return cast("Method", figure)


def _gross(given: _Given, value: Floats, _time: Ints) -> Flags:
    fail, suspect = given.span("fail_span"), given.span("suspect_span")
    if fail is None and suspect is None:
        raise Invalid("is missing", "fail_span")
    if fail and suspect and (suspect[0] < fail[0] or suspect[1] > fail[1]):
        raise Invalid("must lie within fail_span", "suspect_span")
    return gross_range(value, fail, suspect)


def _spike(given: _Given, value: Floats, _time: Ints) -> Flags:
    suspect, fail = given.thresholds()
    return spike(value, alone(len(value)), suspect or None, fail or None, given.method())  # 0: none, as in ioos_qc


def _rate(given: _Given, value: Floats, time: Ints) -> Flags:
    return rate_of_change(time, value, alone(len(value)), *given.thresholds())


def _flat(given: _Given, value: Floats, time: Ints) -> Flags:
    suspect, fail = given.needed("suspect"), given.needed("fail")
    return flat_line(time, value, given.number("tolerance") or 0.0, suspect, fail)


_Run = Callable[[_Given, Floats, Ints], Flags]
TESTS: Mapping[str, tuple[_Run, tuple[str, ...]]] = {
    "gross_range": (_gross, ("fail_span", "suspect_span")),
    "spike": (_spike, ("suspect", "fail", "method")),
    "rate_of_change": (_rate, ("suspect", "fail")),
    "flat_line": (_flat, ("suspect", "fail", "tolerance")),
}
"""Each test and the parameters that it takes."""


def numbers(found: Any, where: str) -> Floats:
    """Values of a JSON list; null is missing."""
    if not isinstance(found, list) or not all(v is None or isinstance(v, int | float) for v in found):
        raise Invalid("is no list of numbers", where)
    return np.array([math.nan if v is None else v for v in found], dtype=np.float64)
