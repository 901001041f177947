# SPDX-License-Identifier: EUPL-1.2
"""Field pages: a technician's registration, and what can go wrong on the way. Without scripts."""

import io
import re
from collections.abc import AsyncIterator, Mapping
from dataclasses import replace
from pathlib import Path

import httpx
import pytest
from fastapi import FastAPI
from PIL import Image

from hub.api.auth import KeyGate
from hub.console import router
from hub.console._router import install
from hub.console.field import texts
from hub.console.field._forms import Wrong, number, slug
from hub.console.field._sites import Position, kilometres, outside
from hub.console.services import NetworkServer, RegistryPorts
from hub.core.journal import JournalBatch
from hub.core.readings import Reading
from hub.devices.city import load_city
from hub.devices.models import load_models
from hub.storage.photos import PhotoFiles
from tests.console.town import NOW, Outline, Town, quarantined, reasons

SITE = {"site_name": "Náměstí", "part": "havirov/mesto", "latitude": "49,78", "longitude": "18,43", "action": "finish"}


def browser_of(
    town: Town, role: str, photos: PhotoFiles | None = None, servers: Mapping[str, NetworkServer] | None = None
) -> httpx.AsyncClient:
    """A browser without scripts that shows a key of this role."""
    ledger = town.ledger
    ports = RegistryPorts(
        book=ledger.devices,
        records=ledger.records,
        credentials=ledger.credentials,
        corrections=ledger.corrections,
        audit=ledger.audit,
        ignored=ledger.ignored,
        photos=photos,
        mqtt=("hub.local", 1883, False),
        models=load_models(),
        network_servers=servers or {},
    )
    app = FastAPI()
    app.state.gate = KeyGate(ledger.keys, ledger.people)
    install(app, replace(town.services, ports=ports))
    secret = ledger.keys.create(f"jana-{role}", frozenset({role}))[1]
    return httpx.AsyncClient(
        transport=httpx.ASGITransport(app=app),
        base_url="http://hub",
        headers={"Accept-Language": "cs"},
        auth=("jana", secret),
        follow_redirects=True,
    )


@pytest.fixture
async def browser(town: Town, tmp_path: Path) -> AsyncIterator[httpx.AsyncClient]:
    async with browser_of(town, "technician", PhotoFiles(tmp_path / "photos")) as client:
        yield client


async def begin(browser: httpx.AsyncClient, **device: str) -> tuple[str, httpx.Response]:
    """Begin a registration and send its first step; the draft's address and the answer."""
    page = await browser.post("/field/register")
    address = str(page.url).rpartition("/")[0]
    return address, await browser.post(f"{address}/device", data={"title": "Ovzduší", "interval": "900"} | device)


async def test_a_device_is_registered_at_a_new_site_and_its_secret_shown_once(
    town: Town, browser: httpx.AsyncClient
) -> None:
    address, _ = await begin(browser)
    shown = await browser.post(f"{address}/site", data=SITE)
    secret = re.search(r'id="secret">([^<]+)<', shown.text)
    assert secret
    device = town.ledger.devices.snapshot().devices["ovzdusi"]
    assert (device.place, device.interval) == ("havirov/mesto/namesti", 900)
    again = await browser.post(f"{address}/site", data=SITE)
    assert again.status_code == 200
    assert secret[1] not in again.text
    assert "/field/devices/ovzdusi/rotate" in again.text
    Outline(again.text)


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"latitude": "18.43", "longitude": "49.78"}, "latitude"),
        ({"latitude": "49.78", "longitude": ""}, "latitude"),
        ({"latitude": "north"}, "latitude"),
        ({"part": ""}, "part"),
        ({"site_name": ""}, "place"),
        ({"site_name": "", "place": "havirov/nowhere"}, "place"),
        ({"height": "9999"}, "height"),
    ],
)
async def test_a_wrong_site_is_told_at_its_field_and_nothing_is_half_written(
    town: Town, browser: httpx.AsyncClient, wrong: dict[str, str], field: str
) -> None:
    before = town.ledger.devices.snapshot()
    address, _ = await begin(browser)
    answer = await browser.post(f"{address}/site", data=SITE | wrong)
    assert answer.status_code == 422
    assert f'<a href="#{field}">' in answer.text
    after = town.ledger.devices.snapshot()
    assert (after.devices, after.places) == (before.devices, before.places)


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"id": "a/b"}, "id"),
        ({"id": "a+b"}, "id"),
        ({"id": "a b"}, "id"),
        ({"title": ""}, "title"),
        ({"interval": "soon"}, "interval"),
        ({"connector": "chirpstack", "external_id": "12"}, "external_id"),
    ],
)
async def test_a_wrong_device_is_told_at_its_field(
    browser: httpx.AsyncClient, wrong: dict[str, str], field: str
) -> None:
    _, answer = await begin(browser, **wrong)
    assert answer.status_code == 422
    assert f'id="{field}-wrong"' in answer.text


async def test_what_was_typed_waits_in_the_list_of_registrations_begun(browser: httpx.AsyncClient) -> None:
    address, _ = await begin(browser, title="Koš u školy")
    assert "Pokračovat: Koš u školy" in (await browser.get("/field")).text
    assert 'value="Koš u školy"' in (await browser.get(f"{address}/device")).text


async def test_an_unknown_device_is_claimed_with_how_it_calls_itself(town: Town, browser: httpx.AsyncClient) -> None:
    await town.journal.commit(JournalBatch(quarantined=quarantined(), reasons=reasons(quarantined())))
    assert "door-7" in (await browser.get("/field/inbox")).text
    page = await browser.post("/field/register", data={"connector": "native", "external_id": "door-7"})
    assert 'value="door-7"' in page.text
    await browser.post("/field/inbox/ignore", data={"connector": "native", "external_id": "door-7"})
    assert [entry.external_id for entry in town.ledger.ignored.all()] == ["door-7"]


async def test_a_device_page_shows_readings_with_units_and_takes_remarks(
    town: Town, browser: httpx.AsyncClient
) -> None:
    address, _ = await begin(browser)
    await browser.post(f"{address}/site", data=SITE)
    await town.store.put([Reading("ovzdusi", "pm10", 20.3, NOW)])
    page = await browser.post("/field/devices/ovzdusi/note", data={"text": "na sloupu <b>"})
    assert "20,3\N{NO-BREAK SPACE}µg/m³" in page.text
    assert "na sloupu &lt;b&gt;" in page.text
    assert "device.add" in page.text
    Outline(page.text)


async def test_disabling_asks_for_confirmation_and_a_new_secret_enables_again(
    town: Town, browser: httpx.AsyncClient
) -> None:
    address, _ = await begin(browser)
    await browser.post(f"{address}/site", data=SITE)
    credentials = town.ledger.credentials
    assert (await browser.post("/field/devices/ovzdusi/disable")).status_code == 422
    assert (found := credentials.get("ovzdusi"))
    assert found.disabled_at is None
    await browser.post("/field/devices/ovzdusi/disable", data={"sure": "1", "why": "ukradeno"})
    assert (found := credentials.get("ovzdusi"))
    assert found.disabled_at is not None
    assert 'id="secret"' in (await browser.post("/field/devices/ovzdusi/rotate")).text
    assert (found := credentials.get("ovzdusi"))
    assert found.disabled_at is None


async def test_who_may_only_read_registers_nothing(town: Town) -> None:
    async with browser_of(town, "viewer") as reader:
        assert (await reader.post("/field/register")).status_code == 403
    assert town.ledger.records.drafts() == []


async def test_a_console_without_writing_ports_has_no_field_pages(town: Town) -> None:
    assert not [r for r in router(town.services).routes if getattr(r, "path", "").startswith("/field")]


def test_every_word_of_the_field_pages_is_there_in_both_languages() -> None:
    for group in (*texts.GROUPS, texts.PROBLEMS):
        assert all(set(row) == {"cs", "en"} and all(row.values()) for row in group.values())


@pytest.mark.parametrize(("text", "id_"), [("Ovzduší náměstí", "ovzdusi-namesti"), ("!!!", "x"), ("a" * 90, "a" * 64)])
def test_ids_are_made_of_names(text: str, id_: str) -> None:
    assert slug(text) == id_
    assert slug(text, {id_}) == (id_[:62] + "-2")


def test_numbers_may_have_a_decimal_comma_and_must_be_figures() -> None:
    assert number(" 3,5 ", "height", 0, 10) == 3.5
    for text in ("nan", "inf", "11", "1,2,3"):
        with pytest.raises(Wrong):
            number(text, "height", 0, 10)


def test_distances_and_the_citys_reach() -> None:
    assert kilometres(Position(49.0, 18.0), Position(50.0, 18.0)) == pytest.approx(111.195, abs=0.01)
    places = load_city().places
    assert outside(Position(49.78, 18.43), places) is None
    assert (outside(Position(50.08, 14.42), places) or 0) > 250


async def registered(browser: httpx.AsyncClient) -> str:
    address, _ = await begin(browser)
    await browser.post(f"{address}/site", data=SITE)
    return "/field/devices/ovzdusi"


def png() -> bytes:
    out = io.BytesIO()
    Image.new("RGB", (40, 30), "green").save(out, "PNG")
    return out.getvalue()


async def test_a_photo_is_shown_with_its_caption_printed_in_the_protocol_and_taken_away(
    town: Town, browser: httpx.AsyncClient
) -> None:
    at = await registered(browser)
    page = await browser.post(f"{at}/photos", data={"caption": "na sloupu"}, files={"photo": ("a.png", png())})
    assert "na sloupu" in page.text
    (photo,) = town.ledger.records.photos("device:ovzdusi")
    assert (await browser.get(f"{at}/photos/{photo.id}")).content.startswith(b"\xff\xd8")
    protocol = await browser.get(f"{at}/protocol")
    assert all(words in protocol.text for words in ("na sloupu", "Náměstí", "jana-technician"))
    Outline(protocol.text)
    assert "Zatím žádná fotka" in (await browser.post(f"{at}/photos/{photo.id}/remove")).text
    assert (await browser.get(f"{at}/photos/{photo.id}")).status_code == 404


@pytest.mark.parametrize(
    ("content", "words"), [(b"", "Vyberte fotku"), (b"text", "není použitelný"), (bytes(10_000_000), "méně než 10 MB")]
)
async def test_what_is_no_photo_is_told_at_the_field(
    town: Town, browser: httpx.AsyncClient, content: bytes, words: str
) -> None:
    at = await registered(browser)
    answer = await browser.post(f"{at}/photos", files={"photo": ("a.png", content)})
    assert (answer.status_code, 'id="photo-wrong"' in answer.text, words in answer.text) == (422, True, True)
    assert not town.ledger.records.photos("device:ovzdusi")


async def test_a_device_is_moved_and_its_hardware_replaced(town: Town, browser: httpx.AsyncClient) -> None:
    at = await registered(browser)
    move = {"place": "havirov/mesto/thara", "moved_at": "2026-11-24T08:00", "height": "3,5"}
    assert (await browser.post(f"{at}/move", data=move)).status_code == 200
    device = town.ledger.devices.snapshot().devices["ovzdusi"]
    assert (device.place, device.mountings[-1].height) == ("havirov/mesto/thara", 3.5)
    swap = {"new_serial": "SN-2", "reason": "rozbité", "replaced_at": "2026-11-24T09:00"}
    page = await browser.post(f"{at}/hardware", data=swap)
    assert "SN-2" in page.text
    assert town.ledger.devices.hardware("ovzdusi")[-1].reason == "rozbité"
    Outline(page.text)


async def test_a_registration_that_is_done_is_no_longer_begun(browser: httpx.AsyncClient) -> None:
    await registered(browser)
    assert "Žádná rozdělaná registrace" in (await browser.get("/field")).text
