# SPDX-License-Identifier: EUPL-1.2
"""What a codec's fields mean is known from the device's model: through the real ledger, journal and connector."""

import json
from collections.abc import AsyncIterator, Mapping
from pathlib import Path

import pytest
from msgspec.structs import replace

from hub import sdk
from hub.app import Parts
from hub.core.places import Device
from hub.core.ports import QuarantineFilter
from hub.ingest.model_fields import Fields, as_told
from hub.settings import Settings
from hub.storage.ledger import Ledger, sqlite_url
from tests.ingest.conftest import NOW, Bench, delivery

EUI = "24e124136b502217"
BIN = Device(id="bin-1", connector="chirpstack", external_id=EUI, interval=3600)
PARTS = Parts(Settings())
MODELS = PARTS.models
LINK = {"packet_count", "rssi", "snr", "spreading_factor"}


def uplink(decoded: Mapping[str, object], frame: int = 1) -> tuple[str, str]:
    """An uplink as ChirpStack publishes it: payload and topic."""
    body = {"time": "2026-11-23T11:59:00Z", "deviceInfo": {"devEui": EUI}, "fCnt": frame, "object": decoded}
    return json.dumps(body), f"application/city/device/{EUI}/event/up"


@pytest.fixture
async def city(bench: Bench, tmp_path: Path) -> AsyncIterator[Ledger]:
    """The bench on a real ledger, with the interpreter that the hub itself makes."""
    with Ledger(sqlite_url(tmp_path / "ledger.db"), clock=lambda: NOW).upgrade() as ledger:
        await bench.restart(registry=ledger.devices, commands=ledger.commands, interpreter=PARTS.interpreter())
        yield ledger


async def take(bench: Bench, decoded: Mapping[str, object], frame: int = 1) -> None:
    """One uplink comes in, and orders are obeyed."""
    payload, topic = uplink(decoded, frame)
    await bench.pipeline.take([delivery(payload, topic)])
    await bench.pipeline.clerk.obey()


def stored(bench: Bench) -> dict[str, float]:
    """The values of the device, but for those of the radio link."""
    return {quantity: row.value for (_, quantity, _), row in bench.store.rows.items() if quantity not in LINK}


@pytest.mark.parametrize("model", ["milesight-em310-udl", "elsys-ers-co2", "decentlab-dl-pm"])
async def test_fields_of_a_device_are_stored_as_its_model_says(bench: Bench, city: Ledger, model: str) -> None:
    (sample,) = MODELS[model].samples
    assert sample.decoded is not None
    city.devices.add_device(replace(BIN, model=model))
    await take(bench, sample.decoded)
    assert stored(bench) == pytest.approx(dict(sample.readings))
    assert bench.reader.count(QuarantineFilter()) == 0
    bench.assert_balanced()


async def test_what_nobody_could_read_comes_in_once_the_model_is_known(bench: Bench, city: Ledger) -> None:
    city.devices.add_device(BIN)
    await take(bench, {"battery": 92, "distance": 2116, "tilt": "tilt"})
    assert stored(bench) == {}
    waiting = bench.reader.quarantine(QuarantineFilter())
    assert {row.reason for row in waiting} == {"unknown_quantity"}
    city.devices.change_device(replace(BIN, model="milesight-em310-udl"))
    await bench.pipeline.clerk.obey()
    assert stored(bench) == {"fill_distance": 2116, "battery_level": 92}
    assert bench.reader.count(QuarantineFilter()) == 0
    bench.assert_balanced()


async def test_true_and_false_count_where_the_model_names_them_and_nowhere_else(bench: Bench, city: Ledger) -> None:
    city.devices.add_device(replace(BIN, model="bosch-tps110"))
    await take(bench, {"occupied": True, "restarted": False})
    assert stored(bench) == {"parking_occupied": 1.0}
    assert bench.reader.count(QuarantineFilter()) == 0


async def test_an_order_is_left_by_a_new_model_alone(city: Ledger) -> None:
    city.devices.add_device(BIN)
    city.devices.change_device(replace(BIN, title="Bin"))
    assert len(city.commands.pending()) == 1
    city.devices.change_device(replace(BIN, model="milesight-em310-udl"))
    *_, order = city.commands.pending()
    assert (order.kind, order.arguments) == ("redrive", {"connector": "chirpstack", "external_id": EUI})


FIELDS: Fields = {"t": ("water_temperature", "Cel"), "n": ("people_count", None), "id": None}


@pytest.mark.parametrize(
    ("name", "unit", "fields", "told"),
    [
        ("t", None, FIELDS, ("water_temperature", "Cel")),
        ("t", sdk.UNIT_NOT_STATED, FIELDS, ("water_temperature", "Cel")),
        ("t", "K", FIELDS, ("water_temperature", "K")),
        ("n", sdk.TRUTH, FIELDS, ("people_count", None)),
        ("id", None, FIELDS, None),
        ("pm10", "mg/m3", FIELDS, ("pm10", "mg/m3")),
        ("pm10", None, None, ("pm10", None)),
        ("open", sdk.TRUTH, FIELDS, None),
        ("open", sdk.TRUTH, None, None),
    ],
)
def test_a_field_is_renamed_and_keeps_the_unit_that_it_brings(
    name: str, unit: str | None, fields: Fields | None, told: tuple[str, str | None] | None
) -> None:
    found = as_told(sdk.Reading("d", name, 1.0, unit), fields)
    assert (None if found is None else (found.quantity, found.unit)) == told
