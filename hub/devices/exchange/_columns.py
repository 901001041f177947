# SPDX-License-Identifier: EUPL-1.2
"""Reading cells under the headings of a table, English or Czech, in any order."""

from collections.abc import Mapping
from datetime import date, datetime, time
from difflib import get_close_matches
from typing import NamedTuple

from hub.core.cells import Cell, Grid, blank, folded, plain_number, text_of
from hub.core.errors import Invalid
from hub.core.windows import parse_instant
from hub.devices.exchange._types import Basis, Wrong


class Cells(NamedTuple):
    """One row: what stands under which column. A column that the table lacks is absent; an empty cell is None."""

    number: int
    given: Mapping[str, Cell]
    comma: bool
    basis: Basis

    def text(self, column: str, default: str = "") -> str:
        """The text of a cell; `default` where the table has no such column."""
        if column not in self.given:
            return default
        cell = self.given[column]
        return "" if cell is None else text_of(cell)

    def number_in(self, column: str, default: float | None = None) -> float | None:
        """The number of a cell, None for an empty one; raise Wrong."""
        if column not in self.given:
            return default
        cell = self.given[column]
        if cell is None:
            return None
        try:
            return float(plain_number(cell, self.comma, column))
        except Invalid as error:
            write = "1234,5" if self.comma else "1234.5"
            raise Wrong(column, error.detail, f"{str(cell)[:40]!r} není číslo: napište ho jako {write}") from error

    def whole(self, column: str, default: int | None = None) -> int | None:
        """The whole number of a cell; raise Wrong."""
        found = self.number_in(column, default)
        if found is not None and not found.is_integer() if isinstance(found, float) else False:
            raise Wrong(column, f"{found} is no whole number", f"{found} není celé číslo")
        return None if found is None else int(found)

    def instant(self, column: str) -> int | None:
        """The time of a cell: RFC 3339, a date of the city's calendar, or 23. 11. 2026; raise Wrong."""
        cell = self.given.get(column)
        if cell is None:
            return None
        try:
            return parse_instant(_iso(cell), self.basis.zone)
        except (Invalid, ValueError) as error:
            shown = str(cell)[:40]
            raise Wrong(
                column,
                f"{shown!r} is no time: write it like 2026-11-23 or 2026-11-23T10:00:00Z",
                f"{shown!r} není čas: napište ho jako 23.11.2026 nebo 2026-11-23T10:00:00Z",
            ) from error


def _iso(cell: Cell) -> str:
    if isinstance(cell, datetime):
        return cell.isoformat()
    if isinstance(cell, date):
        return datetime.combine(cell, time()).isoformat()
    text = text_of(cell).strip()
    parts = [part.strip() for part in text.split(".")]
    if len(parts) == 3 and all(part.isdecimal() for part in parts):
        return datetime(int(parts[2]), int(parts[1]), int(parts[0])).isoformat()  # noqa: DTZ001 - the city's zone
    return f"{text}T00:00:00" if len(text) == 10 else text


def rows_of(grid: Grid, columns: Mapping[str, str], basis: Basis) -> list[Cells]:
    """Rows that hold anything; Invalid where the heading is wrong."""
    if not grid.rows:
        raise Invalid(f"is empty; the first row names the columns: {', '.join(columns)}", "file")
    known = {folded(word): name for name, czech in columns.items() for word in (name, czech)}
    found: dict[str, int] = {}
    for i, cell in enumerate(grid.rows[0]):
        if blank(cell):
            continue
        name = known.get(folded(str(cell)))
        if name is None or name in found:
            said = "stands there twice" if name else f"is none of {', '.join(columns)}"
            raise Invalid(f"the column {str(cell)[:60]!r} {said}", "row 1")
        found[name] = i
    if "id" not in found:
        raise Invalid("the column id is missing", "row 1")
    return [
        Cells(number, {name: _cell(cells, i) for name, i in found.items()}, grid.comma, basis)
        for number, cells in enumerate(grid.rows[1:], 2)
        if not all(blank(cell) for cell in cells)
    ]


def _cell(cells: "list[Cell] | tuple[Cell, ...] | object", i: int) -> Cell:
    row = cells if isinstance(cells, list | tuple) else ()
    return None if i >= len(row) or blank(row[i]) else row[i]


def near(word: str, known: object) -> str:
    """ ", did you mean ...?" for a word that nearly is one."""
    found = get_close_matches(word, list(known) if isinstance(known, Mapping | list | tuple) else [], 3)
    return ", ".join(found)
