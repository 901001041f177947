# SPDX-License-Identifier: EUPL-1.2
"""Readings in and out.

Tags of unions stand in angle brackets: they are no field's name, so error messages leave them out.
"""

from typing import Annotated, Any, Literal

from pydantic import Discriminator, Field, Tag

from hub.api.params import Time
from hub.api.schemas.common import Model, Moment, Next, Origin, Simulated, example

READING: dict[str, Any] = {
    "device": "air-sumbark-1",
    "place": "havirov/sumbark",
    "quantity": "pm10",
    "time": "2026-11-23T10:00:00Z",
    "value": 20.3,
    "unit": "ug/m3",
    "flag": 1,
    "quality": "good",
    "origin": "measured",
    "simulated": False,
    "qc": None,
}
POSTED: dict[str, Any] = {
    "device": "air-sumbark-1",
    "time": "2026-11-23T10:00:00Z",
    "readings": {"pm10": 20.3, "air_temperature": {"value": 294.5, "unit": "K"}},
}

Number = Annotated[float, Field(allow_inf_nan=False, strict=True)]
Revision = Annotated[int, Field(ge=0, le=2**31 - 1, strict=True)]


class QualityOut(Model):
    """What quality control says about a reading, beside the flag that it is stored with; the worse of both counts."""

    model_config = example(flag=3, test="spike")

    flag: int = Field(description="QARTOD: 3 suspect, 4 fail; 1 where `test` only explains the reading (roll_over).")
    test: str = Field(
        description="gross_range, spike, rate_of_change, flat_line, neighbours, counter_reset, roll_over or exceeds."
    )


class ReadingOut(Model):
    """One reading as it is stored."""

    model_config = example(**READING)

    device: str
    place: str | None = Field(description="Where the device was mounted at that time.")
    quantity: str
    time: Moment = Field(description="Start of the interval for means and totals, the instant otherwise.")
    value: float = Field(description="In `unit`.")
    unit: str = Field(description="Canonical unit of the quantity, UCUM.")
    flag: int = Field(description="QARTOD: 1 good, 2 not evaluated, 3 suspect, 4 fail, 9 missing.")
    quality: str = Field(description="The flag in a word.")
    origin: Origin
    simulated: Simulated
    qc: QualityOut | None = Field(description="null: quality control found nothing, or has not looked at it.")


class ReadingPage(Model):
    """Readings in order of time, device, quantity, and the period that was asked for."""

    model_config = example(**{"from": "2026-11-23T00:00:00Z", "to": "2026-11-24T00:00:00Z"}, items=[READING], next=None)

    from_: Moment = Field(alias="from")
    to: Moment
    items: list[ReadingOut]
    next: Next


class Quantified(Model):
    """A value with its unit."""

    model_config = example(value=294.5, unit="K")

    value: Number
    unit: str | None = Field(None, max_length=64, description="The quantity's own unit when left out.")
    revision: Revision | None = Field(None, description="Of this reading alone.")


Figure = Annotated[
    Annotated[Number, Tag("<number>")] | Annotated[Quantified, Tag("<object>")],
    Discriminator(lambda figure: "<object>" if isinstance(figure, dict | Quantified) else "<number>"),
]


class ReadingsIn(Model):
    """Readings of one device at one time."""

    model_config = example(**POSTED)

    device: str = Field(pattern="^[A-Za-z0-9_-]{1,64}$")
    time: Time = Field(description="Required: with it, sending the same request twice stores nothing twice.")
    readings: dict[str, Figure] = Field(min_length=1, max_length=200, description="By quantity.")
    revision: Revision = Field(0, description="Raise it to replace values that were sent before.")
    origin: Literal["imported", "simulated"] | None = Field(
        None, description="Where the figures are no measurements of the device; else its own origin counts."
    )


def _one_or_many(body: object) -> str:
    return "<many>" if isinstance(body, list) else "<one>"


Sent = Annotated[
    Annotated[ReadingsIn, Tag("<one>")]
    | Annotated[list[ReadingsIn], Tag("<many>"), Field(min_length=1, max_length=1000)],
    Discriminator(_one_or_many),
]


class Accepted(Model):
    """What was handed to the broker."""

    model_config = example(
        readings=2,
        messages=1,
        explanation="Published to the broker as devices/<id>/readings; stored in a moment. What ingest cannot use is "
        "listed with its reason under /api/v1/quarantine.",
        see=["/api/v1/devices/air-sumbark-1"],
    )

    readings: int
    messages: int
    explanation: str
    see: list[str] = Field(description="Where the readings will be seen.")
