# SPDX-License-Identifier: EUPL-1.2
"""Hand-written stand-ins at the ports, for tests of ingest's own logic."""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping, Sequence

from hub.core.delivery import Delivery
from hub.core.errors import Retry
from hub.core.places import Device, RegistrySnapshot
from hub.core.ports import Command, PartHealth
from hub.core.readings import Columns, Outcome, PutResult, Reading, Series


class Clock:
    """A clock that stands until it is moved."""

    def __init__(self, now: int) -> None:
        self.now = now

    def __call__(self) -> int:
        return self.now


class MemoryStore:
    """The key rule over a dict; can be told to be away for the next `away` calls, or to wait at a `gate`."""

    def __init__(self) -> None:
        self.rows: dict[tuple[str, str, int], Reading] = {}
        self.away = 0
        self.calls: list[str] = []
        self.gate = asyncio.Event()
        self.gate.set()

    async def put(self, rows: Sequence[Reading]) -> PutResult:
        self.calls.append("put")
        await self.gate.wait()
        if self.away:
            self.away -= 1
            raise Retry("store is away", after=0.0)
        outcomes, errors = [], {}
        for i, row in enumerate(rows):
            key = (row.device, row.quantity, row.time)
            old = self.rows.get(key)
            if old is None or (row.revision > old.revision and row.value != old.value):
                self.rows[key] = row
                outcomes.append(Outcome.STORED if old is None else Outcome.REPLACED)
            elif row.value == old.value:
                outcomes.append(Outcome.DUPLICATE)
            else:
                outcomes.append(Outcome.CONFLICT)
                errors[i] = f"stored {old.value:g}"
        return PutResult(outcomes, errors)

    async def scan(self, series: Sequence[Series], start: int, end: int) -> Columns:
        raise NotImplementedError("ingest never reads back")

    async def latest(self, series: Sequence[Series]) -> Mapping[Series, Reading]:
        raise NotImplementedError("ingest never reads back")

    async def series(self, devices: Sequence[str] | None = None) -> Sequence[Series]:
        raise NotImplementedError("ingest never reads back")

    async def check(self) -> PartHealth:
        return PartHealth("store", True, "memory")

    async def close(self) -> None:
        """Nothing to release."""


class ListSource:
    """Batches given beforehand; remembers what was acknowledged."""

    def __init__(self, batches: Sequence[Sequence[Delivery]] = ()) -> None:
        self._batches = batches
        self.acked: list[int] = []

    async def batches(self) -> AsyncIterator[Sequence[Delivery]]:
        for batch in self._batches:
            yield batch

    async def ack(self, tokens: Sequence[int]) -> None:
        self.acked += tokens

    async def close(self) -> None:
        """Nothing to release."""


class EndlessSource(ListSource):
    """The batches given, and then nothing for ever, as a quiet broker."""

    def __init__(self, *batches: Sequence[Delivery]) -> None:
        super().__init__(batches)

    async def batches(self) -> AsyncIterator[Sequence[Delivery]]:
        async for batch in super().batches():
            yield batch
        await asyncio.Event().wait()


class MemoryRegistry:
    """Registry and order queue in one."""

    def __init__(self, *devices: Device) -> None:
        self.devices = {device.id: device for device in devices}
        self.number = 1
        self.orders: list[Command] = []
        self.results: dict[int, Mapping[str, object]] = {}
        self.on_snapshot: Callable[[], object] = lambda: None

    def add(self, device: Device) -> None:
        self.devices[device.id] = device
        self.number += 1
        self.submit(
            "redrive",
            {"connector": device.connector, "external_id": device.external_id, "reason": "unknown_device"},
        )

    def version(self) -> int:
        return self.number

    def snapshot(self) -> RegistrySnapshot:
        self.on_snapshot()
        return RegistrySnapshot(self.number, dict(self.devices), {})

    def pending(self) -> Sequence[Command]:
        return [order for order in self.orders if order.id not in self.results]

    def done(self, command: int, result: Mapping[str, object]) -> None:
        self.results[command] = result

    def submit(self, kind: str, arguments: Mapping[str, object]) -> int:
        self.orders.append(Command(len(self.orders) + 1, kind, arguments))
        return len(self.orders)
