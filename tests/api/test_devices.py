# SPDX-License-Identifier: EUPL-1.2
"""Devices, places, quantities."""

from typing import Any

import httpx
import pytest

from hub.api.schemas.devices import DeviceDetail, DevicePage
from hub.core.errors import Retry
from hub.core.places import Device
from tests.api.conftest import AIR, SITE, World

P = "/api/v1"


async def pages(client: httpx.AsyncClient, path: str, **query: Any) -> list[list[Any]]:
    """Items of all pages, each page a list."""
    found: list[list[Any]] = []
    cursor: dict[str, str] = {}
    while True:
        answer = await client.get(httpx.URL(path).copy_merge_params(query | cursor))
        body = answer.raise_for_status().json()
        found.append(body["items"])
        if body["next"] is None:
            return found
        cursor = {"cursor": body["next"]}


async def test_a_registered_device_is_found_with_its_state(world: World) -> None:
    async with world.client("write") as client:
        answer = await client.post(f"{P}/devices", json={"id": "new-1", "place": SITE, "interval": 900})
        found = await client.get(answer.headers["Location"])
    assert answer.status_code == 201
    assert (answer.json()["external_id"], answer.json()["state"]) == ("new-1", "registered")
    where = {"place": SITE, "from": "1970-01-01T00:00:00Z", "to": None, "height": None, "orientation": None}
    assert answer.json()["mountings"] == [where]
    assert {**answer.json(), "readings": [], "readings_problem": None, "events": []} == found.json()


async def test_a_device_may_stand_at_its_place_since_a_given_time(world: World) -> None:
    since = {"id": "new-1", "place": SITE, "mounted_from": "2026-11-01T01:00:00+01:00"}
    async with world.client("write") as client:
        answer = await client.post(f"{P}/devices", json=since)
    mounting = answer.json()["mountings"][0]
    assert (mounting["place"], mounting["from"], mounting["to"]) == (SITE, "2026-11-01T00:00:00Z", None)


@pytest.mark.parametrize(
    ("body", "culprit"),
    [
        ({"mounted_from": "2026-11-01T00:00:00Z"}, "give place too"),
        ({"place": SITE, "mounted_from": "2026-11-01T00:00:00"}, "has no time zone"),
        ({"place": SITE, "mounted_from": 5}, "write the time as text"),
    ],
)
async def test_since_when_it_stands_somewhere_must_make_sense(world: World, body: dict[str, Any], culprit: str) -> None:
    async with world.client("write") as client:
        answer = await client.post(f"{P}/devices", json={"id": "new-1", **body})
    assert answer.status_code == 422
    assert culprit in answer.text
    assert "new-1" not in world.ledger.devices.snapshot().devices


async def test_a_removed_device_that_is_registered_again_continues(world: World) -> None:
    async with world.client("write") as client:
        before = (await client.get(f"{P}/devices/{AIR}")).json()["mountings"]
        await client.delete(f"{P}/devices/{AIR}")
        early = {"id": AIR, "place": "havirov/mesto", "mounted_from": "2026-11-01T00:00:00Z"}
        refused = await client.post(f"{P}/devices", json=early)
        back = await client.post(f"{P}/devices", json={"id": AIR, "place": SITE})
    assert refused.status_code == 422
    assert f"the device stood at {SITE} until 2026-11-23T12:00:00Z" in refused.text
    assert (back.status_code, back.json()["mountings"]) == (201, before)


async def test_registering_orders_the_redrive_of_what_waits(world: World) -> None:
    async with world.client("write") as client:
        await client.post(f"{P}/devices", json={"id": "new-1"})
        orders = (await client.get(f"{P}/commands")).json()["items"]
    assert [order["arguments"]["external_id"] for order in orders] == ["new-1"]


async def test_a_removed_device_keeps_its_readings(world: World) -> None:
    async with world.client("write") as client:
        assert (await client.delete(f"{P}/devices/{AIR}")).content == b""
        assert (await client.get(f"{P}/devices/{AIR}")).status_code == 404
        rows = (await client.get(f"{P}/readings?device={AIR}")).json()["items"]
    assert len(rows) == 3
    assert {row["place"] for row in rows} == {None}


async def test_states_and_their_words(world: World) -> None:
    async with world.client() as client:
        items = (await client.get(f"{P}/devices")).raise_for_status().json()["items"]
    assert {row["id"]: row["state"] for row in items} == {
        AIR: "check_readings",
        "lora-7": "silent",
        "sim-1": "registered",
    }
    assert {row["id"]: row["simulated"] for row in items} == {AIR: False, "lora-7": False, "sim-1": True}
    assert items[1]["state_text"] == (
        "last message 4 h ago, expected every 15 min; no reading could be taken from any of its messages (2): "
        "see its raw messages and quarantine; refused by the network: wrong key (MIC), "
        "join refused: wrong key (MIC)"
    )
    assert [row["attention"] for row in items] == [True, True, False]


@pytest.mark.parametrize(
    ("header", "language"),
    [
        ("cs", "cs"),
        ("cs-CZ,cs;q=0.9,en;q=0.8", "cs"),
        ("de, en;q=0.5, cs;q=0.4", "en"),
        ("en;q=0.1, cs;q=0.2", "cs"),
        ("cs;q=0", "en"),
        ("cs;q=x", "en"),
        ("de", "en"),
        ("*", "en"),
        (";;q=,", "en"),
    ],
)
async def test_words_come_in_the_language_asked_for(world: World, header: str, language: str) -> None:
    async with world.client() as client:
        answer = await client.get(f"{P}/devices/lora-7", headers={"Accept-Language": header})
    assert answer.headers["Content-Language"] == language
    assert answer.headers["Vary"] == "Accept-Language"
    assert answer.json()["state_text"].startswith({"en": "last message", "cs": "poslední zpráva"}[language])


async def test_one_device_shows_newest_readings_and_events(world: World) -> None:
    async with world.client() as client:
        air = (await client.get(f"{P}/devices/{AIR}")).json()
        lora = (await client.get(f"{P}/devices/lora-7")).json()
    DeviceDetail.model_validate(air)
    assert [(row["quantity"], row["value"], row["quality"]) for row in air["readings"]] == [
        ("air_temperature", -4.5, "good"),
        ("pm10", 9999.0, "fail"),
    ]
    assert [(row["reason"], row["text"]) for row in lora["events"]] == [("UPLINK_MIC", "join refused: wrong key (MIC)")]


@pytest.mark.parametrize(
    ("query", "ids"),
    [
        ({}, [AIR, "lora-7", "sim-1"]),
        ({"place": "havirov"}, [AIR, "lora-7"]),
        ({"place": SITE}, [AIR]),
        ({"place": "havirov/mesto"}, []),
        ({"connector": "native"}, [AIR, "sim-1"]),
        ({"connector": "native", "place": "havirov"}, [AIR]),
        ({"connector": "none"}, []),
        ({"text": "ŠUMBARK"}, [AIR]),
        ({"text": "01020304"}, ["lora-7"]),
        ({"tag": "roof"}, []),
        ({"state": "silent"}, ["lora-7"]),
        ({"state": "silent", "connector": "native"}, []),
        ({"owner": "somebody"}, []),
    ],
)
async def test_filters(world: World, query: dict[str, str], ids: list[str]) -> None:
    async with world.client() as client:
        page = DevicePage.model_validate((await client.get(f"{P}/devices", params=query)).json())
    assert [device.id for device in page.items] == ids


async def test_pages_neither_repeat_nor_skip_while_devices_come_and_go(world: World) -> None:
    for number in range(20, 30):
        world.ledger.devices.add_device(Device(id=f"d-{number}", connector="native", external_id=f"d-{number}"))
    async with world.client() as client:
        first = (await client.get(f"{P}/devices?limit=5")).json()
        for name in ("aaa", "d-299"):
            world.ledger.devices.add_device(Device(id=name, connector="native", external_id=name))
        world.ledger.devices.remove_device(first["items"][-1]["id"])
        rest = await pages(client, f"{P}/devices", limit=4, cursor=first["next"])
    ids = [row["id"] for page in (first["items"], *rest) for row in page]
    assert ids == [AIR, *(f"d-{number}" for number in range(20, 30)), "d-299", "lora-7", "sim-1"]


class AwayStore:
    """A reading store that does not answer."""

    async def _fail(self, *_: object) -> None:
        raise Retry("store is away")

    series = scan = latest = _fail


async def test_the_registry_can_be_read_while_the_store_is_away(world: World) -> None:
    async with world.client(readings=AwayStore()) as client:
        listed = await client.get(f"{P}/devices")
        one = await client.get(f"{P}/devices/{AIR}")
    assert {row["id"]: row["state"] for row in listed.json()["items"]}[AIR] == "healthy"
    DeviceDetail.model_validate(one.json())
    shown = one.json()
    assert (one.status_code, shown["state"], shown["readings"]) == (200, "healthy", [])
    assert "does not answer" in shown["readings_problem"]
    assert shown["readings_problem"] == listed.json()["readings_problem"]


async def test_readings_that_are_there_have_no_problem(world: World) -> None:
    async with world.client() as client:
        answers = [(await client.get(f"{P}/devices{path}")).json() for path in ("", f"/{AIR}")]
    assert [answer["readings_problem"] for answer in answers] == [None, None]


async def test_places_are_those_of_the_city(world: World) -> None:
    async with world.client() as client:
        body = (await client.get(f"{P}/places")).json()
    assert (body["city"], body["time_zone"]) == ("Havířov", "Europe/Prague")
    parts = [row for row in body["items"] if row["kind"] == "part"]
    assert sum(row["population"] for row in parts) == 68947
    assert {row["parent"] for row in parts} == {"havirov"}


async def test_quantities_list_the_units_that_they_take(world: World) -> None:
    async with world.client() as client:
        rows = {row["id"]: row for row in (await client.get(f"{P}/quantities")).json()["items"]}
    assert rows.keys() == {quantity.id for quantity in world.services.quantities}
    assert (rows["pm10"]["unit"], rows["air_temperature"]["unit"]) == ("ug/m3", "Cel")
    assert "K" in rows["air_temperature"]["units"]
