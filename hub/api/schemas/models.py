# SPDX-License-Identifier: EUPL-1.2
"""Device models."""

from typing import Any

from pydantic import Field

from hub.api.schemas.common import Model, Title, example

MODEL: dict[str, Any] = {
    "id": "example-air",
    "label": "Example Air",
    "title": {"cs": "Čidlo ovzduší", "en": "Air sensor"},
    "connector": "chirpstack",
    "interval": 900,
    "grade": "indicative",
    "quantities": ["pm10", "air_temperature"],
}


class ModelOut(Model):
    """A kind of device."""

    model_config = example(**MODEL)

    id: str
    label: str = Field(description="Manufacturer and name.")
    title: Title
    connector: str | None = Field(description="The usual one; null: nobody has built one yet.")
    interval: int | None = Field(description="Seconds between reports as delivered; null: not known.")
    grade: str
    quantities: list[str]


class ModelDetail(ModelOut):
    """A kind of device with all its facts."""

    model_config = example(**MODEL, facts={"vendor": "Example"})

    facts: dict[str, Any] = Field(description="As in docs/device-models.md.")


class ModelList(Model):
    """All, in order of manufacturer and name."""

    model_config = example(items=[MODEL])

    items: list[ModelOut]
