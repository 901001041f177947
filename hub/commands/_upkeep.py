# SPDX-License-Identifier: EUPL-1.2
"""What one ingest worker does beside its batches: forget readings past retention, note how the disks fill.

Forgetting comes in pieces with pauses four times as long as the piece took, so it has at most a fifth of the store's
time, and a batch waits for one piece at most. A store that is away, and a disk that is full, are met again in the next
round: being late with either loses nothing.
"""

import asyncio
import logging
import time
from collections.abc import Sequence

from hub.app import Parts
from hub.commands._disk import findings, histories, note_disk
from hub.core.errors import Retry
from hub.core.ports import PartHealth, ReadingStore

_LOG = logging.getLogger("cityhub.upkeep")
_FORGET_EVERY = 3600.0
_NOTE_EVERY = 300.0  # writes once an hour; an hour after the start would be late
_SHORTEST_PAUSE = 0.05
_SHARE = 4.0


class Upkeep:
    """Runs until cancelled; a Stop of the store goes through."""

    def __init__(self, parts: Parts, store: ReadingStore) -> None:
        self._parts = parts
        self._store = store
        self._disks: Sequence[PartHealth] = ()

    async def run(self) -> None:
        """Both chores, each at its own pace."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._note())
            if self._parts.settings.keep:
                group.create_task(self._forget())

    def health(self) -> Sequence[PartHealth]:
        """Disks that will soon be full; nothing while there is room for long."""
        return [disk for disk in self._disks if disk.hint]

    async def _note(self) -> None:
        while True:
            await note_disk(self._parts)
            self._disks = findings(histories(self._parts))
            await asyncio.sleep(_NOTE_EVERY)

    async def _forget(self) -> None:
        while True:
            try:
                await forget_all(self._store, self._parts.clock())
            except Retry as error:
                _LOG.warning("retention waits", extra={"fields": {"detail": str(error)}})
            await asyncio.sleep(_FORGET_EVERY)


async def forget_all(store: ReadingStore, now: int) -> int:
    """One pass over the store; returns its pieces."""
    pieces, more = 0, True
    while more:
        began = time.monotonic()
        more = await store.forget(now)
        pieces += 1
        await asyncio.sleep(max(_SHORTEST_PAUSE, _SHARE * (time.monotonic() - began)) if more else 0)
    return pieces
