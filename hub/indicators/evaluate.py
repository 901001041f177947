# SPDX-License-Identifier: EUPL-1.2
"""The engine's own kernel on a table, without store, clock or ledger.

Without a time column each row is one complete window: its figures are the window's inputs (several figures in a cell
are those of the shorter windows or of the places below). A column `month` (1 to 12) serves inputs that have months.

With a time column each row is one reading of every quantity in it (or one value of an indicator that goes in), of the
site in `place`, `site` or `station` and the `device` if there are such columns. A row then stands for one complete
step of the definition unless `interval` says how often the device really reports, and coverage is counted as in the
hub. Rows with an empty cell are windows all the same: they come out as insufficient_data.
"""

import math
from collections.abc import Mapping, Sequence
from itertools import pairwise

import numpy as np
from msgspec import Struct

from hub.core.errors import Invalid
from hub.core.indicators import IndicatorValue
from hub.core.places import Device, Mounting, Place, PlaceKind, RegistrySnapshot
from hub.core.readings import NS, Columns, Grade, Series
from hub.core.windows import HOUR, Calendar, Period, format_instant, parse_duration, parse_label, zone
from hub.indicators.catalogue import Catalogue
from hub.indicators.cells import Cells
from hub.indicators.combine import Results, Values, combine, indicator_cells, values_of
from hub.indicators.definition import Definition, Expected
from hub.indicators.kernel import NO_READINGS, compute
from hub.indicators.plan import place_at
from hub.indicators.representation import Json, public_band, public_value
from hub.indicators.results import materialise
from hub.indicators.table import Table

TIME_COLUMNS = ("time", "start", "end", "window", "timestamp", "date")
PLACE_COLUMNS = ("place", "site", "station")
_DEVICE = "device"
_MONTH = "month"
_ALONE = "table"
_NOMINAL = {Period.HOUR: HOUR, Period.DAY: 24 * HOUR, Period.MONTH: 30 * 24 * HOUR, Period.YEAR: 365 * 24 * HOUR}
_UNTIMED_YEAR = 1_672_531_200 * NS  # 2023, a year of 365 days, holds the windows of rows without time


class Options(Struct, frozen=True):
    """How a table's times are meant.

    `stamp`: times name the start or the end of their row's `period` (ISO 8601, default: the definition's step).
    `zone`: of times without offset (default: the city's). `interval`: seconds between readings of a device.
    """

    stamp: str = "start"
    period: str | None = None
    zone: str | None = None
    interval: int | None = None


class Evaluated(Struct, frozen=True):
    """One result. Rows without time have `row` (1 the first) and a window that means nothing."""

    value: IndicatorValue
    definition: Definition
    row: int | None = None

    def public(self) -> Json:
        """What `cityhub indicators evaluate --json` prints."""
        if self.row is None:
            return public_value(self.value, self.definition)
        told = public_value(self.value, self.definition)
        return {"row": self.row} | {k: v for k, v in told.items() if k not in {"window", "place", "computed_at"}}

    def band(self) -> Json | None:
        """The band with its label."""
        return public_band(self.value.band, self.definition)


def evaluate(
    catalogue: Catalogue, indicator: str, table: Table, city: Calendar, options: Options | None = None
) -> list[Evaluated]:
    """Results of one definition for a table. Invalid names unknown columns, cells that are no numbers, bad times."""
    d, how = catalogue.get(indicator), options or Options()
    if how.stamp not in {"start", "end"}:
        raise Invalid(f"{how.stamp!r} is neither start nor end", "stamp")
    at = table.position([name for name in TIME_COLUMNS if name not in d.inputs])
    if at is None:
        return _untimed(catalogue, d, table, city)
    return _Timed(catalogue, d, table, city, how, at).results()


# --- rows that are windows -------------------------------------------------------------------------------------


def _untimed(catalogue: Catalogue, d: Definition, table: Table, city: Calendar) -> list[Evaluated]:
    _known(table, [*d.inputs, _MONTH])
    for name, item in d.inputs.items():
        if item.required and not item.months and name not in table.columns:
            raise Invalid(f"no column {name!r}; the inputs are {', '.join(d.inputs)}", "inputs")
    given = [
        {name: table.numbers(row, name) if name in table.columns else [] for name in d.inputs}
        for row in range(len(table.rows))
    ]
    months = [_month(table, row) for row in range(len(table.rows))] if _MONTH in table.columns else None
    values = [value_of(catalogue, d, row, city, months[i] if months else None) for i, row in enumerate(given)]
    return [Evaluated(value, d, row) for row, value in enumerate(values, 1)]


def _month(table: Table, row: int) -> int:
    number = table.number(row, _MONTH)
    if number not in range(1, 13):
        raise Invalid("a month is a whole number from 1 to 12", f"row {row + 1}, column {_MONTH}")
    return int(number)


def value_of(
    catalogue: Catalogue, d: Definition, given: Mapping[str, Sequence[float]], city: Calendar, month: int | None = None
) -> IndicatorValue:
    """Result for the figures of one window; NaN or nothing where an input is missing."""
    windows = d.on(city).edges(_UNTIMED_YEAR + 12 * HOUR, _UNTIMED_YEAR + 12 * HOUR + 1, d.window)
    place = _ALONE
    inputs, below = dict[str, Cells](), dict[str, Values]()
    for name, item in d.inputs.items():
        figures = given.get(name, ())
        if item.indicator:
            source = catalogue.get(item.indicator)
            values = _listed(figures, d, source, city, windows)
            inputs[name] = indicator_cells(d, item, source, d.on(city), values, [place], windows)
            below |= {name: values} if d.spatial else {}
        elif len(figures) > 1:
            raise Invalid("takes one figure a window", name)
        else:
            inputs[name] = _single(figures[0] if figures else math.nan)
    months = None if month is None else np.array([month], dtype=np.int64)
    results = combine(d, [place], windows, inputs, months, below)
    return next(materialise(results, np.ones((1, 1), dtype=np.bool_), catalogue.input_units(d)))


def _single(figure: float) -> Cells:
    there = not math.isnan(figure)
    one, yes = np.ones((1, 1)), np.full((1, 1), there)
    zero = np.zeros((1, 1), dtype=np.uint8)
    count = np.full((1, 1), float(there))
    return Cells(np.full((1, 1), figure), yes, yes, count, one, count, np.zeros((1, 1), np.bool_), zero, zero)


def _listed(figures: Sequence[float], d: Definition, source: Definition, city: Calendar, windows: np.ndarray) -> Values:
    """Figures as values of the shorter windows in the window, or of places below."""
    n = len(figures)
    starts = d.on(city).edges(int(windows[0]), int(windows[-1]), source.window)[:-1]
    if source.window != d.window and n > len(starts):
        raise Invalid(f"{n} figures, but there are only {len(starts)} windows {source.window} in {d.window}", d.id)
    apart = d.spatial is not None
    return Values(
        [f"{_ALONE}/{i}" for i in range(n)] if apart else [_ALONE],
        np.arange(n) if apart else np.zeros(n, dtype=np.int64),
        np.full(n, windows[0]) if source.window == d.window else starts[:n],
        np.array(figures, dtype=np.float64),
        np.zeros(n, dtype=np.bool_),
        np.zeros(n, dtype=np.bool_),
        np.zeros(n, dtype=np.uint8),
        np.zeros(n, dtype=np.uint8),
    )


def run_example(catalogue: Catalogue, d: Definition, example: Expected, city: Calendar) -> IndicatorValue:
    """What a definition gives for one of its examples."""
    given = {
        name: [math.nan if x is None else x for x in (figure if isinstance(figure, list) else [figure])]
        for name, figure in example.given.items()
    }
    return value_of(catalogue, d, given, city, example.month)


# --- rows that are readings ------------------------------------------------------------------------------------


class _Timed:
    """One evaluation of a table with times."""

    def __init__(
        self, catalogue: Catalogue, d: Definition, table: Table, city: Calendar, how: Options, at: int
    ) -> None:
        self._catalogue = catalogue
        self._d = d
        self._table = table
        self._city = city
        self._how = how
        self._direct = [n for n, i in d.inputs.items() if i.indicator and n in table.columns]
        self._leaves = {} if self._direct else self._leaf_columns()
        _known(table, [*self._direct, *self._leaves, table.columns[at], *PLACE_COLUMNS, _DEVICE], self._allowed())
        self._place, self._device = table.position(PLACE_COLUMNS), table.position([_DEVICE])
        self._times = self._read_times(at)
        self._sites = [self._site(row) for row in range(len(table.rows))]

    def results(self) -> list[Evaluated]:
        """Results of every window that has a row, in order of place and start."""
        if not self._times:
            return []
        values = self._from_values() if self._direct else self._from_readings()
        return [Evaluated(value, self._d) for value in values]

    def _allowed(self) -> Sequence[str]:
        return list(dict.fromkeys([*self._d.inputs, *self._leaf_columns()]))

    def _leaf_columns(self) -> Mapping[str, str]:
        """Quantity of each column name that could be meant: names of inputs and quantities, down the graph."""
        names: dict[str, str] = {}
        for d in self._catalogue.closure(self._d.id):
            for name, item in d.inputs.items():
                if item.quantity:
                    names |= {name: item.quantity, item.quantity: item.quantity}
        return names

    def _read_times(self, at: int) -> list[int]:
        calendar = Calendar(zone(self._how.zone)) if self._how.zone else self._d.on(self._city)
        period = parse_duration(self._how.period) if self._how.period else self._step()
        ends = self._how.stamp == "end" or self._table.columns[at] == "end"
        times = []
        for number, row in enumerate(self._table.rows, 1):
            try:
                times.append(parse_label(row[at], calendar) - (period if ends else 0))
            except Invalid as error:
                raise Invalid(error.detail, f"row {number}, column {self._table.columns[at]}") from error
        return times

    def _step(self) -> int:
        """Nominal length of what one row stands for."""
        d = self._d
        if self._direct:
            return _NOMINAL[self._catalogue.get(d.inputs[self._direct[0]].indicator or "").window]
        bases = [b for b in self._catalogue.closure(d.id) if b.quantities]
        return min(_NOMINAL[b.step or b.window] for b in bases)

    def _site(self, row: int) -> str:
        given = self._table.rows[row][self._place].strip() if self._place is not None else ""
        name = given or _ALONE
        return name if "/" in name or self._d.level == "site" else f"{_ALONE}/{name}"

    def _wanted(self, r: Results, registry: RegistrySnapshot) -> np.ndarray:
        wanted = np.zeros(r.value.shape, dtype=np.bool_)
        position = {place: i for i, place in enumerate(r.places)}
        for site, time in zip(self._sites, self._times, strict=True):
            place = place_at(site, r.definition.level, registry)
            if place in position:
                wanted[position[place], int(np.searchsorted(r.windows, time, side="right")) - 1] = True
        return wanted

    def _from_readings(self) -> list[IndicatorValue]:
        columns, devices = self._columns()
        registry = self._registry(devices)
        known: dict[str, Values] = {}
        values: list[IndicatorValue] = []
        for d in self._catalogue.closure(self._d.id):
            r = compute(self._catalogue, d, self._city, self._places(d, registry), min(self._times),
                        max(self._times) + 1, columns, devices, known)  # fmt: skip
            values = list(materialise(r, self._wanted(r, registry), self._catalogue.input_units(d)))
            known[d.id] = values_of(values)
        return values

    def _from_values(self) -> list[IndicatorValue]:
        d, registry = self._d, self._registry({})
        absent = [n for n, i in d.inputs.items() if i.required and n not in self._direct]
        if absent:
            raise Invalid(f"no column {absent[0]!r}; the inputs are {', '.join(d.inputs)}", "inputs")
        known = {d.inputs[name].indicator or "": self._given(name) for name in self._direct}
        r = compute(self._catalogue, d, self._city, self._places(d, registry), min(self._times),
                    max(self._times) + 1, NO_READINGS, {}, known)  # fmt: skip
        return list(materialise(r, self._wanted(r, registry), self._catalogue.input_units(d)))

    def _given(self, name: str) -> Values:
        places = sorted(set(self._sites))
        n = len(self._times)
        return Values(
            places,
            np.array([places.index(site) for site in self._sites], dtype=np.int64),
            np.array(self._times, dtype=np.int64),
            np.array([self._table.number(row, name) for row in range(n)], dtype=np.float64),
            np.zeros(n, dtype=np.bool_),
            np.zeros(n, dtype=np.bool_),
            np.zeros(n, dtype=np.uint8),
            np.zeros(n, dtype=np.uint8),
        )

    def _places(self, d: Definition, registry: RegistrySnapshot) -> Sequence[str]:
        return sorted({p for site in self._sites if (p := place_at(site, d.level, registry)) is not None})

    def _columns(self) -> tuple[Columns, Mapping[str, Device]]:
        used = {name: quantity for name, quantity in self._leaves.items() if name in self._table.columns}
        names = [f"{site}|{self._device_name(row)}" for row, site in enumerate(self._sites)]
        cells = sorted(
            (time, names[row], quantity, figure)
            for row, time in enumerate(self._times)
            for name, quantity in used.items()
            if not math.isnan(figure := self._table.number(row, name))
        )
        self._once(cells)
        series = sorted({Series(name, quantity) for _, name, quantity, _ in cells})
        index = {s: i for i, s in enumerate(series)}
        interval = self._how.interval or self._step() // NS
        since = min(self._times) - _NOMINAL[Period.YEAR]
        sites = dict(zip(names, self._sites, strict=True))
        devices = {
            name: Device(id=name, connector="", external_id=name, interval=interval, grade=Grade.REFERENCE,
                         mountings=(Mounting(site, since),))
            for name, site in sites.items()
        }  # fmt: skip
        return Columns(
            series,
            np.array([index[Series(name, quantity)] for _, name, quantity, _ in cells], dtype=np.int32),
            np.array([time for time, *_ in cells], dtype=np.int64),
            np.array([figure for *_, figure in cells], dtype=np.float64),
            np.ones(len(cells), dtype=np.uint8),
            np.zeros(len(cells), dtype=np.uint8),
        ), devices

    def _device_name(self, row: int) -> str:
        return self._table.rows[row][self._device].strip() if self._device is not None else ""

    def _once(self, cells: Sequence[tuple[int, str, str, float]]) -> None:
        for one, two in pairwise(cells):
            if one[:3] == two[:3]:
                raise Invalid(
                    f"{one[2]} stands twice for {format_instant(one[0])}; give times with their offset", "time"
                )

    def _registry(self, devices: Mapping[str, Device]) -> RegistrySnapshot:
        """Of the place names, the level above a site is a part of the city."""
        parts = {site.rpartition("/")[0] for site in self._sites} - {""}
        places = {p: Place(id=p, kind=PlaceKind.PART, title={}) for p in parts}
        return RegistrySnapshot(1, devices, places)


def _known(table: Table, names: Sequence[str], listed: Sequence[str] | None = None) -> None:
    inputs = [n for n in (listed or names) if n != _MONTH]
    for column in table.columns:
        if column not in names:
            raise Invalid(f"unknown column {column!r}; the inputs are {', '.join(inputs)}", "inputs")
    if not set(table.columns) & set(inputs):
        raise Invalid(f"no input among the columns; the inputs are {', '.join(inputs)}", "inputs")
