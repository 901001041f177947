# SPDX-License-Identifier: EUPL-1.2
"""Tables of entered figures, CSV and XLSX, as forms. Pure.

The first row names the columns, in English or Czech, in any order. CSV with semicolons or tabs has decimal commas
(Czech Excel writes it so, with a BOM or in Windows-1250); with commas it has decimal points. Of a workbook the first
sheet counts, formulas with the results that were stored with them. Nothing is guessed and nothing is left out: what
cannot be read is a fault with row, column and cure. Only rows in which nobody entered anything are passed over, and
counted.
"""

import re
from collections.abc import Mapping, Sequence
from datetime import date, datetime, time
from typing import NamedTuple

from hub.core.cells import Cell, blank, folded, plain_number, text_of
from hub.core.errors import Invalid
from hub.indicators.entry_forms import Form, number_of
from hub.indicators.workbooks import read_grid

MOST_ROWS = 5_000

COLUMNS: Mapping[str, str] = {  # canonical name: Czech name
    "indicator": "ukazatel",
    "place": "místo",
    "period": "období",
    "value": "hodnota",
    "source": "zdroj",
    "reason": "důvod",
    "note": "poznámka",
    "unit": "jednotka",
}
REQUIRED = ("indicator", "place", "period", "value", "source")
FILLED_IN = ("value", "source", "reason", "note")  # a row with none of these is an empty line of a template

_CZECH_DATE = re.compile(r"(\d{1,2})\.\s*(\d{1,2})\.\s*(\d{4})", re.ASCII)


class Fault(NamedTuple):
    """What is wrong in a row (from 1, as spreadsheets count) and column, and what to do."""

    row: int
    column: str | None
    problem: str


class Row(NamedTuple):
    """A form and the row that it stands in."""

    number: int
    form: Form


class Sheet(NamedTuple):
    """A table as read; `empty` counts rows in which nobody entered anything, `notes` say how it was read."""

    rows: Sequence[Row]
    faults: Sequence[Fault]
    empty: int = 0
    notes: Sequence[str] = ()


def read_sheet(content: bytes) -> Sheet:
    """The table in a file; Invalid where the file as a whole cannot be read."""
    grid = read_grid(content, MOST_ROWS)
    if not grid.rows:
        raise Invalid(f"is empty; the first row names the columns: {', '.join(REQUIRED)}", "file")
    columns = _columns(grid.rows[0])
    rows, faults, empty = list[Row](), list[Fault](), 0
    for number, cells in enumerate(grid.rows[1:], 2):
        given = {name: cells[i] for name, i in columns.items() if i < len(cells) and not blank(cells[i])}
        stray = [i for i, cell in enumerate(cells) if i not in columns.values() and not blank(cell)]
        if stray:
            faults.append(Fault(number, None, f"cell {stray[0] + 1} stands under no column name: {cells[stray[0]]!r}"))
        elif not any(name in given for name in FILLED_IN):
            empty += 1
        else:
            _read_row(number, given, grid.comma, rows, faults)
    return Sheet(rows, faults, empty, grid.notes)


def _columns(header: Sequence[Cell]) -> Mapping[str, int]:
    """Position of each column; Invalid names those that are unknown, doubled or missing."""
    known = {folded(word): name for name, czech in COLUMNS.items() for word in (name, czech)}
    found: dict[str, int] = {}
    for i, cell in enumerate(header):
        if blank(cell):
            continue
        name = known.get(folded(str(cell)))
        if name is None:
            raise Invalid(f"there is no column {str(cell)[:60]!r}; there are {', '.join(COLUMNS)}", "row 1")
        if name in found:
            raise Invalid(f"the column {name} stands there twice", "row 1")
        found[name] = i
    if lacking := [name for name in REQUIRED if name not in found]:
        czech = ", ".join(COLUMNS[name] for name in lacking)
        raise Invalid(f"the columns {', '.join(lacking)} ({czech}) are missing", "row 1")
    return found


def _read_row(number: int, given: Mapping[str, Cell], comma: bool, rows: list[Row], faults: list[Fault]) -> None:
    lacking = [name for name in REQUIRED if name not in given]
    if lacking:
        hint = " (a formula whose result was not saved counts as empty)" if lacking == ["value"] else ""
        faults.append(Fault(number, ", ".join(lacking), f"{'is' if len(lacking) == 1 else 'are'} missing{hint}"))
        return
    texts = {name: text_of(given[name]) for name in COLUMNS if name in given and name not in ("period", "value")}
    try:
        rows.append(Row(number, Form(period=_period(given["period"]), value=_value(given["value"], comma), **texts)))
    except Invalid as error:
        faults.append(Fault(number, error.where, error.detail))


def _period(cell: Cell) -> str | date:
    if isinstance(cell, datetime):
        if cell.time() != time(0):
            raise Invalid(
                f"{cell.isoformat(' ')} is a time of day; write the period, such as 2025 or 2025-03", "period"
            )
        return cell.date()
    if isinstance(cell, date):
        return cell
    text = text_of(cell).strip()
    if czech := _CZECH_DATE.fullmatch(text):
        try:
            return date(int(czech[3]), int(czech[2]), int(czech[1]))
        except ValueError as error:
            raise Invalid(f"{text!r} is no date: {error}", "period") from error
    return text


def _value(cell: Cell, comma: bool) -> float:
    return number_of(plain_number(cell, comma, "value"))
