# SPDX-License-Identifier: EUPL-1.2
"""Where a value comes from: what went in, how it was corrected, by which definition, when it changed."""

from typing import Any

from pydantic import Field

from hub.api.schemas.common import Model, Moment, Origin, example
from hub.api.schemas.indicators import DETAIL, VALUE, ValueOut

DEFINITION: dict[str, Any] = {
    "id": "pm10_day_mean",
    "version": 1,
    "current_version": 1,
    "text": DETAIL["text"],
    "sha256": DETAIL["sha256"],
    "note": None,
    "reference": DETAIL["reference"],
}
WENT_IN: dict[str, Any] = {
    "input": "day",
    "indicator": "pm10_day_mean",
    "how": "count_over",
    "n": 1,
    "omitted": 0,
    "items": [{**VALUE, "changed_since": False}],
}
READINGS: dict[str, Any] = {
    "device": "air-sumbark-1",
    "quantity": "pm10",
    "grade": "reference",
    "origin": "measured",
    "interval": 3600,
    "mountings": [{"place": "havirov/sumbark", "from": "2023-01-01T00:00:00Z", "to": None}],
    "n_stored": 24,
    "n_removed": 1,
    "n_counting": 22,
    "n_before": 0,
    "flags_reported": {"1": 23, "4": 1},
    "flags": {"1": 22, "4": 1},
    "quality_control": {},
    "first": "2023-01-11T23:00:00Z",
    "last": "2023-01-12T22:00:00Z",
    "corrections": [{"id": 7, "readings": 1}],
}
CORRECTION: dict[str, Any] = {
    "id": 7,
    "what": "exclude pm10 of air-sumbark-1",
    "action": "exclude",
    "from": "2023-01-12T05:00:00Z",
    "to": "2023-01-12T06:00:00Z",
    "by": "technician",
    "reason": "works on the roof",
    "made_at": "2023-01-20T10:00:00Z",
    "readings": 1,
}


class DefinitionOut(Model):
    """The definition that computed a value."""

    model_config = example(**DEFINITION)

    id: str
    version: int
    current_version: int
    text: str | None = Field(description="YAML of that version.")
    sha256: str | None = Field(description="Of the text.")
    note: str | None = Field(description="Why there is no text.")
    reference: list[dict[str, str | None]]


class ValueWentIn(ValueOut):
    """A value of another indicator that went in."""

    model_config = example(**VALUE, changed_since=False)

    changed_since: bool = Field(description="It was computed after the value that it went into.")


class ValuesWentIn(Model):
    """Values of another indicator that are one input."""

    model_config = example(**WENT_IN)

    input: str
    indicator: str
    how: str = Field(description="How they become one figure: mean, total, worst, carried, as it is, ...")
    n: int
    omitted: int = Field(description="Of these, not listed.")
    items: list[ValueWentIn]


class AttributeOut(Model):
    """A figure of the place, or of the nearest place above that has one."""

    model_config = example(
        input="population", attribute="population", value=68947, place="havirov", date="2024-01-01", source="ČSÚ"
    )

    input: str
    attribute: str
    value: float | None
    place: str | None
    date: str | None
    source: str | None


class CorrectionUsed(Model):
    """A correction that concerns readings of a device."""

    model_config = example(id=7, readings=3)

    id: int
    readings: int


class MountedOut(Model):
    """Where the device stood."""

    model_config = example(**{"place": "havirov/sumbark", "from": "2023-01-01T00:00:00Z", "to": None})

    place: str
    from_: Moment = Field(alias="from")
    to: Moment | None


class ReadingsWentIn(Model):
    """Readings of one device's quantity; a device that stood there and was silent has no quantity."""

    model_config = example(**READINGS)

    device: str
    quantity: str | None
    grade: str
    origin: Origin
    interval: int | None = Field(description="Declared seconds between readings; null: unknown.")
    mountings: list[MountedOut]
    n_stored: int = Field(description="Readings stored in the window, while the device stood there.")
    n_removed: int = Field(description="Of these, removed by corrections.")
    n_counting: int = Field(description="Of these, with a flag that counts.")
    n_before: int = Field(description="Readings before the window that bear on it.")
    flags_reported: dict[str, int] = Field(description="Readings by flag, as stored.")
    flags: dict[str, int] = Field(description="Readings by flag, after corrections and quality control.")
    quality_control: dict[str, int] = Field(description="Readings by the test that found something on them.")
    first: Moment | None
    last: Moment | None
    corrections: list[CorrectionUsed]


class CorrectionTold(Model):
    """A correction in effect that concerns readings of the window."""

    model_config = example(**CORRECTION)

    id: int
    what: str
    action: str
    from_: Moment = Field(alias="from")
    to: Moment
    by: str
    reason: str
    made_at: Moment
    readings: int


class ProvenanceOut(Model):
    """Where a value comes from, one level down."""

    model_config = example(
        value=VALUE,
        definition=DEFINITION,
        revisions=[VALUE],
        values=[WENT_IN],
        attributes=[],
        readings=[READINGS],
        corrections=[CORRECTION],
        entries=[],
    )

    value: ValueOut
    definition: DefinitionOut
    revisions: list[ValueOut] = Field(description="All that was published for the window, oldest first, with causes.")
    values: list[ValuesWentIn] = Field(description="Values of other indicators, input by input.")
    attributes: list[AttributeOut]
    readings: list[ReadingsWentIn]
    corrections: list[CorrectionTold]
    entries: list[dict[str, Any]] = Field(description="Of an entered figure: its entries, with document and author.")
