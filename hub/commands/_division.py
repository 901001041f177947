# SPDX-License-Identifier: EUPL-1.2
"""From one division of the messages to another, so that none is lost: what waits is taken in as it was divided before.

    0  workers of the old division that were started by hand have been stopped (until then everything waits)
    1  the new sessions are made, under client ids of their own (a new generation)
    2  the old sessions are subscribed to nothing any more (not on the embedded broker: see below)
    3  workers with the old division drain the old sessions and end
    4  the old sessions are removed, and the new division is on record

Between 1 and 2 a message reaches an old session and a new one: it is counted twice, the second time as duplicate, and
stored once (without a time of its own: twice). On the embedded broker nothing is published meanwhile, because its
listener for devices stays closed until all is over; its sessions cannot be unsubscribed, as that drops what waits.

`shards.json` says how far this came: a hub that is killed on the way begins again at 0, which repeats harmlessly. A
worker that somebody starts meanwhile sees it there, and refuses.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence

from hub import sdk
from hub.app import Parts
from hub.core.errors import Stop
from hub.core.logs import RateLimited
from hub.ingest.shards import FIRST_CLIENT, Layout, Recorded
from hub.transport import EmbeddedBroker
from hub.transport.retire import forget, unsubscribe

_LOG = logging.getLogger("cityhub.run")
_ASK_EVERY = 1.0  # s between looks at a lock
Drain = Callable[[Sequence[int]], Awaitable[bool]]  # runs workers of these shards until all is drained; False: stopped


async def divide(parts: Parts, broker: EmbeddedBroker | None, drain: Drain, announce: Callable[[int], None]) -> bool:
    """Bring the sessions to what the settings ask for; False when the hub was stopped on the way.

    `announce` tells workers the embedded broker's private port.
    """
    wanted = parts.layout()
    recorded = parts.data.recorded()
    if recorded is None:
        old = Layout(filters=[["#"]]) if parts.data.shards() else wanted
        recorded = Recorded(current=old)
    if recorded.following is not None and not await _move(parts, broker, recorded, drain, announce):
        return False
    current = (parts.data.recorded() or recorded).current
    if current.same(wanted):
        parts.data.record(Recorded(current=_of_generation(wanted, current.generation)))
    else:
        following = _of_generation(wanted, current.generation + 1)
        if not await _move(parts, broker, Recorded(current=current, following=following), drain, announce):
            return False
    _LOG.info("division", extra={"fields": {"detail": wanted.division.words()}})
    return True


def _of_generation(layout: Layout, generation: int) -> Layout:
    return Layout(division=layout.division, filters=layout.filters, generation=generation)


async def _move(
    parts: Parts, broker: EmbeddedBroker | None, step: Recorded, drain: Drain, announce: Callable[[int], None]
) -> bool:
    old, new = step.current, step.following
    if new is None:
        return True
    parts.data.record(step)
    _LOG.warning(
        "messages are divided anew: the old sessions are drained first", extra={"fields": {"to": new.division.words()}}
    )
    shards = range(old.division.shards)
    await _released(parts, shards)
    if broker is not None:
        await prepare(broker, new)
        async with broker.closed() as port:
            announce(port)
            done = await drain(shards) and await _forget(parts, old)
    else:
        for shard in range(new.division.shards):
            session = parts.session(lambda _: None, new.client(shard), new.filters[shard])
            await session.ready()
            await session.close()
        for shard in shards:
            # a single worker's session keeps what it was once subscribed to, also when it asks for less
            filters = sorted({"#", *old.filters[shard], *sdk.Router(parts.connectors()).filters})
            await asyncio.to_thread(unsubscribe, parts.broker(old.client(shard)), filters)
        done = await drain(shards) and await _forget(parts, old)
    if done:
        parts.data.record(Recorded(current=new))
    return done


async def _released(parts: Parts, shards: Sequence[int]) -> None:
    """Wait until no worker has these shards: one that lives would subscribe its session again and again."""
    quiet = RateLimited(_LOG, parts.clock)
    for shard in shards:
        while True:
            try:
                with parts.data.locked_shard(shard, patience=0.0):
                    break
            except Stop as error:
                quiet.warning("shard_taken", "cannot divide anew yet", reason="shard_taken", detail=str(error))
            await asyncio.sleep(_ASK_EVERY)


async def _forget(parts: Parts, old: Layout) -> bool:
    for shard in range(old.division.shards):
        await asyncio.to_thread(forget, parts.broker(old.client(shard)))
    return True


async def prepare(broker: EmbeddedBroker, layout: Layout) -> None:
    """Make the embedded broker's durable sessions of all shards."""
    clients = [layout.client(shard) for shard in range(layout.division.shards)]
    by_part = {"" if client == FIRST_CLIENT else client: f for client, f in zip(clients, layout.filters, strict=True)}
    await broker.prepare(by_part.pop("", None), by_part)
