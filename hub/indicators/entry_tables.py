# SPDX-License-Identifier: EUPL-1.2
"""Tables of entered figures, CSV and XLSX, as forms. Pure; owns openpyxl and its errors.

The first row names the columns, in English or Czech, in any order. CSV with semicolons or tabs has decimal commas
(Czech Excel writes it so, with a BOM or in Windows-1250); with commas it has decimal points. Of a workbook the first
sheet counts, formulas with the results that were stored with them. Nothing is guessed and nothing is left out: what
cannot be read is a fault with row, column and cure. Only rows in which nobody entered anything are passed over, and
counted.
"""

import csv
import io
import re
import unicodedata
import zipfile
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime, time
from typing import Any, NamedTuple

from hub.core.errors import Invalid
from hub.indicators.entry_forms import Form, number_of

MOST_ROWS = 5_000
MOST_UNPACKED = 64 * 2**20

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

Cell = object  # str, int, float, bool, date, datetime, time or None

_CZECH_DATE = re.compile(r"(\d{1,2})\.\s*(\d{1,2})\.\s*(\d{4})", re.ASCII)
_GROUPED = re.compile(r"[+-]?\d{1,3}([ \u00a0\u202f]\d{3})+", re.ASCII)
_GUARDED = re.compile(r"'(?=[=+\-@\t\r\n|%＝＋－＠])")  # the apostrophe that keeps spreadsheets from computing a text


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


class _Grid(NamedTuple):
    rows: Sequence[Sequence[Cell]]
    comma: bool
    notes: tuple[str, ...] = ()


def read_sheet(content: bytes) -> Sheet:
    """The table in a file; Invalid where the file as a whole cannot be read."""
    grid = _workbook(content) if content.startswith(b"PK") else _csv(content)
    if len(grid.rows) > MOST_ROWS + 1:
        raise Invalid(f"has more than {MOST_ROWS} rows: divide it", "file")
    if not grid.rows:
        raise Invalid(f"is empty; the first row names the columns: {', '.join(REQUIRED)}", "file")
    columns = _columns(grid.rows[0])
    rows, faults, empty = list[Row](), list[Fault](), 0
    for number, cells in enumerate(grid.rows[1:], 2):
        given = {name: cells[i] for name, i in columns.items() if i < len(cells) and not _blank(cells[i])}
        stray = [i for i, cell in enumerate(cells) if i not in columns.values() and not _blank(cell)]
        if stray:
            faults.append(Fault(number, None, f"cell {stray[0] + 1} stands under no column name: {cells[stray[0]]!r}"))
        elif not any(name in given for name in FILLED_IN):
            empty += 1
        else:
            _read_row(number, given, grid.comma, rows, faults)
    return Sheet(rows, faults, empty, grid.notes)


def _columns(header: Sequence[Cell]) -> Mapping[str, int]:
    """Position of each column; Invalid names those that are unknown, doubled or missing."""
    known = {_folded(word): name for name, czech in COLUMNS.items() for word in (name, czech)}
    found: dict[str, int] = {}
    for i, cell in enumerate(header):
        if _blank(cell):
            continue
        name = known.get(_folded(str(cell)))
        if name is None:
            raise Invalid(f"there is no column {str(cell)[:60]!r}; there are {', '.join(COLUMNS)}", "row 1")
        if name in found:
            raise Invalid(f"the column {name} stands there twice", "row 1")
        found[name] = i
    if lacking := [name for name in REQUIRED if name not in found]:
        czech = ", ".join(COLUMNS[name] for name in lacking)
        raise Invalid(f"the columns {', '.join(lacking)} ({czech}) are missing", "row 1")
    return found


def _folded(word: str) -> str:
    plain = unicodedata.normalize("NFKD", word.strip().casefold())
    return "".join(char for char in plain if not unicodedata.combining(char))


def _blank(cell: Cell) -> bool:
    return cell is None or (isinstance(cell, str) and not cell.strip())


def _read_row(number: int, given: Mapping[str, Cell], comma: bool, rows: list[Row], faults: list[Fault]) -> None:
    lacking = [name for name in REQUIRED if name not in given]
    if lacking:
        hint = " (a formula whose result was not saved counts as empty)" if lacking == ["value"] else ""
        faults.append(Fault(number, ", ".join(lacking), f"{'is' if len(lacking) == 1 else 'are'} missing{hint}"))
        return
    texts = {name: _text(given[name]) for name in COLUMNS if name in given and name not in ("period", "value")}
    try:
        rows.append(Row(number, Form(period=_period(given["period"]), value=_number(given["value"], comma), **texts)))
    except Invalid as error:
        faults.append(Fault(number, error.where, error.detail))


def _text(cell: Cell) -> str:
    if isinstance(cell, float) and cell.is_integer():
        return str(int(cell))
    text = str(cell)
    return text[1:] if _GUARDED.match(text) else text


def _period(cell: Cell) -> str | date:
    if isinstance(cell, datetime):
        if cell.time() != time(0):
            raise Invalid(
                f"{cell.isoformat(' ')} is a time of day; write the period, such as 2025 or 2025-03", "period"
            )
        return cell.date()
    if isinstance(cell, date):
        return cell
    text = _text(cell).strip()
    if czech := _CZECH_DATE.fullmatch(text):
        try:
            return date(int(czech[3]), int(czech[2]), int(czech[1]))
        except ValueError as error:
            raise Invalid(f"{text!r} is no date: {error}", "period") from error
    return text


def _number(cell: Cell, comma: bool) -> float:
    if isinstance(cell, bool) or not isinstance(cell, str | int | float):
        raise Invalid(f"{cell} is no number: format the cell as a number", "value")
    if not isinstance(cell, str):
        return number_of(cell)
    text = cell.strip()
    whole, mark, rest = text.partition("," if comma and "," in text else ".")
    if _GROUPED.fullmatch(whole):
        whole = re.sub(r"[ \u00a0\u202f]", "", whole)
    try:
        return number_of(f"{whole}.{rest}" if mark else whole)
    except Invalid as error:
        write = "1234,5" if comma else "1234.5"
        raise Invalid(f"{text[:40]!r} is no number: write it like {write}", "value") from error


def _csv(content: bytes) -> _Grid:
    text, notes = _decoded(content)
    first = text.partition("\n")[0]
    mark = max(";,\t", key=first.count)
    try:
        rows: list[list[str]] = list(csv.reader(io.StringIO(text, newline=""), delimiter=mark, strict=True))
    except csv.Error as error:
        raise Invalid(f"is no CSV: {error}", "file") from error
    return _Grid(rows, mark != ",", notes)


def _decoded(content: bytes) -> tuple[str, tuple[str, ...]]:
    if content.startswith(b"\xd0\xcf\x11\xe0"):
        raise Invalid("is an old or encrypted Excel file: save it as XLSX without a password, or as CSV", "file")
    if b"\x00" in content:
        raise Invalid("is neither CSV in UTF-8 nor XLSX: save it again as one of these", "file")
    try:
        return content.decode("utf-8-sig"), ()
    except UnicodeDecodeError:
        try:
            return content.decode("cp1250"), ("read as Windows-1250, because it is no UTF-8",)
        except UnicodeDecodeError as error:
            raise Invalid("is text neither in UTF-8 nor in Windows-1250: save it as CSV UTF-8", "file") from error


def _workbook(content: bytes) -> _Grid:
    from openpyxl import load_workbook  # type: ignore[import-untyped]  # ships no type information

    try:
        with zipfile.ZipFile(io.BytesIO(content)) as packed:
            if sum(part.file_size for part in packed.infolist()) > MOST_UNPACKED:
                raise Invalid("unpacks to more than 64 MiB: keep only the table in it", "file")
        book = load_workbook(io.BytesIO(content), read_only=True, data_only=True)
        sheet = book.worksheets[0]
        sheet.reset_dimensions()  # what a file says of its own size may be less than it holds
        rows = _taken([_shown(cell) for cell in row] for row in sheet.iter_rows())
        book.close()
    except Invalid:
        raise
    except Exception as error:  # openpyxl lets errors of zip, XML and its own descriptors out: all say "no XLSX"
        raise Invalid("cannot be read as XLSX: save it again in Excel or LibreOffice, or as CSV", "file") from error
    notes = (f"read the first of {len(book.sheetnames)} sheets, {sheet.title!r}",) if len(book.sheetnames) > 1 else ()
    return _Grid(rows, True, notes)


def _shown(cell: Any) -> Cell:
    """What stands in a cell. 0.12 shown as 12 % is no number: nobody could say which of the two was meant."""
    value: Cell = cell.value
    if isinstance(value, float | int) and not isinstance(value, bool) and "%" in (cell.number_format or ""):
        return f"{value * 100:g} %"
    return value


def _taken(rows: Iterable[Sequence[Cell]]) -> list[Sequence[Cell]]:
    """Rows without the blank ones at the end, of which a formatted sheet may have a million."""
    found: list[Sequence[Cell]] = []
    gap = 0
    for row in rows:
        if all(_blank(cell) for cell in row):
            gap += 1
        elif len(found) + gap > MOST_ROWS:
            raise Invalid(f"has more than {MOST_ROWS} rows: divide it", "file")
        else:
            found += [
                (),
            ] * gap + [row]
            gap = 0
    return found
