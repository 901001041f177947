# SPDX-License-Identifier: EUPL-1.2
"""The engine on the real ledger and the real reading store: values survive the trip through the files."""

import csv
from collections.abc import Iterator, Sequence
from pathlib import Path
from random import Random

import pytest
from msgspec.structs import replace

from hub.core.journal import JournalBatch, Touch
from hub.core.places import Device, Place, PlaceKind
from hub.core.ports import ValueQuery
from hub.core.quantities import Quantities
from hub.core.readings import Reading
from hub.core.windows import HOUR, Calendar, parse_instant, zone
from hub.indicators.catalogue import Catalogue, load_catalogue
from hub.indicators.engine import Engine
from hub.ingest.journal import SqliteJournal
from hub.ingest.journal_reader import SqliteJournalReader
from hub.storage.ledger import Ledger, sqlite_url
from hub.storage.readings_sqlite import SqliteReadingStore
from tests.indicators.fakes import AIR, SITE, FakeJournal, FakeRegistry, device, few, reading

NOW = parse_instant("2024-03-01T00:00:00Z")


@pytest.fixture(scope="module")
def catalogue(quantities: Quantities) -> Catalogue:
    return few(load_catalogue(quantities), *AIR)


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


def station(ledger: Ledger) -> Device:
    """A registered device of which nothing is known yet."""
    title = {"cs": "Místo", "en": "Place"}
    kinds = [PlaceKind.MUNICIPALITY, PlaceKind.PART, PlaceKind.SITE]
    names = ["havirov", "havirov/mesto", SITE]
    ledger.devices.put_places([Place(id=n, kind=k, title=title) for n, k in zip(names, kinds, strict=True)])
    return ledger.devices.add_device(device("a"))


async def test_values_outlive_removal_and_return_of_their_device_and_the_loss_of_the_journal(
    catalogue: Catalogue, quantities: Quantities, prague: Calendar, tmp_path: Path, ledger: Ledger
) -> None:
    """All with the real registry and the real journal."""
    start, path = NOW - 48 * HOUR, tmp_path / "ingest-0.db"
    rows = [reading("a", "pm10", start + h * HOUR, 20) for h in range(24)]
    back = station(ledger)
    store = SqliteReadingStore(tmp_path / "readings.db", quantities)

    async def taken(some: Sequence[Reading]) -> None:
        """Store and journal, then an engine of its own, as after a restart."""
        await store.put(some)
        journal, reader = SqliteJournal(path), SqliteJournalReader(path)
        await journal.commit(JournalBatch(touches=[Touch(r.device, r.quantity, r.time) for r in some]))
        await Engine(catalogue, prague, store, ledger.values, ledger.devices, [reader], lambda: NOW).settle()
        await journal.close()
        reader.close()

    await taken(rows)
    first = ledger.values.values(ValueQuery("eaqi_2024"))
    ledger.devices.remove_device("a")
    await taken([])
    assert ledger.values.values(ValueQuery("eaqi_2024")) == first
    path.unlink()
    await taken([reading("a", "pm10", start + 24 * HOUR, 70)])
    returned = ledger.devices.add_device(back)
    assert replace(returned, registered_at=back.registered_at, revision=back.revision) == back
    await taken([])
    last = ledger.values.values(ValueQuery("eaqi_2024"))
    assert last[:24] == first[:24]
    assert [(value.value, value.revision) for value in last[23:25]] == [(2, 1), (3, 2)]
    await store.close()


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
