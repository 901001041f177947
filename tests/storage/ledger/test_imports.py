# SPDX-License-Identifier: EUPL-1.2
"""Imports: all or nothing, and undone to the byte; on both databases."""

import pytest
from msgspec.structs import replace

from hub.core.errors import Conflict, Exists, Invalid, NotFound
from hub.core.places import Device, Mounting, Place, PlaceKind
from hub.core.registry import Facility
from hub.storage.ledger import Ledger
from tests.storage.ledger.conftest import TITLE

SITE = Place(id="havirov/mesto/hala", kind=PlaceKind.FACILITY, title=TITLE)
HALL = Facility(place=SITE.id, category="sports_hall", capacity=300.0, capacity_unit="persons")
OLD = Device(id="old", connector="native", external_id="old", title="Old")
NEW = Device(id="new", connector="native", external_id="new", mountings=(Mounting(SITE.id, 0),), tags=("a", "b"))


def shown(ledger: Ledger) -> object:
    """All that an export shows."""
    registry = ledger.devices.snapshot()
    devices = [replace(d, revision=0) for d in registry.devices.values()]
    former = [replace(d, revision=0) for d in registry.former.values()]
    facilities = [replace(f, revision=0) for f in ledger.devices.facilities().values()]
    return sorted(devices, key=lambda d: d.id), former, dict(registry.places), facilities


def run(ledger: Ledger) -> int:
    changed = replace(OLD, title="Changed", mountings=(Mounting("havirov", 5),))
    made = ledger.imports.run("devices", "a.csv", places=[SITE], facilities=[HALL], devices=[changed, NEW], by="dana")
    assert made.counts == {"created": 3, "changed": 1, "unchanged": 0}
    return made.id


def test_an_import_comes_in_whole_and_its_undo_leaves_everything_as_it_was(city: Ledger) -> None:
    city.devices.add_device(OLD)
    before = shown(city)
    number = run(city)
    assert city.devices.snapshot().devices["new"].place == SITE.id
    assert city.imports.undo(number, by="petr").undone_by == "petr"
    assert shown(city) == before
    assert [r.undone_by for r in city.imports.runs()] == ["petr"]


def test_the_same_import_again_changes_nothing(city: Ledger) -> None:
    city.devices.add_device(OLD)
    run(city)
    version = city.devices.version()
    changed = replace(OLD, title="Changed", mountings=(Mounting("havirov", 5),))
    again = city.imports.run("devices", "a.csv", places=[SITE], facilities=[HALL], devices=[changed, NEW], by="dana")
    assert again.counts == {"created": 0, "changed": 0, "unchanged": 4}
    assert city.devices.version() == version


def test_a_former_device_that_an_import_brought_back_is_former_again(city: Ledger) -> None:
    city.devices.add_device(OLD)
    city.devices.remove_device("old")
    before = shown(city)
    number = city.imports.run("devices", "a.csv", devices=[OLD], by="dana").id
    assert set(city.devices.snapshot().devices) == {"old"}
    city.imports.undo(number, by="dana")
    assert shown(city) == before


WRONG = {
    "unknown place": ([replace(NEW, mountings=(Mounting("havirov/nikde", 0),))], NotFound, "new: no place"),
    "twice": ([NEW, NEW], Invalid, "new: the device is given twice"),
    "name of another": ([replace(NEW, external_id="old")], Exists, "new: 'old' of native is that of device 'old'"),
    "bad id": ([replace(NEW, id="a/b")], Invalid, "'a/b' is no device id"),
}


@pytest.mark.parametrize(("devices", "error", "words"), WRONG.values(), ids=WRONG)
def test_one_wrong_item_is_named_and_nothing_comes_in(
    city: Ledger, devices: list[Device], error: type[Exception], words: str
) -> None:
    city.devices.add_device(OLD)
    before = shown(city), city.devices.version()
    with pytest.raises(error, match=words):
        city.imports.run("devices", "a.csv", places=[SITE], devices=devices, by="dana")
    assert (shown(city), city.devices.version()) == before


def test_what_was_changed_since_is_not_undone_over_somebodys_head(city: Ledger) -> None:
    city.devices.add_device(OLD)
    number = run(city)
    city.devices.change_device(replace(NEW, note="mended"))
    before = shown(city)
    with pytest.raises(Conflict, match=f"device 'new' was changed since import {number}"):
        city.imports.undo(number, by="dana")
    assert shown(city) == before


def test_a_place_that_others_use_by_now_keeps_the_import_from_being_undone(city: Ledger) -> None:
    number = city.imports.run("places", "a.csv", places=[SITE], by="dana").id
    city.devices.add_device(NEW)
    with pytest.raises(Conflict, match="devices stand there now"):
        city.imports.undo(number, by="dana")


def test_an_import_is_undone_once(city: Ledger) -> None:
    number = city.imports.run("devices", "a.csv", devices=[OLD], by="dana").id
    city.imports.undo(number, by="dana")
    with pytest.raises(Exists, match="undone already, by dana"):
        city.imports.undo(number, by="dana")
    with pytest.raises(NotFound, match="no import 99"):
        city.imports.undo(99, by="dana")
