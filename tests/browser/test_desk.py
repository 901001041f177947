# SPDX-License-Identifier: EUPL-1.2
"""The desk in a real browser: who gets in, what it shows, and what an action needs."""

import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect, sync_playwright

from hub.storage.ledger import Ledger, sqlite_url
from tests.servers import free_port

pytestmark = [pytest.mark.server, pytest.mark.timeout(180)]
ROOT = Path(__file__).parents[2]
SESSIONS = "jana technician\neva viewer\nadam admin\n"
PATIENCE_MS = 30_000


class Hub:
    """The running hub."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.port = folder, free_port()
        self.sessions = folder / "sessions"
        self.sessions.write_text(SESSIONS)
        command = [sys.executable, "-m", "tests.browser.desk_hub", str(folder), str(self.port)]
        self.log = folder / "log"
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(command, cwd=ROOT, stdout=log, stderr=log)

    @property
    def url(self) -> str:
        return f"http://localhost:{self.port}"

    def wait(self) -> None:
        deadline = time.monotonic() + 60
        while True:
            assert self.process.poll() is None, self.log.read_text()
            try:
                httpx.get(f"{self.url}/desk/")
                return
            except httpx.TransportError:
                assert time.monotonic() < deadline, self.log.read_text()
                time.sleep(0.2)


@pytest.fixture(scope="module")
def hub(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hub]:
    hub = Hub(tmp_path_factory.mktemp("desk"))
    try:
        hub.wait()
        yield hub
    finally:
        hub.process.terminate()
        hub.process.wait(30)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=["--no-sandbox"])
        yield browser
        browser.close()


def opened(browser: Browser, hub: Hub, who: str, path: str) -> Page:
    """A page as somebody sees it, with a Czech browser; errors of scripts fail the test."""
    context = browser.new_context(viewport={"width": 1366, "height": 768}, locale="cs-CZ")
    context.add_cookies([{"name": "cityhub_session", "value": who, "url": hub.url}])
    page = context.new_page()
    page.set_default_timeout(PATIENCE_MS)
    expect.set_options(timeout=PATIENCE_MS)
    page.goto(f"{hub.url}/desk{path}")
    page.wait_for_selector("h1")
    return page


def test_pages_and_files_send_strangers_to_the_sign_in_page_and_refuse_programs(hub: Hub) -> None:
    page = httpx.get(f"{hub.url}/desk/devices", headers={"Accept": "text/html"})
    assert (page.status_code, page.headers["location"]) == (303, "/sign-in?next=/desk/devices")
    assert httpx.get(f"{hub.url}/desk/_nicegui_ws/socket.io/?EIO=4&transport=polling").status_code == 401


def test_a_page_of_another_site_is_refused_even_with_a_session(hub: Hub) -> None:
    answer = httpx.get(
        f"{hub.url}/desk/", headers={"Origin": "http://elsewhere.example", "Cookie": "cityhub_session=jana"}
    )
    assert answer.status_code == 403


@pytest.mark.parametrize(
    "cookie", [pytest.param({}, id="nobody"), pytest.param({"Cookie": "cityhub_session=x"}, id="ended")]
)
def test_the_websocket_is_refused_without_a_session(hub: Hub, cookie: dict[str, str]) -> None:
    upgrade = {"Connection": "Upgrade", "Upgrade": "websocket", "Sec-WebSocket-Version": "13"}
    key = {"Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ=="}
    answer = httpx.get(
        f"{hub.url}/desk/_nicegui_ws/socket.io/?EIO=4&transport=websocket", headers={**upgrade, **key, **cookie}
    )
    assert answer.status_code == 403


PAGES = (
    "/", "/devices", "/charts", "/inbox", "/import", "/quarantine", "/accounting", "/corrections", "/bench", "/people",
    "/audit",
)  # fmt: skip


def test_no_page_has_a_fault_of_accessibility_and_each_has_one_main_landmark(browser: Browser, hub: Hub) -> None:
    """The rules of WCAG 2.2 A and AA, and those of landmarks."""
    page = opened(browser, hub, "adam", "/")
    rules = ["wcag2a", "wcag2aa", "wcag21aa", "wcag22aa"]
    landmarks = ["landmark-one-main", "landmark-no-duplicate-main", "landmark-main-is-top-level"]
    faults = []
    for path in PAGES:
        page.goto(f"{hub.url}/desk{path}")
        page.wait_for_selector("html[lang] h1")
        for only in (rules, landmarks):
            found = Axe().run(page, options={"runOnly": only})
            faults += [found.generate_report()] if found.violations_count else []
        page.screenshot(path=str(hub.folder / f"desk-{path.strip('/') or 'overview'}.png"))
    page.context.close()
    assert not faults, "\n".join(faults)


def test_the_overview_shows_states_by_part_and_what_fails_together(browser: Browser, hub: Hub) -> None:
    page = opened(browser, hub, "eva", "/")
    expect(page.get_by_text("32 z 32 zařízení v části Šumbark zmlklo najednou")).to_be_visible()
    assert page.locator("svg[role=img] circle").count() == 8
    expect(page.locator("svg[role=img]")).to_contain_text("0 / 32")
    page.context.close()


def test_a_technician_finds_devices_and_tags_them_after_a_preview(browser: Browser, hub: Hub) -> None:
    page = opened(browser, hub, "jana", "/devices")
    page.get_by_label("Hledat").fill("cidlo 007")
    expect(page.get_by_text("Nalezeno 1, strana 1 z 1")).to_be_visible()
    page.locator(".ag-row input[type=checkbox]").first.check()
    page.get_by_label("Štítek", exact=True).fill("revize")
    page.get_by_role("button", name="Náhled a provést").click()
    expect(page.get_by_role("dialog")).to_contain_text("Štítek „revize“ dostane 1 zařízení")
    page.get_by_role("button", name="Provést", exact=True).click()
    expect(page.get_by_text("Hotovo, zařízení: 1.")).to_be_visible()
    expect(page.locator(".ag-row")).to_contain_text("revize")
    with Ledger(sqlite_url(hub.folder / "ledger.db")).open() as ledger:
        assert list(ledger.devices.snapshot().devices["air-007"].tags) == ["revize"]
    page.context.close()


def test_a_device_opens_beside_the_list_with_its_last_readings(browser: Browser, hub: Hub) -> None:
    page = opened(browser, hub, "jana", "/devices")
    page.get_by_label("Hledat").fill("cidlo 000")
    page.locator(".ag-row").first.get_by_text("Čidlo ovzduší 000").dblclick()
    drawer = page.get_by_role("dialog")
    expect(drawer).to_contain_text("PM10")
    expect(drawer).to_contain_text("dosud")
    expect(drawer.get_by_role("link", name="Otevřít terénní stránku")).to_have_attribute(
        "href", "/field/devices/air-000"
    )
    page.screenshot(path=str(hub.folder / "detail.png"))
    page.context.close()


def test_an_administrator_adds_somebody_and_sees_the_password_once(browser: Browser, hub: Hub) -> None:
    page = opened(browser, hub, "adam", "/people")
    page.get_by_label("Přihlašovací jméno").fill("karel")
    page.get_by_label("Role").first.click()
    page.get_by_role("option", name="technik").click()
    page.keyboard.press("Escape")
    page.get_by_role("button", name="Přidat člověka").click()
    password = page.locator("[data-secret]").inner_text()
    page.get_by_role("button", name="Zavřít").click()
    page.screenshot(path=str(hub.folder / "people.png"))
    expect(page.get_by_role("cell", name="karel", exact=True)).to_be_visible()
    with Ledger(sqlite_url(hub.folder / "ledger.db")).open() as ledger:
        made = ledger.people.verify("karel", password)
        assert made is not None
        assert (set(made.roles), made.must_change) == ({"technician"}, True)
    page.context.close()


def test_a_correction_is_made_after_a_preview_and_taken_back_with_a_reason(browser: Browser, hub: Hub) -> None:
    page = opened(browser, hub, "jana", "/corrections")
    page.get_by_label("Zařízení").first.fill("000")
    page.get_by_role("option", name="Čidlo ovzduší 000").click()
    page.get_by_label("Od", exact=True).fill("2020-01-01T00:00")
    page.get_by_label("Do", exact=True).fill("2099-01-01T00:00")
    page.get_by_label("Důvod").fill("čidlo bylo v sáčku")
    page.get_by_role("button", name="Náhled a uložit").click()
    expect(page.get_by_role("dialog")).to_contain_text("Týká se 100 uložených měření")
    page.get_by_role("button", name="Provést", exact=True).click()
    page.screenshot(path=str(hub.folder / "corrections.png"))
    page.get_by_role("button", name="Odvolat").click()
    page.get_by_role("dialog").get_by_label("Důvod").fill("omyl")
    page.get_by_role("button", name="Provést", exact=True).click()
    expect(page.get_by_text("Žádná oprava neodpovídá.")).to_be_visible()
    expect(page.get_by_text("Oprava 1 je odvolána.")).to_be_visible()  # said though the clicked row is gone
    page.context.close()


@pytest.mark.parametrize(
    ("payload", "told"), [('{"readings": {"pm10": 21.5}}', "21,5"), ('{"readings": {"pm10": ', "Obsah nelze přečíst")]
)
def test_the_bench_says_what_a_message_means_or_what_is_wrong(
    browser: Browser, hub: Hub, payload: str, told: str
) -> None:
    page = opened(browser, hub, "jana", "/bench")
    page.get_by_label("Téma").fill("devices/air-001/readings")
    page.get_by_label("Obsah zprávy").fill(payload)
    page.get_by_role("button", name="Dekódovat").click()
    expect(page.get_by_role("status").filter(has_text="Konektor")).to_contain_text(told)
    page.screenshot(path=str(hub.folder / f"bench-{told[:3]}.png"))
    page.context.close()


def test_a_viewer_sees_no_actions_and_no_audit(browser: Browser, hub: Hub) -> None:
    page = opened(browser, hub, "eva", "/devices")
    expect(page.get_by_text("Nalezeno 250")).to_be_visible()
    assert page.get_by_role("button", name="Náhled a provést").count() == 0
    assert page.get_by_role("link", name="Záznam změn").count() == 0
    assert page.goto(f"{hub.url}/desk/audit").status == 403  # type: ignore[union-attr]  # a response came
    page.context.close()


def test_the_language_is_switched_and_remembered(browser: Browser, hub: Hub) -> None:
    page = opened(browser, hub, "eva", "/")
    page.get_by_role("link", name="English").click()
    expect(page.locator("h1")).to_have_text("Overview")
    page.goto(f"{hub.url}/desk/devices")
    expect(page.locator("h1")).to_have_text("Devices")
    page.context.close()


def test_a_chart_draws_readings_and_says_how_many(browser: Browser, hub: Hub) -> None:
    page = opened(browser, hub, "eva", "/charts")
    page.get_by_label("Veličina").fill("PM10")
    page.get_by_role("option").first.click()
    page.get_by_label("Zařízení", exact=True).fill("000")
    page.get_by_role("option", name="Čidlo ovzduší 000").click()
    page.keyboard.press("Escape")
    page.get_by_role("button", name="Zobrazit").click()
    expect(page.get_by_text("Měření: 100.")).to_be_visible()
    page.screenshot(path=str(hub.folder / "chart.png"))
    page.context.close()


def test_who_is_disabled_can_do_nothing_more_on_an_open_page(browser: Browser, hub: Hub) -> None:
    page = opened(browser, hub, "adam", "/devices")
    page.get_by_label("Hledat").fill("009")
    expect(page.get_by_text("Nalezeno 1,")).to_be_visible()
    hub.sessions.write_text("jana technician\neva viewer\n")
    try:
        page.wait_for_timeout(1100)  # longer than what was checked counts as fresh
        page.get_by_label("Hledat").fill("011")
        expect(page.locator("#popup")).to_be_visible()  # its socket is closed, and none is opened again
        assert page.get_by_text("Nalezeno 1,").count() == 1
        assert httpx.get(f"{hub.url}/desk/devices", cookies={"cityhub_session": "adam"}).status_code == 401
    finally:
        hub.sessions.write_text(SESSIONS)
        page.context.close()
