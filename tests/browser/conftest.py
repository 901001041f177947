# SPDX-License-Identifier: EUPL-1.2
"""One real hub (embedded broker, SQLite, API, ingest) and one real Chromium for each module of stories.

`FIELD_PICTURES=docs/pictures` keeps the pictures that the stories take; without it they go to the test's own folder.
"""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

from hub.app import Parts
from hub.core.access import Person
from hub.settings import load_settings
from tests.e2e.hub_process import RunningHub, running_hub
from tests.servers import require_binary

PASSWORD = "a long enough phrase for tests"
PHONE = {"width": 390, "height": 844}


@pytest.fixture(scope="module")
def hub(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningHub]:
    """A hub with the city's places and a person of each role, called like the role."""
    with running_hub(tmp_path_factory.mktemp("hub")) as running:
        parts = Parts(load_settings(running.config))
        with parts.ledger().open() as ledger:
            ledger.devices.put_places(parts.city().places)
            for role in ("technician", "operator", "viewer", "admin"):
                ledger.people.add(Person(login=role, name=role.title(), roles=frozenset({role})), PASSWORD, by="test")
        yield running


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    """The system's Chromium."""
    binary = require_binary("chromium")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=str(binary), args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture
def phone(chromium: Browser, hub: RunningHub) -> Iterator[Page]:
    """A technician's phone, not signed in yet."""
    context = chromium.new_context(
        viewport=PHONE, locale="cs-CZ", base_url=hub.url, permissions=["geolocation"],
        geolocation={"latitude": 49.7795, "longitude": 18.4310},
    )  # fmt: skip
    page = context.new_page()
    page.set_default_timeout(30_000)
    yield page
    context.close()


@pytest.fixture
def pictures(tmp_path: Path) -> Path:
    """Where pictures of this run go."""
    folder = Path(os.environ.get("FIELD_PICTURES", tmp_path))
    folder.mkdir(parents=True, exist_ok=True)
    return folder
