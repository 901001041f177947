# SPDX-License-Identifier: EUPL-1.2
"""The kernel's first half: columns of readings become one input per place and window.

    readings --(device, step)--> means --(devices of a place)--> steps --(window)--> cells

Rules, in this order. A reading counts when its flag is one of the definition's. A device's step is *available* when
its valid readings reach the input's capture share of what its declared interval promises; without an interval any
reading makes it available and its coverage is unknown (NaN), never 100 %. A place's step is the mean over its
available devices, each weighing the same however often it reports; it is as well covered as the best of them. A
window is the aggregate of its available steps; n_valid and n_expected count steps there (readings, where the window
is a single step).

All of a place's readings within a step and nothing else decide its figures: not which other series exist, and not
how much was read together. That makes live work and bulk recompute bit-equal.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from hub.core.places import Device
from hub.core.quantities import Kind
from hub.core.readings import NS, Columns
from hub.core.units import Factor
from hub.core.windows import Calendar, Period
from hub.indicators.aggregation import ENDS, Floats, Group, Ints, Rows, total, way
from hub.indicators.definition import MEMORY, Input

Bools = npt.NDArray[np.bool_]
Bytes = npt.NDArray[np.uint8]
_OPEN = np.iinfo(np.int64).max


class Mounted(NamedTuple):
    """Devices at places, one row a mounting, sorted by (device, start); `place` is an index into `places`."""

    places: Sequence[str]
    devices: Sequence[str]
    device: Ints
    place: Ints
    start: Ints
    end: Ints
    interval: Floats  # ns, NaN unknown
    origin: Bytes
    grade: Bytes


class Cells(NamedTuple):
    """One input in (place, window) matrices. `available` says that `value` may be used.

    `n_valid` and `n_expected` count what the input is made of; n_expected and coverage are NaN where unknown.
    `seen` says that there was anything at all, also where it did not suffice. `profile` has all steps, where asked for.
    """

    value: Floats
    available: Bools
    seen: Bools
    n_valid: Floats
    n_expected: Floats
    coverage: Floats
    lower_bound: Bools
    origin: Bytes
    grade: Bytes
    profile: Floats | None = None  # (place, window, step)
    hour: Ints | None = None  # (window, step): local hour, -1 where there is no step
    lead: int = 0
    n: Floats | None = None  # on how many figures it rests, where that is not n_valid


def mounted(devices: Mapping[str, Device], places: Sequence[str]) -> Mounted:
    """Mountings of `devices` at `places`."""
    position = {place: i for i, place in enumerate(places)}
    rows = sorted((d.id, m.start, m) for d in devices.values() for m in d.mountings if m.place in position)
    names = sorted({device for device, _, _ in rows})
    index = {name: i for i, name in enumerate(names)}
    of = [devices[device] for device, _, _ in rows]
    return Mounted(
        places,
        names,
        np.array([index[device] for device, _, _ in rows], dtype=np.int64),
        np.array([position[m.place] for _, _, m in rows], dtype=np.int64),
        np.array([m.start for _, _, m in rows], dtype=np.int64),
        np.array([_OPEN if m.end is None else m.end for _, _, m in rows], dtype=np.int64),
        np.array([d.interval * NS if d.interval else np.nan for d in of], dtype=np.float64),
        np.array([d.origin for d in of], dtype=np.uint8),
        np.array([d.grade for d in of], dtype=np.uint8),
    )


class Grid(NamedTuple):
    """Edges of windows and of the steps that make them up; the first `lead` steps lie before the first window.

    `hour` and `day` are the local hour (0 to 23) and ISO weekday in which each step begins.
    """

    windows: Ints
    steps: Ints
    lead: int
    hour: Ints
    day: Ints

    @property
    def plain(self) -> bool:
        """Whether each window is one step, and nothing before it goes in."""
        return len(self.steps) == len(self.windows)


def grid(calendar: Calendar, windows: Ints, step: Period | None, item: Input, whole: Period) -> Grid:
    """Steps of the windows; in zones off by half an hour a step belongs to the window in which it begins."""
    if step is None and not item.before_ns:
        steps = windows
    else:
        edges = calendar.edges(int(windows[0]) - item.before_ns, int(windows[-1]), step or whole)
        steps = edges[int(np.searchsorted(edges, windows[0] - item.before_ns)) :]
    local = item.profile or item.hours or item.days
    hour, day = calendar.clock(steps[:-1]) if local else (np.zeros(0, np.int64), np.zeros(0, np.int64))
    return Grid(windows, steps, int(np.searchsorted(steps, windows[0])), hour, day)


def input_cells(
    columns: Columns,
    where: Mounted,
    item: Input,
    kind: Kind,
    over: Grid,
    flags: Sequence[int],
    window_capture: float,
    factor: Factor = Factor(1.0, 0.0),  # noqa: B008 - immutable
) -> Cells:
    """One quantity per place and window; `factor` leads from the unit that the formula wants to the canonical one."""
    threshold = (item.threshold or 0.0) * factor.scale + factor.offset
    within, across, beside = way(kind, item.within, threshold, item.percentile or 0.0)
    ends = ENDS.get(kind, 0) if item.within is None else 0
    sent = _devices(columns, where, item.quantity or "", within, over.steps, flags, ends)
    per_step = _sites(sent, where, beside, over.steps, item.capture)
    if item.devices == "total":
        speaking = _speaking(columns, where, item.quantity or "", over.steps)
        per_step = _together(per_step, sent, where, over.steps, item.capture, speaking)
    if item.within not in _SHARES:
        offset = 0.0 if kind in (Kind.COUNTER, Kind.INTERVAL_TOTAL) else factor.offset
        per_step = per_step._replace(value=(per_step.value - offset) / factor.scale)
    if over.plain and not item.profile:
        return per_step
    counted = steps_that_count(item, over)
    rising = across is total and kind is not Kind.COUNTER
    cells = _windows(per_step, across, over, counted, window_capture, rising=rising)
    return _with_profile(cells, per_step, over, counted, window_capture) if item.profile else cells


_SHARES = frozenset({"share_over", "share_under", "count"})


def steps_that_count(item: Input, over: Grid) -> Bools:
    """Which steps count: by local hour and weekday."""
    counted = np.ones(len(over.steps) - 1, dtype=np.bool_)
    if item.hours:
        first, last = item.hours
        after, before = over.hour >= first, over.hour < last
        counted &= (after & before) if first < last else (after | before)
    if item.days:
        counted &= np.isin(over.day, item.days)
    return counted


class _DeviceSteps(NamedTuple):
    """Flat by mounting * steps + step."""

    value: Floats
    n_valid: Floats
    origin: Bytes


def _devices(
    columns: Columns,
    where: Mounted,
    quantity: str,
    within: Callable[[Rows], Floats],
    steps: Ints,
    flags: Sequence[int],
    ends: int,
) -> _DeviceSteps:
    mounting, keep = mounting_of_rows(columns, where, quantity, flags)
    time = columns.time[keep]
    step = step_of(time - ends, steps)
    inside = step < len(steps) - 1
    rows = Rows(mounting[inside], step[inside], time[inside], columns.value[keep][inside], steps, len(where.device))
    cells = rows.sources * rows.steps
    here = rows.step >= 0
    cell = rows.source[here] * rows.steps + rows.step[here]
    n = np.bincount(cell, minlength=cells).astype(np.float64)
    return _DeviceSteps(within(rows), n, worst(columns.origin[keep][inside][here], cell, cells))


def mounting_of_rows(
    columns: Columns, where: Mounted, quantity: str | None, flags: Sequence[int]
) -> tuple[Ints, npt.NDArray[np.int64]]:
    """Mounting of each usable row, and the rows' positions; a device mounted nowhere at the time is left out.

    `quantity` None: of all quantities.
    """
    name = {device: i for i, device in enumerate(where.devices)}
    device = np.array(
        [name.get(s.device, -1) if quantity in (None, s.quantity) else -1 for s in columns.series], np.int64
    )
    accepted = np.zeros(256, dtype=np.bool_)
    accepted[list(flags)] = True
    keep = np.flatnonzero(accepted[columns.flag] & (_take(device, columns.index) >= 0))
    of_row, time = _take(device, columns.index[keep]), columns.time[keep]
    first = np.searchsorted(where.device, np.arange(len(where.devices)))
    count = np.bincount(where.device, minlength=len(where.devices))
    found = np.full(len(keep), -1, dtype=np.int64)
    for nth in range(int(count.max(initial=0))):
        candidate = np.where(count[of_row] > nth, first[of_row] + nth, -1)
        inside = (candidate >= 0) & (time >= where.start[candidate]) & (time < where.end[candidate])
        found[inside] = candidate[inside]
    return found[found >= 0], keep[found >= 0]


def _take(values: Ints, index: npt.NDArray[np.int32]) -> Ints:
    return np.asarray(values[index] if len(values) else (), dtype=np.int64)


def step_of(time: Ints, steps: Ints) -> Ints:
    length = int(steps[1] - steps[0])
    if (np.diff(steps) == length).all():  # hours: a division beats a search
        return np.asarray(np.clip((time - steps[0]) // length, -1, len(steps) - 1), dtype=np.int64)
    return np.asarray(np.searchsorted(steps, time, side="right") - 1, dtype=np.int64)


def worst(codes: Bytes, cell: Ints, cells: int) -> Bytes:
    """Highest code of each cell, 0 where it is empty."""
    worst = np.zeros(cells, dtype=np.uint8)
    for code in np.unique(codes):  # in rising order: the worst is written last
        worst[cell[codes == code]] = code
    return worst


def _sites(steps_of: _DeviceSteps, where: Mounted, beside: Group, steps: Ints, capture: float) -> Cells:
    n_steps, n_places = len(steps) - 1, len(where.places)
    expected = expected_of(where, steps).ravel()
    coverage = np.minimum(steps_of.n_valid / expected, 1.0)
    seen = steps_of.n_valid > 0
    enough = seen & (np.isnan(expected) | (coverage >= capture - 1e-9)) & ~np.isnan(steps_of.value)
    site = (np.repeat(where.place, n_steps) * n_steps) + np.tile(np.arange(n_steps), len(where.place))
    shape = (n_places, n_steps)
    value = beside(steps_of.value[enough], site[enough], n_places * n_steps)
    available = np.bincount(site[enough], minlength=n_places * n_steps) > 0
    # the best device speaks for the place: among the available ones, else among those that sent anything
    speaks = seen & (enough | ~available[site])
    n_valid, n_expected, covered = _best(
        site[speaks], coverage[speaks], np.minimum(steps_of.n_valid, np.nan_to_num(expected, nan=np.inf))[speaks],
        expected[speaks], n_places * n_steps,
    )  # fmt: skip
    origin = np.maximum(steps_of.origin, np.repeat(where.origin, n_steps))
    quiet = ~(np.bincount(site[seen], minlength=n_places * n_steps) > 0)[site] & ~(length_of(where, steps).ravel() <= 0)
    speaks = speaks | quiet  # of a silent place, origin and grade are those of the devices that stand there
    return Cells(
        value.reshape(shape),
        available.reshape(shape) & ~np.isnan(value).reshape(shape),
        (np.bincount(site[seen], minlength=n_places * n_steps) > 0).reshape(shape),
        n_valid.reshape(shape),
        n_expected.reshape(shape),
        covered.reshape(shape),
        np.zeros(shape, dtype=np.bool_),
        worst(origin[speaks], site[speaks], n_places * n_steps).reshape(shape),
        worst(np.repeat(where.grade, n_steps)[speaks], site[speaks], n_places * n_steps).reshape(shape),
    )


def _speaking(columns: Columns, where: Mounted, quantity: str, steps: Ints) -> Bools:
    """Which mounted devices measure the quantity: those that sent it in the step or within MEMORY before its end.

    Flat by mounting * steps + step. What else stands at the site has no part in a sum.
    """
    mounting, keep = mounting_of_rows(columns, where, quantity, range(256))
    found = np.zeros((len(where.device), len(steps) - 1), dtype=np.bool_)
    for one in np.unique(mounting).tolist():
        times = np.sort(columns.time[keep[mounting == one]])
        found[one] = np.searchsorted(times, steps[1:]) > np.searchsorted(times, steps[1:] - MEMORY)
    return found.ravel()


def _together(
    alone: Cells, steps_of: _DeviceSteps, where: Mounted, steps: Ints, capture: float, speaking: Bools
) -> Cells:
    """Devices of a site counted together (two doors of one hall): a silent one makes the sum a lower bound."""
    n_steps, cells = len(steps) - 1, len(where.places) * (len(steps) - 1)
    site = np.repeat(where.place, n_steps) * n_steps + np.tile(np.arange(n_steps), len(where.place))
    stood = (length_of(where, steps).ravel() > 0) & speaking
    seen, expected = steps_of.n_valid > 0, expected_of(where, steps).ravel()
    coverage = np.minimum(steps_of.n_valid / expected, 1.0)
    enough = seen & (np.isnan(expected) | (coverage >= capture - 1e-9)) & ~np.isnan(steps_of.value)
    known = np.where(np.isnan(expected), steps_of.n_valid, expected)
    n_valid = np.bincount(site[stood], np.minimum(steps_of.n_valid, known)[stood], cells).astype(np.float64)
    n_expected = np.bincount(site[stood], expected[stood], cells).astype(np.float64)
    share = np.divide(n_valid, n_expected, out=np.zeros(cells), where=(n_expected > 0) | np.isnan(n_expected))
    short = np.bincount(site[stood & ~enough], minlength=cells) > 0
    shape, anyone = alone.value.shape, (np.bincount(site[stood], minlength=cells) > 0).reshape(alone.value.shape)
    return alone._replace(
        value=total(steps_of.value[enough], site[enough], cells).reshape(shape),
        n_valid=np.where(anyone, n_valid.reshape(shape), alone.n_valid),
        n_expected=np.where(anyone, n_expected.reshape(shape), alone.n_expected),
        coverage=np.where(anyone, share.reshape(shape), alone.coverage),
        lower_bound=short.reshape(shape) & alone.available,
    )


def length_of(where: Mounted, steps: Ints) -> Floats:
    """Nanoseconds for which each mounting stands in each step."""
    begin = np.maximum(where.start[:, None], steps[None, :-1])
    end = np.minimum(where.end[:, None], steps[None, 1:])
    return np.asarray(np.maximum(end - begin, 0), dtype=np.float64)


def expected_of(where: Mounted, steps: Ints) -> Floats:
    """Readings that each mounting's interval promises in each step, at least one; NaN without an interval."""
    length = length_of(where, steps)
    expected: Floats = np.maximum(np.floor(length / where.interval[:, None] + 0.5), 1.0)
    return expected


def _best(
    site: Ints, coverage: Floats, n_valid: Floats, n_expected: Floats, sites: int
) -> tuple[Floats, Floats, Floats]:
    """Counts of the best covered device of each site; a known coverage beats an unknown one, then the first device."""
    order = np.lexsort((-np.arange(len(site)), np.nan_to_num(coverage, nan=-1.0)))
    valid, expected, covered = np.zeros(sites), np.full(sites, np.nan), np.zeros(sites)
    valid[site[order]] = n_valid[order]  # rising order: the best is written last
    expected[site[order]] = n_expected[order]
    covered[site[order]] = coverage[order]
    return valid, expected, covered


def _windows(cells: Cells, across: Group, over: Grid, counted: Bools, capture: float, *, rising: bool) -> Cells:
    """Steps of each window together; `rising`: missing steps could only add, so the result is a lower bound."""
    n_places, n_windows = cells.value.shape[0], len(over.windows) - 1
    inside = np.flatnonzero(counted & (np.arange(len(counted)) >= over.lead))
    in_window = np.searchsorted(over.windows, over.steps[inside], side="right") - 1
    groups, shape = n_places * n_windows, (n_places, n_windows)
    group = (np.arange(n_places)[:, None] * n_windows + in_window[None, :]).ravel()
    available, coverage = cells.available[:, inside].ravel(), cells.coverage[:, inside].ravel()
    value = across(cells.value[:, inside].ravel()[available], group[available], groups)
    n_valid = np.bincount(group[available], minlength=groups).astype(np.float64)
    unknown = np.bincount(group[available], np.isnan(coverage[available]), groups) > 0
    n_steps = np.bincount(group, minlength=groups).astype(np.float64)
    seen = cells.seen[:, inside].ravel()
    any_seen = np.bincount(group[seen], minlength=groups) > 0
    speaks = seen | ~any_seen[group]
    share = np.divide(n_valid, n_steps, out=np.zeros(groups), where=n_steps > 0)
    low = np.bincount(group[available], cells.lower_bound[:, inside].ravel()[available], groups) > 0
    low |= rising & (n_valid > 0) & (n_valid < n_steps)
    return Cells(
        value.reshape(shape),
        ((n_valid > 0) & (n_valid >= capture * n_steps - 1e-9) & ~np.isnan(value)).reshape(shape),
        any_seen.reshape(shape),
        n_valid.reshape(shape),
        np.where(unknown, np.nan, n_steps).reshape(shape),
        np.where(unknown, np.nan, share).reshape(shape),
        low.reshape(shape),
        worst(cells.origin[:, inside].ravel()[speaks], group[speaks], groups).reshape(shape),
        worst(cells.grade[:, inside].ravel()[speaks], group[speaks], groups).reshape(shape),
    )


def _with_profile(cells: Cells, per_step: Cells, over: Grid, counted: Bools, capture: float) -> Cells:
    """All steps of each window, after those before it; enough steps of the window itself make it available."""
    first = np.searchsorted(over.steps[:-1], over.windows[:-1])
    length = np.searchsorted(over.steps[:-1], over.windows[1:]) - first
    column = np.arange(over.lead + int(length.max(initial=0)))
    index = first[:, None] - over.lead + column[None, :]
    there = column[None, :] < (over.lead + length)[:, None]
    index = np.where(there, index, 0)
    figures = np.where(per_step.available & counted, per_step.value, np.nan)[:, index]
    profile = np.where(there[None, :, :], figures, np.nan)
    known = ~np.isnan(profile).all(axis=2)
    enough = cells.n_valid >= capture * np.nan_to_num(cells.n_expected, nan=0.0) - 1e-9
    return cells._replace(
        available=known & enough,
        seen=cells.seen | known,
        profile=profile,
        hour=np.where(there, over.hour[index], -1),
        lead=over.lead,
    )
