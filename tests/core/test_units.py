# SPDX-License-Identifier: EUPL-1.2
"""The table of units against pint and ucumvert, the well-kept libraries, and against SenML's registry."""

import re
import warnings
from fractions import Fraction

import pytest

from hub.core.errors import Stop
from hub.core.units import Units, fold

UNITS = Units.load()
PAIRS = [(a, b) for a in UNITS for b in UNITS.in_dimension(a.dimension) if a.code != b.code]

# ucumvert takes inches of mercury at 60 °F; UCUM derives them from m[Hg], which is conventional mercury at 0 °C.
# The other two are not in UCUM in this form.
PINT_NAMES = {"[in_i'Hg]": "inch_Hg", "{ratio}": "dimensionless", "dB{mW}": "decibelmilliwatt"}


@pytest.fixture(scope="session")
def pint_quantity():
    """Function (number, code) -> pint quantity; annotations in braces have no meaning in UCUM and are left out."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the yardstick's own warnings are not under test
        from ucumvert import PintUcumRegistry

        registry = PintUcumRegistry(autoconvert_offset_to_baseunit=True)

    def unit(code):
        name = PINT_NAMES.get(code)
        return registry.Unit(name) if name else registry.from_ucum(re.sub(r"\{[^}]*\}", "", code)).units

    return lambda number, code: registry.Quantity(number, unit(code))


@pytest.mark.parametrize(("unit", "other"), PAIRS, ids=lambda u: u.code)
def test_every_conversion_agrees_with_pint(unit, other, pint_quantity):
    factor = unit.to(other)
    for x in (1.0, 40.0):
        expected = pint_quantity(x, unit.code).m_as(pint_quantity(x, other.code).units)
        assert x * factor.scale + factor.offset == pytest.approx(expected, rel=1e-9)


@pytest.mark.parametrize("code", [unit.code for unit in UNITS])
def test_every_code_is_ucum(code):
    from ucumvert import get_ucum_parser

    assert get_ucum_parser().parse(code)


def test_a_unit_converts_to_itself_exactly():
    assert {unit.to(unit) for unit in UNITS} == {(1.0, 0.0)}


# RFC 8428 section 12.1, RFC 8798 tables 1 and 2: those of our dimensions, with the factor to another SenML unit.
SENML = [
    ("length", "m", "m", 1),
    ("length", "mm", "m", 0.001),
    ("length", "cm", "m", 0.01),
    ("length", "km", "m", 1000),
    ("mass", "kg", "kg", 1),
    ("mass", "g", "kg", 0.001),
    ("time", "ms", "s", 0.001),
    ("time", "min", "s", 60),
    ("time", "h", "s", 3600),
    ("current", "mA", "A", 0.001),
    ("temperature", "K", "K", 1),
    ("temperature", "Cel", "Cel", 1),
    ("frequency", "Hz", "Hz", 1),
    ("frequency", "1/s", "Hz", 1),
    ("angle", "deg", "rad", 0.017453292519943295),
    ("pressure", "hPa", "Pa", 100),
    ("energy", "J", "J", 1),
    ("energy", "Wh", "J", 3600),
    ("energy", "kWh", "J", 3600000),
    ("power", "kW", "W", 1000),
    ("apparent_power", "kVA", "VA", 1000),
    ("reactive_power", "kvar", "var", 1000),
    ("reactive_energy", "varh", "vars", 3600),
    ("reactive_energy", "kvarh", "vars", 3600000),
    ("voltage", "mV", "V", 0.001),
    ("luminous_flux", "lm", "lm", 1),
    ("illuminance", "lx", "lx", 1),
    ("volume", "m3", "m3", 1),
    ("volume", "l", "m3", 0.001),
    ("speed", "m/s", "m/s", 1),
    ("speed", "km/h", "m/s", 1 / 3.6),
    ("volume_flow", "l/s", "m3/s", 0.001),
    ("irradiance", "W/m2", "W/m2", 1),
    ("acidity", "pH", "pH", 1),
    ("gain", "dB", "dB", 1),
    ("power_level", "dBW", "dBW", 1),
    ("sound_level", "Bspl", "Bspl", 1),
    ("count", "count", "count", 1),
    ("ratio", "/", "/", 1),
    ("ratio", "%", "/", 0.01),
    ("ratio", "/100", "/", 0.01),
    ("ratio", "/1000", "/", 0.001),
    ("ratio", "%EL", "EL", 0.01),
    ("mass_concentration", "ug/m3", "kg/m3", 1e-9),
    ("mass_concentration", "kg/m3", "kg/m3", 1),
    ("precipitation_rate", "mm/h", "m/s", 1 / 3600000),
    ("mole_fraction", "ppm", "ppm", 1),
    ("conductivity", "S/m", "S/m", 1),
]


@pytest.mark.parametrize(("dimension", "name", "primary", "scale"), SENML)
def test_senml_names_are_taken_with_the_registered_factor(dimension, name, primary, scale):
    unit, other = UNITS.spelled(name, dimension), UNITS.spelled(primary, dimension)
    assert unit.to(other) == pytest.approx((scale, 0), rel=1e-15)


@pytest.mark.parametrize(
    ("dimension", "spelling", "code"),
    [
        ("mass_concentration", "µg/m³", "ug/m3"),
        ("mass_concentration", "\N{GREEK SMALL LETTER MU}g/m3", "ug/m3"),
        ("mass_concentration", " ug / m^3 ", "ug/m3"),
        ("temperature", "℃", "Cel"),
        ("temperature", "° C", "Cel"),
        ("energy", "kW·h", "kW.h"),
        ("sound_level", "dB (A)", "dB[SPL]{A}"),
        ("conductivity", "µS/cm", "uS/cm"),
    ],
)
def test_look_alikes_are_one_unit(dimension, spelling, code):
    assert UNITS.spelled(spelling, dimension).code == code


@pytest.mark.parametrize(
    ("dimension", "spelling"),
    [("temperature", "C"), ("power", "KW"), ("energy", "kW"), ("temperature", ""), ("speed", "mm/h")],
)
def test_no_unit_is_guessed(dimension, spelling):
    """C is coulomb, letter case carries the prefix, and other dimensions stay out."""
    assert UNITS.spelled(spelling, dimension) is None


def test_milliwatt_is_not_megawatt():
    assert UNITS.spelled("MW", "power").scale / UNITS.spelled("mW", "power").scale == Fraction(10**9)


def test_fold_leaves_letter_case_alone():
    assert fold("MΩ m²") != fold("mΩ m²")


@pytest.mark.parametrize(
    ("text", "culprit"),
    [
        ("length: {m: {symbol: m, scle: 2}}", "scle"),
        ("length: {m: {symbol: m, scale: 0}}", "length.m"),
        ("length: {m: {symbol: m, scale: abc}}", "abc"),
        ("length: {m: {symbol: m, scale: 1/0}}", "units.yaml"),
        ("length: {m: {symbol: m}, km: {symbol: km, aliases: [m]}}", "'m' means both m and km"),
        ("length: {m: {symbol: m}}\nmass: {m: {symbol: m}}", "'m' stands twice"),
        ("length: {{", "units.yaml"),
    ],
)
def test_a_wrong_table_names_the_culprit(text, culprit):
    with pytest.raises(Stop, match=re.escape(culprit)):
        Units.parse(text.encode())
