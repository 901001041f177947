# SPDX-License-Identifier: EUPL-1.2
"""Figures that people enter, and the rules of their life. Pure: storage keeps them, others fill them in.

    waiting -> approved      by a second person; takes effect, in the order of `approval`
            -> rejected      by a second person, with a reason
            -> withdrawn     by the author, with a reason

An approved figure is never changed. A correction is a new entry for the same window with its `reason`; once it is
approved it counts instead, and the older entry stays. At most one entry of a window waits at a time, so whoever
approves sees against what. What was handed in before is a duplicate: a table can be read in again without harm.

Who somebody is, is a name: that of the API key, or what the command line was told. Names that differ in case or
blanks alone are one person.
"""

import unicodedata
from collections.abc import Sequence
from enum import StrEnum
from typing import NamedTuple

from msgspec import Struct
from msgspec.structs import replace

from hub.core.errors import Invalid

LONGEST = 2000  # characters of a text


class EntryState(StrEnum):
    """Where an entry stands."""

    WAITING = "waiting"
    APPROVED = "approved"
    REJECTED = "rejected"
    WITHDRAWN = "withdrawn"


class Draft(Struct, frozen=True, kw_only=True):
    """A figure to enter for one window [start, end), ns; `source` is the document, `reason` why it corrects another."""

    indicator: str
    place: str
    start: int
    end: int
    value: float
    source: str
    reason: str | None = None
    note: str | None = None

    @property
    def window(self) -> tuple[str, str, int]:
        """What it is a figure of."""
        return self.indicator, self.place, self.start


class Entry(Draft, frozen=True, kw_only=True):
    """An entered figure. `approval` numbers approvals in the order in which they took effect; times in ns."""

    id: int
    author: str
    made_at: int
    state: EntryState = EntryState.WAITING
    decided_by: str | None = None
    decided_at: int | None = None
    decision_reason: str | None = None
    approval: int | None = None

    @property
    def name(self) -> str:
        """How messages call it; one that is handed in together with others has no number yet."""
        return f"entry {self.id}" if self.id else "an earlier row"


class EntryFilter(NamedTuple):
    """Which entries; None means any."""

    state: EntryState | None = None
    indicator: str | None = None
    place: str | None = None
    ids: Sequence[int] | None = None


class Outcome(StrEnum):
    """What becomes of a draft."""

    NEW = "new"
    DUPLICATE = "duplicate"
    REFUSED = "refused"


class Verdict(Struct, frozen=True):
    """What becomes of a draft and why; `field` is at fault, `entry` the new one or the one that stands against it."""

    outcome: Outcome
    detail: str = ""
    field: str | None = None
    entry: Entry | None = None


def judge(draft: Draft, history: Sequence[Entry]) -> Verdict:
    """What becomes of a draft, given all entries of its window in order of id."""
    counting = [e for e in history if e.state is not EntryState.WITHDRAWN]
    for entry in counting:
        if _said(entry) == _said(draft):
            return Verdict(Outcome.DUPLICATE, f"handed in before as {entry.name} ({entry.state})", None, entry)
    waiting = next((e for e in counting if e.state is EntryState.WAITING), None)
    if waiting is not None:
        return _against_waiting(draft, waiting)
    return _against_approved(draft, in_force(history))


def in_force(history: Sequence[Entry], upto: int | None = None) -> Entry | None:
    """The entry of one window that counts, None when none is approved; `upto`: as it was after that approval."""
    approved = [e for e in history if e.approval is not None and (upto is None or e.approval <= upto)]
    return max(approved, key=lambda e: e.approval or 0, default=None)


def _against_waiting(draft: Draft, waiting: Entry) -> Verdict:
    if waiting.value == draft.value:
        return Verdict(Outcome.DUPLICATE, f"the same figure waits for approval as {waiting.name}", None, waiting)
    cure = f"{waiting.name} ({waiting.value:.15g}, by {waiting.author}) waits for the same period: have it decided"
    return Verdict(Outcome.REFUSED, f"{cure}, or withdraw it, first", "period", waiting)


def _against_approved(draft: Draft, approved: Entry | None) -> Verdict:
    if approved is None:
        return Verdict(Outcome.NEW)
    if approved.value == draft.value:
        return Verdict(Outcome.DUPLICATE, f"equals the approved figure ({approved.name})", None, approved)
    if draft.reason is None:
        differs = f"{draft.value:.15g} differs from the approved {approved.value:.15g} ({approved.name})"
        return Verdict(Outcome.REFUSED, f"{differs}: a correction needs its reason", "reason", approved)
    return Verdict(Outcome.NEW, f"corrects {approved.value:.15g} ({approved.name})", None, approved)


def _said(draft: Draft) -> tuple[object, ...]:
    return draft.value, draft.source, draft.reason, draft.note


def decided(entry: Entry, state: EntryState, by: str, at: int, reason: str | None, approval: int | None) -> Entry:
    """The entry after a decision; Invalid when it may not be made, or not by this person."""
    check_decision(entry, state, by, reason)
    return replace(entry, state=state, decided_by=by, decided_at=at, decision_reason=reason, approval=approval)


def check_decision(entry: Entry, state: EntryState, by: str, reason: str | None) -> None:
    """Raise Invalid unless `by` may take the entry to `state`."""
    if entry.state is not EntryState.WAITING:
        raise Invalid(f"entry {entry.id} is {entry.state} already, by {entry.decided_by}: enter a new figure", "id")
    own = same_person(entry.author, by)
    if own and state is not EntryState.WITHDRAWN:
        raise Invalid(f"entry {entry.id} is {entry.author}'s own: a second person decides about it", "by")
    if not own and state is EntryState.WITHDRAWN:
        raise Invalid(f"entry {entry.id} is {entry.author}'s: reject it instead of withdrawing it", "by")
    if reason is None and state is not EntryState.APPROVED:
        raise Invalid("say why: the author has to know", "reason")


def same_person(one: str, other: str) -> bool:
    """Whether two names are the same but for case and blanks."""
    return _folded(one) == _folded(other)


def _folded(name: str) -> str:
    return " ".join(unicodedata.normalize("NFKC", name).casefold().split())


def required_text(text: str, field: str) -> str:
    """The text in one line without superfluous blanks; Invalid when there is none, or it cannot be shown."""
    found = optional_text(text, field)
    if found is None:
        raise Invalid("must not be empty", field)
    return found


def optional_text(text: str | None, field: str) -> str | None:
    """The text in one line, None when it is blank; Invalid when it is too long or has control characters."""
    found = " ".join((text or "").split())
    if len(found) > LONGEST:
        raise Invalid(f"has {len(found)} characters; {LONGEST} at most", field)
    if not found.isprintable():
        raise Invalid("has characters that cannot be shown: take them out", field)
    return found or None
