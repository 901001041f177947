# SPDX-License-Identifier: EUPL-1.2
"""Cells of tables that people keep in spreadsheets, and CSV as such a table. Pure.

CSV with semicolons or tabs has decimal commas (Czech Excel writes it so, with a BOM, in Windows-1250 or in UTF-16);
with commas it has decimal points. A text that a spreadsheet would take for a formula is written with an apostrophe in
front (OWASP, "CSV Injection"), and read without it: `unguarded(guarded(text)) == text` for every text.
"""

import csv
import io
import re
import unicodedata
from collections.abc import Sequence
from datetime import date, datetime
from typing import NamedTuple

from hub.core.errors import Invalid

Cell = object  # str, int, float, bool, date, datetime, time or None

_GROUPED = re.compile(r"[+-]?\d{1,3}([ \u00a0\u202f]\d{3})+", re.ASCII)
_PLAIN = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d{1,3})?", re.ASCII)
_FORMULA = re.compile(r"'*[=+\-@\t\r\n|%＝＋－＠]")
_GUARDED = re.compile(r"'(?='*[=+\-@\t\r\n|%＝＋－＠])")


class Grid(NamedTuple):
    """Rows of cells; `comma`: numbers have decimal commas; `notes` say how it was read."""

    rows: Sequence[Sequence[Cell]]
    comma: bool
    notes: tuple[str, ...] = ()


def guarded(text: str) -> str:
    """A text that no spreadsheet computes."""
    return f"'{text}" if _FORMULA.match(text) else text


def unguarded(text: str) -> str:
    """What `guarded` was given."""
    return text[1:] if _GUARDED.match(text) else text


def text_of(cell: Cell) -> str:
    """A cell as text: 12.0 is 12, and without the apostrophe that guards it."""
    if isinstance(cell, float) and cell.is_integer():
        return str(int(cell))
    if isinstance(cell, datetime | date):
        return cell.isoformat()
    return unguarded(str(cell))


def folded(word: str) -> str:
    """A word without case and diacritics."""
    plain = unicodedata.normalize("NFKD", word.strip().casefold())
    return "".join(char for char in plain if not unicodedata.combining(char))


def blank(cell: Cell) -> bool:
    """Whether nobody entered anything."""
    return cell is None or (isinstance(cell, str) and not cell.strip())


def plain_number(cell: Cell, comma: bool, column: str) -> str | float:
    """A number as it stands in a cell, text in plain form (-1234.5); Invalid names the column."""
    if isinstance(cell, bool) or not isinstance(cell, str | int | float):
        raise Invalid(f"{cell} is no number: format the cell as a number", column)
    if not isinstance(cell, str):
        return cell
    text = cell.strip()
    whole, mark, rest = text.partition("," if comma and "," in text else ".")
    if _GROUPED.fullmatch(whole):
        whole = re.sub(r"[ \u00a0\u202f]", "", whole)
    plain = f"{whole}.{rest}" if mark else whole
    if not _PLAIN.fullmatch(plain):
        write = "1234,5" if comma else "1234.5"
        raise Invalid(f"{text[:40]!r} is no number: write it like {write}", column)
    return plain


def read_csv(content: bytes, most_rows: int) -> Grid:
    """A CSV as a grid; Invalid where it cannot be read."""
    text, notes = _decoded(content)
    first = text.partition("\n")[0]
    mark = max(";,\t", key=first.count)
    try:
        rows: list[list[str]] = list(csv.reader(io.StringIO(text, newline=""), delimiter=mark, strict=True))
    except csv.Error as error:
        raise Invalid(f"is no CSV: {error}", "file") from error
    if len(rows) > most_rows + 1:
        raise Invalid(f"has more than {most_rows} rows: divide it", "file")
    return Grid(rows, mark != ",", notes)


def _decoded(content: bytes) -> tuple[str, tuple[str, ...]]:
    if content.startswith(b"\xd0\xcf\x11\xe0"):
        raise Invalid("is an old or encrypted Excel file: save it as XLSX without a password, or as CSV", "file")
    if content.startswith((b"\xff\xfe", b"\xfe\xff")):
        try:
            return content.decode("utf-16"), ()
        except UnicodeDecodeError as error:
            raise Invalid("begins like UTF-16 but is none: save it as CSV UTF-8", "file") from error
    if b"\x00" in content:
        raise Invalid("is neither CSV in UTF-8 nor XLSX: save it again as one of these", "file")
    try:
        return content.decode("utf-8-sig"), ()
    except UnicodeDecodeError:
        try:
            return content.decode("cp1250"), ("read as Windows-1250, because it is no UTF-8",)
        except UnicodeDecodeError as error:
            raise Invalid("is text neither in UTF-8 nor in Windows-1250: save it as CSV UTF-8", "file") from error
