# SPDX-License-Identifier: EUPL-1.2
"""A child process that takes messages in as the ingest worker does, without a broker: it can really be killed.

It is forked from a server that has imported all of this, because a process that begins anew takes a second to do so.
"""

import asyncio
import os
import time
from collections.abc import Sequence
from pathlib import Path

from hub.app import Parts
from hub.core.delivery import Delivery
from hub.core.places import Device
from hub.ingest.fail_points import FailPoints
from hub.ingest.journal import SqliteJournal
from hub.ingest.open_batches import OpenBatches, recover
from hub.ingest.pipeline import Pipeline
from hub.settings import load_settings
from tests.forked import forked
from tests.ingest.fakes import ListSource, MemoryRegistry

DEVICES = ("air-1", "air-2", "air-3")


async def take(config: Path, shard: int, batches: Sequence[Sequence[tuple[str, str]]]) -> None:
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
    for batch in batches:
        await pipeline.take(
            [Delivery(topic, payload.encode(), time.time_ns(), 1, False, False, 1) for topic, payload in batch]
        )
    await store.close()
    await journal.close()


def _run(config: Path, shard: int, batches: Sequence[Sequence[tuple[str, str]]], kill_at: str) -> None:
    os.environ["CITYHUB_FAIL_AT"] = kill_at
    asyncio.run(take(config, shard, batches))


def taken(config: Path, shard: int, batches: Sequence[Sequence[tuple[str, str]]], kill_at: str = "") -> int | None:
    """Exit code of a process that takes the batches (of [topic, payload]); `kill_at`: the point where it is killed."""
    process = forked(_run, config, shard, batches, kill_at)
    process.join(60)
    return process.exitcode
