# SPDX-License-Identifier: EUPL-1.2
"""Retention in a running ingest worker: what it purged no longer counts against the quota."""

import asyncio
import time
from pathlib import Path

from msgspec.structs import replace

from hub.app import Parts
from hub.commands._ingest import IngestWorker
from hub.core.journal import JournalBatch
from hub.core.readings import NS
from hub.ingest.journal import SqliteJournal
from hub.settings import load_settings
from tests.ingest.test_quota import row

OLD = 31 * 86_400 * NS


def quarantine_of(worker: IngestWorker) -> str:
    return next(part.detail for part in worker.health() if part.part == "quarantine")


async def test_the_quota_is_free_again_after_retention_has_purged_what_waited(tmp_path: Path) -> None:
    """More waits than one transaction purges, so that the worker has counted some of it before it is gone."""
    parts = Parts(load_settings(data=tmp_path / "data"))
    parts.data.journal(1).parent.mkdir(parents=True)
    parts.ledger().upgrade().close()
    journal = SqliteJournal(parts.data.journal(1))
    old = replace(row(), received=time.time_ns() - OLD)
    await journal.commit(JournalBatch(quarantined=[old] * 3000 + [replace(row(), received=time.time_ns())]))
    await journal.close()
    worker = IngestWorker(parts, shard=1)  # of a shard that is no more: it needs no broker
    running = asyncio.create_task(worker.run())
    async with asyncio.timeout(60):  # payloads are erased one by one, and disks can be busy
        while quarantine_of(worker) != "1 messages wait":
            await asyncio.sleep(0.01)
    running.cancel()
    await asyncio.wait({running})
    await worker.close()
