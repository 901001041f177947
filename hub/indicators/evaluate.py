# SPDX-License-Identifier: EUPL-1.2
"""The engine's own kernel on a table, without store, clock or ledger.

Without a time column each row is one complete window: its figures are the window's inputs (several figures in a cell
are those of the shorter windows, of the places below, or the steps of a profile). A column `month` (1 to 12) serves
inputs that have months. With a time column each row is a reading: see `hub.indicators.evaluate_timed`.

A column may be named as an input is, by one of the input's aliases, or by its quantity where that means one input.
"""

import math
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from msgspec import Struct

from hub.core.errors import Invalid, SettingsError
from hub.core.indicators import IndicatorValue
from hub.core.readings import NS
from hub.core.windows import HOUR, Calendar
from hub.indicators.aggregation import Floats, Ints
from hub.indicators.catalogue import Catalogue
from hub.indicators.cells import Cells, grid, steps_that_count
from hub.indicators.checks import parse_definition
from hub.indicators.combine import combine
from hub.indicators.definition import Definition, Expected, Input
from hub.indicators.inputs import Values, carried_cells, indicator_cells
from hub.indicators.representation import Json, public_band, public_value
from hub.indicators.results import materialise
from hub.indicators.table import Table

TIME_COLUMNS = ("time", "start", "end", "window", "timestamp", "date", "datetime", "timestamp_utc")
PLACE_COLUMNS = ("place", "site", "station", "place_id")
LABEL_COLUMNS = (*PLACE_COLUMNS, "label", "name", "id", "case", "country", "iso3", "source")
MONTH = "month"
ALONE = "table"
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
    """One result. Rows without time have `row` (1 the first), perhaps a `label`, and a window that means nothing."""

    value: IndicatorValue
    definition: Definition
    row: int | None = None
    label: str | None = None

    def public(self) -> Json:
        """What `cityhub indicators evaluate --json` prints."""
        if self.row is None:
            return public_value(self.value, self.definition)
        told = public_value(self.value, self.definition)
        named = {} if self.label is None else {"label": self.label}
        return (
            {"row": self.row} | named | {k: v for k, v in told.items() if k not in {"window", "place", "computed_at"}}
        )

    def band(self) -> Json | None:
        """The band with its label."""
        return public_band(self.value.band, self.definition)


def names_of(d: Definition) -> Mapping[str, str]:
    """Input of each column name that can be meant: names, aliases, and quantities that mean one input."""
    quantities = [i.quantity or i.attribute or i.indicator for i in d.inputs.values()]
    found = {q: n for (n, _), q in zip(d.inputs.items(), quantities, strict=True) if q and quantities.count(q) == 1}
    found |= {alias: name for name, item in d.inputs.items() for alias in item.aliases}
    return found | {name: name for name in d.inputs}


def evaluate(
    catalogue: Catalogue, indicator: str, table: Table, city: Calendar, options: Options | None = None
) -> list[Evaluated]:
    """Results of one definition for a table. Invalid names unknown columns, cells that are no numbers, bad times."""
    from hub.indicators.evaluate_timed import timed  # it needs what is above

    d, how = catalogue.get(indicator), options or Options()
    if how.stamp not in {"start", "end"}:
        raise Invalid(f"{how.stamp!r} is neither start nor end", "stamp")
    if d.entered:
        raise Invalid(f"people enter the values of {d.id}: nothing is computed", "indicator")
    table = table.spelled(_names(catalogue, d))
    at = table.position([name for name in TIME_COLUMNS if name not in names_of(d)])
    if at is None:
        return _untimed(catalogue, d, table, city)
    return [Evaluated(value, d) for value in timed(catalogue, d, table, city, how, at)]


def _names(catalogue: Catalogue, d: Definition) -> Sequence[str]:
    """All that a column may be called; the definition's own names win."""
    below = [name for other in catalogue.closure(d.id) for name in (*names_of(other), *other.quantities)]
    return [*TIME_COLUMNS, *LABEL_COLUMNS, "device", "population", MONTH, *below, *shared_names(d), *names_of(d)]


def check_columns(table: Table, names: Sequence[str], listed: Sequence[str], reserved: Sequence[str] = ()) -> None:
    """Refuse columns that are neither inputs (`names`, of which people hear those `listed`) nor `reserved`."""
    for column in table.columns:
        if column not in names and column not in reserved:
            raise Invalid(f"unknown column {column!r}; the inputs are {', '.join(listed)}", "inputs")
    if not set(table.columns) & set(names):
        raise Invalid(f"no input among the columns; the inputs are {', '.join(listed)}", "inputs")


def columns_of(d: Definition, table: Table) -> Mapping[str, str]:
    """Column of each input that has one; Invalid where two columns mean the same input."""
    found: dict[str, str] = {}
    names, several = names_of(d), shared_names(d)
    for column in table.columns:
        for name in [names[column]] if column in names else several.get(column, ()):
            if name in found:
                raise Invalid(f"the columns {found[name]!r} and {column!r} are the same input {name!r}", "inputs")
            found[name] = column
    return found


def shared_names(d: Definition) -> Mapping[str, Sequence[str]]:
    """Inputs of each indicator that several of them take in different ways: one column serves all of these."""
    taken = [(item.indicator, name) for name, item in d.inputs.items() if item.indicator]
    found = {indicator: [name for i, name in taken if i == indicator] for indicator, _ in taken}
    return {indicator: names for indicator, names in found.items() if len(names) > 1}


# --- rows that are windows -------------------------------------------------------------------------------------


def _untimed(catalogue: Catalogue, d: Definition, table: Table, city: Calendar) -> list[Evaluated]:
    check_columns(table, [*names_of(d), *shared_names(d)], list(d.inputs), [MONTH, *LABEL_COLUMNS])
    column = columns_of(d, table)
    for name, item in d.inputs.items():
        if item.required and not item.months and name not in column:
            raise Invalid(f"no column {name!r}; the inputs are {', '.join(d.inputs)}", "inputs")
    given = [
        {name: table.numbers(row, column[name]) if name in column else [] for name in d.inputs}
        for row in range(len(table.rows))
    ]
    months = [_month(table, row) for row in range(len(table.rows))] if MONTH in table.columns else None
    values = [value_of(catalogue, d, row, city, months[i] if months else None) for i, row in enumerate(given)]
    at = table.position([name for name in LABEL_COLUMNS if name not in column.values()])
    labels = [None if at is None else row[at].strip() for row in table.rows]
    return [Evaluated(value, d, row, labels[row - 1]) for row, value in enumerate(values, 1)]


def _month(table: Table, row: int) -> int:
    number = table.number(row, MONTH)
    if number not in range(1, 13):
        raise Invalid("a month is a whole number from 1 to 12", f"row {row + 1}, column {MONTH}")
    return int(number)


def value_of(
    catalogue: Catalogue, d: Definition, given: Mapping[str, Sequence[float]], city: Calendar, month: int | None = None
) -> IndicatorValue:
    """Result for the figures of one window; NaN or nothing where an input is missing."""
    windows = d.on(city).edges(_UNTIMED_YEAR + 12 * HOUR, _UNTIMED_YEAR + 12 * HOUR + 1, d.window)
    inputs, below = dict[str, Cells](), dict[str, Values]()
    for name, item in d.inputs.items():
        figures = [f if catalogue.plausible(d, name, f) else math.nan for f in given.get(name, ())]
        if item.indicator:
            source = catalogue.get(item.indicator)
            values = _listed(figures, d, source, item, city, windows)
            inputs[name] = _from_values(values, d, source, item, city, windows)
            below |= {name: values} if d.spatial else {}
        elif item.profile:
            inputs[name] = _profile(figures, d, name, item, city, windows)
        elif len(figures) > 1:
            raise Invalid("takes one figure a window", name)
        else:
            inputs[name] = _single(figures[0] if figures else math.nan)
    months = None if month is None else np.array([month], dtype=np.int64)
    results = combine(d, [ALONE], windows, inputs, months, below, partial=d.id in catalogue.partials)
    return next(materialise(results, np.ones((1, 1), dtype=np.bool_), catalogue.input_units(d)))


def _single(figure: float) -> Cells:
    there = not math.isnan(figure)
    one, yes = np.ones((1, 1)), np.full((1, 1), there)
    zero = np.zeros((1, 1), dtype=np.uint8)
    count = np.full((1, 1), float(there))
    return Cells(np.full((1, 1), figure), yes, yes, count, one, count, np.zeros((1, 1), np.bool_), zero, zero)


def _profile(figures: Sequence[float], d: Definition, name: str, item: Input, city: Calendar, windows: Ints) -> Cells:
    """All steps of a window from a list: those of `before` first; a shorter list is that of its first steps.

    Where the input has hours, only their steps count, and a list of exactly as many figures is that of those steps.
    """
    over = grid(d.on(city), windows, d.step, item, d.window)
    steps = len(over.steps) - 1
    if len(figures) > steps:
        raise Invalid(f"{len(figures)} figures, but the profile has {steps} steps ({over.lead} before)", name)
    profile = np.full((1, 1, steps), np.nan)
    counts = steps_that_count(item, over)
    if len(figures) == np.count_nonzero(counts):
        profile[0, 0, counts] = figures
    else:
        profile[0, 0, : len(figures)] = figures
        profile[0, 0, ~counts] = np.nan
    n = int(np.count_nonzero(~np.isnan(profile[0, 0, over.lead :])))
    total = int(np.count_nonzero(counts[over.lead :]))
    known = not np.isnan(profile).all()
    there = np.full((1, 1), known and n >= d.capture * total - 1e-9)
    last = profile[0, 0, over.lead :]
    value = float(np.nanmean(last)) if n else math.nan
    zero = np.zeros((1, 1), dtype=np.uint8)
    return Cells(
        np.full((1, 1), value), there, np.full((1, 1), known), np.full((1, 1), float(n)), np.full((1, 1), float(total)),
        np.full((1, 1), n / total), np.zeros((1, 1), np.bool_), zero, zero,
        profile, over.hour[None, :], over.lead,
    )  # fmt: skip


def _from_values(
    values: Values, d: Definition, source: Definition, item: Input, city: Calendar, windows: Ints
) -> Cells:
    if item.carry:
        return carried_cells(values, [ALONE], windows, same=not source.entered and source.window == d.window)
    equal = dict.fromkeys(values.places, 1.0)  # places of a table without names weigh the same
    return indicator_cells(d, item, source, d.on(city), values, [ALONE], windows, equal)


def _listed(
    figures: Sequence[float], d: Definition, source: Definition, item: Input, city: Calendar, windows: Ints
) -> Values:
    """Figures as values of the shorter windows in the window, or of places below."""
    n, together = len(figures), source.window == d.window or item.carry
    starts = d.on(city).edges(int(windows[0]), int(windows[-1]), source.window)[:-1]
    if d.spatial is None and n > (1 if together else len(starts)):
        room = 1 if together else len(starts)
        raise Invalid(f"{n} figures, but there are only {room} windows {source.window} in {d.window}", d.id)
    apart = d.spatial is not None
    at = np.full(n, windows[0]) if together else starts[:n]
    steps = source.step or source.window
    counts = [len(d.on(city).edges(*d.on(city).window(t, source.window), steps)) - 1 for t in at.tolist()]
    return plain_values(
        [f"{ALONE}/{i}" for i in range(n)] if apart else [ALONE],
        np.arange(n) if apart else np.zeros(n, dtype=np.int64),
        at,
        np.array(figures, dtype=np.float64),
        np.array(counts, dtype=np.float64),
    )


def plain_values(places: Sequence[str], place: Ints, start: Ints, value: Floats, n: Floats) -> Values:
    """Values that came with a table: complete, measured, of the best grade."""
    count = len(value)
    no, zero = np.zeros(count, dtype=np.bool_), np.zeros(count, dtype=np.uint8)
    return Values(places, place, start, value, no, no, zero, zero, n, value)


def run_example(catalogue: Catalogue, d: Definition, example: Expected, city: Calendar) -> IndicatorValue:
    """What a definition gives for one of its examples."""
    given = {
        name: [math.nan if x is None else x for x in (figure if isinstance(figure, list) else [figure])]
        for name, figure in example.given.items()
    }
    return value_of(catalogue, d, given, city, example.month)


_OTHER_UNITS = frozenset({"count", "count_over", "count_under", "share_over", "share_under"})  # of days, of shares


def check_own(catalogue: Catalogue, directory: Path, city: Calendar) -> None:
    """Units and examples of a city's own definitions, which no test of the hub looks at; SettingsError names it."""
    for path in sorted(directory.glob("*.yaml")):
        d = catalogue.get(parse_definition(path.read_bytes(), str(path)).id)
        if (unit := _plain_unit(catalogue, d)) not in (None, d.unit):
            raise SettingsError(f"{path}: unit", f"{d.unit!r} is not what formula value hands on: {unit!r}")
        for n, example in enumerate(d.examples):
            found = run_example(catalogue, d, example, city)
            same = (found.value, found.status.value) == (example.value, example.status)
            if not same or example.band not in (None, found.band):
                band = "" if found.band is None else f", band {found.band}"
                raise SettingsError(f"{path}: examples[{n}]", f"gives {found.value} ({found.status.value}{band})")
    for path in sorted(directory.glob("*.yml")):
        raise SettingsError("indicators.definitions", f"{path}: definitions end in .yaml")


def _plain_unit(catalogue: Catalogue, d: Definition) -> str | None:
    """The unit of the one input that formula `value` hands on, None where it makes another of it."""
    item = next(iter(d.inputs.values()), None)
    if d.formula != "value" or item is None or item.measure or {item.within, item.reduce} & _OTHER_UNITS:
        return None
    return catalogue.input_units(d)[next(iter(d.inputs))]
