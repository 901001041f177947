# SPDX-License-Identifier: EUPL-1.2
"""Everything that the console is given; `hub.app` joins it to ledger, journal and store.

The pages of the overview only read. `RegistryPorts` is what pages that change the registry are given beside that; a
console without it has the reading pages alone.
"""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import tzinfo
from functools import cached_property
from typing import TYPE_CHECKING, Protocol

from hub.core.ports import (
    AuditTrail,
    CorrectionBook,
    Credentials,
    DeviceBook,
    JournalReader,
    NetworkServer,
    ReadingStore,
    Records,
    Registry,
    ValueLedger,
)
from hub.core.quantities import Quantities
from hub.devices.evidence import Watch
from hub.devices.inbox import Inbox
from hub.devices.models import DeviceModel
from hub.indicators.definition import Definition

if TYPE_CHECKING:
    from hub.console.oidc import SignIn


class PhotoStore(Protocol):
    """Pictures by the hash of their content; durable on return of `put`."""

    def put(self, sha256: str, content: bytes) -> None:
        """Keep a picture. Raise Retry."""
        ...

    def get(self, sha256: str) -> bytes:
        """Raise NotFound."""
        ...

    def drop(self, sha256: str) -> None:
        """Erase a picture; harmless when it is gone. Raise Retry."""
        ...


class Ignoring(Protocol):
    """The list of foreign devices that are ignored."""

    def add(self, connector: str, external_id: str, *, why: str, by: str = "") -> Sequence[int]:
        """Ignore a device from now on, and what waits of it. Raise Exists where it is registered, Invalid."""
        ...


@dataclass(frozen=True, kw_only=True)
class RegistryPorts:
    """What pages that change the registry are given; synchronous, called from worker threads.

    `mqtt` is how devices reach the broker (host, port, whether by TLS).
    """

    book: DeviceBook
    records: Records
    credentials: Credentials
    corrections: CorrectionBook
    audit: AuditTrail
    ignored: Ignoring
    mqtt: tuple[str, int, bool]
    models: Mapping[str, DeviceModel] = field(default_factory=dict)
    photos: PhotoStore | None = None
    inbox: Inbox | None = None
    network_servers: Mapping[str, NetworkServer] = field(default_factory=dict)  # by connector


@dataclass(frozen=True, kw_only=True)
class ConsoleServices:
    """Ports of the console.

    Synchronous ports are called from worker threads. `layout` puts places on the schematic map, (column, row) from the
    north-west; places without an entry are laid out by their coordinates. `zone` is the city's time zone. `oidc` is the
    provider at which people may sign in.
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
    ports: RegistryPorts | None = None
    oidc: "SignIn | None" = None
    clock_ns: Callable[[], int] = time.time_ns

    @cached_property
    def watch(self) -> Watch:
        """States of devices by all that is known of them."""
        ports = self.ports
        return Watch(self.journals, ports.credentials if ports else None, ports.corrections if ports else None)
