# SPDX-License-Identifier: EUPL-1.2
"""Projections of the ledger: the change feed is carried to each sink, from the cursor `sink:<name>`.

The ledger is the truth. A sink that was away gets everything that it missed, in order of seq; one that lost its data
is rebuilt by setting its cursor back to 0 (`republish`). Writing is idempotent, so a crash between write and cursor
repeats a batch and changes nothing.
"""

import asyncio
import logging
from collections.abc import Callable, Mapping, Sequence

from hub.core.errors import Retry
from hub.core.indicators import IndicatorValue
from hub.core.places import RegistrySnapshot
from hub.core.ports import IndicatorSink, Publisher, Registry, ValueLedger, ValueQuery
from hub.indicators.catalogue import Catalogue
from hub.indicators.representation import publication

_log = logging.getLogger(__name__)


class Projector:
    """Carries new values to the sinks, each at its own pace."""

    def __init__(
        self, ledger: ValueLedger, registry: Registry, sinks: Mapping[str, IndicatorSink], batch: int = 2_000
    ) -> None:
        self._ledger = ledger
        self._registry = registry
        self._sinks = sinks
        self._batch = batch
        self._locks = {name: asyncio.Lock() for name in sinks}  # a batch on its way must not undo `republish`

    async def step(self, name: str) -> bool:
        """Carry one batch to a sink; whether there may be more. Raises Retry when the sink is away."""
        cursor = f"sink:{name}"
        async with self._locks[name]:
            values = self._ledger.values(ValueQuery(after_seq=self._ledger.cursor(cursor), limit=self._batch))
            if not values:
                return False
            await self._sinks[name].write(values, self._registry.snapshot())
            self._ledger.commit((), {cursor: values[-1].seq})
            return len(values) == self._batch

    async def drain(self, name: str) -> None:
        """Carry everything there is."""
        while await self.step(name):
            pass

    async def republish(self, name: str, progress: Callable[[int, int], None] | None = None) -> None:
        """Write everything again; `progress(done, total)` goes by numbers of the feed."""
        async with self._locks[name]:
            total = self._ledger.cursor(f"sink:{name}")
            self._ledger.commit((), {f"sink:{name}": 0})
        while await self.step(name):
            done = self._ledger.cursor(f"sink:{name}")
            if progress:
                progress(done, max(done, total))

    async def run(self, pause: float = 1.0) -> None:
        """Follow the feed for ever; a sink that is away does not hold up the others."""
        async with asyncio.TaskGroup() as tasks:
            for name in self._sinks:
                tasks.create_task(self._follow(name, pause))

    async def _follow(self, name: str, pause: float) -> None:
        while True:
            wait = pause
            try:
                wait = 0.0 if await self.step(name) else pause
            except Retry as error:
                wait = max(pause, error.after)
                _log.warning("sink %s waits: %s", name, error, extra={"reason": "sink_retry"})
            await asyncio.sleep(wait)


class MqttSink:
    """Retained messages: of each indicator and place the newest window wins, whatever the order of writing."""

    def __init__(self, publisher: Publisher, catalogue: Catalogue, ledger: ValueLedger) -> None:
        self._publisher = publisher
        self._catalogue = catalogue
        self._ledger = ledger

    async def write(self, values: Sequence[IndicatorValue], registry: RegistrySnapshot) -> None:  # noqa: ARG002 - port
        """Publish the newest of the values of each topic, unless a newer window was there before."""
        newest: dict[tuple[str, str], IndicatorValue] = {}
        for value in values:
            key = (value.indicator, value.place)
            if key not in newest or value.start >= newest[key].start:
                newest[key] = value
        definitions = self._catalogue.definitions
        shown = [value for value in newest.values() if self._is_newest(value)]
        await self._publisher.publish([publication(value, definitions.get(value.indicator)) for value in shown])

    def _is_newest(self, value: IndicatorValue) -> bool:
        later = ValueQuery(value.indicator, value.place, start=value.start + 1, limit=1)
        return not self._ledger.values(later)
