# SPDX-License-Identifier: EUPL-1.2
"""Places and devices, on both databases."""

import contextlib
import random
import sys
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from threading import Event

import pytest
from msgspec.structs import replace

from hub.core.errors import Exists, Invalid, NotFound
from hub.core.places import Device, Mounting, Place, PlaceKind, RegistrySnapshot
from hub.core.readings import Grade, Origin
from hub.storage.ledger import Ledger
from tests.storage.ledger.conftest import PLACES, TITLE

THARA = Device(
    id="THARA_1-a",
    connector="chirpstack",
    external_id="24e124128a123456",
    title="Stanice Thara č. 1",
    interval=3600,
    grade=Grade.REFERENCE,
    origin=Origin.IMPORTED,
    mountings=(Mounting("havirov", 0, 500), Mounting("havirov/mesto/thara", 500)),
)
PLAIN = Device(id="plain", connector="native", external_id="plain")


def bare(device: Device) -> Device:
    """A device as it was given: without what the registry adds."""
    return replace(device, registered_at=0, revision=0)


def bare_all(devices: Mapping[str, Device]) -> dict[str, Device]:
    return {name: bare(device) for name, device in devices.items()}


def test_a_registered_device_is_in_the_snapshot_as_given(city: Ledger) -> None:
    assert bare(city.devices.add_device(THARA)) == THARA
    city.devices.add_device(PLAIN)
    assert bare_all(city.devices.snapshot().devices) == {"THARA_1-a": THARA, "plain": PLAIN}


def test_registering_leaves_the_order_to_redrive_what_waits(city: Ledger) -> None:
    city.devices.add_device(THARA)
    (order,) = city.commands.pending()
    assert order.kind == "redrive"
    assert order.arguments == {
        "connector": "chirpstack",
        "external_id": "24e124128a123456",
        "reason": "unknown_device",
    }


REFUSED = {
    "id with a slash": (replace(PLAIN, id="a/b"), Invalid, "'a/b' is no device id"),
    "empty id": (replace(PLAIN, id=""), Invalid, "'' is no device id"),
    "no connector": (replace(PLAIN, connector=""), Invalid, "connector: must not be empty"),
    "no external id": (replace(PLAIN, external_id=""), Invalid, "external_id: must not be empty"),
    "interval 0": (replace(PLAIN, interval=0), Invalid, "interval: 0 s is no interval"),
    "place that is none": (replace(PLAIN, mountings=(Mounting("Havířov", 0),)), Invalid, "'Havířov' is no place id"),
    "unknown place": (
        replace(PLAIN, mountings=(Mounting("havirov/nikde", 0),)),
        NotFound,
        "place: no place 'havirov/nikde': choose one of the list of places, or add it first",
    ),
    "ends before it starts": (replace(PLAIN, mountings=(Mounting("havirov", 5, 5),)), Invalid, "must end after"),
    "two places at once": (
        replace(PLAIN, mountings=(Mounting("havirov", 0), Mounting("havirov/mesto", 5))),
        Invalid,
        "at havirov and at havirov/mesto at the same time",
    ),
    "id taken": (replace(PLAIN, id="THARA_1-a"), Exists, "id: device 'THARA_1-a' is registered already"),
    "external id taken": (
        replace(PLAIN, connector="chirpstack", external_id="24e124128a123456"),
        Exists,
        r"external_id: '24e124128a123456' of chirpstack is registered already, as device 'THARA_1-a' \(Stanice Thara",
    ),
}


@pytest.mark.parametrize(("device", "error", "message"), REFUSED.values(), ids=REFUSED)
def test_what_cannot_be_registered_is_named_and_changes_nothing(
    city: Ledger, device: Device, error: type[Exception], message: str
) -> None:
    city.devices.add_device(THARA)
    before = city.devices.snapshot(), city.commands.pending()
    with pytest.raises(error, match=message):
        city.devices.add_device(device)
    assert (city.devices.snapshot(), city.commands.pending()) == before


def test_the_same_external_id_may_belong_to_devices_of_two_connectors(city: Ledger) -> None:
    city.devices.add_device(THARA)
    city.devices.add_device(replace(PLAIN, external_id=THARA.external_id))
    assert len(city.devices.snapshot().devices) == 2


def removed(ledger: Ledger, device: Device) -> int:
    """Register and remove a device; returns when it was removed."""
    ledger.devices.add_device(device)
    ledger.devices.remove_device(device.id, by="dana")
    return ledger.audit.entries(subject=device.id, limit=1)[0].at


def test_a_removed_device_is_former_and_stood_where_it_stood_until_then(city: Ledger) -> None:
    at = removed(city, THARA)
    snapshot = city.devices.snapshot()
    stood = (Mounting("havirov", 0, 500), Mounting("havirov/mesto/thara", 500, at))
    assert snapshot.devices == {}
    assert bare_all(snapshot.former) == {THARA.id: replace(THARA, mountings=stood)}
    assert snapshot.known == snapshot.former


def test_a_device_that_comes_back_to_its_place_was_never_away(city: Ledger) -> None:
    removed(city, THARA)
    back = replace(THARA, title="again", mountings=(Mounting("havirov/mesto/thara", 0),))
    assert bare(city.devices.add_device(back)) == replace(THARA, title="again")
    assert bare_all(city.devices.snapshot().devices) == {THARA.id: replace(THARA, title="again")}
    assert city.devices.snapshot().former == {}


def test_a_device_that_comes_back_elsewhere_stands_there_from_its_removal(city: Ledger) -> None:
    at = removed(city, THARA)
    back = city.devices.add_device(replace(THARA, mountings=(Mounting("havirov", 0),)))
    assert back.mountings[1:] == (Mounting("havirov/mesto/thara", 500, at), Mounting("havirov", at))
    assert city.devices.snapshot().devices[THARA.id] == back


def test_a_device_cannot_come_back_to_a_time_in_which_it_stood_elsewhere(city: Ledger) -> None:
    removed(city, THARA)
    before = city.devices.snapshot()
    with pytest.raises(Invalid, match=r"mountings: the device stood at havirov until 1970-01-01T00:00:00.0000005Z"):
        city.devices.add_device(replace(THARA, mountings=(Mounting("havirov", 400),)))
    assert city.devices.snapshot() == before


def test_a_former_device_cannot_be_removed_again_until_it_is_back(city: Ledger) -> None:
    removed(city, PLAIN)
    with pytest.raises(NotFound, match="no device 'plain' is registered"):
        city.devices.remove_device("plain")
    city.devices.add_device(PLAIN)
    city.devices.remove_device("plain")
    assert bare_all(city.devices.snapshot().former) == {"plain": PLAIN}


def test_the_external_id_of_a_removed_device_is_free_for_another(city: Ledger) -> None:
    removed(city, THARA)
    heir = replace(PLAIN, connector=THARA.connector, external_id=THARA.external_id)
    city.devices.add_device(heir)
    assert bare_all(city.devices.snapshot().devices) == {"plain": heir}
    with pytest.raises(Exists, match=r"external_id: .* as device 'plain'"):
        city.devices.add_device(THARA)


def test_removing_what_is_not_registered_says_so(city: Ledger) -> None:
    with pytest.raises(NotFound, match="device: no device 'nobody' is registered"):
        city.devices.remove_device("nobody")


def test_the_audit_keeps_the_registration_of_a_removed_device(city: Ledger) -> None:
    city.devices.add_device(THARA, by="dana")
    city.devices.remove_device(THARA.id, by="petr")
    removed, added = city.audit.entries(subject=THARA.id)
    assert [(e.actor, e.action) for e in (added, removed)] == [("dana", "device.add"), ("petr", "device.remove")]
    assert removed.before == added.after
    assert added.before is removed.after is None
    assert removed.before is not None
    assert removed.before["external_id"] == THARA.external_id


def test_places_come_back_as_given_and_are_counted_once(ledger: Ledger) -> None:
    assert ledger.devices.put_places(PLACES) == 3
    assert ledger.devices.put_places(PLACES) == 0
    assert ledger.devices.snapshot().places == {place.id: place for place in PLACES}


def test_a_changed_place_is_replaced(city: Ledger) -> None:
    changed = replace(PLACES[1], title={"cs": "Havířov-Město", "en": "Havířov-Město"}, population=None)
    assert city.devices.put_places([PLACES[0], changed]) == 1
    assert city.devices.snapshot().places[changed.id] == changed


ODD_PLACES = {
    "child before parent": (
        Place(id="brno/stred", kind=PlaceKind.PART, title=TITLE),
        NotFound,
        "'brno/stred' lies in 'brno', which does not exist: add that first",
    ),
    "part at the top": (Place(id="brno", kind=PlaceKind.PART, title=TITLE), Invalid, "is the municipality, and only"),
    "municipality below": (Place(id="havirov/x", kind=PlaceKind.MUNICIPALITY, title=TITLE), Invalid, "municipality"),
    "upper case": (Place(id="Brno", kind=PlaceKind.MUNICIPALITY, title=TITLE), Invalid, "'Brno' is no place id"),
}


@pytest.mark.parametrize(("place", "error", "message"), ODD_PLACES.values(), ids=ODD_PLACES)
def test_a_place_that_hangs_in_the_air_is_refused_with_all_that_come_with_it(
    city: Ledger, place: Place, error: type[Exception], message: str
) -> None:
    good = Place(id="havirov/podlesi", kind=PlaceKind.PART, title=TITLE)
    with pytest.raises(error, match=message):
        city.devices.put_places([good, place])
    assert set(city.devices.snapshot().places) == {p.id for p in PLACES}


def test_the_version_grows_with_every_change_and_only_then(ledger: Ledger) -> None:
    def change(act: Callable[[], object]) -> int:
        before = ledger.devices.version()
        act()
        return ledger.devices.version() - before

    assert change(lambda: ledger.devices.put_places(PLACES)) == 1
    assert change(lambda: ledger.devices.put_places(PLACES)) == 0
    assert change(lambda: ledger.devices.add_device(PLAIN)) == 1
    assert change(ledger.devices.snapshot) == 0
    assert change(lambda: ledger.devices.remove_device("plain")) == 1


def test_a_snapshot_is_read_again_only_after_a_change_by_whomever(open_ledger: Callable[..., Ledger]) -> None:
    here, there = open_ledger(), open_ledger()
    here.devices.put_places(PLACES)
    first: RegistrySnapshot = there.devices.snapshot()
    assert there.devices.snapshot() is first
    here.devices.add_device(PLAIN)
    assert set(there.devices.snapshot().devices) == {"plain"}
    assert first.devices == {}


def test_a_snapshot_that_follows_changes_equals_one_that_is_read_whole(open_ledger: Callable[..., Ledger]) -> None:
    """Any history of registering, removing, coming back, ignoring and moving places, by another process."""
    chance = random.Random(3)
    follower, writer = open_ledger(), open_ledger()
    writer.devices.put_places(PLACES)
    follower.devices.snapshot()
    for _ in range(60):
        name = f"d-{chance.randrange(6)}"
        with contextlib.suppress(Exists, NotFound, Invalid):
            match chance.randrange(5):
                case 0 | 1:
                    mounted = () if chance.random() < 0.5 else (Mounting("havirov/mesto/thara", 0),)
                    writer.devices.add_device(Device(id=name, connector="native", external_id=name, mountings=mounted))
                case 2:
                    writer.devices.remove_device(name)
                case 3:
                    writer.ignored.add("native", name, why="foreign")
                case _:
                    writer.devices.put_places([replace(PLACES[1], population=chance.randrange(5))])
        if chance.random() < 0.5:
            assert follower.devices.snapshot() == open_ledger().devices.snapshot()
    assert follower.devices.snapshot() == open_ledger().devices.snapshot()


@pytest.fixture
def restless() -> Iterator[None]:
    """Threads take turns as often as they can."""
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-5)
    yield
    sys.setswitchinterval(before)


@pytest.mark.usefixtures("restless")
def test_threads_that_share_snapshots_never_keep_a_wrong_one_nor_see_an_older_one(
    open_ledger: Callable[..., Ledger],
) -> None:
    """Four threads ask while devices come and go; whenever it is quiet, all is as in a ledger opened anew."""
    chance = random.Random(1)
    shared, writer = open_ledger(), open_ledger()
    stop = Event()

    def ask() -> bool:
        versions = [0]
        while not stop.is_set():
            versions.append(shared.devices.snapshot().version)
        return versions == sorted(versions)

    with ThreadPoolExecutor(4) as threads:
        asking = [threads.submit(ask) for _ in range(4)]
        try:
            for step in range(150):
                name = f"d-{chance.randrange(12)}"
                with contextlib.suppress(Exists):
                    writer.devices.add_device(Device(id=name, connector="native", external_id=name))
                    continue
                writer.devices.remove_device(name)
                if step % 10 == 0:
                    assert shared.devices.snapshot() == open_ledger().devices.snapshot()
        finally:
            stop.set()
        assert all(thread.result() for thread in asking)
    assert shared.devices.snapshot() == open_ledger().devices.snapshot()
