# SPDX-License-Identifier: EUPL-1.2
"""What a batch adds to the journal. Pure: interpretations and the store's outcomes in, one `JournalBatch` out.

The equations of `hub.core.journal.Counts` hold for every batch by construction: each delivery has one verdict, each
reading of a decoded delivery one outcome.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence

from hub.core.journal import HOUR_NS, AccountKey, Counts, DeviceSeen, JournalBatch, Quarantined
from hub.core.readings import Outcome, PutResult, Reading
from hub.ingest.interpret import Fault, Interpretation, Verdict, summarise

_SAMPLE = 1024
_NEVER = -(2**63)


def settle(meanings: Sequence[Interpretation], result: PutResult) -> JournalBatch:
    """Account for live deliveries. `result` has the outcomes of all their readings, in order."""
    accounts: dict[tuple[int, str, str], Counts] = defaultdict(Counts)
    reasons: dict[tuple[str, str], int] = defaultdict(int)
    quarantined: list[Quarantined] = []
    all_new = not any(result.outcomes)
    row = 0
    for meaning in meanings:
        received = meaning.delivery.received
        counts = accounts[received - received % HOUR_NS, meaning.connector, meaning.device]
        counts.received += 1
        if meaning.verdict is Verdict.DECODED:
            first, row = row, row + len(meaning.readings)
            for reason in meaning.doubts:
                reasons[meaning.connector, reason] += 1
            if all_new and not meaning.faults:  # what nearly every delivery is
                counts.decoded += 1
                counts.readings += row - first
                counts.stored += row - first
                continue
            outcomes = result.outcomes[first:row]
            conflicts, rejects = store_faults(meaning, outcomes, first, result)
            found = [*meaning.faults, *rejects, *conflicts]
            count_decoded(counts, outcomes, len(meaning.faults))
            if found:
                quarantined.append(part_of(meaning, found, len(conflicts)))
        else:
            _count_verdict(counts, meaning.verdict)
            found = meaning.faults
            if found:
                quarantined.append(_whole(meaning))
        for reason in {fault.reason for fault in found}:
            reasons[meaning.connector, reason] += 1
    return JournalBatch(
        touches=touches_of(meanings),
        accounts={AccountKey(*key): counts for key, counts in accounts.items()},
        reasons=reasons,
        quarantined=quarantined,
        events=[event for meaning in meanings for event in meaning.events],
        seen=seen_of(meanings),
    )


def touches_of(meanings: Iterable[Interpretation]) -> Collection[tuple[str, str, int]]:
    """The distinct (device, quantity, hour) of the readings, in the order in which they came."""
    return {
        (reading.device, reading.quantity, reading.time - reading.time % HOUR_NS): None
        for meaning in meanings
        for reading in meaning.readings
    }.keys()


def seen_of(meanings: Iterable[Interpretation]) -> list[DeviceSeen]:
    """Per device its last arrival, newest reading time and number of messages."""
    state: dict[str, list[int]] = {}
    for meaning in meanings:
        device = meaning.device
        if not device:
            continue
        found = state.get(device)
        if found is None:
            found = state[device] = [0, _NEVER, 0]
        found[0] = max(found[0], meaning.delivery.received)
        found[2] += 1
        for reading in meaning.readings:
            if reading.time > found[1]:  # noqa: PLR1730 max() costs twice as much, and this is done for every reading
                found[1] = reading.time
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
                words = _against(meaning.readings[i], result.errors.get(first + i, ""))
                found[outcome].append(Fault(_REASONS[outcome], words))
    return found[Outcome.CONFLICT], found[Outcome.REJECTED]


_REASONS = {Outcome.CONFLICT: "conflict", Outcome.REJECTED: "rejected_by_store"}


def count_decoded(counts: Counts, outcomes: Sequence[Outcome], faults: int) -> None:
    """Count one decoded delivery with its readings."""
    counts.decoded += 1
    counts.readings += len(outcomes) + faults
    counts.rejected += faults
    if not any(outcomes):  # all stored and new: what nearly every delivery is
        counts.stored += len(outcomes)
        return
    for outcome in outcomes:
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
