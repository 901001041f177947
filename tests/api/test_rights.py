# SPDX-License-Identifier: EUPL-1.2
"""Who may do what: every route of API and pages, asked by everybody whom the table of rights knows.

The routes are found by walking the app, so a new one is in the test at once; one without a guard fails. Requests name
what does not exist and carry an empty body: who is refused is refused before that is looked at, and nothing is changed.
"""

import base64
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any, NamedTuple

import httpx
from fastapi import FastAPI
from fastapi.routing import iter_route_contexts

from hub.api import create_app
from hub.api.auth import KeyGate
from hub.console import ConsoleServices, install
from hub.console.services import RegistryPorts
from hub.core.access import Person
from hub.core.rights import GRANTS, Action, Role, may
from hub.devices.city import load_city
from tests.api.conftest import NOW, World

DOCUMENT = "/openapi.json"  # what the API can do is told to everybody
# asks who somebody is itself; see tests/console/test_sign_in.py
DOOR = {"/sign-in", "/sign-out", "/account", "/account/sessions"}
NUMBERS = {"correction", "message", "command", "entry", "photo", "import_", "certificate", "draft", "key"}
ORIGIN = "http://127.0.0.1:8000"


class Way(NamedTuple):
    """One route, and what its guards say of it; `opened` is whether anybody may where reads are open."""

    method: str
    path: str
    actions: frozenset[Action]
    guarded: bool
    opened: bool

    @property
    def url(self) -> str:
        """The path with names of things that are not there."""
        parts = self.path.replace(":path}", "}").split("/")
        return "/".join(_nothing(part) if "{" in part else part for part in parts)


def _nothing(part: str) -> str:
    name = part[part.index("{") + 1 : part.index("}")]
    return part.replace(f"{{{name}}}", "987654" if name in NUMBERS else "not-there")


def ways(app: FastAPI) -> Iterator[Way]:
    """Every route of the app but the document and the door."""
    for route in iter_route_contexts(app.routes):
        path = route.path or ""
        if path == DOCUMENT or path in DOOR:
            continue
        guards = [call for call in _calls(getattr(route, "dependant", None)) if hasattr(call, "action")]
        for method in sorted((route.methods or {"?"}) - {"HEAD"}):
            actions = frozenset(guard.action for guard in guards if guard.action is not None)
            opened = all(guard.action is None or guard.opened for guard in guards)
            yield Way(method, path, actions, bool(guards), opened)


def _calls(dependant: Any) -> Iterator[Any]:
    if dependant is not None:
        yield dependant.call
        for below in dependant.dependencies:
            yield from _calls(below)


def whole(world: World, *, closed: bool) -> FastAPI:
    """API and pages in one app, as they are served."""
    ledger, services = world.ledger, world.services
    app = create_app(
        replace(services, people=ledger.people, imports=ledger.imports, read_requires_key=closed, allowed_hosts=("*",))
    )
    city = load_city()
    ports = RegistryPorts(
        book=ledger.devices,
        records=ledger.records,
        credentials=ledger.credentials,
        corrections=ledger.corrections,
        audit=ledger.audit,
        ignored=ledger.ignored,
        mqtt=("127.0.0.1", 1883, False),
    )
    console = ConsoleServices(
        registry=ledger.devices,
        values=ledger.values,
        readings=services.readings,
        journals=services.journals,
        quantities=services.quantities,
        definitions=services.definitions.definitions,
        city_title=city.title,
        zone=city.zone,
        ports=ports,
        clock_ns=lambda: NOW,
    )
    install(app, console)
    return app


async def misjudged(app: FastAPI, headers: Mapping[str, str], roles: frozenset[str] | None) -> list[str]:
    """Routes that answer otherwise than the rights say; `roles` None is nobody."""
    wrong = []
    opened: bool = app.state.gate.open_reads
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url=ORIGIN, headers=dict(headers)) as client:
        for way in ways(app):
            answer = await client.request(way.method, way.url, json=None if way.method in ("GET", "DELETE") else {})
            if roles is None:
                allowed = not way.actions or (opened and way.opened)
            else:
                allowed = all(may(roles, action) for action in way.actions)
            to_door = answer.headers.get("location", "").startswith("/sign-in")
            refused = answer.status_code in (401, 403) or to_door
            if refused is allowed or answer.status_code >= 500:
                wrong.append(f"{way.method} {way.path} {sorted(way.actions)}: {answer.status_code} {answer.text[:150]}")
    return wrong


def shown(key: str) -> dict[str, str]:
    """A key for API and pages at once: the API looks at its own header, pages at Basic."""
    basic = base64.b64encode(f"key:{key}".encode()).decode()
    return {"X-API-Key": key, "Authorization": f"Basic {basic}"}


async def test_the_whole_table(world: World) -> None:
    """All routes times nobody, every role as a key, and a session: what the rights grant is done, all else refused.

    One app for all of it: to make one takes longer than to ask it everything.
    """
    app, ledger = whole(world, closed=True), world.ledger
    found = list(ways(app))
    assert [f"{way.method} {way.path}" for way in found if not way.guarded] == []
    assert {Action.ACCESS, Action.PURGE, Action.DEVICES} <= {action for way in found for action in way.actions}
    wrong = {"nobody": await misjudged(app, {}, None)}
    for role in GRANTS:
        roles, partner = frozenset({str(role)}), "thermo" if role == Role.PARTNER else ""
        _, secret = ledger.keys.create(f"key-{role}", roles, partner=partner)
        wrong[str(role)] = await misjudged(app, shown(secret), roles)
    roles = frozenset({Role.TECHNICIAN})
    ledger.people.add(Person(login="jana", roles=roles), None, by="test")
    cookie = {"Cookie": f"cityhub_session={ledger.people.begin('jana', agent='test')}"}
    wrong["session"] = await misjudged(app, {**cookie, "Origin": ORIGIN}, roles)
    wrong["session of another site's page"] = await unguarded(app, {**cookie, "Origin": "http://evil.example"})
    app.state.gate = KeyGate(ledger.keys, ledger.people, open_reads=True)
    wrong["nobody on loopback"] = await misjudged(app, {}, None)
    assert {who: rows for who, rows in wrong.items() if rows} == {}


async def unguarded(app: FastAPI, headers: Mapping[str, str]) -> list[str]:
    """Changes that are not refused."""
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url=ORIGIN, headers=dict(headers)) as client:
        changes = [way for way in ways(app) if way.method != "GET" and way.actions]
        answers = [(way, (await client.request(way.method, way.url)).status_code) for way in changes]
    return [f"{way.method} {way.path}: {status}" for way, status in answers if status != 403]
