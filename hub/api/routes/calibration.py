# SPDX-License-Identifier: EUPL-1.2
"""Calibration certificates and maintenance windows of a device: both count through corrections.

They are taken back by withdrawing the correction, so that closed figures say why they changed.
"""

from collections.abc import Collection, Mapping
from datetime import date
from typing import Annotated, Any

from fastapi import APIRouter, Depends

from hub.api.auth import Reader, ServicesDep, allow
from hub.api.routes.device_changes import DeviceId, own_device, seen_device
from hub.api.schemas.calibration import (
    CertificateIn,
    CertificateList,
    CertificateOut,
    MaintenanceIn,
    MaintenanceList,
)
from hub.api.schemas.corrections import CorrectionOut
from hub.api.services import Services
from hub.api.views import correction_view
from hub.core.corrections import MAINTENANCE, check_correction
from hub.core.errors import Invalid
from hub.core.indicators import Correction
from hub.core.registry import Certificate
from hub.core.rights import Action, Caller
from hub.core.windows import format_instant

router = APIRouter(prefix="/devices", tags=["registry"])

Registrar = Annotated[Caller, Depends(allow(Action.DEVICES))]
Corrector = Annotated[Caller, Depends(allow(Action.CORRECT))]
_TEXTS = ("id", "quantity", "number", "laboratory", "issued", "scale", "shift", "note", "by")


@router.get("/{device}/certificates", response_model=CertificateList, summary="Calibration certificates")
def list_certificates(services: ServicesDep, device: DeviceId, caller: Reader) -> Mapping[str, Any]:
    """Calibration certificates of the device, newest first, each with whether it is in force now."""
    seen_device(services, caller, device)
    gone = _withdrawn(services)
    return {"items": [_shown(services, row, gone) for row in services.records.certificates(device)]}


@router.post(
    "/{device}/certificates", status_code=201, response_model=CertificateOut, summary="Add a calibration certificate"
)
def add_certificate(
    services: ServicesDep, device: DeviceId, given: CertificateIn, caller: Registrar
) -> Mapping[str, Any]:
    """Record a certificate; where it says scale or shift, it becomes a correction for the time of its validity.

    Withdrawing that correction takes it out of force. Figures that change get a new revision that names it.
    """
    own_device(services, caller, device)
    services.quantities.get(given.quantity)
    try:
        date.fromisoformat(given.issued)
    except ValueError as error:
        raise Invalid(f"{given.issued!r} is no date: write 2026-11-01", "issued") from error
    draft = Certificate(
        id=0, device=device, correction=0, by=caller.name, at=services.clock_ns(), **given.model_dump()
    )  # fmt: skip
    return _shown(services, services.records.add_certificate(draft, by=caller.name), frozenset())


@router.get("/{device}/maintenance", response_model=MaintenanceList, summary="Maintenance windows")
def list_maintenance(services: ServicesDep, device: DeviceId, caller: Reader) -> Mapping[str, Any]:
    """Times in which what the device said does not count, newest first, withdrawn ones too."""
    seen_device(services, caller, device)
    every = services.corrections.after()
    gone = {row.withdraws: row.id for row in every if row.withdraws is not None}
    found = [row for row in every if row.device == device and row.action == MAINTENANCE]
    return {"items": [correction_view(row, gone.get(row.id)) for row in reversed(found)]}


@router.post(
    "/{device}/maintenance", status_code=201, response_model=CorrectionOut, summary="Announce a maintenance window"
)
def add_maintenance(
    services: ServicesDep, device: DeviceId, given: MaintenanceIn, caller: Corrector
) -> Mapping[str, Any]:
    """Say that what the device says in [from, to) does not count, be it past or to come; its readings stay stored."""
    seen_device(services, caller, device)
    if given.quantity is not None:
        services.quantities.get(given.quantity)
    draft = Correction(
        id=0, device=device, quantity=given.quantity, start=given.from_, end=given.to, action=MAINTENANCE, flag=None,
        by=caller.name, reason=given.reason,
    )  # fmt: skip
    check_correction(draft)
    made = services.corrections.add(
        device, draft.start, draft.end, MAINTENANCE, by=caller.name, reason=draft.reason, quantity=draft.quantity
    )
    return correction_view(made)


def _withdrawn(services: Services) -> Collection[int]:
    return {row.withdraws for row in services.corrections.after() if row.withdraws is not None}


def _shown(services: Services, row: Certificate, gone: Collection[int]) -> Mapping[str, Any]:
    valid = row.valid_from <= services.clock_ns() < row.valid_to
    times = {name: format_instant(getattr(row, name)) for name in ("valid_from", "valid_to", "at")}
    return {
        **{name: getattr(row, name) for name in _TEXTS},
        **times,
        "correction": row.correction or None,
        "in_force": valid and row.correction not in gone,
    }
