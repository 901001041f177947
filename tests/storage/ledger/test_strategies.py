# SPDX-License-Identifier: EUPL-1.2
"""Revisions of strategy documents: whole, idempotent, audited, and as known at a moment."""

import pytest

from hub.core.errors import Exists, Invalid, NotFound
from hub.core.strategies import Strategy
from hub.storage.ledger import Ledger
from tests.strategy.town import strategy, target

PLAN = strategy()
CHANGED = strategy(target(value=50.0))


def put(ledger: Ledger, document: Strategy, **changes: object) -> int:
    [found] = ledger.strategies.put([document], by="dana", reason="adopted", **changes)  # type: ignore[arg-type]
    return found.revision


def test_a_document_comes_back_whole_with_who_when_and_why(ledger: Ledger) -> None:
    put(ledger, PLAN)
    found = ledger.strategies.get("plan")
    assert (found.revision, found.by, found.reason, found.at > 0) == (1, "dana", "adopted", True)
    [placed] = found.document.areas[0].goals[0].targets
    assert placed == PLAN.areas[0].goals[0].targets[0]


def test_the_same_again_is_no_revision_and_leaves_no_trace(ledger: Ledger) -> None:
    assert [put(ledger, PLAN), put(ledger, PLAN), put(ledger, CHANGED), put(ledger, CHANGED)] == [1, 1, 2, 2]
    assert [r.revision for r in ledger.strategies.history("plan")] == [1, 2]
    audit = [(e.actor, e.action, dict(e.detail)) for e in ledger.audit.entries("plan")]
    assert audit == [
        ("dana", "strategy.put", {"revision": 2, "reason": "adopted"}),
        ("dana", "strategy.put", {"revision": 1, "reason": "adopted"}),
    ]


def test_a_change_on_top_of_an_older_revision_is_refused_and_nothing_of_its_batch_is_kept(ledger: Ledger) -> None:
    put(ledger, PLAN)
    other = strategy(id="other")
    with pytest.raises(Exists, match="revision 1 of plan came in between"):
        ledger.strategies.put([other, CHANGED], by="dana", reason="adopted", expected={"plan": 0})
    assert [r.document.id for r in ledger.strategies.all()] == ["plan"]
    assert put(ledger, CHANGED, expected={"plan": 1}) == 2


def test_the_revision_in_force_at_a_moment_is_the_newest_by_then_or_the_first(ledger: Ledger) -> None:
    for document in (PLAN, CHANGED):
        put(ledger, document)
    first, second = ledger.strategies.history("plan")
    wanted = {first.at - 1: 1, first.at: 1, second.at - 1: 1, second.at: 2}
    assert {at: ledger.strategies.get("plan", at).revision for at in wanted} == wanted
    assert {at: ledger.strategies.all(at)[0].revision for at in wanted} == wanted


def test_what_is_not_there_and_what_says_nothing_is_refused(ledger: Ledger) -> None:
    with pytest.raises(NotFound, match="no strategy 'plan'"):
        ledger.strategies.get("plan")
    with pytest.raises(Invalid, match="reason: must not be empty"):
        ledger.strategies.put([PLAN], by="dana", reason=" ")
