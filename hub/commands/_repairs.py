# SPDX-License-Identifier: EUPL-1.2
"""Have repairs recorded: by the worker that holds the journal, through an order, or here where none runs."""

import asyncio
import time
from collections.abc import Iterator
from contextlib import contextmanager

from hub.app import Parts
from hub.core.errors import Invalid, Stop
from hub.core.journal import Repair
from hub.ingest.journal import SqliteJournal
from hub.ingest.repair import RepairOrder, arguments_of, repair

_ORDER_SECONDS = 20.0


class Mender:
    """Records repairs in a hub's journals. `done` are those of this run, `failed` says why the last one was not."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self.done: list[tuple[int, Repair]] = []
        self.failed: list[str] = []

    def worker_runs(self, shard: int) -> bool:
        """Whether somebody holds the journal of this shard."""
        with self._free(shard) as free:
            return not free

    async def record(self, shard: int, repairs: list[Repair]) -> bool:
        """False when there was nothing to record or it was refused: then look at the books again."""
        if not repairs:
            return False
        self.failed = []
        order = RepairOrder(shard, repairs)
        try:
            with self._free(shard) as free:
                if free:
                    await self._here(order)
            if not free:
                await self._by_order(order)
        except Invalid as error:  # another run was quicker: the next look shows what it did
            self.failed = [str(error)]
        else:
            self.done += [(shard, one) for one in repairs]
        return not self.failed

    @contextmanager
    def _free(self, shard: int) -> Iterator[bool]:
        """Hold the journal's lock where it is free."""
        lock = self._parts.data.locked_shard(shard, patience=0.0)
        try:
            lock.__enter__()
        except Stop:
            yield False
            return
        try:
            yield True
        finally:
            lock.__exit__(None, None, None)

    async def _here(self, order: RepairOrder) -> None:
        journal = SqliteJournal(self._parts.data.journal(order.shard))
        try:
            await repair(journal, arguments_of(order))
        finally:
            await journal.close()

    async def _by_order(self, order: RepairOrder) -> None:
        with self._parts.ledger().open() as ledger:
            number = ledger.commands.submit("repair", arguments_of(order))
            deadline = time.monotonic() + _ORDER_SECONDS
            while (result := ledger.commands.state(number).result) is None:
                if time.monotonic() > deadline:
                    words = f"ingest has not carried out order {number} (repair) within {_ORDER_SECONDS:.0f} s"
                    raise Invalid(f"{words}: see its log, then run reconcile again")
                await asyncio.sleep(0.1)
        if "error" in result:
            raise Invalid(str(result["error"]))
