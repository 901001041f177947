# SPDX-License-Identifier: EUPL-1.2
"""Health and orders."""

from typing import Any

from pydantic import Field

from hub.api.schemas.common import Model, example

PART: dict[str, Any] = {"part": "readings", "ok": True, "detail": "8131 rows", "hint": ""}


class Alive(Model):
    """The process answers."""

    model_config = example(status="alive", version="0.1.0")

    status: str
    version: str


class PartOut(Model):
    """State of one part."""

    model_config = example(**PART)

    part: str
    ok: bool
    detail: str | None = Field(description="What was found; null for callers who may not read.")
    hint: str | None = Field(description="What to do when it is not ok; null for callers who may not read.")


class Ready(Model):
    """Whether the hub works, part by part."""

    model_config = example(ready=True, parts=[PART])

    ready: bool
    parts: list[PartOut]


class CommandOut(Model):
    """An order that ingest has not done yet."""

    model_config = example(id=12, kind="redrive", arguments={"reason": "unknown_device"})

    id: int
    kind: str
    arguments: dict[str, object]


class CommandList(Model):
    """Orders not done yet, oldest first."""

    model_config = example(items=[{"id": 12, "kind": "redrive", "arguments": {"reason": "unknown_device"}}])

    items: list[CommandOut]


class CommandDetail(CommandOut):
    """An order and what came of it."""

    model_config = example(
        id=12,
        kind="redrive",
        arguments={"reason": "unknown_device"},
        done=True,
        result={"tried": 3, "redriven": 3, "waiting": 0, "ignored": 0},
    )

    done: bool
    result: dict[str, object] | None = Field(description="null until it is done.")
