# SPDX-License-Identifier: EUPL-1.2
"""Inputs that are no readings: values of other indicators, figures that are carried on, attributes of places.

An indicator goes in as it is (same window, same place), reduced over its shorter windows, or combined over the places
below. What is missing lowers the coverage; where it could only add, the result is a lower bound.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

import numpy as np

from hub.core.indicators import IndicatorValue
from hub.core.windows import Calendar
from hub.indicators.aggregation import Floats, Ints, energetic_mean, maximum, mean, minimum, percentile, total
from hub.indicators.cells import Bools, Bytes, Cells, worst
from hub.indicators.definition import Definition, Input
from hub.indicators.stratification import post_stratify

Attributes = Mapping[str, Mapping[str, float]]  # by name and place


class Values(NamedTuple):
    """Values of one indicator as columns, for those that depend on it; `place` is an index into `places`.

    `n`: on how many figures each rests. `partial`: its figure also where too little is there for a value (NaN: none).
    """

    places: Sequence[str]
    place: Ints
    start: Ints
    value: Floats  # NaN: insufficient
    unknown: Bools  # its coverage is not known
    lower_bound: Bools
    origin: Bytes
    grade: Bytes
    n: Floats
    partial: Floats


def values_of(stored: Sequence[IndicatorValue]) -> Values:
    """Stored values as columns."""
    places = sorted({v.place for v in stored})
    position = {place: i for i, place in enumerate(places)}
    value = np.array([np.nan if v.value is None else v.value for v in stored], dtype=np.float64)
    return Values(
        places,
        np.array([position[v.place] for v in stored], dtype=np.int64),
        np.array([v.start for v in stored], dtype=np.int64),
        value,
        np.array([v.coverage is None for v in stored], dtype=np.bool_),
        np.array([v.lower_bound for v in stored], dtype=np.bool_),
        np.array([v.origin for v in stored], dtype=np.uint8),
        np.array([v.grade for v in stored], dtype=np.uint8),
        np.array([v.details.get("n", v.n_valid) for v in stored], dtype=np.float64),
        np.array([v.details.get("partial", np.nan if v.value is None else v.value) for v in stored], dtype=np.float64),
    )


def attribute_cells(known: Mapping[str, float], places: Sequence[str], windows: int) -> Cells:
    """A figure of each place, or of the nearest place above that has one."""
    figures = [known.get(_nearest(place, known), np.nan) for place in places]
    value = np.repeat(np.array(figures, dtype=np.float64)[:, None], windows, axis=1)
    return _constant(value, np.zeros(value.shape, np.uint8), np.zeros(value.shape, np.uint8))


def carried_cells(values: Values, places: Sequence[str], windows: Ints, *, same: bool) -> Cells:
    """The newest value that began before a window's end, of the place or of the nearest place above that has any.

    `same`: only the value of the very window counts: computed figures of windows as long as these, never older ones.
    """
    shape = (len(places), len(windows) - 1)
    value = np.full(shape, np.nan)
    origin, grade = np.zeros(shape, np.uint8), np.zeros(shape, np.uint8)
    there = {values.places[p] for p in values.place[~np.isnan(values.value)].tolist()}
    for i, place in enumerate(places):
        source = _nearest(place, there)
        if source not in there:
            continue
        rows = np.flatnonzero((values.place == values.places.index(source)) & ~np.isnan(values.value))
        rows = rows[np.argsort(values.start[rows], kind="stable")]
        found = np.searchsorted(values.start[rows], windows[1:], side="left") - 1
        use = found >= 0
        if same:
            use &= values.start[rows[found]] >= windows[:-1]
        value[i, use] = values.value[rows[found[use]]]
        origin[i, use], grade[i, use] = values.origin[rows[found[use]]], values.grade[rows[found[use]]]
    return _constant(value, origin, grade)


def _nearest(place: str, known: Mapping[str, float] | set[str]) -> str:
    while place and place not in known:
        place = place.rpartition("/")[0]
    return place


def _constant(value: Floats, origin: Bytes, grade: Bytes) -> Cells:
    there = ~np.isnan(value)
    one = there.astype(np.float64)
    return Cells(value, there, there, one, np.ones(value.shape), one, np.zeros(value.shape, np.bool_), origin, grade)


def indicator_cells(
    d: Definition,
    item: Input,
    source: Definition,
    calendar: Calendar,
    values: Values,
    places: Sequence[str],
    windows: Ints,
    population: Mapping[str, float] | None = None,
) -> Cells:
    """An input that is an indicator itself: as it is, over shorter windows, or over the places below."""
    position = {place: i for i, place in enumerate(places)}
    target = np.array([position.get(_nearest(p, position), -1) for p in values.places], dtype=np.int64)
    window = np.searchsorted(windows, values.start, side="right") - 1
    place = target[values.place] if len(target) else np.empty(0, dtype=np.int64)
    keep = (place >= 0) & (window >= 0) & (window < len(windows) - 1)
    group = (place * (len(windows) - 1) + window)[keep]
    shape = (len(places), len(windows) - 1)
    weighted = item.reduce == "weighted_mean"
    rows = _Rows(values, keep, group, shape[0] * shape[1], item, d, population or {}, weighted)
    expected = _expected(source, calendar, group, windows, shape, d, steps=weighted)
    return _reduced(rows, expected, shape)


def _expected(
    source: Definition,
    calendar: Calendar,
    group: Ints,
    windows: Ints,
    shape: tuple[int, int],
    d: Definition,
    *,
    steps: bool,
) -> Floats:
    """Shorter windows (or their steps) in each window by the calendar; else the values that exist (watched sites)."""
    if source.window == d.window:
        return np.bincount(group, minlength=shape[0] * shape[1]).astype(np.float64)
    period = (source.step or source.window) if steps else source.window
    starts = calendar.edges(int(windows[0]), int(windows[-1]), period)[:-1]
    inside = np.searchsorted(windows, starts, side="right") - 1
    per_window = np.bincount(inside[(inside >= 0) & (inside < shape[1])], minlength=shape[1])
    return np.tile(per_window, shape[0]).astype(np.float64)


class _Rows:
    """Values that go into windows: those kept, the windows (`group`) they go into, and which of them count."""

    def __init__(
        self,
        values: Values,
        keep: Bools,
        group: Ints,
        groups: int,
        item: Input,
        d: Definition,
        population: Mapping[str, float],
        weighted: bool,
    ) -> None:
        self.item, self.d, self.groups, self.group = item, d, groups, group
        self.value = (values.partial if weighted else values.value)[keep]
        self.n = values.n[keep]
        self.place = values.place[keep]
        self.population = np.array([population.get(p, np.nan) for p in values.places], dtype=np.float64)
        self.unknown, self.lower_bound = values.unknown[keep], values.lower_bound[keep]
        self.origin, self.grade = values.origin[keep], values.grade[keep]
        self.valid: Bools = ~np.isnan(self.value)
        self.weighted = weighted
        if d.spatial in ("population_weighted", "post_stratified"):
            self.valid &= ~np.isnan(self.population[self.place]) if len(self.place) else self.valid

    @property
    def reduction(self) -> str:
        """How the figures of one window become one."""
        if self.item.reduce:
            return self.item.reduce
        if self.d.spatial == "worst":
            return "minimum" if self.d.direction == "higher_is_better" else "maximum"
        return self.d.spatial or "mean"


def _reduced(rows: _Rows, expected: Floats, shape: tuple[int, int]) -> Cells:
    valid, group, n = rows.valid, rows.group, rows.groups
    value, effective = _REDUCE[rows.reduction](rows)
    counted = np.bincount(group[valid], rows.n[valid] if rows.weighted else None, n).astype(np.float64)
    coverage = np.divide(counted, expected, out=np.zeros(n), where=expected > 0)
    rising = rows.reduction in {"count_over", "count_under", "maximum", "total"}
    bounded = np.bincount(group[valid], rows.lower_bound[valid], n) > 0
    unknown = np.bincount(group[valid], rows.unknown[valid], n) > 0  # what is unknown below stays unknown
    speaks = valid | ~(counted > 0)[group]
    return Cells(
        value.reshape(shape),
        ((counted > 0) & (coverage >= rows.item.capture - 1e-9)).reshape(shape),
        (np.bincount(group, minlength=n) > 0).reshape(shape),
        counted.reshape(shape),
        expected.reshape(shape),
        np.where(unknown, np.nan, coverage).reshape(shape),
        (bounded | (rising & (counted < expected))).reshape(shape),
        worst(rows.origin[speaks], group[speaks], n).reshape(shape),
        worst(rows.grade[speaks], group[speaks], n).reshape(shape),
        n=effective.reshape(shape),
    )


Reduced = tuple[Floats, Floats]  # value, and on how many figures it rests


def _plain(function: Callable[[Floats, Ints, int], Floats]) -> Callable[[_Rows], Reduced]:
    def reduce(rows: _Rows) -> Reduced:
        group = rows.group[rows.valid]
        n = np.bincount(group, rows.n[rows.valid], rows.groups).astype(np.float64)
        return function(rows.value[rows.valid], group, rows.groups), n

    return reduce


def _counting(hit: Callable[[Floats, float], Bools], *, share: bool) -> Callable[[_Rows], Reduced]:
    def reduce(rows: _Rows) -> Reduced:
        group = rows.group[rows.valid]
        hits = np.bincount(group, hit(rows.value[rows.valid], rows.item.threshold or 0.0), rows.groups)
        n = np.bincount(group, minlength=rows.groups).astype(np.float64)
        count = np.where(n > 0, hits, np.nan)
        return np.divide(count, n, out=np.full(rows.groups, np.nan), where=n > 0) if share else count, n

    return reduce


def _by_weight(weight: Callable[[_Rows], Floats]) -> Callable[[_Rows], Reduced]:
    def reduce(rows: _Rows) -> Reduced:
        group, weights = rows.group[rows.valid], weight(rows)[rows.valid]
        top = np.bincount(group, rows.value[rows.valid] * weights, rows.groups)
        bottom = np.bincount(group, weights, rows.groups)
        value = np.divide(top, bottom, out=np.full(rows.groups, np.nan), where=bottom > 0)
        return value, np.bincount(group, rows.n[rows.valid], rows.groups).astype(np.float64)

    return reduce


def _post_stratified(rows: _Rows) -> Reduced:
    value, effective = np.full(rows.groups, np.nan), np.zeros(rows.groups)
    for group in np.unique(rows.group[rows.valid]).tolist():
        here = np.flatnonzero(rows.valid & (rows.group == group) & (rows.n > 0))
        if len(here):
            value[group], effective[group] = post_stratify(
                rows.value[here], rows.n[here], rows.population[rows.place[here]], rows.d.cap
            )
    return value, effective


_REDUCE: Mapping[str, Callable[[_Rows], Reduced]] = {
    "mean": _plain(mean),
    "energetic": _plain(energetic_mean),
    "total": _plain(total),
    "minimum": _plain(minimum),
    "maximum": _plain(maximum),
    "median": _plain(lambda v, g, n: percentile(v, g, n, 50.0)),
    "percentile": lambda rows: _plain(lambda v, g, n: percentile(v, g, n, rows.item.percentile or 0.0))(rows),
    "count_over": _counting(lambda v, limit: v > limit, share=False),
    "count_under": _counting(lambda v, limit: v < limit, share=False),
    "share_over": _counting(lambda v, limit: v >= limit, share=True),
    "share_under": _counting(lambda v, limit: v <= limit, share=True),
    "weighted_mean": _by_weight(lambda rows: rows.n),
    "population_weighted": _by_weight(lambda rows: rows.population[rows.place]),
    "post_stratified": _post_stratified,
}
