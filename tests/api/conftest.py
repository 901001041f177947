# SPDX-License-Identifier: EUPL-1.2
"""The real app over the real ledger, journal and reading store in SQLite; only clock and broker stand in.

A publisher that keeps what it is given is enough here: that the broker's way ends in the store is shown end to end
elsewhere. The server runs in the test's own event loop through httpx's ASGI transport.
"""

import asyncio
import shutil
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import httpx
import pytest
from fastapi import FastAPI

import connectors
from hub import sdk
from hub.api import Services, create_app
from hub.app import facts_of
from hub.core.delivery import Publication
from hub.core.errors import Retry
from hub.core.indicators import Component, IndicatorValue, Status
from hub.core.journal import AccountKey, Counts, DeviceSeen, EventRecord, JournalBatch, Quarantined, Touch
from hub.core.places import Device, Mounting
from hub.core.ports import PartHealth
from hub.core.quantities import Quantities
from hub.core.readings import NS, Flag, Grade, Origin, Reading
from hub.core.windows import HOUR, parse_instant
from hub.devices.city import City, load_city
from hub.devices.models import load_models
from hub.indicators.catalogue import Catalogue, load_catalogue
from hub.ingest.bench import DryRun
from hub.ingest.journal import SqliteJournal
from hub.ingest.journal_reader import SqliteJournalReader
from hub.ingest.normalise import Conversions
from hub.storage.ledger import Ledger, sqlite_url
from hub.storage.photos import PhotoFiles
from hub.storage.readings_sqlite import SqliteReadingStore
from hub.strategy.monitoring import Monitoring

NOW = parse_instant("2026-11-23T12:00:00Z")
MINUTE = 60 * NS
SITE = "havirov/sumbark"
AIR = "air-sumbark-1"


@dataclass
class Outbox:
    """A publisher that keeps what it was given; `away` makes it refuse."""

    sent: list[Publication] = field(default_factory=list)
    away: bool = False

    async def publish(self, messages: Sequence[Publication]) -> None:
        if self.away:
            raise Retry("broker is away", after=7)
        self.sent += messages

    async def close(self) -> None:
        """Nothing to release."""


@dataclass
class World:
    """The app with everything behind it, and a key of each scope."""

    services: Services
    ledger: Ledger
    store: SqliteReadingStore
    journals: Sequence[SqliteJournal]
    outbox: Outbox
    keys: Mapping[str, str]
    app: FastAPI

    def client(self, key: str | None = None, **changes: Any) -> httpx.AsyncClient:
        """A client with the key of a scope; `changes` of Services make an app of their own."""
        app = create_app(replace(self.services, **changes)) if changes else self.app
        app.openapi_schema = self.app.openapi()
        headers = {"Authorization": f"Bearer {self.keys[key]}"} if key else {}
        transport = httpx.ASGITransport(app, raise_app_exceptions=False)
        return httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1:8000", headers=headers)


def reading(time: int, value: float, quantity: str = "pm10", device: str = AIR, **changes: Any) -> Reading:
    """One stored reading."""
    return Reading(device, quantity, value, time, **changes)


def value(start: int, place: str = SITE, indicator: str = "pm10_day_mean", **changes: Any) -> IndicatorValue:
    """One final value of a day."""
    fields: dict[str, Any] = {
        "indicator": indicator,
        "place": place,
        "start": start,
        "end": start + 24 * HOUR,
        "period": "P1D",
        "value": 20.3,
        "unit": "ug/m3",
        "status": Status.FINAL,
        "definition_version": 1,
        "coverage": 0.958,
        "n_valid": 23,
        "n_expected": 24,
        "grade": Grade.INDICATIVE,
        "revision": 1,
        "closed": True,
        "computed_at": NOW,
        **changes,
    }
    return IndicatorValue(**fields)


def lacking(start: int, place: str = SITE, **changes: Any) -> IndicatorValue:
    """A day without enough data."""
    reason = "pm10: 3 of 24 hours, 18 needed"
    return value(
        start, place, value=None, status=Status.INSUFFICIENT, reason=reason, coverage=0.125, n_valid=3, **changes
    )


def set_aside(payload: bytes, received: int = NOW - MINUTE, **changes: Any) -> Quarantined:
    """A message of a device that is not registered."""
    fields: dict[str, Any] = {
        "received": received,
        "topic": "devices/new-1/readings",
        "payload": payload,
        "reason": "unknown_device",
        "detail": "native device 'new-1' is not registered",
        "connector": "native",
        "external_id": "new-1",
        **changes,
    }
    return Quarantined(**fields)


DEVICES = (
    Device(
        id=AIR,
        connector="native",
        external_id=AIR,
        title="Air, Šumbark school",
        interval=900,
        grade=Grade.INDICATIVE,
        mountings=[
            Mounting("havirov/mesto", NOW - 400 * 24 * HOUR, NOW - 30 * 24 * HOUR),
            Mounting(SITE, NOW - 30 * 24 * HOUR),
        ],
    ),
    Device(
        id="lora-7",
        connector="chirpstack",
        external_id="0102030405060708",
        interval=900,
        mountings=[Mounting("havirov/podlesi", NOW - 24 * HOUR)],
    ),
    Device(id="sim-1", connector="native", external_id="sim-1", origin=Origin.SIMULATED),
)
READINGS = (
    reading(NOW - 30 * MINUTE, 20.3),
    reading(NOW - 15 * MINUTE, 9999.0, flag=Flag.FAIL),
    reading(NOW - 30 * MINUTE, -4.5, "air_temperature"),
    reading(NOW - 30 * MINUTE, 7.25, device="sim-1", origin=Origin.SIMULATED),
)
VALUES = (
    value(NOW - 84 * HOUR),
    value(NOW - 84 * HOUR, "havirov/podlesi", origin=Origin.SIMULATED),
    lacking(NOW - 60 * HOUR),
    value(NOW - 36 * HOUR, status=Status.PROVISIONAL, revision=0, closed=False),
    value(
        NOW - 36 * HOUR,
        "havirov/podlesi",
        "eaqi_2024_district",
        value=2.0,
        unit="1",
        band=2,
        score=80.0,
        missing=("so2",),
        lower_bound=True,
        components={"pm10": Component(value=20.3, unit="ug/m3", band=2, coverage=1.0, n_valid=4, n_expected=4)},
    ),
)


def first_batch() -> JournalBatch:
    """What ingest has recorded so far."""
    hour = NOW - NOW % HOUR
    return JournalBatch(
        touches=[Touch(AIR, "pm10", hour - HOUR), Touch(AIR, "air_temperature", hour - HOUR)],
        accounts={
            AccountKey(hour, "native", AIR): Counts(received=4, decoded=3, quarantined=1, readings=4, stored=4),
            AccountKey(hour, "chirpstack", ""): Counts(received=1, ignored=1),
        },
        reasons={("native", "unknown_device"): 2, ("native", "malformed"): 1},
        quarantined=[
            set_aside(b'{"readings": {"pm10": 20.3}}', NOW - 3 * MINUTE),
            set_aside(bytes(range(256)) * 4, NOW - 2 * MINUTE, reason="malformed", detail="byte 0 is no JSON"),
            set_aside("Šumbark".encode() * 200, NOW - MINUTE),
        ],
        events=[
            EventRecord(
                device="lora-7",
                connector="chirpstack",
                external_id="0102030405060708",
                kind="join",
                level="error",
                reason="UPLINK_MIC",
                text="join refused: wrong key (MIC)",
                time=NOW - HOUR,
                received=NOW - HOUR,
            )
        ],
        seen=[
            DeviceSeen(device=AIR, received=NOW - 12 * MINUTE, time=NOW - 15 * MINUTE, messages=4),
            DeviceSeen(device="lora-7", received=NOW - 4 * HOUR, time=None, messages=2),
        ],
    )


async def healthy() -> PartHealth:
    """A part that works."""
    return PartHealth("broker", True, "connected to 127.0.0.1:1883")


@dataclass(frozen=True)
class Template:
    """A filled data directory, made once and copied for every test, and what all tests may share."""

    folder: Path
    keys: Mapping[str, str]
    quantities: Quantities
    definitions: Catalogue
    city: City
    bench: DryRun
    document: dict[str, Any] = field(default_factory=dict)

    def app(self, services: Services) -> FastAPI:
        """An app that shares its OpenAPI document with the others: making it is the slow part."""
        app = create_app(services)
        if not self.document:
            self.document.update(app.openapi())
        app.openapi_schema = self.document
        return app


@pytest.fixture(scope="session")
def template(tmp_path_factory: pytest.TempPathFactory) -> Template:
    """Ledger, journals and store filled through their own writers."""
    folder, quantities, city = tmp_path_factory.mktemp("hub"), Quantities.load(), load_city(None)
    with Ledger(sqlite_url(folder / "ledger.db"), clock=lambda: NOW).upgrade() as ledger:
        ledger.devices.put_places(city.places)
        for device in DEVICES:
            ledger.devices.add_device(device)
        for command in ledger.commands.pending():
            ledger.commands.done(command.id, {})
        ledger.values.commit([(row, row.end) for row in VALUES], {"touch:0": 1})
        keys = {scope: ledger.keys.create(scope, frozenset({scope}))[1] for scope in ("read", "write", "admin")}
    asyncio.run(fill(folder, quantities))
    bench = DryRun(sdk.Router(sdk.discover(connectors)), Conversions(quantities), max_payload=65_536)
    return Template(folder, keys, quantities, load_catalogue(quantities), city, bench)


async def fill(folder: Path, quantities: Quantities) -> None:
    """Store the readings, and journal what ingest saw; the second journal stays empty."""
    store = SqliteReadingStore(folder / "readings.db", quantities)
    await store.put(READINGS)
    await store.close()
    for number, batch in enumerate((first_batch(), JournalBatch())):
        journal = SqliteJournal(folder / f"ingest-{number}.db")
        await journal.commit(batch)
        await journal.close()


@pytest.fixture
async def world(template: Template, tmp_path: Path) -> AsyncIterator[World]:
    """A filled hub whose reads are open (loopback)."""
    folder = shutil.copytree(template.folder, tmp_path / "data")
    ledger = Ledger(sqlite_url(folder / "ledger.db"), clock=lambda: NOW).open()
    store = SqliteReadingStore(folder / "readings.db", template.quantities)
    paths = [folder / f"ingest-{number}.db" for number in range(2)]
    journals = [SqliteJournal(path) for path in paths]
    readers = [SqliteJournalReader(path, str(number)) for number, path in enumerate(paths)]
    outbox = Outbox()
    services = Services(
        book=ledger.devices,
        ignored=ledger.ignored,
        values=ledger.values,
        corrections=ledger.corrections,
        definition_texts=ledger.definitions.of,
        entries=ledger.entries,
        monitoring=Monitoring(
            ledger.strategies, ledger.values, ledger.devices, facts_of(template.definitions), template.city.zone
        ),
        readings=store,
        records=ledger.records,
        audit=ledger.audit,
        photos=PhotoFiles(folder / "photos"),
        models=load_models(),
        journals=readers,
        commands=ledger.commands,
        keys=ledger.keys,
        bench=template.bench,
        publisher=outbox,
        quantities=template.quantities,
        definitions=template.definitions,
        city_title=template.city.title["cs"],
        time_zone=template.city.time_zone,
        version="0.1.0",
        health=[healthy, store.check],
        read_requires_key=False,
        clock_ns=lambda: NOW,
    )
    yield World(services, ledger, store, journals, outbox, template.keys, template.app(services))
    await store.close()
    for journal, reader in zip(journals, readers, strict=True):
        reader.close()
        await journal.close()
    ledger.close()
