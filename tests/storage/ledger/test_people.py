# SPDX-License-Identifier: EUPL-1.2
"""People, their passwords and sessions, on both databases."""

import pytest
from msgspec.structs import replace

from hub.core.access import Person
from hub.core.errors import Exists, Invalid, NotFound
from hub.core.rights import Role
from hub.storage.ledger import Ledger

GOOD, OTHER = "modrá lavička u řeky", "zelený strom na návsi"
JANA = Person(login="jana", name="Jana", roles=frozenset({Role.TECHNICIAN}))
ADMIN = Person(login="adam", roles=frozenset({Role.ADMIN}))


@pytest.fixture
def town(ledger: Ledger) -> Ledger:
    ledger.people.add(ADMIN, GOOD, by="test")
    ledger.people.add(JANA, GOOD, by="adam")
    return ledger


def test_a_password_fits_its_owner_alone_and_only_while_there_is_access(town: Ledger) -> None:
    found = town.people.verify("jana", GOOD)
    assert found is not None
    assert (found.login, set(found.roles)) == ("jana", {Role.TECHNICIAN})
    assert [town.people.verify(*given) for given in (("jana", OTHER), ("jana", ""), ("nobody", GOOD))] == [None] * 3
    town.people.change(replace(JANA, disabled_at=1), by="adam")
    assert town.people.verify("jana", GOOD) is None


def test_a_new_password_ends_other_sessions_and_the_old_one(town: Ledger) -> None:
    kept, other = (town.people.begin("jana", agent="x") for _ in range(2))
    town.people.set_password("jana", OTHER, by="jana", keep=kept)
    assert (town.people.session(kept) is None, town.people.session(other) is None) == (False, True)
    assert town.people.verify("jana", GOOD) is None
    assert town.people.verify("jana", OTHER) is not None


def test_sessions_are_told_newest_first_and_ended_one_by_one_or_all_others(town: Ledger) -> None:
    first, second, third = (town.people.begin("jana", agent=f"browser {n}" * 100) for n in (1, 2, 3))
    foreign = town.people.begin("adam", agent="desk")
    seen = town.people.sessions("jana")
    assert [one.agent[:9] for one in seen] == ["browser 3", "browser 2", "browser 1"]
    assert all(len(one.agent) <= 200 and one.id not in {first, second, third} for one in seen)
    town.people.end(first)
    town.people.end("no session")
    assert town.people.end_others(third) == 1
    assert town.people.end_others("no session") == 0
    left = [one for one in (first, second, third, foreign) if town.people.session(one) is not None]
    assert left == [third, foreign]
    assert [entry.action for entry in town.audit.read(subject="person:jana", limit=2)] == [
        "session.end_others", "session.end",
    ]  # fmt: skip


def test_who_is_disabled_loses_sessions_and_the_last_administrator_stays(town: Ledger) -> None:
    session = town.people.begin("jana", agent="x")
    town.people.change(replace(JANA, disabled_at=1), by="adam")
    assert town.people.session(session) is None
    with pytest.raises(Invalid):
        town.people.change(replace(ADMIN, roles=frozenset({Role.VIEWER})), by="adam")
    assert town.people.get("adam").roles == ADMIN.roles


REFUSED = {
    "twice": (JANA, GOOD, Exists),
    "a weak password": (replace(JANA, login="petr"), "heslo", Invalid),
    "no login": (replace(JANA, login=""), GOOD, Invalid),
    "an unknown role": (replace(JANA, login="petr", roles=frozenset({"king"})), GOOD, Invalid),
}


@pytest.mark.parametrize(("person", "password", "error"), REFUSED.values(), ids=REFUSED)
def test_what_is_refused_leaves_nothing(town: Ledger, person: Person, password: str, error: type[Exception]) -> None:
    with pytest.raises(error):
        town.people.add(person, password, by="adam")
    assert [one.login for one in town.people.all()] == ["adam", "jana"]


def test_who_a_provider_names_is_found_by_issuer_and_subject_alone(town: Ledger) -> None:
    town.people.add(replace(JANA, login="eva", issuer="https://id.example", subject="7"), None, by="oidc")
    found = town.people.by_subject("https://id.example", "7")
    assert found is not None
    assert found.login == "eva"
    assert [town.people.by_subject(*one) for one in (("https://id.example", "8"), ("", ""), ("", "7"))] == [None] * 3
    assert town.people.verify("eva", "") is None


def test_nobody_is_changed_who_is_not_there(town: Ledger) -> None:
    for call in (
        lambda: town.people.get("nobody"),
        lambda: town.people.begin("nobody", agent=""),
        lambda: town.people.set_password("nobody", GOOD, by="adam"),
        lambda: town.people.change(replace(JANA, login="nobody"), by="adam"),
    ):
        with pytest.raises(NotFound):
            call()
