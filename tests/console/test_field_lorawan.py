# SPDX-License-Identifier: EUPL-1.2
"""LoRaWAN devices on the field pages: label, models, network server, and what a refused form keeps. Without scripts."""

import re
from collections.abc import AsyncIterator
from typing import Literal

import httpx
import pytest

from hub.console.field._label import choices, wish
from hub.core.errors import Retry
from hub.devices.models import load_models
from tests.console.test_field import SITE, begin, browser_of, registered
from tests.console.town import Outline, Town

LABEL = "LW:D0:1122334455667788:A81758FFFE0312AB:00840001:SSN-77"  # VendorID 0x84: Elsys
APP_KEY = "00112233445566778899AABBCCDDEEFF"


class Server:
    """A network server that remembers, or is away."""

    def __init__(self, *, away: bool = False) -> None:
        self.away, self.made = away, list[tuple[str, str, str]]()

    async def add(
        self, dev_eui: str, join_eui: str, app_key: str, *, name: str, model: str, profile: str
    ) -> Literal["created", "exists"]:
        """See NetworkServer."""
        if self.away:
            raise Retry(f"no answer about {name}, {model}, {profile}", 30)
        self.made.append((dev_eui, join_eui, app_key))
        return "created"


@pytest.fixture
async def browser(town: Town) -> AsyncIterator[httpx.AsyncClient]:
    async with browser_of(town, "technician") as client:
        yield client


async def by_label(browser: httpx.AsyncClient) -> httpx.Response:
    """Register a device by its label as far as the page of its access."""
    address, _ = await begin(browser, title="", sticker=LABEL)
    given = {"title": "Třída", "connector": "chirpstack", "external_id": "a81758fffe0312ab", "model": "elsys-ers-co2"}
    await browser.post(f"{address}/device", data=given)
    return await browser.post(f"{address}/site", data=SITE)


async def test_a_label_fills_the_form_and_proposes_models_with_reasons(browser: httpx.AsyncClient) -> None:
    _, answer = await begin(browser, sticker=LABEL)
    assert answer.status_code == 200
    assert all(f'value="{value}"' in answer.text for value in ("a81758fffe0312ab", "SN-77", "Ovzduší"))
    assert '<option value="chirpstack" selected>' in answer.text
    assert "výrobce podle EUI nebo štítku: ELSYS" in answer.text
    assert '<option value="elsys-ers-co2" selected' not in answer.text, "two models of this maker fit: a person chooses"
    Outline(answer.text)


async def test_a_model_that_alone_fits_is_chosen(browser: httpx.AsyncClient) -> None:
    _, answer = await begin(browser, sticker="FC-D6-BD-00-00-12-34-56")
    assert '<option value="bosch-tps110" selected>' in answer.text


@pytest.mark.parametrize("text", ["LW:D0:1122", "A81758FFFE0312AO", "https://example.com/", "hello"])
async def test_a_wrong_label_is_told_at_its_field_and_kept(browser: httpx.AsyncClient, text: str) -> None:
    _, answer = await begin(browser, sticker=text)
    assert (answer.status_code, 'id="sticker-wrong"' in answer.text) == (422, True)
    assert f'value="{text}"' in answer.text


async def test_models_are_searched_without_accents_and_the_chosen_one_stays(browser: httpx.AsyncClient) -> None:
    _, answer = await begin(browser, find="PARKOVANI", model="native-mqtt")
    assert 'value="bosch-tps110"' in answer.text
    assert 'value="elsys-ers-co2"' not in answer.text
    assert '<option value="native-mqtt" selected>' in answer.text


def test_every_model_is_offered_once() -> None:
    models = load_models()
    offered = [option.id for _, options in choices(models, {}, "cs") for option in options]
    assert sorted(offered) == sorted(models)


@pytest.mark.parametrize(
    ("sent", "wanted"),
    [
        ({"title": "A", "action": "label"}, "next"),
        ({"title": "", "action": "label"}, "label"),
        ({"title": "A", "sticker": "x"}, "label"),
        ({"title": "A", "find": "voda", "action": "label"}, "find"),
        ({"title": "A"}, "next"),
    ],
)
def test_a_field_that_was_filled_tells_more_than_the_button_that_enter_presses(
    sent: dict[str, str], wanted: str
) -> None:
    assert wish(sent, {}) == wanted


async def test_without_access_to_the_network_server_the_page_tells_step_by_step_what_to_enter(
    browser: httpx.AsyncClient,
) -> None:
    page = await by_label(browser)
    assert "Join EUI: 1122334455667788" in page.text
    assert 'name="app_key"' not in page.text
    again = await browser.get("/field/devices/trida/access")
    assert "Join EUI: 1122334455667788" in again.text
    Outline(page.text)


async def test_a_device_is_made_in_the_network_server_and_its_key_kept_nowhere(town: Town) -> None:
    server = Server()
    async with browser_of(town, "technician", servers={"chirpstack": server}) as browser:
        assert 'value="1122334455667788"' in (await by_label(browser)).text
        form = {"join_eui": "11-22-33-44-55-66-77-88", "app_key": APP_KEY}
        page = await browser.post("/field/devices/trida/network", data=form)
    assert "v síťovém serveru založeno" in page.text
    assert server.made == [("a81758fffe0312ab", "1122334455667788", APP_KEY.lower())]
    entry = town.ledger.audit.read(subject="trida", action="device.network_server")[0]
    assert APP_KEY.lower() not in (page.text + repr(entry)).lower()


@pytest.mark.parametrize(
    ("form", "field", "away"),
    [
        ({"app_key": ""}, "app_key", False),
        ({"app_key": APP_KEY[:-1]}, "app_key", False),
        ({"app_key": APP_KEY, "join_eui": "zz"}, "join_eui", False),
        ({"app_key": APP_KEY}, "", True),
    ],
)
async def test_a_refusal_is_told_and_never_shows_the_key(
    town: Town, form: dict[str, str], field: str, *, away: bool
) -> None:
    server = Server(away=away)
    async with browser_of(town, "technician", servers={"chirpstack": server}) as browser:
        await by_label(browser)
        page = await browser.post("/field/devices/trida/network", data=form)
    assert page.status_code == 422
    assert f'href="#{field}"' in page.text if field else 'role="alert"' in page.text
    assert APP_KEY[:-1] not in page.text
    assert (server.made, re.findall(r'name="app_key"[^>]*value="([^"]+)"', page.text)) == ([], [])


async def test_a_refused_change_opens_its_own_form_with_what_was_typed(town: Town) -> None:
    async with browser_of(town, "technician") as browser:
        at = await registered(browser)
        page = await browser.post(f"{at}/hardware", data={"new_serial": "SN-9", "reason": ""})
        assert 'value="SN-9"' in page.text
        assert re.search(r"<details[^>]* open><summary>Vyměnit přístroj", page.text)
        page = await browser.post(f"{at}/maintenance", data={"to": "2026-11-25T08:00"})
    assert '<a href="#maintenance_reason">' in page.text
    assert 'value="2026-11-25T08:00"' in page.text
    assert not re.search(r"<details[^>]* open>", page.text)
