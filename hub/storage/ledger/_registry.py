# SPDX-License-Identifier: EUPL-1.2
"""Places and devices.

Every change raises the registry's version in its own transaction, so a process that compares versions learns of a new
device without reading the registry. Registering a device leaves the order to redrive its waiting messages in the same
transaction: there is no moment at which the device is known and its messages are forgotten.

Removing a device ends its mountings and makes it a former one: its readings stay in their store, and what was computed
from them stays as it is, because the record of where it stood stays too. Its name in messages is free for another
device at once; its id is its own for ever, since the readings are stored under it. Registered again under the same id
it continues (`_mountings`).

The snapshot is shared by the threads of a process. It and the newest entry of the audit that it includes are replaced
together, by one thread at a time, whose transaction begins when it has its turn: so what is remembered never goes back.
"""

from collections.abc import Callable, Mapping, Sequence
from threading import Lock
from typing import Any, NamedTuple

from msgspec import to_builtins
from msgspec.structs import replace
from sqlalchemy import Connection, and_, delete, func, insert, or_, select, update

from hub.core.errors import Exists, Invalid, NotFound
from hub.core.places import Device, Mounting, Place, PlaceKind, RegistrySnapshot, check_device_id, check_place_id
from hub.core.ports import DeviceBook
from hub.core.readings import Grade, Origin
from hub.storage.ledger import _tables as t
from hub.storage.ledger._audit import record
from hub.storage.ledger._commands import leave_for_each
from hub.storage.ledger._database import Database
from hub.storage.ledger._ignored import forget, read_ignored
from hub.storage.ledger._json import dump, load
from hub.storage.ledger._mountings import check_mountings, continued, ended
from hub.storage.ledger._rows import Row
from hub.storage.ledger._statements import advance, execute_all, upsert

_D, _M, _P = t.device.c, t.mounting.c, t.place.c
_OF_DEVICES = frozenset({"device.add", "device.remove"})  # actions of the audit that change a device
_MOST_CHANGES = 5_000  # beyond it everything is read
_GRADES = {int(grade): grade for grade in Grade}
_ORIGINS = {int(origin): origin for origin in Origin}


class _Known(NamedTuple):
    """What was read last; `audited` is the newest entry of the audit that it includes."""

    snapshot: RegistrySnapshot
    audited: int


class Devices(DeviceBook):
    """`DeviceBook` on the ledger's database. `by` says in the audit who made a change."""

    def __init__(self, database: Database, clock: Callable[[], int], shards: int = 1) -> None:
        self._database = database
        self._clock = clock
        self._shards = shards
        self._known: _Known | None = None
        self._turn = Lock()  # of reading what is to be known next

    def version(self) -> int:
        """Grows with every change; one look-up by key."""
        with self._database.read() as connection:
            return _version(connection)

    def snapshot(self) -> RegistrySnapshot:
        """Everything at one version; when that has changed, only what the audit names is read again."""
        known = self._known
        if known is None or known.snapshot.version != self.version():
            with self._turn, self._database.read() as connection:
                known = self._known = _brought_up_to_date(connection, self._known)
        return known.snapshot

    def add_device(self, device: Device, *, by: str = "") -> Device:
        """Register a device and leave the order to redrive what waits for it. Raise Invalid, Exists, NotFound.

        Returns it as stored: a former device continues where it was removed.
        """
        check_device(device)
        with self._database.write() as connection:
            _refuse_taken(connection, device)
            _require_places(connection, [m.place for m in device.mountings])
            now = self._clock()
            device = _taken_over(connection, device)
            connection.execute(upsert(self._database.dialect, t.device), _device_row(device, now))
            _put_mountings(connection, device.id, device.mountings)
            waiting = {"connector": device.connector, "external_id": device.external_id, "reason": "unknown_device"}
            leave_for_each(connection, now, "redrive", waiting, self._shards)
            record(connection, now, by, "device.add", device.id, to_builtins(device))
            if forget(connection, device.connector, device.external_id):
                record(connection, now, by, "device.unignore", f"{device.connector}/{device.external_id}", {})
            advance(connection, t.REGISTRY_VERSION)
        return device

    def remove_device(self, device: str, *, by: str = "") -> None:
        """End the registration; what was measured stays where it was measured. Raise NotFound."""
        with self._database.write() as connection:
            known, removed_at = _read_devices(connection, [device]).get(device, (None, None))
            if known is None or removed_at is not None:
                raise NotFound(f"no device {device!r} is registered", "device")
            now = self._clock()
            _put_mountings(connection, device, ended(known.mountings, now))
            connection.execute(update(t.device).where(_D.id == device).values(removed_at=now))
            record(connection, now, by, "device.remove", device, to_builtins(known))
            advance(connection, t.REGISTRY_VERSION)

    def put_places(self, places: Sequence[Place], *, by: str = "") -> int:
        """Add or replace places, parents first; returns how many changed. All or none. Raise Invalid, NotFound."""
        for place in places:
            check_place(place)
        with self._database.write() as connection:
            known = _read_places(connection)
            changed = {place.id: place for place in places if known.get(place.id) != place}
            _require_parents(places, known)
            execute_all(connection, upsert(self._database.dialect, t.place), [_place_row(p) for p in changed.values()])
            if changed:
                record(connection, self._clock(), by, "place.put", " ".join(changed), {"count": len(changed)})
                advance(connection, t.REGISTRY_VERSION)
        return len(changed)


def check_device(device: Device) -> None:
    """Raise Invalid that names the field at fault."""
    check_device_id(device.id)
    for name, text in (("connector", device.connector), ("external_id", device.external_id)):
        if not text:
            raise Invalid("must not be empty: it is how messages of the device are recognised", name)
    if device.interval is not None and device.interval <= 0:
        raise Invalid(f"{device.interval} s is no interval: give seconds above 0, or leave it out", "interval")
    check_mountings(device.mountings)


def check_place(place: Place) -> None:
    """Raise Invalid unless the id is well formed and only a municipality stands at the top."""
    check_place_id(place.id)
    if (place.parent is None) != (place.kind == PlaceKind.MUNICIPALITY):
        raise Invalid(
            f"{place.id!r} is a {place.kind}: the first part of a place id is the municipality, and only that", "place"
        )


def _require_parents(places: Sequence[Place], known: Mapping[str, Place]) -> None:
    there = set(known)
    for place in places:
        if place.parent is not None and place.parent not in there:
            raise NotFound(f"{place.id!r} lies in {place.parent!r}, which does not exist: add that first", "place")
        there.add(place.id)


def _require_places(connection: Connection, places: Sequence[str]) -> None:
    for place in places:
        if connection.execute(select(_P.id).where(_P.id == place)).first() is None:
            raise NotFound(f"no place {place!r}: choose one of the list of places, or add it first", "place")


def _refuse_taken(connection: Connection, device: Device) -> None:
    same_name = and_(_D.connector == device.connector, _D.external_id == device.external_id)
    taken_by = select(_D.id, _D.title).where(_D.removed_at.is_(None), or_(_D.id == device.id, same_name))
    rows = connection.execute(taken_by)
    taken = dict(iter(rows))
    if device.id in taken:
        raise Exists(f"device {device.id!r} is registered already", "id")
    for other, title in taken.items():
        called = f" ({title})" if title else ""
        raise Exists(
            f"{device.external_id!r} of {device.connector} is registered already, as device {other!r}{called}",
            "external_id",
        )


def _taken_over(connection: Connection, device: Device) -> Device:
    """The device with what is known of the former one of its id."""
    former, removed_at = _read_devices(connection, [device.id]).get(device.id, (None, None))
    if former is None or removed_at is None:
        return device
    return replace(device, mountings=continued(former.mountings, removed_at, device.mountings))


def _put_mountings(connection: Connection, device: str, mountings: Sequence[Mounting]) -> None:
    connection.execute(delete(t.mounting).where(_M.device == device))
    execute_all(connection, insert(t.mounting), [_mounting_row(device, m) for m in mountings])


def _version(connection: Connection) -> int:
    statement = select(t.counter.c.value).where(t.counter.c.name == t.REGISTRY_VERSION)
    return int(connection.execute(statement).scalar_one())


def _device_row(device: Device, now: int) -> Row:
    return {
        "id": device.id,
        "connector": device.connector,
        "external_id": device.external_id,
        "title": device.title,
        "interval_s": device.interval,
        "grade": int(device.grade),
        "origin": int(device.origin),
        "registered_at": now,
        "removed_at": None,
    }


def _mounting_row(device: str, mounting: Mounting) -> Row:
    return {
        "device": device,
        "mounted_from": int(mounting.start),
        "mounted_to": None if mounting.end is None else int(mounting.end),
        "place": mounting.place,
    }


def _brought_up_to_date(connection: Connection, known: _Known | None) -> _Known:
    version = _version(connection)
    if known is not None and known.snapshot.version == version:  # another thread was first
        return known
    newest = connection.execute(select(func.max(t.audit.c.id))).scalar() or 0
    fresh = None if known is None else _read_changed(connection, version, known, newest)
    return _Known(fresh or _read_all(connection, version), newest)


def _read_all(connection: Connection, version: int) -> RegistrySnapshot:
    devices = _read_devices(connection)
    return RegistrySnapshot(
        version,
        {name: device for name, (device, removed_at) in devices.items() if removed_at is None},
        _read_places(connection),
        {name: device for name, (device, removed_at) in devices.items() if removed_at is not None},
        read_ignored(connection),
    )


def _read_changed(connection: Connection, version: int, known: _Known, newest: int) -> RegistrySnapshot | None:
    """Brought up to date by what the audit says since; None where that does not add up to what is there."""
    last, audited = known
    entries = select(t.audit.c.action, t.audit.c.subject).where(t.audit.c.id > audited).limit(_MOST_CHANGES + 1)
    changes = [(action, subject) for action, subject in connection.execute(entries)]
    if version < last.version or newest < audited or len(changes) > _MOST_CHANGES:
        return None
    devices, former = dict(last.devices), dict(last.former)
    names = sorted({subject for action, subject in changes if action in _OF_DEVICES})
    for name, (device, removed_at) in _read_devices(connection, names).items():
        (devices if removed_at is None else former)[name] = device
        (former if removed_at is None else devices).pop(name, None)
    if connection.execute(select(func.count()).select_from(t.device)).scalar() != len(devices) + len(former):
        return None
    return RegistrySnapshot(version, devices, _read_places(connection), former, read_ignored(connection))


def _read_devices(connection: Connection, only: Sequence[str] | None = None) -> dict[str, tuple[Device, int | None]]:
    """Devices with the time of their removal, None for those that are registered."""
    columns = _D.id, _D.connector, _D.external_id, _D.title, _D.interval_s, _D.grade, _D.origin, _D.removed_at
    devices = select(*columns).order_by(_D.id)
    mountings = select(_M.device, _M.place, _M.mounted_from, _M.mounted_to).order_by(_M.device, _M.mounted_from)
    if only is not None:
        devices, mountings = devices.where(_D.id.in_(only)), mountings.where(_M.device.in_(only))
    where: dict[str, list[Mounting]] = {}
    for name, *mounting in connection.execute(mountings):
        where.setdefault(name, []).append(Mounting(*mounting))
    return {row[0]: (_device(row[:-1], where.get(row[0], ())), row[-1]) for row in connection.execute(devices)}


def _device(columns: Sequence[Any], mountings: Sequence[Mounting]) -> Device:
    name, connector, external_id, title, interval, grade, origin = columns
    return Device(
        id=name,
        connector=connector,
        external_id=external_id,
        title=title,
        interval=interval,
        grade=_GRADES[grade],
        origin=_ORIGINS[origin],
        mountings=tuple(mountings),
    )


def _place_row(place: Place) -> Row:
    return {
        "id": place.id,
        "parent": place.parent,
        "kind": str(place.kind),
        "title": dump(dict(place.title)),
        "population": place.population,
        "population_date": place.population_date,
        "latitude": place.latitude,
        "longitude": place.longitude,
        "source": place.source,
    }


def _read_places(connection: Connection) -> dict[str, Place]:
    return {
        row.id: Place(
            id=row.id,
            kind=PlaceKind(row.kind),
            title=load(row.title),
            population=row.population,
            population_date=row.population_date,
            latitude=row.latitude,
            longitude=row.longitude,
            source=row.source,
        )
        for row in connection.execute(select(t.place).order_by(_P.id))
    }
