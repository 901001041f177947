# SPDX-License-Identifier: EUPL-1.2
"""Everything that the console is given. It only reads; `hub.app` joins it to ledger, journal and store."""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import tzinfo

from hub.core.ports import JournalReader, ReadingStore, Registry, ValueLedger
from hub.core.quantities import Quantities
from hub.indicators.definition import Definition


@dataclass(frozen=True, kw_only=True)
class ConsoleServices:
    """Ports of the console.

    Synchronous ports are called from worker threads. `layout` puts places on the schematic map, (column, row) from the
    north-west; places without an entry are laid out by their coordinates. `zone` is the city's time zone.
    """

    registry: Registry
    values: ValueLedger
    readings: ReadingStore
    journals: Sequence[JournalReader]
    quantities: Quantities
    definitions: Mapping[str, Definition]
    city_title: Mapping[str, str]
    zone: tzinfo
    layout: Mapping[str, tuple[int, int]] = field(default_factory=dict)
    clock_ns: Callable[[], int] = time.time_ns
