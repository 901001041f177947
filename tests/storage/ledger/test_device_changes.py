# SPDX-License-Identifier: EUPL-1.2
"""Changes of devices, places and facilities, on both databases."""

from collections.abc import Callable

import numpy as np
import pytest
from msgspec.structs import replace

from hub.core.errors import Conflict, Exists, Invalid, NotFound
from hub.core.places import Device, Earlier, Mounting, Place, PlaceKind
from hub.core.readings import Columns, Series
from hub.core.registry import Certificate, Draft, Facility, Hardware, Photo
from hub.indicators.corrections import corrected
from hub.storage.ledger import Ledger
from tests.storage.ledger.conftest import TITLE

METER = Device(
    id="meter", connector="wmbusmeters", external_id="111", title="Water", mountings=(Mounting("havirov", 0),)
)
HOUR = 3_600_000_000_000
REPLACED = 400_000 * HOUR


@pytest.fixture
def meter(city: Ledger) -> Ledger:
    city.devices.add_device(METER)
    return city


def test_a_change_keeps_mountings_counts_revisions_and_tells_before_and_after(meter: Ledger) -> None:
    changed = meter.devices.change_device(
        replace(METER, title="Voda", tags=("x",), mountings=()), by="dana", expected=1
    )
    assert (changed.title, changed.mountings, changed.revision) == ("Voda", METER.mountings, 2)
    assert meter.devices.snapshot().devices["meter"] == changed
    (entry,) = meter.audit.read(subject="meter", action="device.change")
    assert entry.before is not None
    assert entry.after is not None
    assert (entry.actor, entry.before["title"], entry.after["title"]) == ("dana", "Water", "Voda")
    assert meter.devices.change_device(changed) == changed


STALE: dict[str, Callable[[Ledger], object]] = {
    "change": lambda city: city.devices.change_device(METER, expected=7),
    "mount": lambda city: city.devices.mount("meter", Mounting("havirov", 9), expected=7),
    "mountings": lambda city: city.devices.correct_mountings("meter", (), expected=7),
    "hardware": lambda city: city.devices.replace_hardware(Hardware(device="meter", start=9), {}, expected=7),
}


@pytest.mark.parametrize("act", STALE.values(), ids=STALE)
def test_a_change_based_on_another_revision_is_refused(meter: Ledger, act: Callable[[Ledger], object]) -> None:
    before = meter.devices.snapshot()
    with pytest.raises(Conflict, match="changed in between"):
        act(meter)
    assert meter.devices.snapshot() == before


def test_a_move_ends_what_is_open_and_keeps_height_and_orientation(meter: Ledger) -> None:
    new = Mounting("havirov/mesto/thara", 50, None, 2.5, 90.0)
    assert meter.devices.mount("meter", new).mountings == (Mounting("havirov", 0, 50), new)
    with pytest.raises(Invalid, match="let the new mounting begin after that"):
        meter.devices.mount("meter", Mounting("havirov", 50))
    stood = (Mounting("havirov/mesto", 0),)
    assert meter.devices.correct_mountings("meter", stood).mountings == stood
    assert meter.devices.snapshot().devices["meter"].mountings == stood


def test_totals_of_a_new_meter_go_on_where_the_old_one_ended_also_the_second_time(meter: Ledger) -> None:
    """What every figure reads, from the corrections that the ledger keeps."""
    first = Hardware(device="meter", start=REPLACED, serial="B", external_id="222", reason="worn")
    meter.devices.replace_hardware(first, {"water_volume": (1000.0, 3.0)}, by="dana")
    second = replace(first, start=REPLACED + 10 * HOUR, serial="C", external_id="333")
    meter.devices.replace_hardware(second, {"water_volume": (8.0, 0.5)}, by="dana")
    times = [REPLACED - HOUR, REPLACED, REPLACED + 9 * HOUR, REPLACED + 10 * HOUR, REPLACED + 11 * HOUR]
    reported = [1000.0, 3.0, 8.0, 0.5, 2.5]
    columns = Columns(
        [Series("meter", "water_volume")], np.zeros(5, "i4"), np.array(times, "i8"), np.array(reported),
        np.ones(5, "u1"), np.zeros(5, "u1"),
    )  # fmt: skip
    assert corrected(columns, meter.corrections.after()).value.tolist() == [1000.0, 1000.0, 1005.0, 1005.0, 1007.0]
    assert [(h.external_id, h.start, h.end) for h in meter.devices.hardware("meter")] == [
        ("111", meter.devices.snapshot().devices["meter"].registered_at, REPLACED),
        ("222", REPLACED, REPLACED + 10 * HOUR),
        ("333", REPLACED + 10 * HOUR, None),
    ]
    assert [order.arguments["external_id"] for order in meter.commands.pending()] == ["111", "222", "333"]
    assert meter.devices.snapshot().earlier == {
        ("wmbusmeters", "111"): [Earlier("meter", 0, REPLACED)],
        ("wmbusmeters", "222"): [Earlier("meter", REPLACED, REPLACED + 10 * HOUR)],
    }


def test_places_lie_where_their_kind_may(city: Ledger) -> None:
    part = Place(id="havirov/mesto/thara/part", kind=PlaceKind.PART, title=TITLE)
    with pytest.raises(Invalid, match="is a part and lies in 'havirov/mesto/thara', a site"):
        city.devices.put_places([part])
    with pytest.raises(Invalid, match=r"95\.0 is no latitude"):
        city.devices.put_places([Place(id="havirov/x", kind=PlaceKind.SITE, title=TITLE, latitude=95.0, longitude=1.0)])


def test_a_place_goes_only_when_nothing_hangs_on_it(meter: Ledger) -> None:
    with pytest.raises(Exists, match="other places lie in it"):
        meter.devices.remove_place("havirov/mesto")
    meter.devices.remove_place("havirov/mesto/thara", by="dana")
    assert "havirov/mesto/thara" not in meter.devices.snapshot().places
    with pytest.raises(NotFound):
        meter.devices.remove_place("havirov/mesto/thara")


def test_a_facility_is_put_changed_and_taken_back(city: Ledger) -> None:
    hall = Facility(place="havirov/mesto/thara", category="sports_hall", capacity=120.0, owner="p")
    assert city.devices.put_facility(hall, expected=0).revision == 1
    assert city.devices.put_facility(hall).revision == 1
    with pytest.raises(Conflict):
        city.devices.put_facility(replace(hall, capacity=1.0), expected=7)
    with pytest.raises(Invalid, match="is none of sports_hall"):
        city.devices.put_facility(replace(hall, category="castle"))
    with pytest.raises(Invalid, match="is a municipality"):
        city.devices.put_facility(replace(hall, place="havirov"))
    assert city.devices.facilities() == {hall.place: replace(hall, revision=1)}
    city.devices.remove_facility(hall.place)
    assert city.devices.facilities() == {}


def test_remarks_pictures_and_certificates_stand_beside_a_device(meter: Ledger) -> None:
    note = meter.records.add_note("device:meter", "wet cellar", by="dana")
    photo = Photo(id=0, subject="device:meter", sha256="ab", media_type="image/jpeg", width=1, height=1, size=1,
                  caption="", by="", at=0)  # fmt: skip
    kept = meter.records.add_photo(photo, by="dana")
    assert meter.records.add_photo(photo, by="petr") == kept
    paper = Certificate(id=0, device="meter", quantity="water_volume", number="7", laboratory="CMI",
                        issued="2026-01-02",
                        valid_from=0, valid_to=HOUR, scale=1.01, shift=0.0, correction=0, by="", at=0)  # fmt: skip
    made = meter.records.add_certificate(paper, by="dana")
    assert meter.corrections.get(made.correction).scale == 1.01
    assert (meter.records.notes("device:meter"), meter.records.photos("device:meter")) == ([note], [kept])
    assert meter.records.certificates("meter") == [made]
    meter.records.remove_note(note.id, by="dana")
    assert meter.records.notes("device:meter") == []
    with pytest.raises(NotFound, match="there is no device 'x'"):
        meter.records.add_note("device:x", "?", by="dana")


def test_a_draft_is_its_authors_alone(ledger: Ledger) -> None:
    made = ledger.records.save_draft(Draft(id="", kind="device", document={"a": 1}, by="dana", made_at=0, changed_at=0))
    assert ledger.records.draft(made.id, by="dana") == made
    with pytest.raises(NotFound):
        ledger.records.draft(made.id, by="petr")
    with pytest.raises(NotFound):
        ledger.records.save_draft(replace(made, by="petr"))
    with pytest.raises(Invalid, match="64 kB"):
        ledger.records.save_draft(replace(made, document={"a": "x" * 70_000}))
    ledger.records.drop_draft(made.id, by="petr")
    assert ledger.records.drafts(by="dana") == [made]
    ledger.records.drop_draft(made.id, by="dana")
    assert ledger.records.drafts() == []
