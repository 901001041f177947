# SPDX-License-Identifier: EUPL-1.2
"""Readings in InfluxDB 1.x, 2.x and later: one measurement per domain, one point per device and instant.

Mechanism of `put`: batches are decided one at a time, in the order of the calls. Rows that are plainly new (newer than
the newest instant of their device and domain) become lines at once (`_influx_lane`) and need no look-up; such writes
may be under way side by side, since their keys cannot meet. All others wait until no write is under way, and go the
slow way: group the rows into points; ask for the newest instant of devices met for the first time; look up, in one
request, the points that may be stored already (a quantity that joins a stored point must know the others' flags for
`qc`); decide; write what changes, in one request where the server takes it. Newest instants are raised before the
write, so a write whose answer got lost is looked up when it is put again; `_influx_doubts` sees to it that its rows are
told the same outcomes as if the answer had come.

Newest instants are this process's own knowledge, so the key rule holds where one process writes a device. A store that
is not `alone` takes nothing for new: it looks up every point before it writes. That finds what others wrote before, not
what they write at the same moment, nor does it keep another store, which takes itself to be alone, from overwriting.

Reads are InfluxQL; see `_influx_lines` for the fields, and `_influx_retention` for where the lines of a domain go that
is not kept for ever.
"""

import asyncio
from collections import Counter, defaultdict
from collections.abc import AsyncIterator, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from time import time_ns
from typing import Any

import numpy as np

from hub.core.errors import HubError, Invalid, Reject, Retry
from hub.core.places import check_device_id
from hub.core.ports import PartHealth
from hub.core.quantities import Quantities
from hub.core.readings import Columns, PutResult, Reading, ReadingBatch, Series
from hub.storage import _influx_query as ql
from hub.storage._influx_doubts import Doubts
from hub.storage._influx_errors import Refused
from hub.storage._influx_http import Frame, Influx
from hub.storage._influx_lane import Homes, Lane, fast_lane
from hub.storage._influx_lines import QC, fields_by_domain, head, readings_at
from hub.storage._influx_points import (
    Attempt,
    Home,
    Patch,
    Point,
    Verdicts,
    accept,
    by_policy,
    decide_point,
    divide,
    grouped,
    refuse,
)
from hub.storage._influx_retention import Clock, Policies
from hub.storage._influx_rows import rows_of, sparse_columns
from hub.storage._influx_settings import InfluxSettings
from hub.storage._reading_columns import Rows, columns
from hub.storage._reading_key import FIRST_NS, LAST_NS, fault

_PART = "readings (InfluxDB)"
_LINES_A_REQUEST = 10_000
_MOST_IN_DOUBT = 200_000


class InfluxReadingStore:
    """A `ReadingStore` in InfluxDB; connects at its first use. `keep`: ns by domain; only a `writer` sees to it.

    `alone`: no other process writes readings of the devices that are put here.
    """

    def __init__(
        self,
        settings: InfluxSettings,
        quantities: Quantities,
        *,
        keep: Mapping[str, int] | None = None,
        writer: bool = True,
        alone: bool = True,
        clock: Clock = time_ns,
    ) -> None:
        self._settings = settings
        self._influx = Influx(settings)
        self._domains = fields_by_domain(quantities)
        self._policies = Policies(
            self._influx, settings.retention_policy, self._domains, keep or {}, writer=writer, clock=clock
        )
        self._quantities = quantities
        self._by_domain: dict[tuple[str, str], Home] = {}
        self._homes = Homes(self._domain_of, self._home_in)
        self._alone = alone
        self._doubts = Doubts(self._home, _MOST_IN_DOUBT)
        self._turn = asyncio.Lock()  # of deciding what a batch writes
        self._writing = 0  # fast writes under way
        self._quiet = asyncio.Event()  # there are none
        self._quiet.set()

    async def put(self, rows: Sequence[Reading]) -> PutResult:
        """Store what is new under the key rule of `hub.storage._reading_key`; durable when the server has answered."""
        batch, verdicts = ReadingBatch.of(rows), Verdicts(len(rows))
        async with self._turn:
            await self._policies.ready()
            lane = fast_lane(batch, self._homes) if self._alone else None
            if lane is not None and lane.unmet:
                await self._ask_newest(lane.unmet)
                lane = fast_lane(batch, self._homes)
            if lane is None or lane.slow:
                await self._quiet.wait()
                await self._put_alone(batch, lane, verdicts)
                lane = None
            else:
                self._writing += 1
                self._quiet.clear()
                for home, newest in lane.newest.items():
                    home.last = newest
        if lane is not None:
            try:
                await self._put_fast(batch, lane, verdicts)
            finally:
                self._writing -= 1
                if not self._writing:
                    self._quiet.set()
        return PutResult(verdicts.outcomes, verdicts.errors)

    async def _put_alone(self, batch: ReadingBatch, lane: Lane | None, verdicts: Verdicts) -> None:
        """Put a batch of which some rows need a look-up, while nothing else is being written."""
        if lane is None:
            with self._doubting(batch, verdicts):
                await self._put_slow(batch, range(len(batch)), verdicts)
            return
        for home, newest in lane.newest.items():
            home.last = newest
        await self._put_fast(batch, lane, verdicts)
        with self._doubting(batch, verdicts):
            await self._put_slow(batch, lane.slow, verdicts)

    async def _put_fast(self, rows: ReadingBatch, lane: Lane, verdicts: Verdicts) -> None:
        """Write lines of rows that are all new; after a refusal they go the slow way, which knows how to divide."""
        with self._doubting(rows, verdicts):
            slow = set(lane.slow)
            verdicts.attempts.append(Attempt(i for i in range(len(rows)) if i not in slow))
            try:
                for some in ql.batches(lane.lines, _LINES_A_REQUEST):
                    await self._influx.write(b"\n".join(some))
            except Refused as refused:
                points = self._group(rows, (i for i in range(len(rows)) if i not in slow), verdicts)
                patches = [patch for point in points if (patch := decide_point(point, rows, verdicts))]
                await self._write_divided(patches, refused.detail, verdicts)

    @contextmanager
    def _doubting(self, rows: Sequence[Reading], verdicts: Verdicts) -> Iterator[None]:
        try:
            yield
        except BaseException:
            self._doubts.remember(rows, verdicts)
            raise

    async def _put_slow(self, rows: Sequence[Reading], indices: Sequence[int], verdicts: Verdicts) -> None:
        """Look up, decide, write: right for any rows."""
        if not indices:
            return
        points = self._group(rows, indices, verdicts)
        late = points
        if self._alone:
            await self._ask_newest({point.home for point in points if point.home.last is None})
            late = [point for point in points if point.time <= _last(point.home)]
        await self._look_up(late)
        self._doubts.settle(late, rows, verdicts)
        patches = [patch for point in points if (patch := decide_point(point, rows, verdicts))]
        for point in points:
            point.home.last = max(_last(point.home), point.time)
        verdicts.attempts.append(Attempt(indices, patches))
        for some in ql.batches(patches, _LINES_A_REQUEST):
            await self._write(some, verdicts)

    async def scan(self, series: Sequence[Series], start: int, end: int) -> Columns:
        """All readings of the series with start <= time < end (ns)."""
        await self._policies.ready()
        between = max(start, FIRST_NS), min(end - 1, LAST_NS)
        parts: dict[Series, list[Rows]] = defaultdict(list)
        for statement, quantities in self._scans(series, between):
            async for frame in self._influx.query(statement):
                for quantity in quantities:
                    parts[Series(frame.tags["device"], quantity)].append(rows_of(frame, quantity))
        return columns(series, {s: np.concatenate(chunks) for s, chunks in parts.items()})

    async def latest(self, series: Sequence[Series]) -> Mapping[Series, Reading]:
        """The newest reading of each series that has one."""
        await self._policies.ready()
        newest: dict[Series, Reading] = {}
        for (domain, quantity), devices in self._devices_of(series).items():
            wanted = [f"last({ql.identifier(quantity)})", *sparse_columns(quantity)]
            for some in ql.batches(devices, ql.DEVICES_A_STATEMENT):
                async for device, time, fields in self._points(ql.select(wanted, self._policies.source(domain), some)):
                    for reading in readings_at(device, time, fields, {"last": quantity}).values():
                        newest[reading.series] = reading
        return newest

    async def series(self, devices: Sequence[str] | None = None) -> Sequence[Series]:
        """All series that hold readings, of the devices named or of all."""
        await self._policies.ready()
        wanted = None if devices is None else set(devices)
        found = set()
        keys = ["SHOW FIELD KEYS", *(f"SHOW FIELD KEYS FROM {ql.source(*own)}" for own in self._policies.own.items())]
        known = {f async for frame in self._influx.query(";".join(keys)) for f in self._value_fields(frame)}
        fields = sorted(known)
        for some in ql.batches(fields, ql.STATEMENTS_A_REQUEST):
            asked = [
                f"SELECT last({ql.identifier(quantity)}) AS {ql.identifier(quantity)} FROM "  # noqa: S608 -- quoted
                f'{self._policies.source(domain)} GROUP BY "device"'
                for domain, quantity in some
            ]
            async for frame in self._influx.query(";".join(asked)):
                found.add(Series(frame.tags["device"], frame.columns[1]))
        return sorted(s for s in found if s.device and (wanted is None or s.device in wanted))

    async def counts(self, devices: Sequence[str] | None = None) -> Mapping[str, int]:
        """How many readings the database holds of each device that has any, of the devices named or of all.

        Counted are value fields alone, some devices a request, so that no answer takes longer than the timeout.
        """
        found: Counter[str] = Counter()
        for domain, wanted, group in self._alike(await self.series(devices)):
            fields = [f"count({ql.identifier(quantity)})" for quantity in wanted]
            async for frame in self._influx.query(ql.select(fields, self._policies.source(domain), group)):
                found[frame.tags["device"]] += sum(int(n or 0) for row in frame.values for n in row[1:])
        return dict(found)

    async def check(self) -> PartHealth:
        """Ask for the version, then for something that needs database and credentials."""
        try:
            version = await self._influx.version()
            await self._policies.ready()
            missing = await self._influx.missing()
            if missing:
                return PartHealth(
                    _PART, False, missing, "Restore it from a backup; `cityhub reconcile` says what lacks."
                )
            async for _ in self._influx.query("SHOW MEASUREMENTS LIMIT 1"):
                pass
        except Retry as error:
            return PartHealth(_PART, False, str(error), "Start InfluxDB, or correct influx.url.")
        except HubError as error:
            return PartHealth(_PART, False, str(error), "Correct the setting named.")
        return PartHealth(_PART, True, f"InfluxDB {version} at {self._settings.url}")

    async def forget(self, now: int) -> bool:  # noqa: ARG002 the server has its own clock
        """Nothing is left to do: the server empties the policies."""
        await self._policies.ready()
        return False

    async def dropped(self) -> Mapping[str, int]:
        """Nothing is known: the server does not count what it deletes."""
        return {}

    async def close(self) -> None:
        """Release connections."""
        await self._influx.close()

    def _group(self, rows: Sequence[Reading], indices: Iterable[int], verdicts: Verdicts) -> Sequence[Point]:
        """Those of the rows `indices` that can be stored, as points in order of their first row."""
        points: dict[tuple[Home, int], Point] = {}
        for i in indices:
            row = rows[i]
            try:
                home = self._home(row)
            except (Reject, Invalid) as error:
                verdicts.reject(i, error.detail)
                continue
            words = fault(row)
            if words is not None:
                verdicts.reject(i, words)
                continue
            key = (home, row.time)
            point = points.get(key)
            if point is None:
                point = points[key] = Point(home, row.time)
            of_quantity = point.rows.get(row.quantity)
            if of_quantity is None:
                point.rows[row.quantity] = [i]
            else:
                of_quantity.append(i)
        return list(points.values())

    def _home(self, row: Reading) -> Home:
        return self._homes.of(row.device, row.quantity)

    def _home_in(self, device: str, domain: str) -> Home:
        home = self._by_domain.get((device, domain))
        if home is None:
            home = Home(check_device_id(device), domain, head(domain, {"device": device}))
            self._by_domain[device, domain] = home
        return home

    def _domain_of(self, quantity: str) -> str:
        return str(self._quantities.get(quantity).domain)

    async def _ask_newest(self, homes: Iterable[Home]) -> None:
        """Fill `last` of homes met for the first time."""
        for domain, group in grouped(homes).items():
            for some in ql.batches(group, ql.DEVICES_A_STATEMENT):
                asked = ql.select([f'last("{QC}")'], self._policies.source(domain), [home.device for home in some])
                newest = {device: time async for device, time, _ in self._points(asked)}
                for home in some:
                    home.last = newest.get(home.device, FIRST_NS - 1)

    async def _look_up(self, late: Sequence[Point]) -> None:
        """Fill `held` of points that may be stored."""
        wanted: dict[str, dict[tuple[str, int], Point]] = defaultdict(dict)
        times: dict[Home, list[int]] = defaultdict(list)
        for one in late:
            wanted[one.home.domain][one.home.device, one.time] = one
            times[one.home].append(one.time)
        ranges: dict[str, list[tuple[str, tuple[int, int]]]] = defaultdict(list)
        for home, at in times.items():
            ranges[home.domain] += [(home.device, between) for between in ql.ranges(at)]
        for domain, source, outside in [(d, *s) for d in wanted for s in self._policies.sources(d)]:
            asked = [ql.select([], source, [device], between) for device, between in ranges[domain]]
            for some in ql.batches(asked, ql.STATEMENTS_A_REQUEST):
                async for device, time, fields in self._points(";".join(some)):
                    if (point := wanted[domain].get((device, time))) is not None:
                        point.held |= readings_at(device, time, fields, self._domains[domain])
                        point.outside = outside

    async def _points(self, statement: str) -> AsyncIterator[tuple[str, int, Mapping[str, Any]]]:
        """(device, time, fields by name) of all rows of an answer grouped by device."""
        async for frame in self._influx.query(statement):
            device = frame.tags["device"]
            for row in frame.values:
                yield device, int(row[0] or 0), dict(zip(frame.columns, row, strict=True))

    async def _write(self, patches: Sequence[Patch], verdicts: Verdicts) -> None:
        """Write; after a refusal divide until exactly the guilty rows are set aside."""
        try:
            for policy, some in by_policy(patches).items():
                await self._influx.write("\n".join([patch.line() for patch in some]).encode(), policy)
        except Refused as refused:
            await self._write_divided(patches, refused.detail, verdicts)
        else:
            for patch in patches:
                accept(patch)

    async def _write_divided(self, patches: Sequence[Patch], words: str, verdicts: Verdicts) -> None:
        parts = divide(patches, words)
        for part in parts:
            await self._write(part, verdicts)
        if not parts:
            for patch in patches:
                refuse(patch, words, verdicts)

    def _devices_of(self, series: Iterable[Series]) -> Mapping[tuple[str, str], Sequence[str]]:
        """Devices by (domain, quantity); a quantity that nobody knows has no readings."""
        found: dict[tuple[str, str], list[str]] = defaultdict(list)
        for s in sorted(set(series)):
            if s.quantity in self._quantities:
                found[str(self._quantities.get(s.quantity).domain), s.quantity].append(s.device)
        return found

    def _scans(self, series: Sequence[Series], between: tuple[int, int]) -> Iterable[tuple[str, Sequence[str]]]:
        """Statements, each with the quantities that it reads."""
        for domain, wanted, devices in self._alike(series):
            fields = [c for q in wanted for c in (ql.identifier(q), *sparse_columns(q))]
            yield ql.select(fields, self._policies.source(domain), devices, between), wanted

    def _alike(self, series: Sequence[Series]) -> Iterable[tuple[str, Sequence[str], Sequence[str]]]:
        """(domain, quantities, devices) to ask for together: devices that ask for the same ones share a statement."""
        asked: dict[tuple[str, str], list[str]] = defaultdict(list)
        for (domain, quantity), devices in self._devices_of(series).items():
            for device in devices:
                asked[domain, device].append(quantity)
        alike: dict[tuple[str, tuple[str, ...]], list[str]] = defaultdict(list)
        for (domain, device), quantities in asked.items():
            alike[domain, tuple(quantities)].append(device)
        for (domain, wanted), devices in alike.items():
            for some in ql.batches(devices, ql.DEVICES_A_STATEMENT):
                yield domain, wanted, some

    def _value_fields(self, frame: Frame) -> Sequence[tuple[str, str]]:
        known = self._domains.get(frame.name, {})
        return [(frame.name, str(row[0])) for row in frame.values if row[0] in known]


def _last(home: Home) -> int:
    return FIRST_NS - 1 if home.last is None else home.last
