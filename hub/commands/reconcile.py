# SPDX-License-Identifier: EUPL-1.2
"""Prove the accounting equations from the journals, and against the store; name what differs."""

import asyncio
import time
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from hub.app import Parts
from hub.commands._output import print_json, print_table
from hub.core.errors import Invalid
from hub.core.journal import Counts
from hub.core.ports import QuarantineFilter
from hub.settings import Settings

_NAMES = Counts.__struct_fields__
_TRIES, _PAUSE = 5, 1.0


def run_reconcile(settings: Settings, *, json: bool) -> int:
    """Print totals and differences; returns 0 when every equation holds, else 1."""
    parts = Parts(settings)
    if not parts.data.journal().exists():
        raise Invalid(f"{parts.data.root} holds no journal: name the hub's directory with --data", "--data")
    for attempt in range(_TRIES):
        books = _look(parts)
        if not books.differences or attempt == _TRIES - 1:
            break
        time.sleep(_PAUSE)  # a hub at work: a batch may stand in the store and not yet in the journal
    total, waiting, stored, again = books.total, books.waiting, books.stored, books.again
    differences = books.differences
    if json:
        print_json(
            {
                "totals": total,
                "waiting": waiting,
                "in_store": stored,
                "stored_before_a_crash": again,
                "differences": differences,
            }
        )
    else:
        print_table("Accounts", ["count", "of all time"], list(total.items()))
        print(
            f"deliveries: received {total['received']} = decoded {total['decoded']} + quarantined "
            f"{total['quarantined']} + refused {total['refused']} + ignored {total['ignored']}"
        )
        print(
            f"readings: decoded {total['readings']} = stored {total['stored']} + duplicate {total['duplicate']} + "
            f"conflict {total['conflict']} + rejected {total['rejected']}"
        )
        print(f"waiting in quarantine: {waiting}; readings in the store: {'unknown' if stored is None else stored}")
        if again:
            print(f"{again} readings were stored just before a crash and came again: they are counted as duplicates")
        print("\n".join(differences) or "every equation holds")
    return 1 if differences else 0


class _Books(NamedTuple):
    total: Mapping[str, int]
    waiting: int
    stored: int | None
    again: int
    differences: list[str]


def _look(parts: Parts) -> _Books:
    """Read journal, store, journal: what is stored in between must lie between the two."""
    [journal] = parts.journals()
    before = _totals(journal.accounts(0))
    stored = asyncio.run(_stored(parts))
    accounts = journal.accounts(0)
    total, waiting = _totals(accounts), journal.count(QuarantineFilter())
    journal.close()
    differences = [
        line for connector, device, counts in accounts for line in _differences(f"{connector}/{device or '?'}", counts)
    ]
    # What a crash cut off between store and journal came again and was counted as duplicate: the store may hold that
    # much more than the journal counts as stored, and never less.
    least, most = before["stored"] - before["replaced"], total["stored"] - total["replaced"]
    if stored is not None and not least <= stored <= most + total["duplicate"]:
        differences.append(f"the store holds {stored} readings, the journal accounts for {most}")
    set_aside = total["quarantined"] + total["conflict"] + total["rejected"]
    if (waiting == 0) != (set_aside == 0):
        differences.append(
            f"{waiting} messages wait in quarantine, but {set_aside} messages and readings were set aside"
        )
    return _Books(total, waiting, stored, max(0, (stored or 0) - most), differences)


def _totals(accounts: Sequence[tuple[str, str, Mapping[str, int]]]) -> dict[str, int]:
    return {name: sum(counts[name] for _, _, counts in accounts) for name in _NAMES}


def _differences(who: str, n: Mapping[str, int]) -> list[str]:
    lines = []
    right = n["decoded"] + n["quarantined"] + n["refused"] + n["ignored"]
    if n["received"] != right:
        lines.append(f"{who}: received {n['received']}, accounted for {right}")
    right = n["stored"] + n["duplicate"] + n["conflict"] + n["rejected"]
    if n["readings"] != right:
        lines.append(f"{who}: decoded {n['readings']} readings, accounted for {right}")
    return lines


async def _stored(parts: Parts) -> int | None:
    store = parts.store()
    try:
        series = await store.series()
        return len(await store.scan(series, -(2**63), 2**63 - 1)) if len(series) <= 10_000 else None
    finally:
        await store.close()
