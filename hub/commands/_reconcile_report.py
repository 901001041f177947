# SPDX-License-Identifier: EUPL-1.2
"""What a reconciliation found, in words and as JSON. Pure but for printing."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from msgspec import Struct

from hub.commands._output import print_table
from hub.core.journal import Counts, OpenBatch, Repair
from hub.core.ports import SpoolState
from hub.core.readings import NS
from hub.core.windows import format_instant
from hub.ingest.books import Books
from hub.ingest.repair import ACCEPTED, DUPLICATE, UNACCOUNTED, Gap

Batches = Mapping[tuple[int, int], OpenBatch]  # by shard and number
_NAMES = Counts.__struct_fields__
_MOST_LINES = 20  # differences that people are shown; JSON has all
_DONE = {
    DUPLICATE: "{n:,} of its readings came again and were counted as duplicates: they count as stored now",
    UNACCOUNTED: "stored but never accounted: {n:,} readings of {who}; the broker has not sent them again: "
    "they are accounted for beside the messages now",
    ACCEPTED: "accepted as they are: {n:,} readings of {who} that nothing explains",
}
_PROPOSED = {
    DUPLICATE: "{n:,} of its readings came again and were counted as duplicates: let reconcile repair that",
    UNACCOUNTED: "stored but never accounted: {n:,} readings of {who}; let reconcile repair that",
}


class Report(Struct, kw_only=True):
    """The result of a run. `differences` are what does not come out; everything else is for information.

    `on_the_way` readings of `moving` devices were being taken in during every look, so that these devices could only be
    held against a range.
    """

    totals: Mapping[str, int]
    waiting: int
    in_store: int
    devices: int
    on_the_way: int
    moving: int
    spool: SpoolState
    repaired: Sequence[tuple[int, Repair]]
    batches: Batches
    remarks: Sequence[str]
    differences: Sequence[str]

    def as_json(self) -> Mapping[str, Any]:
        """For scripts."""
        return {
            "totals": self.totals,
            "waiting": self.waiting,
            "in_store": self.in_store,
            "devices": self.devices,
            "in_flight": {"devices": self.moving, "readings": self.on_the_way},
            "spool": {"messages": self.spool.messages, "bytes": self.spool.bytes},
            "repaired": [
                {
                    "shard": shard,
                    "batch": one.batch or None,
                    "kind": one.kind,
                    "device": one.device,
                    "readings": one.readings,
                }
                for shard, one in self.repaired
            ],
            "open_batches": [
                {
                    "shard": shard,
                    "batch": number,
                    "started": format_instant(batch.started),
                    "messages": batch.messages,
                    "readings": batch.readings,
                }
                for (shard, number), batch in self.batches.items()
            ],
            "remarks": self.remarks,
            "differences": self.differences,
        }


def print_report(report: Report) -> None:
    """For people."""
    n = report.totals
    print_table("Accounts", ["count", "of all time"], list(n.items()))
    print(
        f"deliveries: received {n['received']} = decoded {n['decoded']} + quarantined {n['quarantined']} + "
        f"refused {n['refused']} + ignored {n['ignored']}"
    )
    print(
        f"readings: decoded {n['readings']} = stored {n['stored']} + duplicate {n['duplicate']} + "
        f"conflict {n['conflict']} + rejected {n['rejected']}"
    )
    print(f"waiting in quarantine: {report.waiting}; readings in the store: {report.in_store}")
    if report.spool.messages:
        print(
            f"{report.spool.messages} messages wait in the spool: acknowledged, and accounted for when they are stored"
        )
    if report.batches:
        print(f"batches that a crash cut off between store and journal so far: {len(report.batches)}")
    for line in repair_words(report.repaired, report.batches):
        print(line)
    for line in report.remarks:
        print(line)
    if report.moving:
        print(
            f"the hub is taking messages in: differences of up to {report.on_the_way} readings of {report.moving} "
            "devices in flight"
        )
    for line in report.differences[:_MOST_LINES]:
        print(line)
    if len(report.differences) > _MOST_LINES:
        print(f"and {len(report.differences) - _MOST_LINES} more: see --json")
    if not report.differences:
        print("every equation holds")


def totals(books: Sequence[Books]) -> dict[str, int]:
    """Sums over all journals, devices and connectors."""
    return {name: sum(getattr(n, name) for one in books for n in one.accounts.values()) for name in _NAMES}


def book_differences(books: Books) -> list[str]:
    """What does not come out within one journal."""
    lines = []
    for key, n in books.unbalanced:
        who = f"{key.connector or '?'}/{key.device or '?'}, hour {format_instant(key.hour)}"
        lines.append(
            f"{who}: received {n.received}, accounted for {n.decoded + n.quarantined + n.refused + n.ignored}; "
            f"decoded {n.readings} readings, accounted for {n.stored + n.duplicate + n.conflict + n.rejected}"
        )
    for connector, device in sorted({*books.accounts, *books.set_aside}):
        counted = books.accounts.get((connector, device), Counts()).quarantined
        there = books.set_aside.get((connector, device), 0)
        if counted != there:
            who = f"{connector or '?'}/{device or '?'}"
            lines.append(f"{who}: {counted} messages count as quarantined, {there} are in quarantine")
    return lines


def gap_words(gap: Gap) -> str:
    """A device that is out of balance."""
    accounts = str(gap.least) if gap.exact else f"{gap.least} to {gap.most}"
    return f"device {gap.device}: the store holds {gap.held} readings, the journal accounts for {accounts}"


def batch_words(number: int, batch: OpenBatch | None) -> str:
    """A batch that was cut off."""
    if batch is None:
        return f"batch {number}"
    started = datetime.fromtimestamp(batch.started // NS, UTC)
    return f"batch {number} of {started:%Y-%m-%dT%H:%M:%SZ}, {batch.messages:,} messages"


def pending_words(note: OpenBatch) -> str:
    """A batch that was cut off by a crash after which the hub has not run."""
    return (
        f"{batch_words(note.number, note)}, was cut off between store and journal, and the hub has not run since: "
        f"up to {note.readings:,} of its readings may be stored. Start the hub: the messages come again; "
        "then reconcile again"
    )


def repair_words(repairs: Sequence[tuple[int, Repair]], batches: Batches, *, done: bool = True) -> list[str]:
    """One line for each batch and kind."""
    sums: dict[tuple[int, int, str], list[Repair]] = defaultdict(list)
    for shard, one in repairs:
        sums[shard, one.batch, one.kind].append(one)
    lines = []
    for (shard, number, kind), rows in sorted(sums.items()):
        devices = sorted({one.device for one in rows})
        who = devices[0] if len(devices) == 1 else f"{len(devices)} devices ({', '.join(devices[:5])} ...)"
        words = (_DONE if done else _PROPOSED)[kind].format(n=sum(one.readings for one in rows), who=who)
        cut_off = f"{batch_words(number, batches.get((shard, number)))}, was cut off between store and journal; "
        lines.append(words if kind == ACCEPTED else cut_off + words)
    return lines
