# SPDX-License-Identifier: EUPL-1.2
"""What the desk is given beside the ports of the console. Ports that are None have no page."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from hub.console.services import ConsoleServices
from hub.core.ports import (
    AuditLog,
    Bench,
    CommandQueue,
    CorrectionBook,
    DeviceBook,
    Gate,
    ImportBook,
    Issued,
    KeyRing,
    People,
)
from hub.indicators.catalogue import Catalogue

HandOver = Callable[[Sequence[Issued]], Awaitable[None]]  # gives new secrets to a broker that wants them in plain text


class Outcome(Protocol):
    """What became of an order: `result` is None until it is done, `progress` how far it is then (done, total)."""

    @property
    def result(self) -> Mapping[str, object] | None: ...

    @property
    def progress(self) -> tuple[int, int] | None: ...


class Orders(Protocol):
    """Orders by their ids."""

    def state(self, command: int) -> Outcome:
        """One order; raise NotFound."""
        ...


@dataclass(frozen=True, kw_only=True)
class DeskServices:
    """Ports of the desk; synchronous ones are called from worker threads. `gate` says who somebody is, every time."""

    console: ConsoleServices
    gate: Gate
    book: DeviceBook
    corrections: CorrectionBook
    commands: CommandQueue
    catalogue: Catalogue
    audit: AuditLog | None = None
    people: People | None = None
    keys: KeyRing | None = None
    bench: Bench | None = None
    hand_over: HandOver | None = None
    imports: ImportBook | None = None
    orders: Orders | None = None
    connectors: Sequence[str] = ()
