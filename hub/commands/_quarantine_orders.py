# SPDX-License-Identifier: EUPL-1.2
"""Orders for the quarantine as somebody at a terminal gives them: left in the ledger, carried out by ingest.

One order goes to each journal that is concerned. Who gave them is told within some seconds what came of them, or why
they wait; an order that waits is carried out later all the same.
"""

import time
from collections.abc import Mapping, Sequence

from hub.app import Parts
from hub.core.errors import Invalid
from hub.core.ports import QuarantineFilter
from hub.ingest.quota import PART as QUARANTINE
from hub.status import read_status

ORDER_SECONDS = 5.0  # how long somebody at a terminal likes to wait
_REDRIVEN = {
    "tried": "messages tried",
    "redriven": "taken in",
    "waiting": "wait on",
    "ignored": "of ignored devices, dropped",
}

Result = Mapping[str, object]


def submit(
    parts: Parts, kind: str, journals: Mapping[int, QuarantineFilter], more: Mapping[str, object]
) -> Mapping[int, int]:
    """Leave one order for each journal; returns their numbers by shard."""
    shards, numbers = parts.shards(), {}
    with parts.ledger().open() as ledger:
        for shard, where in journals.items():
            fields = {name: value for name, value in where._asdict().items() if value is not None}
            fields["state"] = where.state
            of = {"shard": shard} if shards > 1 else {}
            numbers[shard] = ledger.commands.submit(kind, {**of, **fields, **more})
    return numbers


def carried_out(parts: Parts, orders: Mapping[int, int], what: str, seconds: float = ORDER_SECONDS) -> Sequence[Result]:
    """What came of the orders (number by shard) that are done within some seconds; of others it prints why they wait.

    Raise Invalid when one was refused; `what` was tried.
    """
    at_work = parts.data.endpoints() is not None
    results = _results(parts, list(orders.values()), seconds if at_work else 0.0)
    for shard, order in orders.items():
        result = results.get(order)
        if result is None:
            print(f"order {order} waits: {_why_it_waits(parts, shard, at_work=at_work)}")
        elif "error" in result:
            raise Invalid(f"order {order} was refused: {result['error']}", what)
    return list(results.values())


def total(results: Sequence[Result], name: str) -> int:
    """A count over all journals."""
    return sum(int(str(result.get(name, 0))) for result in results)


def redriven_words(results: Sequence[Result]) -> str:
    """What came of a redrive, in a line."""
    counts = {name: total(results, name) for name in _REDRIVEN}
    return ", ".join(
        f"{counts[name]} {words}" for name, words in _REDRIVEN.items() if counts[name] or name != "ignored"
    )


def _results(parts: Parts, orders: Sequence[int], seconds: float) -> Mapping[int, Result]:
    found: dict[int, Result] = {}
    deadline = time.monotonic() + seconds
    with parts.ledger().open() as ledger:
        while True:
            states = {order: ledger.commands.state(order).result for order in orders if order not in found}
            found |= {order: result for order, result in states.items() if result is not None}
            if len(found) == len(orders) or time.monotonic() >= deadline:
                return found
            time.sleep(0.1)


def _why_it_waits(parts: Parts, shard: int, *, at_work: bool) -> str:
    if not at_work:
        return "the hub does not run; it is carried out once it does"
    worker = f"ingest-{shard}"
    bad = [part for part in read_status(parts.data.status(worker), worker) if not part.ok and part.part != QUARANTINE]
    if bad:
        return "; ".join(f"{part.part}: {part.detail}" for part in bad)
    return "ingest is still at work on it; see `cityhub quarantine list` in a moment"
