# SPDX-License-Identifier: EUPL-1.2
"""The one kernel: a definition, columns of readings, devices at places and a span of windows give results.

Pure: no clock, no store. The engine, bulk recompute, `evaluate` and the tests all call `compute`.
"""

from collections.abc import Mapping, Sequence

import numpy as np

from hub.core.places import Device
from hub.core.readings import Columns
from hub.core.windows import Calendar
from hub.indicators.aggregation import REACH, Ints
from hub.indicators.catalogue import Catalogue
from hub.indicators.cells import Cells, input_cells, mounted
from hub.indicators.combine import Results, Values, combine, indicator_cells, months_of, values_of
from hub.indicators.definition import Definition, Input

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
) -> Results:
    """Results of all windows that overlap [start, end) at `places`; `values` has the indicators that go in, by id."""
    calendar = d.on(city)
    windows = calendar.edges(start, end, d.window)
    where, given = mounted(devices or {}, places), values or {}
    steps = _steps(d, calendar, windows)

    def cells(item: Input) -> Cells:
        if item.quantity:
            kind = catalogue.kinds[item.quantity]
            return input_cells(
                columns, where, item.quantity, kind, steps, windows, d.flags, item.capture, d.capture
            )  # fmt: skip
        source = catalogue.get(item.indicator or "")
        found = given.get(source.id, _NO_VALUES)
        return indicator_cells(d, item, source, calendar, found, places, windows)

    inputs = {name: cells(item) for name, item in d.inputs.items()}
    months = months_of(windows, d.window, calendar) if any(i.months for i in d.inputs.values()) else None
    below = {n: given.get(i.indicator or "", _NO_VALUES) for n, i in d.inputs.items()} if d.spatial else {}
    return combine(d, places, windows, inputs, months, below)


def _steps(d: Definition, calendar: Calendar, windows: Ints) -> Ints:
    """Edges of the steps; in zones off by half an hour a step belongs to the window in which it begins."""
    if d.step is None:
        return windows
    edges = calendar.edges(int(windows[0]), int(windows[-1]), d.step)
    return edges[int(np.searchsorted(edges, windows[0])) :]


def reach(catalogue: Catalogue, quantity: str) -> int:
    """How far (ns) a reading of a quantity bears on what comes after it."""
    return REACH.get(catalogue.kinds[quantity], 0)
