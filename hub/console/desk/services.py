# SPDX-License-Identifier: EUPL-1.2
"""What the desk is given beside the ports of the console. Ports that are None have no page."""

from dataclasses import dataclass

from hub.console.services import ConsoleServices
from hub.core.ports import AuditLog, CommandQueue, CorrectionBook, DeviceBook, Gate, KeyRing, People
from hub.indicators.catalogue import Catalogue


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
