# SPDX-License-Identifier: EUPL-1.2
"""Corrections, on both databases."""

from typing import Any

import pytest

from hub.core.errors import Invalid, NotFound
from hub.core.indicators import Correction
from hub.core.places import Device
from hub.storage.ledger import Ledger


@pytest.fixture
def station(ledger: Ledger) -> Ledger:
    """A ledger with the device d1."""
    ledger.devices.add_device(Device(id="d1", connector="native", external_id="d1"))
    return ledger


def test_corrections_come_back_as_made_in_order(station: Ledger) -> None:
    first = station.corrections.add("d1", 5, 9, "override_flag", by="dana", reason="wet", quantity="pm10", flag=4)
    second = station.corrections.add("d1", 0, 2**62, "exclude", by="petr", reason="moved")
    assert first == Correction(
        id=1, device="d1", quantity="pm10", start=5, end=9, action="override_flag", flag=4, by="dana", reason="wet"
    )
    assert station.values.corrections() == [first, second]
    assert station.values.corrections(after=first.id) == [second]
    assert station.corrections.after(second.id) == []


GOOD: dict[str, Any] = {"device": "d1", "start": 0, "end": 9, "action": "exclude", "by": "dana", "reason": "wet"}
REFUSED = {
    "unknown device": ({"device": "d2"}, NotFound, "device: no device 'd2' is registered: check the id"),
    "unknown action": ({"action": "delete"}, Invalid, "action: 'delete' is none of exclude, override_flag"),
    "no flag": ({"action": "override_flag"}, Invalid, "flag: None is none of 1, 2, 3, 4, 9"),
    "no such flag": ({"action": "override_flag", "flag": 5}, Invalid, "flag: 5 is none of"),
    "flag to exclude": ({"flag": 4}, Invalid, "flag: exclude takes no flag"),
    "empty range": ({"end": 0}, Invalid, "end: must be after the start"),
    "by nobody": ({"by": " "}, Invalid, "by: must not be empty"),
    "without reason": ({"reason": ""}, Invalid, "reason: must not be empty"),
}


@pytest.mark.parametrize(("change", "error", "message"), REFUSED.values(), ids=REFUSED)
def test_a_correction_that_makes_no_sense_names_its_field(
    station: Ledger, change: dict[str, Any], error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=message):
        station.corrections.add(**{**GOOD, **change})
    assert station.values.corrections() == []


def test_a_correction_outlives_the_registration_of_its_device(station: Ledger) -> None:
    made = station.corrections.add(**GOOD)
    station.devices.remove_device("d1")
    assert station.values.corrections() == [made]


def test_readings_of_a_removed_device_can_still_be_corrected(station: Ledger) -> None:
    station.devices.remove_device("d1")
    made = station.corrections.add(**GOOD)
    assert station.values.corrections() == [made]


def test_the_audit_says_who_corrected(station: Ledger) -> None:
    made = station.corrections.add(**GOOD)
    assert [(e.actor, e.action, e.detail) for e in station.audit.entries("d1", limit=1)] == [
        ("dana", "correction.add", {"correction": made.id})
    ]
