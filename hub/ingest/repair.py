# SPDX-License-Identifier: EUPL-1.2
"""Put the books right after a crash: what is proved, what explains it, and the order that records it.

`compare` holds what the journals account for against what the store holds, device by device. The journals are read
before and after the store, so a hub at work gives each device a range; where both ends are one, the figure is exact.
`plan` explains surpluses by batches that a crash cut off between store and journal: first by duplicates that arrived
since (the broker sent the batch again, and its readings were there already), then as unaccounted (it never did). No
more is put down to a batch than it had readings of that device. `repair` records a plan in one transaction; a plan made
before another repair is refused, so an order that is carried out twice changes the books once.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from itertools import count
from typing import NamedTuple

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from hub.core.errors import Invalid
from hub.core.journal import AccountKey, Counts, JournalBatch, OpenBatch, Repair
from hub.core.ports import Journal
from hub.ingest.books import Books, Causes, counted_since

DUPLICATE, UNACCOUNTED, ACCEPTED = "duplicate", "unaccounted", "accepted"


class Gap(NamedTuple):
    """A device of which the store should hold `least` to `most` readings and holds `held`."""

    device: str
    least: int
    most: int
    held: int

    @property
    def exact(self) -> bool:
        """Nothing of the device was on its way meanwhile."""
        return self.least == self.most

    @property
    def surplus(self) -> int:
        """Readings too many in the store, negative for too few, 0 within the range."""
        return max(self.held - self.most, 0) or min(self.held - self.least, 0)


class RepairOrder(Struct, frozen=True):
    """Arguments of an order `repair`: whose journal, and what to record in it."""

    shard: int
    repairs: list[Repair]


def accounted(books: Sequence[Books]) -> dict[str, int]:
    """Readings by device that the store holds if all is well, over all journals."""
    total: dict[str, int] = defaultdict(int)
    for one in books:
        for (_, device), counts in one.accounts.items():
            total[device] += counts.stored - counts.replaced
        for device, readings in one.beside.items():
            total[device] += readings
    return total


def compare(
    before: Mapping[str, int], held: Mapping[str, int], after: Mapping[str, int], noted: Sequence[OpenBatch]
) -> list[Gap]:
    """All devices, each with its range. `noted` are batches that may be stored and were not journalled `before`."""
    coming: dict[str, int] = defaultdict(int)
    for batch in noted:
        for device, readings in batch.devices.items():
            coming[device] += readings
    devices = sorted({*before, *held, *after})
    return [Gap(d, before.get(d, 0), after.get(d, 0) + coming[d], held.get(d, 0)) for d in devices]


def plan(surplus: Mapping[str, int], causes: Sequence[Causes], at: int) -> dict[str, list[Repair]]:
    """Repairs by journal that explain the surpluses as far as they go; their ids are to be given by `numbered`."""
    wanted = dict(surplus)
    left = {(cause.name, *key): n for cause in causes for key, n in cause.left.items()}
    used: dict[tuple[str, str, int, str], int] = defaultdict(int)
    found: dict[str, list[Repair]] = defaultdict(list)
    for step in (_came_again, _never_came):
        for cause in causes:
            for device, batch in [(device, batch) for device, some in cause.batches.items() for batch in some]:
                for most in step(cause, device, batch, at):
                    account = (cause.name, device, most.hour, most.connector)
                    at_most = left[cause.name, batch.number, device]
                    n = min(most.readings - used[account], wanted.get(device, 0), at_most)
                    if n > 0:
                        used[account] += n
                        wanted[device] -= n
                        left[cause.name, batch.number, device] -= n
                        found[cause.name].append(replace(most, readings=n))
    return found


def numbered(repairs: Sequence[Repair], last: int) -> list[Repair]:
    """The same with ids that go on from `last`."""
    return [replace(repair, id=i) for i, repair in zip(count(last + 1), repairs, strict=False)]


def arguments_of(order: RepairOrder) -> Mapping[str, object]:
    """An order as it stands in the ledger."""
    return {"shard": order.shard, "repairs": msgspec.to_builtins(order.repairs)}


async def repair(journal: Journal, arguments: Mapping[str, object]) -> Mapping[str, object]:
    """Carry out an order `repair`; raise Invalid where another repair came first, or where it makes no sense."""
    try:
        order = msgspec.convert(dict(arguments), RepairOrder)
    except msgspec.ValidationError as error:
        raise Invalid(str(error), "repair") from error
    accounts: dict[AccountKey, Counts] = defaultdict(Counts)
    for one in order.repairs:
        if one.kind == DUPLICATE:
            moved = accounts[AccountKey(one.hour, one.connector, one.device)]
            moved.duplicate -= one.readings
            moved.stored += one.readings
    await journal.commit(JournalBatch(accounts=accounts, repairs=order.repairs))
    return {"repaired": sum(one.readings for one in order.repairs)}


def _came_again(cause: Causes, device: str, batch: OpenBatch, at: int) -> Iterator[Repair]:
    """Duplicates of the device since the batch was cut off: the batch may have stored as many."""
    since = counted_since(batch)
    for (hour, connector, _), n in cause.duplicates.get(device, ()):
        if hour >= since:
            yield Repair(
                id=0,
                kind=DUPLICATE,
                device=device,
                readings=n,
                at=at,
                batch=batch.number,
                connector=connector,
                hour=hour,
            )


def _never_came(cause: Causes, device: str, batch: OpenBatch, at: int) -> Iterator[Repair]:
    """What no duplicate explains: the batch stored it, and the broker has not sent it again."""
    del cause
    yield Repair(id=0, kind=UNACCOUNTED, device=device, readings=batch.readings, at=at, batch=batch.number)
