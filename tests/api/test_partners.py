# SPDX-License-Identifier: EUPL-1.2
"""A partner works on what is its own; to it, all else is not there. And changes that say what they are based on."""

from typing import Any

import httpx
import pytest

from tests.api.conftest import AIR, SITE, World

P = "/api/v1"
POOL = f"{P}/facilities/{SITE}/pool"
TITLE = {"cs": "Bazén", "en": "Pool"}


def partner(world: World) -> httpx.AsyncClient:
    """A client of the partner `gasworks`."""
    key = world.ledger.keys.create("gas", frozenset({"partner"}), partner="gasworks")[1]
    client = world.client()
    client.headers["Authorization"] = f"Bearer {key}"
    return client


async def test_what_a_partner_registers_is_its_own_and_stays_so(world: World) -> None:
    async with partner(world) as client:
        made = await client.post(f"{P}/devices", json={"id": "gas-1", "place": SITE, "owner": "somebody"})
        given = await client.patch(f"{P}/devices/gas-1", json={"owner": "somebody"}, headers={"If-Match": "*"})
        titled = await client.patch(f"{P}/devices/gas-1", json={"title": "Gas"}, headers={"If-Match": "*"})
        listed = [row["id"] for row in (await client.get(f"{P}/devices")).json()["items"]]
    assert (made.status_code, made.json()["owner"], titled.status_code) == (201, "gasworks", 200)
    assert (given.status_code, "cannot give" in given.text, listed) == (422, True, ["gas-1"])


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("GET", "", None),
        ("PATCH", "", {"title": "mine"}),
        ("DELETE", "", None),
        ("POST", "/mount", {"place": SITE}),
        ("POST", "/notes", {"text": "mine"}),
        ("GET", "/notes", None),
        ("GET", "/photos", None),
        ("GET", "/hardware", None),
        ("GET", "/certificates", None),
        ("GET", "/maintenance", None),
    ],
)
async def test_a_device_of_the_city_is_not_there_for_a_partner(world: World, method: str, path: str, body: Any) -> None:
    before = world.ledger.devices.snapshot().devices[AIR]
    async with partner(world) as client:
        answer = await client.request(method, f"{P}/devices/{AIR}{path}", json=body, headers={"If-Match": "*"})
    assert answer.status_code == 404, answer.text
    assert world.ledger.devices.snapshot().devices[AIR] == before


async def test_a_partner_changes_the_facility_that_was_given_to_it_and_no_other(world: World) -> None:
    async with world.client("write") as client:
        await client.post(f"{P}/places", json={"id": f"{SITE}/pool", "kind": "facility", "title": TITLE})
        made = await client.put(POOL, json={"category": "pool", "owner": "waterworks"})
        async with partner(world) as stranger:
            hidden = [await stranger.get(POOL), await stranger.put(POOL, json={"category": "pool"})]
        tag = {"If-Match": f'"r{made.json()["revision"]}"'}
        assert (await client.patch(POOL, json={"owner": "gasworks"}, headers=tag)).status_code == 200
    async with partner(world) as client:
        changed = await client.patch(POOL, json={"capacity": 250}, headers={"If-Match": "*"})
        away = await client.patch(POOL, json={"owner": "waterworks"}, headers={"If-Match": "*"})
        other = await client.put(f"{P}/facilities/{SITE}", json={"category": "pool"})
        gone = await client.delete(POOL)
    assert [answer.status_code for answer in hidden] == [404, 404]
    assert (changed.json()["capacity"], changed.json()["owner"]) == (250.0, "gasworks")
    assert (away.status_code, other.status_code, gone.status_code) == (422, 404, 403)


async def test_some_fields_of_a_place_change_on_what_was_seen(world: World) -> None:
    url = f"{P}/places/{SITE}"
    async with world.client("write") as client:
        tag = {"If-Match": (await client.get(url)).headers["ETag"]}
        first = await client.patch(url, json={"population": 17}, headers=tag)
        second = await client.patch(url, json={"population": 18}, headers=tag)
        swapped = await client.patch(url, json={"latitude": 18.4, "longitude": 49.8}, headers={"If-Match": "*"})
        blind = await client.patch(url, json={"population": 19})
    assert [a.status_code for a in (first, second, swapped, blind)] == [200, 412, 422, 428]
    assert (first.json()["population"], first.json()["title"]["cs"]) == (17, "Šumbark")
    assert world.ledger.devices.snapshot().places[SITE].population == 17


async def test_what_changed_since_it_was_seen_is_not_removed(world: World) -> None:
    place, stale = f"{P}/places/{SITE}/pool", {"If-Match": '"r0"'}
    async with world.client("write") as client:
        await client.post(f"{P}/places", json={"id": f"{SITE}/pool", "kind": "facility", "title": TITLE})
        await client.put(POOL, json={"category": "pool"})
        urls = (POOL, place, f"{P}/devices/{AIR}")
        refused = [(await client.delete(url, headers=stale)).status_code for url in urls]
        removed = []
        for url in urls:
            fresh = {"If-Match": (await client.get(url)).headers["ETag"]}
            removed.append((await client.delete(url, headers=fresh)).status_code)
    assert (refused, removed) == ([412, 412, 412], [204, 204, 204])


@pytest.mark.parametrize("name", ["a/b", "a+b", "a#", "a b", "a\x07", ""])
async def test_an_id_that_is_not_safe_in_topics_is_refused(world: World, name: str) -> None:
    before = set(world.ledger.devices.snapshot().devices)
    async with world.client("write") as client:
        answer = await client.post(f"{P}/devices", json={"id": name})
    assert (answer.status_code, answer.json()["errors"][0]["name"]) == (422, "id")
    assert set(world.ledger.devices.snapshot().devices) == before


async def test_a_double_id_and_a_double_name_in_messages_are_refused(world: World) -> None:
    same = {"id": "n1", "connector": "chirpstack", "external_id": "0102030405060708"}
    async with world.client("write") as client:
        double = await client.post(f"{P}/devices", json={"id": AIR})
        taken = await client.post(f"{P}/devices", json=same)
    assert (double.status_code, "registered already" in double.text) == (409, True)
    assert (taken.status_code, "lora-7" in taken.text) == (409, True)
