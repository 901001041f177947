# SPDX-License-Identifier: EUPL-1.2
"""Every definition gives what its own examples say, and a wrong one is refused by name."""

from pathlib import Path

import pytest
from msgspec import yaml

from hub.core.errors import NotFound, SettingsError
from hub.core.quantities import Quantities
from hub.core.windows import Calendar
from hub.indicators.catalogue import Catalogue, build_catalogue, load_catalogue
from hub.indicators.checks import parse_definition
from hub.indicators.definition import Definition, Expected
from hub.indicators.evaluate import check_own, run_example

ALL = load_catalogue(Quantities.load())
PAIRS = [pytest.param(d, e, id=f"{d.id}-{n}") for d in ALL for n, e in enumerate(d.examples)]


@pytest.mark.parametrize(("d", "example"), PAIRS)
def test_an_example_comes_out(d: Definition, example: Expected, prague: Calendar) -> None:
    value = run_example(ALL, d, example, prague)
    assert (value.value, value.status.value) == (example.value, example.status)
    assert (value.reason is None) == (example.value is not None)
    if example.band is not None:
        assert value.band == example.band
    if example.missing is not None:
        assert value.missing == example.missing
    assert value.lower_bound == example.lower_bound


def test_the_indicators_of_the_first_issue_are_there(catalogue: Catalogue) -> None:
    assert {d.id for d in catalogue} >= {
        "eaqi_2024", "pm10_day_mean", "pm2_5_day_mean", "pm10_days_over_50", "eaqi_2024_district", "chmi_iko_2017",
    }  # fmt: skip


def test_inputs_stand_before_what_depends_on_them(catalogue: Catalogue) -> None:
    order = [d.id for d in catalogue]
    assert all(order.index(source) < order.index(d.id) for d in catalogue for source in d.sources)


def test_bands_of_the_published_tables(catalogue: Catalogue, shared: Path) -> None:
    names = {"PM2.5": "pm2_5", "PM10": "pm10", "NO2": "no2", "O3": "o3", "SO2": "so2"}
    for line in (shared / "vectors/eaqi_bands.csv").read_text().splitlines():
        if line.startswith("2024,"):
            _, pollutant, _, *bounds = line.split(",")
            assert catalogue.get("eaqi_2024").inputs[names[pollutant]].bands == tuple(map(float, bounds))
    for line in (shared / "vectors/chmi_iko_bands_to_2019.csv").read_text().splitlines():
        pollutant, *bounds = line.split(",")
        if pollutant in names:
            assert catalogue.get("chmi_iko_2017").inputs[names[pollutant]].bands == tuple(map(float, bounds))


GOOD = yaml.decode(
    b"""
id: noise_hour
version: 1
title: {en: Noise, cs: Hluk}
domain: noise
formula: value
inputs: {level: {quantity: sound_level}}
unit: dB
window: PT1H
reference: [{citation: test}]
examples: [{given: {level: 50}, value: 50}]
"""
)


def spoiled(**change: object) -> Definition:
    return parse_definition(yaml.encode(GOOD | change), "city.yaml")


@pytest.mark.parametrize(
    ("change", "field", "says"),
    [
        ({"formula": "wurst_band"}, "formula", "unknown formula 'wurst_band'"),
        ({"inputs": {}}, "inputs", "at least one"),
        ({"formula": "percentage"}, "inputs.level", "no parameter 'level'"),
        ({"formula": "percentage", "inputs": {"part": {"quantity": "pm10"}}}, "inputs", "needs the input 'whole'"),
        ({"formula": "worst_band"}, "inputs.level.bands", "works on bands"),
        ({"inputs": {"level": {"quantity": "sound_level", "bands": [3, 2]}}}, "inputs.level.bands", "must grow"),
        ({"inputs": {"level": {"quantity": "a", "indicator": "b"}}}, "inputs.level", "either"),
        ({"inputs": {"level": {"quantity": "sound_level", "months": [0]}}}, "inputs.level.months", "1 to 12"),
        ({"inputs": {"level": {"indicator": "x", "reduce": "count_over"}}}, "inputs.level.threshold", "threshold"),
        ({"parameters": {"k": 1}}, "parameters.k", "takes none"),
        ({"bands": [{"max": 2, "label": {"en": "a", "cs": "a"}}, {"max": 1, "label": {"en": "b", "cs": "b"}}]},
         "bands", "not monotone"),
        ({"bands": [{"label": {"en": "a", "cs": "a"}}, {"max": 1, "label": {"en": "b", "cs": "b"}}]},
         "bands", "only the last"),
        ({"capture": 75}, "capture", "0 to 1"),
        ({"step": "P1D"}, "step", "not shorter"),
        ({"grace": "two hours"}, "grace", "duration"),
        ({"calendar": {"zone": "Mars/Base", "citation": "x"}}, "calendar.zone", "time zone"),
        ({"flags": [1, 4]}, "flags", "only 1"),
        ({"id": "Noise Hour"}, "id", "a-z"),
        ({"version": 0}, "version", "begin with 1"),
        ({"examples": []}, "examples", "at least one"),
        ({"reference": []}, "reference", "where"),
        ({"examples": [{"given": {"noise": 1}, "value": 1}]}, "examples[0].given", "no input noise"),
        ({"examples": [{"given": {"level": 1}}]}, "examples[0]", "either a value"),
        ({"colour": "red"}, "", "colour"),
        ({"window": "PT2H"}, "", "window"),
        ({"domain": "pirates"}, "", "domain"),
    ],
)  # fmt: skip
def test_a_wrong_file_names_itself_and_the_field(change: dict[str, object], field: str, says: str) -> None:
    with pytest.raises(SettingsError) as error:
        spoiled(**change)
    assert str(error.value).startswith(f"city.yaml: {field}")
    assert says in str(error.value)


def test_text_that_is_no_yaml_names_the_file() -> None:
    with pytest.raises(SettingsError, match=r"city\.yaml"):
        parse_definition(b"id: [", "city.yaml")


def other(**change: object) -> dict[str, object]:
    return GOOD | {"inputs": {"level": {"indicator": "noise_hour"}}, "id": "other"} | change


@pytest.mark.parametrize(
    ("second", "says"),
    [
        (GOOD, "b.yaml: id: 'noise_hour' is taken by a.yaml"),
        (other(inputs={"level": {"quantity": "sound_lewel"}}), "b.yaml: inputs.level.quantity: unknown quantity"),
        (other(inputs={"level": {"indicator": "noyse"}}), "b.yaml: inputs.level.indicator: unknown indicator"),
        (other(inputs={"level": {"indicator": "other"}}), "b.yaml: inputs: circle: other needs other"),
        (other(window="P1D"), "b.yaml: inputs.level.reduce: needed"),
        (other(level="part"), "b.yaml: spatial: needed"),
        (other(level="part", spatial="worst", inputs={"level": {"quantity": "pm10"}}), "at level site"),
        (other(window="P1D", level="part", spatial="worst", inputs={"level": {"indicator": "noise_hour",
         "reduce": "mean"}}), "an indicator between"),
        (other(window="P1D", calendar={"zone": "UTC", "citation": "x"}, inputs={"level": {"indicator": "noise_hour",
         "reduce": "mean"}}), "b.yaml: calendar"),
    ],
)  # fmt: skip
def test_files_that_do_not_fit_together_are_named(second: dict[str, object], says: str, quantities: Quantities) -> None:
    pairs = [
        ("a.yaml", parse_definition(yaml.encode(GOOD), "a.yaml")),
        ("b.yaml", parse_definition(yaml.encode(second), "b.yaml")),
    ]
    with pytest.raises(SettingsError) as error:
        build_catalogue(pairs, quantities)
    assert says in str(error.value)


def test_a_city_adds_an_index_by_adding_a_file(tmp_path: Path, quantities: Quantities) -> None:
    (tmp_path / "noise.yaml").write_bytes(yaml.encode(GOOD))
    assert load_catalogue(quantities, [tmp_path]).get("noise_hour").title.cs == "Hluk"


def test_a_directory_that_is_not_there_is_named(tmp_path: Path, quantities: Quantities) -> None:
    with pytest.raises(SettingsError, match="nowhere is no directory"):
        load_catalogue(quantities, [tmp_path / "nowhere"])


def test_an_unknown_indicator_suggests_a_near_one(catalogue: Catalogue) -> None:
    with pytest.raises(NotFound, match="did you mean eaqi_2024"):
        catalogue.get("eaqi_2042")


def test_a_hub_may_compute_a_few_indicators_and_what_they_are_made_of(catalogue: Catalogue) -> None:
    few = catalogue.only(["pm10_days_over_50"])
    assert [d.id for d in few] == ["pm10_day_mean", "pm10_days_over_50"]
    assert few.kinds == catalogue.kinds


OWN = {
    "id": "own", "version": 1, "title": {"en": "o", "cs": "o"}, "domain": "air", "formula": "value", "unit": "ug/m3",
    "inputs": {"pm10": {"quantity": "pm10"}}, "window": "P1D", "precision": 1, "standing": "illustrative",
    "reference": [{"citation": "test"}], "examples": [{"given": {"pm10": 20.25}, "value": 20.3}],
}  # fmt: skip


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({}, ""),
        ({"unit": "mg/m3"}, "own.yaml: unit: 'mg/m3' is not what formula value hands on: 'ug/m3'"),
        ({"unit": "h", "inputs": {"pm10": {"quantity": "pm10", "within": "share_over", "threshold": 5}}}, ""),
        ({"examples": [{"given": {"pm10": 20}, "value": 99}]}, "own.yaml: examples[0]: gives 20.0 (final)"),
    ],
)
def test_units_and_examples_of_a_city_s_own_definitions_are_checked(
    tmp_path: Path, prague: Calendar, quantities: Quantities, change: dict[str, object], says: str
) -> None:
    (tmp_path / "own.yaml").write_bytes(yaml.encode(OWN | change))
    catalogue = load_catalogue(quantities, [tmp_path])
    if not says:
        check_own(catalogue, tmp_path, prague)
        return
    with pytest.raises(SettingsError) as error:
        check_own(catalogue, tmp_path, prague)
    assert str(error.value).endswith(says)


def test_a_definition_that_would_be_passed_over_is_named(
    tmp_path: Path, prague: Calendar, quantities: Quantities
) -> None:
    (tmp_path / "own.yml").write_bytes(yaml.encode(OWN))
    with pytest.raises(SettingsError, match=r"own\.yml: definitions end in \.yaml"):
        check_own(load_catalogue(quantities, [tmp_path]), tmp_path, prague)
