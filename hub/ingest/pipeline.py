# SPDX-License-Identifier: EUPL-1.2
"""The thin shell of ingest: batches in; store, journal, acknowledge, in this order and never another.

One batch is one group commit. A store or a journal that is away (Retry) makes the batch wait, unacknowledged, so the
broker keeps what comes after it; a Stop ends ingest with the batch still unacknowledged. Redrives run between batches
through the same store and journal. A message without time is stamped once: its hash and arrival are committed before
its readings are stored, so that a redelivery after a crash finds the first stamp again.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from functools import partial
from typing import NamedTuple, TypeVar

from msgspec import Struct, ValidationError, convert
from msgspec.structs import replace

from hub.core.delivery import Delivery
from hub.core.errors import Invalid, Reject, Retry
from hub.core.journal import HOUR_NS, JournalBatch, Quarantined
from hub.core.logs import RateLimited
from hub.core.ports import ENGINE_ORDERS, CommandQueue, Journal, QuarantineFilter, ReadingStore, Registry, Source
from hub.core.readings import NS, PutResult, Reading
from hub.ingest.accounting import settle
from hub.ingest.interpret import Fault, Interpretation, Interpreter, set_aside
from hub.ingest.redrive import RedriveResult, delivery_of, settle_redrive

T = TypeVar("T")
_LOG = logging.getLogger("cityhub.ingest")
_REDRIVE_PAGE = 100  # messages, each as large as the limit at most
_MOST_ARRIVALS = 200_000
_NOTHING = PutResult([])


class _Work(NamedTuple):
    """A batch that was interpreted with the registry of `version`; `stamps` go into the journal first."""

    deliveries: Sequence[Delivery]
    meanings: Sequence[Interpretation]
    stamps: Mapping[bytes, int]
    version: int


class QuarantineOrder(Struct, frozen=True):
    """Arguments of an order to redrive; what else stands in it (journal) is for others."""

    reason: str | None = None
    connector: str | None = None
    external_id: str | None = None
    ids: list[int] | None = None

    def filter(self) -> QuarantineFilter:
        """The messages meant."""
        return QuarantineFilter(
            reason=self.reason, connector=self.connector, external_id=self.external_id, ids=self.ids
        )


class Pipeline:
    """Ingest of one journal."""

    def __init__(
        self,
        source: Source,
        store: ReadingStore,
        journal: Journal,
        registry: Registry,
        commands: CommandQueue,
        interpreter: Interpreter,
        *,
        clock: Callable[[], int],
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._source = source
        self._store = store
        self._journal = journal
        self._registry = registry
        self._commands = commands
        self._interpreter = interpreter
        self._clock = clock
        self._sleep = sleep
        self._turn = asyncio.Lock()
        self._version = -1
        self._arrivals: dict[bytes, int] = {}
        self._log = RateLimited(_LOG, clock)
        self.waiting_for: str | None = None

    async def run(self, poll: float = 0.5) -> None:
        """Ingest until the source is closed; `poll` is the seconds between looks at registry and orders.

        While a batch is being stored, the next one is interpreted; batches are stored and acknowledged in their order.
        """
        await self.prepare()
        async with asyncio.TaskGroup() as group:
            chores = group.create_task(self._chores(poll))
            await self._follow()
            chores.cancel()

    async def _follow(self) -> None:
        batches = aiter(self._source.batches())
        upcoming = asyncio.ensure_future(anext(batches))
        writing: asyncio.Task[None] | None = None
        try:
            while True:
                await asyncio.wait({upcoming, writing} if writing else {upcoming}, return_when=asyncio.FIRST_COMPLETED)
                if writing is not None and writing.done():
                    writing.result()
                    writing = None
                if upcoming.done():
                    work = self._read(upcoming.result())
                    if writing is not None:
                        await writing
                    writing = asyncio.create_task(self._write(work))
                    upcoming = asyncio.ensure_future(anext(batches))
        except StopAsyncIteration:
            if writing is not None:
                await writing
        finally:
            upcoming.cancel()
            if writing is not None:
                writing.cancel()

    async def prepare(self) -> None:
        """Load what a restart must remember: recent arrivals of messages without time, and the registry."""
        self._arrivals = dict(await self._insist(lambda: self._journal.recent_untimed(self._clock() - HOUR_NS)))
        self.refresh()

    def refresh(self) -> None:
        """Take over the registry when it has changed."""
        version = self._registry.version()
        if version != self._version:
            snapshot = self._registry.snapshot()
            self._interpreter.register(snapshot.devices.values())
            self._version = snapshot.version

    async def take(self, deliveries: Sequence[Delivery]) -> None:
        """One group commit: interpret, store, journal, acknowledge."""
        await self._write(self._read(deliveries))

    def _read(self, deliveries: Sequence[Delivery]) -> _Work:
        meanings = [self._interpreter.interpret(delivery, self._arrivals) for delivery in deliveries]
        return _Work(deliveries, meanings, self._new_stamps(meanings), self._version)

    async def _write(self, work: _Work) -> None:
        async with self._turn:
            deliveries, meanings, stamps, version = work
            if version != self._version:  # a device was registered meanwhile: its redrive may be over already
                meanings = [self._interpreter.interpret(delivery, self._arrivals) for delivery in deliveries]
            if stamps:
                await self._insist(partial(self._journal.commit, JournalBatch(untimed=stamps)))
            result = await self._put([reading for meaning in meanings for reading in meaning.readings])
            for row in await self._commit(meanings, result):
                self._log.warning(
                    row.reason, "message set aside", reason=row.reason, connector=row.connector, topic=row.topic
                )
            await self._source.ack([delivery.token for delivery in deliveries])

    async def _commit(self, meanings: Sequence[Interpretation], result: PutResult) -> Sequence[Quarantined]:
        """Journal a batch. One that cannot be recorded is halved until exactly the guilty message is set aside."""
        batch = settle(meanings, result)
        try:
            await self._insist(partial(self._journal.commit, batch))
        except Reject as error:
            if len(meanings) > 1:
                middle = len(meanings) // 2
                rows = sum(len(meaning.readings) for meaning in meanings[:middle])
                first = await self._commit(meanings[:middle], _part(result, 0, rows))
                return [*first, *await self._commit(meanings[middle:], _part(result, rows, len(result.outcomes)))]
            batch = settle([set_aside(meanings[0].delivery, Fault(error.reason, error.detail))], _NOTHING)
            await self._insist(partial(self._journal.commit, batch))
        return batch.quarantined

    async def redrive(self, where: QuarantineFilter) -> RedriveResult:
        """Take waiting messages through the pipeline again."""
        total, after = RedriveResult(), 0
        while True:
            async with self._turn:
                self.refresh()
                rows = await self._journal.waiting(where, after, _REDRIVE_PAGE)
                if not rows:
                    return total
                after = rows[-1].id
                meanings = [self._interpreter.interpret(delivery_of(row), self._arrivals) for row in rows]
                result = await self._put([reading for meaning in meanings for reading in meaning.readings])
                batch, page = settle_redrive(rows, meanings, result)
                await self._insist(partial(self._journal.commit, batch))
            total.tried += page.tried
            total.redriven += page.redriven
            total.waiting += page.waiting

    async def obey(self) -> None:
        """Carry out the orders that other processes left in the ledger."""
        for command in self._commands.pending():
            if command.kind in ENGINE_ORDERS:
                continue
            if command.kind != "redrive":
                self._commands.done(command.id, {"error": f"unknown order {command.kind!r}"})
                continue
            try:
                order = convert(dict(command.arguments), QuarantineOrder)
                if order.connector is not None and order.external_id is not None:
                    named = self._interpreter.identify(order.connector, order.external_id)
                    order = replace(order, external_id=named)
                result = await self.redrive(order.filter())
            except (ValidationError, Reject, Invalid) as error:
                self._commands.done(command.id, {"error": str(error)})
                continue
            _LOG.info(
                "redrive", extra={"fields": {"order": command.id, "tried": result.tried, "used": result.redriven}}
            )
            self._commands.done(
                command.id, {"tried": result.tried, "redriven": result.redriven, "waiting": result.waiting}
            )

    async def _chores(self, poll: float) -> None:
        while True:
            await self._sleep(poll)
            try:
                async with self._turn:
                    self.refresh()
                await self.obey()
            except Retry as error:
                self._log.warning("ledger", "ledger does not answer", detail=str(error))

    def _new_stamps(self, meanings: Sequence[Interpretation]) -> dict[bytes, int]:
        """Arrivals that stamped a reading for the first time: remembered at once, and journalled before storing."""
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

    async def _put(self, rows: list[Reading]) -> PutResult:
        return await self._insist(lambda: self._store.put(rows)) if rows else _NOTHING

    async def _insist(self, action: Callable[[], Awaitable[T]]) -> T:
        """Try until it works; what waits is not acknowledged, so nothing is lost. Stop passes through."""
        while True:
            try:
                result = await action()
            except Retry as error:
                self.waiting_for = str(error)
                self._log.warning("waiting", "ingest waits", detail=str(error), seconds=error.after)
                await self._sleep(error.after)
            else:
                self.waiting_for = None
                return result


def _part(result: PutResult, first: int, last: int) -> PutResult:
    """Outcomes of the rows [first, last)."""
    errors = {i - first: words for i, words in result.errors.items() if first <= i < last}
    return PutResult(result.outcomes[first:last], errors)


def trim_before(clock: Callable[[], int]) -> int:
    """Before which time (ns) hashes of untimed messages may be forgotten: promise 5 says within the hour."""
    return clock() - HOUR_NS - 60 * NS
