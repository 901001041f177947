# SPDX-License-Identifier: EUPL-1.2
"""A table with times through the kernel: each row is one reading of every quantity in it, or one value of an indicator.

A row is of the site in `place`, `site` or `station` and the `device` if there are such columns; a row of indicators
alone is of the place whose value is wanted, unless the definition puts places together. Where places are weighed by
their people, `population` has those of the row's part of the city. It stands for one
complete step of the definition unless `interval` says how often the device really reports, and coverage is counted as
in the hub. Rows with an empty cell are windows all the same: they come out as insufficient_data. Quantities may be
given for any definition down the graph, indicators for the definition itself.
"""

import math
from collections.abc import Mapping, Sequence
from itertools import pairwise

import numpy as np

from hub.core.errors import Invalid
from hub.core.indicators import IndicatorValue
from hub.core.places import Device, Mounting, Place, PlaceKind, RegistrySnapshot
from hub.core.readings import NS, Columns, Flag, Grade, Series
from hub.core.windows import HOUR, Calendar, Period, format_instant, parse_duration, parse_label, zone
from hub.indicators.catalogue import Catalogue
from hub.indicators.cells import Bools
from hub.indicators.combine import Results
from hub.indicators.definition import ANY_QUANTITY, Definition
from hub.indicators.evaluate import ALONE, PLACE_COLUMNS, Options, check_columns, columns_of, names_of, plain_values
from hub.indicators.inputs import Attributes, Values, values_of
from hub.indicators.kernel import compute
from hub.indicators.plan import place_at
from hub.indicators.results import materialise
from hub.indicators.table import Table

_DEVICE = "device"
_POPULATION = "population"
_NOMINAL = {
    Period.MINUTE: HOUR // 60, Period.QUARTER: HOUR // 4, Period.HOUR: HOUR, Period.DAY: 24 * HOUR,
    Period.MONTH: 30 * 24 * HOUR, Period.YEAR: 365 * 24 * HOUR,
}  # fmt: skip


def timed(
    catalogue: Catalogue, d: Definition, table: Table, city: Calendar, how: Options, at: int
) -> list[IndicatorValue]:
    """Results of every window that has a row, in order of place and start; column `at` has the times."""
    return _Timed(catalogue, d, table, city, how, at).results()


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
        self._own = {n: c for n, c in columns_of(d, table).items() if not d.inputs[n].quantity}
        self._leaves = self._leaf_columns()
        weighted = any(n.spatial in {"population_weighted", "post_stratified"} for n in self._needed())
        reserved = [table.columns[at], *PLACE_COLUMNS, _DEVICE, *([_POPULATION] if weighted else [])]
        listed = list(dict.fromkeys([*d.inputs, *self._leaves]))
        check_columns(table, [*self._own.values(), *self._leaves], listed, reserved)
        self._check_complete()
        self._at_its_level = d.spatial is None and not any(column in self._leaves for column in table.columns)
        self._place, self._device = table.position(PLACE_COLUMNS), table.position([_DEVICE])
        self._times = self._read_times(at)
        self._sites = [self._site(row) for row in range(len(table.rows))]

    def results(self) -> list[IndicatorValue]:
        """Results in order of place and start."""
        if not self._times:
            return []
        columns, devices = self._columns()
        registry = self._registry(devices)
        known = {self._d.inputs[n].indicator or "": self._given(c) for n, c in self._own.items()}
        attributes = self._attributes(registry)
        values: list[IndicatorValue] = []
        for d in self._needed():
            r = compute(self._catalogue, d, self._city, self._places(d, registry), min(self._times),
                        max(self._times) + 1, columns, devices, known, attributes)  # fmt: skip
            values = list(materialise(r, self._wanted(r, registry), self._catalogue.input_units(d)))
            known[d.id] = values_of(values)
        return values

    def _needed(self) -> Sequence[Definition]:
        """What has to be computed: nothing below an indicator that is given."""
        given = {self._d.inputs[name].indicator for name in self._own}
        wanted, todo = set[str](), [self._d.id]
        while todo:
            wanted.add(current := todo.pop())
            todo.extend(s for s in self._catalogue.get(current).sources if current != self._d.id or s not in given)
        return [d for d in self._catalogue if d.id in wanted and not d.entered]

    def _check_complete(self) -> None:
        """Every required input has a column, or quantities from which it is computed."""
        for name, item in self._d.inputs.items():
            below = self._catalogue.closure(item.indicator) if item.indicator else ()
            computed = any(d.takes(self._leaves[c]) for d in below for c in self._table.columns if c in self._leaves)
            given = {self._leaves[c] for c in self._table.columns if c in self._leaves}
            direct = item.quantity in {ANY_QUANTITY, *given} or name in columns_of(self._d, self._table)
            if item.required and not item.months and not (direct or computed):
                raise Invalid(f"no column {name!r}; the inputs are {', '.join(self._d.inputs)}", "inputs")

    def _leaf_columns(self) -> Mapping[str, str]:
        """Quantity of each column name that could be meant: inputs of the definition, quantities down the graph."""
        names: dict[str, str] = {}
        for d in reversed(self._needed()):  # the definition's own names go first
            for column, name in names_of(d).items():
                quantity = d.inputs[name].quantity
                if quantity and (d is self._d or column not in self._own.values()):
                    names.setdefault(column, quantity)
            names |= {q: q for q in d.quantities if q not in names}
        if ANY_QUANTITY in names.values():
            names = {q: q for q in self._catalogue.kinds} | {n: q for n, q in names.items() if q != ANY_QUANTITY}
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
        """Nominal length of what one row stands for: the shortest step of what takes quantities, else of an input."""
        bases = [
            b for b in self._needed() if any(b.takes(self._leaves[c]) for c in self._table.columns if c in self._leaves)
        ]
        if bases:
            return min(_NOMINAL[b.step or b.window] for b in bases)
        sources = [self._catalogue.get(i.indicator) for i in self._d.inputs.values() if i.indicator and not i.carry]
        return min([_NOMINAL[s.window] for s in sources], default=_NOMINAL[self._d.window])

    def _site(self, row: int) -> str:
        given = self._table.rows[row][self._place].strip() if self._place is not None else ""
        name = given or ALONE
        return name if "/" in name or self._d.level == "site" or self._at_its_level else f"{ALONE}/{name}"

    def _wanted(self, r: Results, registry: RegistrySnapshot) -> Bools:
        wanted = np.zeros(r.value.shape, dtype=np.bool_)
        position = {place: i for i, place in enumerate(r.places)}
        for site, time in zip(self._sites, self._times, strict=True):
            place = place_at(site, r.definition.level, registry)
            if place in position:
                wanted[position[place], int(np.searchsorted(r.windows, time, side="right")) - 1] = True
        return wanted

    def _given(self, column: str) -> Values:
        places, rows = sorted(set(self._sites)), range(len(self._times))
        figures = [self._table.number(row, column) for row in rows]
        return plain_values(
            places,
            np.array([places.index(site) for site in self._sites], dtype=np.int64),
            np.array(self._times, dtype=np.int64),
            np.array(figures, dtype=np.float64),
            np.ones(len(figures)),
        )

    def _attributes(self, registry: RegistrySnapshot) -> Attributes:
        found: dict[str, dict[str, float]] = {}
        if _POPULATION in self._table.columns and _POPULATION not in self._own.values():
            people = [self._table.number(row, _POPULATION) for row in range(len(self._times))]
            known = [(site, n) for site, n in zip(self._sites, people, strict=True) if not math.isnan(n)]
            found[_POPULATION] = {place_at(site, "part", registry) or site: n for site, n in known}
        for name, column in self._own.items():
            attribute = self._d.inputs[name].attribute
            if attribute:
                figures = [self._table.number(row, column) for row in range(len(self._times))]
                found[attribute] = {s: f for s, f in zip(self._sites, figures, strict=True) if not math.isnan(f)}
        return found

    def _places(self, d: Definition, registry: RegistrySnapshot) -> Sequence[str]:
        return sorted({p for site in self._sites if (p := place_at(site, d.level, registry)) is not None})

    def _columns(self) -> tuple[Columns, Mapping[str, Device]]:
        used = {name: self._leaves[name] for name in self._table.columns if name in self._leaves}
        names = [f"{site}|{self._device_name(row)}" for row, site in enumerate(self._sites)]
        scale = {name: self._factor(name) for name in used}
        cells = sorted(
            (time, names[row], quantity, figure * scale[name][0] + scale[name][1])
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
            np.array([Flag.GOOD if self._catalogue.sensible(q, v) else Flag.FAIL for *_, q, v in cells], np.uint8),
            np.zeros(len(cells), dtype=np.uint8),
        ), devices

    def _factor(self, column: str) -> tuple[float, float]:
        """A column named by an input is in the unit that the input declares, one named by a quantity in its own."""
        name = names_of(self._d).get(column)
        declared = name is not None and self._d.inputs[name].unit and column != self._d.inputs[name].quantity
        return self._catalogue.factor(self._d, name) if name is not None and declared else (1.0, 0.0)

    def _device_name(self, row: int) -> str:
        return self._table.rows[row][self._device].strip() if self._device is not None else ""

    def _once(self, cells: Sequence[tuple[int, str, str, float]]) -> None:
        for one, two in pairwise(cells):
            if one[:3] == two[:3]:
                raise Invalid(
                    f"{one[2]} stands twice for {format_instant(one[0])}; give times with their offset", "time"
                )

    def _registry(self, devices: Mapping[str, Device]) -> RegistrySnapshot:
        """Of the place names, the level above a site is a part of the city; values of the level itself name theirs."""
        parts = {site if self._at_its_level else site.rpartition("/")[0] for site in self._sites} - {""}
        places = {p: Place(id=p, kind=PlaceKind.PART, title={}) for p in parts}
        return RegistrySnapshot(1, devices, places)
