# SPDX-License-Identifier: EUPL-1.2
"""Everything that the API is given. It opens nothing itself: `hub.app` joins it to stores, ledger and broker.

Synchronous ports (book, values, journals, commands, keys) are called from worker threads and have to allow that.
"""

import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Protocol

from hub.core.places import Device
from hub.core.ports import (
    AuditTrail,
    Bench,
    Command,
    CommandQueue,
    CorrectionBook,
    Credentials,
    DeviceBook,
    EntryBook,
    FlagStore,
    ImportBook,
    Issued,
    JournalReader,
    KeyRing,
    NetworkServer,
    PartHealth,
    People,
    Publisher,
    ReadingStore,
    Records,
    ValueLedger,
)
from hub.core.quantities import Quantities
from hub.devices.evidence import Watch
from hub.devices.inbox import Inbox
from hub.devices.models import DeviceModel
from hub.indicators.catalogue import Catalogue
from hub.strategy.monitoring import Monitoring


class Done(Protocol):
    """An order and what came of it."""

    @property
    def command(self) -> Command:
        """The order."""
        ...

    @property
    def result(self) -> Mapping[str, object] | None:
        """What came of it, None until it is done."""
        ...


class Orders(CommandQueue, Protocol):
    """The queue of orders for those who ask what became of one."""

    def state(self, command: int) -> Done:
        """One order; raise NotFound."""
        ...


class Book(DeviceBook, Protocol):
    """The registry, with a note of who made a change."""

    def add_device(self, device: Device, *, by: str = "") -> Device:
        """See DeviceBook."""
        ...

    def remove_device(self, device: str, *, by: str = "", why: str = "", expected: int | None = None) -> None:
        """See DeviceBook."""
        ...


class IgnoredEntry(Protocol):
    """A foreign device that is ignored, why and by whom, since when (ns)."""

    @property
    def at(self) -> int:
        """Since when."""
        ...

    def _asdict(self) -> Mapping[str, object]:
        """connector, external_id, why, by, at."""
        ...


class IgnoredDevices(Protocol):
    """The list of foreign devices that are ignored."""

    def all(self) -> Sequence[IgnoredEntry]:
        """Every ignored device."""
        ...

    def add(self, connector: str, external_id: str, *, why: str, by: str = "") -> Sequence[int]:
        """Ignore a device from now on; returns the orders to take what waits through again. Raise Exists."""
        ...

    def remove(self, connector: str, external_id: str, *, by: str = "") -> None:
        """Ignore a device no longer; raise NotFound."""
        ...


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


class BrokerDesk(Protocol):
    """Credentials at the broker, and how devices reach it."""

    @property
    def credentials(self) -> Credentials:
        """What the ledger has of them."""
        ...

    @property
    def managed(self) -> bool:
        """Whether the hub brings them to the broker itself; else somebody enters them there."""
        ...

    @property
    def hand_over(self) -> Callable[[Sequence[Issued]], Awaitable[None]] | None:
        """Gives secrets to a broker that takes them in plain text only; None where hashes do."""
        ...

    def entry(self, issued: Issued) -> Mapping[str, object]:
        """All that is entered in a device: secret, host, port, tls, client_id, topic, payload, text."""
        ...


HealthCheck = Callable[[], Awaitable[PartHealth]]

LOOPBACK_HOSTS = ("localhost", "127.0.0.1", "::1")


def _no_texts(_: str) -> Mapping[int, str]:
    return {}


@dataclass(frozen=True, kw_only=True)
class Services:
    """Ports and settings of the API.

    `read_requires_key`: on as soon as the hub listens beyond loopback. While it is off, only requests addressed to a
    loopback name are answered, so that a web page in a browser cannot reach the hub through a name of its own (DNS
    rebinding); `allowed_hosts` overrides which names, ("*",) allows all. `journals[i]` is read by the engine with the
    cursor `touch:<i>`. `definition_texts` has the texts of an indicator by version, former ones
    included. `flags` has what quality control found on readings. `figures` are numbers of the other
    processes, by process and name. `max_body_bytes` bounds every request body; `check_seconds` one health check.
    """

    book: Book
    ignored: IgnoredDevices
    values: ValueLedger
    corrections: CorrectionBook
    entries: EntryBook
    monitoring: Monitoring
    readings: ReadingStore
    records: Records
    audit: AuditTrail
    photos: PhotoStore
    journals: Sequence[JournalReader]
    commands: Orders
    keys: KeyRing
    people: People | None = None
    broker: BrokerDesk | None = None
    bench: Bench | None = None
    publisher: Publisher
    quantities: Quantities
    definitions: Catalogue
    city_title: str
    time_zone: str
    version: str
    definition_texts: Callable[[str], Mapping[int, str]] = _no_texts
    models: Mapping[str, DeviceModel] = field(default_factory=dict)
    network_servers: Mapping[str, NetworkServer] = field(default_factory=dict)  # by connector
    imports: ImportBook | None = None
    connectors: Sequence[str] = ()
    flags: FlagStore | None = None
    health: Sequence[HealthCheck] = ()
    figures: Callable[[], Mapping[str, Mapping[str, float]]] = dict
    read_requires_key: bool = True
    allowed_hosts: Sequence[str] | None = None
    max_body_bytes: int = 1_048_576
    check_seconds: float = 3.0
    clock_ns: Callable[[], int] = time.time_ns

    @cached_property
    def watch(self) -> Watch:
        """States of devices by all that is known of them."""
        return Watch(self.journals, self.broker.credentials if self.broker else None, self.corrections)

    @cached_property
    def inbox(self) -> Inbox:
        """Who talks without being registered."""
        return Inbox(self.journals, self.book, self.commands, self.models, self.bench)

    @property
    def hosts(self) -> Sequence[str]:
        """Host names that requests may be addressed to; ("*",) for any."""
        if self.allowed_hosts is not None:
            return self.allowed_hosts
        return ("*",) if self.read_requires_key else LOOPBACK_HOSTS
