# SPDX-License-Identifier: EUPL-1.2
"""Devices, places, facilities and hardware as rows of their tables, and back."""

from collections.abc import Mapping, Sequence
from typing import Any

from msgspec import convert
from msgspec.structs import asdict
from sqlalchemy import Connection, bindparam, delete, insert, select

from hub.core.places import Device, Earlier, Mounting, Place, PlaceKind
from hub.core.readings import Grade, Origin
from hub.core.registry import Facility, Hardware
from hub.storage.ledger import _tables as t
from hub.storage.ledger._json import dump, load
from hub.storage.ledger._rows import Row
from hub.storage.ledger._statements import execute_all

_D, _M, _P, _F, _H = t.device.c, t.mounting.c, t.place.c, t.facility.c, t.hardware.c
_GRADES = {int(grade): grade for grade in Grade}
_ORIGINS = {int(origin): origin for origin in Origin}
_PARAMETERS = 900  # in one statement
_KEPT = ("serial", "external_id", "model", "reason", "by", "continued")  # of hardware, in its document

Stored = tuple[Device, int | None]  # with the time of its removal, None while it is registered


def device_row(device: Device, removed_at: int | None = None) -> Row:
    """A device without its mountings."""
    return {
        "id": device.id,
        "connector": device.connector,
        "external_id": device.external_id,
        "title": device.title,
        "interval_s": device.interval,
        "grade": int(device.grade),
        "origin": int(device.origin),
        "registered_at": device.registered_at,
        "removed_at": removed_at,
        "model": device.model,
        "serial": device.serial,
        "owner": device.owner,
        "tags": dump(list(device.tags)),
        "note": device.note,
        "revision": device.revision,
    }


def mounting_row(device: str, mounting: Mounting) -> Row:
    """One mounting of a device."""
    return {
        "device": device,
        "mounted_from": int(mounting.start),
        "mounted_to": None if mounting.end is None else int(mounting.end),
        "place": mounting.place,
        "height": mounting.height,
        "orientation": mounting.orientation,
    }


def put_mountings(connection: Connection, devices: Mapping[str, Sequence[Mounting]]) -> None:
    """Let these devices have exactly these mountings."""
    names = [{"name": name} for name in devices]
    execute_all(connection, delete(t.mounting).where(_M.device == bindparam("name")), names)
    rows = [mounting_row(name, m) for name, mountings in devices.items() for m in mountings]
    execute_all(connection, insert(t.mounting), rows)


def read_devices(connection: Connection, only: Sequence[str] | None = None) -> dict[str, Stored]:
    """Devices in order of id, former ones too."""
    if only is not None and len(only) > _PARAMETERS:
        parts = [only[i : i + _PARAMETERS] for i in range(0, len(only), _PARAMETERS)]
        return {name: one for part in parts for name, one in read_devices(connection, part).items()}
    devices = select(t.device).order_by(_D.id)
    mountings = select(
        _M.device, _M.place, _M.mounted_from, _M.mounted_to, _M.height, _M.orientation
    ).order_by(_M.device, _M.mounted_from)  # fmt: skip
    if only is not None:
        devices, mountings = devices.where(_D.id.in_(only)), mountings.where(_M.device.in_(only))
    where: dict[str, list[Mounting]] = {}
    for name, *mounting in connection.execute(mountings):
        where.setdefault(name, []).append(Mounting(*mounting))
    return {row.id: (_device(row, where.get(row.id, ())), row.removed_at) for row in connection.execute(devices)}


def _device(row: Any, mountings: Sequence[Mounting]) -> Device:
    return Device(
        id=row.id,
        connector=row.connector,
        external_id=row.external_id,
        title=row.title,
        interval=row.interval_s,
        grade=_GRADES[row.grade],
        origin=_ORIGINS[row.origin],
        mountings=tuple(mountings),
        model=row.model,
        serial=row.serial,
        owner=row.owner,
        tags=tuple(load(row.tags)) if row.tags != "[]" else (),
        note=row.note,
        registered_at=row.registered_at,
        revision=row.revision,
    )


def place_row(place: Place, revision: int) -> Row:
    """A place."""
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
        "revision": revision,
    }


def read_places(connection: Connection, only: Sequence[str] | None = None) -> dict[str, tuple[Place, int]]:
    """Places in order of id, with their revisions."""
    if only is not None and len(only) > _PARAMETERS:
        parts = [only[i : i + _PARAMETERS] for i in range(0, len(only), _PARAMETERS)]
        return {name: one for part in parts for name, one in read_places(connection, part).items()}
    statement = select(t.place).order_by(_P.id)
    rows = connection.execute(statement if only is None else statement.where(_P.id.in_(only)))
    return {row.id: (_place(row), row.revision) for row in rows}


def _place(row: Any) -> Place:
    return Place(
        id=row.id,
        kind=PlaceKind(row.kind),
        title=load(row.title),
        population=row.population,
        population_date=row.population_date,
        latitude=row.latitude,
        longitude=row.longitude,
        source=row.source,
    )


def facility_row(facility: Facility) -> Row:
    """A facility; what nobody searches by is its document."""
    kept = {k: v for k, v in asdict(facility).items() if k not in {"place", "owner", "revision"}}
    return {
        "place": facility.place,
        "document": dump(kept),
        "owner": facility.owner,
        "revision": facility.revision,
    }


def read_facilities(connection: Connection, only: str | None = None) -> dict[str, Facility]:
    """Facilities by place, in order."""
    statement = select(t.facility).order_by(_F.place)
    rows = connection.execute(statement if only is None else statement.where(_F.place == only))
    return {
        row.place: Facility(place=row.place, owner=row.owner, revision=row.revision, **load(row.document))
        for row in rows
    }


def hardware_row(hardware: Hardware) -> Row:
    """A piece of hardware."""
    kept = asdict(hardware)
    return {
        "device": hardware.device,
        "used_from": hardware.start,
        "used_to": hardware.end,
        "document": dump({name: kept[name] for name in _KEPT}),
    }


def read_earlier(connection: Connection, devices: Mapping[str, Device]) -> Mapping[tuple[str, str], Sequence[Earlier]]:
    """Names that replaced hardware of registered devices had, by (connector, external id)."""
    found: dict[tuple[str, str], list[Earlier]] = {}
    seen = set[str]()
    replaced = select(t.hardware).where(_H.used_to.is_not(None)).order_by(_H.used_from)
    for row in connection.execute(replaced).all():
        device, then = devices.get(row.device), load(row.document)
        name = then.get("external_id", "")
        if device is not None and name and name != device.external_id:
            start = row.used_from if row.device in seen else 0  # the first was there before it was listed
            one = Earlier(row.device, start, row.used_to, then.get("model", ""))
            found.setdefault((device.connector, name), []).append(one)
        seen.add(row.device)
    return found


def read_hardware(connection: Connection, device: Device) -> Sequence[Hardware]:
    """What stood behind a device, oldest first; the newest one as the device says now."""
    rows = connection.execute(select(t.hardware).where(_H.device == device.id).order_by(_H.used_from)).all()
    now = {"serial": device.serial, "external_id": device.external_id, "model": device.model}
    if not rows:
        return [convert({"device": device.id, "start": device.registered_at, **now}, Hardware)]
    found = [
        convert({"device": r.device, "start": r.used_from, "end": r.used_to, **load(r.document)}, Hardware)
        for r in rows
    ]
    last = convert({**asdict(found[-1]), **now}, Hardware)
    return [*found[:-1], last]
