# SPDX-License-Identifier: EUPL-1.2
"""Messages of gateways, which hold readings of several devices: the books are right device by device."""

import json
from collections.abc import AsyncIterator
from pathlib import Path
from types import SimpleNamespace

import pytest

import connectors
from hub import sdk
from hub.core.places import Device
from hub.core.ports import QuarantineFilter
from hub.core.readings import NS
from hub.ingest.books import BooksReader
from hub.ingest.interpret import Interpreter
from hub.ingest.journal import SqliteJournal
from hub.ingest.journal_reader import SqliteJournalReader
from hub.ingest.normalise import Conversions
from hub.ingest.pipeline import Pipeline
from hub.ingest.repair import accounted
from tests.ingest.conftest import NOW, delivery
from tests.ingest.fakes import Clock, ListSource, MemoryRegistry, MemoryStore

MAPPING = """
title: Gateway
topics: ["gw/{gateway}"]
each: items
device: {path: id, of: item}
time: {path: t, format: unix_s}
fields:
  - {path: v, quantity: pm10}
"""


@pytest.fixture
async def gateway(tmp_path: Path, conversions: Conversions) -> AsyncIterator[SimpleNamespace]:
    family = sdk.families(connectors)["mapped_json"]
    assert isinstance(family, sdk.ConfigurableConnector)
    connector = family.configure("gw", MAPPING)
    devices = [Device(id=f"dev-{i}", connector=connector.name, external_id=f"x{i}", interval=600) for i in range(2)]
    registry, store = MemoryRegistry(*devices), MemoryStore()
    journal, reader = SqliteJournal(tmp_path / "ingest-0.db"), SqliteJournalReader(tmp_path / "ingest-0.db")
    interpreter = Interpreter(sdk.Router([connector]), conversions, max_payload=65536)
    pipeline = Pipeline(ListSource(), store, journal, registry, registry, interpreter, clock=Clock(NOW))
    await pipeline.prepare()

    def balanced() -> None:
        held: dict[str, int] = {}
        for device, *_ in store.rows:
            held[device] = held.get(device, 0) + 1
        books = BooksReader(tmp_path / "ingest-0.db").read()
        assert {d: n for d, n in accounted([books]).items() if n} == held
        assert not books.unbalanced

    name = connector.name
    yield SimpleNamespace(
        pipeline=pipeline, store=store, reader=reader, registry=registry, name=name, balanced=balanced
    )
    reader.close()
    await journal.close()


async def send(gateway: SimpleNamespace, **values: float) -> None:
    items = [{"id": name, "t": NOW // NS - 10, "v": value} for name, value in values.items()]
    await gateway.pipeline.take([delivery(json.dumps({"items": items}), topic="gw/g1")])


async def test_each_device_is_accounted_for_what_the_store_holds_of_it(gateway: SimpleNamespace) -> None:
    await send(gateway, x0=1.0, x1=2.0)
    await send(gateway, x1=2.0, x0=1.0)
    gateway.balanced()
    assert {name: seen.messages for name, seen in gateway.reader.seen().items()} == {"dev-0": 2, "dev-1": 2}


async def test_a_conflict_and_an_unknown_device_leave_the_others_right_also_after_a_redrive(
    gateway: SimpleNamespace,
) -> None:
    await send(gateway, x0=1.0)
    await send(gateway, x0=9.0, x1=2.0, x2=3.0)
    gateway.balanced()
    device = Device(id="dev-2", connector=gateway.name, external_id="x2")
    gateway.registry.add(device)
    await gateway.pipeline.clerk.obey()
    assert {row.device: row.value for row in gateway.store.rows.values()} == {"dev-0": 1.0, "dev-1": 2.0, "dev-2": 3.0}
    gateway.balanced()
    await gateway.pipeline.clerk.redrive(QuarantineFilter())
    gateway.balanced()


async def test_a_message_of_unknown_devices_is_counted_right_when_they_are_registered(gateway: SimpleNamespace) -> None:
    await send(gateway, x3=1.0, x4=2.0)
    for number in (3, 4):
        gateway.registry.add(Device(id=f"dev-{number}", connector=gateway.name, external_id=f"x{number}"))
    await gateway.pipeline.clerk.obey()
    gateway.balanced()
    assert len(gateway.store.rows) == 2
