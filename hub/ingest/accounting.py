# SPDX-License-Identifier: EUPL-1.2
"""What a batch adds to the journal. Pure: interpretations and the store's outcomes in, one `JournalBatch` out.

The equations of `hub.core.journal.Counts` hold for every batch by construction: each delivery has one verdict, each
reading of a decoded delivery one outcome. A delivery is accounted to its first device, and so are the readings of it
that cannot be used; what is stored or known already is accounted to the device that it is of, so that the accounts of a
device say what the store holds of it. Deliveries about which there is nothing to say (all readings plain, all of
them new) are nearly all there are: they are tallied per device; the rest is accounted one by one.
"""

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from operator import add

from msgspec.structs import astuple, replace

from hub.core.journal import HOUR_NS, AccountKey, Counts, DeviceSeen, JournalBatch, Quarantined
from hub.core.readings import Outcome, PutResult, Reading
from hub.ingest.interpret import Fault, Interpretation, Verdict, summarise

Touches = Collection[tuple[str, str, int]]
_SAMPLE = 1024
_NEVER = -(2**63)


class _Tally:
    """What a batch brings of one device, as long as everything about it is as it should be."""

    __slots__ = ("messages", "newest", "readings", "received")

    def __init__(self, received: int) -> None:
        self.messages = 0
        self.readings = 0
        self.received = received
        self.newest = _NEVER


def settle(meanings: Sequence[Interpretation], result: PutResult, touches: Touches | None = None) -> JournalBatch:
    """Account for live deliveries. `result` has the outcomes of all their readings, in order.

    `touches` are those of `touches_of(meanings)`, where they are known already.
    """
    if touches is None:
        touches = touches_of(meanings)
    if any(result.outcomes):
        batch = _settle_singly(meanings, result, touches)
    else:
        tallies, others = _tally(meanings)
        some = _settle_singly(others, result, touches)  # all of its outcomes are STORED, so any of them will do
        batch = _with_tallies(some, tallies)
    batch.uplinks = [uplink for meaning in meanings if meaning.uplinks for uplink in meaning.uplinks]
    return batch


def _tally(meanings: Sequence[Interpretation]) -> tuple[dict[tuple[int, str, str], _Tally], list[Interpretation]]:
    """Tallies of plain deliveries by hour of arrival, connector and device; and all other deliveries."""
    tallies: dict[tuple[int, str, str], _Tally] = {}
    others: list[Interpretation] = []
    start = end = 0
    for meaning in meanings:
        group = meaning.group
        if group is None or meaning.faults or meaning.events:
            others.append(meaning)
            continue
        received, time = meaning.delivery.received, group.time
        if not start <= received < end:
            start = received - received % HOUR_NS
            end = start + HOUR_NS
        key = start, meaning.connector, meaning.device
        tally = tallies.get(key)
        if tally is None:
            tally = tallies[key] = _Tally(received)
        tally.messages += 1
        tally.readings += len(group.values)
        if received > tally.received:  # noqa: PLR1730 max() costs twice as much, and this is done for every message
            tally.received = received
        if time > tally.newest:  # noqa: PLR1730 the same
            tally.newest = time
    return tallies, others


def _with_tallies(batch: JournalBatch, tallies: Mapping[tuple[int, str, str], _Tally]) -> JournalBatch:
    """Add tallies to what a batch records of its other deliveries."""
    accounts = dict(batch.accounts)
    seen = {one.device: one for one in batch.seen}
    for hour, connector, device in tallies:
        tally, key = tallies[hour, connector, device], AccountKey(hour, connector, device)
        messages, readings = tally.messages, tally.readings
        own = Counts(messages, messages, 0, 0, 0, readings, readings)
        held = accounts.get(key)
        accounts[key] = own if held is None else _sum(held, own)
        seen[device] = _newer(seen.get(device), device, tally)
    return replace(batch, accounts=accounts, seen=list(seen.values()))


def _sum(one: Counts, other: Counts) -> Counts:
    return Counts(*map(add, astuple(one), astuple(other)))


def _newer(known: DeviceSeen | None, device: str, tally: _Tally) -> DeviceSeen:
    if known is None:
        return DeviceSeen(device=device, received=tally.received, time=tally.newest, messages=tally.messages)
    newest = tally.newest if known.time is None else max(known.time, tally.newest)
    received, messages = max(known.received, tally.received), known.messages + tally.messages
    return DeviceSeen(device=device, received=received, time=newest, messages=messages)


def _settle_singly(meanings: Sequence[Interpretation], result: PutResult, touches: Touches) -> JournalBatch:
    """Account delivery by delivery: right for anything."""
    accounts: dict[tuple[int, str, str], Counts] = defaultdict(Counts)
    reasons: dict[tuple[str, str], int] = defaultdict(int)
    quarantined: list[Quarantined] = []
    row = 0
    for meaning in meanings:
        received, connector = meaning.delivery.received, meaning.connector
        hour = received - received % HOUR_NS
        counts = accounts[hour, connector, meaning.device]
        counts.received += 1
        if meaning.verdict is Verdict.DECODED:
            first, row = row, row + len(meaning.rows)
            for reason in meaning.doubts:
                reasons[meaning.connector, reason] += 1
            outcomes = result.outcomes[first:row]
            conflicts, rejects = store_faults(meaning, outcomes, first, result)
            found = [*meaning.faults, *rejects, *conflicts]
            count_decoded(lambda device: accounts[hour, connector, device], meaning, outcomes)  # noqa: B023 used at once
            if found:
                quarantined.append(part_of(meaning, found, len(conflicts)))
        else:
            _count_verdict(counts, meaning.verdict)
            found = list(meaning.faults)
            if found:
                quarantined.append(_whole(meaning))
        for reason in {fault.reason for fault in found}:
            reasons[meaning.connector, reason] += 1
    return JournalBatch(
        touches=touches,
        accounts={AccountKey(*key): counts for key, counts in accounts.items()},
        reasons=reasons,
        quarantined=quarantined,
        events=[event for meaning in meanings for event in meaning.events],
        seen=seen_of(meanings),
    )


def touches_of(meanings: Iterable[Interpretation]) -> Touches:
    """The distinct (device, quantities, hour) of the readings, in the order in which they came."""
    groups: dict[tuple[str, tuple[str, ...], int], None] = {}
    for meaning in meanings:
        if (group := meaning.group) is not None:
            groups[group.device, group.quantities, group.time - group.time % HOUR_NS] = None
        else:
            for row in meaning.readings:
                groups[row.device, (row.quantity,), row.time - row.time % HOUR_NS] = None
    return [(device, " ".join(names), hour) for device, names, hour in groups]


def seen_of(meanings: Iterable[Interpretation]) -> list[DeviceSeen]:
    """Per device its last arrival, newest reading time and number of messages."""
    state: dict[str, list[int]] = {}
    for meaning in meanings:
        newest = {meaning.device: _NEVER} if meaning.device else {}
        for row in meaning.rows:
            newest[row.device] = max(row.time, newest.get(row.device, _NEVER))
        for device, time in newest.items():
            found = state.setdefault(device, [0, _NEVER, 0])
            found[0] = max(found[0], meaning.delivery.received)
            found[1] = max(found[1], time)
            found[2] += 1
    return [
        DeviceSeen(device=device, received=received, time=None if time == _NEVER else time, messages=messages)
        for device, (received, time, messages) in state.items()
    ]


def store_faults(
    meaning: Interpretation, outcomes: Sequence[Outcome], first: int, result: PutResult
) -> tuple[list[Fault], list[Fault]]:
    """What the store said against readings of one delivery: conflicts, and rows that it refuses."""
    found: dict[Outcome, list[Fault]] = {Outcome.CONFLICT: [], Outcome.REJECTED: []}
    if any(outcomes):
        for i, outcome in enumerate(outcomes):
            if outcome in found:
                words = _against(meaning.rows[i], result.errors.get(first + i, ""))
                found[outcome].append(Fault(_REASONS[outcome], words))
    return found[Outcome.CONFLICT], found[Outcome.REJECTED]


_REASONS = {Outcome.CONFLICT: "conflict", Outcome.REJECTED: "rejected_by_store"}


def count_decoded(account: Callable[[str], Counts], meaning: Interpretation, outcomes: Sequence[Outcome]) -> None:
    """Count one decoded delivery with its readings in the accounts of its devices."""
    first, faults = account(meaning.device), len(meaning.faults)
    first.decoded += 1
    first.readings += faults
    first.rejected += faults
    for row, outcome in zip(meaning.rows, outcomes, strict=True):
        unused = outcome is Outcome.CONFLICT or outcome is Outcome.REJECTED
        count_reading(first if unused else account(row.device), outcome)


def count_reading(counts: Counts, outcome: Outcome) -> None:
    """Count one reading by what the store did with it."""
    counts.readings += 1
    if outcome is Outcome.STORED:
        counts.stored += 1
    elif outcome is Outcome.REPLACED:
        counts.stored += 1
        counts.replaced += 1
    elif outcome is Outcome.DUPLICATE:
        counts.duplicate += 1
    elif outcome is Outcome.CONFLICT:
        counts.conflict += 1
    else:
        counts.rejected += 1


def _against(reading: Reading, words: str) -> str:
    return f"{reading.quantity} {reading.value:g}: {words}"


def _count_verdict(counts: Counts, verdict: Verdict) -> None:
    if verdict is Verdict.QUARANTINED:
        counts.quarantined += 1
    elif verdict is Verdict.REFUSED:
        counts.refused += 1
    else:
        counts.ignored += 1


def _whole(meaning: Interpretation) -> Quarantined:
    refused = meaning.verdict is Verdict.REFUSED
    delivery, fault = meaning.delivery, meaning.faults[0]
    return Quarantined(
        received=delivery.received,
        topic=delivery.topic,
        payload=delivery.payload[:_SAMPLE] if refused else delivery.payload,
        reason=fault.reason,
        detail=fault.detail,
        connector=meaning.connector,
        external_id=fault.external_id,
        device=meaning.device,
        others=fault.others,
        retain=delivery.retain,
        state="refused" if refused else "waiting",
        size=len(delivery.payload),
    )


def part_of(meaning: Interpretation, faults: Sequence[Fault], conflicts: int) -> Quarantined:
    """The one row that stands for all readings of a decoded delivery that were not stored."""
    delivery, fault = meaning.delivery, summarise(faults)
    return Quarantined(
        received=delivery.received,
        topic=delivery.topic,
        payload=delivery.payload,
        reason=fault.reason,
        detail=fault.detail,
        connector=meaning.connector,
        external_id=fault.external_id,
        device=meaning.device,
        scope="reading",
        conflicts=conflicts,
        rejects=len(faults) - conflicts,
        others=fault.others,
        retain=delivery.retain,
        size=len(delivery.payload),
    )
