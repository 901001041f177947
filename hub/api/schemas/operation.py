# SPDX-License-Identifier: EUPL-1.2
"""Health, quarantine and orders."""

from typing import Annotated, Any

from pydantic import Field, model_validator

from hub.api.schemas.common import Model, Moment, Next, example

PART: dict[str, Any] = {"part": "readings", "ok": True, "detail": "8131 rows", "hint": ""}
QUARANTINED: dict[str, Any] = {
    "id": "0-17",
    "received": "2026-11-23T10:00:04Z",
    "topic": "devices/new-1/readings",
    "connector": "native",
    "external_id": "new-1",
    "device": "",
    "reason": "unknown_device",
    "title": "New device",
    "hint": "Register the device; its waiting messages are then taken in.",
    "detail": "native device 'new-1' is not registered",
    "scope": "message",
    "state": "waiting",
    "attempts": 0,
    "retain": False,
    "payload": {"encoding": "text", "content": '{"readings": {"pm10": 20.3}}', "bytes": 28, "truncated": False},
}

MessageId = Annotated[
    str, Field(pattern="^[0-9]{1,3}-[0-9]{1,18}$", description="Number of the journal and of the message in it.")
]


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


class PayloadOut(Model):
    """A raw payload, or the beginning of one."""

    model_config = example(**QUARANTINED["payload"])

    encoding: str = Field(description="text: as it is; base64: bytes that are no plain text.")
    content: str
    bytes: int = Field(description="Length of the whole payload.")
    truncated: bool = Field(description="Only the beginning is shown; GET the single message for more.")


class QuarantinedOut(Model):
    """A message set aside, with its reason and what to do."""

    model_config = example(**QUARANTINED)

    id: MessageId
    received: Moment
    topic: str
    connector: str
    external_id: str
    device: str
    reason: str = Field(description="Stable code.")
    title: str = Field(description="The reason in the language of Accept-Language.")
    hint: str = Field(description="What to do, in the language of Accept-Language.")
    detail: str
    scope: str = Field(description="message: nothing of it was used; reading: a part was not.")
    state: str = Field(description="waiting, redriven, or refused (beyond a limit: a sample).")
    attempts: int
    retain: bool
    payload: PayloadOut | None = Field(description="Only for callers with a key that may read; else null.")


class QuarantinePage(Model):
    """Quarantined messages, newest first."""

    model_config = example(items=[QUARANTINED], next=None)

    items: list[QuarantinedOut]
    next: Next


class RedriveIn(Model):
    """Which waiting messages to take through ingest again: by id, or all that match every field given."""

    model_config = example(reason="unknown_device", connector="native", external_id="new-1")

    ids: list[MessageId] | None = Field(None, min_length=1, max_length=1000)
    reason: str | None = Field(None, min_length=1, max_length=64)
    connector: str | None = Field(None, max_length=64)
    external_id: str | None = Field(None, max_length=256)

    @model_validator(mode="after")
    def _one_way(self) -> "RedriveIn":
        fields = [self.reason, self.connector, self.external_id]
        if (self.ids is None) == all(field is None for field in fields):
            raise ValueError("give either ids, or at least one of reason, connector, external_id")
        return self


class RedriveOut(Model):
    """Orders left for ingest."""

    model_config = example(
        commands=[12],
        matching=3,
        explanation="Ingest takes the messages through again in a moment; what still cannot be used waits on.",
    )

    commands: list[int] = Field(description="Ids; GET /api/v1/commands lists those that are not done yet.")
    matching: int = Field(description="Messages that wait and match now (counted up to 1000).")
    explanation: str


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
        result={"tried": 3, "redriven": 3, "waiting": 0},
    )

    done: bool
    result: dict[str, object] | None = Field(description="null until it is done.")
