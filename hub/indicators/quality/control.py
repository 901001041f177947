# SPDX-License-Identifier: EUPL-1.2
"""Quality control inside a wave: between the corrections and the kernel. Pure.

    stored readings -> excluded and calibrated -> tested -> flags that people gave -> kernel

So an excluded reading does not exist for the tests, calibrated values are tested as calibrated, and the flag that a
person gave is the last word. `near` and `stretched` see to it that every reading whose flag may have changed is looked
at again, with all that bears on it.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

import numpy as np

from hub.core.corrections import OVERRIDE, WITHDRAW
from hub.core.indicators import Correction
from hub.core.journal import HOUR_NS, Touch
from hub.core.places import Device, RegistrySnapshot
from hub.core.ports import FlagStretch, QualityFinding, ValueLedger
from hub.core.readings import Columns, Series
from hub.core.windows import HOUR, Calendar
from hub.indicators.aggregation import Ints
from hub.indicators.catalogue import Catalogue
from hub.indicators.corrections import corrected
from hub.indicators.definition import Definition
from hub.indicators.kernel import reach
from hub.indicators.plan import Cause, Marks
from hub.indicators.quality.checks import Checked, Finding, checked
from hub.indicators.quality.rules import Rules

_NONE = np.empty(0, dtype=np.int32)
_OPEN = int(np.iinfo(np.int64).max)
NEAR = "readings nearby that bear on their quality"


class Margins(NamedTuple):
    """How much more has to be read: ns before and after, and quantities beside those asked for."""

    before: int
    after: int
    companions: frozenset[str]


def stretched(quantities: Iterable[str], rules: Rules, device: Device) -> Margins:
    """What the flags of these quantities of a device need."""
    named = list(quantities)
    interval = float(device.interval or 0)
    both = [rules.margin_of(Series(device.id, q), interval) for q in named]
    beside = frozenset[str]().union(*(rules.companions(q) for q in named)) - frozenset(named)
    return Margins(max((b for b, _ in both), default=0), max((a for _, a in both), default=0), beside)


def alike(
    quantities: Iterable[str], rules: Rules, devices: Mapping[str, Device]
) -> Iterator[tuple[Margins, Sequence[str]]]:
    """Devices, sorted, by how much more has to be read of them."""
    named, found = sorted(quantities), dict[Margins, list[str]]()
    known: dict[tuple[object, ...], Margins] = {}
    for name in sorted(devices):
        key = devices[name].interval, *(id(rules.of(Series(name, q))) for q in named)
        if key not in known:
            known[key] = stretched(named, rules, devices[name])
        found.setdefault(known[key], []).append(name)
    yield from found.items()


def joined(parts: Sequence[Columns]) -> Columns:
    """Columns of different series as one, in the order of (time, series)."""
    if len(parts) == 1:
        return parts[0]
    series = sorted({s for part in parts for s in part.series})
    position = {s: i for i, s in enumerate(series)}
    moved = [np.array([position[s] for s in part.series], dtype=np.int32) for part in parts]
    index = np.concatenate([m[part.index] for m, part in zip(moved, parts, strict=True) if len(part)] or [_NONE])
    some = [part for part in parts if len(part)] or [parts[0]]
    time = np.concatenate([part.time for part in some])
    order = np.lexsort((index, time))
    rest = (np.concatenate([getattr(part, name) for part in some])[order] for name in ("value", "flag", "origin"))
    return Columns(series, index[order], time[order], *rest)


class Controlled(NamedTuple):
    """`columns`: as the kernel takes them. `tested`: with corrections, as they went into the tests, and the `result`.

    `present` are the series, by position, that have any reading at all, excluded ones included.
    """

    columns: Columns
    tested: Columns
    result: Checked
    present: frozenset[int]


def controlled(
    found: Columns, corrections: Sequence[Correction], rules: Rules, devices: Mapping[str, Device]
) -> Controlled:
    """Readings with corrections and quality control applied; `devices` are all that stand at the sites concerned."""
    tested = corrected(found, [c for c in corrections if c.action != OVERRIDE])
    flagged, result = checked(tested, rules, devices)
    columns = corrected(flagged, [c for c in corrections if c.action in {OVERRIDE, WITHDRAW}])
    return Controlled(columns, tested, result, frozenset(np.unique(found.index).tolist()))


def stretches(
    done: Controlled, quantities: frozenset[str], places: frozenset[str], start: int, end: int,
    devices: Mapping[str, Device],
) -> Iterator[FlagStretch]:  # fmt: skip
    """What is known now of each series in [start, end), as long as its device stood at one of the places.

    Only there all neighbours were read.
    """
    tested, result = done.tested, done.result
    found: dict[int, dict[int, QualityFinding]] = {}
    for row in np.flatnonzero(result.test).tolist():
        finding = QualityFinding(int(result.found[row]), Finding(result.test[row]).word)
        found.setdefault(int(tested.index[row]), {})[int(tested.time[row])] = finding
    for position in sorted(done.present):
        series, here = tested.series[position], found.get(position, {})
        if series.quantity in quantities:
            for first, last in _stays(devices[series.device], places, start, end):
                yield FlagStretch(series, first, last, {t: f for t, f in here.items() if first <= t < last})


def _stays(device: Device, places: frozenset[str], start: int, end: int) -> Iterator[tuple[int, int]]:
    for m in device.mountings:
        first, last = max(start, m.start), min(end, _OPEN if m.end is None else m.end)
        if m.place in places and first < last:
            yield first, last


def near(
    touches: Iterable[Touch], registry: RegistrySnapshot, catalogue: Catalogue, city: Calendar, rules: Rules
) -> Marks:
    """Windows beside the touched ones whose readings may have got another flag by what arrived.

    They are only to be seen again where they have a row: one without readings must not get a row by this.
    """
    hours: dict[Series, set[int]] = {}
    for touch in touches:
        hours.setdefault(Series(touch.device, touch.quantity), set()).add(touch.hour)
    marks, devices, windows = Marks(), registry.known, _Windows(catalogue, city, rules)
    for series, found in sorted(hours.items()):
        if series.device not in devices:
            continue
        here = np.array(sorted(found), dtype=np.int64)
        for m in devices[series.device].mountings:
            stood = here[(here + HOUR_NS > m.start) & (here < (_OPEN if m.end is None else m.end))]
            for indicator, starts in windows.of(series, devices[series.device], stood) if len(stood) else ():
                marks.add((indicator, m.place), starts, Cause(NEAR, series.device))
    return marks


def existing(marks: Marks, ledger: ValueLedger) -> Marks:
    """Those of the marked windows that have a row."""
    places: dict[str, list[str]] = {}
    for indicator, place in marks.stretches:
        places.setdefault(indicator, []).append(place)
    found = Marks()
    for indicator, names in places.items():
        starts = [marks.of((indicator, place)) for place in names]
        first, last = min(int(s[0]) for s in starts), max(int(s[-1]) for s in starts)
        stored = ledger.digests(indicator, sorted(names), first, last + 1)
        for p, place in enumerate(stored.places):
            for some, cause in marks.kept((indicator, place), np.unique(stored.start[stored.place == p])):
                found.add((indicator, place), some, cause)
    return found


class _Windows:
    """Windows near hours, by quantity; many devices have the same hours, and many definitions the same windows."""

    def __init__(self, catalogue: Catalogue, city: Calendar, rules: Rules) -> None:
        self._catalogue, self._city, self._rules = catalogue, city, rules
        self._takers: dict[tuple[object, ...], Sequence[tuple[Definition, tuple[int, int, bool, int]]]] = {}
        self._known: dict[tuple[object, ...], Ints] = {}

    def of(self, series: Series, device: Device, hours: Ints) -> Iterator[tuple[str, Ints]]:
        """(indicator, starts), the windows that the hours themselves touch left out."""
        who = series.quantity, device.interval, id(self._rules.of(series))
        if who not in self._takers:
            self._takers[who] = list(self._taking(series, float(device.interval or 0)))
        text = hours.tobytes() if self._takers[who] else b""
        for d, reaches in self._takers[who]:
            key = (d.window, d.calendar, reaches, text)
            if key not in self._known:
                self._known[key] = windows_near(hours, d, self._city, *reaches)
            yield d.id, self._known[key]

    def _taking(self, series: Series, interval: float) -> Iterator[tuple[Definition, tuple[int, int, bool, int]]]:
        """Definitions on whose readings the series bears, with the arguments of `windows_near`."""
        for concerned in sorted(self._rules.concerned(series.quantity)):
            before, after = self._rules.margin_of(Series(series.device, concerned), interval)
            if (before or after) and concerned in self._catalogue.kinds:
                for d in self._catalogue.using(concerned):
                    yield d, (before, after, concerned == series.quantity, reach(self._catalogue, concerned, d))


def windows_near(hours: Ints, d: Definition, city: Calendar, before: int, after: int, own: bool, behind: int) -> Ints:
    """Windows with readings that are at most `after` earlier or `before` later than the hours.

    `behind`: how far a reading bears on later windows by itself. `own`: windows that it bears on so are left out.
    """
    edges = d.on(city).edges(int(hours[0]) - after, int(hours[-1]) + HOUR + behind + before, d.window)
    wide = _covered(edges, hours - after, hours + (HOUR - 1 + behind + before))
    if own:
        wide &= ~_covered(edges, hours, hours + (HOUR - 1 + behind))
    return np.asarray(edges[:-1][wide], dtype=np.int64)


def _covered(edges: Ints, first: Ints, last: Ints) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
    """Which windows overlap any stretch."""
    n = len(edges)
    begins = np.bincount(np.searchsorted(edges, first, side="right") - 1, minlength=n)
    ends = np.bincount(np.searchsorted(edges, last, side="right"), minlength=n + 1)[:n]
    return np.asarray(np.cumsum(begins - ends)[:-1] > 0, dtype=np.bool_)
