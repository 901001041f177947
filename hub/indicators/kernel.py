# SPDX-License-Identifier: EUPL-1.2
"""The one kernel: a definition, columns of readings, devices at places and a span of windows give results.

Pure: no clock, no store. The engine, bulk recompute, `evaluate` and the tests all call `compute`.
"""

from collections.abc import Iterable, Mapping, Sequence

import numpy as np

from hub.core.places import Device, RegistrySnapshot
from hub.core.readings import Columns
from hub.core.windows import Calendar
from hub.indicators.aggregation import REACH, Ints
from hub.indicators.catalogue import Catalogue
from hub.indicators.cells import Cells, Mounted, grid, input_cells, mounted
from hub.indicators.combine import Results, combine, months_of
from hub.indicators.definition import ANY_QUANTITY, Definition, Input
from hub.indicators.grades import only, preferred
from hub.indicators.inputs import Attributes, Values, attribute_cells, carried_cells, indicator_cells, values_of
from hub.indicators.measures import measured

_NO_VALUES = values_of(())
NO_READINGS = Columns(
    (),
    np.empty(0, np.int32),
    np.empty(0, np.int64),
    np.empty(0, np.float64),
    np.empty(0, np.uint8),
    np.empty(0, np.uint8),
)


def compute(
    catalogue: Catalogue,
    d: Definition,
    city: Calendar,
    places: Sequence[str],
    start: int,
    end: int,
    columns: Columns = NO_READINGS,
    devices: Mapping[str, Device] | None = None,
    values: Mapping[str, Values] | None = None,
    attributes: Attributes | None = None,
) -> Results:
    """Results of all windows that overlap [start, end) at `places`; `values` has the indicators that go in, by id.

    `attributes` are figures of places by name and place (`attributes_of`).
    """
    calendar = d.on(city)
    windows = calendar.edges(start, end, d.window)
    where, given, known = mounted(devices or {}, places), values or {}, attributes or {}

    def cells(name: str, item: Input) -> Cells:
        if item.quantity:
            return _quantity(catalogue, d, name, item, calendar, windows, columns, where)
        if item.attribute:
            return attribute_cells(known.get(item.attribute, {}), places, len(windows) - 1)
        source = catalogue.get(item.indicator or "")
        found = given.get(source.id, _NO_VALUES)
        if item.carry:
            return carried_cells(found, places, windows, same=not source.entered and source.window == d.window)
        return indicator_cells(d, item, source, calendar, found, places, windows, known.get("population", {}))

    inputs = {name: cells(name, item) for name, item in d.inputs.items()}
    months = months_of(windows, d.window, calendar) if any(i.months for i in d.inputs.values()) else None
    below = {n: given.get(i.indicator or "", _NO_VALUES) for n, i in d.inputs.items()} if d.spatial else {}
    return combine(d, places, windows, inputs, months, below, partial=d.id in catalogue.partials)


def _quantity(
    catalogue: Catalogue,
    d: Definition,
    name: str,
    item: Input,
    calendar: Calendar,
    windows: Ints,
    columns: Columns,
    where: Mounted,
) -> Cells:
    """Cells of the devices of the grade that is preferred where those suffice, else of the others."""

    def of(devices: Mounted) -> Cells:
        if item.measure:
            return measured(columns, devices, item.measure, windows, d.flags)
        kind, over = catalogue.kinds[item.quantity or ""], grid(calendar, windows, d.step, item, d.window)
        return input_cells(columns, devices, item, kind, over, d.flags, d.capture, catalogue.factor(d, name))

    if d.least_grade is None:
        return of(where)
    good = where.grade <= d.least_grade
    if good.all() or not good.any():
        return of(where)
    return preferred(of(only(where, good)), of(only(where, ~good)))


def attributes_of(registry: RegistrySnapshot) -> Attributes:
    """What the registry knows of places."""
    return {"population": {p.id: float(p.population) for p in registry.places.values() if p.population is not None}}


def reach(catalogue: Catalogue, quantity: str, d: Definition | None = None) -> int:
    """How far (ns) a reading of a quantity bears on what comes after it: in one definition, or in all of them."""
    behind = REACH.get(catalogue.kinds[quantity], 0)
    taking = catalogue.using(quantity) if d is None else [d]
    return behind + max((one.before(quantity) for one in taking), default=0)


def lookback(catalogue: Catalogue, definitions: Iterable[Definition]) -> int:
    """How long (ns) before its windows readings are needed."""
    return max((reach(catalogue, q, d) for d in definitions for q in d.quantities if q != ANY_QUANTITY), default=0)
