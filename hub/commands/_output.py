# SPDX-License-Identifier: EUPL-1.2
"""What commands print: tables for people, JSON for scripts."""

import sys
from collections.abc import Iterable, Sequence

import msgspec
from rich.console import Console
from rich.table import Table


def print_json(value: object) -> None:
    """One JSON document on standard output."""
    sys.stdout.write(msgspec.json.format(msgspec.json.encode(value)).decode() + "\n")


def plain_number(value: float, digits: int = 15) -> str:
    """A figure without exponent: 1234567891, not 1.23457e+09; rounded to so many digits."""
    return f"{float(f'{value:.{digits}g}'):.15g}"


def print_table(title: str, columns: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """A table; says so when there is nothing in it."""
    table = Table(title=title, title_justify="left")
    for column in columns:
        table.add_column(column, overflow="fold")
    for row in rows:
        table.add_row(*("" if cell is None else str(cell) for cell in row))
    console = Console()
    if table.row_count:
        console.print(table, markup=False)
    else:
        console.print(f"{title}: none", markup=False)
