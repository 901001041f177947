# SPDX-License-Identifier: EUPL-1.2
"""What comes in, at the desk of a real hub: a table is imported, mended and undone; messages are redriven."""

import csv
import io
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from hub.app import Parts
from hub.core.ports import QuarantineFilter
from hub.settings import load_settings
from tests.browser.test_field_stories import sign_in
from tests.e2e.hub_process import RunningHub
from tests.e2e.test_quarantine_tool import publish

pytestmark = [pytest.mark.server, pytest.mark.timeout(180)]
PATIENCE_MS = 60_000
ROWS, FAULTY = 200, (7, 50, 111)


@pytest.fixture
def desk(chromium: Browser, hub: RunningHub, request: pytest.FixtureRequest) -> Iterator[Page]:
    """A desk in Czech, signed in as the administrator."""
    context = chromium.new_context(viewport={"width": 1366, "height": 768}, locale="cs-CZ", base_url=hub.url)
    page = context.new_page()
    page.set_default_timeout(PATIENCE_MS)
    expect.set_options(timeout=PATIENCE_MS)
    sign_in(page, "admin")
    page.wait_for_url("**/field")
    yield page
    context.close()


def table(faulty: bool) -> bytes:
    """Two hundred devices; three rows of them name a connector that there is not."""
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(["id", "connector", "external_id", "title", "interval_s"])
    for i in range(ROWS):
        connector = "natvie" if faulty and i in FAULTY else "native"
        writer.writerow([f"new-{i:03}", connector, f"new-{i:03}", f"Čidlo {i:03}", 600])
    return out.getvalue().encode()


def choose(page: Page, name: str, content: bytes) -> None:
    page.locator("input[type=file]").set_input_files({"name": name, "mimeType": "text/csv", "buffer": content})


def exported(page: Page) -> bytes:
    """The export that the page links to."""
    return page.request.get(page.get_by_role("link", name="CSV", exact=True).first.get_attribute("href") or "").body()


def test_a_table_is_previewed_mended_imported_and_undone(desk: Page, hub: RunningHub, pictures: Path) -> None:
    desk.goto("/desk/import")
    before = exported(desk)
    assert before.startswith(b"id,")
    choose(desk, "devices.csv", table(faulty=True))
    expect(desk.get_by_text("chyby v 3 řádcích")).to_be_visible()
    first = desk.locator(".desk-table tbody tr").first
    expect(first).to_contain_text("connector: ")  # faults come first, with their column
    expect(first).to_contain_text(str(FAULTY[0] + 2))
    assert desk.get_by_role("button", name="Nahrát", exact=True).count() == 0
    desk.screenshot(path=pictures / "desk-import-faults.png")
    assert exported(desk) == before
    choose(desk, "devices.csv", table(faulty=False))
    desk.get_by_role("button", name="Nahrát", exact=True).click()
    expect(desk.get_by_text("Nahráno: vznikne: 200.")).to_be_visible()
    assert exported(desk).count(b"\r\n") == before.count(b"\r\n") + ROWS
    desk.screenshot(path=pictures / "desk-import-done.png")
    desk.get_by_role("button", name="Vrátit zpět").click()
    desk.get_by_role("button", name="Provést").click()
    expect(desk.get_by_text("je vráceno")).to_be_visible()
    assert exported(desk) == before


def expect_waiting(hub: RunningHub) -> None:
    """Ingest has set the message aside."""
    reader = Parts(load_settings(hub.config)).journals()[0]
    deadline = time.monotonic() + 60
    while not reader.count(QuarantineFilter()):
        assert time.monotonic() < deadline, hub.tail()
        time.sleep(0.1)
    reader.close()


def test_messages_wait_are_taken_through_again_and_the_books_come_out(
    desk: Page, hub: RunningHub, pictures: Path
) -> None:
    with ThreadPoolExecutor(1) as pool:  # the browser has this thread's event loop
        pool.submit(publish, hub, "desk-1", 0, 1).result()
    expect_waiting(hub)
    desk.goto("/desk/inbox")
    expect(desk.get_by_role("button", name="Zaregistrovat")).to_be_visible()
    desk.screenshot(path=pictures / "desk-inbox.png")
    desk.goto("/desk/quarantine")
    expect(desk.locator(".ag-row")).to_have_count(1)
    desk.screenshot(path=pictures / "desk-quarantine.png")
    desk.locator(".ag-row input[type=checkbox]").first.check()
    desk.get_by_role("button", name="Zkusit znovu").click()
    expect(desk.get_by_role("dialog")).to_contain_text("1 zpráv")
    desk.get_by_role("button", name="Provést").click()
    expect(desk.get_by_text("Hotovo (")).to_be_visible()
    desk.goto("/desk/accounting")
    expect(desk.get_by_text("Všechny účty vycházejí.")).to_be_visible()
    desk.screenshot(path=pictures / "desk-accounting.png")
