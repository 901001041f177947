# SPDX-License-Identifier: EUPL-1.2
"""What a batch adds to the journal. Pure: interpretations and the store's outcomes in, one `JournalBatch` out.

The equations of `hub.core.journal.Counts` hold for every batch by construction: each delivery has one verdict, each
reading of a decoded delivery one outcome.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence

from hub.core.journal import HOUR_NS, AccountKey, Counts, DeviceSeen, EventRecord, JournalBatch, Quarantined, Touch
from hub.core.readings import Outcome, PutResult, Reading
from hub.ingest.interpret import Fault, Interpretation, Verdict

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
            rows = [_whole(meaning)] if meaning.faults else []
        else:
            counts.decoded += 1
            first, row = row, row + len(meaning.readings)
            outcomes = result.outcomes[first:row]
            counts.readings += len(outcomes) + len(meaning.faults)
            counts.rejected += len(meaning.faults)
            if not any(outcomes):
                counts.stored += len(outcomes)
                rows = []
            else:
                _count_outcomes(counts, outcomes)
                rows = refused_readings(meaning, outcomes, first, result)
            if meaning.faults:
                rows.append(_part(meaning, _by_reason(meaning.faults)))
        for item in rows:
            reasons[item.connector, item.reason] += 1
            quarantined.append(item)
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


def refused_readings(
    meaning: Interpretation, outcomes: Sequence[Outcome], first: int, result: PutResult
) -> list[Quarantined]:
    """Quarantine rows for the conflicts and for the store's rejects of one delivery."""
    rows = []
    for outcome, reason in ((Outcome.CONFLICT, "conflict"), (Outcome.REJECTED, "rejected_by_store")):
        faults = [
            Fault(reason, _against(meaning.readings[i], result.errors.get(first + i, "")))
            for i, found in enumerate(outcomes)
            if found is outcome
        ]
        if faults:
            rows.append(_part(meaning, _by_reason(faults)))
    return rows


def _against(reading: Reading, words: str) -> str:
    return f"{reading.quantity} {reading.value:g}: {words}"


def _count_verdict(counts: Counts, verdict: Verdict) -> None:
    if verdict is Verdict.QUARANTINED:
        counts.quarantined += 1
    elif verdict is Verdict.REFUSED:
        counts.refused += 1
    else:
        counts.ignored += 1


def _count_outcomes(counts: Counts, outcomes: Sequence[Outcome]) -> None:
    for outcome in outcomes:
        if outcome is Outcome.STORED:
            counts.stored += 1
        elif outcome is Outcome.DUPLICATE:
            counts.duplicate += 1
        elif outcome is Outcome.CONFLICT:
            counts.conflict += 1
        else:
            counts.rejected += 1


def _by_reason(faults: Sequence[Fault]) -> Fault:
    """One row stands for all faulty readings of a delivery; unknown devices come first, so that claiming finds them."""
    leading = next((fault for fault in faults if fault.reason == "unknown_device"), faults[0])
    detail = "; ".join(dict.fromkeys(fault.detail for fault in faults))
    return Fault(leading.reason, detail[:500], leading.external_id, len(faults))


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
        retain=delivery.retain,
        state="refused" if refused else "waiting",
    )


def _part(meaning: Interpretation, fault: Fault) -> Quarantined:
    delivery = meaning.delivery
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
        readings=fault.readings,
        retain=delivery.retain,
    )
