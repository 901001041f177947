# SPDX-License-Identifier: EUPL-1.2
"""API keys, on both databases."""

from collections.abc import Callable

import pytest
from sqlalchemy import create_engine, text

from hub.core.errors import Invalid, NotFound
from hub.storage.ledger import Ledger
from hub.storage.ledger._database import parse_url
from hub.storage.ledger._keys import key_id


def test_a_key_is_verified_by_its_secret_also_by_another_process(open_ledger: Callable[..., Ledger]) -> None:
    key, secret = open_ledger().keys.create("strategy system", frozenset({"read", "write"}))
    assert open_ledger().keys.verify(secret) == key
    assert (key.name, key.scopes) == ("strategy system", frozenset({"read", "write"}))


def test_only_the_very_secret_is_accepted(ledger: Ledger) -> None:
    key, secret = ledger.keys.create("a", frozenset({"read"}))
    _, other = ledger.keys.create("b", frozenset({"read"}))
    mixed = f"cityhub_{key.id}_{other.split('_', 2)[2]}"
    wrong = [
        secret[:-1],
        secret + "x",
        secret.upper(),
        secret[:-1] + "é",
        mixed,
        key.id,
        "",
        "_",
        "cityhub__",
        "\ud800",
    ]
    assert [ledger.keys.verify(one) for one in wrong] == [None] * len(wrong)


def test_no_secret_is_in_the_database(ledger: Ledger, url: str) -> None:
    _, secret = ledger.keys.create("a", frozenset({"admin"}))
    random = secret.split("_", 2)[2]
    engine = create_engine(parse_url(url))
    with engine.connect() as connection:
        cells = [
            str(cell)
            for table in ("api_key", "audit")
            for row in connection.execute(text(f"SELECT * FROM {table}"))
            for cell in row
        ]
    engine.dispose()
    assert len(random) == 43
    assert cells
    assert not [cell for cell in cells if random in cell]


def test_secrets_are_256_bits_and_never_the_same(ledger: Ledger) -> None:
    made = [ledger.keys.create("same name", frozenset({"read"})) for _ in range(20)]
    assert len({secret for _, secret in made}) == len({key.id for key, _ in made}) == 20


def test_a_revoked_key_is_dead_at_once_everywhere(open_ledger: Callable[..., Ledger]) -> None:
    here, there = open_ledger(), open_ledger()
    key, secret = here.keys.create("a", frozenset({"read"}))
    kept, _ = here.keys.create("b", frozenset({"read"}))
    assert there.keys.verify(secret) == key
    here.keys.revoke(key.id, by="admin")
    assert there.keys.verify(secret) is None
    assert there.keys.keys() == [kept]


def test_revoking_what_is_not_in_use_says_so(ledger: Ledger) -> None:
    key, _ = ledger.keys.create("a", frozenset({"read"}))
    ledger.keys.revoke(key.id)
    for number in (key.id, "nothing"):
        with pytest.raises(NotFound, match=f"key: no key '{number}' is in use"):
            ledger.keys.revoke(number)


@pytest.mark.parametrize(
    ("name", "scopes", "message"),
    [
        (" ", {"read"}, "name: must not be empty"),
        (
            "a",
            set(),
            "scopes: none given; choose of admin, operator, partner, read, strategist, technician, viewer, write",
        ),
        (
            "a",
            {"read", "root"},
            "scopes: root given; choose of admin, operator, partner, read, strategist, technician, viewer, write",
        ),
    ],
)
def test_a_key_needs_a_name_and_known_scopes(ledger: Ledger, name: str, scopes: set[str], message: str) -> None:
    with pytest.raises(Invalid, match=message):
        ledger.keys.create(name, frozenset(scopes))
    assert ledger.keys.keys() == []


@pytest.mark.parametrize(
    ("secret", "number"),
    [("cityhub_ab12_x_y-z", "ab12"), ("other_ab12_xyz", None), ("cityhub_ab12_", None), ("cityhub_ab12_é", None)],
)
def test_the_id_is_the_middle_of_the_secret(secret: str, number: str | None) -> None:
    assert key_id(secret) == number


MADE = {"partner": "", "expires_at": None}


def test_the_audit_says_who_made_and_revoked_a_key(ledger: Ledger) -> None:
    key, _ = ledger.keys.create("a", frozenset({"write", "read"}), by="dana")
    ledger.keys.revoke(key.id, by="petr")
    entries = [(e.actor, e.action, e.detail) for e in ledger.audit.entries(subject=key.id)]
    assert entries == [
        ("petr", "key.revoke", {}),
        ("dana", "key.create", {**MADE, "name": "a", "scopes": "read write"}),
    ]
