# SPDX-License-Identifier: EUPL-1.2
"""What people say: corrections, entered figures, strategies."""

from collections.abc import Mapping, Sequence
from typing import Protocol

from hub.core.entries import Draft, Entry, EntryFilter, EntryState, Verdict
from hub.core.indicators import Correction
from hub.core.strategies import Strategy, StrategyRevision


class CorrectionBook(Protocol):
    """Corrections of stored readings; the rules are those of `hub.core.corrections`."""

    def add(
        self,
        device: str,
        start: int,
        end: int,
        action: str,
        *,
        by: str,
        reason: str,
        quantity: str | None = None,
        flag: int | None = None,
        scale: float | None = None,
        shift: float | None = None,
    ) -> Correction:
        """Correct readings of a device in [start, end). Raise Invalid, NotFound, Exists (the same is in effect)."""
        ...

    def withdraw(self, correction: int, *, by: str, reason: str) -> Correction:
        """Take a correction back; returns the row that does so. Raise Invalid, NotFound, Exists (done before)."""
        ...

    def get(self, correction: int) -> Correction:
        """One correction; raise NotFound."""
        ...

    def after(self, after: int = 0) -> Sequence[Correction]:
        """Corrections with id greater than `after`, in order of id."""
        ...


class EntryBook(Protocol):
    """Figures that people enter; see `hub.core.entries` for the rules."""

    def judge(self, drafts: Sequence[Draft]) -> Sequence[Verdict]:
        """What would become of each draft, in order; a later one is judged with the earlier ones handed in."""
        ...

    def add(self, drafts: Sequence[Draft], *, by: str, partial: bool = False) -> Sequence[Verdict]:
        """Hand drafts in. Nothing is stored when one is refused, unless `partial`; duplicates are left out."""
        ...

    def decide(self, ids: Sequence[int], state: EntryState, *, by: str, reason: str | None = None) -> Sequence[Entry]:
        """Approve, reject or withdraw entries, all or none. Raise NotFound, Invalid."""
        ...

    def entries(self, where: EntryFilter, before: int | None = None, limit: int = 100) -> Sequence[Entry]:
        """Newest first; `before` is the id of the last entry of the page before."""
        ...

    def history(self, indicator: str, place: str, start: int) -> Sequence[Entry]:
        """All entries of one window, oldest first."""
        ...

    def counting(self, figures: Sequence[Draft]) -> Mapping[tuple[str, str, int], Entry]:
        """The entry that counts now, by window, for the windows of these figures that have one."""
        ...

    def approved(self, after: int, limit: int) -> Sequence[Entry]:
        """Entries whose approval is greater than `after`, in order of approval."""
        ...

    def in_force(
        self,
        indicator: str,
        place: str | None = None,
        start: int | None = None,
        end: int | None = None,
        *,
        below: bool = False,
        upto: int | None = None,
    ) -> Sequence[Entry]:
        """The entry that counts of each window that begins in [start, end), in order of place and start.

        `below`: places under `place` too. `upto`: as it was after that approval.
        """
        ...


class StrategyBook(Protocol):
    """Strategy documents; every change of one is a revision of the whole."""

    def put(
        self, documents: Sequence[Strategy], *, by: str, reason: str, expected: Mapping[str, int] | None = None
    ) -> Sequence[StrategyRevision]:
        """Store documents, all or none; returns the newest revision of each, unchanged where the document is.

        `expected` has the revision (0: none) on which a change is based; Exists when another one came in between.
        """
        ...

    def get(self, strategy: str, as_of: int | None = None) -> StrategyRevision:
        """The newest revision, or the one in force at `as_of` (ns; before the first: the first). Raise NotFound."""
        ...

    def all(self, as_of: int | None = None) -> Sequence[StrategyRevision]:
        """That of every document, in order of id."""
        ...

    def history(self, strategy: str) -> Sequence[StrategyRevision]:
        """All revisions of one document, oldest first. Raise NotFound."""
        ...
