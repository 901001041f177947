# SPDX-License-Identifier: EUPL-1.2
"""The engine on the real ledger and the real reading store: values survive the trip through the files."""

import csv
from collections.abc import Iterator
from pathlib import Path
from random import Random

import pytest

from hub.core.quantities import Quantities
from hub.core.readings import Reading
from hub.core.windows import Calendar, parse_instant, zone
from hub.indicators.catalogue import Catalogue
from hub.indicators.engine import Engine
from hub.storage.ledger import Ledger, sqlite_url
from hub.storage.readings_sqlite import SqliteReadingStore
from tests.indicators.fakes import FakeJournal, FakeRegistry, device

NOW = parse_instant("2024-03-01T00:00:00Z")


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    ledger = Ledger(sqlite_url(tmp_path / "ledger.db")).upgrade()
    yield ledger
    ledger.close()


def havirov(shared: Path) -> list[Reading]:
    with (shared / "data/eea_havirov_THARA_2023.csv").open() as file:
        return [
            Reading("thara", quantity, float(row[column]), parse_instant(row["start"], zone("+01:00")))
            for row in csv.DictReader(file)
            for quantity, column in (("pm10", "pm10"), ("pm2_5", "pm25"))
            if row[column] and int(row[f"{column}_validity"]) > 0
        ]


async def test_a_real_year_late_and_in_disorder_ends_in_the_same_values(
    catalogue: Catalogue, quantities: Quantities, prague: Calendar, shared: Path, tmp_path: Path, ledger: Ledger
) -> None:
    rows = havirov(shared)
    shuffled = rows + rows[::20]
    Random(1).shuffle(shuffled)
    store, journal, registry = (
        SqliteReadingStore(tmp_path / "readings.db", quantities),
        FakeJournal(),
        FakeRegistry(device("thara")),
    )
    engine = Engine(catalogue, prague, store, ledger.values, registry, [journal], lambda: NOW)
    for i in range(0, len(shuffled), 6000):
        await store.put(shuffled[i : i + 6000])
        journal.commit(shuffled[i : i + 6000])
        await engine.step()
    await engine.settle()
    year = ledger.values.current([("pm10_days_over_50", "havirov/mesto/thara", parse_instant("2022-12-31T23:00:00Z"))])
    (value,) = year.values()
    assert (value.value, value.n_valid, value.lower_bound) == (8, 339, True)
    again = Engine(catalogue, prague, store, ledger.values, registry, [journal], lambda: NOW)
    done = await again.recompute()
    assert (done.written, done.windows > 16_000) == (0, True)
    await store.close()
