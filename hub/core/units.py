# SPDX-License-Identifier: EUPL-1.2
"""Units of device payloads, from the table `units.yaml`.

Conversion is affine within one dimension: base = value * scale + offset. Scales are kept as exact rationals and become
floats once, when the factor between two units is asked for, so that kWh to kWh is exactly (1.0, 0.0) and no
conversion carries the rounding of an intermediate unit. A spelling is looked up within a dimension only ("1" is a
ratio for humidity and a count for cars), as written first, then folded: Unicode compatibility forms, both
micro signs and blanks. Letter case is never folded: mW is not MW.
"""

import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from fractions import Fraction
from importlib.resources import files
from typing import NamedTuple

from msgspec import DecodeError, Struct, yaml

from hub.core.errors import Stop


class Factor(NamedTuple):
    """An affine conversion: canonical = value * scale + offset."""

    scale: float
    offset: float


class Unit(Struct, frozen=True):
    """One unit: UCUM code, dimension, what people read, and exact base = value * scale + offset."""

    code: str
    dimension: str
    symbol: str
    scale: Fraction
    offset: Fraction
    aliases: Sequence[str]

    def to(self, target: "Unit") -> Factor:
        """Factor from this unit to another one of the same dimension."""
        return Factor(float(self.scale / target.scale), float((self.offset - target.offset) / target.scale))


class _Row(Struct, forbid_unknown_fields=True):
    symbol: str
    scale: int | str = 1
    offset: int | str = 0
    aliases: list[str] = []


class Units:
    """All units; iterate over them, `of` finds one by code, `spelled` one by any spelling in a dimension."""

    def __init__(self, units: Sequence[Unit]) -> None:
        self._by_code = {unit.code: unit for unit in units}
        if len(self._by_code) != len(units):
            raise Stop(f"units.yaml: {_twice([u.code for u in units])!r} stands twice")
        self._spellings = _spellings(units)

    @classmethod
    def load(cls) -> "Units":
        """Read the packaged table."""
        return cls.parse(files("hub.core").joinpath("units.yaml").read_bytes())

    @classmethod
    def parse(cls, text: bytes) -> "Units":
        """Read a table of units; Stop names what is wrong with it."""
        try:
            table = yaml.decode(text, type=dict[str, dict[str, _Row]])
            return cls([_unit(d, code, row) for d, rows in table.items() for code, row in rows.items()])
        except (DecodeError, ValueError, ZeroDivisionError) as error:
            raise Stop(f"units.yaml: {error}") from error

    def of(self, code: str) -> Unit:
        """The unit with this UCUM code; KeyError where there is none."""
        return self._by_code[code]

    def spelled(self, spelling: str, dimension: str) -> Unit | None:
        """The unit of `dimension` that devices write as `spelling`, None where there is none."""
        known = self._spellings[dimension]
        return known.get(spelling) or known.get(fold(spelling))

    def in_dimension(self, dimension: str) -> Sequence[Unit]:
        """Units that convert into each other."""
        return [unit for unit in self if unit.dimension == dimension]

    def __iter__(self) -> Iterator[Unit]:
        return iter(self._by_code.values())

    def __contains__(self, code: object) -> bool:
        return code in self._by_code


def fold(spelling: str) -> str:
    """One spelling for what looks alike: m³ and m3, both micro signs and u, with and without blanks."""
    plain = unicodedata.normalize("NFKC", spelling).replace("\N{GREEK SMALL LETTER MU}", "u")
    return "".join(plain.replace("·", ".").replace("^", "").split())


def _unit(dimension: str, code: str, row: _Row) -> Unit:
    scale, offset = _rational(row.scale), _rational(row.offset)
    if scale <= 0:
        raise ValueError(f"{dimension}.{code}: scale must be above 0")
    return Unit(code, dimension, row.symbol, scale, offset, tuple(row.aliases))


def _rational(text: int | str) -> Fraction:
    """Exact value of 3, "0.44704", "5/9" or "1/3.6"."""
    numerator, _, denominator = str(text).partition("/")
    return Fraction(numerator) / Fraction(denominator or 1)


def _spellings(units: Sequence[Unit]) -> Mapping[str, Mapping[str, Unit]]:
    tables: dict[str, dict[str, Unit]] = {}
    for unit in units:
        known = tables.setdefault(unit.dimension, {})
        for spelling in (unit.code, unit.symbol, *unit.aliases):
            for form in {spelling, fold(spelling)} - {""}:
                if known.setdefault(form, unit) is not unit:
                    raise Stop(f"units.yaml: {form!r} means both {known[form].code} and {unit.code}")
    return tables


def _twice(codes: Sequence[str]) -> str:
    return next(code for code in codes if codes.count(code) > 1)
