# SPDX-License-Identifier: EUPL-1.2
"""Work that no touch asks for: what a correction, a change of the registry, a new definition or a person makes dirty.

A job covers a stretch of time and is done in pieces of one year, each of them an ordinary wave: the hours that have
readings stand in for touches, and the rows that exist are marked too, so that a row whose readings went elsewhere is
seen again. The cursor that remembers the cause moves with the last piece; after a crash the job begins anew, which
changes nothing.

A device that is removed only ends its mountings: it is looked at from that moment on, and what it measured before
stays what it was.
"""

from collections.abc import Iterator, Sequence
from itertools import zip_longest
from typing import NamedTuple

import numpy as np

from hub.core.journal import HOUR_NS, Touch
from hub.core.places import Device, Mounting, RegistrySnapshot
from hub.core.ports import ReadingStore, ValueLedger, ValueQuery
from hub.core.readings import NS, Columns, Series
from hub.core.windows import HOUR, Calendar, Period
from hub.indicators.aggregation import REACH
from hub.indicators.catalogue import Catalogue
from hub.indicators.definition import Definition
from hub.indicators.plan import Marks, marks_of, place_at

FIRST = 946_684_800 * NS  # 2000-01-01: no reading is accepted from before
_AHEAD = 24 * HOUR
_LOOKBACK = max(REACH.values())


class Job(NamedTuple):
    """None means any. `devices` limits the readings that stand in for touches; `rows`: rows are seen again too."""

    cause: str
    start: int = FIRST
    end: int | None = None
    indicators: frozenset[str] | None = None
    places: frozenset[str] | None = None
    devices: frozenset[str] | None = None
    rows: bool = True
    cursor: tuple[str, int] | None = None

    def pieces(self, city: Calendar, now: int) -> Sequence["Job"]:
        """The same job year by year; only the last one moves the cursor."""
        end = min(now + _AHEAD, self.end if self.end is not None else now + _AHEAD)
        start = max(self.start, FIRST)
        parts = [
            self._replace(start=max(a, start), end=min(b, end), cursor=None)
            for a, b in city.windows(start, end, Period.YEAR)
        ] or [self._replace(start=end, end=end)]
        return [*parts[:-1], parts[-1]._replace(cursor=self.cursor)]

    @property
    def empty(self) -> bool:
        """Whether there is nothing to look at: such a job only moves its cursor, in its turn."""
        return self.end is not None and self.start >= self.end


def only_cursor(name: str, position: int) -> Job:
    """An empty job that moves a cursor once all jobs before it are done."""
    return Job(name, FIRST, FIRST, cursor=(name, position))


async def marks_of_job(
    job: Job, registry: RegistrySnapshot, catalogue: Catalogue, city: Calendar, store: ReadingStore, ledger: ValueLedger
) -> tuple[Marks, Marks]:
    """What one piece of a job makes dirty: windows that have readings, and windows that have rows."""
    end = job.start if job.end is None else job.end
    touched, rows = Marks(), Marks()
    if job.start >= end:
        return touched, rows
    touches = await _touches(job, end, registry, catalogue, store)
    found = marks_of(touches, registry, catalogue, city, job.cause)
    for key in found.starts:
        if _asked(job, *key):
            touched.add(key, found.of(key), job.cause)
    if job.rows:
        for key, starts in _rows(job, end, registry, catalogue, city, ledger):
            rows.add(key, np.array(sorted(starts)), job.cause)
    return touched, rows


async def _touches(
    job: Job, end: int, registry: RegistrySnapshot, catalogue: Catalogue, store: ReadingStore
) -> Sequence[Touch]:
    devices = [d.id for d in registry.known.values() if d.mountings and (job.devices is None or d.id in job.devices)]
    series = [Series(device, quantity) for device in sorted(devices) for quantity in catalogue.kinds]
    first, last = job.start // HOUR_NS * HOUR_NS, -(-end // HOUR_NS) * HOUR_NS
    return hours_of(await store.scan(series, first, last)) if series else ()


def hours_of(columns: Columns) -> Sequence[Touch]:
    """Hours that hold readings, as touches."""
    hours = columns.time // HOUR_NS
    pairs = np.unique(np.stack([columns.index.astype(np.int64), hours]), axis=1)
    return [
        Touch(columns.series[s].device, columns.series[s].quantity, hour * HOUR_NS)
        for s, hour in zip(*pairs.tolist(), strict=True)
    ]


def _rows(
    job: Job, end: int, registry: RegistrySnapshot, catalogue: Catalogue, city: Calendar, ledger: ValueLedger
) -> Iterator[tuple[tuple[str, str], set[int]]]:
    """Windows of rows that exist, and those that rows of their inputs ask for (a definition that is new)."""
    for d in catalogue:
        if job.indicators is not None and d.id not in job.indicators:
            continue
        found: dict[str, set[int]] = {}
        for own, start in _stored(job, end, d, city, ledger):
            found.setdefault(own, set()).add(start)
        for source in sorted(d.sources):
            for below, start in _stored(job, end, catalogue.get(source), city, ledger):
                place = place_at(below, d.level, registry)
                if place is not None and _asked(job, d.id, place):
                    found.setdefault(place, set()).add(d.on(city).window(start, d.window)[0])
        yield from (((d.id, where), starts) for where, starts in sorted(found.items()))


def _stored(job: Job, end: int, d: Definition, city: Calendar, ledger: ValueLedger) -> Iterator[tuple[str, int]]:
    first = d.on(city).window(job.start, d.window)[0]  # the window that the stretch begins in began earlier
    for place in (None,) if job.places is None else sorted(job.places):
        for value in ledger.values(ValueQuery(d.id, place, first, end, below=place is not None)):
            yield value.place, value.start


def _asked(job: Job, indicator: str, place: str) -> bool:
    if job.indicators is not None and indicator not in job.indicators:
        return False
    return job.places is None or any(place == p or place.startswith(p + "/") for p in job.places)


def changes(before: RegistrySnapshot, after: RegistrySnapshot) -> Sequence[Job]:
    """Jobs for devices whose mounting, interval, grade or origin changed."""
    jobs = []
    olds, news = before.known, after.known
    for device in sorted(set(olds) | set(news)):
        old, new = olds.get(device), news.get(device)
        if (start := _parted(old, new)) is not None:
            places = {m.place for d in (old, new) if d for m in d.mountings}
            jobs.append(Job("registry", start=start - _LOOKBACK, places=frozenset(places), devices=frozenset({device})))
    return jobs


def _parted(old: Device | None, new: Device | None) -> int | None:
    """The instant from which the two count differently, None where they do not."""
    before, after = _stood(old), _stood(new)
    if _facts(old) != _facts(new) and before and after:
        return min(before[0].start, after[0].start)
    pairs = zip_longest(before, after)
    return next((_parting(one, two) for one, two in pairs if one != two), None)


def _stood(device: Device | None) -> Sequence[Mounting]:
    return sorted(device.mountings, key=lambda m: m.start) if device else ()


def _parting(one: Mounting | None, two: Mounting | None) -> int:
    if one is not None and two is not None and (one.place, one.start) == (two.place, two.start):
        return min(m.end for m in (one, two) if m.end is not None)
    return min(m.start for m in (one, two) if m is not None)


def _facts(device: Device | None) -> tuple[object, ...] | None:
    return None if device is None else (device.interval, device.grade, device.origin)
