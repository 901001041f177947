# SPDX-License-Identifier: EUPL-1.2
"""Take quarantined messages through the pipeline again. Pure part: what a redriven row does to the accounts.

A redriven message was counted when it first arrived, so its counts move instead of growing: from quarantined to
decoded, from rejected to stored. It is redriven when nothing of it is at fault any more, and ignored when its devices
are ignored now; else it waits on with the reason that is left. Doing it twice changes nothing: readings that are stored
already come out as duplicates.
"""

from collections.abc import Sequence

from msgspec import Struct
from msgspec.structs import replace

from hub.core.delivery import Delivery
from hub.core.journal import HOUR_NS, AccountKey, Counts, JournalBatch, Quarantined
from hub.core.readings import Outcome, PutResult
from hub.ingest.accounting import count_decoded, count_reading, part_of, seen_of, store_faults, touches_of
from hub.ingest.interpret import Fault, Interpretation, Verdict


class RedriveResult(Struct):
    """How many messages were tried, used, wait on, and belong to devices that are ignored now."""

    tried: int = 0
    redriven: int = 0
    waiting: int = 0
    ignored: int = 0


def delivery_of(row: Quarantined) -> Delivery:
    """The delivery as it came; a message without time keeps its first arrival."""
    return Delivery(row.topic, row.payload, row.received, 1, row.retain, False, 0)


def settle_redrive(
    rows: Sequence[Quarantined], meanings: Sequence[Interpretation], result: PutResult
) -> tuple[JournalBatch, RedriveResult]:
    """Account for redriven rows. `meanings` are theirs in order, `result` that of all their readings."""
    accounts: dict[AccountKey, Counts] = {}
    used = [m for row, m in zip(rows, meanings, strict=True) if row.scope == "message" and m.verdict is Verdict.DECODED]
    batch = JournalBatch(
        touches=touches_of(meanings),
        accounts=accounts,
        seen=seen_of(used),
        events=[event for meaning in used for event in meaning.events],
    )
    redriven: list[int] = []
    ignored: list[int] = []
    retried: list[Quarantined] = []
    first = 0
    for row, meaning in zip(rows, meanings, strict=True):
        outcomes = result.outcomes[first : first + len(meaning.rows)]
        conflicts, rejects = store_faults(meaning, outcomes, first, result)
        first += len(outcomes)
        faults = [*meaning.faults, *rejects, *conflicts]
        if meaning.verdict is Verdict.IGNORED:
            _move_ignored(accounts, row, meaning)
            ignored.append(row.id)
            continue
        move = _move_part if row.scope == "reading" else _move_message
        left = move(accounts, row, meaning, outcomes, faults, len(conflicts))
        if left is None:
            redriven.append(row.id)
        else:
            retried.append(replace(left, id=row.id, attempts=row.attempts + 1))
    batch.redriven, batch.ignored, batch.retried = redriven, ignored, retried
    return batch, RedriveResult(len(rows), len(redriven), len(retried), len(ignored))


def _account(accounts: dict[AccountKey, Counts], row: Quarantined, connector: str, device: str) -> Counts:
    """Counts move within the hour in which the message arrived."""
    return accounts.setdefault(AccountKey(row.received - row.received % HOUR_NS, connector, device), Counts())


def _move_ignored(accounts: dict[AccountKey, Counts], row: Quarantined, meaning: Interpretation) -> None:
    """All devices of the message are ignored now. Parts of a message that was used stay counted as rejected."""
    if row.scope == "reading":
        return
    source = _account(accounts, row, row.connector, row.device)
    target = _account(accounts, row, meaning.connector, meaning.device)
    source.received -= 1
    source.quarantined -= 1
    target.received += 1
    target.ignored += 1


def _move_message(
    accounts: dict[AccountKey, Counts],
    row: Quarantined,
    meaning: Interpretation,
    outcomes: Sequence[Outcome],
    faults: Sequence[Fault],
    conflicts: int,
) -> Quarantined | None:
    """A message of which nothing had been used: now it is decoded, or it waits on with the reason that is left."""
    source = _account(accounts, row, row.connector, row.device)
    target = _account(accounts, row, meaning.connector, meaning.device)
    source.received -= 1
    source.quarantined -= 1
    target.received += 1
    if meaning.verdict is Verdict.DECODED:
        count_decoded(lambda device: _account(accounts, row, meaning.connector, device), meaning, outcomes)
        return part_of(meaning, faults, conflicts) if faults else None
    target.quarantined += 1
    fault = faults[0] if faults else Fault(row.reason, row.detail, row.external_id)
    return replace(
        row,
        reason=fault.reason,
        detail=fault.detail,
        connector=meaning.connector,
        device=meaning.device,
        external_id=fault.external_id or row.external_id,
        others=fault.others,
    )


def _move_part(
    accounts: dict[AccountKey, Counts],
    row: Quarantined,
    meaning: Interpretation,
    outcomes: Sequence[Outcome],
    faults: Sequence[Fault],
    conflicts: int,
) -> Quarantined | None:
    """Of the readings that the row stands for, those no longer at fault become stored (new) or duplicate (known).

    They were counted with the message's first device; what is stored now moves to the account of its own. A message
    that is worse off than before (its device is gone) waits on as it is: what was stored stays counted.
    """
    before = row.conflicts + row.rejects
    freed = before - len(faults)
    if meaning.verdict is not Verdict.DECODED or freed < 0:
        return row
    counts = _account(accounts, row, row.connector, row.device)
    new = [(r, o) for r, o in zip(meaning.rows, outcomes, strict=True) if o in {Outcome.STORED, Outcome.REPLACED}]
    new = sorted(new, key=lambda one: one[1] is not Outcome.REPLACED)[:freed]
    counts.conflict += conflicts - row.conflicts
    counts.rejected += len(faults) - conflicts - row.rejects
    counts.duplicate += freed - len(new)
    counts.readings -= len(new)
    for reading, outcome in new:
        count_reading(_account(accounts, row, row.connector, reading.device), outcome)
    return part_of(meaning, faults, conflicts) if faults else None
