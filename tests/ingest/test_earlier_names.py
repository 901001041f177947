# SPDX-License-Identifier: EUPL-1.2
"""A message of hardware that was replaced, which comes late: through the real ledger, journal and connector."""

import json
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from hub.core.places import Device
from hub.core.ports import QuarantineFilter
from hub.core.registry import Hardware
from hub.core.windows import HOUR, format_instant
from hub.storage.ledger import Ledger, sqlite_url
from tests.ingest.conftest import NOW, Bench, delivery
from tests.ingest.test_model_fields import PARTS

SWAP = NOW - 5 * HOUR
METER = Device(id="meter", connector="native", external_id="old", interval=3600)


@pytest.fixture
async def city(bench: Bench, tmp_path: Path) -> AsyncIterator[Ledger]:
    """A meter whose hardware `old` gave way to `new` five hours ago."""
    with Ledger(sqlite_url(tmp_path / "ledger.db"), clock=lambda: NOW).upgrade() as ledger:
        await bench.restart(registry=ledger.devices, commands=ledger.commands, interpreter=PARTS.interpreter())
        ledger.devices.add_device(METER, by="dana")
        ledger.devices.replace_hardware(Hardware(device="meter", start=SWAP, external_id="new"), {}, by="dana")
        yield ledger


async def take(bench: Bench, name: str, *times: int | None) -> None:
    for time in times:
        body: dict[str, object] = {"readings": {"water_volume": 7.5}}
        if time is not None:
            body["time"] = format_instant(time)
        await bench.pipeline.take([delivery(json.dumps(body), f"devices/{name}/readings")])
    await bench.pipeline.clerk.obey()


def stored(bench: Bench) -> set[tuple[str, int]]:
    return {(device, time) for device, _, time in bench.store.rows}


async def test_what_the_old_hardware_measured_before_the_swap_is_the_device_s(bench: Bench, city: Ledger) -> None:
    await take(bench, "old", SWAP - HOUR, SWAP - 1000 * HOUR)
    assert stored(bench) == {("meter", SWAP - HOUR), ("meter", SWAP - 1000 * HOUR)}
    assert bench.reader.count(QuarantineFilter()) == 0


@pytest.mark.parametrize("time", [SWAP, NOW - HOUR, None], ids=["at the swap", "after it", "without a time"])
async def test_what_it_says_later_waits_and_its_reason_names_the_device(
    bench: Bench, city: Ledger, time: int | None
) -> None:
    await take(bench, "old", time)
    (row,) = bench.reader.quarantine(QuarantineFilter())
    assert (row.reason, row.external_id) == ("unknown_device", "old")
    assert f"it was the hardware of 'meter' until {format_instant(SWAP)}" in row.detail
    assert not stored(bench)


async def test_the_old_hardware_serves_elsewhere_under_a_new_registration(bench: Bench, city: Ledger) -> None:
    await take(bench, "old", NOW - HOUR)
    city.devices.add_device(Device(id="cellar", connector="native", external_id="old"), by="dana")
    await take(bench, "old", NOW)
    await take(bench, "new", NOW)
    assert stored(bench) == {("cellar", NOW - HOUR), ("cellar", NOW), ("meter", NOW)}
