# SPDX-License-Identifier: EUPL-1.2
"""Quality control of a table of readings, without store: thresholds of a quantity, one test, or a table of cases.

A table of readings has the values in the column `value` or one named like the quantity, and may have `time` and
`device`. An empty value is missing (9). A table of cases has `test`, `params_json` and `values_json`, and may have
`times_json` (seconds): each row is a series of its own.
"""

import math
from collections.abc import Mapping, Sequence
from datetime import tzinfo

import msgspec
import numpy as np
from msgspec import Struct

from hub.core.errors import Invalid
from hub.core.readings import NS, Columns, Flag, Series
from hub.core.windows import parse_instant
from hub.indicators.quality.checks import Finding, flags_of
from hub.indicators.quality.qartod import Floats, Ints
from hub.indicators.quality.rules import Rules
from hub.indicators.quality.trial import Params, numbers, run_test
from hub.indicators.table import Table

CASES = ("test", "params_json", "values_json")
_TIMES = ("time", "start", "timestamp", "datetime", "date")


class Row(Struct, frozen=True):
    """One reading and what was found; `row` is 1 for the first. `time` as it stands in the table."""

    row: int
    value: float | None
    flag: int
    test: str | None = None
    time: str | None = None
    device: str | None = None


class Case(Struct, frozen=True):
    """A row of a table of cases and the flags of its series."""

    row: int
    test: str
    flags: Sequence[int]


def cases(table: Table) -> Sequence[Case]:
    """Flags of every row of a table of cases."""
    return [_case(table, n) for n in range(len(table.rows))]


def _case(table: Table, row: int) -> Case:
    cells = dict(zip(table.columns, table.rows[row], strict=True))
    where = f"row {row + 1}"
    try:
        found = {
            name: msgspec.json.decode(cells[name]) for name in (*CASES[1:], "times_json") if cells.get(name, "").strip()
        }
    except msgspec.DecodeError as error:
        raise Invalid(f"no JSON: {error}", where) from error
    values = numbers(found.get("values_json"), f"{where}, column values_json")
    times = numbers(found["times_json"], f"{where}, column times_json") if "times_json" in found else None
    if times is not None and len(times) != len(values):
        raise Invalid(f"{len(times)} times for {len(values)} values", where)
    params = found.get("params_json", {})
    if not isinstance(params, dict):
        raise Invalid("is no JSON object", f"{where}, column params_json")
    at = None if times is None else np.asarray(np.round(times * NS), dtype=np.int64)
    return Case(row + 1, cells["test"], run_test(cells["test"], params, values, at).tolist())


def check_table(
    table: Table, quantity: str, rules: Rules, zone: tzinfo, test: str | None = None, params: Params | None = None
) -> Sequence[Row]:
    """Flags of each row: of all tests that the quantity has, or of one `test` with `params`."""
    column = _column(table, quantity)
    value = np.array([table.number(row, column) for row in range(len(table.rows))], dtype=np.float64)
    at = table.position(_TIMES)
    times = [cells[at].strip() for cells in table.rows] if at is not None else None
    if times is None and test is None:
        raise Invalid(f"no column of times ({', '.join(_TIMES)}): the tests of {quantity} need them", "inputs")
    time = None if times is None else np.array([_time(t, n, zone) for n, t in enumerate(times, 1)], dtype=np.int64)
    device = table.position(["device"])
    devices = [cells[device].strip() if device is not None else "" for cells in table.rows]
    flag, found = np.full(len(value), Flag.MISSING, dtype=np.uint8), np.zeros(len(value), dtype=np.uint8)
    if test is not None:
        for name in dict.fromkeys(devices):
            rows = np.flatnonzero([d == name for d in devices])
            flag[rows] = run_test(test, params or {}, value[rows], None if time is None else time[rows])
    elif time is not None:
        rows, columns = _columns(quantity, devices, time, value)
        checked = flags_of(columns, rules)
        flag[rows], found[rows] = checked.flag, checked.test
    return [
        Row(
            n + 1,
            None if math.isnan(value[n]) else float(value[n]),
            int(flag[n]),
            Finding(found[n]).word if found[n] else (test if flag[n] in {Flag.SUSPECT, Flag.FAIL} else None),
            times[n] if times else None,
            devices[n] or None,
        )
        for n in range(len(value))
    ]


def _column(table: Table, quantity: str) -> str:
    at = table.position([quantity, "value"])
    if at is None:
        raise Invalid(f"no column {quantity!r} or 'value'", "inputs")
    return table.columns[at]


def _time(text: str, row: int, zone: tzinfo) -> int:
    try:
        return parse_instant(text, zone)
    except Invalid as error:
        raise Invalid(error.detail, f"row {row}") from error


def _columns(quantity: str, devices: Sequence[str], time: Ints, value: Floats) -> tuple[Ints, Columns]:
    """Rows that have a value, in the order of time and device, and the same as columns."""
    names = sorted(set(devices))
    position: Mapping[str, int] = {name: n for n, name in enumerate(names)}
    index = np.array([position[name] for name in devices], dtype=np.int32)
    there = np.flatnonzero(~np.isnan(value))
    rows = there[np.lexsort((index[there], time[there]))]
    twice = np.flatnonzero((np.diff(time[rows]) == 0) & (np.diff(index[rows]) == 0))
    if len(twice):
        raise Invalid("this time stands twice; give times with their offset", f"row {rows[twice[0] + 1] + 1}")
    ones = np.ones(len(rows), dtype=np.uint8)
    series = [Series(name, quantity) for name in names]
    return rows, Columns(series, index[rows], time[rows], value[rows], ones, np.zeros(len(rows), dtype=np.uint8))
