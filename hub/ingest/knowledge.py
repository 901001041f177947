# SPDX-License-Identifier: EUPL-1.2
"""Interpretation with what ingest knows at this moment: the registry, and when messages without time first arrived.

The registry is looked at by its version, in a thread of its own, so that a ledger that is slow to answer keeps nobody
waiting; and at once when a device seems unknown, because it may have been registered a moment ago. A message without
time is stamped once: the stamps that are new are handed out, to be journalled before their readings are stored.
"""

import asyncio
from collections.abc import Callable, Mapping, Sequence

from hub.core.delivery import Delivery
from hub.core.errors import Retry
from hub.core.journal import HOUR_NS
from hub.core.logs import RateLimited
from hub.core.ports import Registry
from hub.core.readings import NS
from hub.ingest.bridges import Bridges, bounded
from hub.ingest.interpret import Interpretation, Interpreter

_MOST_ARRIVALS = 200_000
_LEDGER_AWAY = 5 * NS  # after no answer nobody asks about unknown devices for so long


class Knowledge:
    """Holds `interpreter` up to date; `log` hears of a ledger that does not answer."""

    def __init__(
        self, registry: Registry, interpreter: Interpreter, clock: Callable[[], int], log: RateLimited
    ) -> None:
        self.interpreter = interpreter
        self._registry = registry
        self._clock = clock
        self._log = log
        self._version = -1
        self._ask_again = 0
        self._bridges: Bridges = ()
        self._arrivals: dict[bytes, int] = {}

    def remember(self, arrivals: Mapping[bytes, int]) -> None:
        """Take over the recent arrivals that the journal has kept."""
        self._arrivals = dict(arrivals)

    async def refresh(self) -> None:
        """Take over the registry when it has changed."""
        version = await asyncio.to_thread(self._registry.version)
        if version != self._version:
            snapshot = await asyncio.to_thread(self._registry.snapshot)
            if snapshot.version > self._version:
                self.interpreter.register(snapshot.devices.values(), snapshot.ignored, snapshot.earlier)
                self._bridges = snapshot.bridges
                self._version = snapshot.version

    async def meanings(self, deliveries: Sequence[Delivery], *, waited: bool) -> Sequence[Interpretation]:
        """What they mean now. `waited`: they lay in the spool, so retention counts from now."""
        found = self.interpret(deliveries, waited=waited)
        if any(meaning.faults for meaning in found) and await self._is_news(found):
            return self.interpret(deliveries, waited=waited)
        return found

    def interpret(self, deliveries: Sequence[Delivery], *, waited: bool) -> Sequence[Interpretation]:
        """The same without a look at the registry."""
        arrivals = self._arrivals
        if waited:
            again, now = self.interpreter.interpret_again, self._clock()
            found = [again(delivery, arrivals, now) for delivery in deliveries]
        else:
            interpret = self.interpreter.interpret
            found = [interpret(delivery, arrivals) for delivery in deliveries]
        return [bounded(meaning, self._bridges) for meaning in found] if self._bridges else found

    def stamps(self, meanings: Sequence[Interpretation]) -> dict[bytes, int]:
        """Arrivals that stamped a reading for the first time: remembered now, to be journalled before storing."""
        fresh = {
            digest: arrival
            for digest, arrival in (meaning.arrival for meaning in meanings if meaning.arrival is not None)
            if self._arrivals.get(digest) != arrival
        }
        for digest, arrival in fresh.items():
            self._arrivals.pop(digest, None)  # so that the order is that of the stamps
            self._arrivals[digest] = arrival
        limit = self._clock() - HOUR_NS
        while self._arrivals:
            oldest = next(iter(self._arrivals))
            if self._arrivals[oldest] >= limit and len(self._arrivals) <= _MOST_ARRIVALS:
                break
            del self._arrivals[oldest]
        return fresh

    async def _is_news(self, meanings: Sequence[Interpretation]) -> bool:
        """Whether a device that seemed unknown may have been registered just now."""
        unknown = any(fault.reason == "unknown_device" for meaning in meanings for fault in meaning.faults)
        if not unknown or self._clock() < self._ask_again:
            return False
        version = self._version
        try:
            await self.refresh()
        except Retry as error:  # the ledger is away: who is unknown waits in quarantine
            self._ask_again = self._clock() + _LEDGER_AWAY
            self._log.warning("ledger", "ledger does not answer", detail=str(error))
        return version != self._version


def trim_before(clock: Callable[[], int]) -> int:
    """Before which time (ns) hashes of untimed messages may be forgotten: promise 5 says within the hour."""
    return clock() - HOUR_NS - 60 * NS
