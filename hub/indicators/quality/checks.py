# SPDX-License-Identifier: EUPL-1.2
"""Flags of stored readings: all tests on all series of `Columns` at once. Pure.

    readings, corrections applied --(tests of each series, in order of time)--> finding --(worst of)--> flag

A flag is a function of the reading and of the readings within `Rules.margin` of it, never of the order of arrival nor
of how much was read together. No test looks at another's finding but one: what came as fail or missing, or fails its
gross range, is no neighbour to anybody, so that one mad reading does not take its neighbours with it.

The result is the worst of the flag that ingest stored and of the tests', compared as ioos_qc compares tests: a test
that could not be made (2, at the ends of a series and beside gaps) makes nothing worse, and a reading that came
unevaluated and passes is good. 9 stays 9.
"""

import math
from collections.abc import Iterator, Mapping, Sequence
from enum import IntEnum
from typing import NamedTuple

import numpy as np
from msgspec import structs

from hub.core.places import Device
from hub.core.readings import Columns, Flag, Series
from hub.core.windows import parse_duration
from hub.indicators.quality.qartod import (
    PRIORITY,
    Bools,
    Flags,
    Floats,
    Ints,
    begins,
    flat_for,
    gross_range,
    rate_of_change,
    spike,
)
from hub.indicators.quality.rules import Checks, Counter, Exceeds, Neighbours, Rules

_OPEN = int(np.iinfo(np.int64).max)


class Finding(IntEnum):
    """What a finding is due to; stored by number: append only."""

    NONE = 0
    GROSS_RANGE = 1
    SPIKE = 2
    RATE_OF_CHANGE = 3
    FLAT_LINE = 4
    NEIGHBOURS = 5
    COUNTER_RESET = 6
    ROLL_OVER = 7
    EXCEEDS = 8

    @property
    def word(self) -> str:
        """Lower-case name used in JSON."""
        return self.name.lower()


class Checked(NamedTuple):
    """By row of the columns: `flag` counts; `found` is what the tests alone say, and `test` which one it was.

    A roll-over is good (1) and explained.
    """

    flag: Flags
    found: Flags
    test: Flags


class _Group(NamedTuple):
    """Rows of the series of one quantity that have the same tests, sorted by (series, time).

    `series[i]` is a position in `names`. Arrays are written to: findings go into `found` and `test`.
    """

    checks: Checks
    names: Sequence[Series]
    series: Ints
    time: Ints
    value: Floats
    usable: Bools
    found: Flags
    test: Flags

    def blame(self, rows: Ints | slice, flags: Flags, test: Finding) -> None:
        """Take over what is worse than what was found so far."""
        found, tests = self.found[rows], self.test[rows]
        worse = (flags != Flag.NOT_EVALUATED) & (flags > found)
        found[worse], tests[worse] = flags[worse], test
        self.found[rows], self.test[rows] = found, tests

    @property
    def quantity(self) -> str:
        """What all series of the group measure; "" without rows."""
        return self.names[self.series[0]].quantity if len(self.series) else ""

    def usable_of(self, position: int, start: int = 0, end: int = _OPEN) -> Ints:
        """Usable rows of one series with start <= time < end."""
        begin, beyond = np.searchsorted(self.series, [position, position + 1])
        rows = np.arange(begin, beyond)
        time = self.time[rows]
        return np.asarray(rows[self.usable[rows] & (time >= start) & (time < end)], dtype=np.int64)


def seconds(devices: Mapping[str, Device] | None, device: str) -> float:
    """Seconds between readings that a device declares: 0 if it does not, any where nothing is known of devices."""
    if devices is None:
        return math.inf
    known = devices.get(device)
    return 0.0 if known is None or known.interval is None else float(known.interval)


def flags_of(columns: Columns, rules: Rules, devices: Mapping[str, Device] | None = None) -> Checked:
    """Flags of all rows. `devices` says which stand at one site; columns must hold all of theirs and the margins."""
    flag, found, test = columns.flag.copy(), *(np.zeros(len(columns), dtype=np.uint8) for _ in range(2))
    if not len(columns):
        return Checked(flag, found, test)
    order, groups = _grouped(columns, rules, devices)
    for group in groups:
        _in_sequence(group)
    for group in groups:
        if group.checks.neighbours:
            _neighbours(group, group.checks.neighbours, groups, devices or {})
        if group.checks.exceeds:
            _exceeding(group, group.checks.exceeds, groups)
    done = sum(len(group.series) for group in groups)
    for into, name in ((found, "found"), (test, "test")):
        into[order[:done]] = np.concatenate([getattr(group, name) for group in groups]) if groups else ()
    known = found > 0
    flag[known] = _WORST[flag[known], found[known]]
    return Checked(flag, found, test)


def checked(columns: Columns, rules: Rules, devices: Mapping[str, Device] | None = None) -> tuple[Columns, Checked]:
    """The columns with their flags, and with registers that rolled over going on growing; and what was found."""
    result = flags_of(columns, rules, devices)
    return structs.replace(columns, flag=result.flag, value=_unrolled(columns, result.test, rules)), result


def _table() -> Flags:
    """Ingest's flag and the tests' to one; 9 of ingest stays."""
    rank = {flag: n for n, flag in enumerate(PRIORITY)}
    table = np.arange(256, dtype=np.uint8)[:, None].repeat(10, axis=1)
    for stored in PRIORITY:
        for found in PRIORITY:
            table[stored, found] = stored if stored == Flag.MISSING else max(stored, found, key=rank.__getitem__)
    return table


_WORST = _table()


def _grouped(columns: Columns, rules: Rules, devices: Mapping[str, Device] | None) -> tuple[Ints, Sequence[_Group]]:
    """Order of the rows by (group, series, time), and the groups; rows of series without tests come last."""
    checks = [rules.of(series, seconds(devices, series.device)) for series in columns.series]
    groups: dict[int, list[int]] = {}
    for position, tests in enumerate(checks):
        if tests is not None:
            groups.setdefault(id(tests), []).append(position)
    ranked = [position for group in groups.values() for position in group]
    rank = np.full(len(checks), len(ranked), dtype=np.int64)
    rank[ranked] = np.arange(len(ranked))
    key = rank[columns.index]
    order = np.argsort(key.astype(np.uint16) if len(checks) < 65_000 else key, kind="stable")  # 16 bits: a radix sort
    key, time, value, came = key[order], columns.time[order], columns.value[order], columns.flag[order]
    usable = (came != Flag.FAIL) & (came != Flag.MISSING)
    found, begin, made = np.ones(len(key), dtype=np.uint8), 0, []
    test = np.zeros(len(key), dtype=np.uint8)
    names = [columns.series[position] for position in ranked]
    for group in groups.values():
        first, last = np.searchsorted(key, [begin, begin + len(group)])
        rows, begin = slice(first, last), begin + len(group)
        tests = checks[group[0]]
        if tests is not None:
            made.append(_Group(tests, names, key[rows], time[rows], value[rows], usable[rows], found[rows], test[rows]))
    return order, made


def _in_sequence(group: _Group) -> None:
    """Gross range, and what depends on the readings before and after in the same series."""
    checks = group.checks
    if checks.gross_range:
        flags = gross_range(group.value, checks.gross_range.fail, checks.gross_range.suspect)
        group.blame(slice(None), flags, Finding.GROSS_RANGE)
        np.logical_and(group.usable, flags < Flag.FAIL, out=group.usable)
    if not any((checks.spike, checks.rate_of_change, checks.flat_line, checks.counter)):
        return
    rows: Ints | slice = slice(None) if group.usable.all() else np.flatnonzero(group.usable)
    series, time, value = group.series[rows], group.time[rows], group.value[rows]
    for test, flags in _tests_of(checks, series, time, value):
        group.blame(rows, flags, test)
    if checks.counter:
        _counting(group, checks.counter, rows, begins(series, time, parse_duration(checks.counter.within)))


def _tests_of(checks: Checks, series: Ints, time: Ints, value: Floats) -> Iterator[tuple[Finding, Flags]]:
    if checks.spike:
        one = checks.spike
        first = begins(series, time, parse_duration(one.within))
        yield Finding.SPIKE, spike(value, first, one.suspect, one.fail, one.method)
    if checks.rate_of_change:
        two = checks.rate_of_change
        first = begins(series, time, parse_duration(two.within))
        yield Finding.RATE_OF_CHANGE, rate_of_change(time, value, first, two.suspect, two.fail)
    if checks.flat_line:
        line = checks.flat_line
        first = begins(series, time, parse_duration(line.gap))
        flags = flat_for(time, value, first, line.tolerance, checks.durations(), line.least)
        if line.values is not None:
            flags[(value < line.values[0]) | (value > line.values[1])] = Flag.GOOD
        yield Finding.FLAT_LINE, flags


def _counting(group: _Group, counter: Counter, rows: Ints | slice, first: Bools) -> None:
    """A fall of a register: a roll-over is explained, a reset is suspect."""
    value = group.value[rows]
    falls = np.flatnonzero(~first[1:] & (value[1:] < value[:-1])) + 1
    at = np.arange(len(group.value))[rows][falls]
    rolled = np.zeros(len(falls), dtype=np.bool_)
    if counter.modulus is not None:
        growth = value[falls] + counter.modulus - value[falls - 1]
        rolled = (growth >= 0) & (growth <= counter.largest_step * counter.modulus)
    fresh = at[rolled & (group.test[at] == Finding.NONE)]
    group.test[fresh] = Finding.ROLL_OVER
    resets = at[~rolled]
    group.blame(resets, np.full(len(resets), Flag.SUSPECT, dtype=np.uint8), Finding.COUNTER_RESET)


def _unrolled(columns: Columns, test: Flags, rules: Rules) -> Floats:
    """Values in which registers go on growing over a roll-over: only differences of a register mean anything."""
    turns = np.flatnonzero(test == Finding.ROLL_OVER)
    if not len(turns):
        return columns.value
    value = columns.value.copy()
    for position in np.unique(columns.index[turns]):
        checks = rules.of(columns.series[position])
        modulus = checks.counter.modulus if checks and checks.counter else None
        rows = np.flatnonzero(columns.index == position)
        value[rows] += np.cumsum(test[rows] == Finding.ROLL_OVER) * (modulus or 0.0)
    return value


class _Stay(NamedTuple):
    """The usable rows of one device at one place."""

    group: _Group
    rows: Ints


def _neighbours(group: _Group, rule: Neighbours, groups: Sequence[_Group], devices: Mapping[str, Device]) -> None:
    """Each device against the median of the others' means in the same step at the same place."""
    length = parse_duration(rule.step)
    for stays in _together(group, groups, devices, rule.least + 1):
        steps, of_row = np.unique(np.concatenate([g.time[rows] // length for g, rows in stays]), return_inverse=True)
        step = np.split(of_row, np.cumsum([len(rows) for _, rows in stays])[:-1])
        means = np.array([_means(g.value[rows], at, len(steps)) for (g, rows), at in zip(stays, step, strict=True)])
        for n, (own, rows) in enumerate(stays):
            if own is group:
                median = _median(np.delete(means, n, axis=0), rule.least)[step[n]]
                far = np.abs(group.value[rows] - median) > rule.absolute + rule.share * np.abs(median)
                group.blame(rows, np.where(far, Flag.SUSPECT, Flag.GOOD).astype(np.uint8), Finding.NEIGHBOURS)


def _together(
    group: _Group, groups: Sequence[_Group], devices: Mapping[str, Device], least: int
) -> Iterator[Sequence[_Stay]]:
    """Stays of the devices that measure the group's quantity, at each place that has enough of them."""
    places: dict[str, dict[str, list[_Stay]]] = {}
    for other in (g for g in groups if g.quantity == group.quantity):
        for position in np.unique(other.series).tolist():
            device = other.names[position].device
            for m in devices[device].mountings if device in devices else ():
                rows = other.usable_of(position, m.start, _OPEN if m.end is None else m.end)
                places.setdefault(m.place, {}).setdefault(device, []).append(_Stay(other, rows))
    for _, stays in sorted(places.items()):
        if len(stays) >= least:
            yield [_Stay(some[0].group, np.concatenate([s.rows for s in some])) for _, some in sorted(stays.items())]


def _median(means: Floats, least: int) -> Floats:
    """By step, NaN where fewer than `least` devices have a mean."""
    known = np.flatnonzero((~np.isnan(means)).sum(axis=0) >= least)
    median = np.full(means.shape[1], np.nan)
    if len(known):
        median[known] = np.nanmedian(means[:, known], axis=0)
    return median


def _means(values: Floats, step: Ints, steps: int) -> Floats:
    n = np.bincount(step, minlength=steps)
    found = np.full(steps, np.nan)
    np.divide(np.bincount(step, values, steps), n, out=found, where=n > 0)
    return found


def _exceeding(group: _Group, rule: Exceeds, groups: Sequence[_Group]) -> None:
    """A reading above what another quantity of the same device allows at that time."""
    within = parse_duration(rule.within)
    limits = {
        other.names[position].device: (other, position)
        for other in groups
        for position in np.unique(other.series).tolist()
        if other.names[position].quantity == rule.quantity
    }
    for position in np.unique(group.series).tolist():
        found = limits.get(group.names[position].device)
        if found is not None:
            rows = group.usable_of(position)
            limit = _newest(*found, group.time[rows], within)
            above = group.value[rows] > limit
            group.blame(rows, np.where(above, rule.flag, Flag.GOOD).astype(np.uint8), Finding.EXCEEDS)


def _newest(other: _Group, position: int, time: Ints, within: int) -> Floats:
    """The other's newest usable value at or before each time, NaN where it is older than `within` or missing."""
    rows = other.usable_of(position)
    if not len(rows):
        return np.full(len(time), np.nan)
    at = np.searchsorted(other.time[rows], time, side="right") - 1
    known = (at >= 0) & (time - other.time[rows][at] <= within)
    return np.where(known, other.value[rows][at], np.nan)
