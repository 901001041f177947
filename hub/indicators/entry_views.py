# SPDX-License-Identifier: EUPL-1.2
"""Entered figures as API, command line and files show them: one form for all."""

import csv
import io
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from hub.core.entries import Draft, Entry
from hub.core.places import Place
from hub.core.readings import Origin
from hub.core.windows import Calendar, format_instant
from hub.indicators.catalogue import Catalogue
from hub.indicators.definition import Definition
from hub.indicators.entry_forms import LEVELS, definition_of, enterable, label_of
from hub.indicators.entry_import import RowResult
from hub.indicators.entry_tables import COLUMNS

_FILL_IN = ("indicator", "place", "period", "value", "unit", "source", "reason", "note")


def compared(
    entry: Entry, d: Definition | None, city: Calendar, counting: Mapping[tuple[str, str, int], Entry]
) -> dict[str, Any]:
    """An entry with the figure of its window that counts now, so that an approver sees against what."""
    now = counting.get(entry.window)
    approved = {"approved_value": None, "approved_entry": None}
    return {
        **public_entry(entry, d, city),
        **(approved if now is None else {"approved_value": now.value, "approved_entry": now.id}),
    }


def public_entry(entry: Entry, d: Definition | None, city: Calendar) -> dict[str, Any]:
    """An entry for readers; without its definition the period is the date on which its window begins."""
    return {
        "id": entry.id,
        **_figure(entry, d, city),
        "window": {"start": format_instant(entry.start), "end": format_instant(entry.end)},
        "unit": None if d is None else d.unit,
        "reason": entry.reason,
        "note": entry.note,
        "origin": Origin.ENTERED.word,
        "author": entry.author,
        "entered_at": format_instant(entry.made_at),
        "state": entry.state.value,
        "decided_by": entry.decided_by,
        "decided_at": None if entry.decided_at is None else format_instant(entry.decided_at),
        "decision_reason": entry.decision_reason,
    }


def public_row(row: RowResult, definitions: Mapping[str, Definition], city: Calendar) -> dict[str, Any]:
    """What became of a row of a table."""
    figure = {} if row.draft is None else _figure(row.draft, definitions.get(row.draft.indicator), city)
    return {
        "row": row.row,
        "outcome": row.outcome.value,
        "detail": row.detail,
        "column": row.column,
        "entry": row.entry.id or None if row.entry else None,
        **figure,
        "warnings": list(row.warnings),
    }


def _figure(draft: Draft, d: Definition | None, city: Calendar) -> dict[str, Any]:
    return {
        "indicator": draft.indicator,
        "place": draft.place,
        "period": period_of(draft, d, city),
        "value": draft.value,
        "source": draft.source,
    }


def period_of(draft: Draft, d: Definition | None, city: Calendar) -> str:
    """The label of a figure's window, such as 2025-03."""
    return label_of(draft.start, None if d is None else d.window, city if d is None else d.on(city))


def template(
    catalogue: Catalogue, indicator: str | None, places: Mapping[str, Place], city: Calendar, now: int, *, czech: bool
) -> str:
    """CSV to fill in; `czech`: for Czech Excel (BOM, semicolons), with Czech names of columns and of what they hold."""
    out = io.StringIO()
    out.write("\ufeff" if czech else "")
    writer = csv.writer(out, delimiter=";" if czech else ",", lineterminator="\r\n")
    writer.writerow([COLUMNS[name] for name in _FILL_IN] if czech else _FILL_IN)
    writer.writerows(template_rows(catalogue, indicator, places, city, now, czech=czech))
    return out.getvalue()


def template_rows(
    catalogue: Catalogue, indicator: str | None, places: Mapping[str, Place], city: Calendar, now: int, *, czech: bool
) -> Iterator[Sequence[str]]:
    """Rows to fill in: each indicator, or the one asked for, at each place, for the last period that is over."""
    wanted = enterable(catalogue) if indicator is None else [definition_of(indicator, catalogue)]
    for d in wanted:
        calendar = d.on(city)
        last = calendar.window(calendar.window(now, d.window)[0] - 1, d.window)[0]
        fitting = [place for _, place in sorted(places.items()) if place.kind in LEVELS[d.level]]
        for place in fitting:
            names = (d.title.cs, _title(place, fitting)) if czech else (d.id, place.id)
            yield (*names, label_of(last, d.window, calendar), "", d.unit, "", "", "")


def _title(place: Place, among: Sequence[Place]) -> str:
    """The Czech title where it is one place's alone."""
    title = place.title.get("cs", place.id)
    return title if sum(other.title.get("cs") == title for other in among) == 1 else place.id
