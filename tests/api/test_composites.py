# SPDX-License-Identifier: EUPL-1.2
"""Ranks under a composite index and what moved it, over HTTP."""

from typing import Any

import pytest

from hub.api.schemas.composites import ChangeOut, RankingOut
from hub.core.windows import HOUR, format_instant
from tests.api.conftest import NOW, World, value

P = "/api/v1/indicators"
YEAR = 365 * 24 * HOUR
START = NOW - YEAR


def hdi(start: int, place: str, figure: float | None, **details: float) -> Any:
    changes: dict[str, Any] = {"value": figure, "details": details, "end": start + YEAR, "period": "P1Y"}
    if figure is None:
        changes |= {"status": "insufficient_data", "reason": "nothing entered"}
    return value(start, place, "hdi", **changes)


def scores(life: float, school: float, more: float, income: float) -> dict[str, float]:
    names = ("score_life_expectancy", "score_expected_schooling", "score_mean_schooling", "score_gni")
    return dict(zip(names, (life, school, more, income), strict=True))


@pytest.fixture
def countries(world: World) -> World:
    rows = [
        hdi(START - YEAR, "havirov", 0.8, **scores(0.8, 0.8, 0.8, 0.8)),
        hdi(START, "havirov", 0.9, **scores(0.9, 0.9, 0.9, 0.9)),
        hdi(START, "havirov/podlesi", 0.5, **scores(0.5, 0.5, 0.5, 0.5)),
        hdi(START, "havirov/sumbark", None),
    ]
    world.ledger.values.commit([(row, row.end) for row in rows], {})
    return world


async def test_places_are_ranked_and_those_without_value_are_named(countries: World) -> None:
    async with countries.client() as client:
        body = (await client.get(f"{P}/hdi/ranking")).raise_for_status().json()
        again = (await client.get(f"{P}/hdi/ranking?start={format_instant(START)}")).json()
    RankingOut.model_validate(body)
    assert body == again
    assert [(row["place"], row["rank"], row["rank_kept"]) for row in body["places"]] == [
        ("havirov", 1, 1.0),
        ("havirov/podlesi", 2, 1.0),
    ]
    assert body["left_out"] == {"havirov/sumbark": "nothing entered"}


async def test_the_points_add_up_to_the_change(countries: World) -> None:
    query = f"place=havirov&from={format_instant(START - YEAR)}&to={format_instant(START)}"
    async with countries.client() as client:
        body = (await client.get(f"{P}/hdi/change?{query}")).raise_for_status().json()
    ChangeOut.model_validate(body)
    assert sum(row["points"] for row in body["contributions"]) == pytest.approx(0.1, abs=1e-6)
    assert body["change"] == 0.1


@pytest.mark.parametrize(
    ("path", "status", "says"),
    [
        ("pm10_day_mean/ranking", 422, "no composite index"),
        ("pm10_day_mean/change?place=havirov&from={a}&to={b}", 422, "no composite index"),
        ("nothing/ranking", 404, "no indicator"),
        ("hdi/change?place=havirov&from={b}&to={c}", 404, "no value of hdi at havirov"),
        ("hdi/change?place=havirov/sumbark&from={b}&to={b}", 422, "nothing entered"),
        ("hdi/ranking?draws=5", 422, "draws"),
    ],
)
async def test_what_cannot_be_asked_is_named(countries: World, path: str, status: int, says: str) -> None:
    a, b, c = (format_instant(START + n * YEAR) for n in (-1, 0, 5))
    async with countries.client() as client:
        answer = await client.get(f"{P}/{path.format(a=a, b=b, c=c)}")
    assert answer.status_code == status
    assert says in answer.text
