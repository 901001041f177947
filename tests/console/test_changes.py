# SPDX-License-Identifier: EUPL-1.2
"""The late list on the page `/`: what a late reading changed, in an order that shows cause and consequence."""

import re

import pytest
from msgspec import structs

from hub.console._changes import MOST, rank
from hub.core.windows import HOUR, parse_instant
from tests.console.town import HOUR_AGO, Town, day, index, row_of

SITE, PART = "havirov/mesto/thara", "havirov/mesto"


def _late(town: Town, *, place: str, indicator: str, start: int = HOUR_AGO) -> None:
    """A value that a late reading changed from 2 to 3."""
    window = {"indicator": indicator, "start": start, "end": start + HOUR}
    town.values(index(place, 2, **window))
    town.values(index(place, 3, **window, revision=2, cause="late readings"))


def _section(html: str) -> str:
    return html[html.index('id="changes"') :]


def _links(html: str) -> list[str]:
    return re.findall(r'href="/values/(\w+)/', _section(html))


async def test_a_revised_value_shows_before_now_coverage_and_cause(lively: Town) -> None:
    row = row_of(await lively.page(), "Denní průměr PM10")
    expected = "21. 11. 2026 31,4 µg/m³ pokrytí 100 % 48,6 µg/m³ pokrytí 100 % pozdní měření 23. 11. 2026 11:20:00"
    assert expected in row


async def test_a_consequence_stands_under_its_cause_though_it_was_stored_later(town: Town) -> None:
    _late(town, place=SITE, indicator="eaqi_2024")
    _late(town, place=PART, indicator="eaqi_2024_district")
    html = await town.page()
    assert _links(html) == ["eaqi_2024", "eaqi_2024_district"]
    assert "následkem toho: pozdní měření" in row_of(_section(html), "Evropský index kvality ovzduší v části")
    assert "následkem toho" not in row_of(_section(html), "Evropský index kvality ovzduší Stanice")


async def test_a_change_of_another_hour_or_place_is_no_consequence(town: Town) -> None:
    _late(town, place=SITE, indicator="eaqi_2024")
    _late(town, place=PART, indicator="eaqi_2024_district", start=HOUR_AGO - HOUR)
    _late(town, place="havirov/podlesi", indicator="eaqi_2024_district")
    html = await town.page()
    assert _links(html) == ["eaqi_2024_district", "eaqi_2024_district", "eaqi_2024"]
    assert "následkem toho:" not in html


async def test_indicators_for_testing_are_not_listed(town: Town) -> None:
    _late(town, place=SITE, indicator="chmi_iko_2017")
    html = await town.page()
    assert "Žádná konečná hodnota se nezměnila" in html
    assert "chmi_iko_2017" not in html


async def test_a_value_that_changed_twice_is_one_row_with_the_value_before_the_last(town: Town) -> None:
    for revision, value in enumerate((31.4, 40.0, 48.6), 1):
        town.values(
            day("2026-11-20T23:00:00Z", value, revision=revision, cause="late readings" if value > 32 else None)
        )
    section = _section(await town.page())
    assert section.count("<tr") == 2  # the heading and one row
    assert "40 µg/m³" in (row := row_of(section, "Denní průměr PM10"))
    assert "31,4" not in row


@pytest.mark.parametrize(("changed", "more"), [(MOST, None), (MOST + 1, 1), (MOST + 5, 5)])
async def test_the_newest_are_shown_and_the_rest_is_counted(town: Town, changed: int, more: int | None) -> None:
    for number in range(changed):
        _late(town, place=SITE, indicator="eaqi_2024", start=HOUR_AGO - number * HOUR)
    html = await town.page()
    assert len(_links(html)) == MOST
    told = re.search(r"Další změněné hodnoty, které zde nejsou:\s+(\d+)\.", html)
    assert (told and int(told[1])) == more


def test_a_long_chain_is_ordered_from_cause_to_consequence_whatever_the_order_given(town: Town) -> None:
    year = day("2025-12-31T23:00:00Z", 9.0, seq=6, indicator="pm10_days_over_50")
    chain = [
        day("2026-11-20T23:00:00Z", 60.0, seq=5),
        structs.replace(year, end=parse_instant("2026-12-31T23:00:00Z")),
        day("2026-11-19T23:00:00Z", 60.0, seq=9),
    ]
    for given in (chain, chain[::-1]):
        ranked = rank(given, town.services.definitions)
        assert [(v.seq, depth) for v, depth in ranked] == [(9, 0), (6, 1), (5, 0)]
