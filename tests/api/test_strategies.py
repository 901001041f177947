# SPDX-License-Identifier: EUPL-1.2
"""/strategies: import and export, fulfilment in JSON and CSV, coverage."""

import csv
import io
from collections.abc import Mapping
from typing import Any

import msgspec
import pytest
from pydantic import BaseModel

from hub.api.schemas.coverage import Coverage
from hub.api.schemas.fulfilment import FulfilmentOverview, StrategyFulfilment
from hub.api.schemas.strategies import (
    DOCUMENT,
    DOCUMENT_YAML,
    PreviewOut,
    StrategyDetail,
    StrategyList,
    StrategyRevisions,
)
from hub.core.indicators import IndicatorValue, Status
from hub.core.readings import Origin
from hub.core.strategies import Standing, Strategy
from hub.core.windows import Calendar, Period, parse_label
from hub.strategy.catalogue import load_directory
from hub.strategy.documents import parse_yaml, write_yaml
from tests.api.conftest import NOW, World, value
from tests.strategy.town import strategy, target

P = "/api/v1/strategies"
INDICATOR = "pm2_5_year_mean_city"
YAML = {"Content-Type": "application/yaml"}


def plan(**changes: Any) -> Strategy:
    """A plan with one official and one illustrative target."""
    return strategy(
        target(id="official", indicator=INDICATOR, **changes),
        target(id="shown", indicator=INDICATOR, standing=Standing.ILLUSTRATIVE, source=None),
    )


def year(world: World, label: str, number: float, **changes: Any) -> IndicatorValue:
    calendar = Calendar(world.services.monitoring.zone)
    start, end = calendar.window(parse_label(label, calendar), Period.YEAR)
    fields: Mapping[str, Any] = {"value": number, "computed_at": end, "end": end, "period": "P1Y", **changes}
    return value(start, "havirov", INDICATOR, **fields)


def commit(world: World, *values: IndicatorValue) -> None:
    world.ledger.values.commit([(row, row.end) for row in values], {})


@pytest.fixture
def town(world: World) -> World:
    """A hub with a plan and five years of its indicator."""
    world.ledger.strategies.put([plan()], by="council", reason="adopted")
    commit(world, *(year(world, str(y), 20.0 + 1.5 * (y - 2015)) for y in range(2021, 2026)))
    return world


@pytest.mark.parametrize(
    ("path", "model"),
    [
        (P, StrategyList),
        (f"{P}/plan", StrategyDetail),
        (f"{P}/plan/revisions", StrategyRevisions),
        (f"{P}/plan/fulfilment", StrategyFulfilment),
        (f"{P}/fulfilment", FulfilmentOverview),
        (f"{P}/coverage", Coverage),
    ],
)
async def test_answers_keep_to_the_published_schema(town: World, path: str, model: type[BaseModel]) -> None:
    async with town.client() as client:
        model.model_validate((await client.get(path)).raise_for_status().json())


async def test_a_document_goes_in_as_yaml_or_json_and_comes_out_the_same(world: World) -> None:
    text = write_yaml(plan())
    async with world.client("write") as client:
        made = await client.post(P, content=text, headers=YAML)
        again = await client.post(P, content=text, headers=YAML)
        detail = (await client.get(f"{P}/plan")).json()
        as_json = await client.put(f"{P}/plan", json=detail["document"])
        exported = await client.get(f"{P}/plan.yaml")
        asked = await client.get(f"{P}/plan", headers={"Accept": "application/yaml"})
    assert (made.status_code, made.headers["Location"]) == (201, f"{P}/plan")
    PreviewOut.model_validate(made.json())
    assert [(r.status_code, r.json()["changed"], r.json()["revision"]) for r in (again, as_json)] == [
        (200, False, 1)
    ] * 2
    assert exported.headers["Content-Type"].startswith("application/yaml")
    assert exported.text == asked.text == text
    assert write_yaml(parse_yaml(exported.text)) == text
    assert (detail["made_by"], detail["reason"]) == ("write", "import")


async def test_a_dry_run_says_what_would_change_and_stores_nothing(town: World) -> None:
    changed = write_yaml(plan(value=50.0))
    async with town.client("write") as client:
        found = (await client.put(f"{P}/plan?dry_run=true", content=changed, headers=YAML)).json()
        kept = (await client.get(f"{P}/plan")).json()
    assert [(c["field"].rpartition("targets.")[2], c["before"], c["after"]) for c in found["changes"]] == [
        ("official.value", 40.0, 50.0)
    ]
    assert (found["revision"], kept["revision"]) == (2, 1)


async def test_nobody_overwrites_what_he_has_not_seen(town: World) -> None:
    async with town.client("write") as client:
        tags = [(await client.get(f"{P}/{form}")).headers["ETag"] for form in ("plan", "plan.yaml")]
        first = await client.put(
            f"{P}/plan", content=write_yaml(plan(value=50.0)), headers={**YAML, "If-Match": tags[0]}
        )
        late = [
            await client.put(f"{P}/plan", content=write_yaml(plan(value=60.0)), headers={**YAML, "If-Match": tag})
            for tag in tags
        ]
        unchanged = await client.get(f"{P}/plan", headers={"If-None-Match": tags[0]})
    assert first.status_code == 200
    assert [(r.status_code, r.json()["type"].rpartition("/")[2]) for r in late] == [(412, "changed")] * 2
    assert unchanged.status_code == 200
    assert town.ledger.strategies.get("plan").revision == 2


@pytest.mark.parametrize(
    ("method", "path", "content", "headers", "status", "detail"),
    [
        ("POST", P, DOCUMENT_YAML.replace("official", "offical"), YAML, 422, "standing: Invalid enum value 'offical'"),
        ("POST", P, b"\xff\xfe\x00", YAML, 422, "UTF-8"),
        ("POST", P, b"{", {"Content-Type": "application/json"}, 422, "no JSON"),
        ("POST", P, b"[" * 5000, YAML, 422, "nested deeper"),
        ("POST", P, b"[" * 5000, {"Content-Type": "application/json"}, 422, "no JSON"),
        ("POST", P, b"id=plan", {"Content-Type": "application/x-www-form-urlencoded"}, 415, "send application/json"),
        ("PUT", f"{P}/other", DOCUMENT_YAML, YAML, 422, "is 'mobility-plan', but the path says 'other'"),
        ("PUT", f"{P}/mobility-plan", DOCUMENT_YAML, {**YAML, "If-Match": "*"}, 412, "not there"),
        ("GET", f"{P}/other", None, {}, 404, "no strategy 'other'"),
        ("GET", f"{P}/plan/fulfilment?as_of=2100-01-01T00:00:00Z", None, {}, 422, "as_of: lies in the future"),
        ("GET", f"{P}/plan/fulfilment?place=brno", None, {}, 422, "no place 'brno'"),
    ],
)
async def test_what_is_wrong_is_named(
    town: World, method: str, path: str, content: Any, headers: dict[str, str], status: int, detail: str
) -> None:
    async with town.client("write") as client:
        answer = await client.request(method, path, content=content, headers=headers)
    assert answer.status_code == status, answer.text
    assert detail in answer.json()["detail"]


async def test_writing_needs_a_key_that_may_write(world: World) -> None:
    for key, status in ((None, 401), ("read", 403)):
        async with world.client(key) as client:
            assert (await client.post(P, content=DOCUMENT_YAML, headers=YAML)).status_code == status


async def test_the_example_of_the_document_can_be_imported(world: World) -> None:
    async with world.client("write") as client:
        answer = await client.post(f"{P}?dry_run=true", json=DOCUMENT)
    assert (answer.status_code, answer.json()["warnings"]) == (200, [])
    assert msgspec.convert(DOCUMENT, Strategy).id == "mobility-plan"


async def test_the_packaged_catalogue_fits_the_packaged_indicators_and_places(world: World) -> None:
    monitoring = world.services.monitoring
    found = monitoring.take(load_directory(), by="test", reason="test", dry_run=True)
    assert [(one.revision, one.changed) for one in found] == [(1, True)] * 6


async def test_a_target_is_judged_with_all_that_belongs_to_its_value(town: World) -> None:
    async with town.client() as client:
        body = (await client.get(f"{P}/plan/fulfilment")).json()
    official, shown = body["targets"]
    assert (official["category"], official["final"], official["value_date"]) == ("on_track", False, "2025-12-31")
    assert {k: official["value"][k] for k in ("value", "status", "coverage", "origin", "grade", "revision")} == {
        "value": 35.0,
        "status": "final",
        "coverage": 0.958,
        "origin": "measured",
        "grade": "indicative",
        "revision": 1,
    }
    assert official["trajectory"]["method"] == "compound"
    assert official["forecast"]["low"] < official["forecast"]["value"] < official["forecast"]["high"]
    assert (official["illustrative"], shown["illustrative"], shown["standing"]) == (False, True, "illustrative")
    assert body["rollup"]["answer"] == "0 of 1 official targets reached, 1 of 1 reached or on track"
    assert body["rollup"]["illustrative"] == {"on_track": 1}


async def test_as_of_judges_by_what_was_known_then(town: World) -> None:
    """The value of 2023 was corrected in 2025; in mid 2024 its first figure counted, and 2024 had no figure."""
    late = town.services.clock_ns() - 300 * 86_400 * 10**9
    commit(town, year(town, "2023", 22.0, revision=2, computed_at=late, cause="correction 1"))
    async with town.client() as client:
        then = (await client.get(f"{P}/plan/fulfilment?as_of=2024-06-01T00:00:00Z")).json()["targets"][0]
        now = (await client.get(f"{P}/plan/fulfilment")).json()["targets"][0]
    assert (then["value_date"], then["value"]["value"], then["value"]["revision"]) == ("2023-12-31", 32.0, 1)
    assert now["value_date"] == "2025-12-31"
    assert now["forecast"]["n"] == 6


@pytest.mark.parametrize(("dialect", "separator", "number"), [("plain", ",", "35.0"), ("cs", ";", "35,0")])
async def test_rows_for_a_spreadsheet_mark_what_is_illustrative(
    town: World, dialect: str, separator: str, number: str
) -> None:
    async with town.client() as client:
        for path in (f"{P}/plan/fulfilment", f"{P}/fulfilment"):
            answer = await client.get(f"{path}?dialect={dialect}", headers={"Accept": "text/csv"})
            rows = list(csv.DictReader(io.StringIO(answer.text.removeprefix("\ufeff")), delimiter=separator))
            assert [(r["target"], r["standing"], r["illustrative"]) for r in rows] == [
                ("official", "official", "false"),
                ("shown", "illustrative", "true"),
            ]
            assert (rows[0]["value"], rows[0]["status"], rows[0]["origin"]) == (number, "final", "measured")


async def test_targets_can_be_asked_for_by_place(town: World) -> None:
    async with town.client() as client:
        for place, count in (("havirov", 2), ("havirov/mesto", 0)):
            assert len((await client.get(f"{P}/plan/fulfilment?place={place}")).json()["targets"]) == count


async def test_coverage_tells_measured_entered_and_blind_apart(town: World) -> None:
    blind = strategy(target(id="nobody-knows", indicator="lden_year_city"), id="blind")
    entered = strategy(target(id="by-hand", indicator="pm10_year_mean_city"), id="entered")
    town.ledger.strategies.put([blind, entered], by="council", reason="adopted")
    by_hand = year(town, "2025", 12.0, origin=Origin.ENTERED)
    commit(town, msgspec.structs.replace(by_hand, indicator="pm10_year_mean_city"))
    async with town.client() as client:
        body = (await client.get(f"{P}/coverage")).json()
    counts = {k: body["all"][k] for k in ("targets", "measured", "entered", "blind", "covered")}
    assert counts == {"targets": 4, "measured": 2, "entered": 1, "blind": 1, "covered": 0.75}
    assert body["all"]["official"]["targets"] == 3
    assert body["all"]["lists"]["blind"] == ["blind/nobody-knows"]
    assert {row["domain"]: row["blind"] for row in body["domains"]} == {"air": 0, "noise": 1}


async def test_provisional_values_count_only_when_asked_for(town: World) -> None:
    open_ = year(town, "2026", 39.0, status=Status.PROVISIONAL, revision=0, closed=False, computed_at=NOW)
    commit(town, open_)
    async with town.client() as client:
        usual = (await client.get(f"{P}/plan/fulfilment")).json()["targets"][0]
        asked = (await client.get(f"{P}/plan/fulfilment?provisional=true")).json()["targets"][0]
    assert (usual["value"]["value"], asked["value"]["value"], asked["value"]["status"]) == (35.0, 39.0, "provisional")
    assert "the value is provisional" in asked["caveats"]
