# SPDX-License-Identifier: EUPL-1.2
"""Corrections over HTTP: made, listed, withdrawn, previewed; each refusal names its field."""

import csv
import io
from typing import Any

import pytest

from hub.api.schemas.corrections import CorrectionOut, CorrectionPage, PreviewOut
from hub.core.windows import HOUR, format_instant
from tests.api.conftest import AIR, MINUTE, NOW, SITE, World
from tests.api.test_devices import pages

P = "/api/v1/corrections"
GIVEN: dict[str, Any] = {
    "device": AIR,
    "quantity": "pm10",
    "from": format_instant(NOW - HOUR),
    "to": format_instant(NOW - 20 * MINUTE),
    "action": "exclude",
    "reason": "sensor was in a bag",
}


async def test_a_correction_is_made_read_and_withdrawn(world: World) -> None:
    async with world.client("write") as client:
        made = await client.post(P, json=GIVEN)
        one = await client.get(made.headers["Location"])
        gone = await client.post(f"{P}/1/withdraw", json={"reason": "it was another device"})
        after = (await client.get(f"{P}/1")).json()
    assert (made.status_code, gone.status_code) == (201, 201)
    assert made.json() == one.json()
    CorrectionOut.model_validate(one.json())
    assert {k: one.json()[k] for k in ("by", "in_effect", "withdrawn_by")} == {
        "by": "write", "in_effect": True, "withdrawn_by": None,
    }  # fmt: skip
    assert {k: gone.json()[k] for k in ("id", "action", "withdraws", "from", "to", "reason")} == {
        "id": 2, "action": "withdraw", "withdraws": 1, "from": GIVEN["from"], "to": GIVEN["to"],
        "reason": "it was another device",
    }  # fmt: skip
    assert (after["in_effect"], after["withdrawn_by"]) == (False, 2)
    assert [e.action for e in world.ledger.audit.entries(AIR, limit=2)] == ["correction.withdraw", "correction.add"]


async def test_a_calibration_is_applied_to_readings_at_once(world: World) -> None:
    given = {**GIVEN, "action": "calibrate", "scale": 2.0, "shift": -0.6}
    query = f"/api/v1/readings?device={AIR}&quantity=pm10&from={GIVEN['from']}&to={GIVEN['to']}"
    async with world.client("write") as client:
        (await client.post(P, json=given)).raise_for_status()
        corrected = (await client.get(query)).json()["items"]
        stored = (await client.get(f"{query}&as_stored=true")).json()["items"]
    assert [row["value"] for row in stored] == [20.3]
    assert [row["value"] for row in corrected] == [40.0]


async def test_the_list_has_pages_filters_and_an_etag(world: World) -> None:
    async with world.client("write") as client:
        for change in ({}, {"quantity": None, "action": "maintenance"}, {"device": "sim-1"}):
            (await client.post(P, json={**GIVEN, **change})).raise_for_status()
        (await client.post(f"{P}/1/withdraw", json={"reason": "dry"})).raise_for_status()
        listed = [row for page in await pages(client, P, limit=1) for row in page]
        whole = await client.get(P)
        unchanged = await client.get(P, headers={"If-None-Match": whole.headers["ETag"]})
        asked = {
            query: [row["id"] for row in (await client.get(f"{P}?{query}")).json()["items"]]
            for query in (f"device={AIR}", "device=sim-1", "quantity=pm10", "quantity=no2", "in_effect=true")
        }
    CorrectionPage.model_validate(whole.json())
    assert listed == whole.json()["items"]
    assert [(row["id"], row["in_effect"]) for row in listed] == [(1, False), (2, True), (3, True), (4, False)]
    assert asked == {
        f"device={AIR}": [1, 2, 4], "device=sim-1": [3], "quantity=pm10": [1, 2, 3, 4], "quantity=no2": [2],
        "in_effect=true": [2, 3],
    }  # fmt: skip
    assert unchanged.status_code == 304


async def test_the_list_as_csv_carries_what_json_carries(world: World) -> None:
    async with world.client("write") as client:
        (await client.post(P, json={**GIVEN, "action": "calibrate", "scale": 1.5})).raise_for_status()
        answer = await client.get(f"{P}?dialect=cs", headers={"Accept": "text/csv"})
    (row,) = csv.DictReader(io.StringIO(answer.content.decode("utf-8-sig")), delimiter=";")
    assert (row["id"], row["scale"], row["shift"], row["by"]) == ("1", "1,5", "", "write")
    assert (row["reason"], row["in_effect"]) == ("sensor was in a bag", "true")


REFUSED: dict[str, tuple[dict[str, Any], int, str]] = {
    "unknown device": ({"device": "air-9"}, 404, "no device 'air-9' is registered"),
    "unknown quantity": ({"quantity": "pm100"}, 422, "unknown quantity 'pm100'; did you mean pm10"),
    "reversed": ({"to": GIVEN["from"]}, 422, "to: must be after `from`"),
    "without reason": ({"reason": " "}, 422, "reason: must not be empty"),
    "no flag": ({"action": "override_flag"}, 422, "flag: None is none of 1, 2, 3, 4, 9"),
    "nothing to calibrate": ({"action": "calibrate"}, 422, "scale: calibrate needs a scale other than 1"),
    "withdraw as action": ({"action": "withdraw"}, 422, "action"),
    "no time zone": ({"from": "2026-11-20T00:00:00"}, 422, "has no time zone"),
}


@pytest.mark.parametrize(("change", "status", "words"), REFUSED.values(), ids=REFUSED)
async def test_what_makes_no_sense_is_refused_by_name(
    world: World, change: dict[str, Any], status: int, words: str
) -> None:
    async with world.client("write") as client:
        answer = await client.post(P, json={**GIVEN, **change})
        listed = (await client.get(P)).json()["items"]
    assert answer.status_code == status, answer.text
    assert words in answer.json()["detail"]
    assert listed == []


async def test_the_same_twice_and_a_second_withdrawal_are_conflicts(world: World) -> None:
    async with world.client("write") as client:
        (await client.post(P, json=GIVEN)).raise_for_status()
        again = await client.post(P, json={**GIVEN, "reason": "sent again"})
        (await client.post(f"{P}/1/withdraw", json={"reason": "dry"})).raise_for_status()
        twice = await client.post(f"{P}/1/withdraw", json={"reason": "dry"})
        foreign = await client.post(f"{P}/77/withdraw", json={"reason": "dry"})
    assert (again.status_code, twice.status_code, foreign.status_code) == (409, 409, 404)
    assert "correction 1 of write does this already" in again.json()["detail"]


@pytest.mark.parametrize(("key", "status"), [(None, 401), ("read", 403)])
async def test_correcting_needs_a_key_that_may_write(world: World, key: str | None, status: int) -> None:
    async with world.client(key) as client:
        made = await client.post(P, json=GIVEN)
        gone = await client.post(f"{P}/1/withdraw", json={"reason": "x"})
    assert (made.status_code, gone.status_code) == (status, status)
    assert world.ledger.corrections.after() == []


async def test_a_preview_tells_readings_and_windows_and_makes_nothing(world: World) -> None:
    world.ledger.corrections.add(AIR, NOW - HOUR, NOW - 20 * MINUTE, "exclude", by="x", reason="y")
    query = {name: GIVEN[name] for name in ("device", "from", "action")} | {"to": format_instant(NOW)}
    async with world.client("read") as client:
        all_of_it = (await client.get(f"{P}/preview", params=query)).raise_for_status().json()
        one = (await client.get(f"{P}/preview", params={**query, "quantity": "pm10"})).json()
        none = (await client.get(f"{P}/preview", params={**query, "quantity": "no2"})).json()
        unknown = await client.get(f"{P}/preview", params={**query, "device": "air-9"})
        reversed_ = await client.get(f"{P}/preview", params={**query, "to": GIVEN["from"]})
    PreviewOut.model_validate(all_of_it)
    told = [(row["quantity"], row["readings"], row["removed_already"]) for row in all_of_it["concerned"]]
    assert told == [("air_temperature", 1, 1), ("pm10", 2, 1)]
    assert (one["what"], one["readings"]) == (f"exclude pm10 of {AIR}", 2)
    windows = {(row["indicator"], row["place"]): row["windows"] for row in one["touched"]}
    assert windows["eaqi_2024", SITE] == 1
    assert windows["pm10_day_mean", SITE] == 1
    assert {place for _, place in windows} >= {SITE}
    assert (none["readings"], none["touched"]) == (0, [])
    assert (unknown.status_code, reversed_.status_code) == (404, 422)
    assert len(world.ledger.corrections.after()) == 1
