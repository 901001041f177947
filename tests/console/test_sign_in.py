# SPDX-License-Identifier: EUPL-1.2
"""Signing in, with the real ledger and Argon2id; the clock of the waits is the test's own."""

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from fastapi import FastAPI

from hub.api.auth import KeyGate
from hub.api.auth._throttle import Attempts
from hub.console import install
from hub.core.access import Person
from hub.core.errors import Invalid
from hub.core.rights import Role
from hub.storage.ledger import Ledger, sqlite_url
from tests.console.town import Town

GOOD = "modrá lavička u řeky"
OTHER = "zelený strom na návsi"


@pytest.fixture
def app(town: Town) -> FastAPI:
    """The console with one technician, closed to everybody else."""
    roles = frozenset({Role.TECHNICIAN})
    town.ledger.people.add(Person(login="jana", roles=roles), GOOD, by="test")
    app, now = FastAPI(), [0.0]
    app.state.gate = KeyGate(
        town.ledger.keys, town.ledger.people, attempts=Attempts(clock=lambda: now[0]), audit=town.ledger.audit
    )
    app.state.now = now
    install(app, town.services)
    return app


def client(app: FastAPI) -> httpx.AsyncClient:
    transport = httpx.ASGITransport(app, client=("192.0.2.7", 1))
    return httpx.AsyncClient(transport=transport, base_url="http://hub", headers={"Origin": "http://hub"})


async def enter(browser: httpx.AsyncClient, password: str = GOOD, **more: str) -> httpx.Response:
    return await browser.post("/sign-in", data={"login": "jana", "password": password, **more})


async def test_a_page_sends_to_sign_in_and_back(app: FastAPI) -> None:
    async with client(app) as browser:
        sent = await browser.get("/?lang=en")
        assert (sent.status_code, sent.headers["location"]) == (303, "/sign-in?next=/%3Flang%3Den")
        answer = await enter(browser, next="/?lang=en")
        assert (answer.status_code, answer.headers["location"]) == (303, "/?lang=en")
        cookie = answer.headers["set-cookie"]
        assert "HttpOnly" in cookie
        assert "SameSite=lax" in cookie
        assert (await browser.get("/")).status_code == 200
        await browser.post("/sign-out")
        assert (await browser.get("/")).status_code == 303


async def test_nobody_is_sent_elsewhere_after_signing_in(app: FastAPI) -> None:
    async with client(app) as browser:
        for wish in ("//evil.example", "https://evil.example", "/\\evil.example", ""):
            assert (await enter(browser, next=wish)).headers["location"] == "/"


async def test_a_form_of_another_site_counts_for_nothing(app: FastAPI) -> None:
    async with client(app) as browser:
        answer = await browser.post(
            "/sign-in", data={"login": "jana", "password": GOOD}, headers={"Origin": "https://evil.example"}
        )
    assert answer.status_code == 403


async def test_a_thousand_wrong_passwords_are_slowed(app: FastAPI) -> None:
    """Six are looked at; the others meet a wait that grows, and the session that goes on is not touched."""
    async with client(app) as browser:
        await enter(browser)
        answers = [(await enter(browser, "wrong")).status_code for _ in range(1000)]
        assert answers.count(401) == 5
        assert answers.count(429) == 995
        assert (await enter(browser)).status_code == 429
        assert (await browser.get("/")).status_code == 200
        app.state.now[0] = 2.0
        assert (await enter(browser)).status_code == 303


async def test_changing_the_password_ends_other_sessions(app: FastAPI) -> None:
    async with client(app) as phone, client(app) as desk:
        await enter(phone)
        await enter(desk)
        assert (await desk.post("/account", data={"old": GOOD, "new": "short"})).status_code == 422
        assert (await desk.post("/account", data={"old": "wrong", "new": OTHER})).status_code == 401
        assert (await desk.post("/account", data={"old": GOOD, "new": OTHER})).status_code == 200
        assert (await phone.get("/")).status_code == 303
        assert (await desk.get("/")).status_code == 200


async def test_who_is_disabled_or_has_a_one_time_password_gets_no_further(app: FastAPI, town: Town) -> None:
    people = town.ledger.people
    async with client(app) as browser:
        await enter(browser)
        people.set_password("jana", OTHER, by="test", once=True)
        assert (await browser.get("/")).status_code == 303
        await enter(browser, OTHER)
        assert (await browser.get("/")).headers["location"] == "/account"
        await browser.post("/account", data={"old": OTHER, "new": GOOD})
        assert (await browser.get("/")).status_code == 200
        people.change(Person(login="jana", roles=frozenset({Role.VIEWER}), disabled_at=1), by="test")
        assert (await browser.get("/")).status_code == 303
        assert (await enter(browser)).status_code == 401


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    """An empty ledger."""
    with Ledger(sqlite_url(tmp_path / "people.db")).upgrade() as made:
        yield made


@pytest.mark.parametrize(
    "password", ["short", "janajanajana1", "123456789012345", "aaaaaaaaaaaaaaa", "PasswordPassword", "x" * 300]
)
def test_weak_passwords_are_refused(ledger: Ledger, password: str) -> None:
    with pytest.raises(Invalid, match="password"):
        ledger.people.add(Person(login="jana", roles=frozenset({Role.VIEWER})), password, by="test")
    assert ledger.people.all() == []


def test_the_last_administrator_stays(ledger: Ledger) -> None:
    admin = Person(login="root", roles=frozenset({Role.ADMIN}))
    ledger.people.add(admin, None, by="test")
    for change in ({"roles": frozenset({Role.VIEWER})}, {"disabled_at": 1}):
        with pytest.raises(Invalid, match="last administrator"):
            ledger.people.change(Person(**{"login": "root", "roles": admin.roles, **change}), by="test")
    assert ledger.people.get("root").roles == admin.roles


async def test_wrong_passwords_stand_in_the_audit_a_flood_of_them_in_few_rows(app: FastAPI, town: Town) -> None:
    """At 5, 10, 20 ... of a login; what somebody typed as a login is named only if it is one."""
    async with client(app) as browser:
        for number in range(45):
            app.state.now[0] += 1000.0
            await enter(browser, "wrong")
            if number < 5:
                await browser.post("/sign-in", data={"login": "my-secret-password", "password": "x"})
    rows = town.ledger.audit.read(action="session.refused")
    assert sorted((row.subject, row.detail["tries"]) for row in rows) == [
        ("person:?", 5), ("person:?", 50), ("person:jana", 5), ("person:jana", 10), ("person:jana", 20),
        ("person:jana", 40),
    ]  # fmt: skip
    assert {row.detail["from"] for row in rows} == {"192.0.2.7"}
    assert "my-secret-password" not in repr(rows)


async def test_ones_account_tells_where_one_is_signed_in_and_ends_it_everywhere_else(app: FastAPI) -> None:
    async with client(app) as phone, client(app) as desk:
        phone.headers["User-Agent"], desk.headers["User-Agent"] = "old-phone", "desk<b>"
        await enter(phone)
        await enter(desk)
        page = (await desk.get("/account")).text
        assert "old-phone" in page
        assert "desk&lt;b&gt;" in page
        elsewhere = await desk.post("/account/sessions", headers={"Origin": "https://evil.example"})
        assert elsewhere.status_code == 403
        assert (await phone.get("/")).status_code == 200
        assert (await desk.post("/account/sessions")).status_code == 303
        assert (await phone.get("/")).status_code == 303
        page = (await desk.get("/account")).text
        assert "old-phone" not in page
        assert "/account/sessions" not in page
