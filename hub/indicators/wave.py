# SPDX-License-Identifier: EUPL-1.2
"""One wave: from dirty windows to the values to write, each indicator once and in the order of the graph.

First the definitions that take readings alone, span by span, and entered values; then those that take indicators. A
dependant is computed when a value that goes into it changed, or when it was marked itself.

Most of what is computed again is what it was. So a result is first told by its digest from what is stored (columns of
both, no objects), and only what differs, is new, or is about to close is made into values and compared in full.

Nothing is written here unless `flush` is given: the engine commits the whole wave at once, so a crash leaves either all
of it or nothing. A job's piece flushes as it goes, which bounds memory; it is repeated as a whole after a crash, and
what it computes goes by what it marked (see `hub.indicators.jobs`).
"""

from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping, Sequence
from itertools import islice
from typing import NamedTuple

import numpy as np

from hub.core.indicators import Correction, Digests, IndicatorValue, ValueColumns
from hub.core.places import Device, RegistrySnapshot
from hub.core.ports import FlagStretch, ValueLedger
from hub.core.readings import Columns, Series
from hub.core.windows import HOUR, Calendar
from hub.indicators.aggregation import Ints
from hub.indicators.catalogue import Catalogue
from hub.indicators.cells import Bools
from hub.indicators.combine import Results
from hub.indicators.definition import ANY_QUANTITY, Definition
from hub.indicators.digest import digests
from hub.indicators.entry_marks import Entered
from hub.indicators.inputs import Values
from hub.indicators.jobs import carries
from hub.indicators.kernel import NO_READINGS, attributes_of, compute, lookback
from hub.indicators.pace import Pace
from hub.indicators.plan import Cause, Key, Marks, Span, place_at, spans, windows_of, words
from hub.indicators.quality.control import alike, controlled, joined, stretches
from hub.indicators.quality.rules import NO_RULES, Rules
from hub.indicators.results import materialise
from hub.indicators.revision import decide

_CHUNK = 5_000  # values compared with the ledger at once, and about as many held before a flush
_EVER = (-(2**62), 2**62)

Scan = Callable[[Sequence[Series], int, int], Awaitable[Columns]]
Stored = Callable[[str, Sequence[str], int, int], Digests]
Commits = Sequence[tuple[IndicatorValue, int]]


class World(NamedTuple):
    """What a wave sees: one registry with the devices that ever stood at each place, one instant.

    `sites`: no more than indicators of level site are computed. Of `entered` values those approved `upto` a number.
    """

    catalogue: Catalogue
    city: Calendar
    registry: RegistrySnapshot
    standing: Mapping[str, Sequence[Device]]
    corrections: Sequence[Correction]
    now: int
    held: bool
    sites: bool = False
    rules: Rules = NO_RULES
    entered: Entered | None = None
    upto: int = 0


class Written:
    """Values to write, found by indicator, place and start."""

    def __init__(self) -> None:
        self._values: dict[str, dict[str, dict[int, IndicatorValue]]] = {}
        self._count = 0

    def put(self, value: IndicatorValue) -> None:
        """Add or replace."""
        self._values.setdefault(value.indicator, {}).setdefault(value.place, {})[value.start] = value
        self._count += 1

    def __len__(self) -> int:
        return self._count

    def of(self, indicator: str) -> Sequence[IndicatorValue]:
        """Values of one indicator."""
        return [value for starts in self._values.get(indicator, {}).values() for value in starts.values()]

    def __iter__(self) -> Iterator[IndicatorValue]:
        """All values in order of indicator, place and start."""
        for _, places in sorted(self._values.items()):
            for _, starts in sorted(places.items()):
                yield from (value for _, value in sorted(starts.items()))


class Wave:
    """Computes. `waiting` is what was put off, `windows` and `flushed` count what was computed and flushed.

    `flags` is what quality control found on all readings that went into windows.
    """

    def __init__(
        self,
        world: World,
        scan: Scan,
        ledger: ValueLedger,
        stored: Stored,
        pace: Pace | None = None,
        flush: Callable[[Commits], object] | None = None,
    ) -> None:
        self._world = world
        self._scan = scan
        self._ledger = ledger
        self._digests = stored
        self._pace = pace or Pace(0)
        self._flush = flush
        self._attributes = attributes_of(world.registry)
        self._written = Written()
        self._changed: dict[str, dict[str, list[int]]] = {}
        self._whole: dict[str, list[Whole]] = {}
        self._lifted: dict[tuple[object, ...], Ints] = {}
        self._computed: list[tuple[Key, Ints, Ints]] = []  # windows and when they close
        self.waiting = Marks()
        self.flags: list[FlagStretch] = []
        self.windows = 0
        self.flushed = 0

    async def run(self, marks: Marks) -> None:
        """Compute everything marked and what depends on it."""
        w = self._world
        base = {d.id for d in w.catalogue if not d.sources and not d.entered}
        due = self._due(marks, [key for key in marks.stretches if key[0] in base])
        for window in sorted({d.window for d in w.catalogue}):  # days do not make hours be read for a day
            keys = [key for key in due.stretches if w.catalogue.get(key[0]).window == window]
            for span in spans(due, w.catalogue, w.city, keys):
                await self._base(span, due, keys)
        for value in w.entered.values(marks, self._ledger, w.upto, w.now) if w.entered else ():
            self._put(value)
            self.windows += 1
        for d in w.catalogue:
            if d.sources and not (w.sites and d.level != "site"):
                await self._dependant(d, marks)

    def commits(self) -> Commits:
        """Values with the time at which each closes, those flushed left out."""
        return [(value, self._closes_at(value)) for value in self._written]

    def committed(self) -> None:
        """Remember what was computed now: only what is stored may hold back what comes later."""
        for key, starts, closes in self._computed:
            self._pace.note(key, starts, closes, self._world.now)

    def _closes_at(self, value: IndicatorValue) -> int:
        return value.end + self._world.catalogue.get(value.indicator).grace_ns

    def _due(self, marks: Marks, keys: Iterable[Key]) -> Marks:
        """What is to be computed now; the rest waits."""
        due, waiting = self._pace.split(marks, keys, self._world.now)
        self.waiting.merge(waiting)
        return due

    # --- from readings -----------------------------------------------------------------------------------------

    async def _base(self, span: Span, marks: Marks, keys: Iterable[Key]) -> None:
        w = self._world
        wanted: dict[str, list[str]] = {}
        for indicator, place in keys:
            if place in span.places:
                wanted.setdefault(indicator, []).append(place)
        definitions = [d for d in w.catalogue if d.id in wanted]
        columns, devices = await self._readings(definitions, span)
        for d in definitions:
            places = sorted(wanted[d.id])
            results = compute(
                w.catalogue, d, w.city, places, span.start, span.end, columns, devices, attributes=self._attributes
            )
            self._take(results, marks)

    async def _readings(self, definitions: Sequence[Definition], span: Span) -> tuple[Columns, Mapping[str, Device]]:
        """Readings that go into the definitions, corrected and quality controlled, and the devices at the places."""
        w = self._world
        devices = {d.id: d for place in sorted(span.places) for d in w.standing.get(place, ())}
        quantities = {q for d in definitions for q in d.quantities}
        if not quantities:
            return NO_READINGS, devices
        named = frozenset(w.catalogue.kinds if ANY_QUANTITY in quantities else quantities)
        behind, parts = lookback(w.catalogue, definitions), []
        for more, names in alike(named, w.rules, devices):
            series = [Series(device, quantity) for device in names for quantity in sorted(named | more.companions)]
            start, end = span.start - behind - more.before, span.end + max(HOUR, more.after)
            parts.append(await self._scan(series, start, end))
        found = joined(parts) if parts else NO_READINGS
        done = controlled(found, w.corrections, w.rules, devices)
        self.flags += stretches(done, named, span.places, span.start, span.end, devices)
        return done.columns, devices

    # --- from indicators ---------------------------------------------------------------------------------------

    async def _dependant(self, d: Definition, marks: Marks) -> None:
        for source in sorted(d.sources):
            carried = carries(d, source)
            for below, changed in sorted(self._changed.get(source, {}).items()):
                starts = np.unique(np.array(changed, dtype=np.int64))
                if carried:
                    self._mark_carried(d, below, int(starts[0]), marks)
                else:
                    self._mark(d, (source, below), starts, marks)
        due = self._due(marks, [key for key in marks.stretches if key[0] == d.id])
        for span in list(spans(due, self._world.catalogue, self._world.city, due.stretches)):
            one_by_one = [span._replace(places=frozenset({place})) for place in sorted(span.places)]
            for part in one_by_one if d.spatial else [span]:  # what is below a place may be much
                await self._from_values(d, part, due)

    def _mark(self, d: Definition, below: Key, starts: Ints, marks: Marks) -> None:
        """What depends on windows of a source, with the causes that each of those had."""
        place = place_at(below[1], d.level, self._world.registry)
        if place is None:
            return
        for some, causes in list(marks.kept(below, starts)):
            if len(some):
                marks.add((d.id, place), self._windows_of(some, d), causes)

    def _windows_of(self, hours: Ints, d: Definition) -> Ints:
        """The same for many places, hence remembered."""
        alike = (d.window, d.calendar, hours.tobytes())
        if alike not in self._lifted:
            self._lifted[alike] = windows_of(hours, d, self._world.city)
        return self._lifted[alike]

    def _mark_carried(self, d: Definition, place: str, start: int, marks: Marks) -> None:
        """A figure that is carried on bears on all windows that end after it began, there and below."""
        first = d.on(self._world.city).window(start, d.window)[0]
        stored = self._ledger.digests(d.id, None, first, _EVER[1])
        for p, name in enumerate(stored.places):
            if name == place or name.startswith(place + "/"):
                marks.add((d.id, name), stored.start[stored.place == p], Cause("change of an entered figure"))

    async def _from_values(self, d: Definition, span: Span, marks: Marks) -> None:
        w = self._world
        places = sorted(span.places)
        values = {source: self._stored(source, d, places, span) for source in sorted(d.sources)}
        columns, devices = await self._readings([d], span)
        results = compute(
            w.catalogue, d, w.city, places, span.start, span.end, columns, devices, values, self._attributes
        )
        self._take(results, marks)

    def _stored(self, source: str, d: Definition, places: Sequence[str], span: Span) -> Values:
        """Values of a source that go in: the ledger's, and over them those of this wave."""
        spatial = d.spatial is not None
        start, end, wanted = span.start, span.end, list(places)
        for whole in self._whole.get(source, ()):
            if not spatial and whole.covers(places, start, end):
                return whole.values
        if carries(d, source):
            start = _EVER[0]
            wanted = sorted({"/".join(p.split("/")[: n + 1]) for p in places for n in range(p.count("/") + 1)})
        found = self._ledger.columns(source, wanted, start, end, below=spatial)
        asked = set(wanted)
        fresh = [
            v for v in self._written.of(source)
            if start <= v.start < end and (v.place in asked or (spatial and _below(v.place, asked)))
        ]  # fmt: skip
        return overlaid(found, fresh)

    # --- what becomes of it ------------------------------------------------------------------------------------

    def _take(self, results: Results, marks: Marks) -> None:
        wanted = np.zeros(results.value.shape, dtype=np.bool_)
        for p, place in enumerate(results.places):
            wanted[p] = np.isin(results.windows[:-1], marks.of((results.definition.id, place)))
        self.windows += int(wanted.sum())
        units = self._world.catalogue.input_units(results.definition)
        digest = digests(results, units)
        stored = self._digests(results.definition.id, results.places, int(results.windows[0]), int(results.windows[-1]))
        self._keep(results, wanted, stored)
        differs = wanted & ~self._unchanged(results, digest, stored)
        closes = results.windows[1:] + results.definition.grace_ns
        for p, place in enumerate(results.places):
            key = (results.definition.id, place)
            self._computed.append((key, results.windows[:-1][wanted[p]], closes[wanted[p]]))
        fresh = materialise(results, differs, units, digest)
        while chunk := list(islice(fresh, _CHUNK)):
            self._decide(chunk, marks)

    def _keep(self, results: Results, wanted: Bools, stored: Digests) -> None:
        """Remember results for what depends on them, where no stored window is missing among them."""
        if self._world.catalogue.dependants(results.definition.id):
            p, at = _positions(results, stored)
            if wanted[p, at].all():
                whole = Whole(frozenset(results.places), int(results.windows[0]), int(results.windows[-1]),
                              values_in(results, wanted))  # fmt: skip
                self._whole.setdefault(results.definition.id, []).append(whole)

    def _unchanged(self, results: Results, digest: Ints, stored: Digests) -> Bools:
        """Windows whose stored digest is that of the result, and which need not be closed now."""
        w, d = self._world, results.definition
        same = np.zeros(results.value.shape, dtype=np.bool_)
        p, at = _positions(results, stored)
        settled = stored.closed | w.held | (w.now < results.windows[at + 1] + d.grace_ns)
        begins = results.windows[at] == stored.start
        same[p, at] = begins & stored.known & settled & (stored.digest == digest[p, at])
        return same

    def _decide(self, fresh: Sequence[IndicatorValue], marks: Marks) -> None:
        w = self._world
        stored = self._ledger.current([(v.indicator, v.place, v.start) for v in fresh])
        for value in fresh:
            key = (value.indicator, value.place, value.start)
            before = stored.get(key)
            cause = words(marks.causes(key[:2], value.start)) if before is not None and before.closed else None
            verdict = decide(value, before, w.now, self._closes_at(value), w.held, cause)
            if verdict is not None:
                self._put(verdict)
        if self._flush is not None and len(self._written) >= _CHUNK:
            self.flushed += len(self._written)
            self._flush(self.commits())
            self._written = Written()

    def _put(self, value: IndicatorValue) -> None:
        self._written.put(value)
        self._changed.setdefault(value.indicator, {}).setdefault(value.place, []).append(value.start)


class Whole(NamedTuple):
    """All values of an indicator at some places that begin in [start, end): there are no others in the ledger."""

    places: frozenset[str]
    start: int
    end: int
    values: Values

    def covers(self, places: Sequence[str], start: int, end: int) -> bool:
        """Whether these are all that is asked for; more than that does no harm."""
        return self.start <= start and end <= self.end and self.places.issuperset(places)


def _positions(results: Results, stored: Digests) -> tuple[Ints, Ints]:
    """Place and window of each stored row in the matrices of the results."""
    position = {place: p for p, place in enumerate(results.places)}
    places = np.array([position.get(place, -1) for place in stored.places], dtype=np.int64)
    return (places[stored.place] if len(places) else stored.place), np.searchsorted(
        results.windows, stored.start, side="right"
    ) - 1


def values_in(r: Results, wanted: Bools) -> Values:
    """The wanted results as the ledger would give them."""
    p, w = np.nonzero(wanted)
    value, valid = r.value[p, w], np.floor(r.n_valid[p, w])
    n, partial = (r.details[name][p, w] if name in r.details else None for name in ("n", "partial"))
    return Values(
        r.places,
        np.asarray(p, dtype=np.int64),
        r.windows[w],
        value,
        np.isnan(r.coverage[p, w]),
        r.lower_bound[p, w],
        r.origin[p, w],
        r.grade[p, w],
        valid if n is None else np.where(np.isnan(n), valid, n),
        value if partial is None else np.where(np.isnan(partial), value, partial),
    )


def overlaid(found: ValueColumns, fresh: Sequence[IndicatorValue]) -> Values:
    """Columns of stored values with fresh ones in their stead, sorted by (place, start)."""
    if not fresh:
        return Values(*found)
    places = sorted({*found.places, *(v.place for v in fresh)})
    position = {place: p for p, place in enumerate(places)}
    moved = np.array([position[place] for place in found.places], dtype=np.int64)
    replaced = {(position[v.place], v.start) for v in fresh}
    place = moved[found.place] if len(moved) else found.place
    kept = np.array([key not in replaced for key in zip(place.tolist(), found.start.tolist(), strict=True)], np.bool_)
    rows = [
        (position[v.place], v.start, _figure(v), v.coverage is None, v.lower_bound, v.origin, v.grade,
         v.details.get("n", v.n_valid), v.details.get("partial", _figure(v)))
        for v in fresh
    ]  # fmt: skip
    columns = [
        np.concatenate([old[kept], np.array(new, dtype=old.dtype)])
        for old, new in zip([place, *found[2:]], zip(*rows, strict=True), strict=True)
    ]
    order = np.lexsort((columns[1], columns[0]))
    return Values(places, *(column[order] for column in columns))


def _figure(value: IndicatorValue) -> float:
    return float("nan") if value.value is None else value.value


def _below(place: str, tops: set[str]) -> bool:
    above = place.rpartition("/")[0]
    while above and above not in tops:
        above = above.rpartition("/")[0]
    return bool(above)
