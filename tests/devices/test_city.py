# SPDX-License-Identifier: EUPL-1.2
"""The city's file: Havířov as published, another city, and what a wrong file says."""

from pathlib import Path

import pytest

from hub.core.errors import SettingsError
from hub.core.places import PlaceKind
from hub.devices.city import load_city, parse_city

# "Havířov v číslech", 1 January 2024
HAVIROV = {
    "havirov": 68947,
    "havirov/mesto": 29393,
    "havirov/sumbark": 16133,
    "havirov/podlesi": 13207,
    "havirov/prostredni-sucha": 4418,
    "havirov/bludovice": 2745,
    "havirov/zivotice": 1408,
    "havirov/dolni-sucha": 1001,
    "havirov/dolni-datyne": 642,
}

EXAMPLE = """
id: brod
title: {cs: Brod, de: Furt}
time_zone: Europe/Vienna
languages: [cs, de]
population: 300
parts:
  - {id: horni, title: {cs: Horní, de: Ober}, population: 100, cell: [0, 0]}
  - {id: dolni, title: {cs: Dolní, de: Unter}, population: 200, latitude: 48.5, longitude: 16.1, cell: [0, 1]}
"""


def test_havirov_has_its_published_parts_and_population():
    assert {p.id: p.population for p in load_city(None).places} == HAVIROV


def test_population_says_its_date_and_source():
    place = load_city().places[1]
    assert place.population_date == "2024-01-01"
    assert "Havířov v číslech" in place.source


def test_positions_say_that_they_are_approximate():
    assert all("illustrative" in place.source for place in load_city().places)


def test_places_come_parents_first():
    seen = set()
    for place in load_city().places:
        assert place.parent is None or place.parent in seen
        seen.add(place.id)


def test_every_part_of_havirov_has_its_own_cell_of_the_schematic_map():
    city = load_city()
    assert set(city.cells) == set(HAVIROV) - {"havirov"}
    assert len(set(city.cells.values())) == 8


def test_names_are_czech_and_english():
    assert {p.title["cs"] for p in load_city().places} >= {"Šumbark", "Prostřední Suchá", "Havířov"}
    assert all(p.title["en"] for p in load_city().places)


def test_another_city_is_another_file(tmp_path: Path):
    file = tmp_path / "brod.yaml"
    file.write_text(EXAMPLE, encoding="utf-8")
    city = load_city(file)
    assert [p.id for p in city.places] == ["brod", "brod/horni", "brod/dolni"]
    assert [p.kind for p in city.places] == [PlaceKind.MUNICIPALITY, PlaceKind.PART, PlaceKind.PART]
    assert city.zone.key == "Europe/Vienna"
    assert city.places[2].title["de"] == "Unter"
    assert city.places[1].source is None


@pytest.mark.parametrize(
    ("old", "new", "field", "detail"),
    [
        ("population: 200", "population: 201", "population", "the parts add up to 301"),
        ("population: 200", "population: many", "parts[1].population", "int"),
        ("population: 200", "population: -1", "parts[1].population", ">= 0"),
        ("Europe/Vienna", "Europe/Wien", "time_zone", "Europe/Wien"),
        ("Europe/Vienna", "Europe", "time_zone", "IANA"),
        ("Europe/Vienna", "../etc/passwd", "time_zone", "IANA"),
        ("de: Unter", "en: Lower", "parts[1].title.de", "missing"),
        ("languages: [cs, de]", "languages: []", "languages", "at least one"),
        ("id: horni", "id: Horní", "parts[0].id", "no place id"),
        ("id: horni", "id: a/b", "parts[0].id", "single name"),
        ("id: horni", "id: dolni", "parts[1].id", "parts[0].id already"),
        ("id: brod", "id: ''", "id", "no place id"),
        ("cell: [0, 1]", "cell: [0, 0]", "parts[1].cell", "parts[0].cell already"),
        ("cell: [0, 1]", "cell: [0]", "parts[1].cell", "length 2"),
        ("latitude: 48.5", "latitude: 148.5", "parts[1].latitude", "<= 90"),
        ("latitude: 48.5", "lat: 48.5", "parts[1]", "lat"),
        ("time_zone: Europe/Vienna\n", "", "the file", "time_zone"),
        (EXAMPLE, "[", "the file", ""),
        (EXAMPLE, "", "the file", "object"),
    ],
)
def test_a_wrong_file_names_file_and_field(old, new, field, detail):
    assert parse_city(EXAMPLE.encode(), "brod.yaml").id == "brod"
    with pytest.raises(SettingsError) as caught:
        parse_city(EXAMPLE.replace(old, new, 1).encode(), "brod.yaml")
    assert caught.value.setting == f"brod.yaml: {field}"
    assert detail in caught.value.detail


def test_a_missing_file_is_named(tmp_path: Path):
    with pytest.raises(SettingsError, match=r"nowhere\.yaml: the city's file cannot be read"):
        load_city(tmp_path / "nowhere.yaml")


def test_a_city_may_leave_population_and_positions_open():
    text = "id: x\ntitle: {cs: X}\ntime_zone: UTC\nlanguages: [cs]\nparts: []\npopulation: 5\n"
    assert [p.population for p in parse_city(text.encode(), "x.yaml").places] == [5]
