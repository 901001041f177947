# SPDX-License-Identifier: EUPL-1.2
"""One wave: from dirty windows to the values to write, each indicator once and in the order of the graph.

First the definitions that take readings, span by span; then those that take indicators. A dependant is computed when
a value that goes into it changed, or when it was marked itself. Nothing is written here: the engine commits the whole
wave at once, so a crash leaves either all of it or nothing.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice
from typing import NamedTuple

import numpy as np

from hub.core.indicators import Correction, IndicatorValue
from hub.core.places import RegistrySnapshot
from hub.core.ports import ReadingStore, ValueLedger, ValueQuery
from hub.core.readings import Series
from hub.core.windows import HOUR, Calendar
from hub.indicators.aggregation import REACH, Ints
from hub.indicators.catalogue import Catalogue
from hub.indicators.combine import Results, values_of
from hub.indicators.corrections import corrected
from hub.indicators.definition import Definition
from hub.indicators.kernel import compute
from hub.indicators.plan import Key, Marks, Span, place_at, spans, windows_of
from hub.indicators.results import materialise
from hub.indicators.revision import decide

_CHUNK = 10_000  # values compared with the ledger at once
_LOOKBACK = max(REACH.values())


class World(NamedTuple):
    """What a wave sees: one registry, one set of corrections, one instant."""

    catalogue: Catalogue
    city: Calendar
    registry: RegistrySnapshot
    corrections: Sequence[Correction]
    now: int
    held: bool


class Written:
    """Values to write, found by indicator, place and start."""

    def __init__(self) -> None:
        self._values: dict[str, dict[str, dict[int, IndicatorValue]]] = {}

    def put(self, value: IndicatorValue) -> None:
        """Add or replace."""
        self._values.setdefault(value.indicator, {}).setdefault(value.place, {})[value.start] = value

    def places(self, indicator: str) -> Mapping[str, Mapping[int, IndicatorValue]]:
        """Values of one indicator by place and start."""
        return self._values.get(indicator, {})

    def __iter__(self) -> Iterator[IndicatorValue]:
        """All values in order of indicator, place and start."""
        for _, places in sorted(self._values.items()):
            for _, starts in sorted(places.items()):
                yield from (value for _, value in sorted(starts.items()))


class Wave:
    """Computes; `written` has what is to be committed, `windows` counts what was computed."""

    def __init__(self, world: World, store: ReadingStore, ledger: ValueLedger) -> None:
        self._world = world
        self._store = store
        self._ledger = ledger
        self._devices = list(world.registry.known.values())
        self.written = Written()
        self.windows = 0

    async def run(self, marks: Marks) -> None:
        """Compute everything marked and what depends on it."""
        catalogue = self._world.catalogue
        base = [key for key in marks.starts if not catalogue.get(key[0]).sources]
        for span in list(spans(marks, catalogue, self._world.city, base)):
            await self._base(span, marks, base)
        for d in catalogue:
            if d.sources:
                self._dependant(d, marks)

    def commits(self) -> list[tuple[IndicatorValue, int]]:
        """Values with the time at which each closes."""
        return [(value, self._closes_at(value)) for value in self.written]

    def _closes_at(self, value: IndicatorValue) -> int:
        return value.end + self._world.catalogue.get(value.indicator).grace_ns

    async def _base(self, span: Span, marks: Marks, keys: Iterable[Key]) -> None:
        w = self._world
        here = [d for d in self._devices if any(m.place in span.places for m in d.mountings)]
        wanted = [key for key in keys if key[1] in span.places]
        definitions = [d for d in w.catalogue if any(key[0] == d.id for key in wanted)]
        quantities = sorted({q for d in definitions for q in d.quantities})
        series = [Series(device.id, quantity) for device in here for quantity in quantities]
        found = await self._store.scan(series, span.start - _LOOKBACK, span.end + HOUR)
        columns = corrected(found, w.corrections)
        devices = {device.id: device for device in here}
        for d in definitions:
            places = sorted(place for id_, place in wanted if id_ == d.id)
            results = compute(w.catalogue, d, w.city, places, span.start, span.end, columns, devices)
            self._take(results, marks, {place: marks.of((d.id, place)) for place in places})

    def _dependant(self, d: Definition, marks: Marks) -> None:
        for source in sorted(d.sources):
            for below, values in sorted(self.written.places(source).items()):
                place = place_at(below, d.level, self._world.registry)
                if place is not None:
                    starts = windows_of(np.array(sorted(values)), d, self._world.city)
                    marks.add((d.id, place), starts, marks.cause((source, below)))
        keys = [key for key in marks.starts if key[0] == d.id]
        for span in list(spans(marks, self._world.catalogue, self._world.city, keys)):
            for place in sorted(span.places):
                self._from_values(d, place, span, marks)

    def _from_values(self, d: Definition, place: str, span: Span, marks: Marks) -> None:
        w = self._world
        values = {source: values_of(self._stored(source, d, place, span)) for source in sorted(d.sources)}
        results = compute(w.catalogue, d, w.city, [place], span.start, span.end, values=values)
        self._take(results, marks, {place: marks.of((d.id, place))})

    def _stored(self, source: str, d: Definition, place: str, span: Span) -> Sequence[IndicatorValue]:
        """Values of a source in the span: the ledger's, and over them those of this wave."""
        query = ValueQuery(source, place, span.start, span.end, below=d.spatial is not None)
        found = {(v.place, v.start): v for v in self._ledger.values(query)}
        for where, values in self.written.places(source).items():
            if _within(where, place, query.below):
                found.update({(where, start): value for start, value in values.items()})
        inside = {key: v for key, v in found.items() if span.start <= v.start < span.end}
        return [inside[key] for key in sorted(inside)]

    def _take(self, results: Results, marks: Marks, starts: Mapping[str, Ints]) -> None:
        wanted = np.zeros(results.value.shape, dtype=np.bool_)
        for p, place in enumerate(results.places):
            wanted[p] = np.isin(results.windows[:-1], starts[place])
        units = self._world.catalogue.input_units(results.definition)
        fresh = materialise(results, wanted, units)
        while chunk := list(islice(fresh, _CHUNK)):
            self.windows += len(chunk)
            self._decide(chunk, marks)

    def _decide(self, fresh: Sequence[IndicatorValue], marks: Marks) -> None:
        w = self._world
        stored = self._ledger.current([(v.indicator, v.place, v.start) for v in fresh])
        for value in fresh:
            key = (value.indicator, value.place, value.start)
            cause = marks.cause(key[:2])
            verdict = decide(value, stored.get(key), w.now, self._closes_at(value), w.held, cause)
            if verdict is not None:
                self.written.put(verdict)


def _within(place: str, top: str, below: bool) -> bool:
    return place == top or (below and place.startswith(top + "/"))
