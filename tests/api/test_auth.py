# SPDX-License-Identifier: EUPL-1.2
"""How keys are shown, and what becomes of wrong ones. Who may do what: test_rights.py."""

import logging

import pytest

from hub.api.auth import Throttle
from tests.api.conftest import AIR, SITE, World

P = "/api/v1"
NEW = {"id": "new-1", "place": SITE}
SENT = {"device": AIR, "time": "2026-11-23T11:00:00Z", "readings": {"pm10": 1}}


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
