# SPDX-License-Identifier: EUPL-1.2
"""The page of one value over real files."""

import re
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
    for words in (
        "48,6 µg/m³",
        "konečná",
        "100 %",
        "1 z 1 očekávaných hodin",
        "měřeno",
        "referenční",
        "Stanice Thara",
        "21. 11. 2026",
    ):
        assert words in html, words
    assert "havirov/mesto/thara" not in re.sub(r'href="[^"]*"', "", html), "ids are not shown to people"


async def test_all_revisions_are_listed_newest_first_with_their_cause(lively: Town) -> None:
    html = await lively.page(PATH)
    history = html[html.index("Historie") :]
    changed, first = row_of(history, "2 "), row_of(history, "1 ")
    assert changed == "2 změna po uzavření 48,6 µg/m³ konečná 100 % (1 z 1) pozdní měření 23. 11. 2026 11:20:00"
    assert first == "1 první po uzavření 31,4 µg/m³ konečná 100 % (1 z 1) – 23. 11. 2026 11:20:00"
    assert history.index("změna po uzavření") < history.index("první po uzavření")


async def test_readings_say_whether_they_count(town: Town) -> None:
    town.values(day(DAY, 20.0))
    town.ledger.devices.add_device(device("air-1", "Ovzduší náměstí"))
    begin = day(DAY, 1.0).start
    good, bad = Reading("air-1", "pm10", 20.0, begin), Reading("air-1", "pm10", 900.0, begin + HOUR, Flag.FAIL)
    await town.store.put([good, bad, Reading("air-1", "pm10", 1.0, begin + 24 * HOUR)])
    html = await town.page(PATH)
    assert row_of(html, "00:00:00") == "00:00:00 20 µg/m³ dobré, započteno měřeno"
    assert row_of(html, "01:00:00") == "01:00:00 900 µg/m³ vadné, nezapočteno měřeno"
    group = re.search(r"<details open><summary>(.*?)</summary>", html)
    assert group, "a group with a reading that does not count is open"
    said = re.sub(r"<[^>]+>", "", group[1])
    assert said == "Prachové částice PM10, Ovzduší náměstí: 2 měření, 1 nezapočteno", "not that of the next day"


async def test_readings_of_a_device_mounted_elsewhere_at_the_time_are_not_shown(town: Town) -> None:
    town.values(day(DAY, 20.0))
    begin = day(DAY, 1.0).start
    moved = device("air-1", "Ovzduší náměstí")
    later = type(moved.mountings[0])("havirov/mesto/thara", begin + 24 * HOUR)
    town.ledger.devices.add_device(type(moved)(id="air-1", connector="native", external_id="a", mountings=[later]))
    await town.store.put([Reading("air-1", "pm10", 20.0, begin)])
    assert "Ovzduší náměstí" not in (html := await town.page(PATH))
    assert 'id="inputs"' not in html


async def test_components_and_source_values_lead_on(lively: Town) -> None:
    components = {"pm10": Component(value=21.5, unit="ug/m3", band=2, coverage=1.0, n_valid=4, n_expected=4)}
    site = index("havirov/mesto/thara", 2, indicator="eaqi_2024", components=components)
    lively.values(site)
    part = await lively.page(PART)
    assert "Evropský index kvality ovzduší" in part
    link = f"/values/eaqi_2024/{quote('havirov/mesto/thara')}/{format_instant(HOUR_AGO)}"
    assert link in part
    below = await lively.page(link)
    assert row_of(below, "Prachové částice PM10") == (
        "Prachové částice PM10 21,5 µg/m³ 2 Přijatelná rozhoduje nad 15 do 45 µg/m³ 100 % 4 z 4"
    )
    assert "Rozhoduje nejhorší: <b>Prachové částice PM10 (21,5 µg/m³)</b>" in below


async def test_a_value_without_number_says_why_in_words(lively: Town) -> None:
    html = await lively.page(PART.replace("mesto", "dolni-sucha"))
    assert "chybí: Stanice Thara" in html
    assert "Evropský index kvality ovzduší: žádná hodnota" in html
    assert re.search(r'class="big">\s*nedostatek dat', html)


async def test_figures_say_how_much_is_missing(town: Town) -> None:
    town.values(day(DAY, None, reason="pm10: 15 of 24 hours, 18 needed", missing=("pm10",), coverage=0.625))
    html = await town.page(PATH)
    assert "Prachové částice PM10: 15 z 24 hodin, je třeba 18" in html
    assert "dat je na hodnotu málo" in html


async def test_a_reason_that_is_not_known_is_shown_as_it_is_and_marked_as_english(town: Town) -> None:
    town.values(day(DAY, None, reason="value has no result for these inputs"))
    assert '<li lang="en">value has no result for these inputs</li>' in await town.page(PATH)


async def test_an_inherited_lower_bound_names_what_is_missing_below(town: Town) -> None:
    site = index("havirov/mesto/thara", 2, indicator="eaqi_2024", lower_bound=True, missing=("so2", "o3"))
    town.values(site, index("havirov/mesto", 2, lower_bound=True))
    html = await town.page(PART)
    assert "Chybí: Oxid siřičitý, Přízemní ozon" in html
    assert re.search(r'class="big">\s*≥ 2 Přijatelná', html)
    assert "Chybí: Oxid siřičitý" in row_of(await town.page(), "Havířov-Město")


async def test_the_site_that_decides_a_district_is_marked(town: Town) -> None:
    titles = {"cs": "Druhé stanoviště", "en": "Second site"}
    town.ledger.devices.put_places([Place(id="havirov/mesto/druhe", kind=PlaceKind.SITE, title=titles)])
    sites = [index(f"havirov/mesto/{s}", band, indicator="eaqi_2024") for s, band in (("thara", 4), ("druhe", 2))]
    town.values(*sites, index("havirov/mesto", 4))
    html = await town.page(PART)
    assert "rozhoduje" in row_of(html, "Stanice Thara")
    assert "rozhoduje" not in row_of(html, "Druhé stanoviště")
    assert "Rozhoduje nejhorší: <b>Stanice Thara (4)</b>" in html


async def test_neighbouring_windows_are_linked_where_they_are_stored(town: Town) -> None:
    dates = ["2026-10-24", "2026-10-25", "2026-10-26"]  # the day between has 25 hours
    starts = ["2026-10-23T22:00:00Z", "2026-10-24T22:00:00Z", "2026-10-25T23:00:00Z"]
    town.values(*(day(start, 20.0) for start in starts))
    path = "/values/pm10_day_mean/havirov/mesto/thara/"
    links = [re.findall(r'rel="(prev|next)"', await town.page(path + start)) for start in starts]
    assert dict(zip(dates, links, strict=True)) == {dates[0]: ["next"], dates[1]: ["prev", "next"], dates[2]: ["prev"]}


async def test_the_period_names_its_zone_as_it_was_then(town: Town) -> None:
    start = "2026-07-20T22:00:00Z"
    town.values(day(start, 20.0))
    html = await town.page(PATH.replace(DAY, start))
    assert "(Europe/Prague, UTC+2)" in html
    assert "Stav k 23. 11. 2026 11:20:00 (Europe/Prague, UTC+1)" in html


async def test_an_indicator_for_testing_is_reachable_and_says_what_it_is(town: Town) -> None:
    town.values(index("havirov/mesto/thara", 2, indicator="chmi_iko_2017"))
    html = await town.page(f"/values/chmi_iko_2017/havirov/mesto/thara/{format_instant(HOUR_AGO)}")
    assert "Jen ke zkoušení" in html
    assert "Velmi dobrá" in html


async def test_readings_of_a_quantity_that_is_out_of_season_are_not_said_to_count(town: Town) -> None:
    town.ledger.devices.add_device(device("air-1", "Ovzduší náměstí"))
    await town.store.put([Reading("air-1", quantity, 20.0, HOUR_AGO) for quantity in ("pm10", "no2", "o3")])
    components = {name: Component(value=20.0, unit="ug/m3", band=1) for name in ("pm10", "no2")}
    town.values(index("havirov/mesto/thara", 1, indicator="chmi_iko_2017", components=components))
    html = await town.page(f"/values/chmi_iko_2017/havirov/mesto/thara/{format_instant(HOUR_AGO)}")
    assert re.findall(r"<summary>([^,]+), Ovzduší náměstí: 1 měření", html) == [
        "Oxid dusičitý",
        "Prachové částice PM10",
    ]


async def test_limits_of_every_level_are_there_with_units(town: Town) -> None:
    town.values(index("havirov/mesto/thara", 2, indicator="eaqi_2024"))
    html = await town.page(f"/values/eaqi_2024/havirov/mesto/thara/{format_instant(HOUR_AGO)}")
    limits = html[html.index("Meze stupňů") :]
    assert row_of(limits, "Prachové částice PM10") == (
        "Prachové částice PM10 do 15 µg/m³ do 45 µg/m³ do 120 µg/m³ do 195 µg/m³ do 270 µg/m³ více"
    )


@pytest.mark.parametrize(
    ("band", "value", "span"), [(1, 3.0, "do 15 µg/m³"), (3, 50.0, "nad 45 do 120 µg/m³"), (6, 300.0, "nad 270 µg/m³")]
)
async def test_the_limits_of_a_components_level(town: Town, band: int, value: float, span: str) -> None:
    components = {"pm10": Component(value=value, unit="ug/m3", band=band, coverage=1.0, n_valid=4, n_expected=4)}
    town.values(index("havirov/mesto/thara", band, indicator="eaqi_2024", components=components))
    html = await town.page(f"/values/eaqi_2024/havirov/mesto/thara/{format_instant(HOUR_AGO)}")
    assert f" {span} 100 % 4 z 4" in row_of(html, "Prachové částice PM10")


async def test_unknown_coverage_is_unknown_and_says_so(town: Town) -> None:
    town.values(day(DAY, 20.0, coverage=None, n_valid=7, n_expected=None))
    assert "7 hodin; kolik se jich čeká, není známo" in await town.page(PATH)


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
