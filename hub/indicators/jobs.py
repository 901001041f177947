# SPDX-License-Identifier: EUPL-1.2
"""Work that no touch asks for: what a correction, a change of the registry, a new definition or a person makes dirty.

A job covers a stretch of time and is done in pieces of one year, and of a few sites each, which bounds what is held in
memory: the hours that have readings stand in for touches, and the rows that exist are marked too, so that a row whose
readings went elsewhere is seen again. The last piece of a year has what is not of a site: parts of the city, the city.
It goes by what the others have looked at (`Job.lifted`), not by what they changed, so it does not matter which pieces a
crash had repeated. The cursor that remembers the cause moves with the last piece; after a crash the job begins anew,
which changes nothing.

A device that is removed only ends its mountings: it is looked at from that moment on, and what it measured before
stays what it was.
"""

from collections.abc import Iterator, Mapping, Sequence
from itertools import zip_longest
from typing import NamedTuple

import numpy as np

from hub.core.indicators import Digests
from hub.core.journal import HOUR_NS
from hub.core.places import Device, Mounting, RegistrySnapshot
from hub.core.ports import ReadingStore, ValueLedger
from hub.core.readings import NS, Columns, Series
from hub.core.windows import HOUR, Calendar, Period
from hub.indicators.aggregation import REACH, Ints
from hub.indicators.catalogue import Catalogue
from hub.indicators.definition import Definition
from hub.indicators.kernel import lookback
from hub.indicators.plan import Cause, Key, Marks, distinct, marks_of_hours, place_at, windows_of

REGISTRY = "registry: change"
FIRST = 946_684_800 * NS  # 2000-01-01: no reading is accepted from before
_AHEAD = 24 * HOUR
_LOOKBACK = max(REACH.values())
_SITES = 8  # in a piece
_APART = 100  # devices whose changes are jobs of their own
_MESSAGES = 1_000_000  # in a piece, by the intervals that are declared
_INTERVAL = 600  # s, where none is declared


class Job(NamedTuple):
    """None means any. `devices`, `quantities` limit the readings that stand in for touches; `rows`: rows are seen too.

    `places` are meant with those below. `only`: no more than these sites; `but`: everything except these sites.
    """

    cause: str
    start: int = FIRST
    end: int | None = None
    indicators: frozenset[str] | None = None
    places: frozenset[str] | None = None
    devices: frozenset[str] | None = None
    quantities: frozenset[str] | None = None
    rows: bool = True
    cursor: tuple[str, int] | None = None
    only: frozenset[str] | None = None
    but: frozenset[str] = frozenset()
    lifted: Marks | None = None  # what pieces of one year leave for its last one

    def pieces(self, city: Calendar, now: int) -> Sequence["Job"]:
        """The same job year by year; only the last one moves the cursor."""
        end = min(now + _AHEAD, self.end if self.end is not None else now + _AHEAD)
        start = max(self.start, FIRST)
        parts = [
            self._replace(start=max(a, start), end=min(b, end), cursor=None)
            for a, b in city.windows(start, end, Period.YEAR)
        ] or [self._replace(start=end, end=end)]
        return [*parts[:-1], parts[-1]._replace(cursor=self.cursor)]

    def groups(self, registry: RegistrySnapshot) -> Sequence["Job"]:
        """One year's piece in pieces of a few sites each, and one for the rest; itself where it is small."""
        if self.empty or self.only is not None or self.but or not self.rows:
            return [self]
        found = _groups([d for d in registry.known.values() if self.devices is None or d.id in self.devices], self)
        if len(found) < 2:
            return [self]
        whole = self._replace(lifted=Marks())
        sites = [whole._replace(only=group, cursor=None) for group in found]
        return [*sites, whole._replace(but=frozenset().union(*found))]

    @property
    def empty(self) -> bool:
        """Whether there is nothing to look at: such a job only moves its cursor, in its turn."""
        return self.end is not None and self.start >= self.end

    def asks(self, d: Definition, place: str) -> bool:
        """Whether the job is about an indicator at a place."""
        if self.indicators is not None and d.id not in self.indicators:
            return False
        if not self.within(place):
            return False
        site = d.level == "site"
        return (site and place in self.only) if self.only is not None else not (site and place in self.but)

    def within(self, place: str) -> bool:
        """Whether a place is one of `places` or below one."""
        if self.places is None:
            return True
        while place and place not in self.places:  # an import names thousands: look for what lies above instead
            place = place.rpartition("/")[0]
        return bool(place)


def only_cursor(name: str, position: int) -> Job:
    """An empty job that moves a cursor once all jobs before it are done."""
    return Job(name, FIRST, FIRST, cursor=(name, position))


def _groups(devices: Sequence[Device], job: Job) -> Sequence[frozenset[str]]:
    """Sites in groups that are read together, by the messages that a year of them brings."""
    messages: dict[str, float] = {}
    for device in devices:
        for place in {m.place for m in device.mountings if job.within(m.place)}:
            messages[place] = messages.get(place, 0) + 366 * 86_400 / (device.interval or _INTERVAL)
    found: list[set[str]] = []
    size = 0.0
    for place, count in sorted(messages.items()):
        if not found or len(found[-1]) >= _SITES or size + count > _MESSAGES:
            found.append(set())
            size = 0.0
        found[-1].add(place)
        size += count
    return [frozenset(group) for group in found]


class Prefetched:
    """Readings and digests that are read once, for what a job marks and for what its wave computes and compares."""

    def __init__(self, store: ReadingStore, ledger: ValueLedger) -> None:
        self._store = store
        self._ledger = ledger
        self._known: dict[str, tuple[frozenset[str] | None, int, int, Digests]] = {}
        self._held: tuple[frozenset[Series], int, int, Columns] | None = None
        self._existing: frozenset[Series] = frozenset()
        self._devices: frozenset[str] = frozenset()

    async def fetch(self, series: Sequence[Series], start: int, end: int) -> Columns:
        """Read, and keep what was read."""
        found = await self._store.scan(series, start, end)
        self._held = (frozenset(series), start, end, found)
        return found

    async def series(self, devices: Sequence[str]) -> Sequence[Series]:
        """Those that hold readings."""
        self._existing = frozenset(await self._store.series(devices))
        self._devices = frozenset(devices)
        return sorted(self._existing)

    async def scan(self, series: Sequence[Series], start: int, end: int) -> Columns:
        """From what is kept where it has all that is asked for, else from the store."""
        if self._held is not None:
            has, first, last, columns = self._held
            missing = set(series) - has
            if first <= start and end <= last and not any(self._may_hold(s) for s in missing):
                return _cut(columns, series, start, end)
        return await self._store.scan(series, start, end)

    def rows(self, indicator: str, only: frozenset[str] | None, start: int, end: int, but: frozenset[str]) -> Digests:
        """Read, and keep what was read: all windows of an indicator in the stretch at the places."""
        if indicator not in self._known:
            places = None if only is None else sorted(only)
            self._known[indicator] = (only, start, end, self._ledger.digests(indicator, places, start, end, but))
        return self._known[indicator][3]

    def digests(self, indicator: str, places: Sequence[str], start: int, end: int) -> Digests:
        """From what is kept where it has all that is asked for, else from the ledger."""
        only, first, last, found = self._known.get(indicator, (frozenset(), 0, 0, None))
        if found is None or only is None or not (first <= start and end <= last and only.issuperset(places)):
            return self._ledger.digests(indicator, places, start, end)
        wanted = np.isin(np.array(found.places, dtype=object), np.array(places, dtype=object)) if found.places else ()
        keep = np.array(wanted, dtype=np.bool_)[found.place] & (found.start >= start) & (found.start < end)
        place, begin, digest, known, closed = found[1:]
        return Digests(found.places, place[keep], begin[keep], digest[keep], known[keep], closed[keep])

    def _may_hold(self, series: Series) -> bool:
        return series in self._existing or series.device not in self._devices


def _cut(columns: Columns, series: Sequence[Series], start: int, end: int) -> Columns:
    """What a scan of the store would have given."""
    wanted = sorted(set(series))
    position = {s: i for i, s in enumerate(wanted)}
    of = np.array([position.get(s, -1) for s in columns.series], dtype=np.int32)
    part = slice(*np.searchsorted(columns.time, [start, end]).tolist())
    index = of[columns.index[part]] if len(of) else columns.index[part]
    keep = index >= 0
    return Columns(
        wanted, index[keep], columns.time[part][keep], columns.value[part][keep], columns.flag[part][keep],
        columns.origin[part][keep],
    )  # fmt: skip


async def marks_of_job(
    job: Job,
    registry: RegistrySnapshot,
    catalogue: Catalogue,
    city: Calendar,
    store: Prefetched,
    first: int | None,
) -> tuple[Marks, Marks]:
    """What one piece of a job makes dirty: windows that have readings, and windows that have rows.

    `first`: start of the earliest window that is stored, None without any.
    """
    end = job.start if job.end is None else job.end
    touched, rows = Marks(), Marks()
    if job.start >= end:
        return touched, rows
    hours = await _hours(job, end, registry, catalogue, store)
    named = job.devices is not None and job.cause == REGISTRY
    for key, stretches in marks_of_hours(hours, registry, catalogue, city, job.cause).stretches.items():
        if job.asks(catalogue.get(key[0]), key[1]):
            for starts, cause in stretches.values():
                touched.add(key, starts, cause if named else Cause(job.cause))
    if job.rows and first is not None and first < end:
        for key, starts in _rows(job, end, registry, catalogue, city, store):
            rows.add(key, starts, Cause(job.cause, min(job.devices or ("",)) if named else ""))
    if job.but and job.lifted is not None:
        rows.merge(_lifted(job, rows, registry, catalogue, city))
    return touched, rows


def lift(job: Job, marks: Marks, registry: RegistrySnapshot, catalogue: Catalogue, city: Calendar) -> None:
    """Leave to the year's last piece what depends on the windows of sites that this piece has looked at."""
    if job.only is None or job.lifted is None:
        return
    seen = Marks()
    seen.merge(marks)
    for d in catalogue:
        if d.level != "site":
            _raise(d, seen, job.lifted, job, registry, city)
        elif job.indicators is not None and d.id not in job.indicators:  # it has marks only where something changed
            _raise(d, seen, seen, job, registry, city)


def _lifted(job: Job, rows: Marks, registry: RegistrySnapshot, catalogue: Catalogue, city: Calendar) -> Marks:
    """What was left, and in the order of the graph what depends on it and on the rows."""
    found = Marks()
    found.merge(job.lifted or Marks())
    for d in catalogue:
        if d.level != "site":
            _raise(d, found, found, job, registry, city)
            _raise(d, rows, found, job, registry, city)
    return found


def _raise(d: Definition, marks: Marks, into: Marks, job: Job, registry: RegistrySnapshot, city: Calendar) -> None:
    """Mark the windows of `d` that windows of its sources go into, whatever the job itself is about."""
    sources = {source for source in d.sources if not carries(d, source)}
    for key in [key for key in marks.stretches if key[0] in sources]:
        place = place_at(key[1], d.level, registry)
        if place is not None:
            here, starts = (d.id, place), windows_of(marks.of(key), d, city)
            both = distinct([into.of(here), starts])
            into.stretches[here] = {}
            into.add(here, both, Cause(job.cause))


async def _hours(
    job: Job, end: int, registry: RegistrySnapshot, catalogue: Catalogue, store: Prefetched
) -> Mapping[Series, Ints]:
    devices = [d for d in registry.known.values() if job.devices is None or d.id in job.devices]
    here = [d.id for d in devices if any(_reads(job, m.place) for m in d.mountings)]
    asked = catalogue.kinds if job.quantities is None else catalogue.kinds.keys() & job.quantities
    series = [s for s in await store.series(sorted(here)) if s.quantity in asked] if here else []
    if not series:
        return {}
    first, last = job.start // HOUR_NS * HOUR_NS, -(-end // HOUR_NS) * HOUR_NS
    before = lookback(catalogue, catalogue) + 31 * _AHEAD  # windows that the stretch cuts are read from their begin
    columns = await store.fetch(series, first - before, last + 2 * _AHEAD)
    return hours_of(_cut(columns, series, first, last))


def _reads(job: Job, place: str) -> bool:
    return job.within(place) and place not in job.but and (job.only is None or place in job.only)


def hours_of(columns: Columns) -> Mapping[Series, Ints]:
    """Hours (ns) that hold readings of each series, sorted."""
    hours = columns.time // HOUR_NS
    first = int(hours.min(initial=0))
    width = int(hours.max(initial=0)) - first + 1
    there = np.zeros(len(columns.series) * width, dtype=np.bool_)
    there[columns.index.astype(np.int64) * width + (hours - first)] = True
    pairs = np.flatnonzero(there)
    bounds = np.searchsorted(pairs, np.arange(len(columns.series) + 1) * width)
    stretches = zip(columns.series, bounds[:-1].tolist(), bounds[1:].tolist(), strict=True)
    return {series: (pairs[a:b] % width + first) * HOUR_NS for series, a, b in stretches if b > a}


def _rows(
    job: Job, end: int, registry: RegistrySnapshot, catalogue: Catalogue, city: Calendar, store: Prefetched
) -> Iterator[tuple[Key, Ints]]:
    """Windows of rows that exist, and those that rows of their inputs ask for (a definition that is new)."""
    for d in catalogue:
        if d.entered or (job.indicators is not None and d.id not in job.indicators):
            continue
        if job.only is not None and d.level != "site":
            continue
        found: dict[str, list[Ints]] = {}
        for own, starts in _stored(job, end, d, city, store):
            if job.asks(d, own):
                found.setdefault(own, []).append(starts)
        for source in sorted(s for s in d.sources if not carries(d, s)):
            for below, starts in _stored(job, end, catalogue.get(source), city, store):
                place = place_at(below, d.level, registry)
                if place is not None and job.asks(d, place):
                    found.setdefault(place, []).append(windows_of(starts, d, city))
        yield from (((d.id, where), distinct(starts)) for where, starts in sorted(found.items()))


def _stored(job: Job, end: int, d: Definition, city: Calendar, store: Prefetched) -> Iterator[tuple[str, Ints]]:
    """(place, starts) of the rows of an indicator, of all places that the job may be about."""
    first = d.on(city).window(job.start, d.window)[0]  # the window that the stretch begins in began earlier
    last = d.on(city).window(end - 1, d.window)[1]
    stored = store.rows(d.id, job.only, first, last, job.but if d.level == "site" else frozenset())
    bounds = np.searchsorted(stored.place, np.arange(len(stored.places) + 1))
    for place, start, stop in zip(stored.places, bounds[:-1].tolist(), bounds[1:].tolist(), strict=True):
        if stop > start and job.within(place):
            yield place, stored.start[start:stop]


def carries(d: Definition, source: str) -> bool:
    """Whether a source goes in as a figure that is carried on."""
    return any(item.carry for item in d.inputs.values() if item.indicator == source)


def changes(before: RegistrySnapshot, after: RegistrySnapshot) -> Sequence[Job]:
    """Jobs for devices whose mounting, interval, grade or origin changed."""
    jobs = []
    olds, news = before.known, after.known
    for device in sorted(set(olds) | set(news)):
        old, new = olds.get(device), news.get(device)
        if old is not new and (start := _parted(old, new)) is not None:
            places = {m.place for d in (old, new) if d for m in d.mountings}
            jobs.append(Job(REGISTRY, start=start - _LOOKBACK, places=frozenset(places), devices=frozenset({device})))
    return jobs if len(jobs) <= _APART else [_joined(jobs)]


def _joined(jobs: Sequence[Job]) -> Job:
    """One job for an import of many devices: thousands of jobs of a few years each would take longer than it does."""
    places = frozenset[str]().union(*(job.places or () for job in jobs))
    devices = frozenset[str]().union(*(job.devices or () for job in jobs))
    return Job(REGISTRY, start=min(job.start for job in jobs), places=places, devices=devices)


def levels(before: RegistrySnapshot, after: RegistrySnapshot) -> Sequence[Job]:
    """A job for everything where a place became another kind of place: other sites lie in a part of the city then."""
    both = set(before.places) & set(after.places)
    changed = any(before.places[p].kind is not after.places[p].kind for p in both)
    return [Job("registry: other kinds of places")] if changed else ()


def populations(before: RegistrySnapshot, after: RegistrySnapshot, catalogue: Catalogue) -> Sequence[Job]:
    """A job for what goes by the number of people, where that changed."""
    if _people(before) == _people(after):
        return ()
    weighed = {"population_weighted", "post_stratified"}
    found = frozenset(
        d.id for d in catalogue if d.spatial in weighed or any(i.attribute == "population" for i in d.inputs.values())
    )
    return [Job("registry: other numbers of people", indicators=found)] if found else ()


def _people(registry: RegistrySnapshot) -> Mapping[str, int]:
    return {place.id: place.population for place in registry.places.values() if place.population is not None}


def _parted(old: Device | None, new: Device | None) -> int | None:
    """The instant from which the two count differently, None where they do not."""
    before, after = _stood(old), _stood(new)
    if _facts(old) != _facts(new) and before and after:
        return min(before[0].start, after[0].start)
    pairs = zip_longest(before, after)
    return next((_parting(one, two) for one, two in pairs if one != two), None)


def _stood(device: Device | None) -> Sequence[Mounting]:
    """Where and when alone: height and orientation change no figure."""
    return sorted((Mounting(m.place, m.start, m.end) for m in device.mountings), key=_start) if device else ()


def _start(mounting: Mounting) -> int:
    return mounting.start


def _parting(one: Mounting | None, two: Mounting | None) -> int:
    if one is not None and two is not None and (one.place, one.start) == (two.place, two.start):
        return min(m.end for m in (one, two) if m.end is not None)
    return min(m.start for m in (one, two) if m is not None)


def _facts(device: Device | None) -> tuple[object, ...] | None:
    return None if device is None else (device.interval, device.grade, device.origin)
