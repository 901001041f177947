# SPDX-License-Identifier: EUPL-1.2
"""Ports in memory, small enough to be right by reading them."""

from collections.abc import Collection, Mapping, Sequence

import numpy as np
from msgspec.structs import replace

from hub.core.errors import Retry
from hub.core.indicators import Correction, Digests, IndicatorValue, ValueColumns
from hub.core.journal import HOUR_NS, Touch
from hub.core.places import Device, Mounting, Place, PlaceKind, RegistrySnapshot
from hub.core.ports import PartHealth, ValueQuery, VersionSeen
from hub.core.readings import Columns, Grade, Origin, Outcome, PutResult, Reading, Series
from hub.indicators.catalogue import Catalogue
from hub.indicators.inputs import values_of

AIR = ("eaqi_2024", "eaqi_2024_district", "pm10_day_mean", "pm2_5_day_mean", "pm10_days_over_50")
SITE = "havirov/mesto/thara"
PART = "havirov/mesto"


def few(catalogue: Catalogue, *indicators: str) -> Catalogue:
    """A catalogue of these and what they are made of: tests of the engine shall not grow with the packaged one."""
    return catalogue.only(indicators)


def device(id_: str, site: str = SITE, interval: int | None = 3600, **more: object) -> Device:
    mountings = more.pop("mountings", (Mounting(site, 0),))
    return Device(id=id_, connector="native", external_id=id_, interval=interval, grade=Grade.REFERENCE,
                  mountings=mountings, **more)  # type: ignore[arg-type] # fmt: skip # keyword arguments of one struct


class FakeRegistry:
    def __init__(self, *devices: Device) -> None:
        self.devices = {d.id: d for d in devices}
        self.former: dict[str, Device] = {}
        self.number = 1
        ids = {m.place for d in devices for m in d.mountings}
        ids |= {"/".join(i.split("/")[:n]) for i in ids for n in (1, 2)}
        kinds = [PlaceKind.MUNICIPALITY, PlaceKind.PART, PlaceKind.SITE]
        self.places = {i: Place(id=i, kind=kinds[i.count("/")], title={"cs": i, "en": i}) for i in ids}

    def change(self, *devices: Device) -> None:
        self.devices = {**self.devices, **{d.id: d for d in devices}}
        self.number += 1

    def remove(self, id_: str, at: int) -> None:
        """End the open mounting, as the ledger does."""
        gone = self.devices.pop(id_)
        stood = tuple(Mounting(m.place, m.start, at if m.end is None else m.end) for m in gone.mountings)
        self.former[id_] = replace(gone, mountings=stood)
        self.number += 1

    def version(self) -> int:
        return self.number

    def snapshot(self) -> RegistrySnapshot:
        return RegistrySnapshot(self.number, dict(self.devices), dict(self.places), dict(self.former))


class FakeStore:
    """Readings under the key rule; `away` makes the next scans fail."""

    def __init__(self) -> None:
        self.rows: dict[tuple[str, str, int], Reading] = {}
        self.away = 0
        self.longest = 0  # stretch (ns) that a scan asked for

    async def put(self, rows: Sequence[Reading]) -> PutResult:
        outcomes = []
        for r in rows:
            key = (r.device, r.quantity, r.time)
            known = self.rows.get(key)
            new = known is None or r.revision > known.revision
            outcomes.append(Outcome.STORED if new else Outcome.DUPLICATE)
            self.rows[key] = r if new else known  # type: ignore[assignment] # known is there when not new
        return PutResult(outcomes)

    async def scan(self, series: Sequence[Series], start: int, end: int) -> Columns:
        self.longest = max(self.longest, end - start)
        if self.away:
            self.away -= 1
            raise Retry("the store is away")
        wanted = sorted(set(series))
        index = {s: i for i, s in enumerate(wanted)}
        rows = sorted(
            (r.time, r.device, r.quantity, r) for r in self.rows.values() if r.series in index and start <= r.time < end
        )
        found = [row[3] for row in rows]
        return Columns(
            wanted,
            np.array([index[r.series] for r in found], dtype=np.int32),
            np.array([r.time for r in found], dtype=np.int64),
            np.array([r.value for r in found], dtype=np.float64),
            np.array([r.flag for r in found], dtype=np.uint8),
            np.array([r.origin for r in found], dtype=np.uint8),
        )

    async def latest(self, series: Sequence[Series]) -> Mapping[Series, Reading]:
        found: dict[Series, Reading] = {}
        for r in self.rows.values():
            if r.series in series and (r.series not in found or r.time > found[r.series].time):
                found[r.series] = r
        return found

    async def series(self, devices: Sequence[str] | None = None) -> Sequence[Series]:
        return sorted({r.series for r in self.rows.values() if devices is None or r.device in devices})

    async def check(self) -> PartHealth:
        return PartHealth("readings", True, "in memory")

    async def close(self) -> None:
        pass


class FakeJournal:
    """One file of touches; another `number` is another file."""

    def __init__(self, number: int = 7) -> None:
        self.number = number
        self.log: list[Touch] = []

    def identity(self) -> int:
        return self.number

    def newest(self) -> int:
        return len(self.log)

    def touches(self, after: int, limit: int) -> tuple[Sequence[Touch], int]:
        found = self.log[after : after + limit]
        return found, after + len(found)

    def commit(self, rows: Sequence[Reading]) -> None:
        self.log += [Touch(r.device, r.quantity, r.time // HOUR_NS * HOUR_NS) for r in rows]


class FakeLedger:
    """Newest revisions by key, older ones aside; a commit is all or nothing."""

    def __init__(self) -> None:
        self.rows: dict[tuple[str, str, int], IndicatorValue] = {}
        self.old: dict[tuple[str, str, int], list[IndicatorValue]] = {}
        self.closes: dict[tuple[str, str, int], int] = {}
        self.cursors: dict[str, int] = {}
        self.fixes: list[Correction] = []
        self.imports: list[str] = []
        self.seq = 0
        self.crash = 0  # this many commits fail

    def current(self, keys: Sequence[tuple[str, str, int]]) -> Mapping[tuple[str, str, int], IndicatorValue]:
        return {key: self.rows[key] for key in keys if key in self.rows}

    def values(self, query: ValueQuery) -> Sequence[IndicatorValue]:
        q = query
        found = [
            v
            for v in self.rows.values()
            if q.indicator in (None, v.indicator)
            and (q.place in (None, v.place) or (q.below and v.place.startswith(f"{q.place}/")))
            and (q.start is None or v.start >= q.start)
            and (q.end is None or v.start < q.end)
            and (q.after_seq is None or v.seq > q.after_seq)
        ]
        found.sort(key=lambda v: v.seq if q.after_seq is not None else (v.start, v.indicator, v.place))
        if q.latest:
            found = list({(v.indicator, v.place): v for v in found}.values())
        return found[: q.limit]

    def _of(
        self, indicator: str, places: Sequence[str] | None, start: int, end: int, below: bool
    ) -> list[IndicatorValue]:
        query = ValueQuery(indicator, None, start, end)
        found = [
            v for v in self.values(query)
            if places is None or any(v.place == p or (below and v.place.startswith(f"{p}/")) for p in places)
        ]  # fmt: skip
        return sorted(found, key=lambda v: (v.place, v.start))

    def columns(
        self, indicator: str, places: Sequence[str] | None, start: int, end: int, below: bool = False
    ) -> ValueColumns:
        return ValueColumns(*values_of(self._of(indicator, places, start, end, below)))

    def digests(
        self, indicator: str, places: Sequence[str] | None, start: int, end: int, but: Collection[str] = ()
    ) -> Digests:
        found = [v for v in self._of(indicator, places, start, end, below=False) if v.place not in but]
        names = sorted({v.place for v in found})
        return Digests(
            names,
            np.array([names.index(v.place) for v in found], dtype=np.int64),
            np.array([v.start for v in found], dtype=np.int64),
            np.array([v.digest or 0 for v in found], dtype=np.int64),
            np.array([v.digest is not None for v in found], dtype=np.bool_),
            np.array([v.closed for v in found], dtype=np.bool_),
        )

    def first(self) -> int | None:
        return min((start for _, _, start in self.rows), default=None)

    def due(self, now: int, limit: int) -> Sequence[IndicatorValue]:
        waiting = [(self.closes[key], key) for key, v in self.rows.items() if not v.closed and self.closes[key] <= now]
        return [self.rows[key] for _, key in sorted(waiting)[:limit]]

    def revisions(self, indicator: str, place: str, start: int) -> Sequence[IndicatorValue]:
        key = (indicator, place, start)
        return [*self.old.get(key, ()), self.rows[key]]

    def commit(
        self,
        values: Sequence[tuple[IndicatorValue, int]],
        cursors: Mapping[str, int],
        dropped: Sequence[tuple[str, str, int]] = (),
    ) -> Sequence[IndicatorValue]:
        if self.crash:
            self.crash -= 1
            raise Retry("the ledger is away")
        stored = []
        for value, closes_at in values:
            key = (value.indicator, value.place, value.start)
            before = self.rows.get(key)
            if before is not None and value.revision > 0:
                assert value.revision == before.revision + 1, "a revision was skipped or overwritten"
                self.old.setdefault(key, []).append(before)
            self.seq += 1
            numbered = IndicatorValue(**{f: getattr(value, f) for f in value.__struct_fields__} | {"seq": self.seq})
            self.rows[key], self.closes[key] = numbered, closes_at
            stored.append(numbered)
        for key in dropped:
            self.rows.pop(key, None)
        self.cursors |= cursors
        return stored

    def cursor(self, name: str) -> int:
        return self.cursors.get(name, 0)

    def corrections(self, after: int = 0) -> Sequence[Correction]:
        return [c for c in self.fixes if c.id > after]

    def newest(self) -> int:
        return self.seq

    def versions(self, indicator: str) -> Sequence[VersionSeen]:
        return []

    def holds(self, now: int) -> Sequence[str]:
        return list(self.imports)


def reading(device_: str, quantity: str, time: int, value: float, **more: object) -> Reading:
    return Reading(device_, quantity, value, time, **more)  # type: ignore[arg-type] # keyword arguments of one struct


SIMULATED = Origin.SIMULATED
