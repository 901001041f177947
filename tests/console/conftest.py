# SPDX-License-Identifier: EUPL-1.2
"""Fixtures: the town empty, and with every kind of thing that the pages show, once."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from hub.console import ConsoleServices
from hub.core.journal import DeviceSeen, JournalBatch
from hub.core.places import Place, PlaceKind
from hub.core.quantities import Quantities
from hub.core.readings import Flag, Reading
from hub.devices.city import load_city
from hub.indicators.catalogue import load_catalogue
from hub.ingest.journal import SqliteJournal
from hub.ingest.journal_reader import SqliteJournalReader
from hub.storage.ledger import Ledger, sqlite_url
from hub.storage.readings_sqlite import SqliteReadingStore
from tests.console.town import HOUR_AGO, MINUTE, NOW, Town, bounded, day, device, index, quarantined, reasons


@pytest.fixture
async def town(tmp_path: Path) -> AsyncIterator[Town]:
    """The city's parts with one station, and nothing else."""
    city, quantities = load_city(), Quantities.load()
    ledger = Ledger(sqlite_url(tmp_path / "ledger.db")).upgrade()
    station = Place(id="havirov/mesto/thara", kind=PlaceKind.SITE, title={"cs": "Stanice Thara", "en": "Thara station"})
    ledger.devices.put_places([*city.places, station])
    journal = SqliteJournal(tmp_path / "ingest-0.db")
    reader = SqliteJournalReader(tmp_path / "ingest-0.db")
    store = SqliteReadingStore(tmp_path / "readings.db", quantities)
    services = ConsoleServices(
        registry=ledger.devices,
        values=ledger.values,
        readings=store,
        journals=[reader],
        quantities=quantities,
        definitions=load_catalogue(quantities).definitions,
        city_title=city.title,
        zone=city.zone,
        layout=city.cells,
        clock_ns=lambda: NOW,
    )
    yield Town(services, ledger, journal, store)
    await store.close()
    await journal.close()
    reader.close()
    ledger.close()


@pytest.fixture
async def lively(town: Town) -> Town:
    """Every kind of thing that the pages show, once."""
    for name, title in (("air-1", "Ovzduší náměstí"), ("bin-1", "Koš u školy"), ("noise-1", "Hluk u křižovatky")):
        town.ledger.devices.add_device(device(name, title))
    ago = {"air-1": 5, "bin-1": 180, "noise-1": 10}
    seen = [DeviceSeen(device=d, received=NOW - m * MINUTE, time=None, messages=9) for d, m in ago.items()]
    await town.journal.commit(JournalBatch(seen=seen, quarantined=quarantined(), reasons=reasons(quarantined())))
    flags = [Flag.SUSPECT if i % 2 else Flag.GOOD for i in range(6)]
    noise = [
        Reading("noise-1", "sound_level", 55.0 + i, HOUR_AGO + i * 10 * MINUTE, flag) for i, flag in enumerate(flags)
    ]
    air = [Reading("air-1", "pm10", 20.0 + i, HOUR_AGO + i * 15 * MINUTE) for i in range(4)]
    await town.store.put([*noise, *air])
    parts = ["mesto", "sumbark", "podlesi", "prostredni-sucha", "bludovice", "zivotice"]
    town.values(*(index(f"havirov/{part}", band) for band, part in enumerate(parts, 1)))
    town.values(
        index("havirov/dolni-sucha", None, coverage=0.0, n_valid=0, missing=("havirov/mesto/thara",)),
        index("havirov/mesto", 2, **bounded()),
    )
    town.values(day("2026-11-20T23:00:00Z", 31.4))
    town.values(day("2026-11-20T23:00:00Z", 48.6, revision=2, cause="late readings"))
    return town
