# SPDX-License-Identifier: EUPL-1.2
"""Alive and ready."""

import asyncio
from typing import Any

import pytest

from hub.core.errors import Retry
from hub.core.ports import PartHealth
from tests.api.conftest import World, healthy

P = "/api/v1/health"


async def sick() -> PartHealth:
    return PartHealth("readings", False, "disk of 10.0.0.7 is full", "Make room.")


async def hanging() -> PartHealth:
    await asyncio.sleep(3600)
    return PartHealth("never", True, "")


async def away() -> PartHealth:
    raise Retry("database is away")


async def broken() -> PartHealth:
    raise KeyError("secret")


async def test_ready_lists_every_part(world: World) -> None:
    async with world.client() as client:
        answer = await client.get(f"{P}/ready")
    assert answer.status_code == 200
    assert [part["part"] for part in answer.json()["parts"]] == ["broker", "readings (SQLite)"]


@pytest.mark.parametrize(
    ("check", "part"),
    [
        (sick, {"part": "readings", "ok": False, "detail": "disk of 10.0.0.7 is full", "hint": "Make room."}),
        (hanging, {"part": "hanging", "ok": False, "detail": "no answer within 0.05 s"}),
        (away, {"part": "away", "ok": False, "detail": "database is away"}),
        (broken, {"part": "broken", "ok": False, "detail": "the check itself failed"}),
    ],
)
async def test_one_sick_part_makes_503_and_says_what_to_do(world: World, check: Any, part: dict[str, Any]) -> None:
    async with world.client(health=[healthy, check], check_seconds=0.05) as client:
        answer = await client.get(f"{P}/ready")
        live = await client.get(f"{P}/live")
    assert (answer.status_code, answer.json()["ready"]) == (503, False)
    assert answer.json()["parts"][0]["ok"]
    assert part.items() <= answer.json()["parts"][1].items()
    assert answer.json()["parts"][1]["hint"]
    assert live.status_code == 200


async def test_strangers_learn_which_part_is_sick_but_not_why(world: World) -> None:
    async with world.client(health=[sick], read_requires_key=True) as client:
        answer = await client.get(f"{P}/ready")
        told = await client.get(f"{P}/ready", headers={"X-API-Key": world.keys["read"]})
    assert answer.json()["parts"] == [{"part": "readings", "ok": False, "detail": None, "hint": None}]
    assert told.json()["parts"][0]["detail"] == "disk of 10.0.0.7 is full"
