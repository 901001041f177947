# SPDX-License-Identifier: EUPL-1.2
"""Languages, formats, the map's geometry and the style's contrast."""

import re
from collections.abc import Mapping
from importlib.resources import files
from zoneinfo import ZoneInfo

import pytest

from hub.console import texts
from hub.console._engine_words import causes, lacks
from hub.console._map import HEIGHT, WIDTH, badge, draw, lines, plate
from hub.console._values import tone
from hub.console.formats import Formats
from hub.console.language import choose
from hub.core.indicators import Status
from hub.core.places import Place, PlaceKind
from hub.core.quantities import Quantities
from hub.core.readings import Flag, Grade, Origin
from hub.core.windows import HOUR, parse_instant
from hub.devices.city import load_city
from hub.devices.state import State
from hub.indicators.catalogue import load_catalogue
from tests.console.town import plain

CS, EN = (Formats(language, ZoneInfo("Europe/Prague")) for language in ("cs", "en"))
STYLE = files("hub.console").joinpath("style.css").read_text("utf-8")


@pytest.mark.parametrize(
    ("query", "cookie", "accept", "language"),
    [
        (None, None, None, "cs"),
        ("en", "cs", "cs", "en"),
        ("fr", "en", "cs", "en"),
        (None, None, "en-GB,en;q=0.9,cs;q=0.8", "en"),
        (None, None, "de, cs;q=0.5, en;q=0.7", "en"),
        (None, None, "sk-SK,en;q=0.5", "cs"),
        (None, None, "en;q=0, cs;q=0.1", "cs"),
        (None, None, "en;q=high", "cs"),
        ("<script>", "", ";;;,,", "cs"),
    ],
)
def test_language(query: str | None, cookie: str | None, accept: str | None, language: str) -> None:
    assert choose(query, cookie, accept) == language


@pytest.mark.parametrize(
    "table", ["TEXTS", "STATUS", "STATUS_NOTE", "ORIGIN", "ORIGIN_NOTE", "GRADE", "GRADE_NOTE", "FLAG", "STATE"]
)
def test_every_word_is_there_in_both_languages(table: str) -> None:
    words: Mapping[object, Mapping[str, str]] = getattr(texts, table)
    for key, row in words.items():
        assert set(row) == {"cs", "en"}, key
        assert all(row.values()), key


def test_every_code_of_the_domain_has_a_word() -> None:
    assert set(texts.STATUS) == {s.value for s in Status}
    assert set(texts.STATUS_NOTE) >= set(texts.STATUS)
    assert set(texts.ORIGIN) == set(texts.ORIGIN_NOTE) == {o.word for o in Origin}
    assert set(texts.GRADE) == set(texts.GRADE_NOTE) == {g.word for g in Grade}
    assert set(texts.FLAG) == {int(f) for f in Flag}
    assert set(texts.STATE) == {s.value for s in State}


def test_every_text_that_a_template_names_exists() -> None:
    for file in files("hub.console").joinpath("templates").iterdir():
        assert set(re.findall(r"\bt\.(\w+)", file.read_text("utf-8"))) <= texts.TEXTS.keys(), file.name


@pytest.mark.parametrize(
    ("value", "digits", "cs", "en"),
    [
        (20.311, 1, "20,3", "20.3"),
        (20.0, 1, "20", "20"),
        (100.0, 0, "100", "100"),
        (-0.04, 1, "0", "0"),
        (-3.5, 1, "−3,5", "−3.5"),
        (None, 1, "–", "–"),
    ],
)
def test_numbers(value: float | None, digits: int, cs: str, en: str) -> None:
    assert (CS.number(value, digits), EN.number(value, digits)) == (cs, en)


@pytest.mark.parametrize(("share", "text"), [(None, "unknown"), (0.996, "99 %"), (1.0, "100 %"), (0.29, "29 %")])
def test_a_share_is_never_rounded_up(share: float | None, text: str) -> None:
    assert plain(EN.percent(share)) == text


@pytest.mark.parametrize(
    ("start", "end", "period", "text"),
    [
        ("2026-11-23T10:00:00Z", "2026-11-23T11:00:00Z", "PT1H", "23. 11. 2026 11:00–12:00"),
        ("2026-07-01T10:00:00Z", "2026-07-01T11:00:00Z", "PT1H", "1. 7. 2026 12:00–13:00"),
        ("2026-10-24T22:00:00Z", "2026-10-25T23:00:00Z", "P1D", "25. 10. 2026"),
        ("2025-12-31T23:00:00Z", "2026-12-31T23:00:00Z", "P1Y", "2026"),
        ("2026-10-31T23:00:00Z", "2026-11-30T23:00:00Z", "P1M", "11/2026"),
    ],
)
def test_windows_are_written_in_the_citys_time(start: str, end: str, period: str, text: str) -> None:
    assert plain(CS.window(parse_instant(start), parse_instant(end), period)) == text


@pytest.mark.parametrize(
    ("start", "text"),
    [
        ("2026-10-24T23:00:00Z", "25. 10. 2026 01:00–02:00 (UTC+2)"),
        ("2026-10-25T00:00:00Z", "25. 10. 2026 02:00 (UTC+2)–02:00 (UTC+1)"),
        ("2026-10-25T01:00:00Z", "25. 10. 2026 02:00 (UTC+1)–03:00"),
        ("2026-03-29T00:00:00Z", "29. 3. 2026 01:00–03:00"),
    ],
)
def test_the_hour_that_the_clocks_show_twice_says_which_it_is(start: str, text: str) -> None:
    assert plain(CS.window(parse_instant(start), parse_instant(start) + HOUR, "PT1H")) == text


def test_dates_and_units_do_not_break_over_lines() -> None:
    assert " " not in CS.quantity(20.3, "ug/m3") + CS.date(0) + EN.date(0) + CS.percent(0.5)
    assert CS.window(0, HOUR, "PT1H").count(" ") == 1  # between date and time of day


@pytest.mark.parametrize(
    ("zone", "at", "text"),
    [
        ("Europe/Prague", "2026-11-23T10:00:00Z", "Europe/Prague, UTC+1"),
        ("Europe/Prague", "2026-07-23T10:00:00Z", "Europe/Prague, UTC+2"),
        ("Asia/Kolkata", "2026-07-23T10:00:00Z", "Asia/Kolkata, UTC+5:30"),
        ("America/St_Johns", "2026-01-23T10:00:00Z", "America/St_Johns, UTC−3:30"),
        ("UTC", "2026-07-23T10:00:00Z", "UTC"),
    ],
)
def test_the_zone_is_named_with_its_offset(zone: str, at: str, text: str) -> None:
    assert Formats("cs", ZoneInfo(zone)).zone_at(parse_instant(at)) == text


@pytest.mark.parametrize(
    ("value", "cs", "en"),
    [
        (0, "0 dní", "0 days"),
        (1, "1 den", "1 day"),
        (3, "3 dny", "3 days"),
        (8, "8 dní", "8 days"),
        (21, "21 dní", "21 days"),
        (1.5, "1,5 dne", "1.5 days"),
    ],
)
def test_days_are_counted_in_words(value: float, cs: str, en: str) -> None:
    assert (plain(CS.quantity(value, "d")), plain(EN.quantity(value, "d"))) == (cs, en)


def test_units_are_those_that_people_write() -> None:
    symbols = {q.unit: q.symbol for q in Quantities.load()}
    written = Formats("en", ZoneInfo("UTC"), symbols)
    given = {"ug/m3": "1 µg/m³", "dB[SPL]{A}": "1 dB(A)", "[ppm]": "1 ppm", "{index}": "1", "1": "1", "kW.h": "1 kWh"}
    assert {unit: plain(written.quantity(1.0, unit)) for unit in given} == given


@pytest.mark.parametrize(
    ("text", "cs"),
    [
        ("late readings", "pozdní měření"),
        ("correction 7, late readings", "oprava č. 7, pozdní měření"),
        ("definition version 2", "verze definice 2"),
        ("registry", "změna v evidenci zařízení"),
        (
            "correction 7: exclude pm10 of a; late readings of a, b and 3 more",
            "oprava č. 7: exclude pm10 of a; pozdní měření: a, b a dalších 3",
        ),
        ("registry: change of a", "změna v evidenci zařízení: a"),
        ("definition version 2 of lden", "verze 2 definice lden"),
        ("something new", "something new"),
        ("", ""),
    ],
)
def test_causes_of_the_engine_in_words(text: str, cs: str) -> None:
    assert causes(text, "cs") == cs


@pytest.mark.parametrize(
    ("reason", "cs", "en"),
    [
        ("pm10: no valid reading", "PM10: žádné platné měření", "PM10: no valid reading"),
        ("index: no value of eaqi_2024", "INDEX: žádná hodnota", "INDEX: no value"),
        ("pm10: 15 of 24 hours, 18 needed", "PM10: 15 z 24 hodin, je třeba 18", "PM10: 15 of 24 hours, 18 needed"),
        ("index: 1 of 3 places, 75 % needed", "INDEX: 1 z 3 míst, je třeba 75 %", "INDEX: 1 of 3 places, 75 % needed"),
        (
            "day: 4 of 365 windows of pm10_day_mean, 75 % needed",
            "DAY: 4 z 365 hodnot, je třeba 75 %",
            "DAY: 4 of 365 values, 75 % needed",
        ),
        (
            "pm10: 4 readings, 75 % of the window needed",
            "PM10: 4 měření, je třeba pokrýt 75 % období",
            "PM10: 4 readings, 75 % of the period needed",
        ),
        ("percentage has no result", "percentage has no result", "percentage has no result"),
    ],
)
def test_what_the_engine_lacks_in_words(reason: str, cs: str, en: str) -> None:
    assert [lack.text for lack in lacks(reason, "cs", str.upper)] == [cs]
    assert [lack.text for lack in lacks(reason, "en", str.upper)] == [en]


def test_several_lacks_stand_apart_and_unknown_words_are_marked_as_the_engines_own() -> None:
    found = lacks("pm10: no valid reading; o3: lost in space", "cs", str.upper)
    assert [(lack.text, lack.raw) for lack in found] == [
        ("PM10: žádné platné měření", False),
        ("o3: lost in space", True),
    ]


def test_colours_follow_the_scores_of_a_definition_not_the_numbers_of_its_bands() -> None:
    definitions = load_catalogue(Quantities.load()).definitions
    index, days = definitions["eaqi_2024"], definitions["pm10_days_over_50"]
    assert [tone(index, band) for band in range(8)] == [0, 1, 2, 3, 4, 5, 6, 0]
    assert [tone(days, band) for band in (1, 2)] == [1, 6]
    assert tone(None, 3) == tone(index, None) == 0


def _inside(x: float, y: float) -> bool:
    """Whether a point lies in the hexagon around the origin."""
    return abs(x) <= WIDTH / 2 and abs(y) <= HEIGHT / 2 - abs(x) * (HEIGHT / 4) / (WIDTH / 2)


@pytest.mark.parametrize("word", [word for row in texts.ORIGIN.values() for word in row.values()])
def test_the_badge_lies_within_its_tile(word: str) -> None:
    template = files("hub.console").joinpath("templates", "overview.html").read_text("utf-8")
    box = re.search(r'y="\{\{ tile\.y \+ (\d+) }}" width="\{\{ width }}" height="(\d+)"', template)
    assert box
    top, height = int(box[1]), int(box[2])
    assert all(_inside(badge(word) / 2, y) for y in (top, top + height))


def test_the_plate_behind_the_words_lies_within_its_tile() -> None:
    corners = [tuple(map(int, corner.split(","))) for corner in plate(0, 0).split()]
    assert len(corners) == 8
    assert all(_inside(x, y) for x, y in corners)


def test_tiles_of_the_city_do_not_overlap() -> None:
    city = load_city()
    parts = [p for p in city.places if p.kind is PlaceKind.PART]
    tiles = draw(parts, city.cells, "cs").tiles
    for i, a in enumerate(tiles):
        for b in tiles[:i]:
            assert (a.x - b.x) ** 2 + (a.y - b.y) ** 2 >= (WIDTH - 2) ** 2


def test_the_drawing_has_no_empty_margin() -> None:
    city = load_city()
    tiles = draw([p for p in city.places if p.kind is PlaceKind.PART], city.cells, "cs").tiles
    assert min(tile.x for tile in tiles) == WIDTH // 2


def test_places_without_a_layout_stand_by_their_coordinates() -> None:
    def part(name: str, latitude: float, longitude: float) -> Place:
        return Place(
            id=name, kind=PlaceKind.PART, title={"cs": name, "en": name}, latitude=latitude, longitude=longitude
        )

    parts = [part("south", 49.0, 18.0), part("north-east", 50.0, 19.0), part("north-west", 50.0, 18.0)]
    at = {tile.place: tile for tile in draw(parts, {}, "cs").tiles}
    assert at["north-west"].x < at["north-east"].x
    assert at["north-west"].y < at["south"].y


@pytest.mark.parametrize(
    ("name", "cut"),
    [
        ("Šumbark", ["Šumbark"]),
        ("Prostřední Suchá", ["Prostřední", "Suchá"]),
        ("Havířov-Město", ["Havířov-", "Město"]),
        ("Nedělitelnénázvy", ["Nedělitelnénázvy"]),
    ],
)
def test_long_names_are_cut_into_two_lines(name: str, cut: list[str]) -> None:
    assert list(lines(name)) == cut


def _luminance(colour: str) -> float:
    """Relative luminance, WCAG 2.1."""
    channels = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def _contrast(a: str, b: str) -> float:
    low, high = sorted((_luminance(a), _luminance(b)))
    return (high + 0.05) / (low + 0.05)


def _colours() -> list[tuple[str, str, str]]:
    """Text and ground of everything that the style sheet paints."""
    named = dict(re.findall(r"--([\w-]+): (#[0-9a-f]{6})", STYLE))
    pairs = [
        ("text", named["ink"], named["paper"]),
        ("note", named["soft"], named["ground"]),
        ("link", named["link"], named["ground"]),
    ]
    pairs += [(f"--{n}", named[n], named[f"{n}-ground"]) for n in ("warn", "bad", "good")]
    fills = dict(re.findall(r"\.fill-(\d) \{ fill: (#[0-9a-f]{6})", STYLE))
    pairs += [(f"tile {n}", "#ffffff" if n in "56" else "#101820", fill) for n, fill in fills.items()]
    rules = re.findall(r"([^{}]+)\{[^}]*?(?<![-\w])color: (#[0-9a-f]{6});[^}]*?background: (#[0-9a-f]{6})", STYLE)
    return pairs + [(name.strip(), text, ground) for name, text, ground in rules]


@pytest.mark.parametrize(("what", "text", "ground"), _colours())
def test_contrast_is_at_least_that_of_wcag_aa(what: str, text: str, ground: str) -> None:
    assert _contrast(text, ground) >= 4.5, what
