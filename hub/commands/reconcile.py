# SPDX-License-Identifier: EUPL-1.2
"""Prove the accounting equations from the journals and the store; name what differs, and mend what a crash cut off.

The proof goes device by device: as soon as one look shows a device without anything on its way and in balance, it is
proved; the next look asks for the others. What a look finds in surplus is explained and repaired as `hub.ingest.repair`
says: by duplicates at once, as unaccounted only when the last looks saw no more of them come in. A hub at work carries
out the repairs itself, by an order; where no worker holds the journal they are done here.
"""

import asyncio
import getpass
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import NamedTuple, Protocol, runtime_checkable

from hub.app import Parts
from hub.commands._output import print_json
from hub.commands._reconcile_report import (
    Report,
    book_differences,
    gap_words,
    pending_words,
    print_report,
    repair_words,
    totals,
)
from hub.commands._repairs import Mender
from hub.core.errors import Invalid
from hub.core.journal import OpenBatch, Repair
from hub.core.ports import ReadingStore, SpoolState
from hub.ingest.books import Books, BooksReader
from hub.ingest.open_batches import OpenBatches
from hub.ingest.repair import ACCEPTED, DUPLICATE, Gap, accounted, compare, numbered, plan
from hub.ingest.spool_view import waiting_in
from hub.settings import Settings

_LOOKS, _PAUSE = 8, 1.0
_PATIENT = 4  # looks that wait for what the broker may still send again
_FORGETS = (
    "InfluxDB forgets readings past retention by itself and does not count them: that a device has too few readings "
    "there cannot be told from that, so only readings too many are looked for"
)


@runtime_checkable
class Forgetful(Protocol):
    """A store that counts what it forgot."""

    async def dropped(self) -> Mapping[str, int]:
        """Readings by device that are past retention and gone."""
        ...


class Look(NamedTuple):
    """Journals, store, journals: `gaps` are of the devices asked for, `left` notes of open batches by shard."""

    books: Sequence[Books]
    gaps: Sequence[Gap]
    left: Mapping[int, Sequence[OpenBatch]]
    held: int


class Accept(NamedTuple):
    """Differences that nothing explains are to be recorded as they are: `why`, and whom to ask first (None: nobody)."""

    why: str
    ask: Callable[[str], bool] | None = None


def run_reconcile(settings: Settings, *, json: bool, repair: bool = True, accept: Accept | None = None) -> int:
    """Print totals, repairs and differences; returns 0 when every equation holds, else 1."""
    if accept is not None and not accept.why.strip():
        raise Invalid(
            "say why: what is accepted is never looked for again, so the reason is kept in the audit", "--why"
        )
    parts = Parts(settings)
    if not any(parts.data.journal(shard).exists() for shard in range(parts.shards())):
        raise Invalid(f"{parts.data.root} holds no journal: name the hub's directory with --data", "--data")
    report = asyncio.run(_Reconciliation(parts, repair=repair, accept=accept).run())
    if json:
        print_json(report.as_json())
    else:
        print_report(report)
    return 1 if report.differences else 0


class _Reconciliation:
    """One run over all journals of a hub."""

    def __init__(self, parts: Parts, *, repair: bool, accept: Accept | None) -> None:
        self._parts = parts
        self._repair = repair
        self._accept = accept
        shards = [shard for shard in range(parts.shards()) if parts.data.journal(shard).exists()]
        self._readers = {shard: BooksReader(parts.data.journal(shard), str(shard)) for shard in shards}
        self._notes = {shard: OpenBatches(parts.data.open_batches(shard)) for shard in shards}
        self._forgets = parts.settings.store.kind != "sqlite" and bool(parts.settings.keep)
        self._mender = Mender(parts)

    async def run(self) -> Report:
        """Look, repair, look again, until all is proved or the patience is over."""
        store = self._parts.store()
        at_work = any(self._mender.worker_runs(shard) for shard in self._readers)
        try:
            first = look = await self._look(store, None)
            for attempt in range(1, _LOOKS if at_work else 2):
                unproved = self._unproved(look)
                if not unproved:
                    break
                if not await self._mend(look, unaccounted=attempt >= _PATIENT or not at_work) and at_work:
                    await asyncio.sleep(_PAUSE)
                look = await self._look(store, unproved)
            if self._accept is not None and (unproved := self._unproved(look)):
                await self._accepted(store, look, self._accept)
                look = await self._look(store, unproved)
        finally:
            await store.close()
        return self._report(first, look)

    async def _look(self, store: ReadingStore, devices: Collection[str] | None) -> Look:
        before = [reader.read() for reader in self._readers.values()]
        lost_before = await store.dropped() if isinstance(store, Forgetful) else {}
        held = await store.counts(None if devices is None else sorted(devices))
        lost = await store.dropped() if isinstance(store, Forgetful) else {}
        notes = [self._notes[shard].left(one.progress) for shard, one in zip(self._readers, before, strict=True)]
        books = [reader.read() for reader in self._readers.values()]
        least, most = accounted(before), accounted(books)
        for device in {*lost, *lost_before}:
            least[device] -= lost.get(device, 0)
            most[device] -= lost_before.get(device, 0)
        gaps = compare(least, held, most, [note for some in notes for note in some])
        asked = [gap for gap in gaps if devices is None or gap.device in devices]
        return Look(books, asked, dict(zip(self._readers, notes, strict=True)), sum(held.values()))

    def _unproved(self, look: Look) -> set[str]:
        """Devices out of balance, or with something on its way."""
        return {gap.device for gap in look.gaps if self._missing(gap) or (not gap.exact and gap.held != gap.least)}

    def _missing(self, gap: Gap) -> int:
        """Surplus of the store, negative for too few. What a database forgets by itself cannot be told from a loss."""
        return max(gap.surplus, 0) if self._forgets else gap.surplus

    def _plan(self, look: Look) -> Mapping[str, Sequence[Repair]]:
        surplus = {gap.device: gap.surplus for gap in look.gaps if gap.exact and gap.surplus > 0}
        if not surplus:
            return {}
        return plan(surplus, [reader.causes(surplus) for reader in self._readers.values()], self._parts.clock())

    async def _mend(self, look: Look, *, unaccounted: bool) -> bool:
        """Record what explains surpluses; True when something was recorded."""
        found = self._plan(look) if self._repair else {}
        recorded = False
        for shard, books in zip(self._readers, look.books, strict=True):
            rows = [one for one in found.get(books.name, ()) if unaccounted or one.kind == DUPLICATE]
            recorded |= await self._mender.record(shard, numbered(rows, books.last_repair))
        return recorded

    async def _accepted(self, store: ReadingStore, look: Look, accept: Accept) -> None:
        """The operator takes the store's word for what nothing explains: asked first, and only what was asked about."""
        found = self._unexplained(look)
        if not found or (accept.ask is not None and not accept.ask(_question(found))):
            return
        if accept.ask is not None:  # the answer may have taken its time
            look = await self._look(store, found.keys())
            now_found = self._unexplained(look)
            found = {device: n for device, n in found.items() if now_found.get(device) == n}
            if not found:
                return
        now, shard = self._parts.clock(), next(iter(self._readers))
        with self._parts.ledger().open() as ledger:  # before the books: nothing is accepted without its reason
            detail = {"why": accept.why.strip(), "readings": found}
            ledger.audit.note(now, getpass.getuser(), "reconcile.accept", "readings", detail)
        rows = [Repair(id=0, kind=ACCEPTED, device=device, readings=n, at=now) for device, n in found.items()]
        await self._mender.record(shard, numbered(rows, look.books[0].last_repair))

    def _unexplained(self, look: Look) -> dict[str, int]:
        """Readings too many, negative for too few, by device."""
        return {gap.device: gap.surplus for gap in look.gaps if gap.exact and self._missing(gap)}

    def _report(self, first: Look, look: Look) -> Report:
        dead = [note for shard, some in look.left.items() if not self._mender.worker_runs(shard) for note in some]
        unproved = self._unproved(look)
        moving = [gap for gap in look.gaps if gap.device in unproved and not self._missing(gap)]
        proposed = [(int(name), one) for name, some in self._plan(look).items() for one in some]
        differences = [
            *self._mender.failed,
            *(line for books in look.books for line in book_differences(books)),
            *(gap_words(gap) for gap in look.gaps if self._missing(gap)),
            *repair_words(proposed, self._batches(), done=False),
            *(pending_words(note) for note in dead if unproved),
        ]
        spool = [
            waiting_in(self._parts.data.spool(shard), books.progress.spool)
            for shard, books in zip(self._readers, look.books, strict=True)
        ]
        return Report(
            totals=totals(look.books),
            waiting=sum(one.waiting for one in look.books),
            in_store=first.held,
            devices=len(first.gaps),
            on_the_way=0 if dead else sum(gap.most - gap.least for gap in moving),
            moving=0 if dead else len(moving),
            spool=SpoolState(sum(one.messages for one in spool), sum(one.bytes for one in spool)),
            repaired=self._mender.done,
            batches=self._batches(),
            remarks=[_FORGETS] if self._forgets else [],
            differences=differences,
        )

    def _batches(self) -> Mapping[tuple[int, int], OpenBatch]:
        return {(shard, batch.number): batch for shard, reader in self._readers.items() for batch, _ in reader.opened()}


def _question(found: Mapping[str, int]) -> str:
    """What the operator is asked before differences are accepted."""
    few, many = -sum(n for n in found.values() if n < 0), sum(n for n in found.values() if n > 0)
    words = " and ".join(f"{n:,} {what}" for n, what in ((few, "missing readings"), (many, "readings too many")) if n)
    worst = sorted(found, key=lambda device: -abs(found[device]))
    named = f"{', '.join(worst[:3])}{', ...' if len(worst) > 3 else ''}"
    return f"Record {words} of {len(found)} devices ({named}) as accepted? Nothing explains them."
