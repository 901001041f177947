# SPDX-License-Identifier: EUPL-1.2
"""Bodies of labels and network servers."""

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field


class StickerIn(BaseModel):
    """What a scanner read, or a person typed."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"example": {"text": "a81758fffe0526b4"}})
    text: str = Field(max_length=1000, description="Text of the QR code, or the DevEUI.")


class CandidateOut(BaseModel):
    """A model that it may be."""

    model: str
    title: dict[str, str]
    score: float
    reason: dict[str, str] = Field(description="Why, in Czech (cs) and English (en).")


class StickerOut(BaseModel):
    """What the label says."""

    model_config = ConfigDict(
        json_schema_extra={
            "example": {
                "dev_eui": "a81758fffe0526b4", "join_eui": "", "vendor_id": None, "profile_id": None,
                "owner_token": "", "serial": "", "proprietary": "", "checksum_ok": None, "notes": [], "candidates": [],
            }
        }
    )  # fmt: skip

    dev_eui: str
    join_eui: str
    vendor_id: int | None
    profile_id: int | None
    owner_token: str
    serial: str
    proprietary: str
    checksum_ok: bool | None
    notes: list[str]
    candidates: list[CandidateOut]


class JoinIn(BaseModel):
    """What a device needs to join. The key is checked by the route, for an error of a schema may quote what it saw."""

    model_config = ConfigDict(
        extra="forbid", hide_input_in_errors=True, json_schema_extra={"example": {"app_key": "0" * 32}}
    )
    join_eui: str = Field("", max_length=32, description="JoinEUI (AppEUI), 16 hexadecimal digits; none: zeros.")
    app_key: Any = Field(
        description="AppKey, 32 hexadecimal digits. It is handed on, and neither kept nor shown.",
        json_schema_extra={"type": "string", "writeOnly": True, "pattern": "^[0-9A-Fa-f]{32}$"},
    )
    device_profile: str = Field("", pattern=r"^([0-9a-f-]{36})?$", description="Device profile (UUID) to use.")


class StepOut(BaseModel):
    """One step, in Czech and English."""

    cs: str
    en: str


class JoinOut(BaseModel):
    """What became of it. `instructions`: the hub cannot do it, these are the steps for a person."""

    model_config = ConfigDict(json_schema_extra={"example": {"outcome": "created", "steps": []}})

    outcome: Literal["created", "exists", "instructions"]
    steps: list[StepOut]
