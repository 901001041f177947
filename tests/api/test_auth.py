# SPDX-License-Identifier: EUPL-1.2
"""Who may do what: every operation with no key and with a key of each scope, and what becomes of wrong keys."""

import logging
from itertools import product
from typing import Any

import pytest

from hub.api.auth import Throttle
from tests.api.conftest import AIR, SITE, World

READ = {"read", "write", "admin"}
WRITE = {"write", "admin"}
ALL = {"", "read", "write", "admin"}
ADMIN = {"admin"}
FOREIGN = {"connector": "native", "external_id": "x", "why": "not ours"}
P = "/api/v1"
NEW = {"id": "new-1", "place": SITE}
DAY, NEXT_DAY = "2026-11-20T00:00:00Z", "2026-11-21T00:00:00Z"
BAG = {"device": AIR, "action": "exclude", "from": DAY, "to": NEXT_DAY, "reason": "in a bag"}
SENT = {"device": AIR, "time": "2026-11-23T11:00:00Z", "readings": {"pm10": 1}}

# In the order of the requests: the device is removed last.
# operation -> (method, path, body, status when allowed, who may while reads are open, who may when they need a key)
TABLE: dict[str, tuple[str, str, Any, int, set[str], set[str]]] = {
    "live": ("GET", f"{P}/health/live", None, 200, ALL, ALL),
    "ready": ("GET", f"{P}/health/ready", None, 200, ALL, ALL),
    "list_problems": ("GET", f"{P}/problems", None, 200, ALL, ALL),
    "get_problem": ("GET", f"{P}/problems/internal", None, 200, ALL, ALL),
    "list_devices": ("GET", f"{P}/devices", None, 200, ALL, READ),
    "add_device": ("POST", f"{P}/devices", NEW, 201, WRITE, WRITE),
    "get_device": ("GET", f"{P}/devices/{AIR}", None, 200, ALL, READ),
    "list_places": ("GET", f"{P}/places", None, 200, ALL, READ),
    "list_quantities": ("GET", f"{P}/quantities", None, 200, ALL, READ),
    "list_readings": ("GET", f"{P}/readings?device={AIR}", None, 200, ALL, READ),
    "post_readings": ("POST", f"{P}/readings", SENT, 202, WRITE, WRITE),
    "list_corrections": ("GET", f"{P}/corrections", None, 200, ALL, READ),
    "add_correction": ("POST", f"{P}/corrections", BAG, 201, WRITE, WRITE),
    "preview_correction": (
        *("GET", f"{P}/corrections/preview?device={AIR}&action=exclude&from={DAY}&to={NEXT_DAY}", None, 200),
        *(ALL, READ),
    ),
    "get_correction": ("GET", f"{P}/corrections/1", None, 200, ALL, READ),
    "withdraw_correction": ("POST", f"{P}/corrections/1/withdraw", {"reason": "dry"}, 201, WRITE, WRITE),
    "list_indicators": ("GET", f"{P}/indicators", None, 200, ALL, READ),
    "latest_values": ("GET", f"{P}/indicators/latest", None, 200, ALL, READ),
    "changes": ("GET", f"{P}/indicators/changes", None, 200, ALL, READ),
    "get_indicator": ("GET", f"{P}/indicators/pm10_day_mean", None, 200, ALL, READ),
    "list_values": ("GET", f"{P}/indicators/pm10_day_mean/values", None, 200, ALL, READ),
    "list_revisions": (
        *("GET", f"{P}/indicators/pm10_day_mean/revisions?place={SITE}&start=2026-11-20T00:00:00Z", None, 200),
        *(ALL, READ),
    ),
    "list_versions": ("GET", f"{P}/indicators/pm10_day_mean/versions", None, 200, ALL, READ),
    "provenance": ("GET", f"{P}/indicators/pm10_day_mean/provenance?place={SITE}", None, 200, ALL, READ),
    # judged by who asks before what they ask for: what is not there, or not well formed, is only told to those who may
    "get_ranking": ("GET", f"{P}/indicators/pm10_day_mean/ranking", None, 422, ALL, READ),
    "get_change": (
        *("GET", f"{P}/indicators/pm10_day_mean/change?place={SITE}&from={DAY}&to={NEXT_DAY}", None, 422),
        *(ALL, READ),
    ),
    "list_entries": ("GET", f"{P}/entries", None, 200, ALL, READ),
    "entry_template": ("GET", f"{P}/entries/template", None, 200, ALL, READ),
    "get_entry": ("GET", f"{P}/entries/99", None, 404, ALL, READ),
    "post_entries": ("POST", f"{P}/entries", {}, 422, WRITE, WRITE),
    "import_entries": ("POST", f"{P}/entries/import", {}, 415, WRITE, WRITE),
    "approve_entry": ("POST", f"{P}/entries/99/approve", None, 404, WRITE, WRITE),
    "reject_entry": ("POST", f"{P}/entries/99/reject", {"reason": "no source"}, 404, WRITE, WRITE),
    "withdraw_entry": ("POST", f"{P}/entries/99/withdraw", {"reason": "mistyped"}, 404, WRITE, WRITE),
    "list_strategies": ("GET", f"{P}/strategies", None, 200, ALL, READ),
    "all_fulfilment": ("GET", f"{P}/strategies/fulfilment", None, 200, ALL, READ),
    "strategy_coverage": ("GET", f"{P}/strategies/coverage", None, 200, ALL, READ),
    "get_strategy": ("GET", f"{P}/strategies/none", None, 404, ALL, READ),
    "export_strategy": ("GET", f"{P}/strategies/none.yaml", None, 404, ALL, READ),
    "list_strategy_revisions": ("GET", f"{P}/strategies/none/revisions", None, 404, ALL, READ),
    "strategy_fulfilment": ("GET", f"{P}/strategies/none/fulfilment", None, 404, ALL, READ),
    "import_strategy": ("POST", f"{P}/strategies?reason=test", {}, 422, WRITE, WRITE),
    "put_strategy": ("PUT", f"{P}/strategies/none?reason=test", {}, 422, WRITE, WRITE),
    "list_quarantine": ("GET", f"{P}/quarantine", None, 200, ALL, READ),
    "get_quarantined": ("GET", f"{P}/quarantine/0-1", None, 200, READ, READ),
    "redrive": ("POST", f"{P}/quarantine/redrive", {"ids": ["0-1"]}, 202, WRITE, WRITE),
    "purge": ("POST", f"{P}/quarantine/purge", {"ids": ["0-1"], "why": "test"}, 202, ADMIN, ADMIN),
    "ignore": ("POST", f"{P}/quarantine/ignored", FOREIGN, 202, WRITE, WRITE),
    "list_ignored": ("GET", f"{P}/quarantine/ignored", None, 200, ALL, READ),
    "unignore": ("DELETE", f"{P}/quarantine/ignored?connector=native&external_id=x", None, 204, WRITE, WRITE),
    "list_commands": ("GET", f"{P}/commands", None, 200, ALL, READ),
    "get_command": ("GET", f"{P}/commands/1", None, 200, ALL, READ),
    "remove_device": ("DELETE", f"{P}/devices/{AIR}", None, 204, WRITE, WRITE),
    "metrics": ("GET", "/metrics", None, 200, ALL, READ),
}


def test_the_table_names_every_operation(world: World) -> None:
    paths = world.app.openapi()["paths"].values()
    assert {operation["operationId"] for item in paths for operation in item.values()} == set(TABLE)


@pytest.mark.parametrize(("scope", "closed"), list(product(["", "read", "write", "admin"], [False, True])))
async def test_every_operation_with_every_scope(world: World, scope: str, closed: bool) -> None:
    """Who is allowed gets the answer; who is not gets 401 without a key, 403 with one that does not suffice."""
    wrong = []
    world.ledger.corrections.add(AIR, 0, 1, "exclude", by="test", reason="there is one to ask for")
    async with world.client(scope or None, read_requires_key=closed) as client:
        for name, (method, path, body, status, opened, needed) in TABLE.items():
            allowed = scope in (needed if closed else opened)
            answer = await client.request(method, path, json=body)
            expected = status if allowed else (403 if scope else 401)
            if answer.status_code != expected:
                wrong.append(f"{name}: {answer.status_code} instead of {expected}: {answer.text[:200]}")
    assert wrong == []


async def test_both_headers_carry_a_key(world: World) -> None:
    for headers in ({"Authorization": f"Bearer {world.keys['read']}"}, {"X-API-Key": world.keys["read"]}):
        async with world.client() as client:
            assert (await client.get(f"{P}/quarantine/0-1", headers=headers)).status_code == 200


async def test_a_wrong_key_is_told_even_where_none_is_needed(world: World) -> None:
    async with world.client() as client:
        answer = await client.get(f"{P}/places", headers={"X-API-Key": "cityhub_0_guess"})
    assert answer.status_code == 401
    assert answer.json()["type"] == f"{P}/problems/key-wrong"
    assert answer.headers["WWW-Authenticate"].startswith("Bearer")


async def test_a_revoked_key_is_dead_at_once(world: World) -> None:
    key = next(k for k in world.ledger.keys.keys() if "write" in k.scopes)  # noqa: SIM118 a port's method, no dict
    async with world.client("write") as client:
        assert (await client.post(f"{P}/readings", json=SENT)).status_code == 202
        world.ledger.keys.revoke(key.id)
        assert (await client.post(f"{P}/readings", json=SENT)).status_code == 401


async def test_many_wrong_keys_make_a_client_wait_but_not_one_whose_key_was_right(world: World) -> None:
    wrong = {"X-API-Key": "cityhub_0_guess"}
    async with world.client() as client:
        good = {"X-API-Key": world.keys["read"]}
        assert (await client.get(f"{P}/places", headers=good)).status_code == 200
        answers = [await client.get(f"{P}/places", headers=wrong) for _ in range(11)]
        assert [answer.status_code for answer in answers] == [401] * 10 + [429]
        assert 1 <= int(answers[-1].headers["Retry-After"]) <= 61
        assert (await client.get(f"{P}/places", headers=good)).status_code == 200
        stranger = {"X-API-Key": world.keys["admin"]}
        assert (await client.get(f"{P}/places", headers=stranger)).status_code == 429
        assert (await client.get(f"{P}/places")).status_code == 200


async def test_secrets_are_never_logged(world: World, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    async with world.client() as client:
        await client.get(f"{P}/places", headers={"X-API-Key": "cityhub_0_guess"})
        await client.get(f"{P}/places", headers={"X-API-Key": world.keys["read"]})
    assert "wrong API key" in caplog.text
    assert "guess" not in caplog.text
    assert world.keys["read"] not in caplog.text


@pytest.mark.parametrize("secret", ["x" * 600, "cityhub_0_\xe9", "cityhub__", "null", "'; DROP TABLE api_key; --"])
async def test_odd_secrets_are_wrong_and_nothing_more(world: World, secret: str) -> None:
    async with world.client() as client:
        answer = await client.get(f"{P}/places", headers=[(b"x-api-key", secret.encode("latin-1"))])
    assert answer.status_code == 401


async def test_who_registered_a_device_stands_in_the_audit(world: World) -> None:
    async with world.client("write") as client:
        await client.post(f"{P}/devices", json=NEW)
    assert any(row.actor == "write" and row.subject == "new-1" for row in world.ledger.audit.entries(limit=5))


class TestThrottle:
    """The memory of wrong keys, on a clock of its own."""

    def test_a_window_ends(self) -> None:
        now = [0.0]
        throttle = Throttle(limit=2, window=60, clock=lambda: now[0])
        for _ in range(2):
            assert throttle.wait("a", "s") == 0
            throttle.wrong("a")
        now[0] = 45.0
        assert throttle.wait("a", "s") == 15.0
        assert throttle.wait("b", "s") == 0
        now[0] = 60.0
        assert throttle.wait("a", "s") == 0
        assert throttle.wrong("a") == 1

    def test_the_memory_is_bounded_and_forgets_the_oldest(self) -> None:
        throttle = Throttle(limit=1, clients=3, clock=lambda: 0.0)
        for client in "abcd":
            throttle.wrong(client)
        assert [throttle.wait(client, "s") > 0 for client in "abcd"] == [False, True, True, True]

    def test_good_secrets_are_bounded_too(self) -> None:
        throttle = Throttle(limit=1, clients=2, clock=lambda: 0.0)
        for secret in ("one", "two", "three"):
            throttle.right(secret)
        throttle.wrong("a")
        assert [throttle.wait("a", secret) > 0 for secret in ("one", "two", "three")] == [True, False, False]
