# SPDX-License-Identifier: EUPL-1.2
"""Credentials at the broker, on both databases."""

import pytest
from msgspec.structs import replace

from hub.core.access import BrokerRefusal
from hub.core.errors import Exists, NotFound
from hub.core.places import Device
from hub.storage.ledger import Ledger


@pytest.fixture
def town(ledger: Ledger) -> Ledger:
    for name in ("d1", "d2", "d3"):
        ledger.devices.add_device(Device(id=name, connector="native", external_id=name))
    return ledger


def test_a_secret_is_handed_over_once_and_kept_as_hashes_alone(town: Ledger) -> None:
    version = town.credentials.version()
    issued = town.credentials.issue("d1", by="dana")
    assert len(issued.secret) >= 32
    assert town.credentials.version() > version
    kept = town.credentials.get("d1")
    assert kept is not None
    assert set(kept.hashes) == {"bcrypt", "mosquitto"}
    assert issued.secret not in repr(kept)
    assert issued.secret not in repr(town.audit.read())
    with pytest.raises(Exists):
        town.credentials.issue("d1", by="dana")


def test_a_renewed_secret_has_other_hashes_and_lets_in_again(town: Ledger) -> None:
    first = town.credentials.issue("d1", by="dana")
    disabled = town.credentials.disable("d1", by="dana", why="stolen")
    assert (disabled.disabled_at is None, disabled.disabled_why) == (False, "stolen")
    again = town.credentials.rotate("d1", by="dana")
    assert again.secret != first.secret
    kept = town.credentials.get("d1")
    assert kept is not None
    assert kept.disabled_at is None
    actions = [entry.action for entry in town.audit.read(subject="d1", limit=3)]
    assert actions == ["credential.rotate", "credential.disable", "credential.issue"]


def test_many_are_issued_all_or_none_in_their_order(town: Ledger) -> None:
    with pytest.raises(NotFound):
        town.credentials.issue_many(["d1", "nowhere"], by="dana")
    assert list(town.credentials.all()) == []
    issued = town.credentials.issue_many(["d3", "d1"], by="dana")
    assert [one.credential.username for one in issued] == ["d3", "d1"]
    assert len({one.secret for one in issued}) == 2
    with pytest.raises(Exists):
        town.credentials.issue_many(["d2", "d1"], by="dana")
    assert town.credentials.get("d2") is None


def test_a_removed_device_is_shut_out(town: Ledger) -> None:
    town.credentials.issue("d1", by="dana")
    town.devices.remove_device("d1", by="dana", why="gone")
    kept = town.credentials.get("d1")
    assert kept is not None
    assert kept.disabled_at is not None


def test_a_bridge_brings_what_it_is_allowed_and_is_named_like_no_device(town: Ledger) -> None:
    town.credentials.issue("chirpstack", by="dana", bridge="application/#", allow=["d1"])
    assert town.credentials.allow("chirpstack", ["d1", "d2"], by="dana").allow == ("d1", "d2")
    assert dict(town.devices.snapshot().bridges) == {"application/#": frozenset({"d1", "d2"})}
    with pytest.raises(Exists):
        town.credentials.issue("d2", by="dana", bridge="x/#")


def test_refusals_are_counted_by_client_kind_and_topic(town: Ledger) -> None:
    town.credentials.issue("d1", by="dana")
    one = BrokerRefusal(username="d1", kind="publish_denied", topic="a", text="no", count=2, first=10, last=20)
    town.credentials.refused([one, replace(one, topic="b")])
    town.credentials.refused([replace(one, count=5, first=30, last=40)])
    found = {row.topic: (row.count, row.first, row.last) for row in town.credentials.refusals("d1")}
    assert found == {"a": (7, 10, 40), "b": (2, 10, 20)}
