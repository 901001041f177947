# SPDX-License-Identifier: EUPL-1.2
"""A table of figures as people have it: CSV with a header, one row a window or a reading.

Separator comma, semicolon or tab, whichever the header has; with a semicolon numbers may have a decimal comma. An
empty cell is a missing figure. Anything else that is no number is an error that names row and column.
"""

import csv
import io
import math
import re
from collections.abc import Iterable, Sequence

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from hub.core.errors import Invalid


class Table(Struct, frozen=True):
    """Header and rows of text; row 1 is the first below the header."""

    columns: Sequence[str]
    rows: Sequence[Sequence[str]]
    decimal_comma: bool = False

    def spelled(self, known: Iterable[str]) -> "Table":
        """The same with columns named as known ones are, whatever their case and separators (PM2.5 is pm2_5)."""
        exact = set(known)
        meant = {_plain(name): name for name in sorted(exact)}
        columns = list(self.columns)
        for i, column in enumerate(columns):
            name = meant.get(_plain(column), column)
            if column not in exact and name not in columns:
                columns[i] = name
        return replace(self, columns=columns)

    def position(self, names: Sequence[str]) -> int | None:
        """Index of the first of `names` that is a column."""
        return next((self.columns.index(name) for name in names if name in self.columns), None)

    def numbers(self, row: int, column: str) -> list[float]:
        """Figures of one cell: none when empty, several when separated by spaces or in a JSON list.

        NaN for a `-` among those separated by spaces, and for a null of a list.
        """
        text = self.rows[row][self.columns.index(column)].strip()
        if text.startswith("["):
            return self._listed(text, row, column)
        return [math.nan if part == "-" else self._number(part, row, column) for part in text.split()]

    def number(self, row: int, column: str) -> float:
        """The one figure of a cell, NaN when it is empty."""
        found = self.numbers(row, column)
        if len(found) > 1:
            raise Invalid("several figures where one is meant", f"row {row + 1}, column {column}")
        return found[0] if found else math.nan

    @staticmethod
    def _listed(text: str, row: int, column: str) -> list[float]:
        try:
            figures = msgspec.json.decode(text, type=list[float | None])
        except msgspec.MsgspecError:
            raise Invalid(f"{text!r} is no list of numbers", f"row {row + 1}, column {column}") from None
        return [math.nan if figure is None else figure for figure in figures]

    def _number(self, text: str, row: int, column: str) -> float:
        try:
            number = float(text.replace(",", ".") if self.decimal_comma else text)
        except ValueError:
            raise Invalid(f"{text!r} is no number", f"row {row + 1}, column {column}") from None
        if math.isinf(number):
            raise Invalid("an infinite figure", f"row {row + 1}, column {column}")
        return number


def _plain(name: str) -> str:
    return re.sub(r"[\s.\-]+", "_", name.strip().casefold())


def read_table(text: str) -> Table:
    """Table of a CSV text; lines that begin with # are comments. Invalid names the row at fault."""
    lines = [line for line in text.removeprefix("\ufeff").splitlines() if line.strip() and not line.startswith("#")]
    if not lines:
        raise Invalid("the table is empty: its first line must name the columns", "inputs")
    separator = max(";\t,", key=lines[0].count)
    rows = list(csv.reader(io.StringIO("\n".join(lines)), delimiter=separator))
    columns = [name.strip() for name in rows[0]]
    if len(set(columns)) < len(columns):
        raise Invalid(f"a column stands twice: {', '.join(columns)}", "inputs")
    for number, row in enumerate(rows[1:], 1):
        if len(row) != len(columns):
            raise Invalid(f"{len(row)} cells instead of {len(columns)}", f"row {number}")
    return Table(columns, rows[1:], separator == ";")
