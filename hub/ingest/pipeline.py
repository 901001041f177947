# SPDX-License-Identifier: EUPL-1.2
"""The thin shell of ingest: batches in; store, journal, acknowledge, in this order and never another.

One batch is one group commit. Up to `DEPTH` batches are under way: while one waits for the store, the next one is
interpreted and put; journal and acknowledgement follow strictly in the order of receipt. A Stop ends ingest with what
is under way unacknowledged. A message without time is stamped once: its hash and arrival are committed before its
readings are stored, so that a redelivery after a crash finds the first stamp again.

A store that does not answer for `spool_after` seconds: batches go to the spool on disk (only what has readings: the
rest needs no store) and are acknowledged. What comes out of the spool is interpreted, stored and accounted for just as
if it came from the broker now, and the journal commits the spool's position in the same transaction. The oldest batch
in the spool is what the store is tried with; once it answers, the spool drains in order, one batch at a time beside the
live ones. Where there is no room in the spool, or no spool, batches wait unacknowledged, and the broker keeps what
comes after them.

What is beyond the quarantine's quota is refused before it is journalled (`quota`).

What may lie in memory: what the session holds unacknowledged (`max_pending_bytes`, `receive_maximum`), and what `DEPTH`
live batches and one of the spool were decoded to.
"""

import asyncio
import contextlib
import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from functools import partial
from typing import TypeVar

from msgspec import Struct, ValidationError
from msgspec.structs import asdict, replace

from hub.core.delivery import Delivery
from hub.core.errors import Invalid, Reject, Retry
from hub.core.journal import HOUR_NS, DeviceSeen, JournalBatch, OpenBatch, Progress, Quarantined, SpoolPosition
from hub.core.logs import RateLimited
from hub.core.ports import (
    ENGINE_ORDERS,
    Command,
    CommandQueue,
    Journal,
    PartHealth,
    QuarantineFilter,
    ReadingStore,
    Registry,
    Source,
    Spool,
    SpoolBatch,
    SpoolState,
)
from hub.core.readings import NS, PutResult, ReadingBatch
from hub.ingest.accounting import Touches, settle, touches_of
from hub.ingest.fail_points import FailPoints
from hub.ingest.interpret import Fault, Interpretation, Interpreter, batch_of, set_aside
from hub.ingest.orders import order_of, purge
from hub.ingest.quota import Quota
from hub.ingest.redrive import RedriveResult, delivery_of, settle_redrive
from hub.ingest.repair import repair

T = TypeVar("T")
DEPTH = 3  # batches under way
_LOG = logging.getLogger("cityhub.ingest")
_REDRIVE_PAGE = 100  # messages, each as large as the limit at most
_MOST_ARRIVALS = 200_000
_ENDING_SECONDS = 4.0  # twice at most: the supervisor waits ten
_LEDGER_AWAY = 5 * NS
_DRAIN_MESSAGES, _DRAIN_BYTES = 5_000, 4 << 20  # of the spool in one batch, about
_NOTHING = PutResult([])


class _Work(Struct):
    """A batch that was interpreted; `stamps` go into the journal first. `spool` is the position behind it, if there.

    `noted` is what was written down before the store was asked, None while it was not.
    """

    number: int
    deliveries: Sequence[Delivery]
    meanings: Sequence[Interpretation]
    stamps: Mapping[bytes, int]
    rows: ReadingBatch
    touches: Touches
    spool: SpoolPosition | None = None
    noted: OpenBatch | None = None

    @property
    def counted(self) -> int:
        """Its number for the journal. What comes out of the spool has none: live batches below it may be open."""
        return 0 if self.spool is not None else self.number


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
    ) -> None:
        self._source = source
        self._store = store
        self._journal = journal
        self._registry = registry
        self._commands = commands
        self._interpreter = interpreter
        self._clock = clock
        self._sleep = sleep
        self._spool = spool
        self._spool_after = spool_after
        self._note = note
        self._quota = quota or Quota()
        self._fail = fail or FailPoints({}, lambda: None)
        self._turn = asyncio.Lock()  # of redrives and other orders
        self._slots = asyncio.Semaphore(DEPTH)
        self._last: asyncio.Task[None] | None = None  # of the batches under way, the one that came last
        self._number = 0
        self._spooled = SpoolPosition()
        self._work_in_spool = asyncio.Event()
        self._ending = asyncio.Event()
        self._ask_again = 0  # when (ns) the ledger is asked about unknown devices again, after it gave no answer
        self._version = -1
        self._arrivals: dict[bytes, int] = {}
        self._log = RateLimited(_LOG, clock)
        self.waiting_for: str | None = None
        self.spooling: str | None = None  # why batches go to the spool, None while they do not

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
                await asyncio.wait_for(self._turn.acquire(), _ENDING_SECONDS)  # an order ends with the page at hand
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
        self._arrivals = dict(await self._insist(lambda: self._journal.recent_untimed(self._clock() - HOUR_NS)))
        progress: Progress = await self._insist(self._journal.progress)
        self._number, self._spooled = progress
        self._quota.load(*await self._insist(self._journal.held))
        if self._spool is not None:
            spool = self._spool
            if (await self._insist(lambda: spool.open(self._spooled))).messages:
                self._work_in_spool.set()
        await self.refresh()

    async def refresh(self) -> None:
        """Take over the registry when it has changed. A ledger that is slow to answer keeps nobody waiting."""
        version = await asyncio.to_thread(self._registry.version)
        if version != self._version:
            snapshot = await asyncio.to_thread(self._registry.snapshot)
            if snapshot.version > self._version:
                self._interpreter.register(snapshot.devices.values(), snapshot.ignored)
                self._version = snapshot.version

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

    async def _read(self, deliveries: Sequence[Delivery], spool: SpoolPosition | None) -> _Work:
        meanings = self._interpret(deliveries, waited=spool is not None)
        if any(meaning.faults for meaning in meanings) and await self._is_news(meanings):
            meanings = self._interpret(deliveries, waited=spool is not None)
        stamps = self._new_stamps(meanings)
        self._number += 1
        return _Work(self._number, deliveries, meanings, stamps, batch_of(meanings), touches_of(meanings), spool)

    def _interpret(self, deliveries: Sequence[Delivery], *, waited: bool) -> Sequence[Interpretation]:
        arrivals = self._arrivals
        if waited:
            again, now = self._interpreter.interpret_again, self._clock()
            return [again(delivery, arrivals, now) for delivery in deliveries]
        interpret = self._interpreter.interpret
        return [interpret(delivery, arrivals) for delivery in deliveries]

    async def _is_news(self, meanings: Sequence[Interpretation]) -> bool:
        """Whether a device that seemed unknown may have been registered just now: the first to send is looked up."""
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

    async def _carry(self, work: _Work, before: asyncio.Task[None] | None) -> None:
        """Store a batch; once all before it are done: journal it, acknowledge it."""
        if work.stamps:
            await self._insist(partial(self._journal.commit, JournalBatch(untimed=work.stamps)))
        result = await self._put(work)
        if before is not None:
            await asyncio.wait({before})
            if before.cancelled() or before.exception() is not None:
                return  # ingest ends: what was not acknowledged comes again
        if result is None:
            result = await self._keep(work)
        if result is not None:
            self._fail.at("stored")
            rows = await self._commit(work.meanings, result, work)
            self._fail.at("journalled")
        else:
            rows = await self._commit_spooled(work)
            self._fail.at("spooled")
        for row in rows:
            words = {"reason": row.reason, "connector": row.connector, "topic": row.topic}
            self._log.warning(row.reason, "message set aside", **words)
        if work.spool is None:
            await self._source.ack([delivery.token for delivery in work.deliveries])
        elif self._spool is not None:
            self._spooled = work.spool
            await self._insist(partial(self._spool.done, work.spool))

    async def _put(self, work: _Work) -> PutResult | None:
        """Store the readings of a batch; None when the store has been away for so long that it goes to the spool."""
        if not len(work.rows):
            return _NOTHING
        if work.spool is None and self.spooling is not None:
            return None
        await self._insist(partial(self._open, work))
        self._fail.at("noted")
        asked = self._clock()
        while True:
            try:
                result = await self._store.put(work.rows)
            except Retry as error:
                self._wait_for(error)
                silent = (self._clock() - asked) / NS + error.after
                if self._spool is not None and work.spool is None and silent >= self._spool_after:
                    self.spooling = str(error)
                    return None
                await self._sleep(error.after)
            else:
                self.waiting_for = self.spooling = None
                return result

    async def _open(self, work: _Work) -> None:
        """Note what goes to the store next; Retry where the disk does not take it."""
        work.noted = OpenBatch(
            number=work.number,
            started=min([delivery.received for delivery in work.deliveries]),
            messages=len(work.deliveries),
            readings=len(work.rows),
            touches=work.touches,
            devices=work.rows.by_device(),
            spool=work.spool,
        )
        self._note(work.noted)

    # the journal

    async def _commit(
        self, meanings: Sequence[Interpretation], result: PutResult, work: _Work, *, last: bool = True
    ) -> Sequence[Quarantined]:
        """Journal a batch. One that cannot be recorded is halved until exactly the guilty message is set aside."""
        batch = settle(meanings, result, work.touches if meanings is work.meanings else None)
        if last:
            batch.number, batch.spool = work.counted, work.spool
        try:
            return await self._record(batch)
        except Reject as error:
            if len(meanings) > 1:
                middle = len(meanings) // 2
                rows = sum(len(meaning.rows) for meaning in meanings[:middle])
                first = await self._commit(meanings[:middle], _part(result, 0, rows), work, last=False)
                rest = _part(result, rows, len(result.outcomes))
                return [*first, *await self._commit(meanings[middle:], rest, work, last=last)]
            batch = settle([set_aside(meanings[0].delivery, Fault(error.reason, error.detail))], _NOTHING)
            if last:
                batch.number, batch.spool = work.counted, work.spool
            return await self._record(batch)

    async def _record(self, batch: JournalBatch) -> Sequence[Quarantined]:
        """Commit a batch within the quarantine's quota; returns what was set aside."""
        batch = self._quota.apply(batch)
        await self._insist(partial(self._journal.commit, batch))
        self._quota.committed(batch)
        self._interpreter.floods |= self._quota.exhausted(batch)
        for refusal in batch.refusals:
            words = {"reason": refusal.reason, "connector": refusal.connector, "source": refusal.source}
            self._log.error("refused", "quarantine refuses messages", **words, messages=refusal.messages)
        return batch.quarantined

    async def _commit_spooled(self, work: _Work) -> Sequence[Quarantined]:
        """Journal what of a spooled batch needs no store; that the other devices have spoken is worth knowing now.

        A store that was asked and gave no answer may hold some of it, so it is one of those that were cut off.
        """
        rest = [meaning for meaning in work.meanings if not len(meaning.rows)]
        batch = settle(rest, _NOTHING)
        spoken = {meaning.device: meaning.delivery.received for meaning in work.meanings if len(meaning.rows)}
        seen = [DeviceSeen(device=device, received=at, time=None, messages=0) for device, at in spoken.items()]
        batch.seen, batch.number = [*batch.seen, *seen], work.number
        batch.opened = [work.noted] if work.noted is not None else ()
        return await self._record(batch)

    # the spool

    async def _keep(self, work: _Work) -> PutResult | None:
        """Put a batch into the spool; where that has no room, into the store, whichever can take it first."""
        if self._spool is None:
            raise RuntimeError("only a pipeline with a spool gives up on the store")
        rows = [_stamped(meaning) for meaning in work.meanings if len(meaning.rows)]
        while True:
            try:
                await self._spool.append(rows)
            except Retry as error:
                self._wait_for(error)
                await self._sleep(error.after)
            else:
                self.waiting_for = None
                self._work_in_spool.set()
                return None
            if work.noted is None:
                await self._insist(partial(self._open, work))
            try:
                result = await self._store.put(work.rows)
            except Retry as error:
                self._wait_for(error)
            else:
                self.waiting_for = self.spooling = None
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
            frame = await self._insist(partial(spool.next, position))
            if frame is None:
                break
            deliveries += frame.deliveries
            size += sum(len(delivery.payload) for delivery in frame.deliveries)
            position = frame.position
        return SpoolBatch(deliveries, position) if deliveries else None

    async def redrive(self, where: QuarantineFilter) -> RedriveResult:
        """Take waiting messages through the pipeline again; those that are on their way into quarantine come first.

        Raise Retry when the store does not answer: the rest waits on.
        """
        total, after = RedriveResult(), 0
        await self.refresh()
        if self._last is not None:
            await asyncio.wait({self._last})
        while True:
            async with self._turn:
                await self.refresh()
                rows = await self._journal.waiting(where, after, _REDRIVE_PAGE)
                if not rows:
                    await self.reload_quota()
                    return total
                after = rows[-1].id
                meanings = self._interpret([delivery_of(row) for row in rows], waited=True)
                page_rows, first = batch_of(meanings), min(row.received for row in rows)
                opened = OpenBatch(number=0, started=first, messages=len(rows), readings=len(page_rows))
                self._note(replace(opened, touches=touches_of(meanings), devices=page_rows.by_device()))
                result = await self._store.put(page_rows) if len(page_rows) else _NOTHING
                batch, page = settle_redrive(rows, meanings, result)
                await self._insist(partial(self._journal.commit, batch))
                await self._insist(partial(self._write_off, opened))
            total.tried += page.tried
            total.redriven += page.redriven
            total.waiting += page.waiting
            total.ignored += page.ignored

    async def _write_off(self, page: OpenBatch) -> None:
        """A page of the quarantine is journalled."""
        self._note(replace(page, readings=0))

    async def obey(self) -> None:
        """Carry out the orders that other processes left in the ledger. One that has to wait lets the others pass."""
        for command in await asyncio.to_thread(self._commands.pending):
            if command.kind in ENGINE_ORDERS:
                continue
            try:
                result = await self._carry_out(command)
            except (ValidationError, Reject, Invalid) as error:
                result = {"error": str(error)}
            except Retry as error:
                self._log.warning("order", "an order waits", order=command.id, detail=str(error))
                continue
            _LOG.info(command.kind, extra={"fields": {"order": command.id, **result}})
            await asyncio.to_thread(self._commands.done, command.id, result)

    async def _carry_out(self, command: Command) -> Mapping[str, object]:
        if command.kind == "repair":
            return await self._insist(partial(repair, self._journal, command.arguments))
        if command.kind not in {"redrive", "purge"}:
            raise Invalid(f"unknown order {command.kind!r}")
        order = order_of(command.arguments, self._interpreter.identify)
        if command.kind == "redrive":
            return asdict(await self.redrive(order.filter()))
        try:
            return await purge(self._journal, order, self._clock())
        finally:
            await self.reload_quota()

    async def reload_quota(self) -> None:
        """Count anew what waits in quarantine, after anything has left it."""
        self._quota.load(*await self._journal.held())
        self._interpreter.floods.clear()

    def quarantine_health(self) -> PartHealth:
        """Whether the quarantine takes what comes, or refuses some."""
        return self._quota.health(self._clock())

    async def _chores(self, poll: float) -> None:
        while True:
            await self._sleep(poll)
            try:
                async with self._turn:
                    await self.refresh()
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

    def _wait_for(self, error: Retry) -> None:
        self.waiting_for = str(error)
        self._log.warning("waiting", "ingest waits", detail=str(error), seconds=error.after)

    async def _insist(self, action: Callable[[], Awaitable[T]]) -> T:
        """Try until it works; what waits is not acknowledged, so nothing is lost. Stop passes through."""
        while True:
            try:
                result = await action()
            except Retry as error:
                self._wait_for(error)
                await self._sleep(error.after)
            else:
                self.waiting_for = None
                return result


def _stamped(meaning: Interpretation) -> Delivery:
    """The delivery for the spool: one without time carries the stamp that it was given, for whenever it comes out."""
    if meaning.arrival is None:
        return meaning.delivery
    return replace(meaning.delivery, received=meaning.arrival[1], dup=False)


def _part(result: PutResult, first: int, last: int) -> PutResult:
    """Outcomes of the rows [first, last)."""
    errors = {i - first: words for i, words in result.errors.items() if first <= i < last}
    return PutResult(result.outcomes[first:last], errors)


def trim_before(clock: Callable[[], int]) -> int:
    """Before which time (ns) hashes of untimed messages may be forgotten: promise 5 says within the hour."""
    return clock() - HOUR_NS - 60 * NS
