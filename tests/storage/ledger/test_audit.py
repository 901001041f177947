# SPDX-License-Identifier: EUPL-1.2
"""The record of changes, on both databases."""

import pytest

from hub.core.errors import NotFound
from hub.core.places import Device
from hub.storage.ledger import Ledger


def test_entries_come_newest_first_with_the_time_of_the_change(ledger: Ledger) -> None:
    for name in "ab":
        ledger.devices.add_device(Device(id=name, connector="native", external_id=name), by="dana")
    newest, oldest = ledger.audit.entries()
    assert (newest.subject, oldest.subject) == ("b", "a")
    assert newest.at > oldest.at > 0
    assert ledger.audit.entries(limit=1) == [newest]
    assert ledger.audit.entries(subject="a") == [oldest]


def test_a_change_that_did_not_happen_leaves_no_entry(ledger: Ledger) -> None:
    with pytest.raises(NotFound):
        ledger.devices.remove_device("nobody")
    assert ledger.audit.entries() == []
