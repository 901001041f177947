# SPDX-License-Identifier: EUPL-1.2
"""Changing a registered device: its fields, where it stands and stood, and the hardware behind it."""

from collections.abc import Mapping
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Path
from msgspec.structs import asdict, replace

from hub.api.auth import Reader, ServicesDep, allow, owned, visible
from hub.api.revisions import IfMatch, merged, require_match
from hub.api.schemas.registry import (
    Changed,
    DeviceChange,
    DevicePatch,
    HardwareList,
    MountIn,
    MountingsIn,
    ReplaceIn,
)
from hub.api.services import Services
from hub.api.views import moment
from hub.core.errors import Invalid, NotFound
from hub.core.places import Device, Mounting
from hub.core.readings import Grade, Origin
from hub.core.registry import Hardware
from hub.core.rights import Action, Caller
from hub.core.windows import format_instant

router = APIRouter(prefix="/devices", tags=["registry"])

Registrar = Annotated[Caller, Depends(allow(Action.DEVICES))]
DeviceId = Annotated[str, Path(pattern="^[A-Za-z0-9_-]{1,64}$", description="Id of the device.")]


def seen_device(services: Services, caller: Caller, device: str) -> Device:
    """A registered device that the caller may see; NotFound for all others alike."""
    found = services.book.snapshot().devices.get(device)
    if found is None or not visible(caller, found):
        raise NotFound(f"no device {device!r} is registered; GET /api/v1/devices lists all")
    return found


def own_device(services: Services, caller: Caller, device: str) -> Device:
    """A registered device that the caller may change."""
    found = seen_device(services, caller, device)
    owned(caller, Action.DEVICES, found.owner, f"device {device!r}")
    return found


@router.put("/{device}", response_model=Changed, summary="Change a device")
def put_device(
    services: ServicesDep, device: DeviceId, given: DeviceChange, caller: Registrar, if_match: IfMatch = None
) -> Mapping[str, Any]:
    """Give all fields of a device anew; what is left out goes back to its default. Needs `If-Match`.

    Its id and where it stood stay. A new connector or external id takes in what waits for it in quarantine.
    """
    before = own_device(services, caller, device)
    require_match(if_match, before.revision, f"/api/v1/devices/{device}")
    return _change(services, caller, before, given)


@router.patch("/{device}", response_model=Changed, summary="Change some fields of a device")
def patch_device(
    services: ServicesDep, device: DeviceId, given: DevicePatch, caller: Registrar, if_match: IfMatch = None
) -> Mapping[str, Any]:
    """Change the fields that are given (JSON merge patch, RFC 7396; null: back to the default). Needs `If-Match`."""
    before = own_device(services, caller, device)
    require_match(if_match, before.revision, f"/api/v1/devices/{device}")
    return _change(services, caller, before, merged(DeviceChange, _fields(before), given))


@router.post("/{device}/mount", response_model=Changed, summary="Move a device")
def mount_device(
    services: ServicesDep, device: DeviceId, given: MountIn, caller: Registrar, if_match: IfMatch = None
) -> Mapping[str, Any]:
    """From `from` on (left out: now) the device stands at `place`; where it stood before ends then."""
    before = own_device(services, caller, device)
    if if_match is not None:
        require_match(if_match, before.revision, f"/api/v1/devices/{device}")
    start = services.clock_ns() if given.from_ is None else given.from_
    mounting = Mounting(given.place, start, None, given.height, given.orientation)
    expected = None if if_match in (None, "*") else before.revision
    return _changed(services.book.mount(device, mounting, by=caller.name, expected=expected))


@router.put("/{device}/mountings", response_model=Changed, summary="Correct where a device stood")
def put_mountings(
    services: ServicesDep, device: DeviceId, given: MountingsIn, caller: Registrar, if_match: IfMatch = None
) -> Mapping[str, Any]:
    """Say where the device really stood; figures of the places concerned are computed anew. Needs `If-Match`."""
    before = own_device(services, caller, device)
    require_match(if_match, before.revision, f"/api/v1/devices/{device}")
    rows = [Mounting(m.place, m.from_, m.to, m.height, m.orientation) for m in given.mountings]
    return _changed(services.book.correct_mountings(device, rows, by=caller.name, expected=before.revision))


@router.post("/{device}/replace", response_model=Changed, summary="Replace the hardware of a device")
def replace_device(
    services: ServicesDep, device: DeviceId, given: ReplaceIn, caller: Registrar, if_match: IfMatch = None
) -> Mapping[str, Any]:
    """Another piece of hardware continues the device's series from `at` on, its totals without a jump.

    `totals` has by quantity the last total of the old meter and the first of the new one, in the canonical unit.
    """
    before = own_device(services, caller, device)
    if if_match is not None:
        require_match(if_match, before.revision, f"/api/v1/devices/{device}")
    for quantity in given.totals:
        services.quantities.get(quantity)
    hardware = Hardware(
        device=device,
        start=services.clock_ns() if given.at is None else given.at,
        serial=given.serial,
        external_id=given.external_id or before.external_id,
        model=before.model if given.model is None else given.model,
        reason=given.reason,
    )
    totals = {quantity: (row.old_last, row.new_first) for quantity, row in given.totals.items()}
    expected = None if if_match in (None, "*") else before.revision
    return _changed(services.book.replace_hardware(hardware, totals, by=caller.name, expected=expected))


@router.get("/{device}/hardware", response_model=HardwareList, summary="Hardware behind a device")
def list_hardware(services: ServicesDep, device: DeviceId, caller: Reader) -> Mapping[str, Any]:
    """What stood behind the device, oldest first, and what was added to its totals so that they go on."""
    seen_device(services, caller, device)
    return {"items": [_hardware(row) for row in services.book.hardware(device)]}


def _change(services: Services, caller: Caller, before: Device, given: DeviceChange) -> Mapping[str, Any]:
    fields = given.model_dump()
    if caller.bounded(Action.DEVICES) and given.owner != before.owner:
        raise Invalid(f"is {before.owner!r} and stays so: a partner cannot give a device away", "owner")
    if given.model and given.model != before.model and services.models and given.model not in services.models:
        raise Invalid(f"no model {given.model!r}; GET /api/v1/models lists them", "model")
    fields |= {"grade": Grade.of(given.grade), "origin": Origin.of(given.origin), "tags": tuple(given.tags)}
    fields["external_id"] = given.external_id or before.id
    after = replace(before, **fields)
    return _changed(services.book.change_device(after, by=caller.name, expected=before.revision))


def _fields(device: Device) -> dict[str, Any]:
    """The fields that a change gives, as JSON."""
    known = asdict(device)
    fields = {name: known[name] for name in DeviceChange.model_fields}
    return fields | {"grade": device.grade.word, "origin": device.origin.word, "tags": list(device.tags)}


def _changed(device: Device) -> Mapping[str, Any]:
    where = [
        {"place": m.place, "from": format_instant(m.start), "to": moment(m.end), "height": m.height,
         "orientation": m.orientation}
        for m in device.mountings
    ]  # fmt: skip
    return {"id": device.id, "revision": device.revision, "place": device.place, "mountings": where, **_fields(device)}


def _hardware(row: Hardware) -> Mapping[str, Any]:
    return {
        "from": format_instant(row.start),
        "to": moment(row.end),
        "serial": row.serial,
        "external_id": row.external_id,
        "model": row.model,
        "reason": row.reason,
        "by": row.by,
        "continued": dict(row.continued),
    }
