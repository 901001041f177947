# SPDX-License-Identifier: EUPL-1.2
"""A network server brings the devices of its list alone: through the real ledger, journal and connector."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from hub.core.errors import Exists
from hub.core.places import Device
from hub.core.ports import QuarantineFilter
from hub.ingest.bridges import allowed_on
from hub.storage.ledger import Ledger, sqlite_url
from tests.ingest.conftest import NOW, Bench
from tests.ingest.test_model_fields import BIN, PARTS, take

FILTER = "application/+/device/+/event/+"
SENT = {"pm10": 20.5}


@pytest.fixture
async def city(bench: Bench, tmp_path: Path) -> AsyncIterator[Ledger]:
    with Ledger(sqlite_url(tmp_path / "ledger.db"), clock=lambda: NOW).upgrade() as ledger:
        ledger.devices.add_device(BIN)
        ledger.devices.add_device(Device(id="other", connector="native", external_id="other"))
        await bench.restart(registry=ledger.devices, commands=ledger.commands, interpreter=PARTS.interpreter())
        yield ledger


async def test_a_device_that_is_not_on_the_list_waits_and_comes_in_once_it_is(bench: Bench, city: Ledger) -> None:
    city.credentials.issue("lora", by="jana", bridge=FILTER, allow=["other"])
    await bench.pipeline.clerk.obey()
    await take(bench, SENT)
    assert [row.reason for row in bench.reader.quarantine(QuarantineFilter())] == ["not_allowed"]
    assert bench.store.rows == {}
    city.credentials.allow("lora", ["other", BIN.id], by="jana")
    await bench.pipeline.clerk.obey()
    assert [(row.reason, row.detail, row.state) for row in bench.reader.quarantine(QuarantineFilter())] == []
    assert {quantity for _, quantity, _ in bench.store.rows} >= {"pm10"}
    bench.assert_balanced()


async def test_without_a_list_every_registered_device_comes_in(bench: Bench, city: Ledger) -> None:
    city.credentials.issue("lora", by="jana", bridge=FILTER)
    await take(bench, SENT)
    assert bench.reader.count(QuarantineFilter()) == 0


def test_bridges_and_devices_do_not_share_a_name(city: Ledger) -> None:
    city.credentials.issue("lora", by="jana", bridge=FILTER)
    with pytest.raises(Exists, match="bridge"):
        city.devices.add_device(Device(id="lora", connector="native", external_id="lora"))
    with pytest.raises(Exists):
        city.credentials.issue("other", by="jana", bridge=FILTER)


@pytest.mark.parametrize(
    ("topic", "bridges", "allowed"),
    [
        ("a/1/b", [("a/+/b", frozenset({"x"}))], {"x"}),
        ("a/1/c", [("a/+/b", frozenset({"x"}))], None),
        ("a/1/b/c", [("a/#", frozenset({"x"}))], {"x"}),
        ("a", [("a/#", frozenset({"x"}))], {"x"}),
        ("a/1", [("a/+", frozenset({"x"})), ("a/#", frozenset({"y"}))], {"x", "y"}),
        ("a/1", [("a/+", frozenset({"x"})), ("a/#", frozenset())], None),
    ],
)
def test_several_bridges_may_reach_a_topic(
    topic: str, bridges: list[tuple[str, frozenset[str]]], allowed: set[str] | None
) -> None:
    assert allowed_on(topic, bridges) == allowed
