# SPDX-License-Identifier: EUPL-1.2
"""A small city with the desk, as a process of its own (NiceGUI keeps one app a process): `desk_hub.py FOLDER PORT`.

Who is signed in stands in FOLDER/sessions: a line "cookie role" each; the cookie is looked up at each question, as the
real gate does.
"""

import asyncio
import sys
import time
from pathlib import Path

import uvicorn
from fastapi import FastAPI

import connectors
from hub import sdk
from hub.console import ConsoleServices
from hub.console.desk import DeskServices, mount_desk
from hub.console.services import RegistryPorts
from hub.core.access import SessionView
from hub.core.errors import Denied
from hub.core.journal import DeviceSeen, JournalBatch
from hub.core.places import Device, Mounting, Place, PlaceKind
from hub.core.ports import Shown
from hub.core.quantities import Quantities
from hub.core.readings import Flag, Reading
from hub.core.rights import Caller
from hub.core.windows import HOUR
from hub.devices.city import load_city
from hub.devices.models import load_models
from hub.indicators.catalogue import load_catalogue
from hub.ingest.bench import DryRun
from hub.ingest.journal import SqliteJournal
from hub.ingest.journal_reader import SqliteJournalReader
from hub.ingest.normalise import Conversions
from hub.storage.ledger import Ledger, sqlite_url
from hub.storage.readings_sqlite import SqliteReadingStore

DEVICES = 250
MINUTE = HOUR // 60


class FileGate:
    """Sessions from a file."""

    def __init__(self, sessions: Path) -> None:
        self._sessions = sessions

    @property
    def open_reads(self) -> bool:
        return False

    def sign_in(self, login: str, password: str, *, client: str, agent: str, kept: bool = False) -> str:
        raise Denied("this hub has no passwords")

    def change_password(self, shown: Shown, old: str, new: str) -> None:
        raise Denied("this hub has no passwords")

    def sign_out(self, cookie: str) -> None:
        raise Denied("this hub has no passwords")

    def sessions(self, shown: Shown) -> list[SessionView]:
        return []

    def end_others(self, shown: Shown) -> None:
        raise Denied("this hub has no passwords")

    def caller(self, shown: Shown) -> Caller | None:
        for line in self._sessions.read_text().splitlines():
            cookie, role = line.split()
            if shown.cookie == cookie:
                return Caller(name=cookie, kind="person", roles=frozenset({role}), login=cookie, title=cookie.title())
        return None


async def serve(folder: Path, port: int) -> None:
    city, quantities = load_city(), Quantities.load()
    catalogue = load_catalogue(quantities)
    ledger = Ledger(sqlite_url(folder / "ledger.db")).upgrade()
    journal = SqliteJournal(folder / "ingest-0.db")
    store = SqliteReadingStore(folder / "readings.db", quantities)
    now = time.time_ns()
    sites = [
        Place(id=f"{part.id}/site", kind=PlaceKind.SITE, title={"cs": f"Stanoviště {i}", "en": f"Site {i}"},
              latitude=(part.latitude or 49.78) + 0.004, longitude=(part.longitude or 18.43) + 0.004)
        for i, part in enumerate(p for p in city.places if p.kind is PlaceKind.PART)
    ]  # fmt: skip
    ledger.devices.put_places([*city.places, *sites])
    for i in range(DEVICES):
        mounting = Mounting(sites[i % len(sites)].id, now - 1000 * HOUR)
        name, title = f"air-{i:03}", f"Čidlo ovzduší {i:03}"
        ledger.devices.add_device(
            Device(id=name, connector="native", external_id=name, title=title, interval=600, mountings=[mounting])
        )
    seen = [
        DeviceSeen(
            device=f"air-{i:03}",
            received=now - (600 if i % len(sites) == 1 else 3) * MINUTE,
            messages=9,
            time=now - (600 if i % len(sites) == 1 else 3) * MINUTE,
        )
        for i in range(DEVICES)
    ]
    await journal.commit(JournalBatch(seen=seen))
    flags = [Flag.SUSPECT if i == 40 else Flag.GOOD for i in range(100)]
    await store.put(
        [Reading("air-000", "pm10", 20.0 + i % 9, now - (100 - i) * 10 * MINUTE, f) for i, f in enumerate(flags)]
    )
    console = ConsoleServices(
        registry=ledger.devices,
        values=ledger.values,
        readings=store,
        journals=[SqliteJournalReader(folder / "ingest-0.db")],
        quantities=quantities,
        definitions=catalogue.definitions,
        city_title=city.title,
        zone=city.zone,
        layout=city.cells,
        ports=RegistryPorts(
            book=ledger.devices,
            records=ledger.records,
            credentials=ledger.credentials,
            corrections=ledger.corrections,
            audit=ledger.audit,
            ignored=ledger.ignored,
            mqtt=("localhost", 1883, False),
            models=load_models(),
        ),
    )
    app = FastAPI()
    desk = mount_desk(
        app,
        DeskServices(
            console=console, gate=FileGate(folder / "sessions"), book=ledger.devices, corrections=ledger.corrections,
            commands=ledger.commands, catalogue=catalogue, audit=ledger.audit, people=ledger.people, keys=ledger.keys,
            imports=ledger.imports, orders=ledger.commands,
            bench=DryRun(sdk.Router(sdk.discover(connectors)), Conversions(quantities), max_payload=100_000),
        ),
    )  # fmt: skip
    await uvicorn.Server(uvicorn.Config(app, port=port, log_level="warning")).serve()
    await desk.close()


if __name__ == "__main__":
    asyncio.run(serve(Path(sys.argv[1]), int(sys.argv[2])))
