# SPDX-License-Identifier: EUPL-1.2
"""Tables handed in, and the values that approved entries give."""

import pytest
from msgspec.structs import replace

from hub.core.entries import Draft, Entry, EntryState, Outcome, judge
from hub.core.indicators import IndicatorValue, Status
from hub.core.readings import Grade, Origin
from hub.indicators.entries import batch_of, cause_of, entries_to_values, unusable
from hub.indicators.entry_forms import Form, check
from hub.indicators.entry_import import Report, hand_in
from hub.indicators.entry_tables import Fault, Row, Sheet
from hub.indicators.entry_views import template_rows
from tests.indicators.entered import CITY, NOW, PLACES, basis, catalogue, definition_text

BASIS = basis()
GOOD = Form("budget", "havirov", "2025", 100.0, "Rozpočet 2025")


class Book:
    """A book in memory under the rules of `hub.core.entries`."""

    def __init__(self) -> None:
        self.kept: list[Entry] = []

    def judge(self, drafts: list[Draft]) -> list[object]:
        return [judge(d, [e for e in self.kept if e.window == d.window]) for d in drafts]

    def add(self, drafts: list[Draft], *, by: str, partial: bool = False) -> list[object]:
        verdicts = [judge(d, [e for e in self.kept if e.window == d.window]) for d in drafts]
        if partial or all(v.outcome is not Outcome.REFUSED for v in verdicts):
            new = [d for d, v in zip(drafts, verdicts, strict=True) if v.outcome is Outcome.NEW]
            self.kept += [entry_of(d, len(self.kept) + i, author=by) for i, d in enumerate(new, 1)]
        return list(verdicts)


def entry_of(draft: Draft, number: int, **more: object) -> Entry:
    """A waiting entry."""
    fields = {name: getattr(draft, name) for name in draft.__struct_fields__}
    return Entry(**{**fields, "id": number, "author": "dana", "made_at": 1, **more})  # type: ignore[arg-type]


def approved(number: int, form: Form = GOOD, **more: object) -> Entry:
    """An entry that Petr has approved."""
    draft = check(form, BASIS.catalogue, CITY, PLACES, NOW).draft
    state = {"state": EntryState.APPROVED, "decided_by": "petr", "approval": number}
    return entry_of(draft, number, **{**state, **more})


def given(*forms: Form, book: Book | None = None, **options: bool) -> tuple[Report, list[Entry]]:
    """What becomes of rows 2, 3, ..., and what the book holds then."""
    book = book or Book()
    sheet = Sheet([Row(n, form) for n, form in enumerate(forms, 2)], ())
    return hand_in(book, sheet, BASIS, by="dana", **options), book.kept  # type: ignore[arg-type]  # a small book


def outcomes(report: Report) -> list[tuple[int, str, str]]:
    return [(row.row, row.outcome.value, row.detail) for row in report.rows]


def test_a_good_table_is_handed_in_and_again_adds_nothing() -> None:
    book = Book()
    table = [GOOD, GOOD._replace(period="2024")]
    first, _ = given(*table, book=book)
    again, kept = given(*table, book=book)
    assert (first.stored, first.count(Outcome.NEW), again.count(Outcome.DUPLICATE), len(kept)) == (True, 2, 2, 2)


WRONG = GOOD._replace(period="soon")
BESIDE = GOOD._replace(value=101.0)


@pytest.mark.parametrize("bad", [WRONG, BESIDE], ids=["a wrong row", "two figures of one period"])
def test_one_wrong_row_keeps_the_table_out_unless_a_part_is_wanted(bad: Form) -> None:
    whole, nothing = given(GOOD, bad)
    part, kept = given(GOOD, bad, partial=True)
    assert (whole.stored, nothing, [r.row for r in whole.refused]) == (False, [], [3])
    assert (part.stored, [e.value for e in kept], [r.row for r in part.refused]) == (True, [100.0], [3])


def test_a_table_that_the_book_refuses_is_not_stored() -> None:
    book = Book()
    given(GOOD, book=book)
    report, kept = given(GOOD._replace(period="2024"), BESIDE, book=book)
    assert (report.stored, len(kept)) == (False, 1)
    assert outcomes(report)[1][:2] == (3, "refused")
    assert report.rows[1].detail.startswith("entry 1 (100, by dana) waits for the same period")


def test_rows_of_one_period_are_told_apart_by_their_numbers() -> None:
    assert outcomes(given(GOOD, GOOD, BESIDE)[0])[1:] == [
        (3, "duplicate", "the same as row 2"),
        (4, "refused", "row 2 has the same period with another figure or source: keep one"),
    ]


def test_a_dry_run_tells_all_and_stores_nothing() -> None:
    book = Book()
    report = hand_in(
        book, Sheet([Row(2, GOOD), Row(4, WRONG)], [Fault(3, "value", "is missing")], 1), BASIS, by="dana", dry_run=True
    )  # type: ignore[arg-type]  # a small book
    assert [(row.row, row.outcome.value) for row in report.rows] == [(2, "new"), (3, "refused"), (4, "refused")]
    assert (report.stored, report.empty, book.kept) == (False, 1, [])


def test_an_approved_entry_is_a_final_value_at_once() -> None:
    form = Form("welfare", "havirov/mesto", "2025", 62.44, "Zpráva 2025")
    (value,) = entries_to_values([approved(1, form)], BASIS.catalogue, CITY, {}, NOW)
    assert value == IndicatorValue(
        indicator="welfare",
        place="havirov/mesto",
        start=value.start,
        end=value.end,
        period="P1Y",
        value=62.4,
        unit="%",
        status=Status.FINAL,
        definition_version=1,
        band=2,
        score=50.0,
        coverage=1.0,
        n_valid=1,
        n_expected=1,
        origin=Origin.ENTERED,
        grade=Grade.REFERENCE,
        revision=1,
        closed=True,
        computed_at=NOW,
        cause="entered (Zpráva 2025) by dana, approved by petr",
    )


@pytest.mark.parametrize(("value", "band"), [(50.0, 1), (50.1, 2), (80.0, 2), (80.1, None)])
def test_bands_end_with_their_bound_and_beyond_the_last_there_is_none(value: float, band: int | None) -> None:
    form = Form("welfare", "havirov/mesto", "2025", value, "x")
    assert entries_to_values([approved(1, form)], BASIS.catalogue, CITY, {}, NOW)[0].band == band


def test_a_correction_is_a_revision_with_its_reason_and_the_same_figure_is_none() -> None:
    (first,) = entries_to_values([approved(1)], BASIS.catalogue, CITY, {}, NOW)
    stored = {(first.indicator, first.place, first.start): first}
    correction = approved(2, GOOD._replace(value=99.0, reason="audit of 14 May"))
    (second,) = entries_to_values([correction], BASIS.catalogue, CITY, stored, NOW + 1)
    assert (second.revision, second.value, second.cause) == (
        2, 99.0, "entered: audit of 14 May (Rozpočet 2025) by dana, approved by petr",
    )  # fmt: skip
    assert entries_to_values([approved(1)], BASIS.catalogue, CITY, stored, NOW + 1) == []


def test_a_new_version_of_the_definition_is_a_revision_with_that_cause() -> None:
    (first,) = entries_to_values([approved(1)], BASIS.catalogue, CITY, {}, NOW)
    newer = catalogue(definition_text("budget", version=2))
    stored = {(first.indicator, first.place, first.start): first}
    (second,) = entries_to_values([approved(1)], newer, CITY, stored, NOW, lambda _: "definition version 2")
    assert (second.revision, second.definition_version, second.cause) == (2, 2, "definition version 2")


CHANGED = {
    "gone": (definition_text("other"), "there is no indicator budget any more"),
    "of months now": (definition_text("budget", "P1M"), "its period is no window P1M of budget any more"),
}


@pytest.mark.parametrize(("text", "why"), CHANGED.values(), ids=CHANGED)
def test_an_entry_that_its_definition_has_left_gives_no_value_and_says_why(text: str, why: str) -> None:
    known = catalogue(text)
    assert unusable(approved(1), known.definitions.get("budget"), CITY) == why
    assert entries_to_values([approved(1)], known, CITY, {}, NOW) == []


def test_two_approvals_of_one_window_are_taken_one_after_another() -> None:
    one, other, again = approved(1), approved(2, GOOD._replace(period="2024")), approved(3)
    assert batch_of([one, other, again]) == [one, other]
    assert batch_of([one, other]) == [one, other]
    assert batch_of([]) == []


def test_a_cause_names_document_author_and_who_approved() -> None:
    entry = replace(approved(1), reason=None)
    assert cause_of(entry) == "entered (Rozpočet 2025) by dana, approved by petr"


def test_a_template_has_a_row_for_each_place_and_the_last_period_that_is_over() -> None:
    rows = list(template_rows(BASIS.catalogue, None, PLACES, CITY, NOW, czech=False))
    assert [row[:5] for row in rows] == [
        ("budget", "havirov", "2025", "", "CZK"),
        ("spent", "havirov", "2026-10", "", "CZK"),
        ("visits", "havirov/mesto/bazen", "2026-11-22", "", "1"),
        ("visits", "havirov/sumbark/bazen", "2026-11-22", "", "1"),
        ("welfare", "havirov/mesto", "2025", "", "%"),
        ("welfare", "havirov/sumbark", "2025", "", "%"),
    ]
    czech = list(template_rows(BASIS.catalogue, "visits", PLACES, CITY, NOW, czech=True))
    assert [row[:2] for row in czech] == [("Visits", "havirov/mesto/bazen"), ("Visits", "havirov/sumbark/bazen")]
