# SPDX-License-Identifier: EUPL-1.2
"""Definitions, values, revisions, and the feed of changes."""

import asyncio
import csv
import io
import json
from random import Random
from typing import Any

import pytest
from pydantic import BaseModel

from hub.api.schemas.indicators import (
    ChangeList,
    IndicatorDetail,
    LatestValues,
    RevisionList,
    ValuePage,
    VersionList,
)
from hub.api.schemas.provenance import ProvenanceOut
from hub.core.indicators import IndicatorValue
from hub.core.windows import HOUR, format_instant
from hub.storage.ledger import Ledger
from tests.api.conftest import AIR, MINUTE, NOW, SITE, World, reading, value
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


START = NOW - 84 * HOUR
QUIET = "us_aqi_2024_pm10"  # visibility: test


def revise(world: World, number: float, revision: int, computed_at: int, **changes: Any) -> IndicatorValue:
    made = value(START, value=number, revision=revision, computed_at=computed_at, **changes)
    (stored,) = world.ledger.values.commit([(made, made.end)], {})
    return stored


async def test_as_of_gives_what_was_published_then(world: World) -> None:
    revise(world, 21.0, 2, NOW + HOUR, cause="late readings of air-sumbark-1")
    revise(world, 22.0, 3, NOW + 2 * HOUR, cause="correction 1")
    moments = {t: format_instant(NOW + t * MINUTE) for t in (-1, 0, 59, 60, 120, 999)}
    async with world.client() as client:
        query = {"place": SITE, "from": format_instant(START), "to": format_instant(START + 1)}
        answers = {t: await client.get(VALUES, params={**query, "as_of": m}) for t, m in moments.items()}
        latest = (await client.get(f"{P}/latest", params={"place": SITE, "as_of": moments[59]})).json()["items"]
        feed = await client.get(f"{P}/changes?as_of={moments[0]}")
    found = {t: [(row["value"], row["revision"]) for row in a.json()["items"]] for t, a in answers.items()}
    assert found == {-1: [], 0: [(20.3, 1)], 59: [(20.3, 1)], 60: [(21.0, 2)], 120: [(22.0, 3)], 999: [(22.0, 3)]}
    assert {row["status"] for row in latest} <= {"final", "insufficient_data"}
    assert latest
    assert feed.status_code == 422


@pytest.mark.parametrize("path", [VALUES, f"{P}/latest", f"{P}/changes", f"{P}/pm10_day_mean/versions"])
async def test_an_etag_holds_until_something_is_written(world: World, path: str) -> None:
    async with world.client() as client:
        first = await client.get(path)
        again = await client.get(path, headers={"If-None-Match": first.headers["ETag"]})
        other = await client.get(path, headers={"If-None-Match": first.headers["ETag"], "Accept": "text/csv"})
        revise(world, 21.0, 2, NOW + HOUR)
        changed = await client.get(path, headers={"If-None-Match": first.headers["ETag"]})
    assert not first.headers["ETag"].startswith("W/")
    assert (again.status_code, again.content) == (304, b"")
    assert again.headers["ETag"] == first.headers["ETag"]
    assert other.status_code == 200 or path.endswith("versions")
    assert changed.status_code == 200
    assert changed.headers["ETag"] != first.headers["ETag"]


async def test_an_etag_does_not_outlive_the_definitions(world: World) -> None:
    """Bands and titles are theirs: another release, other words."""
    async with world.client() as client, world.client(version="9.9") as later:
        tag = (await client.get(f"{P}/latest")).headers["ETag"]
        assert (await later.get(f"{P}/latest", headers={"If-None-Match": tag})).status_code == 200


async def test_what_is_kept_for_comparison_is_shown_when_asked_for(world: World) -> None:
    quiet = [value(START + i, indicator=QUIET) for i in range(600)]
    world.ledger.values.commit([(row, row.end) for row in quiet], {})
    async with world.client() as client:
        shown = {
            path: {row["indicator"] for row in (await client.get(path)).json()["items"]}
            for path in (f"{P}/latest", f"{P}/latest?visibility=all", f"{P}/latest?indicator={QUIET}")
        }
        feed = (await client.get(f"{P}/changes?limit=3")).json()
        rest = (await client.get(f"{P}/changes?since={feed['since']}&limit=1000")).json()
        every = (await client.get(f"{P}/changes?visibility=all&limit=1000")).json()
    assert QUIET not in shown[f"{P}/latest"]
    assert shown[f"{P}/latest?visibility=all"] == {*shown[f"{P}/latest"], QUIET}
    assert shown[f"{P}/latest?indicator={QUIET}"] == {QUIET}
    assert (len(feed["items"]), feed["more"], len(rest["items"]), rest["more"]) == (3, True, 2, False)
    assert rest["since"] == every["since"] == every["items"][-1]["seq"]
    assert len(every["items"]) == 605


async def test_a_value_of_a_definition_that_is_gone_is_not_lost(world: World) -> None:
    gone = value(START, indicator="long_gone")
    world.ledger.values.commit([(gone, gone.end)], {})
    async with world.client() as client:
        feed = (await client.get(f"{P}/changes")).json()["items"]
        latest = (await client.get(f"{P}/latest")).json()["items"]
    assert "long_gone" in {row["indicator"] for row in feed}
    assert "long_gone" in {row["indicator"] for row in latest}


async def test_the_feed_can_be_followed_for_one_indicator_or_place(world: World) -> None:
    async with world.client() as client:
        one = (await client.get(f"{P}/changes?indicator=eaqi_2024_district")).json()
        placed = (await client.get(f"{P}/changes?place=havirov&below=true&limit=2")).json()
        unknown = await client.get(f"{P}/changes?indicator=eaqi_2025")
        nothing = (await client.get(f"{P}/changes?indicator=lden&since=2")).json()
    assert {row["indicator"] for row in one["items"]} == {"eaqi_2024_district"}
    assert (len(placed["items"]), placed["more"]) == (2, True)
    assert unknown.status_code == 404
    assert (nothing["items"], nothing["more"], nothing["since"]) == ([], False, world.ledger.values.newest())


async def test_the_feed_as_csv_says_where_to_go_on(world: World) -> None:
    async with world.client() as client:
        answer = await client.get(f"{P}/changes?limit=2", headers={"Accept": "text/csv"})
        body = (await client.get(f"{P}/changes?limit=2")).json()
    rows = list(csv.DictReader(io.StringIO(answer.text)))
    assert [row["seq"] for row in rows] == [str(row["seq"]) for row in body["items"]]
    assert (answer.headers["X-Since"], answer.headers["X-More"]) == (str(body["since"]), "true")


async def test_a_reader_of_changes_misses_nothing_while_others_write(world: World) -> None:
    """Writers in threads with ledgers of their own, a reader that forgets everything but `since`; then all is there."""

    def write(number: int) -> None:
        random = Random(number)
        with Ledger(f"sqlite:///{world.ledger.name}", busy_timeout=30) as own:
            for revision in range(4):
                for hour in random.sample(range(12), 12):
                    made = value(hour * HOUR, f"havirov/w{number}", value=float(revision), revision=revision)
                    own.values.commit([(made, made.end)], {})

    seen: dict[tuple[str, str], tuple[int, float]] = {}
    since, writing = 0, asyncio.gather(*(asyncio.to_thread(write, number) for number in range(2)))
    last = False
    while not last:
        last = writing.done()
        async with world.client() as client:
            body = (await client.get(f"{P}/changes?since={since}&limit=7")).json()
        last = last and not body["more"]
        seqs = [row["seq"] for row in body["items"]]
        assert seqs == sorted(set(seqs))
        assert all(seq > since for seq in seqs)
        since = body["since"]
        for row in body["items"]:
            seen[row["place"], row["window"]["start"]] = (row["revision"], row["value"])
        await asyncio.sleep(0)
    await writing
    assert {seen[f"havirov/w{n}", format_instant(h * HOUR)] for n in range(2) for h in range(12)} == {(3, 3.0)}


async def test_the_latest_of_a_whole_city_come_in_one_call(world: World) -> None:
    """More than ten thousand: a hundred sites, eighty indicators, and what is rolled up."""
    rows = [value(START, f"havirov/s{n}", indicator=f"i{i}") for n in range(101) for i in range(100)]
    world.ledger.values.commit([(row, row.end) for row in rows], {})
    async with world.client() as client:
        answer = await client.get(f"{P}/latest", headers={"Accept": "text/csv"})
    assert answer.text.count("\r\n") == 10_104


async def test_details_stand_in_json_and_in_csv(world: World) -> None:
    revise(world, 21.0, 2, NOW, details={"p90": 33.5, "n": 24.0})
    query = f"{VALUES}?place={SITE}&to=2026-11-20T00:00:01Z"
    async with world.client() as client:
        (row,) = (await client.get(query)).json()["items"]
        (cells,) = csv.DictReader(io.StringIO((await client.get(query, headers={"Accept": "text/csv"})).text))
    assert row["details"] == {"p90": 33.5, "n": 24.0}
    assert json.loads(cells["details"]) == row["details"]


async def test_bands_have_words_only_of_the_version_that_computed_them(world: World) -> None:
    version = world.services.definitions.get("eaqi_2024").version
    rows = [
        value(START + i * HOUR, indicator="eaqi_2024", value=2.0, band=2, definition_version=version + i)
        for i in (0, 1)
    ]
    world.ledger.values.commit([(row, row.end) for row in rows], {})
    async with world.client() as client:
        bands = [row["band"] for row in (await client.get(f"{P}/eaqi_2024/values")).json()["items"]]
    assert bands[0]["label"]["cs"]
    assert bands[1] == {"index": 2}


async def test_versions_tell_which_figures_were_computed_by_which(world: World) -> None:
    revise(world, 21.0, 2, NOW, definition_version=7)
    async with world.client() as client:
        body = (await client.get(f"{P}/pm10_day_mean/versions")).json()
    VersionList.model_validate(body)
    assert [(row["version"], row["revisions"]) for row in body["items"]] == [(1, 4), (7, 1)]
    assert body["items"][1]["first"] == format_instant(START)


async def test_provenance_leads_from_a_figure_to_its_readings(world: World) -> None:
    world.ledger.corrections.add(AIR, NOW - HOUR, NOW - 20 * MINUTE, "exclude", by="Jana", reason="in a bag")
    hour = value(NOW - HOUR, indicator="eaqi_2024", end=NOW, definition_version=99)
    world.ledger.values.commit([(hour, hour.end)], {})
    await world.store.put([reading(NOW - 45 * MINUTE, 21.0, "no2")])
    async with world.client() as client:
        url = f"{P}/eaqi_2024/provenance?place={SITE}&start={format_instant(NOW - HOUR)}"
        body = (await client.get(url)).raise_for_status().json()
        newest = (await client.get(f"{P}/eaqi_2024/provenance?place={SITE}")).json()
        before = await client.get(f"{url}&as_of={format_instant(NOW - 1)}")
    ProvenanceOut.model_validate(body)
    told = {
        r["quantity"]: (r["n_stored"], r["n_removed"], r["n_counting"], r["flags_reported"]) for r in body["readings"]
    }
    assert told == {"pm10": (2, 1, 0, {"1": 1, "4": 1}), "no2": (1, 1, 0, {"1": 1})}
    assert [(c["by"], c["reason"], c["readings"]) for c in body["corrections"]] == [("Jana", "in a bag", 2)]
    assert body["readings"][0]["grade"] == "indicative"
    assert (body["definition"]["text"], body["definition"]["note"]) == (None, "the text of version 99 is not kept")
    assert newest == body
    world.ledger.definitions.remember({"eaqi_2024": (99, "id: eaqi_2024\nversion: 99\n")})
    async with world.client() as client:
        about = (await client.get(url)).json()["definition"]
    assert (about["version"], about["text"], about["note"]) == (99, "id: eaqi_2024\nversion: 99\n", None)
    assert before.status_code == 404
    assert "as of" in before.json()["detail"]


async def test_provenance_of_what_is_made_of_other_values_lists_them(world: World) -> None:
    async with world.client() as client:
        answer = await client.get(f"{P}/eaqi_2024_district/provenance?place=havirov/podlesi")
    body = answer.raise_for_status().json()
    ProvenanceOut.model_validate(body)
    assert [(row["indicator"], row["how"], row["n"]) for row in body["values"]] == [("eaqi_2024", "worst", 0)]
    assert body["definition"]["text"].startswith("# SPDX")
    assert len(body["revisions"]) == 1
