# SPDX-License-Identifier: EUPL-1.2
"""Readings out (JSON, CSV, pages, corrections) and in (through the broker)."""

import csv
import io
import json
from pathlib import Path
from typing import Any

import pytest

from connectors.native.connector import CONNECTOR
from hub import sdk
from hub.api.reading_pages import read_page
from hub.api.schemas.readings import ReadingPage
from hub.core.ports import FlagStretch, QualityFinding
from hub.core.readings import NS, Flag, Series
from hub.core.windows import HOUR, format_instant
from hub.storage.flags_sqlite import SqliteFlagStore
from tests.api.conftest import AIR, MINUTE, NOW, World, reading
from tests.api.test_devices import pages

P = "/api/v1"
LONG = f"{P}/readings?device={AIR}&quantity=pm10&from=2024-01-01T00:00:00Z"


async def test_a_reading_says_unit_flag_origin_and_place(world: World) -> None:
    async with world.client() as client:
        body = (await client.get(f"{P}/readings?device={AIR}&device=sim-1")).json()
    ReadingPage.model_validate(body)
    assert (body["from"], body["to"]) == ("2026-11-22T12:00:00Z", "2026-11-23T12:00:00Z")
    shown = [(r["device"], r["quantity"], r["value"], r["unit"], r["quality"], r["origin"]) for r in body["items"]]
    assert shown == [
        (AIR, "air_temperature", -4.5, "Cel", "good", "measured"),
        (AIR, "pm10", 20.3, "ug/m3", "good", "measured"),
        ("sim-1", "pm10", 7.25, "ug/m3", "good", "simulated"),
        (AIR, "pm10", 9999.0, "ug/m3", "fail", "measured"),
    ]
    assert [row["simulated"] for row in body["items"]] == [False, False, True, False]


async def test_the_place_is_where_the_device_was_then(world: World) -> None:
    await world.store.put([reading(NOW - 40 * 24 * HOUR, 1.0), reading(NOW - 500 * 24 * HOUR, 2.0)])
    async with world.client() as client:
        rows = (await client.get(LONG)).json()["items"]
    assert [row["place"] for row in rows] == [None, "havirov/mesto", "havirov/sumbark", "havirov/sumbark"]


@pytest.mark.parametrize(
    ("bounds", "values"),
    [
        ("&from=2026-11-23T11:30:00Z&to=2026-11-23T11:45:00Z", [20.3]),
        ("&from=2026-11-23T12:30:00%2B01:00&to=2026-11-23T12:45:00%2B01:00", [20.3]),
        ("&from=2026-11-23T11:30:00.000000001Z", [9999.0]),
        ("&to=2026-11-23T11:30:00Z", []),
        ("&from=1900-01-01T00:00:00Z&to=2199-01-01T00:00:00Z", [20.3, 9999.0]),
    ],
)
async def test_the_period_is_half_open_and_exact_to_the_nanosecond(
    world: World, bounds: str, values: list[float]
) -> None:
    async with world.client() as client:
        rows = (await client.get(f"{P}/readings?device={AIR}&quantity=pm10{bounds}")).json()["items"]
    assert [row["value"] for row in rows] == values


async def test_pages_neither_repeat_nor_skip_while_readings_come_in(world: World) -> None:
    old = [reading(NOW - 200 * 24 * HOUR + i * 7 * HOUR, float(i)) for i in range(40)]
    await world.store.put(old)
    async with world.client() as client:
        first = (await client.get(f"{LONG}&limit=15")).json()
        late = [reading(old[3].time + 1, -1.0), reading(old[30].time + 1, -2.0)]
        await world.store.put(late)
        rest = await pages(client, LONG, limit=10, cursor=first["next"])
    found = [row["value"] for page in (first["items"], *rest) for row in page]
    assert found == [*map(float, range(31)), -2.0, *map(float, range(31, 40)), 20.3, 9999.0]


async def test_rows_of_one_instant_are_split_between_pages(world: World) -> None:
    quantities = ("no2", "o3", "pm10", "pm2_5", "so2")
    await world.store.put([reading(NOW - 10 * MINUTE, 5.0, quantity) for quantity in quantities])
    async with world.client() as client:
        found = await pages(client, f"{P}/readings?device={AIR}&from=2026-11-23T11:50:00Z", limit=2)
    assert [[row["quantity"] for row in page] for page in found] == [["no2", "o3"], ["pm10", "pm2_5"], ["so2"]]


async def test_the_period_of_the_first_page_holds_for_all(world: World) -> None:
    """Without from and to the first page ends now; the next ones must not slide on with the clock."""
    async with world.client() as client:
        first = (await client.get(f"{P}/readings?device={AIR}&limit=1")).json()
    async with world.client(clock_ns=lambda: NOW + 30 * 24 * HOUR) as client:
        second = (await client.get(f"{P}/readings?device={AIR}&cursor={first['next']}")).json()
    assert (second["from"], second["to"]) == (first["from"], first["to"])
    assert [row["value"] for row in second["items"]] == [20.3, 9999.0]


async def test_a_page_does_not_read_the_whole_period(world: World) -> None:
    """The store is asked for growing steps and no longer once the page is full."""
    asked: list[tuple[int, int]] = []

    class Watched:
        async def scan(self, series: Any, start: int, end: int) -> Any:
            asked.append((start, end))
            return await world.store.scan(series, start, end)

        async def latest(self, series: Any) -> Any:
            return await world.store.latest(series)

    await world.store.put([reading(NOW - 1000 * HOUR + i * HOUR, float(i)) for i in range(900)])
    series = [Series(AIR, "pm10")]
    page = await read_page(Watched(), series, NOW - 1000 * HOUR, NOW, None, 10)  # type: ignore[arg-type]  # it only reads
    assert [row.value for row in page.rows] == [*map(float, range(10))]
    assert asked[-1][1] <= NOW - 900 * HOUR
    asked.clear()
    await read_page(Watched(), series, -(2**60), 2**62, None, 10)  # type: ignore[arg-type]  # as above
    assert len(asked) < 400
    assert asked[-1][1] - asked[-1][0] <= 32 * 24 * HOUR


async def test_corrections_are_applied_unless_readings_are_asked_for_as_stored(world: World) -> None:
    add = world.ledger.corrections.add
    add(AIR, NOW - 16 * MINUTE, NOW, "exclude", by="ann", reason="works on the roof")
    add(AIR, NOW - 31 * MINUTE, NOW, "override_flag", flag=3, by="ann", reason="drift", quantity="pm10")
    async with world.client() as client:
        corrected = (await client.get(f"{P}/readings?device={AIR}&quantity=pm10")).json()["items"]
        stored = (await client.get(f"{P}/readings?device={AIR}&quantity=pm10&as_stored=true")).json()["items"]
        listed = await pages(client, f"{P}/corrections", limit=1)
        others = (await client.get(f"{P}/corrections?device=sim-1")).json()
    assert [(row["value"], row["flag"]) for row in corrected] == [(20.3, Flag.SUSPECT)]
    assert [(row["value"], row["flag"]) for row in stored] == [(20.3, Flag.GOOD), (9999.0, Flag.FAIL)]
    assert [[row["action"] for row in page] for page in listed] == [["exclude"], ["override_flag"]]
    assert listed[0][0]["from"] == format_instant(NOW - 16 * MINUTE)
    assert others == {"items": [], "next": None}


async def test_what_quality_control_found_stands_beside_the_reading(world: World, tmp_path: Path) -> None:
    """Beside the flag that it was stored with, in JSON and in CSV."""
    flags = SqliteFlagStore(tmp_path / "flags.db")
    series, stretch = Series(AIR, "air_temperature"), (NOW - 24 * HOUR, NOW)
    await flags.replace([FlagStretch(series, *stretch, {NOW - 30 * MINUTE: QualityFinding(3, "spike")})])
    async with world.client(flags=flags) as client:
        body = (await client.get(f"{P}/readings?device={AIR}")).json()
        text = (await client.get(f"{P}/readings?device={AIR}", headers={"Accept": "text/csv"})).text
    await flags.close()
    ReadingPage.model_validate(body)
    assert [(row["flag"], row["qc"]) for row in body["items"]][:2] == [(1, {"flag": 3, "test": "spike"}), (1, None)]
    assert [line.rsplit(",", 2)[1:] for line in text.splitlines()[1:3]] == [["3", "spike"], ["", ""]]


class TestCsv:
    """Rows for spreadsheets."""

    async def test_plain(self, world: World) -> None:
        async with world.client() as client:
            answer = await client.get(f"{P}/readings?device={AIR}", headers={"Accept": "text/csv"})
        assert answer.headers["Content-Type"] == "text/csv; charset=utf-8"
        rows = list(csv.reader(io.StringIO(answer.text)))
        assert rows[:2] == [
            ["device", "place", "quantity", "time", "value", "unit", "flag", "quality", "origin", "qc_flag", "qc_test"],
            [AIR, "havirov/sumbark", "air_temperature", "2026-11-23T11:30:00Z", "-4.5", "Cel", "1", "good", "measured",
             "", ""],
        ]  # fmt: skip

    async def test_for_czech_excel(self, world: World) -> None:
        async with world.client() as client:
            url = f"{P}/readings?device={AIR}&dialect=cs"
            answer = await client.get(url, headers={"Accept": "text/csv"})
        assert answer.content.startswith(b"\xef\xbb\xbfdevice;place;")
        assert ";-4,5;Cel;" in answer.text
        assert answer.content.count(b"\r\n") == 4

    async def test_the_next_page_is_in_the_header_link(self, world: World) -> None:
        async with world.client() as client:
            url, found = f"{P}/readings?device={AIR}&limit=2&dialect=cs", []
            while url:
                answer = await client.get(url, headers={"Accept": "text/csv"})
                found.append(len(answer.text.splitlines()) - 1)
                url = answer.links.get("next", {}).get("url", "")
        assert found == [2, 1]

    async def test_a_text_that_is_a_formula_is_defused(self, world: World) -> None:
        async with world.client("write") as client:
            await client.post(f"{P}/devices", json={"id": "-2-3"})
            await world.store.put([reading(NOW - MINUTE, 1.0, device="-2-3")])
            answer = await client.get(f"{P}/readings?device=-2-3", headers={"Accept": "text/csv"})
        assert answer.text.splitlines()[1].startswith("'-2-3,")

    @pytest.mark.parametrize(
        ("accept", "media"),
        [
            ("text/csv", "text/csv"),
            ("text/*", "text/csv"),
            ("application/json;q=0.5, text/csv", "text/csv"),
            ("text/csv;q=0.5, application/json", "application/json"),
            ("*/*", "application/json"),
            ("text/csv;q=0", "application/json"),
            ("image/png", "application/json"),
            ("", "application/json"),
        ],
    )
    async def test_the_format_follows_accept(self, world: World, accept: str, media: str) -> None:
        async with world.client() as client:
            answer = await client.get(f"{P}/readings?device={AIR}", headers={"Accept": accept})
        assert answer.headers["Content-Type"].partition(";")[0] == media
        assert "Accept" in answer.headers["Vary"]


def decoded(world: World) -> list[sdk.Reading]:
    """What the real native connector makes of all that was published."""
    found = []
    for message in world.outbox.sent:
        _, device, _ = message.topic.split("/")
        found += sdk.singly(CONNECTOR.decode(sdk.RawMessage(message.topic, message.payload), {"device": device}))
    return [row for row in found if isinstance(row, sdk.Reading)]


class TestPost:
    """Readings sent to the API."""

    async def test_they_are_published_as_every_device_would(self, world: World) -> None:
        sent = {
            "device": AIR,
            "time": "2026-11-23T12:00:00.000000001+01:00",
            "readings": {"pm10": 20.3, "air_temperature": {"value": 294.5, "unit": "K", "revision": 2}},
        }
        async with world.client("write") as client:
            answer = await client.post(f"{P}/readings", json=sent)
        assert answer.status_code == 202
        assert answer.json()["readings"] == 2
        assert answer.json()["see"] == [f"{P}/devices/{AIR}"]
        assert [message.topic for message in world.outbox.sent] == [f"devices/{AIR}/readings"]
        at = NOW - HOUR + 1
        assert decoded(world) == [
            sdk.Reading(AIR, "pm10", 20.3, time=at),
            sdk.Reading(AIR, "air_temperature", 294.5, "K", at, revision=2),
        ]

    async def test_origin_and_revision_go_with_them(self, world: World) -> None:
        sent = {"device": AIR, "time": "2026-11-23T11:00:00Z", "readings": {"pm10": 1}, "origin": "simulated"}
        async with world.client("write") as client:
            assert (await client.post(f"{P}/readings", json=sent | {"revision": 3})).status_code == 202
        assert [(row.origin, row.revision) for row in decoded(world)] == [("simulated", 3)]

    async def test_many_are_grouped_by_device_into_messages_of_bearable_size(self, world: World) -> None:
        rows = [
            {"device": device, "time": format_instant(NOW - i * NS), "readings": {"pm10": i}}
            for i in range(60)
            for device in (AIR, "sim-1")
        ]
        async with world.client("write") as client:
            answer = await client.post(f"{P}/readings", json=rows)
        assert (answer.json()["readings"], answer.json()["messages"]) == (120, 4)
        assert {(row.device, row.value) for row in decoded(world)} == {
            (device, float(i)) for i in range(60) for device in (AIR, "sim-1")
        }

    @pytest.mark.parametrize(
        ("change", "name", "words"),
        [
            ({"device": "none"}, "device", "'none' is not registered; POST /api/v1/devices registers it"),
            ({"device": "lora-7"}, "device", "sends through chirpstack"),
            ({"device": "a/b"}, "device", "pattern"),
            ({"time": None}, "time", "write the time as text"),
            ({"time": "2026-11-23T11:00:00"}, "time", "has no time zone"),
            ({"time": "1999-12-31T23:59:59Z"}, "time", "is before 2000"),
            ({"time": "2026-11-23T12:05:01Z"}, "time", "more than 5 minutes ahead"),
            ({"readings": {}}, "readings", "at least 1 item"),
            ({"readings": {"pm100": 1}}, "readings.pm100", "did you mean pm10"),
            ({"readings": {"pm10": "20.3"}}, "readings.pm10", "valid number"),
            ({"readings": {"pm10": True}}, "readings.pm10", "valid number"),
            ({"readings": {"pm10": None}}, "readings.pm10", "valid number"),
            ({"readings": {"pm10": {"value": 1, "unit": "km/h"}}}, "readings.pm10", "unknown unit 'km/h' for pm10"),
            ({"readings": {"pm10": {"unit": "ug/m3"}}}, "readings.pm10.value", "Field required"),
            ({"readings": {"pm10": {"value": 1, "units": "K"}}}, "readings.pm10.units", "is no field here"),
            ({"readings": {"energy": {"value": 1e308, "unit": "MWh"}}}, "readings.energy", "beyond all bounds"),
            ({"revision": -1}, "revision", "greater than or equal to 0"),
            ({"origin": "measured"}, "origin", "'imported' or 'simulated'"),
            ({"timestamp": "x"}, "timestamp", "is no field here"),
        ],
    )
    async def test_what_is_wrong_is_told_at_once_and_nothing_is_published(
        self, world: World, change: dict[str, Any], name: str, words: str
    ) -> None:
        good = {"device": AIR, "time": "2026-11-23T11:00:00Z", "readings": {"pm10": 1}}
        async with world.client("write") as client:
            one = (await client.post(f"{P}/readings", json=good | change)).json()
            many = (await client.post(f"{P}/readings", json=[good, good | change])).json()
        assert [row["name"] for row in one["errors"]] == [name]
        assert [row["name"] for row in many["errors"]] == [f"1.{name}"]
        assert words in one["detail"]
        assert world.outbox.sent == []

    @pytest.mark.parametrize("word", ["NaN", "Infinity", "-Infinity", "1e999"])
    async def test_what_is_no_number_is_refused(self, world: World, word: str) -> None:
        body = json.dumps({"device": AIR, "time": "2026-11-23T11:00:00Z", "readings": {"pm10": 0}}).replace(
            "0}", f"{word}}}"
        )
        async with world.client("write") as client:
            answer = await client.post(f"{P}/readings", content=body, headers={"Content-Type": "application/json"})
        assert answer.status_code == 422
        assert world.outbox.sent == []

    async def test_the_largest_request_stays_below_the_broker_s_megabyte(self, world: World) -> None:
        names = [q.id for q in world.services.quantities][:200]
        row = {
            "device": AIR,
            "time": "2026-11-23T11:00:00.123456789Z",
            "readings": {name: {"value": -1.2345678901234567e-300, "revision": 2**31 - 1} for name in names},
        }
        async with world.client("write", max_body_bytes=2**25) as client:
            answer = await client.post(f"{P}/readings", json=[row] * 100)
        assert answer.status_code == 202
        assert max(len(message.payload) for message in world.outbox.sent) < 1_000_000
