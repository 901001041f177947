# SPDX-License-Identifier: EUPL-1.2
"""Orders that one process leaves for another."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple, Protocol

ENGINE_ORDERS = frozenset({"recompute", "republish"})


class Command(NamedTuple):
    """An order left in the ledger: `redrive` (fields of QuarantineFilter) for ingest, ENGINE_ORDERS for the engine."""

    id: int
    kind: str
    arguments: Mapping[str, object]


class CommandQueue(Protocol):
    """Orders that one process leaves for another."""

    def pending(self) -> Sequence[Command]:
        """Orders not done yet, oldest first."""
        ...

    def done(self, command: int, result: Mapping[str, object]) -> None:
        """Mark as done, with what came of it."""
        ...

    def progress(self, command: int, done: int, total: int) -> None:
        """Say how far an order is that is worked on."""
        ...

    def submit(self, kind: str, arguments: Mapping[str, object]) -> int:
        """Leave an order; returns its id."""
        ...
