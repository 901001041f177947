# SPDX-License-Identifier: EUPL-1.2
"""Bodies of labels and network servers."""

from pydantic import BaseModel, ConfigDict, Field


class StickerIn(BaseModel):
    """What a scanner read, or a person typed."""

    model_config = ConfigDict(extra="forbid")
    text: str = Field(max_length=1000, description="Text of the QR code, or the DevEUI.")


class CandidateOut(BaseModel):
    """A model that it may be."""

    model: str
    title: dict[str, str]
    score: float
    reason: dict[str, str] = Field(description="Why, in Czech (cs) and English (en).")


class StickerOut(BaseModel):
    """What the label says."""

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
