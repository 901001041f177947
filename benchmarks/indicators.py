# SPDX-License-Identifier: EUPL-1.2
"""Indicators in bulk and live: 100 sites, a year of hourly NO2, O3, PM10 and PM2.5 in the SQLite store.

What is measured, each in a process of its own, so that its peak of memory is its own:

    fill        every value of the air indicators from nothing into an empty ledger
    recompute   the same once more: computed from the readings, compared with what is stored, nothing written
    late        one reading that was missing arrives, and one is corrected to a higher revision: all that depends on it
                right again (hour, day, year, part of the city, city)
    sql         the yardstick: one AVG per device, quantity and day over the same rows in the same file

The readings are invented (seeded), with 3 % missing. `python -m benchmarks.indicators` prints the figures and puts them
into `latest.json`.
"""

import argparse
import asyncio
import json
import resource
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec
import numpy as np

from hub.core.journal import HOUR_NS, Touch
from hub.core.places import Device, Mounting, Place, PlaceKind
from hub.core.ports import ValueQuery
from hub.core.quantities import Quantities
from hub.core.readings import Grade, Reading
from hub.core.windows import Calendar, parse_instant
from hub.indicators.catalogue import Catalogue, load_catalogue
from hub.indicators.engine import Engine
from hub.indicators.quality import load_rules
from hub.storage.flags_sqlite import SqliteFlagStore
from hub.storage.ledger import Ledger, sqlite_url
from hub.storage.readings_sqlite import SqliteReadingStore

QUANTITIES = ("no2", "o3", "pm10", "pm2_5")
_PARTS = 8
_HOURS = 8760
_START = parse_instant("2023-12-31T23:00:00Z")  # a local New Year in Prague
_NOW = _START + 400 * 24 * HOUR_NS
_PRAGUE = Calendar.of("Europe/Prague")
_ROW = "INSERT INTO readings VALUES (?, ?, ?, 1, 0, 0, 0)"
_SQL = "SELECT series, time / 86400000000000, AVG(value) FROM readings GROUP BY 1, 2"
_REPEATS = 5


class _Touched:
    """A journal of the touches that are put into it."""

    def __init__(self) -> None:
        self.log: list[Touch] = []

    def identity(self) -> int:
        return 1

    def newest(self) -> int:
        return len(self.log)

    def touches(self, after: int, limit: int) -> tuple[Sequence[Touch], int]:
        found = self.log[after : after + limit]
        return found, after + len(found)


class _Town:
    """The hub's own parts on the files of a folder."""

    def __init__(self, folder: Path, *, everything: bool = False) -> None:
        quantities = Quantities.load()
        self.store = SqliteReadingStore(folder / "readings.db", quantities)
        self.ledger = Ledger(sqlite_url(folder / "ledger.db"))
        self.catalogue = air(load_catalogue(quantities), everything=everything)
        self.journal = _Touched()
        self.flags = SqliteFlagStore(folder / "flags.db")
        self.engine = Engine(
            self.catalogue, _PRAGUE, self.store, self.ledger.values, self.ledger.devices,
            [self.journal], lambda: _NOW,  # type: ignore[list-item]  # the engine reads touches alone
            rules=load_rules(quantities), flags=self.flags,
        )  # fmt: skip


def air(catalogue: Catalogue, *, everything: bool) -> Catalogue:
    """The air indicators for the city; with `everything` also those that are there for tests."""
    wanted = [d for d in catalogue if d.domain == "air" and (everything or d.visibility == "city")]
    ids = {part.id for d in wanted for part in catalogue.closure(d.id)}
    kept = {i: d for i, d in catalogue.definitions.items() if i in ids}
    return msgspec.structs.replace(catalogue, definitions=kept)


def site(n: int) -> str:
    """Place of a site."""
    return f"city/part{n % _PARTS}/site{n:03d}"


def make(folder: Path, sites: int) -> int:
    """Places, devices and readings; returns how many readings."""
    with Ledger(sqlite_url(folder / "ledger.db")).upgrade() as ledger:
        ledger.devices.put_places(list(_places(sites)))
        for n in range(sites):
            where = (Mounting(site(n), _START),)
            name = f"station{n:03d}"
            ledger.devices.add_device(
                Device(id=name, connector="native", external_id=name, interval=3600, grade=Grade.REFERENCE,
                       mountings=where)
            )  # fmt: skip
    asyncio.run(_open(folder))
    with sqlite3.connect(folder / "readings.db") as db:
        rng, stored = np.random.default_rng(1), 0
        for n in range(sites):
            for quantity in QUANTITIES:
                stored += _series(db, rng, f"station{n:03d}", quantity)
    return stored


def _places(sites: int) -> Sequence[Place]:
    title = {"cs": "Město", "en": "City"}
    parts = [
        Place(id=f"city/part{p}", kind=PlaceKind.PART, title=title, population=5000 + 1000 * p) for p in range(_PARTS)
    ]
    return [
        Place(id="city", kind=PlaceKind.MUNICIPALITY, title=title),
        *parts,
        *(Place(id=site(n), kind=PlaceKind.SITE, title=title) for n in range(sites)),
    ]


async def _open(folder: Path) -> None:
    """Have the store make its file."""
    store = SqliteReadingStore(folder / "readings.db", Quantities.load())
    await store.put(())
    await store.close()


def _series(db: sqlite3.Connection, rng: np.random.Generator, device: str, quantity: str) -> int:
    id_ = db.execute("INSERT INTO series (device, quantity) VALUES (?, ?)", (device, quantity)).lastrowid
    hours = np.flatnonzero(rng.random(_HOURS) > 0.03)
    values = np.round(rng.gamma(2.0, 15.0, len(hours)), 1)
    times = _START + hours * HOUR_NS
    db.executemany(_ROW, ((id_, t, v) for t, v in zip(times.tolist(), values.tolist(), strict=True)))
    return len(hours)


# --- steps, each in its own process -------------------------------------------------------------------------------


async def _recompute(folder: Path, everything: bool) -> dict[str, Any]:
    town = _Town(folder, everything=everything)
    done = await town.engine.recompute(start=_START, end=_NOW)
    await town.store.close()
    await town.flags.close()
    town.ledger.close()
    return {"windows": done.windows, "written": done.written, "indicators": len(town.catalogue.definitions)}


async def _late(folder: Path, everything: bool) -> dict[str, Any]:
    """Milliseconds of work for a reading that was missing and for a corrected one, on another site each time."""
    town = _Town(folder, everything=everything)
    await town.engine.settle()
    found: dict[str, list[Mapping[str, float]]] = {"late": [], "corrected": []}
    for n in range(_REPEATS):
        hour = _START + (200 * 24 + 7 * n) * HOUR_NS
        new = Reading(f"station{n:03d}", "pm2_5", 401.0 + n, hour + HOUR_NS // 2)
        higher = Reading(f"station{n:03d}", "pm2_5", 441.0 + n, hour + HOUR_NS // 2, revision=1)
        for kind, reading in (("late", new), ("corrected", higher)):
            await town.store.put([reading])
            town.journal.log.append(Touch(reading.device, reading.quantity, hour))
            cpu, wall = time.process_time(), time.perf_counter()
            done = await town.engine.settle()
            spent = {"cpu_ms": (time.process_time() - cpu) * 1e3, "wall_ms": (time.perf_counter() - wall) * 1e3}
            _check(town, site(n), hour)
            found[kind].append({**spent, "windows": done.windows, "written": done.written})
    await town.store.close()
    await town.flags.close()
    return {kind: {name: round(max(run[name] for run in runs), 1) for name in runs[0]} for kind, runs in found.items()}


def _check(town: _Town, place: str, hour: int) -> None:
    """The hour's index must know the reading: no other comes near a mean of 140."""
    (value,) = town.ledger.values.values(ValueQuery("eaqi_2024", place, hour, hour + 1))
    if value.value != 6 or value.revision < 2:
        raise RuntimeError(f"{place}: {value}")


async def _sql(folder: Path, _everything: bool) -> dict[str, Any]:
    with sqlite3.connect(folder / "readings.db") as db:
        return {"rows": sum(1 for _ in db.execute(_SQL))}


_STEPS: Mapping[str, Callable[[Path, bool], Any]] = {
    "fill": _recompute,
    "recompute": _recompute,
    "sql": _sql,
    "late": _late,
}


def _step(name: str, folder: Path, everything: bool) -> None:
    wall, cpu = time.perf_counter(), time.process_time()
    result = asyncio.run(_STEPS[name](folder, everything))
    used = resource.getrusage(resource.RUSAGE_SELF)
    seconds, cpu_s = time.perf_counter() - wall, time.process_time() - cpu
    spent = {"seconds": seconds, "cpu_s": cpu_s, "peak_mb": used.ru_maxrss / 1024}
    print(json.dumps({**{k: round(v, 2) for k, v in spent.items()}, **result}))


def measure(sites: int = 100, *, everything: bool = False, folder: Path | None = None) -> dict[str, Any]:
    """All steps; with `folder` on files that are kept."""
    with tempfile.TemporaryDirectory() as temporary:
        where = folder or Path(temporary)
        readings = make(where, sites)
        found: dict[str, Any] = {"sites": sites, "readings": readings}
        for name in _STEPS:
            found[name] = _own_process(name, where, everything)
            print(f"indicators, {name}: {found[name]}", file=sys.stderr, flush=True)
    found["recompute_to_sql"] = round(found["recompute"]["seconds"] / found["sql"]["seconds"], 1)
    return found


def _own_process(name: str, folder: Path, everything: bool) -> dict[str, Any]:
    command = [sys.executable, "-m", "benchmarks.indicators", "--step", name, "--folder", str(folder)]
    done = subprocess.run([*command, *(["--everything"] if everything else [])], check=True, stdout=subprocess.PIPE)
    result: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return result


def main() -> None:
    """One step (for itself), or everything into latest.json."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.indicators", description="Measure the engine.")
    parser.add_argument("--step", choices=list(_STEPS))
    parser.add_argument("--folder", type=Path, help="keep the files here")
    parser.add_argument("--sites", type=int, default=100)
    parser.add_argument("--everything", action="store_true", help="also indicators that are there for tests")
    parser.add_argument("--output", type=Path, default=Path(__file__).with_name("latest.json"))
    options = parser.parse_args()
    if options.step:
        _step(options.step, options.folder, options.everything)
        return
    found = measure(options.sites, everything=options.everything, folder=options.folder)
    document = json.loads(options.output.read_text()) if options.output.exists() else {}
    document["indicators"] = found
    options.output.write_bytes(msgspec.json.format(msgspec.json.encode(document), indent=2) + b"\n")


if __name__ == "__main__":
    main()
