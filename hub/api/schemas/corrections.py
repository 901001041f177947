# SPDX-License-Identifier: EUPL-1.2
"""Corrections of stored readings: asked for, made, withdrawn, previewed."""

from typing import Annotated, Any, Literal

from pydantic import Field

from hub.api.params import Time
from hub.api.schemas.common import Model, Moment, Next, example

CORRECTION: dict[str, Any] = {
    "id": 7,
    "device": "air-sumbark-1",
    "quantity": "pm10",
    "from": "2026-11-20T00:00:00Z",
    "to": "2026-11-21T00:00:00Z",
    "action": "exclude",
    "flag": None,
    "scale": None,
    "shift": None,
    "withdraws": None,
    "by": "technician",
    "reason": "works on the roof",
    "made_at": "2026-11-23T10:00:00Z",
    "in_effect": True,
    "withdrawn_by": None,
}
GIVEN: dict[str, Any] = {
    "device": "air-sumbark-1",
    "quantity": "pm10",
    "from": "2026-11-20T00:00:00Z",
    "to": "2026-11-21T00:00:00Z",
    "action": "exclude",
    "reason": "works on the roof",
}
CONCERNED: dict[str, Any] = {
    "quantity": "pm10",
    "readings": 24,
    "removed_already": 0,
    "first": "2026-11-20T00:00:00Z",
    "last": "2026-11-20T23:00:00Z",
}
TOUCHED: dict[str, Any] = {
    "indicator": "pm10_day_mean",
    "place": "havirov/sumbark",
    "windows": 2,
    "first": "2026-11-19T23:00:00Z",
    "last": "2026-11-20T23:00:00Z",
}
Action = Literal["override_flag", "exclude", "maintenance", "calibrate"]
Number = Annotated[float, Field(allow_inf_nan=False)]
Reason = Annotated[str, Field(max_length=1000, description="Why, in one line: it is shown with every figure changed.")]


class CorrectionIn(Model):
    """A correction of the stored readings with from <= time < to."""

    model_config = example(**GIVEN)

    device: str = Field(max_length=64, description="A device that is or was registered.")
    quantity: str | None = Field(None, max_length=64, description="Left out: all quantities of the device.")
    from_: Time = Field(alias="from")
    to: Time
    action: Action = Field(
        description="exclude and maintenance: as if the readings had never come; override_flag: with another `flag`; "
        "calibrate: value * scale + shift, in the quantity's canonical unit."
    )
    flag: int | None = Field(None, description="With override_flag: 1 good, 2 not evaluated, 3 suspect, 4 fail, 9.")
    scale: Number | None = Field(None, description="With calibrate; 1 when left out.")
    shift: Number | None = Field(None, description="With calibrate; 0 when left out.")
    reason: Reason


class WithdrawalIn(Model):
    """Why a correction is taken back."""

    model_config = example(reason="it was another device")

    reason: Reason


class CorrectionOut(Model):
    """How stored readings of [from, to) are to be read."""

    model_config = example(**CORRECTION)

    id: int
    device: str
    quantity: str | None = Field(description="null: all of the device.")
    from_: Moment = Field(alias="from")
    to: Moment
    action: str = Field(description="override_flag, exclude, maintenance, calibrate; or withdraw.")
    flag: int | None
    scale: float | None
    shift: float | None
    withdraws: int | None = Field(description="With withdraw: the correction that it takes back.")
    by: str
    reason: str
    made_at: Moment
    in_effect: bool = Field(description="Whether readings are read with it.")
    withdrawn_by: int | None = Field(description="The correction that took it back.")


class CorrectionPage(Model):
    """Corrections in order of their ids."""

    model_config = example(items=[CORRECTION], next=None)

    items: list[CorrectionOut]
    next: Next


class ConcernedOut(Model):
    """Stored readings that a correction would concern."""

    model_config = example(**CONCERNED)

    quantity: str
    readings: int
    removed_already: int = Field(description="Of these, removed by other corrections before.")
    first: Moment
    last: Moment


class TouchedOut(Model):
    """Windows that would be computed again; they begin in [first, last]."""

    model_config = example(**TOUCHED)

    indicator: str
    place: str
    windows: int
    first: Moment
    last: Moment


class PreviewOut(Model):
    """What a correction would concern and touch."""

    model_config = example(what="exclude pm10 of air-sumbark-1", readings=24, concerned=[CONCERNED], touched=[TOUCHED])

    what: str = Field(description="The correction in words.")
    readings: int = Field(description="Stored readings that it concerns; it will concern later ones too.")
    concerned: list[ConcernedOut]
    touched: list[TouchedOut]
