# SPDX-License-Identifier: EUPL-1.2
"""Entered values."""

from typing import Annotated, Any

from pydantic import Discriminator, Field, Tag

from hub.api.schemas.common import Model, Moment, Next, example

FIGURE: dict[str, Any] = {
    "indicator": "budget_planned",
    "place": "havirov",
    "period": "2025",
    "value": 1_850_000_000,
    "source": "Rozpočet statutárního města Havířova na rok 2025",
}
ENTRY: dict[str, Any] = {
    "id": 12,
    **FIGURE,
    "window": {"start": "2024-12-31T23:00:00Z", "end": "2025-12-31T23:00:00Z"},
    "unit": "CZK",
    "reason": None,
    "note": None,
    "approved_value": 1_850_000_000,
    "approved_entry": 12,
    "origin": "entered",
    "author": "dana",
    "entered_at": "2026-11-23T10:00:00Z",
    "state": "approved",
    "decided_by": "petr",
    "decided_at": "2026-11-23T11:00:00Z",
    "decision_reason": None,
}
ROW: dict[str, Any] = {
    "row": 2,
    "outcome": "new",
    "detail": "",
    "column": None,
    "entry": 12,
    "warnings": [],
    **FIGURE,
}


class EntryIn(Model):
    """A figure to enter."""

    model_config = example(**FIGURE)

    indicator: str = Field(min_length=1, max_length=200, description="Id or title of an indicator that is entered.")
    place: str = Field(min_length=1, max_length=300, description="Id or title of a place of the indicator's level.")
    period: str = Field(min_length=4, max_length=20, description="`2025`, `2025-03` or `2025-03-14`: one window.")
    value: float = Field(allow_inf_nan=False, description="In the indicator's unit.")
    source: str = Field(min_length=1, max_length=2000, pattern=r"\S", description="The document it is taken from.")
    reason: str | None = Field(None, max_length=2000, description="Of a correction: why it replaces the approved one.")
    note: str | None = Field(None, max_length=2000)
    unit: str | None = Field(None, max_length=40, description="Checked against the indicator's unit when given.")


class WindowOut(Model):
    """[start, end)."""

    model_config = example(**ENTRY["window"])

    start: Moment
    end: Moment


class EntryOut(Model):
    """An entered figure and where it stands."""

    model_config = example(**ENTRY)

    id: int
    indicator: str
    place: str
    period: str = Field(description="Label on the city's calendar.")
    window: WindowOut
    value: float
    unit: str | None = Field(description="Null when the indicator is no longer defined.")
    source: str
    reason: str | None = Field(description="Of a correction: why.")
    note: str | None
    approved_value: float | None = Field(description="What counts now for the same place and period; null: nothing.")
    approved_entry: int | None = Field(description="The entry that it comes from.")
    origin: str = Field(description="Always `entered`.")
    author: str
    entered_at: Moment
    state: str = Field(description="waiting, approved, rejected (by a second person) or withdrawn (by the author).")
    decided_by: str | None
    decided_at: Moment | None
    decision_reason: str | None


class EntryPage(Model):
    """Entered figures, newest first."""

    model_config = example(items=[ENTRY], next=None)

    items: list[EntryOut]
    next: Next


class RowOut(Model):
    """What became of a row."""

    model_config = example(**ROW)

    row: int = Field(description="Number in the table, the header being 1; of JSON, the place in the list from 1.")
    outcome: str = Field(description="new, duplicate (handed in before; nothing is added) or refused.")
    detail: str
    column: str | None = Field(description="What is at fault.")
    entry: int | None = Field(description="Of the new entry, or of the one that stands against it.")
    indicator: str | None = None
    place: str | None = None
    period: str | None = None
    value: float | None = Field(None, description="As it counts: rounded to the indicator's precision.")
    source: str | None = None
    warnings: list[str]


class ReportOut(Model):
    """What became of all that was handed in."""

    model_config = example(stored=True, new=1, duplicates=0, refused=0, empty=0, notes=[], rows=[ROW])

    stored: bool = Field(description="False in a dry run.")
    new: int
    duplicates: int
    refused: int
    empty: int = Field(description="Rows in which nothing was filled in.")
    notes: list[str] = Field(description="How the file was read, where that is not a matter of course.")
    rows: list[RowOut]


class WhyIn(Model):
    """A decision that needs a reason."""

    model_config = example(reason="page 7 of the report says 12.4")

    reason: str = Field(min_length=1, max_length=2000, pattern=r"\S")


def _one_or_many(body: object) -> str:
    return "<many>" if isinstance(body, list) else "<one>"


Figures = Annotated[
    Annotated[EntryIn, Tag("<one>")] | Annotated[list[EntryIn], Tag("<many>"), Field(min_length=1, max_length=1000)],
    Discriminator(_one_or_many),
]
