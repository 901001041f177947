# SPDX-License-Identifier: EUPL-1.2
"""Quarantine and orders."""

import base64
from typing import Any

import pytest

from hub.core.journal import JournalBatch
from hub.core.reasons import REASONS
from hub.devices.set_aside import payload_view
from hub.ingest.orders import order_of, purge
from tests.api.conftest import AIR, MINUTE, NOW, World, set_aside
from tests.api.test_devices import pages

P = "/api/v1"


async def test_messages_come_newest_first_with_reason_and_cure(world: World) -> None:
    async with world.client() as client:
        rows = (await client.get(f"{P}/quarantine")).json()["items"]
        czech = (await client.get(f"{P}/quarantine", headers={"Accept-Language": "cs"})).json()["items"]
    assert [(row["id"], row["reason"]) for row in rows] == [
        ("0-3", "unknown_device"),
        ("0-2", "malformed"),
        ("0-1", "unknown_device"),
    ]
    assert rows[0]["title"] == "New device"
    assert rows[0]["hint"].startswith("Register the device")
    assert (czech[0]["title"], czech[1]["title"]) == ("Nové zařízení", "Obsah nelze přečíst")


@pytest.mark.parametrize("reason", [*REASONS, "of_a_later_release"])
async def test_every_reason_has_words_in_both_languages(world: World, reason: str) -> None:
    await world.journals[0].commit(JournalBatch(quarantined=[set_aside(b"", reason=reason, topic="x")]))
    async with world.client() as client:
        for language in ("en", "cs"):
            answer = await client.get(f"{P}/quarantine?reason={reason}", headers={"Accept-Language": language})
            row = answer.json()["items"][0]
            assert row["title"], language
            assert row["hint"], language


async def test_payloads_are_shown_with_a_key_only(world: World) -> None:
    async with world.client() as client:
        open_rows = (await client.get(f"{P}/quarantine")).json()["items"]
    async with world.client("read") as client:
        rows = (await client.get(f"{P}/quarantine")).json()["items"]
        whole = (await client.get(f"{P}/quarantine/0-2")).json()["payload"]
    assert [row["payload"] for row in open_rows] == [None, None, None]
    assert rows[2]["payload"] == {
        "encoding": "text",
        "content": '{"readings": {"pm10": 20.3}}',
        "bytes": 28,
        "truncated": False,
    }
    assert (rows[1]["payload"]["encoding"], rows[1]["payload"]["truncated"]) == ("base64", True)
    assert base64.b64decode(whole["content"]) == bytes(range(256)) * 4


@pytest.mark.parametrize(
    ("payload", "shown", "encoding", "content"),
    [
        (b"", 10, "text", ""),
        ("žluťoučký\n".encode(), 50, "text", "žluťoučký\n"),
        ("aaaž".encode(), 4, "text", "aaa"),
        ("aa\N{GRINNING FACE}b".encode(), 5, "text", "aa"),
        (b"\xff\xfe", 10, "base64", "//4="),
        (b"a\x00b", 10, "base64", "YQBi"),
        (b"\x1b[31mred", 10, "base64", "G1szMW1yZWQ="),
        ("a\N{RIGHT-TO-LEFT OVERRIDE}b".encode(), 10, "base64", "YeKArmI="),
        (b"abc\xff", 4, "base64", "YWJj/w=="),
    ],
)
def test_a_preview_is_plain_text_or_base64(payload: bytes, shown: int, encoding: str, content: str) -> None:
    view = payload_view(payload, shown)
    assert (view["encoding"], view["content"]) == (encoding, content)
    assert (view["bytes"], view["truncated"]) == (len(payload), len(payload) > shown)


def test_a_payload_of_which_only_the_beginning_was_kept_says_so() -> None:
    view = payload_view(b"abc", 10, size=5_000_000)
    assert (view["content"], view["bytes"], view["truncated"]) == ("abc", 5_000_000, True)


async def test_refused_messages_can_be_listed_by_their_state(world: World) -> None:
    await world.journals[0].commit(JournalBatch(quarantined=[set_aside(b"x", state="refused")]))
    async with world.client() as client:
        rows = (await client.get(f"{P}/quarantine?state=refused")).json()["items"]
        unknown = await client.get(f"{P}/quarantine?state=lost")
    assert [(row["id"], row["state"]) for row in rows] == [("0-4", "refused")]
    assert unknown.status_code == 422


@pytest.mark.parametrize(
    ("query", "ids"),
    [
        ({"reason": "malformed"}, ["0-2"]),
        ({"external_id": "new-1"}, ["0-3", "0-2", "0-1"]),
        ({"external_id": "new-2"}, []),
        ({"connector": "chirpstack"}, []),
        ({"state": "any"}, ["0-3", "0-2", "0-1"]),
        ({"state": "redriven"}, []),
    ],
)
async def test_filters(world: World, query: dict[str, str], ids: list[str]) -> None:
    async with world.client() as client:
        rows = (await client.get(f"{P}/quarantine", params=query)).json()["items"]
    assert [row["id"] for row in rows] == ids


async def test_pages_over_two_journals_neither_repeat_nor_skip_while_messages_come_in(world: World) -> None:
    """Also where the clock of one was set back, so that ids and arrivals disagree."""
    arrivals = [0, 4, 8, 12, 9, 10, 16]
    old = [set_aside(b"x", NOW - 60 * MINUTE + n * MINUTE, topic="b") for n in arrivals]
    await world.journals[1].commit(JournalBatch(quarantined=old))
    async with world.client() as client:
        first = (await client.get(f"{P}/quarantine?limit=4")).json()
        await world.journals[0].commit(JournalBatch(quarantined=[set_aside(b"new", NOW, topic="c")]))
        rest = await pages(client, f"{P}/quarantine", limit=2, cursor=first["next"])
    ids = [row["id"] for page in (first["items"], *rest) for row in page]
    assert ids == ["0-3", "0-2", "0-1", *(f"1-{n}" for n in range(7, 0, -1))]


@pytest.mark.parametrize(
    ("body", "matching", "arguments"),
    [
        ({"ids": ["0-1", "0-3"]}, 2, [{"shard": 0, "ids": [1, 3]}]),
        ({"reason": "malformed"}, 1, [{"shard": 0, "reason": "malformed"}]),
        (
            {"connector": "native", "external_id": "new-1"},
            3,
            [{"shard": 0, "connector": "native", "external_id": "new-1"}],
        ),
    ],
)
async def test_a_redrive_leaves_an_order_that_ingest_understands(
    world: World, body: dict[str, Any], matching: int, arguments: list[dict[str, Any]]
) -> None:
    async with world.client("write") as client:
        answer = (await client.post(f"{P}/quarantine/redrive", json=body)).raise_for_status().json()
        orders = (await client.get(f"{P}/commands")).json()["items"]
        (number,) = answer["commands"]
        waiting = (await client.get(f"{P}/commands/{number}")).json()
        world.ledger.commands.done(number, {"tried": matching, "redriven": matching, "waiting": 0})
        done = (await client.get(f"{P}/commands/{number}")).json()
    assert answer["matching"] == matching
    assert [order["arguments"] for order in orders] == arguments
    assert (waiting["done"], waiting["result"]) == (False, None)
    assert (done["done"], done["result"]["redriven"]) == (True, matching)


async def test_ids_and_a_filter_together_are_refused(world: World) -> None:
    async with world.client("write") as client:
        answer = await client.post(f"{P}/quarantine/redrive", json={"ids": ["0-1"], "reason": "malformed"})
    assert answer.status_code == 422
    assert world.ledger.commands.pending() == []


async def test_a_redrive_goes_to_each_worker_that_has_something_to_do(world: World) -> None:
    await world.journals[1].commit(JournalBatch(quarantined=[set_aside(b"x", reason="malformed")]))
    async with world.client("write") as client:
        (await client.post(f"{P}/quarantine/redrive", json={"reason": "malformed"})).raise_for_status()
        (await client.post(f"{P}/quarantine/redrive", json={"ids": ["1-1", "0-1"]})).raise_for_status()
    left = [order.arguments for order in world.ledger.commands.pending()]
    assert left[:2] == [{"shard": 0, "reason": "malformed"}, {"shard": 1, "reason": "malformed"}]
    assert left[2:] == [{"shard": 0, "ids": [1]}, {"shard": 1, "ids": [1]}]


async def test_more_filters(world: World) -> None:
    old = set_aside(b"x", NOW - 60 * MINUTE, topic="a/b/c", device="air-9", reason="malformed")
    await world.journals[1].commit(JournalBatch(quarantined=[old]))
    async with world.client() as client:
        for query in (
            {"topic": "a/b/c"},
            {"topic": "a/#"},
            {"device": "air-9"},
            {"from": "2026-11-23T11:00:00Z", "to": "2026-11-23T11:00:01Z"},
        ):
            rows = (await client.get(f"{P}/quarantine", params=query)).json()["items"]
            assert [row["id"] for row in rows] == ["1-1"], query


async def test_a_purge_is_ordered_with_reason_and_name_and_then_seen(world: World) -> None:
    async with world.client("admin") as client:
        body = {"external_id": "new-1", "to": "2026-11-23T12:00:00Z", "why": "test device"}
        answer = (await client.post(f"{P}/quarantine/purge", json=body)).raise_for_status().json()
        [command] = world.ledger.commands.pending()
        order = order_of(command.arguments, lambda _, name: name)
        assert (answer["matching"], answer["commands"]) == (3, [command.id])
        assert command.arguments == {
            "shard": 0,
            "state": "waiting",
            "external_id": "new-1",
            "until": NOW,
            "why": "test device",
            "by": "admin",
        }
        assert await purge(world.journals[0], order, NOW) == {"purged": 3}
        row = (await client.get(f"{P}/quarantine/0-1")).json()
        again = await client.post(f"{P}/quarantine/purge", json=body)
    assert (row["state"], row["why"], row["by"], row["changed"]) == (
        "purged",
        "test device",
        "admin",
        "2026-11-23T12:00:00Z",
    )
    assert row["payload"] == {"encoding": "text", "content": "", "bytes": 28, "truncated": True}
    assert again.status_code == 404


async def test_what_was_refused_is_said_to_be_gone_and_stays_refused_when_purged(world: World) -> None:
    samples = [set_aside(b"x", reason=reason, topic="x", state="refused") for reason in ("malformed", "too_large")]
    await world.journals[0].commit(JournalBatch(quarantined=samples))
    async with world.client("admin") as client:
        rows = (await client.get(f"{P}/quarantine?state=refused")).json()["items"]
        body = {"topic": "x", "state": "refused", "why": "seen"}
        answer = (await client.post(f"{P}/quarantine/purge", json=body)).raise_for_status().json()
        await purge(
            world.journals[0], order_of(world.ledger.commands.pending()[0].arguments, lambda _, name: name), NOW
        )
        states = [row["state"] for row in (await client.get(f"{P}/quarantine?state=any&topic=x")).json()["items"]]
    assert [row["hint"].split(":")[0] for row in rows] == [
        "Send fewer readings in one message; the limit is the setting ingest.max_payload_bytes.",
        "It is gone",
    ]
    assert "stay listed with state=refused" in answer["explanation"]
    assert states == ["refused", "refused"]


@pytest.mark.parametrize(
    "body",
    [
        {"why": "no filter"},
        {"external_id": "new-1"},
        {"external_id": "new-1", "why": "  "},
        {"external_id": "new-1", "why": "x", "state": "purged"},
        {"ids": ["0-1"], "topic": "a", "why": "x"},
    ],
)
async def test_a_purge_that_cannot_be_meant_is_refused(world: World, body: dict[str, Any]) -> None:
    async with world.client("admin") as client:
        assert (await client.post(f"{P}/quarantine/purge", json=body)).status_code == 422
    assert world.ledger.commands.pending() == []


async def test_a_foreign_device_is_ignored_until_it_is_taken_off(world: World) -> None:
    body = {"connector": "native", "external_id": "new-1", "why": "of a neighbour"}
    path = f"{P}/quarantine/ignored"
    async with world.client("write") as client:
        order = (await client.post(path, json=body)).raise_for_status().json()["command"]
        listed = (await client.get(path)).json()["items"]
        gone = await client.delete(path, params={"connector": "native", "external_id": "new-1"})
        again = await client.delete(path, params={"connector": "native", "external_id": "new-1"})
        registered = await client.post(path, json={**body, "external_id": AIR})
    assert world.ledger.commands.state(order).command.arguments == {"connector": "native", "external_id": "new-1"}
    assert listed == [{**body, "by": "write", "at": "2026-11-23T12:00:00Z"}]
    assert (gone.status_code, again.status_code, registered.status_code) == (204, 404, 409)
    assert f"is registered as device '{AIR}'" in registered.json()["detail"]
