# SPDX-License-Identifier: EUPL-1.2
"""Signing in at an OpenID provider: a real one on loopback, the real ledger, and everything that may go wrong."""

import logging
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from fastapi import FastAPI

from hub.api.auth import KeyGate
from hub.console import install
from hub.console.oidc import Admission, Provider, ProviderSettings, Rules, SignIn
from hub.core.access import Person
from hub.core.rights import Role
from tests.console.provider import CLIENT, SECRET, FakeProvider, provider
from tests.console.town import Town
from tests.servers import free_port

RULES = Rules(roles_claim="groups", roles={"hub-tech": "technician", "hub-admins": "admin"}, create=True)
TECHNICIAN = frozenset({Role.TECHNICIAN})


@pytest.fixture(scope="module")
def running() -> Iterator[FakeProvider]:
    with provider() as made:
        yield made


@pytest.fixture
def idp(running: FakeProvider) -> FakeProvider:
    """The provider, where Eva is a technician and nothing is spoilt."""
    running.claims = {"sub": "u-1", "preferred_username": "Eva.Nova", "name": "Eva Nová", "groups": ["hub-tech", "x"]}
    running.spoil, running.refuse, running.shared_secret = {}, "", False
    return running


def hub(town: Town, issuer: str, rules: Rules = RULES, clock: Callable[[], float] = time.time) -> httpx.AsyncClient:
    """A browser at a hub that trusts this provider."""
    settings = ProviderSettings(issuer=issuer, client_id=CLIENT, client_secret=SECRET)
    sign_in = SignIn(Provider(settings), Admission(town.ledger.people, rules), title="Město", clock=clock)
    app = FastAPI()
    app.state.gate = KeyGate(town.ledger.keys, town.ledger.people)
    install(app, replace(town.services, oidc=sign_in))
    transport = httpx.ASGITransport(app, client=("192.0.2.7", 1))
    return httpx.AsyncClient(transport=transport, base_url="http://hub", headers={"Accept-Language": "en"})


async def depart(browser: httpx.AsyncClient, wish: str = "/account") -> str:
    """Where the provider sends the browser back to, having been asked."""
    left = await browser.get("/sign-in/oidc", params={"next": wish})
    async with httpx.AsyncClient() as other:
        return str((await other.get(left.headers["location"])).headers["location"])


async def enter(browser: httpx.AsyncClient, wish: str = "/account") -> httpx.Response:
    return await browser.get(await depart(browser, wish))


def problem(answer: httpx.Response) -> str:
    """The code that the sign-in page is asked to explain."""
    assert answer.headers["location"].startswith("/sign-in?")
    assert "cityhub_session" not in answer.headers.get("set-cookie", "")
    return parse_qs(urlsplit(answer.headers["location"]).query)["problem"][0]


async def test_somebody_new_is_made_and_signed_in_where_he_wanted_to_go(town: Town, idp: FakeProvider) -> None:
    async with hub(town, idp.issuer) as browser:
        assert "Sign in with Město" in (await browser.get("/sign-in")).text
        answer = await enter(browser, "/account?lang=en")
        assert (answer.status_code, answer.headers["location"]) == (303, "/account?lang=en")
        assert "Eva Nová" in (await browser.get("/account")).text
    found = town.ledger.people.by_subject(idp.issuer, "u-1")
    assert found is not None
    assert (found.login, found.roles) == ("eva.nova", TECHNICIAN)


async def test_roles_are_those_of_the_provider_at_each_sign_in(town: Town, idp: FakeProvider) -> None:
    town.ledger.people.add(Person(login="spravce", roles=frozenset({Role.ADMIN})), None, by="test")
    async with hub(town, idp.issuer) as browser:
        for groups, roles in ((["hub-admins", "hub-tech"], {Role.ADMIN, Role.TECHNICIAN}), ("hub-tech", TECHNICIAN)):
            idp.claims["groups"] = groups
            await enter(browser)
            assert town.ledger.people.get("eva.nova").roles == roles
        idp.claims["groups"] = []
        assert problem(await enter(browser)) == "oidc_no_role"
        assert (await browser.get("/account")).status_code == 303  # the session of before has ended too


async def test_roles_of_the_hub_stay_where_the_provider_has_none_to_give(town: Town, idp: FakeProvider) -> None:
    town.ledger.people.add(Person(login="eva", roles=TECHNICIAN, issuer=idp.issuer, subject="u-1"), None, by="test")
    async with hub(town, idp.issuer, Rules(default_role="viewer")) as browser:
        assert (await enter(browser)).headers["location"] == "/account"
    assert town.ledger.people.get("eva").roles == TECHNICIAN


async def test_the_same_login_does_not_make_the_same_person(town: Town, idp: FakeProvider) -> None:
    town.ledger.people.add(Person(login="eva.nova", roles=frozenset({Role.ADMIN})), None, by="test")
    async with hub(town, idp.issuer) as browser:
        await enter(browser)
    found = town.ledger.people.by_subject(idp.issuer, "u-1")
    assert found is not None
    assert found.login.startswith("eva.nova-")
    assert town.ledger.people.get("eva.nova").subject == ""


async def test_the_last_administrator_does_not_lose_the_role(town: Town, idp: FakeProvider) -> None:
    boss = Person(login="eva", roles=frozenset({Role.ADMIN}), issuer=idp.issuer, subject="u-1")
    town.ledger.people.add(boss, None, by="test")
    async with hub(town, idp.issuer) as browser:
        assert problem(await enter(browser)) == "oidc_no_role"
    assert town.ledger.people.get("eva").roles == {Role.ADMIN}


SPOILT: tuple[dict[str, object], ...] = (
    {"iss": "https://evil.example"},
    {"aud": "another"},
    {"aud": [CLIENT, "another"]},
    {"azp": "another"},
    {"exp": 1},
    {"iat": 2**40},
    {"nonce": "another"},
    {"nonce": None},
    {"sub": ""},
)


async def test_a_token_that_does_not_hold_lets_nobody_in(town: Town, idp: FakeProvider) -> None:
    """Each claim that is wrong is enough, and so is a signature with the secret that the client shares."""
    async with hub(town, idp.issuer) as browser:
        for spoil in SPOILT:
            idp.spoil = spoil
            assert problem(await enter(browser)) == "oidc_token", spoil
        idp.spoil, idp.shared_secret = {}, True
        assert problem(await enter(browser)) == "oidc_token"
        assert town.ledger.people.all() == []
        idp.shared_secret = False
        assert (await enter(browser)).headers["location"] == "/account"


async def test_a_provider_may_change_its_key(town: Town, idp: FakeProvider) -> None:
    async with hub(town, idp.issuer) as browser:
        await enter(browser)
        idp.turn_key()
        assert (await enter(browser)).headers["location"] == "/account"


async def test_an_answer_to_another_browser_an_old_one_or_a_second_one_counts_for_nothing(
    town: Town, idp: FakeProvider
) -> None:
    now = [time.time()]
    async with hub(town, idp.issuer, clock=lambda: now[0]) as browser:
        stolen = await depart(browser)
        browser.cookies.clear()
        assert problem(await browser.get(stolen)) == "oidc_lost"
        first = await depart(browser)
        await depart(browser)
        assert problem(await browser.get(first)) == "oidc_lost"  # state of a sign-in that was begun before
        good = await depart(browser)
        kept = browser.cookies["cityhub_oidc"]
        assert (await browser.get(good)).headers["location"] == "/account"
        browser.cookies.clear()
        browser.cookies.set("cityhub_oidc", kept)
        assert problem(await browser.get(good)) == "oidc_refused"  # the provider takes a code once
        late = await depart(browser)
        now[0] += 601
        assert problem(await browser.get(late)) == "oidc_lost"


async def test_what_the_provider_refuses_is_told_and_nothing_of_it_logged(
    town: Town, idp: FakeProvider, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG, "hub")
    idp.refuse = "access_denied"
    async with hub(town, idp.issuer) as browser:
        assert problem(await enter(browser)) == "oidc_refused"
        idp.refuse, idp.spoil = "", {"nonce": "another"}
        back = await depart(browser)
        await browser.get(back)
    shown = parse_qs(urlsplit(back).query)
    assert "nonce" in caplog.text
    assert not any(part in caplog.text for part in (shown["code"][0], shown["state"][0], SECRET))


async def test_people_who_are_unknown_or_disabled_are_told_so(town: Town, idp: FakeProvider) -> None:
    async with hub(town, idp.issuer, replace(RULES, create=False)) as browser:
        assert problem(await enter(browser)) == "oidc_unknown"
        person = Person(login="eva", roles=TECHNICIAN, issuer=idp.issuer, subject="u-1", disabled_at=1)
        town.ledger.people.add(person, None, by="test")
        answer = await enter(browser)
        assert problem(answer) == "oidc_disabled"
        assert "Your account in the hub is disabled" in (await browser.get(answer.headers["location"])).text
        czech = await browser.get(answer.headers["location"], params={"problem": "oidc_disabled", "lang": "cs"})
        assert "Váš účet v hubu je zablokován" in czech.text


async def test_a_provider_that_is_away_leaves_the_password(town: Town) -> None:
    async with hub(town, f"http://127.0.0.1:{free_port()}") as browser:
        answer = await browser.get("/sign-in/oidc")
        assert problem(answer) == "oidc_away"
        page = (await browser.get(answer.headers["location"])).text
    assert "does not answer now" in page
    assert 'name="password"' in page


async def test_nobody_is_sent_elsewhere_after_signing_in_at_the_provider(town: Town, idp: FakeProvider) -> None:
    async with hub(town, idp.issuer) as browser:
        for wish in ("//evil.example", "https://evil.example", "/sign-in/oidc"):
            assert (await enter(browser, wish)).headers["location"] == "/"
