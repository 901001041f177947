# SPDX-License-Identifier: EUPL-1.2
"""People and keys through the API, and what each role may do there."""

from dataclasses import replace

import httpx
import pytest

from hub.api import create_app
from hub.core.rights import Role
from tests.api.conftest import World

P = "/api/v1"


@pytest.fixture
def served(world: World) -> World:
    """The world with people in it."""
    world.app = create_app(replace(world.services, people=world.ledger.people))
    return world


async def test_a_person_is_added_changed_and_the_last_admin_stays(served: World) -> None:
    async with served.client("admin") as client:
        made = await client.post(f"{P}/people", json={"login": "jana", "roles": ["admin"]})
        assert made.status_code == 201
        assert served.ledger.people.verify("jana", made.json()["password"]) is not None
        again = await client.post(f"{P}/people", json={"login": "jana", "roles": ["viewer"]})
        assert again.status_code == 409
        last = await client.patch(f"{P}/people/jana", json={"disabled": True})
        assert (last.status_code, "last administrator" in last.text) == (422, True)
        assert (await client.post(f"{P}/people/nobody/password")).status_code == 404


async def test_a_key_is_made_used_and_revoked(served: World) -> None:
    async with served.client("admin") as client:
        made = (await client.post(f"{P}/keys", json={"name": "x", "roles": ["partner"], "partner": "povodi"})).json()
        own = {"Authorization": f"Bearer {made['secret']}"}
        who = (await client.get(f"{P}/session", headers=own)).json()
        assert (who["partner"], who["actions"]) == ("povodi", ["devices", "read", "send"])
        assert (await client.get(f"{P}/devices", headers=own)).json()["items"] == []
        assert (await client.get(f"{P}/quarantine", headers=own)).status_code == 403
        assert (await client.delete(f"{P}/keys/{made['id']}")).status_code == 204
        assert (await client.get(f"{P}/session", headers=own)).status_code == 401


@pytest.mark.parametrize("role", list(Role))
async def test_only_an_administrator_sees_people_and_keys(served: World, role: Role) -> None:
    _, secret = served.ledger.keys.create("k", frozenset({role}), partner="p")
    async with served.client() as client:
        client.headers["X-API-Key"] = secret
        answers = {(await client.get(f"{P}/{path}")).status_code for path in ("people", "keys")}
    assert answers == ({200} if role is Role.ADMIN else {403})


async def test_a_cookie_changes_nothing_from_another_site(served: World) -> None:
    people = served.ledger.people
    from hub.core.access import Person

    people.add(Person(login="root", roles=frozenset({Role.ADMIN})), None, by="test")
    cookie = {"cityhub_session": people.begin("root", agent="")}
    body = {"name": "x", "roles": ["viewer"]}
    async with served.client() as client:
        client.cookies.update(cookie)
        for headers, status in (
            ({}, 403),
            ({"Origin": "http://evil.example"}, 403),
            ({"Sec-Fetch-Site": "cross-site", "Origin": str(client.base_url)}, 403),
            ({"Sec-Fetch-Site": "same-origin"}, 201),
        ):
            answer: httpx.Response = await client.post(f"{P}/keys", json=body, headers=headers)
            assert answer.status_code == status, headers
