# SPDX-License-Identifier: EUPL-1.2
"""What may become of an entered figure, and by whom."""

import pytest
from msgspec.structs import asdict, replace

from hub.core.entries import (
    Draft,
    Entry,
    EntryState,
    Outcome,
    check_decision,
    decided,
    in_force,
    judge,
    optional_text,
    required_text,
    same_person,
)
from hub.core.errors import Invalid

DRAFT = Draft(indicator="i", place="havirov", start=0, end=10, value=12.0, source="annual report 2025, p. 7")


def entry(number: int, state: EntryState = EntryState.WAITING, **changes: object) -> Entry:
    """An entry of DRAFT's window."""
    fields = {**asdict(DRAFT), "id": number, "author": "dana", "made_at": 1, "state": state, **changes}
    return Entry(**fields)  # type: ignore[arg-type]  # fields by name


APPROVED = entry(3, EntryState.APPROVED, approval=1, value=10.0)
CASES = {
    "nothing there": ([], {}, Outcome.NEW, ""),
    "the same row waits": ([entry(7)], {}, Outcome.DUPLICATE, "handed in before as entry 7 (waiting)"),
    "the same row stands earlier in the same table": (
        [entry(0)], {}, Outcome.DUPLICATE, "handed in before as an earlier row (waiting)",
    ),
    "the same figure of another source waits": (
        [entry(7, source="e-mail")], {}, Outcome.DUPLICATE, "the same figure waits for approval as entry 7",
    ),
    "another figure waits": (
        [entry(7, value=11.5)], {"reason": "typo"}, Outcome.REFUSED,
        "entry 7 (11.5, by dana) waits for the same period: have it decided, or withdraw it, first",
    ),
    "the same row was rejected": (
        [entry(7, EntryState.REJECTED)], {}, Outcome.DUPLICATE, "handed in before as entry 7 (rejected)",
    ),
    "another row was rejected": ([entry(7, EntryState.REJECTED, source="e-mail")], {}, Outcome.NEW, ""),
    "the same row was withdrawn": ([entry(7, EntryState.WITHDRAWN)], {}, Outcome.NEW, ""),
    "the same figure is approved": (
        [replace(APPROVED, value=12.0, source="e-mail")], {}, Outcome.DUPLICATE, "equals the approved figure (entry 3)",
    ),
    "another is approved, no reason": (
        [APPROVED], {}, Outcome.REFUSED,
        "12 differs from the approved 10 (entry 3): a correction needs its reason",
    ),
    "another is approved, with reason": ([APPROVED], {"reason": "audit"}, Outcome.NEW, "corrects 10 (entry 3)"),
    "it was corrected since": (
        [entry(3, EntryState.APPROVED, approval=1), entry(4, EntryState.APPROVED, approval=2, value=9.0, reason="x")],
        {}, Outcome.DUPLICATE, "handed in before as entry 3 (approved)",
    ),
}  # fmt: skip


@pytest.mark.parametrize(("history", "change", "outcome", "detail"), CASES.values(), ids=CASES)
def test_a_draft_is_judged_by_all_entries_of_its_window(
    history: list[Entry], change: dict[str, str], outcome: Outcome, detail: str
) -> None:
    verdict = judge(replace(DRAFT, **change), history)
    assert (verdict.outcome, verdict.detail) == (outcome, detail)


DECISIONS = {
    "a second person approves": (EntryState.APPROVED, "petr", None, None),
    "a second person rejects": (EntryState.REJECTED, "petr", "no such page", None),
    "the author withdraws": (EntryState.WITHDRAWN, "dana", "typo", None),
    "the author approves": (EntryState.APPROVED, "dana", None, "by: entry 1 is dana's own: a second person decides"),
    "the author with other letters": (EntryState.APPROVED, " DANA ", None, "by: entry 1 is dana's own"),
    "the author rejects": (EntryState.REJECTED, "dana", "typo", "by: entry 1 is dana's own"),
    "rejected without a word": (EntryState.REJECTED, "petr", None, "reason: say why"),
    "withdrawn by somebody else": (EntryState.WITHDRAWN, "petr", "typo", "by: entry 1 is dana's: reject it instead"),
}


@pytest.mark.parametrize(("state", "by", "reason", "refusal"), DECISIONS.values(), ids=DECISIONS)
def test_who_may_decide(state: EntryState, by: str, reason: str | None, refusal: str | None) -> None:
    if refusal is None:
        assert decided(entry(1), state, by, 5, reason, None).state is state
    else:
        with pytest.raises(Invalid, match=refusal):
            check_decision(entry(1), state, by, reason)


@pytest.mark.parametrize("state", [s for s in EntryState if s is not EntryState.WAITING])
def test_a_decision_is_made_once(state: EntryState) -> None:
    with pytest.raises(Invalid, match=f"entry 1 is {state} already, by petr: enter a new figure"):
        check_decision(entry(1, state, decided_by="petr"), EntryState.APPROVED, "eva", None)


def test_the_latest_approval_counts_whatever_the_order_of_ids() -> None:
    history = [entry(1, EntryState.APPROVED, approval=5), entry(2, EntryState.APPROVED, approval=4), entry(3)]
    assert [found and found.id for found in (in_force(history), in_force(history, 4), in_force(history, 3))] == [
        1, 2, None,
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [("Dana", "dana ", True), ("Dana  Nová", "dana nová", True), ("Dana", "Dan", False), ("ﬁ", "fi", True)],
)
def test_case_and_blanks_do_not_make_another_person(one: str, other: str, same: bool) -> None:
    assert same_person(one, other) is same


def test_texts_are_one_line_that_can_be_shown() -> None:
    assert required_text(" annual\n report\u00a02025 ", "source") == "annual report 2025"
    assert optional_text("  ", "note") is None
    for text, message in (("", "source: must not be empty"), ("\x1b[31m", "cannot be shown"), ("x" * 2001, "at most")):
        with pytest.raises(Invalid, match=message):
            required_text(text, "source")
