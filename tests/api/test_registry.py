# SPDX-License-Identifier: EUPL-1.2
"""Changing devices and places: on what is there, by whom it is allowed, with nothing half-written."""

import io
from typing import Any

import pytest
from PIL import Image

from tests.api.conftest import AIR, SITE, World

P = "/api/v1"
URL = f"{P}/devices/{AIR}"


async def test_a_patch_changes_what_is_given_and_a_second_one_on_the_same_state_is_refused(world: World) -> None:
    async with world.client("write") as client:
        seen = (await client.get(URL)).headers["ETag"]
        first = await client.patch(URL, json={"title": "New", "tags": ["roof"]}, headers={"If-Match": seen})
        second = await client.patch(URL, json={"title": "Newer"}, headers={"If-Match": seen})
        blind = await client.patch(URL, json={"title": "Newest"})
    assert (first.status_code, first.json()["title"], first.json()["interval"]) == (200, "New", 900)
    assert (second.status_code, blind.status_code) == (412, 428)
    assert world.ledger.devices.snapshot().devices[AIR].tags == ("roof",)


@pytest.mark.parametrize(
    "patch",
    [
        {"interval": 0},
        {"grade": "best"},
        {"colour": "red"},
        {"model": "no-such-model"},
        {"tags": ["a\x00b"]},
        {"connector": ""},
    ],
)
async def test_a_bad_field_changes_nothing(world: World, patch: dict[str, Any]) -> None:
    before = world.ledger.devices.snapshot().devices[AIR]
    async with world.client("write") as client:
        answer = await client.patch(URL, json=patch, headers={"If-Match": "*"})
    assert answer.status_code == 422
    assert next(iter(patch)) in answer.text
    assert world.ledger.devices.snapshot().devices[AIR] == before


async def test_a_device_is_moved_and_its_history_corrected(world: World) -> None:
    async with world.client("write") as client:
        moved = await client.post(f"{URL}/mount", json={"place": "havirov/mesto", "height": 3.5})
        history = [{"place": SITE, "from": "2026-01-01T00:00:00Z"}]
        tag = (await client.get(URL)).headers["ETag"]
        corrected = await client.put(f"{URL}/mountings", json={"mountings": history}, headers={"If-Match": tag})
    assert (moved.json()["place"], moved.json()["mountings"][-1]["height"]) == ("havirov/mesto", 3.5)
    assert [row["place"] for row in corrected.json()["mountings"]] == [SITE]


async def test_notes_and_photos_come_and_go(world: World) -> None:
    out = io.BytesIO()
    Image.new("RGB", (30, 20), "red").save(out, "PNG")
    async with world.client("write") as client:
        note = (await client.post(f"{URL}/notes", json={"text": "key at the porter's"})).json()
        made = await client.post(
            f"{URL}/photos?caption=wall", content=out.getvalue(), headers={"Content-Type": "image/png"}
        )
        shown = await client.get(made.json()["url"])
        listed = (await client.get(f"{URL}/photos")).json()["items"]
        gone = [await client.delete(f"{URL}/notes/{note['id']}"), await client.delete(made.json()["url"])]
        left = [(await client.get(f"{URL}/{kind}")).json()["items"] for kind in ("notes", "photos")]
    assert (made.status_code, listed) == (201, [made.json()])
    assert (shown.headers["Content-Type"], Image.open(io.BytesIO(shown.content)).size) == ("image/jpeg", (30, 20))
    assert ([answer.status_code for answer in gone], left) == ([204, 204], [[], []])


@pytest.mark.parametrize(
    ("content", "media", "status", "cure"),
    [
        (b"x" * 10_000_000, "image/jpeg", 413, "less than 10 MB"),
        (b"x" * 33_000_000, "image/jpeg", 413, "at most"),
        (b"%PDF", "application/pdf", 415, "image/jpeg"),
        (b"%PDF", "image/jpeg", 422, "is no picture"),
    ],
)
async def test_what_is_no_photo_is_refused(world: World, content: bytes, media: str, status: int, cure: str) -> None:
    async with world.client("write") as client:
        answer = await client.post(f"{URL}/photos", content=content, headers={"Content-Type": media})
    assert (answer.status_code, cure in answer.text) == (status, True)
    assert world.ledger.records.photos(f"device:{AIR}") == []


@pytest.mark.parametrize(
    ("changes", "status", "cure"),
    [
        ({}, 201, ""),
        ({"latitude": 18.4, "longitude": 49.78}, 422, "swapped"),
        ({"latitude": 50.08, "longitude": 14.42}, 422, "outside_city"),
        ({"latitude": 50.08, "longitude": 14.42, "outside_city": True}, 201, ""),
        ({"latitude": 49.78, "longitude": None}, 422, "go together"),
        ({"id": "nowhere/site"}, 404, "does not exist"),
        ({"id": "havirov/a b"}, 422, "place id"),
        ({"id": SITE}, 409, "exists already"),
    ],
)
async def test_places_are_checked(world: World, changes: dict[str, Any], status: int, cure: str) -> None:
    place = {"id": f"{SITE}/school", "kind": "site", "title": {"cs": "Škola", "en": "School"}}
    place |= {"latitude": 49.796, "longitude": 18.405} | changes
    async with world.client("write") as client:
        answer = await client.post(f"{P}/places", json=place)
    assert (answer.status_code, cure in answer.text) == (status, True), answer.text


async def test_a_facility_is_described_and_found(world: World) -> None:
    site, url = f"{SITE}/pool", f"{P}/facilities/{SITE}/pool"
    async with world.client("write") as client:
        await client.post(f"{P}/places", json={"id": site, "kind": "facility", "title": {"cs": "Bazén", "en": "Pool"}})
        made = await client.put(url, json={"category": "pool", "capacity": 200})
        blind = await client.put(url, json={"category": "pool"})
        found = (await client.get(f"{P}/facilities?category=pool&place=havirov")).json()["items"]
    assert (made.status_code, blind.status_code, [row["place"] for row in found]) == (200, 428, [site])


async def test_a_draft_is_its_owners_alone_and_the_audit_is_for_few(world: World) -> None:
    async with world.client("write") as client:
        kept = await client.put(f"{P}/drafts/d-1", json={"kind": "device", "document": {"title": "A"}})
        assert (await client.get(f"{P}/drafts/d-1")).json() == kept.json()
        assert (await client.get(f"{P}/audit")).status_code == 403
    async with world.client("admin") as client:
        assert (await client.get(f"{P}/drafts/d-1")).status_code == 404
        rows = (await client.get(f"{P}/audit?subject={AIR}&limit=1")).json()["items"]
    assert [row["subject"] for row in rows] == [AIR]


async def test_a_device_takes_from_its_model_what_is_not_said(world: World) -> None:
    model = next(row for row in world.services.models.values() if row.connector and row.interval)
    body = {"id": "new-1", "model": model.id, "external_id": "0a0b0c0d0e0f0001"}
    async with world.client("write") as client:
        listed = {row["id"] for row in (await client.get(f"{P}/models")).json()["items"]}
        facts = (await client.get(f"{P}/models/{model.id}")).json()["facts"]
        made = (await client.post(f"{P}/devices", json=body)).json()
        wrong = await client.post(f"{P}/devices", json={"id": "new-2", "model": "no-such-model"})
    assert (model.id in listed, facts["vendor"]) == (True, model.vendor)
    assert (made["connector"], made["interval"], made["grade"]) == (model.connector, model.interval, model.grade)
    assert (wrong.status_code, "no model" in wrong.text) == (422, True)
