# SPDX-License-Identifier: EUPL-1.2
"""Definitions, values, revisions, and the feed of changes."""

import csv
import io
from typing import Any

import pytest
from pydantic import BaseModel

from hub.api.schemas.indicators import ChangeList, IndicatorDetail, LatestValues, RevisionList, ValuePage
from hub.core.windows import HOUR
from tests.api.conftest import NOW, SITE, World, value
from tests.api.test_devices import pages

P = "/api/v1/indicators"
VALUES = f"{P}/pm10_day_mean/values"


@pytest.mark.parametrize(
    ("path", "model"),
    [
        (f"{P}/latest", LatestValues),
        (f"{P}/changes", ChangeList),
        (VALUES, ValuePage),
        (f"{P}/eaqi_2024_district/values", ValuePage),
        (f"{P}/pm10_day_mean/revisions?place={SITE}&start=2026-11-20T00:00:00Z", RevisionList),
    ],
)
async def test_values_keep_to_the_published_schema(world: World, path: str, model: type[BaseModel]) -> None:
    async with world.client() as client:
        body = (await client.get(path)).raise_for_status().json()
    model.model_validate(body)
    assert body["items"]


async def test_a_value_never_comes_bare(world: World) -> None:
    async with world.client() as client:
        rows = [row for page in await pages(client, VALUES) for row in page]
    by_key = {(row["place"], row["window"]["start"]): row for row in rows}
    final = by_key[SITE, "2026-11-20T00:00:00Z"]
    assert {k: final[k] for k in ("value", "unit", "status", "coverage", "n_valid", "n_expected", "origin")} == {
        "value": 20.3,
        "unit": "ug/m3",
        "status": "final",
        "coverage": 0.958,
        "n_valid": 23,
        "n_expected": 24,
        "origin": "measured",
    }
    lacking = by_key[SITE, "2026-11-21T00:00:00Z"]
    assert (lacking["value"], lacking["status"]) == (None, "insufficient_data")
    assert lacking["reason"] == "pm10: 3 of 24 hours, 18 needed"
    assert by_key["havirov/podlesi", "2026-11-20T00:00:00Z"]["simulated"] is True
    assert by_key[SITE, "2026-11-22T00:00:00Z"]["status"] == "provisional"


@pytest.mark.parametrize(
    ("query", "starts"),
    [
        ("", ["20", "20", "21", "22"]),
        (f"?place={SITE}", ["20", "21", "22"]),
        ("?place=havirov", []),
        ("?place=havirov&below=true", ["20", "20", "21", "22"]),
        ("?from=2026-11-21T00:00:00Z&to=2026-11-22T00:00:00Z", ["21"]),
        ("?to=2026-11-21T00:00:00Z", ["20", "20"]),
        ("?from=2026-11-22T00:00:00Z", ["22"]),
    ],
)
async def test_place_and_period(world: World, query: str, starts: list[str]) -> None:
    async with world.client() as client:
        rows = (await client.get(VALUES + query)).json()["items"]
    assert [row["window"]["start"][8:10] for row in rows] == starts


async def test_pages_neither_repeat_nor_skip_while_values_come_in(world: World) -> None:
    """Also where many places share one start, which the ledger cannot begin within."""
    base = NOW - 1000 * 24 * HOUR
    places = [f"havirov/p{number:03}" for number in range(150)]
    rows = [value(base, place) for place in places] + [value(base + 24 * HOUR, place) for place in places[:5]]
    world.ledger.values.commit([(row, row.end) for row in rows], {})
    async with world.client() as client:
        query = {"from": "2020-01-01T00:00:00Z", "to": "2026-01-01T00:00:00Z"}
        first = (await client.get(VALUES, params={**query, "limit": 140})).json()
        late = [value(base, "havirov/p000a"), value(base, "havirov/p149a")]
        world.ledger.values.commit([(row, row.end) for row in late], {})
        rest = await pages(client, VALUES, limit=3, cursor=first["next"], **query)
    found = [(row["window"]["start"], row["place"]) for page in (first["items"], *rest) for row in page]
    assert found == sorted(found)
    assert [place for _, place in found] == [*places, "havirov/p149a", *places[:5]]


async def test_latest_has_one_window_of_each_indicator_and_place(world: World) -> None:
    async with world.client() as client:
        rows = (await client.get(f"{P}/latest")).json()["items"]
        one = (await client.get(f"{P}/latest?indicator=eaqi_2024_district")).json()["items"]
        placed = (await client.get(f"{P}/latest?place=havirov&below=true&indicator=pm10_day_mean")).json()["items"]
    keys = [(row["indicator"], row["place"], row["window"]["start"][8:10]) for row in rows]
    assert sorted(keys) == [
        ("eaqi_2024_district", "havirov/podlesi", "22"),
        ("pm10_day_mean", "havirov/podlesi", "20"),
        ("pm10_day_mean", SITE, "22"),
    ]
    assert [row["indicator"] for row in one] == ["eaqi_2024_district"]
    assert {row["place"] for row in placed} == {SITE, "havirov/podlesi"}


async def test_a_band_has_its_words(world: World) -> None:
    async with world.client() as client:
        (row,) = (await client.get(f"{P}/latest?indicator=eaqi_2024_district")).json()["items"]
    assert row["band"]["index"] == 2
    assert row["band"]["label"]["cs"]
    assert (row["missing"], row["lower_bound"]) == (["so2"], True)
    assert row["components"]["pm10"]["coverage"] == 1.0


async def test_a_reader_of_changes_misses_nothing(world: World) -> None:
    seen: list[dict[str, Any]] = []
    async with world.client() as client:
        since, more = 0, True
        while more:
            body = (await client.get(f"{P}/changes?since={since}&limit=2")).json()
            seen += body["items"]
            since, more = body["since"], body["more"]
        assert (await client.get(f"{P}/changes?since={since}")).json() == {"items": [], "since": since, "more": False}
        revised = value(NOW - 84 * HOUR, value=21.0, revision=2, cause="late readings of air-sumbark-1")
        world.ledger.values.commit([(revised, revised.end)], {})
        (changed,) = (await client.get(f"{P}/changes?since={since}")).json()["items"]
    assert len(seen) == 5
    assert [row["seq"] for row in seen] == sorted({row["seq"] for row in seen})
    assert (changed["value"], changed["revision"], changed["cause"]) == (21.0, 2, "late readings of air-sumbark-1")


async def test_the_history_of_a_window_says_why_it_changed(world: World) -> None:
    revised = value(NOW - 84 * HOUR, value=21.0, revision=2, cause="late readings")
    world.ledger.values.commit([(revised, revised.end)], {})
    async with world.client() as client:
        url = f"{P}/pm10_day_mean/revisions?place={SITE}&start=2026-11-20T00:00:00Z"
        rows = (await client.get(url)).json()["items"]
        none = await client.get(url.replace("11-20", "11-19"))
    assert [(row["revision"], row["value"], row["cause"]) for row in rows] == [
        (1, 20.3, None),
        (2, 21.0, "late readings"),
    ]
    assert none.status_code == 404
    assert "no value of pm10_day_mean at havirov/sumbark" in none.json()["detail"]


async def test_values_as_csv_carry_what_json_carries(world: World) -> None:
    async with world.client() as client:
        answer = await client.get(f"{VALUES}?dialect=cs", headers={"Accept": "text/csv"})
        links = await client.get(f"{VALUES}?limit=1", headers={"Accept": "text/csv"})
    rows = list(csv.DictReader(io.StringIO(answer.content.decode("utf-8-sig")), delimiter=";"))
    assert [(row["value"], row["status"], row["coverage"], row["origin"]) for row in rows] == [
        ("20,3", "final", "0,958", "simulated"),
        ("20,3", "final", "0,958", "measured"),
        ("", "insufficient_data", "0,125", "measured"),
        ("20,3", "provisional", "0,958", "measured"),
    ]
    assert rows[2]["reason"] == "pm10: 3 of 24 hours, 18 needed"
    assert "cursor=" in links.links["next"]["url"]


async def test_definitions_are_listed_and_told_in_full(world: World) -> None:
    async with world.client() as client:
        city = [row["id"] for row in (await client.get(P)).json()["items"]]
        every = [row["id"] for row in (await client.get(f"{P}?visibility=all")).json()["items"]]
        for name in every:
            IndicatorDetail.model_validate((await client.get(f"{P}/{name}")).raise_for_status().json())
        day = (await client.get(f"{P}/pm10_day_mean")).json()
    assert set(every) == {definition.id for definition in world.services.definitions}
    assert set(every) - set(city) == {d.id for d in world.services.definitions if d.visibility == "test"}
    assert "chmi_iko_2017" not in city
    assert (day["text"].splitlines()[1], day["version"]) == ("id: pm10_day_mean", day["version"])
    assert day["examples"]
    assert day["reference"][0]["citation"]
    assert day["inputs"]["pm10"]["quantity"] == "pm10"
