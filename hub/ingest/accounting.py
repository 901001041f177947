# SPDX-License-Identifier: EUPL-1.2
"""What a batch adds to the journal. Pure: interpretations and the store's outcomes in, one `JournalBatch` out.

The equations of `hub.core.journal.Counts` hold for every batch by construction: each delivery has one verdict, each
reading of a decoded delivery one outcome.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence

from hub.core.journal import HOUR_NS, AccountKey, Counts, DeviceSeen, EventRecord, JournalBatch, Quarantined, Touch
from hub.core.readings import Outcome, PutResult, Reading
from hub.ingest.interpret import Fault, Interpretation, Verdict, summarise

_SAMPLE = 1024


def settle(meanings: Sequence[Interpretation], result: PutResult) -> JournalBatch:
    """Account for live deliveries. `result` has the outcomes of all their readings, in order."""
    accounts: dict[AccountKey, Counts] = defaultdict(Counts)
    reasons: dict[tuple[str, str], int] = defaultdict(int)
    quarantined: list[Quarantined] = []
    events: list[EventRecord] = []
    row = 0
    for meaning in meanings:
        delivery = meaning.delivery
        hour = delivery.received - delivery.received % HOUR_NS
        counts = accounts[AccountKey(hour, meaning.connector, meaning.device)]
        counts.received += 1
        events += meaning.events
        if meaning.verdict is not Verdict.DECODED:
            _count_verdict(counts, meaning.verdict)
            found = meaning.faults
            rows = [_whole(meaning)] if found else []
        else:
            first, row = row, row + len(meaning.readings)
            outcomes = result.outcomes[first:row]
            conflicts, rejects = store_faults(meaning, outcomes, first, result)
            found = [*meaning.faults, *rejects, *conflicts]
            count_decoded(counts, outcomes, len(meaning.faults))
            rows = [part_of(meaning, found, len(conflicts))] if found else []
        quarantined += rows
        for reason in {fault.reason for fault in found}:
            reasons[meaning.connector, reason] += 1
    return JournalBatch(
        touches=touches_of(reading for meaning in meanings for reading in meaning.readings),
        accounts=accounts,
        reasons=reasons,
        quarantined=quarantined,
        events=events,
        seen=seen_of(meanings),
    )


def touches_of(readings: Iterable[Reading]) -> list[Touch]:
    """The distinct (device, quantity, hour) of the readings, in a stable order."""
    return sorted({Touch(r.device, r.quantity, r.time - r.time % HOUR_NS) for r in readings})


def seen_of(meanings: Iterable[Interpretation]) -> list[DeviceSeen]:
    """Per device its last arrival, newest reading time and number of messages."""
    state: dict[str, tuple[int, int | None, int]] = {}
    for meaning in meanings:
        if not meaning.device:
            continue
        received, time, messages = state.get(meaning.device, (0, None, 0))
        newest = max((r.time for r in meaning.readings), default=None)
        if newest is not None:
            time = newest if time is None else max(time, newest)
        state[meaning.device] = (max(received, meaning.delivery.received), time, messages + 1)
    return [
        DeviceSeen(device=device, received=received, time=time, messages=messages)
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
