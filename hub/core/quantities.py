# SPDX-License-Identifier: EUPL-1.2
"""Quantities: what the hub measures, from the table `quantities.yaml`.

A quantity fixes the canonical unit of every stored reading, how readings aggregate (its kind) and the gross range
outside of which no working instrument of its class reports. `factor` gives the conversion that ingest applies to a
reading: canonical = value * scale + offset. It is a plain look-up, precomputed for all spellings of all units.

Gases with a molar mass also take mole fractions (ppb, ppm). These become mass concentrations at the reference state
that `quantities.yaml` states (20 °C, 101.325 kPa), whatever the weather of the day: that is how reference stations
report. Molar volume and factor are computed here, in the open.
"""

from collections.abc import Iterator, Mapping, Sequence
from difflib import get_close_matches
from enum import StrEnum
from functools import cache
from importlib.resources import files

from msgspec import DecodeError, Struct, structs, yaml

from hub.core.errors import Stop, UnknownQuantity, UnknownUnit
from hub.core.units import Factor, Unit, Units, fold

GAS_CONSTANT = 8.31446261815324  # J/(mol K), exact since the SI of 2019 (CODATA 2018)


class Domain(StrEnum):
    """What a quantity is about."""

    AIR = "air"
    NOISE = "noise"
    WEATHER = "weather"
    TRAFFIC = "traffic"
    PARKING = "parking"
    WASTE = "waste"
    ENERGY = "energy"
    WATER = "water"
    LIGHTING = "lighting"
    SPORT = "sport"
    SOCIAL = "social"
    SATISFACTION = "satisfaction"
    DEVICE = "device"


class Kind(StrEnum):
    """How readings of a quantity aggregate over time."""

    ARITHMETIC = "arithmetic"  # mean
    ENERGETIC = "energetic"  # mean of the energies behind a level in decibels
    VECTOR = "vector"  # circular mean of an angle
    COUNTER = "counter"  # difference of a register that only grows, until it is reset
    INTERVAL_TOTAL = "interval_total"  # sum of what happened in each interval
    STATE = "state"  # holds until the next reading: time-weighted mean


class ReferenceState(Struct, frozen=True, forbid_unknown_fields=True):
    """Temperature (K) and pressure (Pa) at which gas concentrations are stated, and who says so."""

    temperature: float
    pressure: float
    source: str

    @property
    def molar_volume(self) -> float:
        """Volume of one mole of ideal gas in L/mol."""
        return GAS_CONSTANT * self.temperature / self.pressure * 1000


class Quantity(Struct, frozen=True, kw_only=True):
    """What is measured.

    `unit` is the canonical UCUM code, `symbol` what people read. `minimum` and `maximum` are inclusive bounds in the
    canonical unit; `source` says where they come from, `uncertain` that they are a judgement. `molar_mass` is in g/mol.
    `spellings` are further names of units for this quantity alone (l/m2 is mm for precipitation only).
    """

    id: str
    title: Mapping[str, str]
    domain: Domain
    unit: str
    symbol: str
    kind: Kind
    minimum: float
    maximum: float
    source: str
    uncertain: bool = False
    note: str = ""
    molar_mass: float | None = None
    spellings: Mapping[str, str] = {}

    def plausible(self, value: float) -> bool:
        """Whether an instrument in order can report this value; never true for NaN."""
        return self.minimum <= value <= self.maximum


class _Row(Struct, forbid_unknown_fields=True):
    title: dict[str, str]
    unit: str
    kind: Kind
    range: tuple[float, float]
    source: str
    uncertain: bool = False
    note: str = ""
    molar_mass: float | None = None
    spellings: dict[str, str] = {}


class _File(Struct, forbid_unknown_fields=True):
    gas_reference: ReferenceState
    sources: dict[str, str]
    quantities: dict[Domain, dict[str, _Row]]


class Quantities:
    """All quantities by id; iterate over them in the order of the table."""

    def __init__(self, quantities: Sequence[Quantity], units: Units, gas: ReferenceState) -> None:
        self._by_id = {quantity.id: quantity for quantity in quantities}
        self._factors = {q.id: _factors(q, units, gas) for q in quantities}
        self.gas = gas

    @classmethod
    @cache  # it never changes while the process runs, and nobody can change it
    def load(cls) -> "Quantities":
        """Read the packaged tables, once."""
        return cls.parse(files("hub.core").joinpath("quantities.yaml").read_bytes(), Units.load())

    @classmethod
    def parse(cls, text: bytes, units: Units) -> "Quantities":
        """Read a table of quantities; Stop names what is wrong with it."""
        try:
            table = yaml.decode(text, type=_File)
        except DecodeError as error:
            raise Stop(f"quantities.yaml: {error}") from error
        rows = [
            _quantity(id_, domain, row, table.sources, units)
            for domain, group in table.quantities.items()
            for id_, row in group.items()
        ]
        _check_unique([row.id for row in rows])
        return cls(rows, units, table.gas_reference)

    def get(self, quantity_id: str) -> Quantity:
        """The quantity with this id; UnknownQuantity suggests near names."""
        try:
            return self._by_id[quantity_id]
        except KeyError:
            raise UnknownQuantity(quantity_id, get_close_matches(quantity_id, self._by_id, 3, 0.6)) from None

    def factor(self, quantity_id: str, unit: str | None) -> Factor:
        """Scale and offset from `unit` (None: canonical) to the canonical unit; UnknownUnit lists what is taken."""
        quantity = self.get(quantity_id)
        known = self._factors[quantity_id]
        found = known.get(quantity.unit if unit is None else unit)
        if found is None and unit is not None:
            found = known.get(fold(unit))
        if found is None:
            raise UnknownUnit(str(unit), quantity_id, self.units(quantity_id))
        return found

    def units(self, quantity_id: str) -> Sequence[str]:
        """Units that a quantity takes, as people read them, the canonical one first; spellings are more."""
        quantity = self.get(quantity_id)
        known = self._factors[quantity_id]
        return [quantity.symbol or quantity.unit, *(s for s in known.symbols if s and s != quantity.symbol)]

    def __contains__(self, quantity_id: object) -> bool:
        return quantity_id in self._by_id

    def __iter__(self) -> Iterator[Quantity]:
        return iter(self._by_id.values())

    def __len__(self) -> int:
        return len(self._by_id)


class _Factors(dict[str, Factor]):
    """Factors by spelling, and the symbols of the units behind them."""

    symbols: Sequence[str] = ()


def _factors(quantity: Quantity, units: Units, gas: ReferenceState) -> _Factors:
    canonical = units.of(quantity.unit)
    table, symbols = _Factors(), []
    for unit, factor in _convertible(quantity, canonical, units, gas):
        symbols.append(unit.symbol)
        for spelling in (unit.code, unit.symbol, *unit.aliases):
            table.update({form: factor for form in (spelling, fold(spelling)) if form})
    for spelling, code in quantity.spellings.items():
        table[spelling] = table[fold(spelling)] = units.of(code).to(canonical)
    table.symbols = symbols
    return table


def _convertible(
    quantity: Quantity, canonical: Unit, units: Units, gas: ReferenceState
) -> Iterator[tuple[Unit, Factor]]:
    for unit in units.in_dimension(canonical.dimension):
        yield unit, unit.to(canonical)
    if quantity.molar_mass is not None:
        for unit in units.in_dimension("mole_fraction"):
            yield unit, Factor(gas_scale(unit, canonical, quantity.molar_mass, gas), 0.0)


def gas_scale(fraction: Unit, concentration: Unit, molar_mass: float, gas: ReferenceState) -> float:
    """Mass concentration of one `fraction` unit: x * M / Vm, where 1 ppm of M g/mol in Vm L/mol is M/Vm mg/m3."""
    ug_m3_per_ppm = 1000 * molar_mass / gas.molar_volume
    return float(fraction.scale) * ug_m3_per_ppm / float(concentration.scale)


def _quantity(id_: str, domain: Domain, row: _Row, sources: Mapping[str, str], units: Units) -> Quantity:
    for wrong, detail in _faults(row, sources, units):
        if wrong:
            raise Stop(f"quantities.yaml: {domain}.{id_}: {detail}")
    fields = {k: v for k, v in structs.asdict(row).items() if k not in ("range", "source")}
    return Quantity(
        id=id_,
        domain=domain,
        symbol=units.of(row.unit).symbol,
        minimum=row.range[0],
        maximum=row.range[1],
        source=sources[row.source],
        **fields,
    )


def _faults(row: _Row, sources: Mapping[str, str], units: Units) -> Iterator[tuple[bool, str]]:
    yield row.unit not in units, f"unit {row.unit!r} is not in units.yaml"
    yield row.source not in sources, f"source {row.source!r} is not among the sources"
    yield row.range[0] >= row.range[1], "the range must go from low to high"
    yield set(row.title) != {"en", "cs"}, "title needs en and cs"
    yield any(code not in units for code in row.spellings.values()), "spellings must lead to codes of units.yaml"


def _check_unique(ids: Sequence[str]) -> None:
    twice = next((id_ for id_ in ids if ids.count(id_) > 1), None)
    if twice:
        raise Stop(f"quantities.yaml: {twice!r} stands in two domains")
