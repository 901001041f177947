# SPDX-License-Identifier: EUPL-1.2
"""The thin shell of ingest: batches in; store, journal, acknowledge, in this order and never another.

One batch is one group commit. Up to `DEPTH` batches are under way: while one waits for the store, the next one is
interpreted and put; journal and acknowledgement follow strictly in the order of receipt. A Stop ends ingest with what
is under way unacknowledged. The stamps of messages without time are committed before their readings are stored, so that
a redelivery after a crash finds the first stamp again.

A store that does not answer for `spool_after` seconds: batches go to the spool on disk (only what has readings: the
rest needs no store) and are acknowledged. What comes out of the spool is interpreted, stored and accounted for just as
if it came from the broker now, and the journal commits the spool's position in the same transaction. The oldest batch
in the spool is what the store is tried with; once it answers, the spool drains in order, one batch at a time beside the
live ones. Where there is no room in the spool, or no spool, batches wait unacknowledged, and the broker keeps what
comes after them.

What messages mean depends on what `knowledge` has; the journal is written by `recorder`, within the quarantine's quota;
orders of other processes are carried out beside all this by `clerk`.

What may lie in memory: what the session holds unacknowledged (`max_pending_bytes`, `receive_maximum`), and what `DEPTH`
live batches and one of the spool were decoded to.
"""

import asyncio
import contextlib
import logging
from collections.abc import Awaitable, Callable, Sequence
from functools import partial

from hub.core.delivery import Delivery
from hub.core.errors import Retry
from hub.core.journal import HOUR_NS, OpenBatch, Progress, SpoolPosition
from hub.core.logs import RateLimited
from hub.core.ports import CommandQueue, Journal, ReadingStore, Registry, Source, Spool, SpoolBatch, SpoolState
from hub.core.readings import NS, PutResult
from hub.ingest.accounting import touches_of
from hub.ingest.clerk import Clerk
from hub.ingest.fail_points import FailPoints
from hub.ingest.interpret import Interpreter, batch_of
from hub.ingest.knowledge import Knowledge
from hub.ingest.patience import Patience
from hub.ingest.quota import Quota
from hub.ingest.recorder import Recorder
from hub.ingest.sampler import Sampler
from hub.ingest.work import Work

DEPTH = 3  # batches under way
_LOG = logging.getLogger("cityhub.ingest")
_ENDING_SECONDS = 4.0  # twice at most: the supervisor waits ten
_DRAIN_MESSAGES, _DRAIN_BYTES = 5_000, 4 << 20  # of the spool in one batch, about
_NOTHING = PutResult([])


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
        spool: Spool | None = None,
        spool_after: float = 2.0,
        note: Callable[[OpenBatch], None] = lambda _: None,
        fail: FailPoints | None = None,
        quota: Quota | None = None,
        sampler: Sampler | None = None,
    ) -> None:
        self._source = source
        self._store = store
        self._journal = journal
        self._clock = clock
        self._spool = spool
        self._spool_after = spool_after
        self._note = note
        self._fail = fail or FailPoints({}, lambda: None)
        self._slots = asyncio.Semaphore(DEPTH)
        self._last: asyncio.Task[None] | None = None  # of the batches under way, the one that came last
        self._number = 0
        self._spooled = SpoolPosition()
        self._work_in_spool = asyncio.Event()
        self._ending = asyncio.Event()
        self._log = RateLimited(_LOG, clock)
        self._patience = Patience(sleep, self._log)
        self._knowledge = Knowledge(registry, interpreter, clock, self._log)
        self.recorder = Recorder(
            journal, quota or Quota(), interpreter, self._patience, clock=clock, log=self._log, sampler=sampler
        )
        self.clerk = Clerk(
            commands,
            self._knowledge,
            store,
            journal,
            self._patience,
            clock=clock,
            log=self._log,
            note=note,
            live=self._journalled,
            left=self.recorder.reload,
        )
        self.spooling: str | None = None  # why batches go to the spool, None while they do not

    @property
    def waiting_for(self) -> str | None:
        """What has to answer before ingest goes on, None while nothing has to."""
        return self._patience.waiting_for

    async def run(self, poll: float = 0.5) -> None:
        """Ingest until the source is closed; `poll` is the seconds between looks at registry and orders."""
        await self.prepare()
        async with asyncio.TaskGroup() as group:
            chores, drain = group.create_task(self._chores(poll)), group.create_task(self._drain())
            await self._follow(group)
            self._ending.set()
            self._work_in_spool.set()  # the drain ends with the batch at hand
            under_way = {drain} if self._last is None else {drain, self._last}
            await asyncio.wait(under_way, timeout=_ENDING_SECONDS)
            with contextlib.suppress(TimeoutError):
                # an order ends with the page at hand
                await asyncio.wait_for(self.clerk.turn.acquire(), _ENDING_SECONDS)
            for task in (chores, *under_way):
                task.cancel()

    def end(self) -> None:
        """Take no further batch: `run` returns once those under way are acknowledged, or after some seconds."""
        self._ending.set()

    async def _follow(self, group: asyncio.TaskGroup) -> None:
        """Begin on batch after batch until the source ends or `end` is called."""
        batches = aiter(self._source.batches())
        ending = group.create_task(self._ending.wait())
        while True:
            upcoming = asyncio.ensure_future(anext(batches))
            try:
                await asyncio.wait({upcoming, ending}, return_when=asyncio.FIRST_COMPLETED)
                if self._ending.is_set():
                    return
                await self._begin(group, upcoming.result())
            except StopAsyncIteration:
                return
            finally:
                upcoming.cancel()

    async def prepare(self) -> None:
        """Load what a restart must remember: arrivals of messages without time, how far it came, the registry."""
        since = self._clock() - HOUR_NS
        self._knowledge.remember(await self._patience.insist(lambda: self._journal.recent_untimed(since)))
        progress: Progress = await self._patience.insist(self._journal.progress)
        self._number, self._spooled = progress
        await self.recorder.load()
        if self._spool is not None:
            spool = self._spool
            if (await self._patience.insist(lambda: spool.open(self._spooled))).messages:
                self._work_in_spool.set()
        await self._knowledge.refresh()

    def spool_state(self) -> SpoolState:
        """What waits in the spool now."""
        return SpoolState() if self._spool is None else self._spool.state()

    async def take(self, deliveries: Sequence[Delivery]) -> None:
        """One group commit: interpret, store, journal, acknowledge."""
        await self._carry(await self._read(deliveries, None), None)

    # one batch after the other

    async def _begin(self, group: asyncio.TaskGroup, deliveries: Sequence[Delivery]) -> None:
        """Start on a batch as soon as fewer than DEPTH are under way."""
        await self._slots.acquire()
        self._last = group.create_task(self._carry(await self._read(deliveries, None), self._last))
        self._last.add_done_callback(lambda _: self._slots.release())

    async def _read(self, deliveries: Sequence[Delivery], spool: SpoolPosition | None) -> Work:
        meanings = await self._knowledge.meanings(deliveries, waited=spool is not None)
        stamps = self._knowledge.stamps(meanings)
        self._number += 1
        return Work(self._number, deliveries, meanings, stamps, batch_of(meanings), touches_of(meanings), spool)

    async def _carry(self, work: Work, before: asyncio.Task[None] | None) -> None:
        """Store a batch; once all before it are done: journal it, acknowledge it."""
        await self.recorder.stamps(work)
        result = await self._put(work)
        if before is not None:
            await asyncio.wait({before})
            if before.cancelled() or before.exception() is not None:
                return  # ingest ends: what was not acknowledged comes again
        if result is None:
            result = await self._keep(work)
        if result is not None:
            self._fail.at("stored")
            rows = await self.recorder.stored(work, result)
            self._fail.at("journalled")
        else:
            rows = await self.recorder.spooled(work)
            self._fail.at("spooled")
        for row in rows:
            words = {"reason": row.reason, "connector": row.connector, "topic": row.topic}
            self._log.warning(row.reason, "message set aside", **words)
        if work.spool is None:
            await self._source.ack([delivery.token for delivery in work.deliveries])
        elif self._spool is not None:
            self._spooled = work.spool
            await self._patience.insist(partial(self._spool.done, work.spool))

    async def _put(self, work: Work) -> PutResult | None:
        """Store the readings of a batch; None when the store has been away for so long that it goes to the spool."""
        if not len(work.rows):
            return _NOTHING
        if work.spool is None and self.spooling is not None:
            return None
        await self._patience.insist(partial(self._open, work))
        self._fail.at("noted")
        asked = self._clock()
        while True:
            try:
                result = await self._store.put(work.rows)
            except Retry as error:
                self._patience.wait_for(error)
                silent = (self._clock() - asked) / NS + error.after
                if self._spool is not None and work.spool is None and silent >= self._spool_after:
                    self.spooling = str(error)
                    return None
                await self._patience.sleep(error.after)
            else:
                self._answered()
                return result

    async def _open(self, work: Work) -> None:
        """Note what goes to the store next; Retry where the disk does not take it."""
        work.noted = work.opening()
        self._note(work.noted)

    def _answered(self) -> None:
        """The store did."""
        self._patience.over()
        self.spooling = None

    # the spool

    async def _keep(self, work: Work) -> PutResult | None:
        """Put a batch into the spool; where that has no room, into the store, whichever can take it first."""
        if self._spool is None:
            raise RuntimeError("only a pipeline with a spool gives up on the store")
        rows = work.for_spool()
        while True:
            try:
                await self._spool.append(rows)
            except Retry as error:
                self._patience.wait_for(error)
                await self._patience.sleep(error.after)
            else:
                self._patience.over()
                self._work_in_spool.set()
                return None
            if work.noted is None:
                await self._patience.insist(partial(self._open, work))
            try:
                result = await self._store.put(work.rows)
            except Retry as error:
                self._patience.wait_for(error)
            else:
                self._answered()
                return result

    async def _drain(self) -> None:
        """Take what waits in the spool, in order; live batches go on beside it."""
        spool = self._spool
        while spool is not None:
            await self._work_in_spool.wait()
            self._work_in_spool.clear()
            while not self._ending.is_set() and (batch := await self._gather(spool)):
                await self._carry(await self._read(batch.deliveries, batch.position), None)
            if self._ending.is_set():
                return

    async def _gather(self, spool: Spool) -> SpoolBatch | None:
        """The next frames of the spool as one batch: what came in small ones must not take a round trip each."""
        deliveries: list[Delivery] = []
        position, size = self._spooled, 0
        while len(deliveries) < _DRAIN_MESSAGES and size < _DRAIN_BYTES:
            frame = await self._patience.insist(partial(spool.next, position))
            if frame is None:
                break
            deliveries += frame.deliveries
            size += sum(len(delivery.payload) for delivery in frame.deliveries)
            position = frame.position
        return SpoolBatch(deliveries, position) if deliveries else None

    # orders

    async def _journalled(self) -> None:
        """Return when the batches read so far are journalled."""
        if self._last is not None:
            await asyncio.wait({self._last})

    async def _chores(self, poll: float) -> None:
        while True:
            await self._patience.sleep(poll)
            try:
                async with self.clerk.turn:
                    await self._knowledge.refresh()
                await self.clerk.obey()
            except Retry as error:
                self._log.warning("ledger", "ledger does not answer", detail=str(error))
