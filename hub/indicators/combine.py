# SPDX-License-Identifier: EUPL-1.2
"""The kernel's second half: inputs per place and window become results.

`Cells` come from readings (`hub.indicators.cells`), from values of other indicators (`hub.indicators.inputs`) or from
a table (`hub.indicators.table`); from here on nobody can tell. Values are rounded (half up) to the definition's
precision before they meet a band or a store.

A value needs every required input and at least one input at all. An optional input that is missing is named, and
where the formula can only rise by it, the result is a lower bound and says so. The same holds for counts over shorter
windows: a missing day can only add.
"""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np

from hub.core.readings import NS
from hub.core.windows import Calendar, Period
from hub.indicators.aggregation import Floats, Ints
from hub.indicators.cells import Bools, Bytes, Cells
from hub.indicators.definition import Definition, Input
from hub.indicators.formulas.base import ANY, Context, Outcome
from hub.indicators.inputs import Values
from hub.indicators.rounding import half_up

_DETAIL = 6  # decimals of further figures


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
    below: Mapping[str, Values]  # values of the places below, by input, where levels differ
    details: Mapping[str, Floats] = {}  # NaN: left out


def combine(
    d: Definition,
    places: Sequence[str],
    windows: Ints,
    inputs: Mapping[str, Cells],
    months: Ints | None,
    below: Mapping[str, Values] | None = None,
    *,
    partial: bool = False,
) -> Results:
    """Apply the formula. `months` has the month of each window; None: an input with months counts where it is there.

    `partial`: keep what is known of a window among the details, also where it is too little for a value.
    """
    rounded = {name: _rounded(cells, d.inputs[name].precision) for name, cells in inputs.items()}
    used = {name: _used(d.inputs[name], months, cells) for name, cells in rounded.items()}
    bands = {name: _band_of(cells.value, d.inputs[name].bands) for name, cells in rounded.items()}
    taken = {n: cells.available & used[n] for n, cells in rounded.items()}
    flat, details = _applied(d, windows, rounded, taken, bands)
    complete = np.any(list(taken.values()), axis=0)
    for name, item in d.inputs.items():
        if item.required:
            complete &= taken[name] | ~used[name]
    value = np.where(complete, half_up(flat, d.precision), np.nan)
    band = np.where(np.isnan(value), 0, _band(d, value))
    bounded = _bounded(d, rounded, used, taken)
    n_valid, n_expected, coverage = _counts(d, rounded, used)
    return Results(
        d, places, windows, rounded, used, bands, value, band,
        np.array([np.nan, *(np.nan if b.score is None else b.score for b in d.bands)])[band],
        n_valid, n_expected, coverage, bounded & ~np.isnan(value),
        _inherited([c.origin for c in rounded.values()], list(rounded.values()), list(used.values())),
        _inherited([c.grade for c in rounded.values()], list(rounded.values()), list(used.values())),
        below or {},
        _details(d, rounded, used, value, details, partial=partial),
    )  # fmt: skip


def _applied(
    d: Definition,
    windows: Ints,
    inputs: Mapping[str, Cells],
    taken: Mapping[str, Bools],
    bands: Mapping[str, Ints],
) -> tuple[Floats, Mapping[str, Floats]]:
    """What the formula makes of the inputs that count: value and details in (place, window) matrices."""
    shape = next(iter(inputs.values())).value.shape
    arguments = {n: _argument(c, taken[n], bands[n] if d.rule.of_bands else c.value) for n, c in inputs.items()}
    outcome = d.rule.function(arguments, _context(d, windows, inputs, shape))
    value, details = outcome if isinstance(outcome, Outcome) else (outcome, {})
    return value.reshape(shape), {name: figure.reshape(shape) for name, figure in details.items()}


def _argument(cells: Cells, taken: Bools, figures: Floats | Ints) -> Floats:
    if cells.profile is None:
        return np.where(taken, figures, np.nan).ravel()
    return np.where(taken[:, :, None], cells.profile, np.nan).reshape(-1, cells.profile.shape[2])


def _context(d: Definition, windows: Ints, inputs: Mapping[str, Cells], shape: tuple[int, ...]) -> Context:
    profiles = {name: cells for name, cells in inputs.items() if cells.profile is not None}
    hours = {name: c.hour for name, c in profiles.items() if c.hour is not None}
    return Context(
        d.parameters,
        {name: np.array(rows, dtype=np.float64) for name, rows in d.tables.items()},
        np.tile(np.diff(windows) / NS, shape[0]),
        {name: cells.lead for name, cells in profiles.items()},
        {name: np.tile(hour, (shape[0], 1)) for name, hour in hours.items()},
        {name: (c.n_valid if c.n is None else c.n).ravel() for name, c in inputs.items()},
        d.composite,
    )


def _details(
    d: Definition,
    inputs: Mapping[str, Cells],
    used: Mapping[str, Bools],
    value: Floats,
    found: Mapping[str, Floats],
    *,
    partial: bool,
) -> Mapping[str, Floats]:
    """Further figures where there is a value, rounded; and the partial one wherever anything is known."""
    told = {name: np.where(np.isnan(value), np.nan, half_up(figure, _DETAIL)) for name, figure in found.items()}
    if partial:
        name, cells = next(iter(inputs.items()))
        told["partial"] = np.where(used[name], cells.value, np.nan) if d.formula == "value" else value
    return told


def _bounded(
    d: Definition, inputs: Mapping[str, Cells], used: Mapping[str, Bools], taken: Mapping[str, Bools]
) -> Bools:
    """Where the result can only be too low: by what is missing, or by lower bounds that went in."""
    anything = d.rule.lower_bound or d.lower_bound
    rising = [n for n in inputs if anything or d.rule.rises == ANY or n in d.rule.rises]
    low = [(used[n] & ~taken[n] & anything) | (taken[n] & inputs[n].lower_bound) for n in rising]
    shape = next(iter(inputs.values())).value.shape
    return np.any(low, axis=0) if low else np.zeros(shape, dtype=np.bool_)


def _rounded(cells: Cells, precision: int) -> Cells:
    profile = None if cells.profile is None else half_up(cells.profile, precision)
    return cells._replace(value=half_up(cells.value, precision), profile=profile)


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


def _counts(d: Definition, everything: Mapping[str, Cells], used: Mapping[str, Bools]) -> tuple[Floats, Floats, Floats]:
    """Counts over inputs that sent anything; one input alone speaks for itself. Constants are no observations."""
    inputs = {n: c for n, c in everything.items() if not d.inputs[n].constant} or everything
    if d.composite is not None:
        n_inputs = np.sum([c.available & used[n] for n, c in everything.items()], axis=0).astype(np.float64)
        expected = np.full(n_inputs.shape, float(len(everything)))
        return n_inputs, expected, n_inputs / expected
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


def months_of(windows: Ints, period: Period, calendar: Calendar) -> Ints:
    """Month (1 to 12) in which each window begins: of UTC for hours, of the calendar for longer windows."""
    own = Calendar.of("UTC") if period is Period.HOUR else calendar
    if len(windows) < 2:
        return np.empty(0, dtype=np.int64)
    edges = own.edges(int(windows[0]), int(windows[-1]), Period.MONTH)
    years = own.edges(int(windows[0]), int(windows[-1]), Period.YEAR)
    first = len(own.windows(int(years[0]), int(edges[0]), Period.MONTH))  # months of that year before the first edge
    return np.asarray((first + np.searchsorted(edges, windows[:-1], side="right") - 1) % 12 + 1, dtype=np.int64)
