# SPDX-License-Identifier: EUPL-1.2
"""The tests of QARTOD on readings in order of time: pure functions from columns to flags.

The semantics are those of ioos_qc 3.0 (the reference implementation of the US Integrated Ocean Observing System), edge
by edge: limits are inclusive (a reading *on* a threshold passes); a missing value (NaN) is 9; the first and the last
reading have no spike test (2), nor has one beside a missing value; the first reading has no rate and passes.

`first` marks readings that begin anew: the first of a series, and one whose predecessor is too far away to tell
anything. So one call serves many series laid end to end, and a reading's flag depends on nothing beyond that reach.

Where this differs from ioos_qc: seconds are exact (ioos_qc cuts them to whole ones); `flat_for` is ours.
"""

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Literal

import numpy as np
import numpy.typing as npt

from hub.core.errors import Invalid
from hub.core.readings import NS, Flag

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]
Flags = npt.NDArray[np.uint8]
Method = Literal["average", "differential"]
Span = Sequence[float]

PRIORITY = (Flag.MISSING, Flag.NOT_EVALUATED, Flag.GOOD, Flag.SUSPECT, Flag.FAIL)  # the last one present wins


def worst(vectors: Sequence[Flags]) -> Flags:
    """One flag of several tests: fail, else suspect, else good, else not evaluated, else missing (`qartod_compare`)."""
    found = np.full(len(vectors[0]), Flag.MISSING, dtype=np.uint8)
    for flag in PRIORITY:
        for vector in vectors:
            found[vector == flag] = flag
    return found


def alone(length: int) -> Bools:
    """`first` of a single series without gaps."""
    first = np.zeros(length, dtype=np.bool_)
    first[:1] = True
    return first


def begins(series: npt.NDArray[np.integer], time: Ints, within: int | None) -> Bools:
    """`first` of rows sorted by (series, time): another series, or more than `within` ns since the one before."""
    first = alone(len(time))
    first[1:] = series[1:] != series[:-1]
    if within is not None:
        first[1:] |= np.diff(time) > within
    return first


def gross_range(value: Floats, fail: Span | None, suspect: Span | None = None) -> Flags:
    """Outside `suspect` is 3, outside `fail` is 4; both spans include their ends."""
    flags = np.full(len(value), Flag.GOOD, dtype=np.uint8)
    for span, flag in ((suspect, Flag.SUSPECT), (fail, Flag.FAIL)):
        if span is not None:
            flags[(value < span[0]) | (value > span[1])] = flag
    flags[np.isnan(value)] = Flag.MISSING
    return flags


def spike(value: Floats, first: Bools, suspect: float | None, fail: float | None, method: Method = "average") -> Flags:
    """Away from its two neighbours by more than a threshold, in the unit of the values.

    `average`: distance from their mean; the neighbours of a high spike are as far away and are flagged with it.
    `differential`: the smaller of the two steps, where one goes up and the other down.
    """
    n = len(value)
    there = np.zeros(n, dtype=np.bool_)
    there[1:-1] = ~(first[1:-1] | first[2:])
    before, after = np.full(n, np.nan), np.full(n, np.nan)
    before[1:], after[:-1] = value[:-1], value[1:]
    distance = _SPIKES[method](value, before, after)
    flags = _over(np.where(np.isnan(distance), 0.0, distance), suspect, fail)
    flags[~there | np.isnan(distance)] = Flag.NOT_EVALUATED
    flags[np.isnan(value)] = Flag.MISSING
    return flags


def _from_mean(value: Floats, before: Floats, after: Floats) -> Floats:
    return np.abs(value - (before + after) / 2)


def _smaller_step(value: Floats, before: Floats, after: Floats) -> Floats:
    up, down = value - before, after - value
    turns = ~(up * down >= 0)  # NaN counts as a turn, so that it stays NaN
    return np.where(turns, np.minimum(np.abs(up), np.abs(down)), 0.0)


_SPIKES = {"average": _from_mean, "differential": _smaller_step}


def rate_of_change(time: Ints, value: Floats, first: Bools, suspect: float | None, fail: float | None = None) -> Flags:
    """Changed since the reading before by more than a threshold in units per second."""
    rate = np.zeros(len(value))
    known = ~first[1:]
    seconds = np.diff(time)[known] / NS
    rate[1:][known] = np.abs(np.diff(value)[known] / seconds)
    flags = _over(np.where(np.isnan(rate), 0.0, rate), suspect, fail)
    flags[np.isnan(value)] = Flag.MISSING
    return flags


def _over(figure: Floats, suspect: float | None, fail: float | None) -> Flags:
    flags = np.full(len(figure), Flag.GOOD, dtype=np.uint8)
    if suspect is not None:
        flags[figure > suspect] = Flag.SUSPECT
    if fail is not None:
        flags[figure > fail] = Flag.FAIL
    return flags


def flat_line(time: Ints, value: Floats, tolerance: float, suspect: float, fail: float) -> Flags:
    """Range below `tolerance` over the trailing `suspect` (`fail`) seconds, one series, as ioos_qc counts them.

    Seconds become a number of readings by the median interval of the whole series, so this is for a series that is
    looked at as a whole. For stored readings, of which only a stretch is read, see `flat_for`.
    """
    flags = np.full(len(value), Flag.GOOD, dtype=np.uint8)
    if len(value) < 3:  # as in ioos_qc, which then does not look at missing values either
        return flags
    interval = np.median(np.diff(time)) // NS
    if interval < 1:
        raise Invalid("flat_line needs readings at least a second apart", "time")
    for seconds, flag in ((suspect, Flag.SUSPECT), (fail, Flag.FAIL)):
        count = int(int(seconds) / interval)
        last = np.arange(count, len(value))
        flags[last[_narrow(value, last - count, last, tolerance)]] = flag
    flags[np.isnan(value)] = Flag.MISSING
    return flags


def flat_for(
    time: Ints, value: Floats, first: Bools, tolerance: float, durations: Mapping[Flag, int], least: int = 3
) -> Flags:
    """Flat for at least so many ns: all readings back to one that is as old stay within a range below `tolerance`.

    With readings at equal distances that divide the duration this is `flat_line`; it needs no median, so a stretch
    that begins one duration and one gap early gives the flags of the whole. Fewer than `least` readings are no line.
    """
    flags = np.full(len(value), Flag.GOOD, dtype=np.uint8)
    moves = first.copy()
    moves[1:] |= ~(np.abs(np.diff(value)) < tolerance)
    start = np.maximum.accumulate(np.where(moves, np.arange(len(value)), 0))  # of the stretch without a larger step
    for flag, duration in sorted(durations.items()):
        near = np.flatnonzero(time - time[start] >= duration)
        back = _back(time, near, start[near], duration)
        enough = near - back + 1 >= least
        near, back = near[enough], back[enough]
        flags[near[_narrow(value, back, near, tolerance)]] = flag
    return flags


def _back(time: Ints, rows: Ints, start: Ints, duration: int) -> Ints:
    """For each row the last one at least `duration` before it; `start` is the first row of its stretch."""
    back = np.zeros(len(rows), dtype=np.int64)
    edges = np.flatnonzero(np.diff(start, prepend=-1))
    for begin, end in pairwise([*edges, len(rows)]):
        stretch = slice(start[begin], rows[end - 1] + 1)
        found = np.searchsorted(time[stretch], time[rows[begin:end]] - duration, side="right") - 1
        back[begin:end] = start[begin] + found
    return back


def _narrow(value: Floats, begin: Ints, last: Ints, tolerance: float) -> Bools:
    """Whether value[begin..last] stays within a range below `tolerance`; missing values are passed over."""
    if not len(begin):
        return np.zeros(0, dtype=np.bool_)
    padded = np.append(value, np.nan)
    pairs = np.stack([begin, last + 1], axis=1).ravel()
    low, high = np.fmin.reduceat(padded, pairs)[::2], np.fmax.reduceat(padded, pairs)[::2]
    return np.asarray(high - low < tolerance, dtype=np.bool_)
