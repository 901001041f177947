# SPDX-License-Identifier: EUPL-1.2
"""Tables written as CSV. Texts that look like formulas are guarded reversibly (`hub.core.cells`)."""

import csv
import io
from collections.abc import Iterable, Sequence

from hub.core.cells import Cell, guarded


def csv_text(rows: Iterable[Sequence[Cell]], *, czech: bool) -> str:
    """RFC 4180; `czech` for Czech Excel: BOM, semicolon, decimal comma."""
    out = io.StringIO()
    out.write("\ufeff" if czech else "")
    writer = csv.writer(out, delimiter=";" if czech else ",", lineterminator="\r\n")
    writer.writerows([[_shown(cell, czech) for cell in row] for row in rows])
    return out.getvalue()


def _shown(cell: Cell, czech: bool) -> str:
    if isinstance(cell, int | float):
        return repr(cell).replace(".", ",") if czech else repr(cell)
    return "" if cell is None else str(cell)


def safe(text: str) -> str:
    """A text for a cell of any spreadsheet."""
    return guarded(text)
