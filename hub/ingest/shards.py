# SPDX-License-Identifier: EUPL-1.2
"""Which ingest worker takes which message. Pure but for a cache.

A division gives every topic exactly one owner: the shard of its connector, or the shard that a list names for its
device, and shard 0 for everything else, topics of no connector included. A shard subscribes to what covers its topics
and perhaps more (shard 0 to everything; a long device list to all devices); what it is sent beyond its own it
acknowledges at once and never looks at, because the owner has a copy of its own. So long as every shard's session
exists, each message is taken by one worker: twice by nobody, and never by none.

All messages of a device on one topic have one owner, so their order is kept. Between shards there is no order.

Quarantine ids are made unique over journals: `shard << 40 | row`. Those of shard 0 are its row ids.
"""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterable, Mapping, Sequence

from msgspec import Struct

from hub import sdk
from hub.core.delivery import Delivery
from hub.core.ports import ENGINE_ORDERS, Command, CommandQueue, Source

_REMEMBERED = 200_000
_ROW_BITS = 40


class Division(Struct, frozen=True, kw_only=True):
    """`connectors` gives shards by connector; `devices` by connector/name, the device's name as in its topic."""

    shards: int = 1
    connectors: Mapping[str, int] = {}
    devices: Mapping[str, int] = {}

    def words(self) -> str:
        """For people: which shard takes what."""
        if self.shards == 1:
            return "one worker takes everything"
        of: list[list[str]] = [[] for _ in range(self.shards)]
        for name, shard in self.connectors.items():
            of[shard].append(name)
        if self.devices:
            listed = Counter(self.devices.values())
            of = [[f"{listed[shard]} devices"] for shard in range(self.shards)]
        of[0].append("the rest")
        return "; ".join(f"shard {shard}: {', '.join(what)}" for shard, what in enumerate(of))


class Layout(Struct, frozen=True, kw_only=True):
    """A division with the subscriptions of each shard. Sessions of one `generation` have client ids of their own."""

    division: Division = Division()
    filters: Sequence[Sequence[str]] = ()
    generation: int = 0

    def same(self, other: "Layout") -> bool:
        """Whether the same sessions serve both. One worker takes everything, whatever it subscribes to."""
        if self.division.shards == other.division.shards == 1:
            return True
        return (self.division, [*map(tuple, self.filters)]) == (other.division, [*map(tuple, other.filters)])

    def client(self, shard: int) -> str:
        """The end of a shard's client id."""
        return f"ingest-{shard}" + (f"-g{self.generation}" if self.generation else "")


class Recorded(Struct, frozen=True, kw_only=True):
    """What the hub last ran with, and what it is being moved to, if it is."""

    current: Layout
    following: Layout | None = None


FIRST_CLIENT = Layout().client(0)


def by_connector(shards: int, connectors: Iterable[str], explicit: Mapping[str, int]) -> Division:
    """Connectors where `explicit` says; the others by name, dealt out in turn from shard 0 on."""
    dealt = sorted(set(connectors) - set(explicit))
    return Division(shards=shards, connectors={**explicit, **{name: i % shards for i, name in enumerate(dealt)}})


class Owners(dict[str, int]):
    """Owner by topic, worked out once a topic; at most so many topics are remembered. `rest` takes what is nobody's."""

    def __init__(self, division: Division, match: Callable[[str], sdk.Route | None], rest: int = 0) -> None:
        super().__init__()
        self._division = division
        self._match = match
        self._rest = rest

    def __missing__(self, topic: str) -> int:
        if len(self) >= _REMEMBERED:
            self.clear()
        self[topic] = owner = self._owner(topic)
        return owner

    def _owner(self, topic: str) -> int:
        route = self._match(topic)
        if route is None:
            return self._rest
        connector, variables = route
        if self._division.connectors:
            return self._division.connectors.get(connector.name, 0)
        return self._division.devices.get(f"{connector.name}/{variables.get(connector.device, '')}", 0)


def filters(
    division: Division, shard: int, connectors: Sequence[sdk.Connector], *, catch_all: bool, most: int
) -> Sequence[str]:
    """What a shard subscribes to: its own topics, and more where that would take over `most` filters of devices."""
    if shard == 0 and catch_all:
        return ["#"]
    if division.connectors:
        own = [c for c in connectors if division.connectors.get(c.name, 0) == shard]
        return [sdk.compile_template(topic).filter for connector in own for topic in connector.topics]
    if shard == 0:
        return [sdk.compile_template(topic).filter for connector in connectors for topic in connector.topics]
    return _of_devices(division, shard, connectors, most)


def _of_devices(division: Division, shard: int, connectors: Sequence[sdk.Connector], most: int) -> Sequence[str]:
    exact, wide = list[str](), list[str]()
    for connector in connectors:
        begin = f"{connector.name}/"
        names = [key.removeprefix(begin) for key, n in division.devices.items() if n == shard and key.startswith(begin)]
        for topic in connector.topics if names else ():
            wide.append(sdk.compile_template(topic).filter)
            exact += [sdk.compile_template(_with(topic, connector.device, name)).filter for name in names]
    return exact if len(exact) <= most else wide


def _with(topic: str, variable: str, name: str) -> str:
    return "/".join(name if level == f"{{{variable}}}" else level for level in topic.split("/"))


class OwnMessages(Source):
    """A source without what belongs to other shards: that is acknowledged, and not counted.

    PUBACKs still leave in order of receipt: the session sees to that.
    """

    def __init__(self, source: Source, owners: Mapping[str, int], shard: int) -> None:
        self._source = source
        self._owners = owners
        self._shard = shard
        self.passed = 0

    async def batches(self) -> AsyncIterator[Sequence[Delivery]]:
        """Yield this shard's messages in order of receipt."""
        owners, shard = self._owners, self._shard
        async for batch in self._source.batches():
            own = [delivery for delivery in batch if owners[delivery.topic] == shard]
            if len(own) < len(batch):
                self.passed += len(batch) - len(own)
                await self._source.ack([d.token for d in batch if owners[d.topic] != shard])
            if own:
                yield own

    async def ack(self, tokens: Sequence[int]) -> None:
        """Acknowledge."""
        await self._source.ack(tokens)

    async def close(self) -> None:
        """Disconnect."""
        await self._source.close()


class NoMessages(Source):
    """The source of a worker whose shard is no more: its spool is drained, its journal still takes orders."""

    def __init__(self) -> None:
        self._closed = asyncio.Event()

    async def batches(self) -> AsyncIterator[Sequence[Delivery]]:
        """Nothing, until closed."""
        await self._closed.wait()
        nothing: Sequence[Sequence[Delivery]] = ()
        for batch in nothing:
            yield batch

    async def ack(self, tokens: Sequence[int]) -> None:
        """Nothing to acknowledge: what comes out of its spool was acknowledged before."""

    async def close(self) -> None:
        """End `batches`."""
        self._closed.set()


class OwnOrders(CommandQueue):
    """The orders of one worker: those that name its shard; shard 0 takes those that name none."""

    def __init__(self, queue: CommandQueue, shard: int) -> None:
        self._queue = queue
        self._shard = shard

    def pending(self) -> Sequence[Command]:
        """Orders not done yet, oldest first."""
        return [
            order
            for order in self._queue.pending()
            if order.kind not in ENGINE_ORDERS and shard_of(order.arguments) == self._shard
        ]

    def done(self, command: int, result: Mapping[str, object]) -> None:
        """Mark as done."""
        self._queue.done(command, result)

    def progress(self, command: int, done: int, total: int) -> None:
        """Say how far an order is."""
        self._queue.progress(command, done, total)

    def submit(self, kind: str, arguments: Mapping[str, object]) -> int:
        """Leave an order."""
        return self._queue.submit(kind, arguments)


def shard_of(arguments: Mapping[str, object]) -> int:
    """Which shard's worker an order is for."""
    shard = arguments.get("shard", 0)
    return shard if isinstance(shard, int) else 0


def joined(shard: int, row: int) -> int:
    """Id of a quarantined message over all journals."""
    return shard << _ROW_BITS | row


def parted(message: int) -> tuple[int, int]:
    """Shard and row of an id made by `joined`."""
    return message >> _ROW_BITS, message & ((1 << _ROW_BITS) - 1)


def by_shard(messages: Iterable[int]) -> Mapping[int, Sequence[int]]:
    """Row ids by shard, of ids made by `joined`."""
    rows: dict[int, list[int]] = {}
    for message in messages:
        shard, row = parted(message)
        rows.setdefault(shard, []).append(row)
    return rows
