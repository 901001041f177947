# SPDX-License-Identifier: EUPL-1.2
"""A child process that takes messages in as the ingest worker does, without a broker: it can really be killed.

    python -m tests.commands.taking CONFIG SHARD        batches as JSON lines on standard input

A line is a list of [topic, payload]. `CITYHUB_FAIL_AT` says where the process is to be killed.
"""

import asyncio
import sys
import time
from pathlib import Path

import msgspec

from hub.app import Parts
from hub.core.delivery import Delivery
from hub.core.places import Device
from hub.ingest.fail_points import FailPoints
from hub.ingest.journal import SqliteJournal
from hub.ingest.open_batches import OpenBatches, recover
from hub.ingest.pipeline import Pipeline
from hub.settings import load_settings
from tests.ingest.fakes import ListSource, MemoryRegistry

DEVICES = ("air-1", "air-2", "air-3")


async def take(config: Path, shard: int) -> None:
    """Start as a worker does, and take all batches."""
    parts = Parts(load_settings(config))
    registry = MemoryRegistry(*(Device(id=d, connector="native", external_id=d, interval=600) for d in DEVICES))
    store, journal = parts.store(writer=True), SqliteJournal(parts.data.journal(shard))
    notes = OpenBatches(parts.data.open_batches(shard))
    await recover(notes, journal)
    pipeline = Pipeline(
        ListSource(),
        store,
        journal,
        registry,
        registry,
        parts.interpreter(),
        clock=time.time_ns,
        note=notes.note,
        fail=FailPoints.from_env(),
    )
    await pipeline.prepare()
    for line in sys.stdin:
        batch = msgspec.json.decode(line, type=list[tuple[str, str]])
        await pipeline.take(
            [Delivery(topic, payload.encode(), time.time_ns(), 1, False, False, 1) for topic, payload in batch]
        )
    await store.close()
    await journal.close()


if __name__ == "__main__":
    asyncio.run(take(Path(sys.argv[1]), int(sys.argv[2])))
