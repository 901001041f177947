# SPDX-License-Identifier: EUPL-1.2
"""The page of one value over real files."""

from dataclasses import replace
from urllib.parse import quote

import pytest

from hub.core.indicators import Component
from hub.core.places import Place, PlaceKind
from hub.core.readings import Flag, Reading
from hub.core.windows import HOUR, format_instant
from tests.console.town import HOUR_AGO, Away, Outline, Town, day, device, index, row_of

DAY = "2026-11-20T23:00:00Z"
PATH = f"/values/pm10_day_mean/havirov/mesto/thara/{DAY}"
PART = f"/values/eaqi_2024_district/havirov/mesto/{format_instant(HOUR_AGO)}"


async def test_a_value_is_shown_with_all_that_belongs_to_it(lively: Town) -> None:
    html = await lively.page(PATH)
    for words in ("48,6 µg/m³", "konečná", "100 %", "1 / 1", "měřeno", "referenční", "Stanice Thara", "21. 11. 2026"):
        assert words in html, words
    assert "havirov/mesto/thara" not in html.split("<main", 1)[1], "ids are not shown to people"


async def test_all_revisions_are_listed_newest_first_with_their_cause(lively: Town) -> None:
    html = await lively.page(PATH)
    assert row_of(html, "2 ") == "2 48,6 µg/m³ konečná pozdní měření 23. 11. 2026 11:20"
    assert row_of(html, "1 ") == "1 31,4 µg/m³ konečná – 23. 11. 2026 11:20"


async def test_readings_say_whether_they_count(town: Town) -> None:
    town.values(day(DAY, 20.0))
    town.ledger.devices.add_device(device("air-1", "Ovzduší náměstí"))
    begin = day(DAY, 1.0).start
    good, bad = Reading("air-1", "pm10", 20.0, begin), Reading("air-1", "pm10", 900.0, begin + HOUR, Flag.FAIL)
    await town.store.put([good, bad, Reading("air-1", "pm10", 1.0, begin + 24 * HOUR)])
    html = await town.page(PATH)
    assert "PM10 20 µg/m³ dobré, započteno měřeno" in row_of(html, "21. 11. 2026 00:00:00")
    assert "900 µg/m³ vadné, nezapočteno" in row_of(html, "21. 11. 2026 01:00:00")
    assert html.count("Ovzduší náměstí") == 2, "the reading of the next day does not belong here"


async def test_readings_of_a_device_mounted_elsewhere_at_the_time_are_not_shown(town: Town) -> None:
    town.values(day(DAY, 20.0))
    begin = day(DAY, 1.0).start
    moved = device("air-1", "Ovzduší náměstí")
    later = type(moved.mountings[0])("havirov/mesto/thara", begin + 24 * HOUR)
    town.ledger.devices.add_device(type(moved)(id="air-1", connector="native", external_id="a", mountings=[later]))
    await town.store.put([Reading("air-1", "pm10", 20.0, begin)])
    assert "Použitá měření" not in await town.page(PATH)


async def test_components_and_source_values_lead_on(lively: Town) -> None:
    components = {"pm10": Component(value=21.5, unit="ug/m3", band=2, coverage=1.0, n_valid=4, n_expected=4)}
    site = index("havirov/mesto/thara", 2, indicator="eaqi_2024", components=components)
    lively.values(site)
    part = await lively.page(PART)
    assert "Evropský index kvality ovzduší" in part
    link = f"/values/eaqi_2024/{quote('havirov/mesto/thara')}/{format_instant(HOUR_AGO)}"
    assert link in part
    below = await lively.page(link)
    assert row_of(below, "Prachové částice PM10") == "Prachové částice PM10 21,5 µg/m³ 2 100 % 4 / 4"


async def test_a_value_without_number_says_why_and_keeps_the_engines_words(lively: Town) -> None:
    html = await lively.page(PART.replace("mesto", "dolni-sucha"))
    assert "chybí: Stanice Thara" in html
    assert "index: no value of eaqi_2024" in html


async def test_the_definition_is_cited(lively: Town) -> None:
    html = await lively.page(PART)
    assert "ETC HE Report 2024/17" in html
    assert "Nejhorší index stanovišť" in html


@pytest.mark.parametrize(
    "path",
    [
        "/values/pm10_day_mean/havirov/mesto/thara/2026-11-19T23:00:00Z",
        "/values/nothing/havirov/mesto/2026-11-20T23:00:00Z",
        "/values/pm10_day_mean/havirov/mesto/yesterday",
        "/values/%3Cscript%3E/havirov/2026-11-20T23:00:00Z",
    ],
)
async def test_what_is_not_stored_is_a_page_that_says_so(lively: Town, path: str) -> None:
    html = await lively.page(path, 404)
    assert "není uložena žádná hodnota" in html
    assert "<script" not in html


async def test_a_store_that_does_not_answer_leaves_the_value(lively: Town) -> None:
    lively.services = replace(lively.services, readings=Away(lively.store))
    html = await lively.page(PATH)
    assert "zkuste to za chvíli" in html
    assert "48,6 µg/m³" in html


@pytest.mark.parametrize("path", [PATH, PART])
async def test_the_page_nests_and_loads_nothing_from_elsewhere(lively: Town, path: str) -> None:
    outline = Outline(await lively.page(path))
    assert outline.seen.isdisjoint({"script", "iframe", "object", "style"})


async def test_a_place_named_like_markup_stays_text(town: Town) -> None:
    title = {"cs": "<b>Zlá</b>", "en": "<b>Bad</b>"}
    town.ledger.devices.put_places([Place(id="havirov/zla", kind=PlaceKind.PART, title=title)])
    town.values(index("havirov/zla", 1))
    assert "<b>Zlá" not in await town.page(f"/values/eaqi_2024_district/havirov/zla/{format_instant(HOUR_AGO)}")
