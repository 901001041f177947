# SPDX-License-Identifier: EUPL-1.2
"""Many figures at once: each row is checked against its definition and judged against the book, then all go in or none.

Handing the same table in again adds nothing. What a row became, or why it is refused, is told row by row; a dry run
tells the same and stores nothing.
"""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from msgspec import Struct

from hub.core.entries import Draft, Entry, Outcome, Verdict
from hub.core.errors import Invalid
from hub.core.places import Place
from hub.core.ports import EntryBook
from hub.core.windows import Calendar
from hub.indicators.catalogue import Catalogue
from hub.indicators.entry_forms import check
from hub.indicators.entry_tables import Row, Sheet


class Basis(NamedTuple):
    """What figures are checked against."""

    catalogue: Catalogue
    city: Calendar
    places: Mapping[str, Place]
    now: int


class RowResult(Struct, frozen=True, kw_only=True):
    """What became of a row; `column` is at fault, `entry` the new one or the one that stands against it."""

    row: int
    outcome: Outcome
    detail: str = ""
    column: str | None = None
    draft: Draft | None = None
    entry: Entry | None = None
    warnings: Sequence[str] = ()


class Report(Struct, frozen=True):
    """All rows in their order; `stored` says whether the new ones were handed in. `empty` rows were passed over."""

    rows: Sequence[RowResult]
    stored: bool
    empty: int = 0
    notes: Sequence[str] = ()

    def count(self, outcome: Outcome) -> int:
        """How many rows had this outcome."""
        return sum(row.outcome is outcome for row in self.rows)

    @property
    def refused(self) -> Sequence[RowResult]:
        """Rows at fault."""
        return [row for row in self.rows if row.outcome is Outcome.REFUSED]


def hand_in(
    book: EntryBook, sheet: Sheet, basis: Basis, *, by: str, dry_run: bool = False, partial: bool = False
) -> Report:
    """Hand a table in for approval. With a row at fault nothing is stored, unless `partial`."""
    results = {fault.row: _refused(fault.row, fault.column, fault.problem) for fault in sheet.faults}
    drafts: dict[int, Draft] = {}
    warnings: dict[int, Sequence[str]] = {}
    first: dict[tuple[str, str, int], int] = {}
    for row in sheet.rows:
        try:
            draft, warnings[row.number] = _checked(row, basis)
        except Invalid as error:
            results[row.number] = _refused(row.number, error.where, error.detail)
            continue
        same = first.setdefault(draft.window, row.number)
        if same == row.number:
            drafts[row.number] = draft
        else:
            results[row.number] = _again(row.number, draft, same, drafts[same])
    stored = not dry_run and (partial or not any(r.outcome is Outcome.REFUSED for r in results.values()))
    wanted = list(drafts.values())
    verdicts = book.add(wanted, by=by, partial=partial) if stored else book.judge(wanted)
    for (number, draft), verdict in zip(drafts.items(), verdicts, strict=True):
        results[number] = _result(number, draft, verdict, warnings[number])
    stored = stored and (partial or not any(v.outcome is Outcome.REFUSED for v in verdicts))
    return Report([results[number] for number in sorted(results)], stored, sheet.empty, sheet.notes)


def _checked(row: Row, basis: Basis) -> tuple[Draft, Sequence[str]]:
    return check(row.form, basis.catalogue, basis.city, basis.places, basis.now)


def _refused(number: int, column: str | None, detail: str) -> RowResult:
    return RowResult(row=number, outcome=Outcome.REFUSED, detail=detail, column=column)


def _again(number: int, draft: Draft, before: int, other: Draft) -> RowResult:
    if draft == other:
        return RowResult(row=number, outcome=Outcome.DUPLICATE, detail=f"the same as row {before}", draft=draft)
    return _refused(number, "period", f"row {before} has the same period with another figure or source: keep one")


def _result(number: int, draft: Draft, verdict: Verdict, warnings: Sequence[str]) -> RowResult:
    return RowResult(
        row=number,
        outcome=verdict.outcome,
        detail=verdict.detail,
        column=verdict.field,
        draft=draft,
        entry=verdict.entry,
        warnings=warnings,
    )
