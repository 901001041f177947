# SPDX-License-Identifier: EUPL-1.2
"""Deliveries in, publications out, and what waits on disk in between."""

from collections.abc import AsyncIterator, Sequence
from typing import NamedTuple, Protocol

from hub.core.delivery import Delivery, Publication
from hub.core.journal import SpoolPosition


class PartHealth(NamedTuple):
    """State of one part: `ok`, what was found, and what to do when it is not ok."""

    part: str
    ok: bool
    detail: str
    hint: str = ""


class Source(Protocol):
    """Where deliveries come from."""

    def batches(self) -> AsyncIterator[Sequence[Delivery]]:
        """Yield batches in order of receipt until closed; survives reconnects."""
        ...

    async def ack(self, tokens: Sequence[int]) -> None:
        """Acknowledge, in the order given; stale tokens are ignored."""
        ...

    async def close(self) -> None:
        """Disconnect without losing what was not acknowledged."""
        ...


class Publisher(Protocol):
    """Where the hub's own messages go."""

    async def publish(self, messages: Sequence[Publication]) -> None:
        """Return when the broker has confirmed all; raise Retry when it is away."""
        ...

    async def close(self) -> None:
        """Disconnect."""
        ...


class SpoolBatch(NamedTuple):
    """Deliveries from the spool in the order in which they went in, and the position behind them."""

    deliveries: Sequence[Delivery]
    position: SpoolPosition


class SpoolState(NamedTuple):
    """What waits in the spool: messages, bytes, and the arrival (ns) of the oldest, None when it is empty."""

    messages: int = 0
    bytes: int = 0
    oldest: int | None = None


class Spool(Protocol):
    """Deliveries on disk that a store could not take yet. One writer; which part is done with stands in the journal."""

    async def open(self, done: SpoolPosition) -> SpoolState:
        """Mend what a crash tore, forget what is done with; returns what waits."""
        ...

    async def append(self, deliveries: Sequence[Delivery]) -> None:
        """Durable on return. Raise Retry when the spool or the disk is full: nothing of it is kept then."""
        ...

    async def next(self, after: SpoolPosition) -> SpoolBatch | None:
        """What was appended together behind `after`, None when nothing is left."""
        ...

    async def done(self, position: SpoolPosition) -> None:
        """The journal has committed `position`: files before it may go."""
        ...

    def state(self) -> SpoolState:
        """What waits now."""
        ...

    async def close(self) -> None:
        """Release files; what waits stays."""
        ...
