# SPDX-License-Identifier: EUPL-1.2
"""The kernel's second half: inputs per place and window become results.

`Cells` come from readings (`hub.indicators.cells`), from values of other indicators (`indicator_cells`) or from a
table (`hub.indicators.table`); from here on nobody can tell. Values are rounded (half up) to the definition's
precision before they meet a band or a store.

A value needs every required input and at least one input at all. An optional input that is missing is named, and
where the formula can only rise by it, the result is a lower bound and says so. The same holds for counts over shorter
windows: a missing day can only add.
"""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np

from hub.core.indicators import IndicatorValue
from hub.core.windows import Calendar, Period
from hub.indicators.aggregation import Floats, Ints, mean, total
from hub.indicators.cells import Bools, Bytes, Cells, worst
from hub.indicators.definition import Definition, Input
from hub.indicators.formulas.base import Context, Outcome
from hub.indicators.rounding import half_up


class Results(NamedTuple):
    """What a definition gives in (place, window) matrices; `inputs` are the rounded cells behind it.

    `used` tells which inputs count in a window at all (months). `band` is 1 for the first, 0 for none.
    """

    definition: Definition
    places: Sequence[str]
    windows: Ints  # edges
    inputs: Mapping[str, Cells]
    used: Mapping[str, Bools]
    input_bands: Mapping[str, Ints]
    value: Floats
    band: Ints
    score: Floats
    n_valid: Floats
    n_expected: Floats
    coverage: Floats
    lower_bound: Bools
    origin: Bytes
    grade: Bytes
    below: Mapping[str, "Values"]  # values of the places below, by input, where levels differ


class Values(NamedTuple):
    """Values of one indicator as columns, for those that depend on it; `place` is an index into `places`."""

    places: Sequence[str]
    place: Ints
    start: Ints
    value: Floats  # NaN: insufficient
    unknown: Bools  # its coverage is not known
    lower_bound: Bools
    origin: Bytes
    grade: Bytes


def combine(
    d: Definition,
    places: Sequence[str],
    windows: Ints,
    inputs: Mapping[str, Cells],
    months: Ints | None,
    below: Mapping[str, "Values"] | None = None,
) -> Results:
    """Apply the formula. `months` has the month of each window; None: an input with months counts where it is there."""
    rounded = {
        name: cells._replace(value=half_up(cells.value, d.inputs[name].precision)) for name, cells in inputs.items()
    }
    used = {name: _used(d.inputs[name], months, cells) for name, cells in rounded.items()}
    bands = {name: _band_of(cells.value, d.inputs[name].bands) for name, cells in rounded.items()}
    taken = {n: cells.available & used[n] for n, cells in rounded.items()}
    arguments = {n: np.where(taken[n], bands[n] if d.rule.of_bands else c.value, np.nan) for n, c in rounded.items()}
    flat = d.rule.function({n: a.ravel() for n, a in arguments.items()}, _context(d, windows, len(places)))
    flat = flat.value if isinstance(flat, Outcome) else flat
    complete = np.any(list(taken.values()), axis=0)
    for name, item in d.inputs.items():
        if item.required:
            complete &= taken[name] | ~used[name]
    value = np.where(complete, half_up(flat, d.precision).reshape(complete.shape), np.nan)
    band = np.where(np.isnan(value), 0, _band(d, value))
    short = [used[n] & (~taken[n] | c.lower_bound) for n, c in rounded.items()]
    bounded = np.any(short, axis=0) if d.rule.lower_bound or d.lower_bound else np.any(
        [taken[n] & c.lower_bound for n, c in rounded.items()], axis=0
    )  # fmt: skip
    n_valid, n_expected, coverage = _counts(rounded, used)
    return Results(
        d, places, windows, rounded, used, bands, value, band,
        np.array([np.nan, *(np.nan if b.score is None else b.score for b in d.bands)])[band],
        n_valid, n_expected, coverage, bounded & ~np.isnan(value),
        _inherited([c.origin for c in rounded.values()], list(rounded.values()), list(used.values())),
        _inherited([c.grade for c in rounded.values()], list(rounded.values()), list(used.values())),
        below or {},
    )  # fmt: skip


def _context(d: Definition, windows: Ints, places: int) -> Context:
    seconds = np.tile(np.diff(windows) / 1e9, places)
    return Context(d.parameters, {}, seconds, {}, {}, {})


def _used(item: Input, months: Ints | None, cells: Cells) -> Bools:
    if not item.months:
        return np.ones(cells.value.shape, dtype=np.bool_)
    if months is None:
        return cells.available
    return np.broadcast_to(np.isin(months, item.months)[None, :], cells.value.shape)


def _band_of(values: Floats, bounds: Sequence[float]) -> Ints:
    """Number of the band (1 the first) by inclusive upper bounds; above the last bound is one more."""
    return np.asarray(np.searchsorted(np.array(bounds), values, side="left") + 1, dtype=np.int64)


def _band(d: Definition, value: Floats) -> Ints:
    if not d.bands:
        return np.zeros(value.shape, dtype=np.int64)
    bounds = [b.max for b in d.bands if b.max is not None]
    band = _band_of(value, bounds)
    return np.where(band > len(d.bands), 0, band)


def _counts(inputs: Mapping[str, Cells], used: Mapping[str, Bools]) -> tuple[Floats, Floats, Floats]:
    """Counts over inputs that sent anything; one input alone speaks for itself."""
    if len(inputs) == 1:
        (only,) = inputs.values()
        return only.n_valid, only.n_expected, only.coverage
    counted = {n: c.seen & used[n] for n, c in inputs.items()}
    n_valid = np.sum([np.where(counted[n], c.n_valid, 0.0) for n, c in inputs.items()], axis=0)
    n_expected = np.sum([np.where(counted[n], c.n_expected, 0.0) for n, c in inputs.items()], axis=0)
    nothing = ~np.any(list(counted.values()), axis=0)
    coverage = np.divide(n_valid, n_expected, out=np.zeros(n_valid.shape), where=~nothing)
    return n_valid, np.where(nothing, np.nan, n_expected), coverage


def _inherited(codes: Sequence[Bytes], inputs: Sequence[Cells], used: Sequence[Bools]) -> Bytes:
    """The worst of what went in; where nothing did, of what stands there."""
    seen = [c.seen & u for c, u in zip(inputs, used, strict=True)]
    anything = np.any(seen, axis=0)
    counted = [np.where(s | ~anything, code, 0) for s, code in zip(seen, codes, strict=True)]
    return np.asarray(np.max(counted, axis=0), dtype=np.uint8)


def indicator_cells(
    d: Definition,
    item: Input,
    source: Definition,
    calendar: Calendar,
    values: Values,
    places: Sequence[str],
    windows: Ints,
) -> Cells:
    """An input that is an indicator itself: as it is, over shorter windows, or over the places below."""
    position = {place: i for i, place in enumerate(places)}
    target = np.array([position.get(_lifted(p, places), -1) for p in values.places], dtype=np.int64)
    window = np.searchsorted(windows, values.start, side="right") - 1
    place = target[values.place] if len(target) else np.empty(0, dtype=np.int64)
    keep = (place >= 0) & (window >= 0) & (window < len(windows) - 1)
    group = (place * (len(windows) - 1) + window)[keep]
    shape = (len(places), len(windows) - 1)
    valid = ~np.isnan(values.value[keep])
    expected = _expected(d, source, calendar, group, windows, shape)
    return _reduced(d, item, values, keep, valid, group, expected, shape)


def _lifted(place: str, places: Sequence[str]) -> str:
    """The place itself or the nearest one above that is asked for."""
    asked = set(places)
    while place and place not in asked:
        place = place.rpartition("/")[0]
    return place


def _expected(
    d: Definition, source: Definition, calendar: Calendar, group: Ints, windows: Ints, shape: tuple[int, int]
) -> Floats:
    """Shorter windows in each window by the calendar; else the values that exist (sites that are watched)."""
    if source.window == d.window:
        return np.bincount(group, minlength=shape[0] * shape[1]).astype(np.float64)
    starts = calendar.edges(int(windows[0]), int(windows[-1]), source.window)[:-1]
    inside = np.searchsorted(windows, starts, side="right") - 1
    per_window = np.bincount(inside[(inside >= 0) & (inside < shape[1])], minlength=shape[1])
    return np.tile(per_window, shape[0]).astype(np.float64)


def _reduced(
    d: Definition,
    item: Input,
    values: Values,
    keep: Bools,
    valid: Bools,
    group: Ints,
    expected: Floats,
    shape: tuple[int, int],
) -> Cells:
    n = shape[0] * shape[1]
    reduction = item.reduce or {"worst": _worse(d), "mean": "mean", None: "mean"}[d.spatial]
    value = _REDUCE[reduction](values.value[keep][valid], group[valid], n, item.threshold)
    n_valid = np.bincount(group[valid], minlength=n).astype(np.float64)
    coverage = np.divide(n_valid, expected, out=np.zeros(n), where=expected > 0)
    rising = reduction in {"count_over", "maximum", "total"}
    bounded = np.bincount(group[valid], values.lower_bound[keep][valid], n) > 0
    unknown = np.bincount(group[valid], values.unknown[keep][valid], n) > 0  # what is unknown below stays unknown
    speaks = valid | ~(n_valid > 0)[group]
    return Cells(
        value.reshape(shape),
        ((n_valid > 0) & (coverage >= item.capture - 1e-9)).reshape(shape),
        (np.bincount(group, minlength=n) > 0).reshape(shape),
        n_valid.reshape(shape),
        expected.reshape(shape),
        np.where(unknown, np.nan, coverage).reshape(shape),
        (bounded | (rising & (n_valid < expected))).reshape(shape),
        worst(values.origin[keep][speaks], group[speaks], n).reshape(shape),
        worst(values.grade[keep][speaks], group[speaks], n).reshape(shape),
    )


def _worse(d: Definition) -> str:
    return "minimum" if d.direction == "higher_is_better" else "maximum"


def _extreme(values: Floats, group: Ints, n: int, largest: bool) -> Floats:
    order = np.argsort(values if largest else -values, kind="stable")
    found = np.full(n, np.nan)
    found[group[order]] = values[order]  # the most extreme is written last
    return found


def _count_over(values: Floats, group: Ints, n: int, threshold: float | None) -> Floats:
    over = np.bincount(group, values > (0.0 if threshold is None else threshold), n)
    return np.where(np.bincount(group, minlength=n) > 0, over, np.nan)


_REDUCE = {
    "mean": lambda v, g, n, _: mean(v, g, n),
    "total": lambda v, g, n, _: total(v, g, n),
    "minimum": lambda v, g, n, _: _extreme(v, g, n, largest=False),
    "maximum": lambda v, g, n, _: _extreme(v, g, n, largest=True),
    "count_over": _count_over,
}


def months_of(windows: Ints, period: Period, calendar: Calendar) -> Ints:
    """Month (1 to 12) in which each window begins: of UTC for hours, of the calendar for longer windows."""
    own = Calendar.of("UTC") if period is Period.HOUR else calendar
    if len(windows) < 2:
        return np.empty(0, dtype=np.int64)
    edges = own.edges(int(windows[0]), int(windows[-1]), Period.MONTH)
    years = own.edges(int(windows[0]), int(windows[-1]), Period.YEAR)
    first = len(own.windows(int(years[0]), int(edges[0]), Period.MONTH))  # months of that year before the first edge
    return np.asarray((first + np.searchsorted(edges, windows[:-1], side="right") - 1) % 12 + 1, dtype=np.int64)


def values_of(stored: Sequence[IndicatorValue]) -> Values:
    """Stored values as columns."""
    places = sorted({v.place for v in stored})
    position = {place: i for i, place in enumerate(places)}
    return Values(
        places,
        np.array([position[v.place] for v in stored], dtype=np.int64),
        np.array([v.start for v in stored], dtype=np.int64),
        np.array([np.nan if v.value is None else v.value for v in stored], dtype=np.float64),
        np.array([v.coverage is None for v in stored], dtype=np.bool_),
        np.array([v.lower_bound for v in stored], dtype=np.bool_),
        np.array([v.origin for v in stored], dtype=np.uint8),
        np.array([v.grade for v in stored], dtype=np.uint8),
    )
