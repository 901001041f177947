# SPDX-License-Identifier: EUPL-1.2
"""The process that computes indicators and projects them; one at a time, held by a lease in the ledger."""

import asyncio
import contextlib
import logging
import os
import socket
import time
from collections.abc import Callable, Mapping, Sequence

from hub.app import Parts
from hub.commands._loop_thread import LoopThread
from hub.core.errors import HubError, Invalid, Retry
from hub.core.ports import ENGINE_ORDERS, Command, IndicatorSink, PartHealth
from hub.core.readings import NS
from hub.core.windows import Calendar
from hub.indicators.engine import Engine
from hub.indicators.projector import MqttSink, Projector

_LEASE = 10 * NS  # so long a restart after a crash waits
_OTHER = "waits for the lease of another engine"
_LOG = logging.getLogger("cityhub.engine")
_PROJECT_EVERY = 1.0
_DEVICES_EVERY = 5.0
_ORDERS_EVERY = 0.5
_REWRITE_EVERY = 10 * NS  # the row of an open window, at most


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
        self._waits: str | None = _OTHER
        catalogue = parts.catalogue()
        self._texts = {d.id: (d.version, catalogue.texts[d.id]) for d in catalogue if d.id in catalogue.texts}
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
            every=_REWRITE_EVERY,
            rules=parts.rules(),
            flags=self._flags,
            entries=self._ledger.entries,
        )

    async def run(self) -> None:
        """Compute and project until cancelled or until the lease is lost."""
        while not await self._try_lease():  # noqa: ASYNC110 the lease is another process's to give back
            await asyncio.sleep(_LEASE / NS / 10)
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
        self._ledger.definitions.remember(self._texts)
        keeping = asyncio.create_task(self._keep_lease())
        try:
            return await self._obey(kind, arguments, progress)
        finally:
            keeping.cancel()

    async def close(self) -> None:
        """Give the lease back and release everything."""
        with contextlib.suppress(Retry):  # it ends by itself
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
        waits = self._waits or self._engine.waits
        return [PartHealth("engine", waits is None, waits or "computes", "" if waits is None else "see the log")]

    def _take_lease(self) -> bool:
        now = time.time_ns()
        return self._ledger.leases.take("engine", self._owner, now, now + _LEASE)

    async def _try_lease(self) -> bool:
        """Whether this is the engine; a ledger that is away or full is waited for, and health says so."""
        try:
            taken = self._take_lease()
            if taken:
                self._ledger.definitions.remember(self._texts)
        except Retry as error:
            self._waits = str(error)
            _LOG.warning("engine waits", extra={"fields": {"detail": str(error)}})
            await asyncio.sleep(error.after)
            return False
        self._waits = None if taken else _OTHER
        return taken

    async def _keep_lease(self) -> None:
        while True:
            await asyncio.sleep(_LEASE / NS / 4)
            if not await self._try_lease() and self._waits == _OTHER:
                raise HubError("another engine has taken the lease")

    async def _orders(self) -> None:
        """Carry out what the command line left in the ledger for the engine."""
        while True:
            try:
                for order in self._ledger.commands.pending():
                    if order.kind in ENGINE_ORDERS:
                        await self._carry_out(order)
            except Retry as error:
                _LOG.warning("orders wait", extra={"fields": {"detail": str(error)}})
                await asyncio.sleep(error.after)
            await asyncio.sleep(_ORDERS_EVERY)

    async def _carry_out(self, order: Command) -> None:
        told = time.monotonic()

        def progress(done: int, total: int) -> None:
            nonlocal told
            if time.monotonic() - told > _ORDERS_EVERY:
                told = time.monotonic()
                self._ledger.commands.progress(order.id, done, total)

        try:
            result = await self._obey(order.kind, order.arguments, progress)
        except (Invalid, TypeError) as error:
            result = {"error": str(error)}
        self._ledger.commands.done(order.id, result)

    async def _obey(
        self, kind: str, arguments: Mapping[str, object], progress: Callable[[int, int], None]
    ) -> Mapping[str, object]:
        if kind == "republish":
            for name in self._sinks:
                await self._projector.republish(name, progress)
            return {"sinks": ", ".join(self._sinks)}
        wanted = {name: arguments.get(name) for name in ("indicator", "place", "start", "end")}
        work = self._engine.recompute(**wanted, progress=progress)  # type: ignore[arg-type]  # written by `recompute`
        done = await self._thread.run(work)
        return {"windows": done.windows, "written": done.written, "frozen": done.frozen}

    async def _device_info(self) -> None:
        """Keep the dashboards' list of devices and places up to date with the registry."""
        known = -1
        while self._influx is not None:
            try:
                version = self._ledger.devices.version()
                if version != known:
                    await self._influx.write_devices(self._ledger.devices.snapshot(), self._parts.clock())
                    known = version
            except Retry as error:
                _LOG.warning("the list of devices waits", extra={"fields": {"detail": str(error)}})
            await asyncio.sleep(_DEVICES_EVERY)
