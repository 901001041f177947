# SPDX-License-Identifier: EUPL-1.2
"""Calibration certificates and maintenance windows of a device."""

from typing import Any

from pydantic import Field

from hub.api.params import Time
from hub.api.schemas.common import Model, Moment, example
from hub.api.schemas.corrections import CORRECTION, CorrectionOut, Number, Reason

GIVEN: dict[str, Any] = {
    "quantity": "pm10", "number": "123/2026", "laboratory": "a laboratory", "issued": "2026-11-01",
    "valid_from": "2026-11-02T00:00:00Z", "valid_to": "2027-11-02T00:00:00Z", "scale": 1.02, "shift": -0.5, "note": "",
}  # fmt: skip
CERTIFICATE: dict[str, Any] = {
    "id": 2, **GIVEN, "correction": 7, "by": "jana", "at": "2026-11-23T10:00:00Z", "in_force": True,
}  # fmt: skip


class CertificateIn(Model):
    """A calibration certificate: a value counts as value x scale + shift while it is valid."""

    model_config = example(**GIVEN)

    quantity: str = Field(max_length=64)
    number: str = Field(min_length=1, max_length=100, description="As it stands on the certificate.")
    laboratory: str = Field(min_length=1, max_length=200)
    issued: str = Field(pattern=r"^\d{4}-\d{2}-\d{2}$", description="Date of issue.")
    valid_from: Time
    valid_to: Time = Field(description="Exclusive.")
    scale: Number = 1.0
    shift: Number = Field(0.0, description="In the quantity's canonical unit.")
    note: str = Field("", max_length=2000)


class CertificateOut(Model):
    """A certificate, and whether it counts now."""

    model_config = example(**CERTIFICATE)

    id: int
    quantity: str
    number: str
    laboratory: str
    issued: str
    valid_from: Moment
    valid_to: Moment
    scale: float
    shift: float
    note: str
    correction: int | None = Field(description="The correction that it made; null: it corrects nothing.")
    by: str
    at: Moment
    in_force: bool = Field(description="It is valid now, and its correction was not withdrawn.")


class CertificateList(Model):
    """Newest first."""

    model_config = example(items=[CERTIFICATE])

    items: list[CertificateOut]


class MaintenanceIn(Model):
    """A time in which what the device says does not count."""

    model_config = example(
        **{"from": "2026-11-20T08:00:00Z", "to": "2026-11-20T10:00:00Z", "reason": "works on the roof"}
    )

    from_: Time = Field(alias="from")
    to: Time = Field(description="Exclusive.")
    quantity: str | None = Field(None, max_length=64, description="Left out: all quantities.")
    reason: Reason


class MaintenanceList(Model):
    """Newest first; what was withdrawn is not in effect."""

    model_config = example(items=[{**CORRECTION, "action": "maintenance"}])

    items: list[CorrectionOut]
