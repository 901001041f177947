# SPDX-License-Identifier: EUPL-1.2
"""Take quarantined messages through the pipeline again. Pure part: what a redriven row does to the accounts.

A redriven message was counted when it first arrived, so its counts move instead of growing: from quarantined to
decoded, from rejected to stored. It is redriven when nothing of it is at fault any more; else it waits on with the
reason that is left. Doing it twice changes nothing: readings that are stored already come out as duplicates.
"""

from collections.abc import Sequence

from msgspec import Struct
from msgspec.structs import replace

from hub.core.delivery import Delivery
from hub.core.journal import HOUR_NS, AccountKey, Counts, JournalBatch, Quarantined
from hub.core.readings import Outcome, PutResult
from hub.ingest.accounting import refused_readings, seen_of, touches_of
from hub.ingest.interpret import Interpretation, Verdict


class RedriveResult(Struct):
    """How many messages were tried, used, and wait on."""

    tried: int = 0
    redriven: int = 0
    waiting: int = 0


def delivery_of(row: Quarantined) -> Delivery:
    """The delivery as it came; a message without time keeps its first arrival."""
    return Delivery(row.topic, row.payload, row.received, 1, row.retain, False, 0)


def settle_redrive(
    rows: Sequence[Quarantined], meanings: Sequence[Interpretation], result: PutResult
) -> tuple[JournalBatch, RedriveResult]:
    """Account for redriven rows. `meanings` are theirs in order, `result` that of all their readings."""
    accounts: dict[AccountKey, Counts] = {}
    batch = JournalBatch(
        touches=touches_of(reading for meaning in meanings for reading in meaning.readings),
        accounts=accounts,
        seen=seen_of(meanings),
        events=[event for meaning in meanings for event in meaning.events],
    )
    redriven: list[int] = []
    retried: list[Quarantined] = []
    first = 0
    for row, meaning in zip(rows, meanings, strict=True):
        outcomes = result.outcomes[first : first + len(meaning.readings)]
        left = _left(row, meaning, outcomes, first, result)
        first += len(outcomes)
        _move(accounts, row, meaning, outcomes, left)
        if left is None:
            redriven.append(row.id)
        else:
            retried.append(left)
    batch.redriven, batch.retried = redriven, retried
    return batch, RedriveResult(len(rows), len(redriven), len(retried))


def _left(
    row: Quarantined, meaning: Interpretation, outcomes: Sequence[Outcome], first: int, result: PutResult
) -> Quarantined | None:
    """The row as it waits on, None when nothing is at fault any more."""
    faults = list(meaning.faults)
    again = refused_readings(meaning, outcomes, first, result)
    if not faults and not again:
        return None
    if faults:
        reason, detail, external_id = faults[0].reason, faults[0].detail, faults[0].external_id
    else:
        reason, detail, external_id = again[0].reason, again[0].detail, row.external_id
    scope = "message" if meaning.verdict is not Verdict.DECODED else "reading"
    return replace(
        row,
        reason=reason,
        detail=detail,
        external_id=external_id or row.external_id,
        device=meaning.device,
        connector=meaning.connector,
        scope=scope,
        readings=0 if scope == "message" else len(faults) + sum(part.readings for part in again),
        attempts=row.attempts + 1,
    )


def _move(
    accounts: dict[AccountKey, Counts],
    row: Quarantined,
    meaning: Interpretation,
    outcomes: Sequence[Outcome],
    left: Quarantined | None,
) -> None:
    hour = row.received - row.received % HOUR_NS
    source = accounts.setdefault(AccountKey(hour, row.connector, row.device), Counts())
    if row.scope == "reading":
        _move_readings(source, row, meaning, outcomes)
        return
    if left is not None and left.scope == "message":
        target = accounts.setdefault(AccountKey(hour, left.connector, left.device), Counts())
        source.received -= 1
        source.quarantined -= 1
        target.received += 1
        target.quarantined += 1
        return
    source.received -= 1
    source.quarantined -= 1
    target = accounts.setdefault(AccountKey(hour, meaning.connector, meaning.device), Counts())
    target.received += 1
    target.decoded += 1
    target.readings += len(outcomes) + len(meaning.faults)
    target.stored += sum(outcome is Outcome.STORED for outcome in outcomes)
    target.duplicate += sum(outcome is Outcome.DUPLICATE for outcome in outcomes)
    target.conflict += sum(outcome is Outcome.CONFLICT for outcome in outcomes)
    target.rejected += len(meaning.faults) + sum(outcome is Outcome.REJECTED for outcome in outcomes)


def _move_readings(counts: Counts, row: Quarantined, meaning: Interpretation, outcomes: Sequence[Outcome]) -> None:
    """Of `row.readings` that were refused, those no longer at fault become stored (new) or duplicate (known)."""
    conflicts = sum(outcome is Outcome.CONFLICT for outcome in outcomes)
    rejected = len(meaning.faults) + sum(outcome is Outcome.REJECTED for outcome in outcomes)
    was_conflict = row.reason == "conflict"
    still = min(row.readings, conflicts if was_conflict else rejected)
    freed = row.readings - still
    if was_conflict:
        counts.conflict -= freed
    else:
        counts.rejected -= freed
    stored = min(freed, sum(outcome is Outcome.STORED for outcome in outcomes))
    counts.stored += stored
    counts.duplicate += freed - stored
