# SPDX-License-Identifier: EUPL-1.2
"""Orders between processes, on both databases."""

from collections.abc import Callable

import pytest

from hub.core.errors import Invalid, NotFound
from hub.core.ports import Command
from hub.storage.ledger import CommandState, Ledger


def test_orders_of_one_process_are_pending_for_another_oldest_first(open_ledger: Callable[..., Ledger]) -> None:
    here, there = open_ledger(), open_ledger()
    first = here.commands.submit("redrive", {"ids": [1, 2], "reason": None})
    second = here.commands.submit("redrive", {})
    expected = [Command(first, "redrive", {"ids": [1, 2], "reason": None}), Command(second, "redrive", {})]
    assert there.commands.pending() == expected


def test_a_done_order_is_no_longer_pending_and_keeps_its_result(ledger: Ledger) -> None:
    first, second = ledger.commands.submit("redrive", {}), ledger.commands.submit("redrive", {})
    assert ledger.commands.state(first) == CommandState(Command(first, "redrive", {}), None)
    ledger.commands.done(first, {"redriven": 7})
    assert [c.id for c in ledger.commands.pending()] == [second]
    assert ledger.commands.state(first).result == {"redriven": 7}


def test_done_twice_keeps_the_first_result(ledger: Ledger) -> None:
    order = ledger.commands.submit("redrive", {})
    ledger.commands.done(order, {"redriven": 7})
    ledger.commands.done(order, {"redriven": 0})
    assert ledger.commands.state(order).result == {"redriven": 7}


def test_an_order_that_does_not_exist_is_named(ledger: Ledger) -> None:
    with pytest.raises(NotFound, match="command: no order 99"):
        ledger.commands.done(99, {})
    with pytest.raises(NotFound, match="command: no order 99"):
        ledger.commands.state(99)


def test_an_order_without_a_kind_is_refused(ledger: Ledger) -> None:
    with pytest.raises(Invalid, match="kind: must not be empty"):
        ledger.commands.submit("", {})
    assert ledger.commands.pending() == []


def test_an_order_tells_how_far_it_is_until_it_is_done(ledger: Ledger) -> None:
    order = ledger.commands.submit("recompute", {})
    assert (ledger.commands.state(order).result, ledger.commands.state(order).progress) == (None, None)
    ledger.commands.progress(order, 3, 12)
    assert (ledger.commands.state(order).result, ledger.commands.state(order).progress) == (None, (3, 12))
    assert [command.id for command in ledger.commands.pending()] == [order]
    ledger.commands.done(order, {"written": 1})
    ledger.commands.progress(order, 4, 12)
    assert (ledger.commands.state(order).result, ledger.commands.state(order).progress) == ({"written": 1}, None)
