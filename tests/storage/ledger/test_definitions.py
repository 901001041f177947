# SPDX-License-Identifier: EUPL-1.2
"""Texts of former definitions are kept, on both databases."""

from hub.storage.ledger import Ledger


def test_a_text_is_kept_once_and_former_versions_stay(ledger: Ledger) -> None:
    keep = ledger.definitions.remember
    assert keep({"a": (1, "first"), "b": (1, "other")}) == 2
    assert keep({"a": (1, "first"), "b": (1, "other")}) == 0
    assert keep({"a": (2, "second"), "b": (1, "other, better worded")}) == 2
    assert ledger.definitions.of("a") == {1: "first", 2: "second"}
    assert ledger.definitions.of("b") == {1: "other, better worded"}
    assert ledger.definitions.of("c") == {}


def test_the_audit_shows_when_a_definition_changed(ledger: Ledger) -> None:
    ledger.definitions.remember({"a": (1, "first")})
    ledger.definitions.remember({"a": (2, "second")})
    entries = ledger.audit.entries("a")
    assert [(e.action, e.detail) for e in entries] == [
        ("definition.seen", {"version": 2, "text": "second"}),
        ("definition.seen", {"version": 1, "text": "first"}),
    ]
