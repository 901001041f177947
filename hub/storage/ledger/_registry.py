# SPDX-License-Identifier: EUPL-1.2
"""Places and devices.

Every change raises the registry's version in its own transaction, so a process that compares versions learns of a new
device without reading the registry. Registering a device leaves the order to redrive its waiting messages in the same
transaction: there is no moment at which the device is known and its messages are forgotten. So does another name in
messages, another model, and another piece of hardware.

Removing a device ends its mountings and makes it a former one: its readings stay in their store, and what was computed
from them stays as it is, because the record of where it stood stays too. Its name in messages is free for another
device at once; its id is its own for ever, since the readings are stored under it. Registered again under the same id
it continues (`_mountings`). What it showed the broker is worth nothing from the same moment on.

The snapshot is shared by the threads of a process. It and the newest entry of the audit that it includes are replaced
together, by one thread at a time, whose transaction begins when it has its turn: so what is remembered never goes back.
"""

from collections.abc import Callable, Mapping, Sequence
from threading import Lock

from msgspec.structs import replace
from sqlalchemy import Connection, and_, or_, select, update

from hub.core.errors import Conflict, Exists, NotFound
from hub.core.places import Device, Mounting, Place, RegistrySnapshot
from hub.core.ports import DeviceBook
from hub.core.registry import Facility, Hardware
from hub.storage.ledger import _places as places
from hub.storage.ledger import _tables as t
from hub.storage.ledger._audit import Change, record, record_changes
from hub.storage.ledger._commands import leave_for_each
from hub.storage.ledger._credentials import disable_in, refuse_bridge_names
from hub.storage.ledger._database import Database
from hub.storage.ledger._device_rows import device_row, put_mountings, read_devices, read_facilities, read_hardware
from hub.storage.ledger._hardware import continue_totals, put_hardware
from hub.storage.ledger._ignored import forget
from hub.storage.ledger._mountings import check_mountings, continued, ended, moved
from hub.storage.ledger._registry_checks import check_device, check_stand
from hub.storage.ledger._snapshots import Known, brought_up_to_date, read_version
from hub.storage.ledger._statements import advance, upsert

_D = t.device.c


class Devices(DeviceBook):
    """`DeviceBook` on the ledger's database. `by` says in the audit who made a change."""

    def __init__(self, database: Database, clock: Callable[[], int], shards: int = 1) -> None:
        self._database = database
        self._clock = clock
        self._shards = shards
        self._known: Known | None = None
        self._turn = Lock()  # of reading what is to be known next
        self._facilities: tuple[int, Mapping[str, Facility]] = (-1, {})

    def version(self) -> int:
        """Grows with every change; one look-up by key."""
        with self._database.read() as connection:
            return read_version(connection)

    def snapshot(self) -> RegistrySnapshot:
        """Everything at one version; when that has changed, only what the audit names is read again."""
        known = self._known
        if known is not None and known.snapshot.version == self.version():
            return known.snapshot
        with self._turn, self._database.read() as connection:
            self._known = known = brought_up_to_date(connection, self._known)
        return known.snapshot

    def add_device(self, device: Device, *, by: str = "") -> Device:
        """Register a device and leave the order to redrive what waits for it. Raise Invalid, Exists, NotFound.

        Returns it as stored: a former device continues where it was removed.
        """
        check_device(device)
        with self._database.write() as connection:
            refuse_taken(connection, device)
            refuse_bridge_names(connection, [device.id])
            require_places(connection, [m.place for m in device.mountings])
            device = replace(taken_over(connection, device), registered_at=self._clock())
            device = self._put(connection, None, device, "device.add", by)
            self._named(connection, device, by)
        return device

    def change_device(self, device: Device, *, by: str = "", expected: int | None = None) -> Device:
        """Replace all but id, time of registration and mountings. Raise NotFound, Exists, Invalid, Conflict."""
        with self._database.write() as connection:
            before = registered(connection, device.id, expected)
            after = replace(
                device, mountings=before.mountings, registered_at=before.registered_at, revision=before.revision
            )
            check_device(after)
            if after == before:
                return before
            renamed = (before.connector, before.external_id) != (after.connector, after.external_id)
            if renamed:
                refuse_taken(connection, after, but=after.id)
            after = self._put(connection, before, after, "device.change", by)
            if renamed:
                self._named(connection, after, by)
            if before.model != after.model:  # another meaning of its fields: what could not be read, may be now
                waiting = {"connector": after.connector, "external_id": after.external_id}
                leave_for_each(connection, self._clock(), "redrive", waiting, self._shards)
            return after

    def mount(self, device: str, mounting: Mounting, *, by: str = "", expected: int | None = None) -> Device:
        """Move a device from `mounting.start` on. Raise NotFound, Invalid, Conflict."""
        check_stand(mounting)
        with self._database.write() as connection:
            before = registered(connection, device, expected)
            after = replace(before, mountings=moved(before.mountings, mounting))
            require_places(connection, [mounting.place])
            return self._put(connection, before, after, "device.mount", by)

    def correct_mountings(
        self, device: str, mountings: Sequence[Mounting], *, by: str = "", expected: int | None = None
    ) -> Device:
        """Say where a device really stood. Raise NotFound, Invalid, Conflict."""
        check_mountings(mountings)
        for mounting in mountings:
            check_stand(mounting)
        with self._database.write() as connection:
            before = registered(connection, device, expected)
            after = replace(before, mountings=tuple(sorted(mountings, key=lambda m: m.start)))
            require_places(connection, [m.place for m in mountings])
            return before if after == before else self._put(connection, before, after, "device.correct_mountings", by)

    def replace_hardware(
        self,
        hardware: Hardware,
        totals: Mapping[str, tuple[float, float]],
        *,
        by: str = "",
        expected: int | None = None,
    ) -> Device:
        """Put another piece of hardware behind a device. Raise NotFound, Exists, Invalid, Conflict."""
        with self._database.write() as connection:
            before = registered(connection, hardware.device, expected)
            after = replace(
                before,
                external_id=hardware.external_id or before.external_id,
                model=hardware.model or before.model,
                serial=hardware.serial,
            )
            check_device(after)
            if after.external_id != before.external_id:
                refuse_taken(connection, after, but=after.id)
            now = self._clock()
            shifts = continue_totals(connection, now, hardware, totals, by)
            put_hardware(connection, before, replace(hardware, continued=shifts, by=by))
            after = self._put(connection, before, after, "device.replace_hardware", by)
            self._named(connection, after, by)
            return after

    def remove_device(self, device: str, *, by: str = "", why: str = "", expected: int | None = None) -> None:
        """End the registration; what was measured stays where it was measured. Raise NotFound, Conflict."""
        with self._database.write() as connection:
            before = registered(connection, device, expected)
            now = self._clock()
            gone = replace(before, mountings=ended(before.mountings, now), revision=before.revision + 1)
            put_mountings(connection, {device: gone.mountings})
            connection.execute(update(t.device).where(_D.id == device).values(removed_at=now, revision=gone.revision))
            detail = {"why": why} if why else {}
            record_changes(connection, now, by, [Change("device.remove", device, before, None, detail)])
            disable_in(connection, now, [device], by=by, why=why or "the device was removed")
            advance(connection, t.REGISTRY_VERSION)

    def put_places(
        self, given: Sequence[Place], *, by: str = "", based_on: Mapping[str, Place | None] | None = None
    ) -> int:
        """Add or replace places, parents first; returns how many changed. All or none.

        Raise Invalid, NotFound; Conflict where one is not as the caller saw it.
        """
        with self._database.write() as connection:
            places.refuse_changed(connection, based_on or {})
            return places.put(connection, self._database.dialect, self._clock(), given, by)

    def remove_place(self, place: str, *, by: str = "", based_on: Place | None = None) -> None:
        """Take away a place where nothing ever stood and below which nothing lies. Raise NotFound, Exists, Conflict."""
        with self._database.write() as connection:
            places.refuse_changed(connection, {} if based_on is None else {place: based_on})
            places.remove(connection, self._clock(), place, by)

    def put_facility(self, facility: Facility, *, by: str = "", expected: int | None = None) -> Facility:
        """Say what serves people at a place. Raise NotFound (the place), Invalid, Conflict."""
        with self._database.write() as connection:
            return places.put_facility(connection, self._database.dialect, self._clock(), facility, by, expected)

    def remove_facility(self, place: str, *, by: str = "", expected: int | None = None) -> None:
        """Take it back; raise NotFound, Conflict."""
        with self._database.write() as connection:
            places.remove_facility(connection, self._clock(), place, by, expected)

    def facilities(self) -> Mapping[str, Facility]:
        """All by place; read again when the registry has changed."""
        version, known = self._facilities
        if version == self.version():
            return known
        with self._database.read() as connection:
            self._facilities = read_version(connection), read_facilities(connection)
        return self._facilities[1]

    def hardware(self, device: str) -> Sequence[Hardware]:
        """What stood behind a registered or former device, oldest first. Raise NotFound."""
        with self._database.read() as connection:
            found = read_devices(connection, [device]).get(device)
            if found is None:
                raise NotFound(f"no device {device!r} is registered", "device")
            return read_hardware(connection, found[0])

    def _put(self, connection: Connection, before: Device | None, after: Device, action: str, by: str) -> Device:
        """Write a device as it is from now on, with its next revision."""
        after = replace(after, revision=(before or after).revision + 1)
        connection.execute(upsert(self._database.dialect, t.device), device_row(after))
        if before is None or before.mountings != after.mountings:
            put_mountings(connection, {after.id: after.mountings})
        record_changes(connection, self._clock(), by, [Change(action, after.id, before, after)])
        advance(connection, t.REGISTRY_VERSION)
        return after

    def _named(self, connection: Connection, device: Device, by: str) -> None:
        """The device has a name in messages that it did not have before: what waits under it is redriven."""
        now = self._clock()
        waiting = {"connector": device.connector, "external_id": device.external_id, "reason": "unknown_device"}
        leave_for_each(connection, now, "redrive", waiting, self._shards)
        if forget(connection, device.connector, device.external_id):
            record(connection, now, by, "device.unignore", f"{device.connector}/{device.external_id}", {})


def registered(connection: Connection, device: str, expected: int | None = None) -> Device:
    """A device that is registered now; raise NotFound, Conflict."""
    known, removed_at = read_devices(connection, [device]).get(device, (None, None))
    if known is None or removed_at is not None:
        raise NotFound(f"no device {device!r} is registered", "device")
    if expected is not None and known.revision != expected:
        raise Conflict(
            f"device {device!r} was changed in between (revision {known.revision}, not {expected}): read it again",
            "revision",
        )
    return known


def require_places(connection: Connection, names: Sequence[str]) -> None:
    """Raise NotFound for a place that does not exist."""
    for place in names:
        if connection.execute(select(t.place.c.id).where(t.place.c.id == place)).first() is None:
            raise NotFound(f"no place {place!r}: choose one of the list of places, or add it first", "place")


def refuse_taken(connection: Connection, device: Device, but: str | None = None) -> None:
    """Raise Exists when the id or the name in messages is another registered device's."""
    same_name = and_(_D.connector == device.connector, _D.external_id == device.external_id)
    taken_by = select(_D.id, _D.title).where(_D.removed_at.is_(None), or_(_D.id == device.id, same_name))
    taken = {name: title for name, title in connection.execute(taken_by) if name != but}
    if device.id in taken:
        raise Exists(f"device {device.id!r} is registered already", "id")
    for other, title in taken.items():
        called = f" ({title})" if title else ""
        raise Exists(
            f"{device.external_id!r} of {device.connector} is registered already, as device {other!r}{called}",
            "external_id",
        )


def taken_over(connection: Connection, device: Device) -> Device:
    """The device with what is known of the former one of its id."""
    former, removed_at = read_devices(connection, [device.id]).get(device.id, (None, None))
    if former is None or removed_at is None:
        return replace(device, revision=0)
    mountings = continued(former.mountings, removed_at, device.mountings)
    return replace(device, mountings=mountings, revision=former.revision)
