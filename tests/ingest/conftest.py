# SPDX-License-Identifier: EUPL-1.2
"""A pipeline on a real journal and the real native connector, with fakes at the other ports."""

from collections.abc import AsyncIterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

import connectors
from hub import sdk
from hub.core.delivery import Delivery
from hub.core.places import Device
from hub.core.quantities import Quantities
from hub.ingest.interpret import Interpreter
from hub.ingest.journal import SqliteJournal
from hub.ingest.journal_reader import SqliteJournalReader
from hub.ingest.normalise import Conversions
from hub.ingest.pipeline import Pipeline
from tests.ingest.fakes import Clock, ListSource, MemoryRegistry, MemoryStore

NOW = 1_795_435_200_000_000_000  # 2026-11-23T12:00:00Z


def delivery(
    payload: bytes | str, topic: str = "devices/air-1/readings", token: int = 1, **changes: object
) -> Delivery:
    """One QoS 1 message to the registered device unless told otherwise."""
    body = payload.encode() if isinstance(payload, str) else payload
    values = {"received": NOW, "qos": 1, "retain": False, "dup": False, "token": token, **changes}
    return Delivery(topic=topic, payload=body, **values)


@pytest.fixture(scope="session")
def conversions() -> Conversions:
    return Conversions(Quantities.load())


@pytest.fixture(scope="session")
def router() -> sdk.Router:
    return sdk.Router(sdk.discover(connectors))


class Bench(SimpleNamespace):
    """All parts of one pipeline by name."""

    pipeline: Pipeline
    store: MemoryStore
    journal: SqliteJournal
    reader: SqliteJournalReader
    registry: MemoryRegistry
    source: ListSource
    clock: Clock
    interpreter: Interpreter

    async def restart(self, **others: Any) -> Pipeline:
        """Begin with a new pipeline on the same files and parts, but for the others given."""
        parts: dict[str, Any] = {
            name: getattr(self, name) for name in ("source", "store", "journal", "registry", "interpreter", "clock")
        }
        self.pipeline = Pipeline(**{**parts, "commands": self.registry, **others})
        await self.pipeline.prepare()
        return self.pipeline

    def totals(self) -> dict[str, int]:
        """Counts over all connectors and devices."""
        total: dict[str, int] = {}
        for _, _, counts in self.reader.accounts(0):
            for name, n in counts.items():
                total[name] = total.get(name, 0) + n
        return total

    def assert_balanced(self) -> None:
        """Promise 1 for every connector and device."""
        for connector, device, n in self.reader.accounts(0):
            where = (connector, device, n)
            assert n["received"] == n["decoded"] + n["quarantined"] + n["refused"] + n["ignored"], where
            assert n["readings"] == n["stored"] + n["duplicate"] + n["conflict"] + n["rejected"], where


@pytest.fixture
async def bench(tmp_path: Path, router: sdk.Router, conversions: Conversions) -> AsyncIterator[Bench]:
    device = Device(id="air-1", connector="native", external_id="air-1", interval=600)
    clock, store, source, registry = Clock(NOW), MemoryStore(), ListSource(), MemoryRegistry(device)
    journal = SqliteJournal(tmp_path / "ingest-0.db")
    reader = SqliteJournalReader(tmp_path / "ingest-0.db")
    bench = Bench(
        store=store,
        journal=journal,
        reader=reader,
        registry=registry,
        source=source,
        clock=clock,
        interpreter=Interpreter(router, conversions, max_payload=65536),
    )
    await bench.restart()
    yield bench
    reader.close()
    await journal.close()
