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
from typing import NamedTuple

import numpy as np
from msgspec import Struct

from hub.core.journal import HOUR_NS, Touch
from hub.core.places import Device, RegistrySnapshot
from hub.core.windows import HOUR, Calendar, Period
from hub.indicators.aggregation import Ints
from hub.indicators.catalogue import Catalogue
from hub.indicators.definition import Definition
from hub.indicators.kernel import reach

TRAIL: Mapping[Period, int] = {Period.HOUR: 48, Period.DAY: 7, Period.MONTH: 1, Period.YEAR: 0}
_JOIN = 48 * HOUR  # spans nearer than this are read at once

Key = tuple[str, str]  # indicator, place
_NONE = np.empty(0, dtype=np.int64)


class Marks(Struct):
    """Starts of dirty windows by (indicator, place), and why: at most a few causes each."""

    starts: dict[Key, list[Ints]] = {}
    causes: dict[Key, set[str]] = {}

    def add(self, key: Key, starts: Ints, cause: str) -> None:
        """Mark windows."""
        if len(starts):
            self.starts.setdefault(key, []).append(starts)
            self.causes.setdefault(key, set()).add(cause)

    def of(self, key: Key) -> Ints:
        """Distinct starts, sorted."""
        found = self.starts.get(key)
        return np.unique(np.concatenate(found)) if found else _NONE

    def cause(self, key: Key) -> str:
        """All causes in words."""
        return ", ".join(sorted(self.causes.get(key, ())))

    def merge(self, other: "Marks") -> None:
        """Take over another's marks."""
        for key, arrays in other.starts.items():
            self.starts.setdefault(key, []).extend(arrays)
            self.causes.setdefault(key, set()).update(other.causes[key])


class Span(NamedTuple):
    """A stretch of time to read for some places."""

    start: int
    end: int
    places: frozenset[str]


def marks_of(
    touches: Iterable[Touch], registry: RegistrySnapshot, catalogue: Catalogue, city: Calendar, cause: str
) -> Marks:
    """Windows that the touches make dirty, at the places where the devices stood."""
    hours: dict[tuple[str, str], list[int]] = {}
    for touch in touches:
        hours.setdefault((touch.device, touch.quantity), []).append(touch.hour)
    marks, devices = Marks(), registry.known
    for (device, quantity), found in sorted(hours.items()):
        if device in devices and quantity in catalogue.kinds:
            _mark(marks, devices[device], quantity, np.unique(found), catalogue, city, cause)
    return marks


def _mark(
    marks: Marks, device: Device, quantity: str, hours: Ints, catalogue: Catalogue, city: Calendar, cause: str
) -> None:
    for mounting in device.mountings:
        end = np.iinfo(np.int64).max if mounting.end is None else mounting.end
        here = hours[(hours + HOUR_NS > mounting.start) & (hours < end)]
        if not len(here):
            continue
        for d in catalogue.using(quantity):
            marks.add((d.id, mounting.place), windows_of(here, d, city, reach(catalogue, quantity)), cause)


def windows_of(hours: Ints, d: Definition, city: Calendar, behind: int = 0) -> Ints:
    """Starts of the definition's windows that overlap the hours and the reach behind them."""
    edges = d.on(city).edges(int(hours[0]), int(hours[-1]) + HOUR_NS + behind, d.window)
    first = np.searchsorted(edges, hours, side="right") - 1
    last = np.searchsorted(edges, hours + (HOUR_NS - 1 + behind), side="right") - 1
    most = int((last - first).max(initial=0))
    found = np.unique(np.concatenate([np.minimum(first + i, last) for i in range(most + 1)]))
    return np.asarray(edges[found], dtype=np.int64)


def trailing(starts: Ints, d: Definition, city: Calendar, now: int) -> Ints:
    """Windows within TRAIL after the given ones that are over by `now` and not among them."""
    count = TRAIL[d.window]
    if not count or not len(starts) or int(starts[0]) >= now:  # nothing lies between
        return _NONE
    last = d.on(city).windows(int(starts[-1]), int(starts[-1]) + 1, d.window)[0][1]
    beyond = min(now, last + count * 32 * 24 * HOUR if d.window is Period.MONTH else last + count * 25 * HOUR)
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
    edges = d.on(city).edges(int(starts[0]), int(starts[-1]) + 1, d.window)
    ends = edges[np.searchsorted(edges, starts) + 1]
    stood = np.zeros(len(starts), dtype=np.bool_)
    for mounting in (m for device in devices for m in device.mountings if m.place == place):
        stood |= (ends > mounting.start) & (True if mounting.end is None else starts < mounting.end)
    return starts[stood]


def spans(marks: Marks, catalogue: Catalogue, city: Calendar, keys: Iterable[Key]) -> Iterator[Span]:
    """Stretches that cover all marked windows, each place read only where it is dirty or between near marks."""
    pieces: list[tuple[int, int, str]] = []
    for key in keys:
        d, starts = catalogue.get(key[0]), marks.of(key)
        if len(starts):
            edges = d.on(city).edges(int(starts[0]), int(starts[-1]) + 1, d.window)
            ends = edges[np.searchsorted(edges, starts) + 1]
            apart = np.flatnonzero(starts[1:] - ends[:-1] > _JOIN) + 1
            runs = zip(np.split(starts, apart), np.split(ends, apart), strict=True)
            pieces += [(int(s[0]), int(e[-1]), key[1]) for s, e in runs]
    yield from _merged(sorted(pieces))


def _merged(pieces: Sequence[tuple[int, int, str]]) -> Iterator[Span]:
    current: Span | None = None
    for start, end, place in pieces:
        if current is not None and start <= current.end:
            current = Span(current.start, max(end, current.end), current.places | {place})
        else:
            if current is not None:
                yield current
            current = Span(start, end, frozenset({place}))
    if current is not None:
        yield current


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
