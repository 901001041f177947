# SPDX-License-Identifier: EUPL-1.2
"""A small town in real files with a fixed clock, what happens in it, and how its pages are read."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from html.parser import HTMLParser

import httpx
from fastapi import FastAPI
from msgspec import structs

from hub.api.auth import KeyGate
from hub.console import ConsoleServices, router
from hub.core.errors import Retry
from hub.core.indicators import Component, IndicatorValue, Status
from hub.core.journal import Quarantined
from hub.core.places import Device, Mounting
from hub.core.readings import Columns, Grade, Origin, Series
from hub.core.windows import HOUR, parse_instant
from hub.ingest.journal import SqliteJournal
from hub.storage.ledger import Ledger
from hub.storage.readings_sqlite import SqliteReadingStore

NOW = parse_instant("2026-11-23T10:20:00Z")
HOUR_AGO = NOW - NOW % HOUR - HOUR
MINUTE = HOUR // 60
SCRIPT = b'<script>alert("x")</script>'


@dataclass
class Town:
    """The services with the writers behind them."""

    services: ConsoleServices
    ledger: Ledger
    journal: SqliteJournal
    store: SqliteReadingStore

    @property
    def client(self) -> httpx.AsyncClient:
        """A browser without scripts that asks for Czech pages."""
        app = FastAPI()
        app.state.gate = KeyGate(self.ledger.keys, self.ledger.people, open_reads=True)
        app.include_router(router(self.services))
        transport = httpx.ASGITransport(app=app)
        return httpx.AsyncClient(transport=transport, base_url="http://hub", headers={"Accept-Language": "cs"})

    async def page(self, path: str = "/", status: int = 200) -> str:
        """Text of a page; blanks and dashes that do not break are read as plain ones."""
        async with self.client as browser:
            answer = await browser.get(path)
        assert answer.status_code == status
        return plain(answer.text)

    def values(self, *values: IndicatorValue) -> None:
        """Commit values."""
        self.ledger.values.commit([(value, value.end + 2 * HOUR) for value in values], {})


def plain(text: str) -> str:
    """Text without typography."""
    return text.replace("\N{NO-BREAK SPACE}", " ").replace("\N{WORD JOINER}", "")


def index(place: str, band: int | None, **changes: object) -> IndicatorValue:
    """An index of a part for the hour before `NOW`; None: insufficient data."""
    fields = {
        "indicator": "eaqi_2024_district",
        "place": place,
        "start": HOUR_AGO,
        "end": HOUR_AGO + HOUR,
        "period": "PT1H",
        "value": None if band is None else float(band),
        "band": band,
        "unit": "1",
        "status": Status.INSUFFICIENT if band is None else Status.FINAL,
        "reason": "index: no value of eaqi_2024" if band is None else None,
        "definition_version": 1,
        "coverage": 1.0,
        "n_valid": 1,
        "n_expected": 1,
        "origin": Origin.MEASURED,
        "grade": Grade.REFERENCE,
        "revision": 1,
        "closed": True,
        "computed_at": NOW,
    }
    return IndicatorValue(**(fields | changes))  # type: ignore[arg-type] # a dict of mixed fields


def day(start: str, value: float | None, **changes: object) -> IndicatorValue:
    """A daily mean of PM10 at the station."""
    begin = parse_instant(start)
    fields = {
        "indicator": "pm10_day_mean",
        "start": begin,
        "end": begin + 24 * HOUR,
        "period": "P1D",
        "value": value,
        "unit": "ug/m3",
        "status": Status.INSUFFICIENT if value is None else Status.FINAL,
        "band": None,
    }
    return structs.replace(index("havirov/mesto/thara", 1), **(fields | changes))


VOID = {"meta", "img", "link", "br", "rect", "path", "polygon", "circle", "input"}


class Outline(HTMLParser):
    """Checks that tags nest, and collects what must not be there."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.seen: set[str] = set()
        self.outside: list[str] = []
        self.feed(text)
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.add(tag)
        self.outside += [v for k, v in attrs if k in {"src", "href", "action"} and v and re.match(r"(https?:)?//", v)]
        assert not any(name.startswith("on") or name == "style" for name, _ in attrs)
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.add(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def row_of(html: str, name: str) -> str:
    """Text of the table row that begins with `name`."""
    rows = [re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", row)) for row in re.findall(r"<tr.*?</tr>", html, re.DOTALL)]
    found = [row.strip() for row in rows if row.strip().startswith(name)]
    assert found, f"no row begins with {name!r}"
    return found[0]


class Away(SqliteReadingStore):
    """A store that is away: the port's own way to say so."""

    def __init__(self, store: SqliteReadingStore) -> None:
        self._store = store

    async def series(self, devices: object = None) -> list[Series]:
        raise Retry("away")

    async def scan(self, series: object, start: int, end: int) -> Columns:
        raise Retry("away")


def device(name: str, title: str, origin: Origin = Origin.MEASURED, interval: int | None = 900) -> Device:
    """A device at the station."""
    mountings = [Mounting("havirov/mesto/thara", 0)]
    return Device(
        id=name,
        connector="native",
        external_id=name,
        title=title,
        interval=interval,
        origin=origin,
        mountings=mountings,
    )


def bounded() -> dict[str, object]:
    components = {"havirov/mesto/thara": Component(value=2.0, unit="1")}
    return {"lower_bound": True, "missing": ("havirov/mesto/thara",), "components": components, "revision": 2}


def quarantined() -> Sequence[Quarantined]:
    new = [
        Quarantined(
            received=NOW - i * MINUTE,
            topic="devices/door-7/readings",
            payload=b"{}",
            reason="unknown_device",
            detail="",
            connector="native",
            external_id="door-7",
        )
        for i in (30, 20, 10)
    ]
    bad = Quarantined(
        received=NOW - MINUTE, topic="devices/air-1/readings", payload=SCRIPT, reason="malformed", detail="at byte 0"
    )
    return [*new, bad]


def reasons(messages: Sequence[Quarantined]) -> dict[tuple[str, str], int]:
    counts: dict[tuple[str, str], int] = {}
    for message in messages:
        key = (message.connector, message.reason)
        counts[key] = counts.get(key, 0) + 1
    return counts
