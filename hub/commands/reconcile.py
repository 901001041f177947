# SPDX-License-Identifier: EUPL-1.2
"""Prove the accounting equations from the journals, and against the store; name what differs."""

import asyncio
from collections.abc import Mapping

from hub.app import Parts
from hub.commands._output import print_json, print_table
from hub.core.journal import Counts
from hub.core.ports import QuarantineFilter
from hub.settings import Settings

_NAMES = Counts.__struct_fields__


def run_reconcile(settings: Settings, *, json: bool) -> int:
    """Print totals and differences; returns 0 when every equation holds, else 1."""
    parts = Parts(settings)
    [journal] = parts.journals()
    accounts = journal.accounts(0)
    total = {name: sum(counts[name] for _, _, counts in accounts) for name in _NAMES}
    differences = [
        line for connector, device, counts in accounts for line in _differences(f"{connector}/{device or '?'}", counts)
    ]
    waiting = len(journal.quarantine(QuarantineFilter(), limit=1_000_000))
    journal.close()
    stored = asyncio.run(_stored(parts))
    # What a crash cut off between store and journal came again and was counted as duplicate: the store may hold that
    # much more than the journal counts as stored.
    again = 0 if stored is None else max(0, stored - total["stored"])
    if again > total["duplicate"]:
        differences.append(f"the store holds {stored} readings, the journal accounts for {total['stored']}")
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
