# SPDX-License-Identifier: EUPL-1.2
"""What a technician changes at a device, through the engine on the real ledger and the real store.

A new water meter makes no jump in the consumption; a move, or a corrected one, computes the windows of both places.
"""

from collections.abc import AsyncIterator, Mapping
from pathlib import Path

import pytest

from hub.core.indicators import IndicatorValue
from hub.core.places import Device, Mounting, Place, PlaceKind
from hub.core.ports import ValueQuery
from hub.core.quantities import Quantities
from hub.core.readings import Reading
from hub.core.registry import Hardware
from hub.core.windows import HOUR, Calendar, parse_instant
from hub.indicators.catalogue import build_catalogue
from hub.indicators.checks import parse_definition
from hub.indicators.engine import Engine
from hub.storage.ledger import Ledger, sqlite_url
from hub.storage.readings_sqlite import SqliteReadingStore
from tests.indicators.fakes import FakeJournal, device

T0 = parse_instant("2026-05-01T22:00:00Z")  # a local midnight in Prague
DAY = 24 * HOUR
HERE, THERE = "havirov/mesto/here", "havirov/mesto/there"
CONSUMPTION = b"""
id: consumption
version: 1
title: {en: Consumption, cs: Spotreba}
description: {en: d, cs: d}
domain: water
formula: value
inputs: {volume: {quantity: water_volume}}
unit: m3
window: P1D
direction: lower_is_better
reference: [{citation: none}]
examples: [{given: {volume: 1}, value: 1}]
"""


class Waterworks:
    """A meter at HERE that counts 1 m3 an hour."""

    def __init__(self, folder: Path, quantities: Quantities, city: Calendar) -> None:
        self.store = SqliteReadingStore(folder / "readings.db", quantities)
        self.ledger = Ledger(sqlite_url(folder / "ledger.db"), clock=lambda: T0 + 4 * DAY).upgrade()
        self.journal = FakeJournal()
        names = {"havirov": "municipality", "havirov/mesto": "part", HERE: "site", THERE: "site"}
        title = {"cs": "Místo", "en": "Place"}
        self.ledger.devices.put_places([Place(id=i, kind=PlaceKind(k), title=title) for i, k in names.items()])
        self.ledger.devices.add_device(device("meter", HERE))
        catalogue = build_catalogue(
            [("consumption.yaml", parse_definition(CONSUMPTION, "consumption.yaml"))], quantities
        )
        self.engine = Engine(
            catalogue, city, self.store, self.ledger.values, self.ledger.devices, [self.journal], lambda: T0 + 4 * DAY
        )

    async def count(self, first: int, last: int, total: float) -> None:
        """Totals of the hours [first, last), the first being `total`."""
        rows = [Reading("meter", "water_volume", total + h - first, T0 + h * HOUR) for h in range(first, last)]
        await self.store.put(rows)
        self.journal.commit(rows)

    async def values(self, place: str = HERE) -> Mapping[int, IndicatorValue]:
        """By day, 0 for the one that begins at T0; nothing was counted before."""
        await self.engine.settle()
        found = self.ledger.values.values(ValueQuery("consumption"))
        return {(v.start - T0) // DAY: v for v in found if v.place == place and v.start >= T0}

    async def days(self, place: str = HERE) -> list[float | None]:
        return [v.value for v in (await self.values(place)).values()]

    def meter(self) -> Device:
        return self.ledger.devices.snapshot().devices["meter"]


@pytest.fixture
async def works(tmp_path: Path, quantities: Quantities, prague: Calendar) -> AsyncIterator[Waterworks]:
    works = Waterworks(tmp_path, quantities, prague)
    yield works
    await works.store.close()
    works.ledger.close()


async def test_a_replaced_meter_makes_no_jump_and_changes_the_day_of_the_swap_alone(works: Waterworks) -> None:
    """The new one begins at 5000 where the old one stopped at 1036, in the second day of three."""
    await works.count(0, 36, 1000.0)
    await works.count(36, 73, 5000.0)
    before = await works.values()
    assert [before[day].value for day in (0, 1, 2)] == [24.0, 3988.0, 24.0], "the jump that the swap would make"
    swap = Hardware(device="meter", start=T0 + 36 * HOUR, external_id="new", serial="B", reason="worn")
    works.ledger.devices.replace_hardware(swap, {"water_volume": (1036.0, 5000.0)}, by="dana")
    after = await works.values()
    assert [after[day].value for day in (0, 1, 2)] == [24.0, 24.0, 24.0]
    assert [day for day in after if after[day].revision != before[day].revision] == [1]
    assert "meter replaced (serial number B" in (after[1].cause or "")
    assert works.meter().mountings == (Mounting(HERE, 0),)


async def test_a_move_said_late_and_its_correction_compute_both_places_anew(works: Waterworks) -> None:
    await works.count(0, 73, 0.0)
    stood = await works.days()
    works.ledger.devices.mount("meter", Mounting(THERE, T0 + DAY), by="dana")
    assert await works.days(HERE) != stood
    assert 24.0 in await works.days(THERE)
    works.ledger.devices.correct_mountings("meter", [Mounting(HERE, 0)], by="dana")
    assert await works.days(HERE) == stood
    assert 24.0 not in await works.days(THERE)
