# SPDX-License-Identifier: EUPL-1.2
"""Corrections, on both databases."""

from typing import Any

import pytest

from hub.core.errors import Exists, Invalid, NotFound
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
        id=1, device="d1", quantity="pm10", start=5, end=9, action="override_flag", flag=4, by="dana", reason="wet",
        made_at=first.made_at,
    )  # fmt: skip
    assert first.made_at < second.made_at
    assert station.values.corrections() == [first, second]
    assert station.values.corrections(after=first.id) == [second]
    assert station.corrections.after(second.id) == []


GOOD: dict[str, Any] = {"device": "d1", "start": 0, "end": 9, "action": "exclude", "by": "dana", "reason": "wet"}
CALIBRATE: dict[str, Any] = {"action": "calibrate", "quantity": "pm10"}
REFUSED = {
    "unknown device": ({"device": "d2"}, NotFound, "device: no device 'd2' is registered: check the id"),
    "unknown action": ({"action": "delete"}, Invalid, "action: 'delete' is none of override_flag, exclude"),
    "withdraw without its own way": ({"action": "withdraw"}, Invalid, "action: 'withdraw' is none of"),
    "no flag": ({"action": "override_flag"}, Invalid, "flag: None is none of 1, 2, 3, 4, 9"),
    "no such flag": ({"action": "override_flag", "flag": 5}, Invalid, "flag: 5 is none of"),
    "flag to exclude": ({"flag": 4}, Invalid, "flag: exclude takes no flag"),
    "scale to exclude": ({"scale": 1.1}, Invalid, "scale: exclude takes no scale"),
    "shift to maintenance": ({"action": "maintenance", "shift": 0.0}, Invalid, "shift: maintenance takes no shift"),
    "calibrate everything": ({"action": "calibrate", "scale": 2.0}, Invalid, "quantity: calibrate needs one"),
    "calibrate nothing": ({**CALIBRATE, "scale": 1.0, "shift": 0.0}, Invalid, "scale: calibrate needs a scale other"),
    "scale of nought": ({**CALIBRATE, "scale": 0.0}, Invalid, "scale: 0.0 is no factor"),
    "scale without number": ({**CALIBRATE, "scale": float("nan")}, Invalid, "scale: nan is no factor"),
    "shift without end": ({**CALIBRATE, "shift": float("inf")}, Invalid, "shift: inf is too much"),
    "empty range": ({"end": 0}, Invalid, "to: must be after `from`"),
    "by nobody": ({"by": " "}, Invalid, "by: must not be empty"),
    "without reason": ({"reason": ""}, Invalid, "reason: must not be empty"),
    "a reason that moves the cursor": ({"reason": "wet\x1b[2J"}, Invalid, "reason: must be one line of plain text"),
    "a novel": ({"reason": "w" * 1001}, Invalid, "reason: has 1001 characters; at most 1000"),
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


def test_a_calibration_keeps_its_figures(station: Ledger) -> None:
    made = station.corrections.add(**{**GOOD, **CALIBRATE, "scale": 1.1, "shift": -0.3})
    assert (made.scale, made.shift) == (1.1, -0.3)
    assert station.corrections.get(made.id) == made
    assert station.values.corrections() == [made]


def test_the_same_correction_is_not_made_twice(station: Ledger) -> None:
    """A request that was sent again must not scale values again; once withdrawn it may be made anew."""
    first = station.corrections.add(**{**GOOD, **CALIBRATE, "scale": 1.1})
    with pytest.raises(Exists, match="correction 1 of dana does this already"):
        station.corrections.add(**{**GOOD, **CALIBRATE, "scale": 1.1, "by": "petr", "reason": "again"})
    station.corrections.withdraw(first.id, by="petr", reason="wrong device")
    assert station.corrections.add(**{**GOOD, **CALIBRATE, "scale": 1.1}).id == 3


def test_a_withdrawal_covers_the_stretch_of_what_it_takes_back(station: Ledger) -> None:
    first = station.corrections.add(**GOOD, quantity="pm10")
    gone = station.corrections.withdraw(first.id, by="petr", reason="it was dry")
    assert (gone.id, gone.action, gone.withdraws, gone.device, gone.quantity) == (2, "withdraw", 1, "d1", "pm10")
    assert (gone.start, gone.end, gone.by, gone.reason) == (first.start, first.end, "petr", "it was dry")
    assert station.values.corrections() == [first, gone]
    entry = station.audit.entries("d1", limit=1)[0]
    assert (entry.actor, entry.action, entry.detail) == (
        "petr", "correction.withdraw", {"correction": 2, "withdraws": 1},
    )  # fmt: skip


@pytest.mark.parametrize(
    ("number", "error", "message"),
    [
        (7, NotFound, "correction: there is no correction 7"),
        (1, Exists, "correction: correction 1 was withdrawn by petr"),
        (2, Invalid, "correction: correction 2 is a withdrawal: make the correction anew instead"),
    ],
    ids=["foreign", "twice", "a withdrawal"],
)
def test_what_cannot_be_withdrawn_is_refused(
    station: Ledger, number: int, error: type[Exception], message: str
) -> None:
    station.corrections.withdraw(station.corrections.add(**GOOD).id, by="petr", reason="dry")
    with pytest.raises(error, match=message):
        station.corrections.withdraw(number, by="petr", reason="dry")
    assert len(station.values.corrections()) == 2


def test_a_withdrawal_says_who_and_why(station: Ledger) -> None:
    made = station.corrections.add(**GOOD)
    with pytest.raises(Invalid, match="reason: must not be empty"):
        station.corrections.withdraw(made.id, by="petr", reason="")
    assert station.values.corrections() == [made]
