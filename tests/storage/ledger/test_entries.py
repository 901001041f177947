# SPDX-License-Identifier: EUPL-1.2
"""Entered values, on both databases."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from hub.core.entries import Draft, Entry, EntryFilter, EntryState, Outcome
from hub.core.errors import Invalid, NotFound
from hub.storage.ledger import Ledger


def draft(start: int = 0, value: float = 12.0, **more: Any) -> Draft:
    """A figure of the window that begins at `start`."""
    fields = {"indicator": "i", "place": "havirov", "source": "annual report", **more}
    return Draft(start=start, end=start + 10, value=value, **fields)


def enter(ledger: Ledger, *drafts: Draft, by: str = "dana") -> list[Entry]:
    """Hand drafts in that are all new."""
    found = [verdict.entry for verdict in ledger.entries.add(drafts, by=by)]
    return [entry for entry in found if entry is not None]


def approve(ledger: Ledger, *entries: Entry, by: str = "petr") -> list[Entry]:
    """Approve entries."""
    return list(ledger.entries.decide([e.id for e in entries], EntryState.APPROVED, by=by))


def test_an_entry_comes_back_as_made_bit_by_bit_and_waits(ledger: Ledger) -> None:
    (made,) = enter(ledger, draft(value=0.1 + 0.2, note="§ 12", reason="why"), by=" Dana  Nová ")
    assert ledger.entries.entries(EntryFilter()) == [made]
    assert (made.author, made.state, made.value, made.note) == ("Dana Nová", EntryState.WAITING, 0.1 + 0.2, "§ 12")
    assert ledger.entries.approved(0, 10) == []
    assert ledger.entries.in_force("i") == []


def test_approvals_are_numbered_in_their_order_and_the_latest_counts(ledger: Ledger) -> None:
    first, second = enter(ledger, draft(0), draft(10))
    approve(ledger, second)
    approve(ledger, first)
    (correction,) = enter(ledger, draft(0, 13.0, reason="audit"))
    approve(ledger, correction)
    assert [(e.id, e.approval) for e in ledger.entries.approved(0, 10)] == [
        (second.id, 1), (first.id, 2), (correction.id, 3),
    ]  # fmt: skip
    assert [e.id for e in ledger.entries.approved(1, 1)] == [first.id]
    assert [e.value for e in ledger.entries.in_force("i", "havirov")] == [13.0, 12.0]
    assert [e.value for e in ledger.entries.in_force("i", upto=2)] == [12.0, 12.0]
    assert [e.id for e in ledger.entries.in_force("i", start=10, end=20)] == [second.id]
    assert [e.id for e in ledger.entries.history("i", "havirov", 0)] == [first.id, correction.id]


def test_what_is_in_force_below_a_place_keeps_to_its_tree(ledger: Ledger) -> None:
    places = ["havirov", "havirov/mesto", "havirov-x", "havirov/mesto/thara"]
    approve(ledger, *enter(ledger, *(draft(place=place) for place in places)))
    assert [e.place for e in ledger.entries.in_force("i", "havirov", below=True)] == [
        "havirov", "havirov/mesto", "havirov/mesto/thara",
    ]  # fmt: skip
    assert [e.place for e in ledger.entries.in_force("i", "havirov/mesto")] == ["havirov/mesto"]


def test_the_same_table_twice_adds_nothing(ledger: Ledger) -> None:
    table = [draft(0), draft(10), draft(10)]
    assert [v.outcome for v in ledger.entries.judge(table)] == [Outcome.NEW, Outcome.NEW, Outcome.DUPLICATE]
    ledger.entries.add(table, by="dana")
    assert [v.outcome for v in ledger.entries.add(table, by="petr")] == [Outcome.DUPLICATE] * 3
    assert len(ledger.entries.entries(EntryFilter())) == 2


def test_one_refused_row_keeps_all_out_unless_a_part_is_wanted(ledger: Ledger) -> None:
    enter(ledger, draft(0))
    table = [draft(10), draft(0, 99.0, reason="typo")]
    assert [v.outcome for v in ledger.entries.add(table, by="dana")] == [Outcome.NEW, Outcome.REFUSED]
    assert len(ledger.entries.entries(EntryFilter())) == 1
    ledger.entries.add(table, by="dana", partial=True)
    assert [e.start for e in ledger.entries.entries(EntryFilter())] == [10, 0]


def test_a_decision_about_many_is_all_or_nothing(ledger: Ledger) -> None:
    (hers,) = enter(ledger, draft(0), by="dana")
    (his,) = enter(ledger, draft(10), by="petr")
    with pytest.raises(Invalid, match="is petr's own"):
        approve(ledger, hers, his)
    with pytest.raises(NotFound, match="no entry 99"):
        ledger.entries.decide([hers.id, 99], EntryState.APPROVED, by="petr")
    assert [e.state for e in ledger.entries.entries(EntryFilter())] == [EntryState.WAITING] * 2
    assert ledger.entries.approved(0, 10) == []


def test_the_list_is_filtered_and_read_in_pages_newest_first(ledger: Ledger) -> None:
    made = enter(ledger, draft(0), draft(10), draft(20, place="havirov/mesto"), draft(30, indicator="j"))
    approve(ledger, made[0])
    ledger.entries.decide([made[1].id], EntryState.REJECTED, by="petr", reason="no such page")
    filters = {
        EntryFilter(): [3, 2, 1, 0],
        EntryFilter(EntryState.WAITING): [3, 2],
        EntryFilter(EntryState.REJECTED): [1],
        EntryFilter(EntryState.APPROVED): [0],
        EntryFilter(indicator="i", place="havirov"): [1, 0],
    }
    for where, expected in filters.items():
        assert [e.id - made[0].id for e in ledger.entries.entries(where)] == expected
    page = ledger.entries.entries(EntryFilter(), limit=3)
    assert [e.id for e in ledger.entries.entries(EntryFilter(), before=page[-1].id)] == [made[0].id]
    assert [e.id for e in ledger.entries.entries(EntryFilter(ids=[made[2].id]))] == [made[2].id]


def test_the_audit_says_who_entered_and_who_decided(ledger: Ledger) -> None:
    (made,) = enter(ledger, draft(0))
    ledger.entries.decide([made.id], EntryState.REJECTED, by="petr", reason="no such page")
    found = ledger.audit.entries(f"entry {made.id}")
    assert [(e.actor, e.action) for e in found] == [("petr", "entry.reject"), ("dana", "entry.add")]
    assert found[0].detail == {"value": 12.0, "reason": "no such page"}
    assert found[1].detail["source"] == "annual report"


def test_two_people_at_once_enter_one_figure_and_decide_once(open_ledger: Callable[..., Ledger]) -> None:
    one, other = open_ledger(), open_ledger()
    with ThreadPoolExecutor(2) as pool:
        added = list(pool.map(lambda ledger: ledger.entries.add([draft(0)], by="dana")[0].outcome, (one, other)))
        assert sorted(added) == [Outcome.DUPLICATE, Outcome.NEW]
        number = one.entries.entries(EntryFilter())[0].id

        def decide(ledger: Ledger) -> str:
            try:
                ledger.entries.decide([number], EntryState.APPROVED, by="petr")
            except Invalid:
                return "late"
            return "approved"

        assert sorted(pool.map(decide, (one, other))) == ["approved", "late"]
    assert [e.approval for e in one.entries.approved(0, 9)] == [1]


def test_what_counts_now_is_told_for_the_windows_of_figures_that_wait(ledger: Ledger) -> None:
    (first,) = enter(ledger, draft(0))
    approve(ledger, first)
    waiting = enter(ledger, draft(0, 13.0, reason="audit"), draft(10))
    assert {window: entry.id for window, entry in ledger.entries.counting(waiting).items()} == {first.window: first.id}
    assert ledger.entries.counting([]) == {}
