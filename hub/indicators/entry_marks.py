# SPDX-License-Identifier: EUPL-1.2
"""Entered values in the engine's waves: which windows approvals make dirty, and what stands in dirty windows.

A value is made from the entry that counts whenever its window is marked: by an approval, by a new version of its
definition, by a job. There is no other way, so computing again gives what is there. Approvals are followed with the
cursor ENTERED, which moves in the commit that writes their values; a wave sees entries up to it and not beyond, so the
second of two approvals of one window is a revision of its own.
"""

import logging
from collections.abc import Collection, Iterator, Mapping, Sequence

import numpy as np
from msgspec import Struct

from hub.core.entries import Entry
from hub.core.indicators import IndicatorValue
from hub.core.ports import EntryBook, ValueLedger
from hub.core.windows import Calendar
from hub.indicators.catalogue import Catalogue
from hub.indicators.entries import batch_of, cause_of, entries_to_values, unusable
from hub.indicators.plan import Cause, Marks, words

ENTERED = "entered"
_log = logging.getLogger(__name__)


class Approvals(Struct):
    """Marks of what was approved, the cursor behind it, and whether there is no more."""

    marks: Marks
    cursor: int
    drained: bool


class Entered(Struct, frozen=True):
    """The book of entries as the engine sees it."""

    book: EntryBook
    catalogue: Catalogue
    city: Calendar

    def approvals(self, after: int, limit: int) -> Approvals:
        """What was approved behind the cursor `after`, up to the second one of a window; unusable ones are logged."""
        approved = self.book.approved(after, limit)
        batch, marks = batch_of(approved), Marks()
        for entry in batch:
            why = unusable(entry, self.catalogue.definitions.get(entry.indicator), self.city)
            if why is None:
                _mark(marks, [entry], cause_of(entry))
            else:
                _log.warning("entry %d gives no value: %s", entry.id, why, extra={"reason": "entry_unusable"})
        cursor = after if not batch else batch[-1].approval or after
        return Approvals(marks, cursor, len(batch) == len(approved) < limit)

    def marks(
        self, cause: str, indicators: Collection[str] | None = None, places: Collection[str] | None = None,
        start: int | None = None, end: int | None = None,
    ) -> Marks:  # fmt: skip
        """All windows that have an entry that counts, of the indicators and under the places named (None: all)."""
        marks = Marks()
        for d in self.catalogue:
            if not d.entered or (indicators is not None and d.id not in indicators):
                continue
            for place in (None,) if places is None else sorted(places):
                found = self.book.in_force(d.id, place, start, end, below=place is not None)
                _mark(marks, [e for e in found if unusable(e, d, self.city) is None], cause)
        return marks

    def values(self, marks: Marks, ledger: ValueLedger, upto: int, now: int) -> Iterator[IndicatorValue]:
        """Values to write in the windows that are marked, as entries stood after the approval `upto`."""
        for key in sorted(marks.stretches):
            d = self.catalogue.definitions.get(key[0])
            if d is None or not d.entered:
                continue
            starts = marks.of(key)
            asked = set(starts.tolist())
            found = self.book.in_force(*key, int(starts[0]), int(starts[-1]) + 1, upto=upto)
            entries = [entry for entry in found if entry.start in asked]
            stored: Mapping[tuple[str, str, int], IndicatorValue] = ledger.current([e.window for e in entries])
            yield from entries_to_values(
                entries, self.catalogue, self.city, stored, now,
                lambda entry: words(marks.causes((entry.indicator, entry.place), entry.start)),
            )  # fmt: skip


def _mark(marks: Marks, entries: Sequence[Entry], cause: str) -> None:
    windows: dict[tuple[str, str], list[int]] = {}
    for entry in entries:
        windows.setdefault((entry.indicator, entry.place), []).append(entry.start)
    for key, starts in windows.items():
        marks.add(key, np.unique(np.array(starts, dtype=np.int64)), Cause(cause))
