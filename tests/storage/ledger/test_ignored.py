# SPDX-License-Identifier: EUPL-1.2
"""Ignored devices: in the snapshot, in the audit, and never registered at the same time."""

import pytest

from hub.core.errors import Exists, HubError, Invalid, NotFound
from hub.core.places import Device, Mounting
from hub.storage.ledger import Ledger

METER = ("wmbusmeters", "12345678")


def test_an_ignored_device_is_in_the_snapshot_and_the_audit_until_it_is_taken_off(city: Ledger) -> None:
    before = city.devices.version()
    city.ignored.add(*METER, why="the neighbour's meter", by="dana")
    assert city.devices.snapshot().ignored == {METER}
    [entry] = city.ignored.all()
    assert (entry.why, entry.by, entry.at > 0) == ("the neighbour's meter", "dana", True)
    city.ignored.remove(*METER, by="jan")
    assert city.devices.snapshot().ignored == frozenset()
    assert city.devices.version() == before + 2
    audit = [(e.actor, e.action, e.subject) for e in city.audit.entries("wmbusmeters/12345678")]
    assert audit == [
        ("jan", "device.unignore", "wmbusmeters/12345678"),
        ("dana", "device.ignore", "wmbusmeters/12345678"),
    ]


def test_ignoring_leaves_the_order_to_take_what_waits_through_again(city: Ledger) -> None:
    [order] = city.ignored.add(*METER, why="foreign")
    assert city.commands.state(order).command == (
        order,
        "redrive",
        {"connector": METER[0], "external_id": METER[1]},
    )


def test_ignoring_twice_changes_the_words_only(city: Ledger) -> None:
    city.ignored.add(*METER, why="foreign")
    city.ignored.add(*METER, why="belongs to the water company")
    assert [entry.why for entry in city.ignored.all()] == ["belongs to the water company"]


def test_registering_an_ignored_device_ends_that(city: Ledger) -> None:
    city.ignored.add(*METER, why="foreign")
    city.devices.add_device(
        Device(id="meter-1", connector=METER[0], external_id=METER[1], mountings=(Mounting("havirov", 0),)), by="eva"
    )
    assert city.ignored.all() == []
    assert city.audit.entries("wmbusmeters/12345678", limit=1)[0].action == "device.unignore"


def test_a_registered_device_cannot_be_ignored(city: Ledger) -> None:
    city.devices.add_device(
        Device(id="meter-1", connector=METER[0], external_id=METER[1], mountings=(Mounting("havirov", 0),))
    )
    with pytest.raises(Exists, match="registered as device 'meter-1': remove that first"):
        city.ignored.add(*METER, why="foreign")
    assert city.devices.snapshot().ignored == frozenset()


@pytest.mark.parametrize(
    ("arguments", "error", "where"),
    [
        (("", "x", "why"), Invalid, "connector"),
        (("native", " ", "why"), Invalid, "external_id"),
        (("native", "x", ""), Invalid, "why"),
    ],
)
def test_what_is_missing_is_named(
    city: Ledger, arguments: tuple[str, str, str], error: type[HubError], where: str
) -> None:
    with pytest.raises(error, match=f"^{where}: must not be empty"):
        city.ignored.add(arguments[0], arguments[1], why=arguments[2])
    assert city.ignored.all() == []


def test_what_is_not_ignored_cannot_be_taken_off(city: Ledger) -> None:
    version = city.devices.version()
    with pytest.raises(NotFound, match="no device 'x' of native is ignored"):
        city.ignored.remove("native", "x")
    assert city.devices.version() == version
