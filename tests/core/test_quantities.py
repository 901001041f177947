# SPDX-License-Identifier: EUPL-1.2
"""The table of quantities, and the conversions that it allows."""

import math

import pytest

from hub.core.errors import Stop, UnknownQuantity, UnknownUnit
from hub.core.quantities import Domain, Kind, Quantities
from hub.core.units import Units

UNITS = Units.load()
QUANTITIES = Quantities.load()


def test_every_domain_has_quantities():
    assert {q.domain for q in QUANTITIES} == set(Domain)


def test_every_kind_is_in_use():
    assert {q.kind for q in QUANTITIES} == set(Kind)


@pytest.mark.parametrize("quantity", list(QUANTITIES), ids=lambda q: q.id)
def test_every_quantity_is_complete(quantity):
    assert quantity.id.isidentifier()
    assert quantity.id == quantity.id.lower()
    assert all(quantity.title[language].strip() for language in ("en", "cs"))
    assert quantity.unit in UNITS
    assert quantity.minimum < quantity.maximum
    assert quantity.source
    assert "judgement" not in f"{quantity.source} {quantity.note}" or quantity.uncertain or quantity.note


def test_a_bound_that_is_a_judgement_says_uncertain():
    assert [q.id for q in QUANTITIES if "judgement" in q.source and not q.uncertain] == []


@pytest.mark.parametrize(
    ("kind", "unit"), [(Kind.VECTOR, "deg"), (Kind.ENERGETIC, "dB[SPL]{A}"), (Kind.COUNTER, "kW.h")]
)
def test_kinds_have_units_that_can_aggregate_so(kind, unit):
    dimensions = {Kind.VECTOR: {"angle"}, Kind.ENERGETIC: {"sound_level", "sound_level_c"}}
    found = {UNITS.of(q.unit).dimension for q in QUANTITIES if q.kind is kind}
    assert UNITS.of(unit).dimension in found
    assert found <= dimensions.get(kind, found)


def test_counters_never_start_below_zero():
    assert {q.minimum for q in QUANTITIES if q.kind is Kind.COUNTER} == {0}


@pytest.mark.parametrize(
    ("quantity", "unit", "value", "canonical"),
    [
        ("air_temperature", "K", 294.5, 21.35),
        ("air_temperature", "°F", 212, 100),
        ("air_temperature", "degC", -40, -40),
        ("relative_humidity", "%RH", 55, 55),
        ("relative_humidity", "/", 0.55, 55),
        ("air_pressure", "Pa", 101325, 1013.25),
        ("air_pressure", "kPa", 101.325, 1013.25),
        ("air_pressure", "mbar", 1013.25, 1013.25),
        ("wind_speed", "km/h", 36, 10),
        ("wind_speed", "kt", 10, 5.14444),
        ("vehicle_speed", "mph", 30, 48.28032),
        ("precipitation", "l/m2", 3.2, 3.2),
        ("precipitation", "l/m²", 3.2, 3.2),
        ("precipitation", "in", 1, 25.4),
        ("water_volume", "l", 1500, 1.5),
        ("water_flow", "l/min", 10, 0.6),
        ("energy", "GJ", 3.6, 1000),
        ("energy", "MWh", 1.2, 1200),
        ("energy", "W.h", 500, 0.5),
        ("heat_energy", "GJ", 1, 277.7777778),
        ("power", "kW", 2.5, 2500),
        ("battery_voltage", "mV", 3600, 3.6),
        ("rssi", "dBm", -112, -112),
        ("sound_level", "dBA", 61.2, 61.2),
        ("sound_level", "Bspl", 6.12, 61.2),
        ("parking_free", "count", 12, 12),
        ("waiting_time", "h", 2, 120),
        ("fill_level", "1", 0.5, 50),
        ("co2", "ppm", 420, 420),
        ("co", "ug/m3", 400, 0.4),
        ("pm10", None, 20.3, 20.3),
    ],
)
def test_usual_units_convert(quantity, unit, value, canonical):
    scale, offset = QUANTITIES.factor(quantity, unit)
    assert value * scale + offset == pytest.approx(canonical, rel=1e-6)


@pytest.mark.parametrize(
    ("quantity", "value", "unit", "canonical"),
    [
        # scopes of EN 14211, EN 14626: figures printed there for 20 °C and 101,3 kPa
        ("no2", 261, "nmol/mol", 500),
        ("no", 962, "nmol/mol", 1200),
        ("co", 86, "umol/mol", 100),
        # UK-AIR (Defra), conversion factors between ppb and µg/m3 at 20 °C and 1013 mb; older molar masses
        ("no2", 1, "ppb", 1.9125),
        ("o3", 1, "ppb", 1.9957),
        ("so2", 1, "ppb", 2.6609),
        ("co", 1, "ppm", 1.1642),
        ("no", 1, "ppb", 1.2473),
        ("benzene", 1, "ppb", 3.2430),
    ],
)
def test_gases_convert_at_20_degrees_and_one_atmosphere(quantity, value, unit, canonical):
    scale, offset = QUANTITIES.factor(quantity, unit)
    assert (value * scale, offset) == (pytest.approx(canonical, rel=3e-3), 0)


def test_molar_volume_is_that_of_an_ideal_gas_at_20_degrees():
    """22.41396954 L/mol at 0 °C and 101.325 kPa (CODATA 2018), by Charles's law."""
    assert QUANTITIES.gas.molar_volume == pytest.approx(22.41396954 * 293.15 / 273.15, rel=1e-9)


@pytest.mark.parametrize(
    ("quantity", "unit", "hint"),
    [
        ("air_temperature", "C", "°C, K, °F"),
        ("pm10", "ppb", "µg/m³"),
        ("tvoc", "ug/m3", "ppm"),
        ("pm10", "", "mg/m³"),
        ("water_level", "l/m2", "mm"),
        ("parking_free", "%", "parking_free takes"),
        ("water_turbidity", "FNU", "NTU"),
    ],
)
def test_an_unknown_unit_is_refused_with_those_that_are_taken(quantity, unit, hint):
    with pytest.raises(UnknownUnit, match="unknown unit") as caught:
        QUANTITIES.factor(quantity, unit)
    assert hint in str(caught.value)


@pytest.mark.parametrize(("wrong", "near"), [("pm25", "pm2_5"), ("air_temprature", "air_temperature"), ("xyz", None)])
def test_an_unknown_quantity_is_named_with_near_ones(wrong, near):
    with pytest.raises(UnknownQuantity) as caught:
        QUANTITIES.factor(wrong, None)
    assert repr(wrong) in str(caught.value)
    assert ("did you mean" in str(caught.value)) == bool(near)
    assert (near or "") in str(caught.value)


def test_membership_and_length_are_those_of_the_table():
    assert "pm10" in QUANTITIES
    assert "pm25" not in QUANTITIES
    assert len(QUANTITIES) == len(list(QUANTITIES)) >= 100


@pytest.mark.parametrize(("value", "plausible"), [(-80, True), (60, True), (60.1, False), (math.nan, False)])
def test_the_gross_range_is_inclusive_and_never_holds_for_nan(value, plausible):
    assert QUANTITIES.get("air_temperature").plausible(value) is plausible


HEAD = "gas_reference: {temperature: 293.15, pressure: 101325, source: x}\nsources: {s: text}\nquantities:\n  air:\n"
ROW = "    x: {title: {en: X, cs: X}, unit: ug/m3, kind: arithmetic, range: [0, 1], source: s}\n"


@pytest.mark.parametrize(
    ("old", "new", "culprit"),
    [
        ("unit: ug/m3", "unit: ugm", "air.x: unit 'ugm'"),
        ("source: s}", "source: t}", "air.x: source 't'"),
        ("[0, 1]", "[1, 0]", "air.x: the range"),
        (", cs: X", "", "air.x: title"),
        ("kind: arithmetic", "kind: mean", "mean"),
        ("range", "rnge", "rnge"),
        ("{title", "{{title", "quantities.yaml"),
        ("source: s}", "source: s, spellings: {a: b}}", "air.x: spellings"),
        ("source: s}\n", "source: s}\n  noise:\n" + ROW, "'x' stands in two domains"),
    ],
)
def test_a_wrong_table_names_the_culprit(old, new, culprit):
    assert [q.id for q in Quantities.parse((HEAD + ROW).encode(), UNITS)] == ["x"]
    with pytest.raises(Stop) as caught:
        Quantities.parse((HEAD + ROW.replace(old, new)).encode(), UNITS)
    assert culprit in str(caught.value)
