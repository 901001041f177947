# SPDX-License-Identifier: EUPL-1.2
"""The process that computes indicators and projects them; one at a time, held by a lease in the ledger."""

import asyncio
import logging
import os
import socket
import time
from collections.abc import Callable, Mapping, Sequence

from hub.app import Parts
from hub.commands._loop_thread import LoopThread
from hub.core.errors import HubError, Invalid, Retry
from hub.core.ports import ENGINE_ORDERS, IndicatorSink, PartHealth
from hub.core.readings import NS
from hub.core.windows import Calendar
from hub.indicators.engine import Engine
from hub.indicators.projector import MqttSink, Projector

_LEASE = 10 * NS  # so long a restart after a crash waits
_LOG = logging.getLogger("cityhub.engine")
_PROJECT_EVERY = 1.0
_DEVICES_EVERY = 5.0
_ORDERS_EVERY = 0.5


class EngineWorker:
    """Everything that `engine` holds open."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self._ledger = parts.ledger().open()
        self._store = parts.store()  # used on the thread's loop alone
        self._flags = parts.flags(writer=True)  # so is this
        self._thread = LoopThread("engine")
        self._journals = parts.journals()
        self._publisher = parts.publisher("engine")
        self._owner = f"{socket.gethostname()}-{os.getpid()}"
        self._waits: str | None = "waits for the lease of another engine"
        catalogue = parts.catalogue()
        self._sinks: dict[str, IndicatorSink] = {}
        if parts.settings.indicators.publish:
            self._sinks["mqtt"] = MqttSink(self._publisher, catalogue, self._ledger.values)
        self._influx = parts.indicator_sink() if parts.settings.store.kind == "influx" else None
        if self._influx is not None:
            self._sinks["influx"] = self._influx
        self._projector = Projector(self._ledger.values, self._ledger.devices, self._sinks)
        self._engine = Engine(
            catalogue,
            Calendar(parts.city().zone),
            self._store,
            self._ledger.values,
            self._ledger.devices,
            self._journals,
            parts.clock,
            keep=parts.settings.keep,
            rules=parts.rules(),
            flags=self._flags,
        )

    async def run(self) -> None:
        """Compute and project until cancelled or until the lease is lost."""
        while not self._take_lease():  # noqa: ASYNC110 the lease is another process's to give back
            await asyncio.sleep(_LEASE / NS / 10)
        self._waits = None
        async with asyncio.TaskGroup() as group:
            group.create_task(self._keep_lease())
            group.create_task(self._thread.run(self._engine.run(self._parts.settings.indicators.debounce_s)))
            group.create_task(self._projector.run(_PROJECT_EVERY))
            group.create_task(self._device_info())
            group.create_task(self._orders())

    async def alone(
        self, kind: str, arguments: Mapping[str, object], progress: Callable[[int, int], None]
    ) -> Mapping[str, object]:
        """Do one order without a running hub; Retry when an engine runs all the same."""
        if not self._take_lease():
            raise Retry("another engine has taken the lease just now")
        keeping = asyncio.create_task(self._keep_lease())
        try:
            return await self._obey(kind, arguments, progress)
        finally:
            keeping.cancel()

    async def close(self) -> None:
        """Give the lease back and release everything."""
        self._ledger.leases.release("engine", self._owner)
        await self._publisher.close()
        if self._influx is not None:
            await self._influx.close()
        await self._thread.run(self._store.close())
        await self._thread.run(self._flags.close())
        await self._thread.stop()
        for journal in self._journals:
            journal.close()
        self._ledger.close()

    def health(self) -> Sequence[PartHealth]:
        """Whether the engine works or waits."""
        detail = "computes" if self._waits is None else self._waits
        return [PartHealth("engine", self._waits is None, detail, "" if self._waits is None else "see the log")]

    def _take_lease(self) -> bool:
        now = time.time_ns()
        return self._ledger.leases.take("engine", self._owner, now, now + _LEASE)

    async def _keep_lease(self) -> None:
        while True:
            await asyncio.sleep(_LEASE / NS / 4)
            if not self._take_lease():
                raise HubError("another engine has taken the lease")

    async def _orders(self) -> None:
        """Carry out what the command line left in the ledger for the engine."""
        while True:
            for order in self._ledger.commands.pending():
                if order.kind not in ENGINE_ORDERS:
                    continue
                try:
                    result = await self._obey(order.kind, order.arguments, lambda _, __: None)
                except (Invalid, TypeError) as error:
                    result = {"error": str(error)}
                except Retry as error:
                    _LOG.warning("order waits", extra={"fields": {"order": order.id, "detail": str(error)}})
                    continue
                self._ledger.commands.done(order.id, result)
            await asyncio.sleep(_ORDERS_EVERY)

    async def _obey(
        self, kind: str, arguments: Mapping[str, object], progress: Callable[[int, int], None]
    ) -> Mapping[str, object]:
        if kind == "republish":
            for name in self._sinks:
                await self._projector.republish(name)
            return {"sinks": ", ".join(self._sinks)}
        wanted = {name: arguments.get(name) for name in ("indicator", "place")}
        work = self._engine.recompute(**wanted, progress=progress)  # type: ignore[arg-type]  # written by `recompute`
        done = await self._thread.run(work)
        return {"windows": done.windows, "written": done.written, "frozen": done.frozen}

    async def _device_info(self) -> None:
        """Keep the dashboards' list of devices and places up to date with the registry."""
        known = -1
        while self._influx is not None:
            version = self._ledger.devices.version()
            if version != known:
                try:
                    await self._influx.write_devices(self._ledger.devices.snapshot(), self._parts.clock())
                    known = version
                except Retry as error:
                    _LOG.warning("InfluxDB does not answer", extra={"fields": {"detail": str(error)}})
            await asyncio.sleep(_DEVICES_EVERY)
