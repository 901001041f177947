# SPDX-License-Identifier: EUPL-1.2
"""Newcomers, the test bench, raw messages and states of all devices, over the API."""

import base64

import pytest

from hub.core.journal import JournalBatch, Quarantined, RawSample
from hub.core.readings import NS
from tests.api.conftest import AIR, MINUTE, NOW, SITE, World

P = "/api/v1"
NAME = {"connector": "native", "external_id": "fresh-1"}
PAYLOAD = b'{"readings": {"pm10": 20.3}}'


async def newcomer(world: World, messages: int = 5) -> None:
    """`fresh-1` has sent every 15 minutes."""
    rows = [
        Quarantined(
            received=NOW - 15 * MINUTE * number,
            topic="devices/fresh-1/readings",
            payload=PAYLOAD,
            reason="unknown_device",
            detail="native device 'fresh-1'",
            **NAME,
        )
        for number in range(messages, 0, -1)
    ]
    await world.journals[1].commit(JournalBatch(quarantined=rows))


async def test_a_newcomer_is_shown_with_what_it_says(world: World) -> None:
    await newcomer(world)
    async with world.client("write") as client:
        body = (await client.get(f"{P}/inbox")).raise_for_status().json()
    row = next(row for row in body["items"] if row["external_id"] == "fresh-1")
    assert (row["waiting"], row["topics"]) == (5, ["devices/fresh-1/readings"])
    assert row["payload"]["content"] == PAYLOAD.decode()
    assert [(r["quantity"], r["value"], r["unit"]) for r in row["decoded"]["readings"]] == [("pm10", 20.3, "ug/m3")]


async def test_a_proposal_has_the_interval_of_its_messages(world: World) -> None:
    await newcomer(world)
    async with world.client("write") as client:
        found = (await client.get(f"{P}/inbox/proposal", params=NAME)).raise_for_status().json()
    assert (found["id"], found["interval"], found["newcomer"]["waiting"]) == ("fresh-1", 900, 5)


async def test_a_claimed_newcomer_is_a_device_whose_messages_are_taken_in(world: World) -> None:
    await newcomer(world)
    async with world.client("write") as client:
        answer = await client.post(f"{P}/inbox/claim", json={"id": "air-2", "place": SITE, **NAME})
        after = (await client.get(f"{P}/inbox")).json()["items"]
        again = await client.post(f"{P}/inbox/claim", json={"id": "air-3", "place": SITE, **NAME})
    assert answer.status_code == 201, answer.text
    assert answer.json()["waiting"] == 5
    pending = {order.id: order for order in world.ledger.commands.pending()}
    assert {pending[order].arguments["external_id"] for order in answer.json()["commands"]} == {"fresh-1"}
    assert "fresh-1" not in {row["external_id"] for row in after}
    assert again.status_code == 409


async def test_an_ignored_newcomer_is_gone_until_it_is_ignored_no_longer(world: World) -> None:
    await newcomer(world)

    async with world.client("write") as client:
        await client.post(f"{P}/inbox/ignore", json={**NAME, "why": "of the neighbours"})
        gone = [row["external_id"] for row in (await client.get(f"{P}/inbox")).json()["items"]]
        assert (await client.delete(f"{P}/inbox/ignore", params=NAME)).status_code == 204
        back = [row["external_id"] for row in (await client.get(f"{P}/inbox")).json()["items"]]
    assert "fresh-1" not in gone
    assert "fresh-1" in back


@pytest.mark.parametrize(
    ("message", "verdict", "reasons"),
    [
        ({"topic": "devices/x/readings", "payload": PAYLOAD.decode()}, "decoded", []),
        (
            {"topic": "devices/x/readings", "payload": base64.b64encode(PAYLOAD).decode(), "encoding": "base64"},
            "decoded",
            [],
        ),
        ({"topic": "devices/x/readings", "payload": '{"readings": {"nothing_known": 1}}'}, "quarantined", None),
        ({"topic": "nobody/knows", "payload": "1"}, "quarantined", ["no_connector"]),
    ],
)
async def test_the_bench_says_what_a_message_means_or_why_not(
    world: World, message: dict[str, str], verdict: str, reasons: list[str] | None
) -> None:
    async with world.client("write") as client:
        found = (await client.post(f"{P}/bench/decode", json=message)).raise_for_status().json()
    assert found["verdict"] == verdict
    assert all(fault["hint"] for fault in found["faults"])
    if reasons is not None:
        assert [fault["reason"] for fault in found["faults"]] == reasons
    else:
        assert found["faults"]


async def test_what_is_no_base64_is_refused(world: World) -> None:
    async with world.client("write") as client:
        answer = await client.post(f"{P}/bench/decode", json={"topic": "t", "payload": "%%", "encoding": "base64"})
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["name"] == "payload"


async def test_raw_messages_of_a_device_are_shown_newest_first(world: World) -> None:
    samples = [
        RawSample(
            device=AIR, received=NOW - s * NS, connector="native", topic="t", payload=b"\xff", size=1, verdict="decoded"
        )
        for s in (60, 30)
    ]
    await world.journals[0].commit(JournalBatch(samples=samples, samples_kept=5))
    async with world.client("write") as client:
        rows = (await client.get(f"{P}/devices/{AIR}/raw")).raise_for_status().json()["items"]
        missing = await client.get(f"{P}/devices/nobody/raw")
    assert [row["received"] for row in rows] == ["2026-11-23T11:59:30Z", "2026-11-23T11:59:00Z"]
    assert rows[0]["payload"]["encoding"] == "base64"
    assert missing.status_code == 404


async def test_states_of_all_devices_are_counted(world: World) -> None:
    async with world.client() as client:
        body = (await client.get(f"{P}/devices/states", headers={"Accept-Language": "cs"})).raise_for_status().json()
    assert body["states"] == {"check_readings": 1, "silent": 1, "registered": 1}
    assert body["attention"] == 2


@pytest.mark.parametrize("path", ["/inbox", "/inbox/proposal?connector=native&external_id=x", f"/devices/{AIR}/raw"])
async def test_payloads_are_for_those_who_may_see_raw_messages(world: World, path: str) -> None:
    """A viewer and a partner read devices, and no payloads; nobody does without a key, not even on loopback."""
    secrets = {
        role: world.ledger.keys.create(role, frozenset({role}), partner="p" if role == "partner" else "")[1]
        for role in ("viewer", "partner", "technician")
    }
    async with world.client() as client:
        found = {
            role: (await client.get(f"{P}{path}", headers={"X-API-Key": secret})).status_code
            for role, secret in secrets.items()
        }
        nobody = await client.get(f"{P}{path}")
    assert found == {"viewer": 403, "partner": 403, "technician": 200}
    assert nobody.status_code == 401
