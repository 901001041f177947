# SPDX-License-Identifier: EUPL-1.2
"""Rows as CSV, in two dialects: plain (RFC 4180) and `cs` for Czech Excel (BOM, semicolon, decimal comma).

Text that a spreadsheet would take for a formula gets an apostrophe in front (OWASP, "CSV Injection"). Numbers are
written as numbers, so a negative one keeps its sign bare.
"""

import csv
import io
from collections.abc import Iterable, Sequence
from enum import StrEnum
from typing import NamedTuple

Cell = str | int | float | bool | None

_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "|", "%", "＝", "＋", "－", "＠")


class Dialect(StrEnum):
    """How CSV is written."""

    PLAIN = "plain"
    CS = "cs"


class _Form(NamedTuple):
    mark: str
    separator: str
    comma: str


_FORMS = {Dialect.PLAIN: _Form("", ",", "."), Dialect.CS: _Form("\ufeff", ";", ",")}


def to_csv(columns: Sequence[str], rows: Iterable[Sequence[Cell]], dialect: Dialect) -> str:
    """The rows under their column names, lines ended by CRLF."""
    form = _FORMS[dialect]
    out = io.StringIO()
    out.write(form.mark)
    writer = csv.writer(out, delimiter=form.separator, lineterminator="\r\n")
    writer.writerow(columns)
    writer.writerows([[_text(cell, form.comma) for cell in row] for row in rows])
    return out.getvalue()


def _text(cell: Cell, comma: str) -> str:
    if cell is None:
        return ""
    if isinstance(cell, bool):
        return "true" if cell else "false"
    if isinstance(cell, int | float):
        return repr(cell).replace(".", comma)
    return f"'{cell}" if cell.startswith(_FORMULA) and cell != "%" else cell
