# SPDX-License-Identifier: EUPL-1.2
"""Carries out the orders that other processes leave in the ledger: redrive, purge, repair. Beside live batches.

A redrive waits for what is on its way into quarantine, and then goes by pages through the same interpretation, store
and journal as live messages; each page is noted before the store is asked, as a batch is. An order that has to wait
(the store does not answer) stays where it is and lets the others pass.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping
from functools import partial

from msgspec import ValidationError
from msgspec.structs import asdict, replace

from hub.core.errors import Invalid, Reject, Retry
from hub.core.journal import OpenBatch
from hub.core.logs import RateLimited
from hub.core.ports import ENGINE_ORDERS, Command, CommandQueue, Journal, QuarantineFilter, ReadingStore
from hub.core.readings import PutResult
from hub.ingest.accounting import touches_of
from hub.ingest.interpret import batch_of
from hub.ingest.knowledge import Knowledge
from hub.ingest.orders import order_of, purge
from hub.ingest.patience import Patience
from hub.ingest.redrive import RedriveResult, delivery_of, settle_redrive
from hub.ingest.repair import repair

_LOG = logging.getLogger("cityhub.ingest")
_PAGE = 100  # messages, each as large as the limit at most
_NOTHING = PutResult([])


class Clerk:
    """`live` returns when what was read so far is journalled; `left` is called when messages have left quarantine."""

    def __init__(
        self,
        commands: CommandQueue,
        knowledge: Knowledge,
        store: ReadingStore,
        journal: Journal,
        patience: Patience,
        *,
        clock: Callable[[], int],
        log: RateLimited,
        note: Callable[[OpenBatch], None],
        live: Callable[[], Awaitable[None]],
        left: Callable[[], Awaitable[None]],
    ) -> None:
        self._commands = commands
        self._knowledge = knowledge
        self._store = store
        self._journal = journal
        self._clock = clock
        self._log = log
        self._note = note
        self._patience = patience
        self._live = live
        self._left = left
        self.turn = asyncio.Lock()  # held while a page is under way

    async def obey(self) -> None:
        """Carry out what is pending."""
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

    async def redrive(self, where: QuarantineFilter) -> RedriveResult:
        """Take waiting messages through the pipeline again. Raise Retry when the store is away: the rest waits on."""
        total, after = RedriveResult(), 0
        await self._knowledge.refresh()
        await self._live()
        while True:
            async with self.turn:
                await self._knowledge.refresh()
                rows = await self._journal.waiting(where, after, _PAGE)
                if not rows:
                    await self._left()
                    return total
                after = rows[-1].id
                meanings = self._knowledge.interpret([delivery_of(row) for row in rows], waited=True)
                page, first = batch_of(meanings), min(row.received for row in rows)
                opened = OpenBatch(number=0, started=first, messages=len(rows), readings=len(page))
                self._note(replace(opened, touches=touches_of(meanings), devices=page.by_device()))
                result = await self._store.put(page) if len(page) else _NOTHING
                batch, found = settle_redrive(rows, meanings, result)
                await self._patience.insist(partial(self._journal.commit, batch))
                await self._patience.insist(partial(self._write_off, opened))
            total.tried += found.tried
            total.redriven += found.redriven
            total.waiting += found.waiting
            total.ignored += found.ignored

    async def _carry_out(self, command: Command) -> Mapping[str, object]:
        if command.kind == "repair":
            return await self._patience.insist(partial(repair, self._journal, command.arguments))
        if command.kind not in {"redrive", "purge"}:
            raise Invalid(f"unknown order {command.kind!r}")
        order = order_of(command.arguments, self._knowledge.interpreter.identify)
        if command.kind == "redrive":
            return asdict(await self.redrive(order.filter()))
        try:
            return await purge(self._journal, order, self._clock())
        finally:
            await self._left()

    async def _write_off(self, page: OpenBatch) -> None:
        """The page is journalled."""
        self._note(replace(page, readings=0))
