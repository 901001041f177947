# SPDX-License-Identifier: EUPL-1.2
"""Messages set aside, orders about them, and ignored devices."""

from typing import Annotated, Any, Literal, Self

from pydantic import Field, model_validator

from hub.api.params import Time
from hub.api.schemas.common import Model, Moment, Next, example

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
    "stands_for": 1,
    "why": None,
    "by": None,
    "changed": None,
    "attempts": 0,
    "retain": False,
    "payload": {"encoding": "text", "content": '{"readings": {"pm10": 20.3}}', "bytes": 28, "truncated": False},
}

MessageId = Annotated[
    str, Field(pattern="^[0-9]{1,3}-[0-9]{1,18}$", description="Number of the journal and of the message in it.")
]


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
    state: str = Field(description="waiting, redriven, ignored, purged, or refused (beyond a limit: a sample).")
    stands_for: int = Field(description="Of a sample of what was refused: how many messages it speaks for.")
    why: str | None = Field(description="Why it was purged or ignored, or why its payload cannot be read.")
    by: str | None = Field(description="Who purged it; hub for retention.")
    changed: Moment | None = Field(description="When it was purged.")
    attempts: int
    retain: bool
    payload: PayloadOut | None = Field(description="Only for callers with a key that may read; else null.")


class QuarantinePage(Model):
    """Quarantined messages, newest first."""

    model_config = example(items=[QUARANTINED], next=None)

    items: list[QuarantinedOut]
    next: Next


class Selection(Model):
    """Which waiting messages: by id, or all that match every field given."""

    model_config = example(reason="unknown_device", connector="native", external_id="new-1")

    ids: list[MessageId] | None = Field(None, min_length=1, max_length=1000)
    reason: str | None = Field(None, min_length=1, max_length=64)
    connector: str | None = Field(None, max_length=64)
    external_id: str | None = Field(None, max_length=256)
    device: str | None = Field(None, max_length=64)
    topic: str | None = Field(None, min_length=1, max_length=1024, description="Ending in /#: all below it.")
    since: Time | None = Field(None, alias="from", description="Arrived at or after.")
    until: Time | None = Field(None, alias="to", description="Arrived before.")

    @model_validator(mode="after")
    def _one_way(self) -> Self:
        if (self.ids is None) == all(getattr(self, name) is None for name in _FILTERS):
            raise ValueError(f"give either ids, or at least one of {', '.join(_FILTERS.values())}")
        return self

    def filters(self) -> dict[str, object]:
        """Fields of a filter that are given, without ids."""
        return {name: value for name in _FILTERS if (value := getattr(self, name)) is not None}


_FILTERS = {
    "reason": "reason",
    "connector": "connector",
    "external_id": "external_id",
    "device": "device",
    "topic": "topic",
    "since": "from",
    "until": "to",
}


class PurgeIn(Selection):
    """Whose payloads to erase for good, and why."""

    model_config = example(external_id="new-1", why="test device of the installer")

    why: str = Field(min_length=1, max_length=500, pattern=r"\S", description="Kept with the messages.")
    state: Literal["waiting", "redriven", "refused"] = "waiting"

    def filters(self) -> dict[str, object]:
        """Fields of a filter that are given, without ids."""
        return {"state": self.state, **super().filters()}


class OrdersOut(Model):
    """Orders left for ingest."""

    model_config = example(
        commands=[12],
        matching=3,
        explanation="Ingest takes the messages through again in a moment; what still cannot be used waits on.",
    )

    commands: list[int] = Field(description="Ids; GET /api/v1/commands/{id} says what came of each.")
    matching: int = Field(description="Messages that match now (counted up to 1000).")
    explanation: str


IGNORED: dict[str, Any] = {
    "connector": "wmbusmeters",
    "external_id": "12345678",
    "why": "meter of the neighbouring house",
    "by": "dana",
    "at": "2026-11-23T10:00:00Z",
}


class IgnoreIn(Model):
    """A foreign device to ignore."""

    model_config = example(connector="wmbusmeters", external_id="12345678", why="meter of the neighbouring house")

    connector: str = Field(min_length=1, max_length=64, pattern=r"\S")
    external_id: str = Field(min_length=1, max_length=256, pattern=r"\S")
    why: str = Field(min_length=1, max_length=500, pattern=r"\S")


class IgnoreOut(Model):
    """The order by which what waits of the device comes to be counted as ignored."""

    model_config = example(command=13)

    command: int


class IgnoredOut(Model):
    """A foreign device that is ignored."""

    model_config = example(**IGNORED)

    connector: str
    external_id: str
    why: str
    by: str
    at: Moment


class IgnoredList(Model):
    """All ignored devices."""

    model_config = example(items=[IGNORED])

    items: list[IgnoredOut]
