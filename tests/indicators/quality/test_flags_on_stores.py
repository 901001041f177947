# SPDX-License-Identifier: EUPL-1.2
"""Quality control on the real stores: car parks that report more free spaces than they have."""

import csv
from pathlib import Path

from hub.core.ports import ValueQuery
from hub.core.quantities import Quantities
from hub.core.readings import Reading, Series
from hub.core.windows import Calendar, parse_instant
from hub.indicators.catalogue import load_catalogue
from hub.indicators.engine import Engine
from hub.indicators.quality import load_rules
from hub.storage.flags_sqlite import SqliteFlagStore
from hub.storage.ledger import Ledger, sqlite_url
from hub.storage.readings_sqlite import SqliteReadingStore
from tests.indicators.fakes import FakeJournal, FakeRegistry, device, few

PARKS = ("dresden-parken-Altmarkt", "dresden-parken-Prohlis", "dresden-parken-Parkhaus-Mitte")
NAMES = {"parking_free": "free", "parking_capacity": "capacity"}
NOW = parse_instant("2026-09-01T00:00:00Z")


def parks(shared: Path) -> list[Reading]:
    with (shared / "data/parking_dresden_2026-08-10_12.csv").open() as file:
        rows = [row for row in csv.DictReader(file) if row["place_id"] in PARKS]
    return [
        Reading(row["place_id"], quantity, float(row[column]), parse_instant(row["timestamp_utc"]))
        for row in rows
        for quantity, column in NAMES.items()
        if row[column]
    ]


async def test_dresden_never_has_a_negative_occupancy_and_a_restarted_engine_changes_nothing(
    shared: Path, tmp_path: Path
) -> None:
    rows, quantities = parks(shared), Quantities.load()
    store, flags = SqliteReadingStore(tmp_path / "readings.db", quantities), SqliteFlagStore(tmp_path / "flags.db")
    journal, rules = FakeJournal(), load_rules(quantities)
    registry = FakeRegistry(*(device(park, f"havirov/mesto/{park.lower()}", 600) for park in PARKS))
    catalogue = few(load_catalogue(quantities), "parking_occupancy")

    with Ledger(sqlite_url(tmp_path / "ledger.db")).upgrade() as ledger:

        def engine() -> Engine:
            return Engine(catalogue, Calendar.of("Europe/Prague"), store, ledger.values, registry,
                          [journal], lambda: NOW, rules=rules, flags=flags)  # type: ignore[list-item] # a fake # fmt: skip

        await store.put(rows)
        journal.commit(rows)
        await engine().settle()
        free = {(r.device, r.time): r.value for r in rows if r.quantity == "parking_free"}
        capacity = {(r.device, r.time): r.value for r in rows if r.quantity == "parking_capacity"}
        wrong = {key for key, spaces in free.items() if spaces > capacity.get(key, spaces)}
        found = await flags.findings([Series(park, "parking_free") for park in PARKS], 0, NOW)
        assert {(series.device, time) for series, time in found} == wrong
        assert {tuple(finding) for finding in found.values()} == {(4, "exceeds")}
        values = [v.value for v in ledger.values.values(ValueQuery("parking_occupancy")) if v.value is not None]
        assert len(values) > 50
        assert min(values) >= 0
        done = await engine().recompute()
        assert (done.written, done.windows > 50) == (0, True)
    await flags.close()
    await store.close()
