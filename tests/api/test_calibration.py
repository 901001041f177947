# SPDX-License-Identifier: EUPL-1.2
"""Certificates and maintenance count through corrections; a picture that is removed is erased."""

import io
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from tests.api.conftest import AIR, World

P = "/api/v1"
URL = f"{P}/devices/{AIR}"
VALID = {"valid_from": "2026-11-01T00:00:00Z", "valid_to": "2027-11-01T00:00:00Z"}
GIVEN: dict[str, Any] = {
    "quantity": "pm10", "number": "123/2026", "laboratory": "ČMI", "issued": "2026-10-30", "scale": 1.1, **VALID,
}  # fmt: skip
WINDOW = {"from": "2026-11-20T08:00:00Z", "to": "2026-11-20T10:00:00Z", "reason": "works on the roof"}


async def test_a_certificate_becomes_a_correction_and_withdrawing_that_takes_it_out_of_force(world: World) -> None:
    async with world.client("write") as client:
        made = (await client.post(f"{URL}/certificates", json=GIVEN)).json()
        over = {**GIVEN, "valid_from": "2024-01-01T00:00:00Z", "valid_to": "2025-01-01T00:00:00Z"}
        await client.post(f"{URL}/certificates", json=over)
        listed = (await client.get(f"{URL}/certificates")).json()["items"]
        correction = (await client.get(f"{P}/corrections/{made['correction']}")).json()
        await client.post(f"{P}/corrections/{made['correction']}/withdraw", json={"reason": "mistyped"})
        after = (await client.get(f"{URL}/certificates")).json()["items"]
    assert (correction["action"], correction["scale"], correction["from"]) == ("calibrate", 1.1, VALID["valid_from"])
    assert [row["in_force"] for row in listed] == [False, True]
    assert [row["in_force"] for row in after] == [False, False]


async def test_a_certificate_that_corrects_nothing_is_in_force_without_a_correction(world: World) -> None:
    async with world.client("write") as client:
        made = (await client.post(f"{URL}/certificates", json={**GIVEN, "scale": 1.0})).json()
    assert (made["correction"], made["in_force"]) == (None, True)


async def test_maintenance_is_a_correction_that_shows_when_it_was_withdrawn(world: World) -> None:
    async with world.client("write") as client:
        made = await client.post(f"{URL}/maintenance", json=WINDOW)
        again = await client.post(f"{URL}/maintenance", json=WINDOW)
        await client.post(f"{P}/corrections/{made.json()['id']}/withdraw", json={"reason": "called off"})
        listed = (await client.get(f"{URL}/maintenance")).json()["items"]
    assert (made.status_code, made.json()["action"], again.status_code) == (201, "maintenance", 409)
    assert [(row["id"], row["in_effect"]) for row in listed] == [(made.json()["id"], False)]


@pytest.mark.parametrize(
    ("path", "body", "status", "cure"),
    [
        ("certificates", {**GIVEN, "quantity": "pm99"}, 422, "unknown quantity"),
        ("certificates", {**GIVEN, "issued": "2026-13-01"}, 422, "issued"),
        ("certificates", {**GIVEN, "valid_to": VALID["valid_from"]}, 422, "valid_to"),
        ("certificates", {**GIVEN, "scale": 0}, 422, "scale"),
        ("certificates", {**GIVEN, "number": " "}, 422, "number"),
        ("maintenance", {**WINDOW, "to": WINDOW["from"]}, 422, "after `from`"),
        ("maintenance", {**WINDOW, "reason": ""}, 422, "reason"),
    ],
)
async def test_a_bad_certificate_or_window_leaves_no_correction(
    world: World, path: str, body: dict[str, Any], status: int, cure: str
) -> None:
    async with world.client("write") as client:
        answer = await client.post(f"{URL}/{path}", json=body)
        none = await client.post(f"{P}/devices/none/{path}", json=body)
    assert (answer.status_code, cure in answer.text, none.status_code) == (status, True, 404), answer.text
    assert (world.ledger.corrections.after(), world.ledger.records.certificates(AIR)) == ([], [])


async def test_a_removed_picture_is_erased_unless_another_device_shows_it(world: World, tmp_path: Path) -> None:
    out = io.BytesIO()
    Image.new("RGB", (30, 20), "red").save(out, "PNG")
    async with world.client("write") as client:
        one, two = [
            (
                await client.post(
                    f"{P}/devices/{device}/photos", content=out.getvalue(), headers={"Content-Type": "image/png"}
                )
            ).json()["url"]
            for device in (AIR, "lora-7")
        ]
        first = await client.delete(one)
        kept = (await client.get(two)).status_code
        files = list((tmp_path / "data/photos").rglob("*.jpg"))
        second = await client.delete(two)
    assert (first.status_code, second.status_code, kept, len(files)) == (204, 204, 200, 1)
    assert list((tmp_path / "data/photos").rglob("*.jpg")) == []
