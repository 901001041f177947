# SPDX-License-Identifier: EUPL-1.2
"""Holds and leases, on both databases, with times given by hand."""

from collections.abc import Callable

import pytest

from hub.core.errors import Exists, Invalid, NotFound
from hub.storage.ledger import Ledger


def test_a_hold_runs_until_it_expires(ledger: Ledger) -> None:
    ledger.holds.add("replay b", now=0, expires=10)
    ledger.holds.add("replay a", now=0, expires=20)
    assert [list(ledger.values.holds(now)) for now in (9, 10, 20)] == [["replay a", "replay b"], ["replay a"], []]


def test_a_hold_that_is_renewed_runs_on(ledger: Ledger) -> None:
    ledger.holds.add("replay", now=0, expires=10)
    ledger.holds.renew("replay", now=9, expires=30)
    assert ledger.values.holds(29) == ["replay"]


def test_a_hold_that_has_expired_cannot_be_renewed_because_windows_may_have_closed(ledger: Ledger) -> None:
    ledger.holds.add("replay", now=0, expires=10)
    for name in ("replay", "never there"):
        with pytest.raises(NotFound, match=f"name: the hold '{name}' has expired or was released"):
            ledger.holds.renew(name, now=10, expires=30)


def test_a_released_hold_is_gone_and_releasing_again_is_harmless(ledger: Ledger) -> None:
    ledger.holds.add("replay", now=0, expires=10)
    ledger.holds.release("replay")
    ledger.holds.release("replay")
    assert ledger.values.holds(0) == []


def test_a_second_import_of_the_same_name_waits_for_the_first(ledger: Ledger) -> None:
    ledger.holds.add("replay", now=0, expires=10)
    with pytest.raises(Exists, match="name: an import named 'replay' is running"):
        ledger.holds.add("replay", now=9, expires=30)
    ledger.holds.add("replay", now=10, expires=30)
    assert ledger.holds.running(29) == ["replay"]


@pytest.mark.parametrize(("name", "expires", "message"), [("", 10, "name: must not"), ("a", 5, "expires: must lie in")])
def test_a_claim_needs_a_name_and_a_future(ledger: Ledger, name: str, expires: int, message: str) -> None:
    with pytest.raises(Invalid, match=message):
        ledger.holds.add(name, now=5, expires=expires)
    with pytest.raises(Invalid, match=message):
        ledger.leases.take(name, "me", now=5, expires=expires)


def test_a_lease_has_one_owner_until_it_expires_or_is_given_back(open_ledger: Callable[..., Ledger]) -> None:
    here, there = open_ledger(), open_ledger()
    assert here.leases.take("engine", "one", now=0, expires=10)
    assert not there.leases.take("engine", "two", now=9, expires=30)
    assert here.leases.take("engine", "one", now=9, expires=20)
    assert there.leases.owner("engine", now=19) == "one"
    assert there.leases.take("engine", "two", now=20, expires=30)
    assert not here.leases.take("engine", "one", now=21, expires=40)
    here.leases.release("engine", "one")
    assert there.leases.owner("engine", now=29) == "two"
    there.leases.release("engine", "two")
    assert here.leases.owner("engine", now=29) is None
