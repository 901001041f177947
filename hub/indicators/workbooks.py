# SPDX-License-Identifier: EUPL-1.2
"""Tables in files, CSV and XLSX, read and written. Pure; owns openpyxl and its errors.

Of a workbook the first sheet counts, formulas with the results that were stored with them.
"""

import io
import zipfile
from collections.abc import Iterable, Sequence
from typing import Any

from hub.core.cells import Cell, Grid, blank, read_csv
from hub.core.errors import Invalid

MOST_UNPACKED = 64 * 2**20


def read_grid(content: bytes, most_rows: int) -> Grid:
    """The table in a file; Invalid where the file as a whole cannot be read."""
    return _workbook(content, most_rows) if content.startswith(b"PK") else read_csv(content, most_rows)


def write_workbook(title: str, rows: Iterable[Sequence[Cell]]) -> bytes:
    """A workbook of one sheet; texts stay texts, whatever they begin with."""
    from openpyxl import Workbook  # type: ignore[import-untyped]  # ships no type information

    book = Workbook(write_only=True)
    sheet = book.create_sheet(title)
    for row in rows:
        sheet.append(list(row))
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def _workbook(content: bytes, most_rows: int) -> Grid:
    from openpyxl import load_workbook

    try:
        with zipfile.ZipFile(io.BytesIO(content)) as packed:
            if sum(part.file_size for part in packed.infolist()) > MOST_UNPACKED:
                raise Invalid("unpacks to more than 64 MiB: keep only the table in it", "file")
        book = load_workbook(io.BytesIO(content), read_only=True, data_only=True)
        sheet = book.worksheets[0]
        sheet.reset_dimensions()  # what a file says of its own size may be less than it holds
        rows = _taken(([_shown(cell) for cell in row] for row in sheet.iter_rows()), most_rows)
        book.close()
    except Invalid:
        raise
    except Exception as error:  # openpyxl lets errors of zip, XML and its own descriptors out: all say "no XLSX"
        raise Invalid("cannot be read as XLSX: save it again in Excel or LibreOffice, or as CSV", "file") from error
    notes = (f"read the first of {len(book.sheetnames)} sheets, {sheet.title!r}",) if len(book.sheetnames) > 1 else ()
    return Grid(rows, True, notes)


def _shown(cell: Any) -> Cell:
    """What stands in a cell. 0.12 shown as 12 % is no number: nobody could say which of the two was meant."""
    value: Cell = cell.value
    if isinstance(value, float | int) and not isinstance(value, bool) and "%" in (cell.number_format or ""):
        return f"{value * 100:g} %"
    return value


def _taken(rows: Iterable[Sequence[Cell]], most_rows: int) -> list[Sequence[Cell]]:
    """Rows without the blank ones at the end, of which a formatted sheet may have a million."""
    found: list[Sequence[Cell]] = []
    gap = 0
    for row in rows:
        if all(blank(cell) for cell in row):
            gap += 1
        elif len(found) + gap > most_rows:
            raise Invalid(f"has more than {most_rows} rows: divide it", "file")
        else:
            found += [
                (),
            ] * gap + [row]
            gap = 0
    return found
