# SPDX-License-Identifier: EUPL-1.2
"""Which windows are dirty: pure functions from touches and changes to marks, and from marks to spans to read.

A touch is an hour in which readings of (device, quantity) arrived. It marks, at each place where the device stood in
that hour, every window of every definition that takes the quantity and overlaps the hour (and, for counters and
states, the reach behind it).

A window exists in the ledger when it has readings, or when it lies within `TRAIL` windows after one that has and a
device stands there: gaps show as insufficient_data with their reason, at first hour by hour; for how long a device
has been silent after that is told by the device's state, not by endless rows. The rule looks at the neighbourhood of
a reading alone, so the rows that exist do not depend on the order of arrival, and a single reading from a wrong clock
cannot make years of rows.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from typing import NamedTuple

import numpy as np
from msgspec import Struct

from hub.core.journal import HOUR_NS, Touch
from hub.core.places import Device, RegistrySnapshot
from hub.core.readings import Series
from hub.core.windows import HOUR, Calendar, Period
from hub.indicators.aggregation import ENDS, Ints
from hub.indicators.catalogue import Catalogue
from hub.indicators.definition import Definition
from hub.indicators.kernel import reach

TRAIL: Mapping[Period, int] = {Period.HOUR: 48, Period.DAY: 7, Period.MONTH: 1, Period.YEAR: 0}
_AT_MOST: Mapping[Period, int] = {
    Period.HOUR: HOUR, Period.DAY: 25 * HOUR, Period.MONTH: 32 * 24 * HOUR, Period.YEAR: 367 * 24 * HOUR
}  # fmt: skip
_JOIN = 48 * HOUR  # spans nearer than this are read at once
_NAMED = 5  # devices in a cause
_OPEN = np.iinfo(np.int64).max

Key = tuple[str, str]  # indicator, place
_NONE = np.empty(0, dtype=np.int64)


class Cause(NamedTuple):
    """Why windows are computed again, and by which device, where it was one."""

    text: str
    device: str = ""


def words(causes: Iterable[Cause]) -> str:
    """Causes as a sentence: equal texts once, with the first devices by name."""
    devices: dict[str, list[str]] = {}
    for cause in sorted(set(causes)):
        devices.setdefault(cause.text, []).extend([cause.device] if cause.device else [])
    return "; ".join(text + _of(names) for text, names in devices.items())


def _of(names: Sequence[str]) -> str:
    if not names:
        return ""
    more = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
    return f" of {', '.join(names[:_NAMED])}{more}"


class Marks(Struct):
    """Starts of dirty windows (sorted) by (indicator, place), each stretch of them once with all its causes.

    Many devices mark the same windows: a thousand that report in an hour are one stretch with a thousand causes.
    """

    stretches: dict[Key, dict[bytes, tuple[Ints, set[Cause]]]] = {}

    def add(self, key: Key, starts: Ints, cause: Cause | AbstractSet[Cause]) -> None:
        """Mark windows."""
        if not len(starts):
            return
        known = self.stretches.setdefault(key, {}).setdefault(starts.tobytes(), (starts, set()))[1]
        if isinstance(cause, Cause):
            known.add(cause)
        else:
            known.update(cause)

    def of(self, key: Key) -> Ints:
        """Distinct starts, sorted."""
        found = [starts for starts, _ in self.stretches.get(key, {}).values()]
        if len(found) == 1:
            return found[0]
        return distinct(found) if found else _NONE

    def causes(self, key: Key, start: int) -> set[Cause]:
        """Why one window is dirty."""
        found = self.stretches.get(key, {}).values()
        return {cause for starts, causes in found if _holds(starts, start) for cause in causes}

    def kept(self, key: Key, keep: Ints) -> Iterator[tuple[Ints, AbstractSet[Cause]]]:
        """What is marked of the windows in `keep`, with the causes."""
        for starts, causes in self.stretches.get(key, {}).values():
            yield np.intersect1d(starts, keep, assume_unique=True), causes

    def merge(self, other: "Marks") -> None:
        """Take over another's marks."""
        for key, stretches in other.stretches.items():
            for starts, causes in stretches.values():
                self.add(key, starts, causes)


def distinct(arrays: Sequence[Ints]) -> Ints:
    """All of some arrays, sorted and each once; on sorted runs faster than `np.unique`."""
    merged = np.sort(np.concatenate(arrays), kind="stable")
    first = np.ones(len(merged), dtype=np.bool_)
    first[1:] = merged[1:] != merged[:-1]
    return merged[first]


def _holds(starts: Ints, start: int) -> bool:
    at = int(np.searchsorted(starts, start))
    return at < len(starts) and int(starts[at]) == start


class Span(NamedTuple):
    """A stretch of time to read for some places."""

    start: int
    end: int
    places: frozenset[str]


def marks_of(
    touches: Iterable[Touch], registry: RegistrySnapshot, catalogue: Catalogue, city: Calendar, cause: str
) -> Marks:
    """Windows that the touches make dirty, at the places where the devices stood."""
    hours: dict[Series, set[int]] = {}
    for touch in touches:
        hours.setdefault(Series(touch.device, touch.quantity), set()).add(touch.hour)
    found = {series: np.array(sorted(some), dtype=np.int64) for series, some in hours.items()}
    return marks_of_hours(found, registry, catalogue, city, cause)


def marks_of_hours(
    hours: Mapping[Series, Ints], registry: RegistrySnapshot, catalogue: Catalogue, city: Calendar, cause: str
) -> Marks:
    """The same from the hours (sorted) of each series."""
    marks, devices, windows = Marks(), registry.known, _Windows(catalogue, city)
    for series, here in sorted(hours.items(), key=lambda item: item[0]):
        if series.device in devices and series.quantity in catalogue.kinds:
            _mark(marks, devices[series.device], series.quantity, here, windows, Cause(cause, series.device))
    return marks


def _mark(marks: Marks, device: Device, quantity: str, hours: Ints, windows: "_Windows", cause: Cause) -> None:
    for mounting in device.mountings:
        here = hours[(hours + HOUR_NS > mounting.start) & (hours < (mounting.end or _OPEN))]
        if len(here):
            for indicator, starts in windows.of(quantity, here):
                marks.add((indicator, mounting.place), starts, cause)


class _Windows:
    """Windows of all definitions that take a quantity, by hours: many devices have the same hours."""

    def __init__(self, catalogue: Catalogue, city: Calendar) -> None:
        self._catalogue = catalogue
        self._city = city
        self._takers: dict[str, Sequence[tuple[Definition, int]]] = {}
        self._known: dict[tuple[object, ...], Ints] = {}

    def of(self, quantity: str, hours: Ints) -> Iterator[tuple[str, Ints]]:
        """(indicator, starts of its windows)."""
        if quantity not in self._takers:
            self._takers[quantity] = [(d, reach(self._catalogue, quantity, d)) for d in self._catalogue.using(quantity)]
        text, ahead = hours.tobytes(), ENDS.get(self._catalogue.kinds[quantity], 0)
        for d, behind in self._takers[quantity]:
            key = (d.window, d.calendar, behind, ahead, text)
            if key not in self._known:
                self._known[key] = windows_of(hours, d, self._city, behind, ahead)
            yield d.id, self._known[key]


def windows_of(hours: Ints, d: Definition, city: Calendar, behind: int = 0, ahead: int = 0) -> Ints:
    """Starts of the definition's windows that overlap the hours and the reach behind and ahead of them."""
    edges = d.on(city).edges(int(hours[0]) - ahead, int(hours[-1]) + HOUR_NS + behind, d.window)
    first = np.searchsorted(edges, hours - ahead, side="right") - 1
    last = np.searchsorted(edges, hours + (HOUR_NS - 1 + behind), side="right") - 1
    most = int((last - first).max(initial=0))
    found = np.zeros(len(edges), dtype=np.bool_)
    for i in range(most + 1):
        found[np.minimum(first + i, last)] = True
    return edges[found]


def trailing(starts: Ints, d: Definition, city: Calendar, now: int) -> Ints:
    """Windows within TRAIL after the given ones that are over by `now` and not among them."""
    count = TRAIL[d.window] if d.trail is None else d.trail
    if not count or not len(starts) or int(starts[0]) >= now:  # nothing lies between
        return _NONE
    last = d.on(city).windows(int(starts[-1]), int(starts[-1]) + 1, d.window)[0][1]
    beyond = min(now, last + count * _AT_MOST[d.window])
    edges = d.on(city).edges(int(starts[0]), max(beyond, int(starts[0]) + 1), d.window)
    index = np.searchsorted(edges, starts[starts < edges[-1]])
    wanted = np.zeros(len(edges) - 1, dtype=np.bool_)
    for ahead in range(1, count + 1):
        wanted[index[index + ahead < len(wanted)] + ahead] = True
    wanted[index[index < len(wanted)]] = False
    return edges[:-1][wanted & (edges[1:] <= now)]


def watched(starts: Ints, d: Definition, city: Calendar, devices: Sequence[Device], place: str) -> Ints:
    """Those of the windows in which some device stood at the place."""
    if not len(starts):
        return starts
    ends = ends_of(starts, d, city)
    stood = np.zeros(len(starts), dtype=np.bool_)
    for mounting in (m for device in devices for m in device.mountings if m.place == place):
        stood |= (ends > mounting.start) & (True if mounting.end is None else starts < mounting.end)
    return starts[stood]


def standing(devices: Iterable[Device]) -> Mapping[str, Sequence[Device]]:
    """Devices by place."""
    found: dict[str, list[Device]] = {}
    for device in devices:
        for place in {mounting.place for mounting in device.mountings}:
            found.setdefault(place, []).append(device)
    return found


def spans(marks: Marks, catalogue: Catalogue, city: Calendar, keys: Iterable[Key]) -> Iterator[Span]:
    """Stretches that cover all marked windows, each place read only where it is dirty or between near marks."""
    pieces: list[tuple[int, int, str]] = []
    known: dict[tuple[object, ...], Sequence[tuple[int, int]]] = {}  # many places have the same marks
    for key in keys:
        d, starts = catalogue.get(key[0]), marks.of(key)
        if len(starts):
            alike = (d.window, d.calendar, starts.tobytes())
            if alike not in known:
                known[alike] = _runs(d, starts, city)
            pieces += [(start, end, key[1]) for start, end in known[alike]]
    yield from _merged(sorted(pieces))


def _runs(d: Definition, starts: Ints, city: Calendar) -> Sequence[tuple[int, int]]:
    ends = ends_of(starts, d, city)
    apart = np.flatnonzero(starts[1:] - ends[:-1] > _JOIN) + 1
    runs = zip(np.split(starts, apart), np.split(ends, apart), strict=True)
    return [(int(s[0]), int(e[-1])) for s, e in runs]


def ends_of(starts: Ints, d: Definition, city: Calendar) -> Ints:
    """Ends of the definition's windows that begin at `starts` (sorted, at least one)."""
    edges = d.on(city).edges(int(starts[0]), int(starts[-1]) + 1, d.window)
    return edges[np.searchsorted(edges, starts) + 1]


def _merged(pieces: Sequence[tuple[int, int, str]]) -> Iterator[Span]:
    first, last, places = 0, 0, set[str]()
    for start, end, place in pieces:
        if places and start > last:
            yield Span(first, last, frozenset(places))
            places = set()
        first, last = (first, max(last, end)) if places else (start, end)
        places.add(place)
    if places:
        yield Span(first, last, frozenset(places))


def place_at(place: str, level: str, registry: RegistrySnapshot) -> str | None:
    """The place of a level that holds `place`: itself for site, else the nearest one above of that kind."""
    if level == "site":
        return place
    if level == "municipality":
        return place.partition("/")[0]
    above: str | None = place
    while above:
        found = registry.places.get(above)
        if found is not None and found.kind.value == level:
            return above
        above = above.rpartition("/")[0] or None
    return None
