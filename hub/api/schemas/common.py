# SPDX-License-Identifier: EUPL-1.2
"""What several resources share."""

from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field

Moment = Annotated[
    str,
    Field(description="RFC 3339, UTC.", json_schema_extra={"format": "date-time"}, examples=["2026-11-23T10:00:00Z"]),
]
Next = Annotated[str | None, Field(description="Cursor of the next page; null on the last one.")]
Origin = Annotated[
    str,
    Field(description="measured, entered, imported or simulated.", pattern="^(measured|entered|imported|simulated)$"),
]
Simulated = Annotated[bool, Field(description="True when a simulator made it: never mistake it for a measurement.")]
Title = Annotated[dict[str, str], Field(description="By language: `cs`, `en`.")]


class Model(BaseModel):
    """Base of all: unknown fields are refused, so that a misspelt one is not lost."""

    model_config = ConfigDict(extra="forbid")


def example(**fields: Any) -> ConfigDict:
    """Configuration of a model that shows `fields` as its example."""
    return ConfigDict(extra="forbid", json_schema_extra={"example": fields})


class Culprit(Model):
    """One fault of a request."""

    model_config = example(**{"in": "query", "name": "from", "detail": "'2026-11-23T10:00:00' has no time zone"})

    in_: str = Field(alias="in", description="query, path, header, body or request.")
    name: str = Field(description="Parameter or field; parts of a path joined by dots.")
    detail: str = Field(description="What is wrong and how to mend it.")


class ProblemOut(Model):
    """RFC 9457 problem details."""

    model_config = example(
        type="/api/v1/problems/validation",
        title="Request is not valid",
        status=422,
        detail="from: '2026-11-23T10:00:00' has no time zone: write 2026-11-23T10:00:00Z",
        errors=[{"in": "query", "name": "from", "detail": "'2026-11-23T10:00:00' has no time zone"}],
    )

    type: str = Field(description="Stable identifier of the kind; GET it to read what it means.")
    title: str
    status: int
    detail: str = Field(description="Names the culprit and says what to do.")
    errors: list[Culprit] | None = Field(None, description="With kind validation: each culprit.")
    incident: str | None = Field(None, description="With kind internal: what the operator looks for in the log.")


class ProblemKind(Model):
    """What a kind of problem means."""

    model_config = example(
        type="/api/v1/problems/key-missing", status=401, title="A key is needed", meaning="Send a key."
    )

    type: str
    status: int
    title: str
    meaning: str


class ProblemKinds(Model):
    """All kinds."""

    model_config = example(items=[ProblemKind.model_config["json_schema_extra"]["example"]])  # type: ignore[index]  # set by example() above

    items: list[ProblemKind]
