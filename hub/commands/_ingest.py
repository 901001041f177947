# SPDX-License-Identifier: EUPL-1.2
"""The process that takes messages in: the one writer of its journal and of the readings store."""

import asyncio
import gc
import logging
from collections.abc import Sequence

from hub.app import Parts
from hub.core.errors import Retry
from hub.core.ports import PartHealth
from hub.ingest.journal import SqliteJournal
from hub.ingest.pipeline import Pipeline, trim_before
from hub.transport.paho_session import SessionEvent

_LOG = logging.getLogger("cityhub.ingest")
_TRIM_EVERY = 60.0


class IngestWorker:
    """Everything that `ingest` holds open."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self._ledger = parts.ledger().open()
        self._store = parts.store(writer=True)
        self._journal = SqliteJournal(parts.data.journal())
        self._lost: str | None = None
        self._source = parts.session(self._on_session)
        self._pipeline = Pipeline(
            self._source,
            self._store,
            self._journal,
            self._ledger.devices,
            self._ledger.commands,
            parts.interpreter(),
            clock=parts.clock,
        )

    async def run(self) -> None:
        """Ingest until cancelled."""
        gc.freeze()  # what start-up made stays; the young generation is large, as every batch makes and drops much
        gc.set_threshold(100_000, 50, 1000)
        cursors = self._ledger.values
        self._identity = await self._journal.recognise(cursors.cursor("touch:0"))
        async with asyncio.TaskGroup() as group:
            trimming = group.create_task(self._trim())
            await self._pipeline.run()
            trimming.cancel()

    async def close(self) -> None:
        """Disconnect and release files; what was not acknowledged comes again."""
        await self._source.close()
        await self._store.close()
        await self._journal.close()
        self._ledger.close()

    def health(self) -> Sequence[PartHealth]:
        """The broker session, and whether the pipeline waits for something."""
        waits = self._pipeline.waiting_for
        ingest = PartHealth(
            "ingest",
            waits is None,
            "taking messages in" if waits is None else f"waits, nothing is lost: {waits}",
            "" if waits is None else "mend what it waits for; it goes on by itself",
        )
        session = self._source.health()._replace(part="broker session")
        if session.ok and self._lost is not None:
            session = session._replace(detail=f"{session.detail}; since the start: {self._lost}")
        return [session, ingest]

    def _on_session(self, event: SessionEvent) -> None:
        self._lost = f"{event.kind}: {event.detail}"
        _LOG.warning("broker session", extra={"fields": {"kind": event.kind, "detail": event.detail}})

    async def _trim(self) -> None:
        while True:
            await asyncio.sleep(_TRIM_EVERY)
            try:
                cursors = self._ledger.values
                seen = cursors.cursor("touch:0") if cursors.cursor("journal:0") == self._identity else 0
                await self._journal.trim(seen, trim_before(self._parts.clock))
            except Retry:
                continue  # the next round does it; a trim that waits costs only space
