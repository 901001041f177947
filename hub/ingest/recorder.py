# SPDX-License-Identifier: EUPL-1.2
"""Writes into the journal what became of batches, and never more into quarantine than its quota allows.

A batch that the journal cannot hold is halved until exactly the guilty message is set aside. What is beyond the quota
is refused before it is journalled, and of a device whose messages are refused the interpreter keeps no more
(`Interpreter.floods`) until what waits is counted anew.
"""

from collections.abc import Callable, Sequence
from functools import partial

from hub.core.errors import Reject
from hub.core.journal import DeviceSeen, JournalBatch, Quarantined
from hub.core.logs import RateLimited
from hub.core.ports import Journal, PartHealth
from hub.core.readings import PutResult
from hub.ingest.accounting import settle
from hub.ingest.interpret import Fault, Interpretation, Interpreter, set_aside
from hub.ingest.patience import Patience
from hub.ingest.quota import Quota
from hub.ingest.sampler import Sampler
from hub.ingest.work import Work

_NOTHING = PutResult([])


class Recorder:
    """Of one journal; `interpreter` is told whose messages are refused."""

    def __init__(
        self,
        journal: Journal,
        quota: Quota,
        interpreter: Interpreter,
        patience: Patience,
        *,
        clock: Callable[[], int],
        log: RateLimited,
        sampler: Sampler | None = None,
    ) -> None:
        self._sampler = sampler or Sampler()
        self._journal = journal
        self._quota = quota
        self._interpreter = interpreter
        self._patience = patience
        self._clock = clock
        self._log = log

    async def load(self) -> None:
        """Learn what waits in quarantine; a journal that is away is waited for."""
        self._quota.load(*await self._patience.insist(self._journal.held))

    async def reload(self) -> None:
        """Count anew what waits in quarantine, after anything has left it."""
        self._quota.load(*await self._journal.held())
        self._interpreter.floods.clear()

    def health(self) -> PartHealth:
        """Whether the quarantine takes what comes, or refuses some."""
        return self._quota.health(self._clock())

    async def stamps(self, work: Work) -> None:
        """Journal what the batch stamped for the first time, before anything of it is stored."""
        if work.stamps:
            await self._patience.insist(partial(self._journal.commit, JournalBatch(untimed=work.stamps)))

    async def stored(self, work: Work, result: PutResult) -> Sequence[Quarantined]:
        """Journal a batch that the store has answered; returns what was set aside."""
        return await self._settle(work.meanings, result, work, last=True)

    async def spooled(self, work: Work) -> Sequence[Quarantined]:
        """Journal what of a spooled batch needs no store; that the other devices have spoken is worth knowing now.

        A store that was asked and gave no answer may hold some of it, so it is one of those that were cut off.
        """
        batch = settle([meaning for meaning in work.meanings if not len(meaning.rows)], _NOTHING)
        spoken = {meaning.device: meaning.delivery.received for meaning in work.meanings if len(meaning.rows)}
        seen = [DeviceSeen(device=device, received=at, time=None, messages=0) for device, at in spoken.items()]
        batch.seen, batch.number = [*batch.seen, *seen], work.number
        batch.opened = [work.noted] if work.noted is not None else ()
        return await self._commit(batch)

    async def _settle(
        self, meanings: Sequence[Interpretation], result: PutResult, work: Work, *, last: bool
    ) -> Sequence[Quarantined]:
        """Journal a part of a batch; its last part carries how far ingest has come."""
        whole = meanings is work.meanings
        batch = settle(meanings, result, work.touches if whole else None)
        if whole:  # a batch that is halved because something of it cannot be recorded goes without
            batch.samples, batch.samples_kept = self._sampler.take(meanings), self._sampler.keep
        if last:
            batch.number, batch.spool = work.counted, work.spool
        try:
            return await self._commit(batch)
        except Reject as error:
            if len(meanings) > 1:
                middle = len(meanings) // 2
                rows = sum(len(meaning.rows) for meaning in meanings[:middle])
                first = await self._settle(meanings[:middle], _part(result, 0, rows), work, last=False)
                rest = _part(result, rows, len(result.outcomes))
                return [*first, *await self._settle(meanings[middle:], rest, work, last=last)]
            batch = settle([set_aside(meanings[0].delivery, Fault(error.reason, error.detail))], _NOTHING)
            if last:
                batch.number, batch.spool = work.counted, work.spool
            return await self._commit(batch)

    async def _commit(self, batch: JournalBatch) -> Sequence[Quarantined]:
        """Commit within the quarantine's quota; returns what was set aside."""
        batch = self._quota.apply(batch)
        await self._patience.insist(partial(self._journal.commit, batch))
        self._quota.committed(batch)
        self._interpreter.floods |= self._quota.exhausted(batch)
        for refusal in batch.refusals:
            words = {"reason": refusal.reason, "connector": refusal.connector, "source": refusal.source}
            self._log.error("refused", "quarantine refuses messages", **words, messages=refusal.messages)
        return batch.quarantined


def _part(result: PutResult, first: int, last: int) -> PutResult:
    """Outcomes of the rows [first, last)."""
    errors = {i - first: words for i, words in result.errors.items() if first <= i < last}
    return PutResult(result.outcomes[first:last], errors)
