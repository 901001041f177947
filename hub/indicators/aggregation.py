# SPDX-License-Identifier: EUPL-1.2
"""How readings of each kind of quantity become one figure: `WITHIN` a step, and `ACROSS` steps or devices.

Every function sums with `bincount`, which adds in the order of the rows; rows come sorted by (time, device), so a sum
does not depend on what else was read with it. An empty group gives NaN.

A counter or a state tells nothing alone: it needs the reading before. A neighbour counts only up to `REACH` away.
That bound, not the stretch that happened to be read, decides, so any read that begins `REACH` early gives the same.
"""

from collections.abc import Callable, Mapping
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from hub.core.quantities import Kind
from hub.core.windows import HOUR

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

REACH: Mapping[Kind, int] = {Kind.COUNTER: 50 * HOUR, Kind.STATE: 24 * HOUR}
"""In ns; kinds not named need no neighbour. A meter read once a day may miss a day, and a day may have 25 hours."""


ENDS: Mapping[Kind, int] = {Kind.COUNTER: 1}
"""How long (ns) before its own time a reading belongs: a register at the edge of two steps belongs to the earlier."""


class Rows(NamedTuple):
    """Valid readings in order of time: row i belongs to `source` (a mounted device) and `step` (-1: before the first).

    `edges` are the edges of the steps, `sources` says how many sources there are.
    """

    source: Ints
    step: Ints
    time: Ints
    value: Floats
    edges: Ints
    sources: int

    @property
    def steps(self) -> int:
        """Number of steps."""
        return len(self.edges) - 1


def mean(values: Floats, group: Ints, groups: int) -> Floats:
    """Arithmetic mean of each group."""
    n = np.bincount(group, minlength=groups).astype(np.float64)
    return _divide(_sum(values, group, groups), n)


def total(values: Floats, group: Ints, groups: int) -> Floats:
    """Sum of each group; NaN, not zero, where there is nothing to add."""
    n = np.bincount(group, minlength=groups)
    return np.where(n > 0, _sum(values, group, groups), np.nan)


def energetic_mean(levels: Floats, group: Ints, groups: int) -> Floats:
    """Level of the mean energy, 10 lg mean 10^(L/10), as Directive 2002/49/EC and ISO 1996-1 average decibels."""
    energy = mean(10.0 ** (levels / 10.0), group, groups)
    with np.errstate(divide="ignore"):
        return np.asarray(10.0 * np.log10(energy), dtype=np.float64)


def vector_mean(angles: Floats, group: Ints, groups: int) -> Floats:
    """Direction in 0..360 degrees of the mean unit vector; NaN where directions cancel out."""
    radians = np.deg2rad(angles)
    east, north = mean(np.sin(radians), group, groups), mean(np.cos(radians), group, groups)
    direction = np.rad2deg(np.arctan2(east, north)) % 360.0
    return np.where(np.hypot(east, north) > 1e-9, direction, np.nan)


Group = Callable[[Floats, Ints, int], Floats]

STEPS: Mapping[Kind, Group] = {
    Kind.ARITHMETIC: mean,
    Kind.ENERGETIC: energetic_mean,
    Kind.VECTOR: vector_mean,
    Kind.COUNTER: total,
    Kind.INTERVAL_TOTAL: total,
    Kind.STATE: mean,
}
"""Steps of one window."""

DEVICES: Mapping[Kind, Group] = {**STEPS, Kind.COUNTER: mean, Kind.INTERVAL_TOTAL: mean}
"""Devices of one site: two rain gauges do not make more rain."""


def _simple(function: Group) -> Callable[[Rows], Floats]:
    def within(rows: Rows) -> Floats:
        inside = rows.step >= 0
        cell = rows.source[inside] * rows.steps + rows.step[inside]
        return function(rows.value[inside], cell, rows.sources * rows.steps)

    return within


def counter_difference(rows: Rows) -> Floats:
    """Growth of a register in the step of the later reading; a fall is a reset, and then growth is from zero.

    A reading tells what was used until then: read at midnight it belongs to the day that ends (see `ENDS`).
    A step whose only reading has no predecessor within REACH has no difference: NaN.
    """
    rows = _by_source(rows)
    previous = np.roll(rows.value, 1)
    known = _has_previous(rows, REACH[Kind.COUNTER]) & (rows.step >= 0)
    growth = np.where(rows.value >= previous, rows.value - previous, rows.value)
    cell = rows.source * rows.steps + rows.step
    return total(growth[known], cell[known], rows.sources * rows.steps)


def time_weighted(rows: Rows) -> Floats:
    """Mean of a state over the part of each step in which it is known: it holds until the next reading or REACH."""
    rows = _by_source(rows)
    begin, end = rows.time, _held_until(rows)
    weighted = np.zeros(rows.sources * rows.steps)
    known = np.zeros(rows.sources * rows.steps)
    first = np.searchsorted(rows.edges, begin, side="right") - 1
    for ahead in range(1 + int(np.max(np.searchsorted(rows.edges, end) - 1 - first, initial=0))):
        step = first + ahead
        inside = (step >= 0) & (step < rows.steps)
        low, high = rows.edges[np.clip(step, 0, rows.steps - 1)], rows.edges[np.clip(step + 1, 0, rows.steps)]
        length = np.where(inside, np.minimum(end, high) - np.maximum(begin, low), 0).clip(0).astype(np.float64)
        cell = rows.source * rows.steps + np.clip(step, 0, rows.steps - 1)
        weighted += np.bincount(cell, length * rows.value, len(weighted))
        known += np.bincount(cell, length, len(known))
    return _divide(weighted, known)


def minimum(values: Floats, group: Ints, groups: int) -> Floats:
    """Lowest of each group."""
    return -maximum(-values, group, groups)


def maximum(values: Floats, group: Ints, groups: int) -> Floats:
    """Highest of each group."""
    order = np.argsort(values, kind="stable")
    found = np.full(groups, np.nan)
    found[group[order]] = values[order]  # the highest is written last
    return found


def percentile(values: Floats, group: Ints, groups: int, q: float) -> Floats:
    """q-th percentile (0 to 100) of each group, linear between the two nearest of the sorted figures."""
    order = np.lexsort((values, group))
    ranked = values[order]
    n = np.bincount(group, minlength=groups)
    first = np.cumsum(n) - n
    some = n > 0
    rank = q / 100.0 * (n[some] - 1)
    below = np.floor(rank).astype(np.int64)
    above = np.minimum(below + 1, n[some] - 1)
    low, high = ranked[first[some] + below], ranked[first[some] + above]
    found = np.full(groups, np.nan)
    found[some] = low + (high - low) * (rank - below)
    return found


def newest(values: Floats, group: Ints, groups: int) -> Floats:
    """The last of each group in the order of the rows."""
    found = np.full(groups, np.nan)
    found[group] = values  # of repeated indices the last one counts
    return found


def _count(values: Floats, group: Ints, groups: int) -> Floats:  # noqa: ARG001 - one signature for all
    n = np.bincount(group, minlength=groups).astype(np.float64)
    return np.where(n > 0, n, np.nan)


WITHIN: Mapping[Kind, Callable[[Rows], Floats]] = {
    Kind.ARITHMETIC: _simple(mean),
    Kind.ENERGETIC: _simple(energetic_mean),
    Kind.VECTOR: _simple(vector_mean),
    Kind.COUNTER: counter_difference,
    Kind.INTERVAL_TOTAL: _simple(total),
    Kind.STATE: time_weighted,
}
"""Readings of one device in one step: flat array by source * steps + step."""


_WAYS: Mapping[str, tuple[Group, Group]] = {  # of the readings in a step, and of the steps in a window
    "mean": (mean, mean),
    "energetic": (energetic_mean, energetic_mean),
    "minimum": (minimum, minimum),
    "maximum": (maximum, maximum),
    "total": (total, total),
    "count": (_count, total),
    "last": (newest, newest),
}


def way(kind: Kind, within: str | None, threshold: float, q: float) -> tuple[Callable[[Rows], Floats], Group, Group]:
    """How readings of a step, steps of a window and devices of a site become one: by the kind, or as `within` says.

    `threshold` in the unit of the readings; `share_over` counts what is at or above it, `share_under` at or below.
    """
    if within is None or (within == "mean" and kind is Kind.STATE):
        return WITHIN[kind], STEPS[kind], DEVICES[kind]
    if within in {"share_over", "share_under"}:
        over = within == "share_over"

        def share(rows: Rows) -> Floats:
            hit = rows.value >= threshold if over else rows.value <= threshold
            return WITHIN[Kind.STATE if kind is Kind.STATE else Kind.ARITHMETIC](
                rows._replace(value=hit.astype(np.float64))
            )

        return share, mean, mean
    if within in {"median", "percentile"}:
        rank = 50.0 if within == "median" else q

        def ranked(values: Floats, group: Ints, groups: int) -> Floats:
            return percentile(values, group, groups, rank)

        return _simple(ranked), ranked, mean
    readings, steps = _WAYS[within]
    return _simple(readings), steps, energetic_mean if within == "energetic" else mean


def _sum(values: Floats, group: Ints, groups: int) -> Floats:
    return np.asarray(np.bincount(group, values, groups), dtype=np.float64)


def _divide(top: Floats, bottom: Floats) -> Floats:
    quotient: Floats = np.divide(top, bottom, out=np.full(len(top), np.nan), where=bottom > 0)
    return quotient


def _by_source(rows: Rows) -> Rows:
    order = np.argsort(rows.source, kind="stable")
    return rows._replace(
        source=rows.source[order], step=rows.step[order], time=rows.time[order], value=rows.value[order]
    )


def _has_previous(rows: Rows, reach: int) -> npt.NDArray[np.bool_]:
    near = (np.roll(rows.source, 1) == rows.source) & (rows.time - np.roll(rows.time, 1) <= reach)
    near[:1] = False
    return np.asarray(near, dtype=np.bool_)


def _held_until(rows: Rows) -> Ints:
    limit = rows.time + REACH[Kind.STATE]
    following = np.roll(rows.time, -1)
    same = np.roll(rows.source, -1) == rows.source
    same[-1:] = False
    return np.where(same, np.minimum(following, limit), limit)
