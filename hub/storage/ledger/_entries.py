# SPDX-License-Identifier: EUPL-1.2
"""Figures that people enter. Rows are never deleted, and of an entry only its decision is written, once.

Everything is judged inside the transaction of the only writer, so two people cannot hand in, or decide about, the same
window past each other. `approval` is one more than the highest so far, read in that same transaction: approvals are
numbered without a gap in the order in which they commit, so the engine can follow them with a cursor.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import count, groupby
from typing import Any

from msgspec.structs import asdict
from sqlalchemy import BigInteger, Connection, Select, String, and_, func, insert, or_, select, update

from hub.core.entries import (
    Draft,
    Entry,
    EntryFilter,
    EntryState,
    Outcome,
    Verdict,
    decided,
    in_force,
    judge,
    required_text,
)
from hub.core.errors import NotFound
from hub.core.ports import EntryBook
from hub.storage.ledger import _tables as t
from hub.storage.ledger._audit import record
from hub.storage.ledger._database import Database
from hub.storage.ledger._json import dump, rows_of
from hub.storage.ledger._rows import Row

_E = t.entered_value.c
_WINDOW = (("indicator", String()), ("place", String()), ("window_start", BigInteger()))
_VERBS = {
    EntryState.APPROVED: "entry.approve",
    EntryState.REJECTED: "entry.reject",
    EntryState.WITHDRAWN: "entry.withdraw",
}

Window = tuple[str, str, int]


class Entries(EntryBook):
    """`EntryBook` on the ledger's database."""

    def __init__(self, database: Database, clock: Callable[[], int]) -> None:
        self._database = database
        self._clock = clock

    def judge(self, drafts: Sequence[Draft]) -> Sequence[Verdict]:
        """What would become of each draft, in order."""
        with self._database.read() as connection:
            history = self._histories(connection, drafts)
        return _judged(drafts, history, "", self._clock())

    def add(self, drafts: Sequence[Draft], *, by: str, partial: bool = False) -> Sequence[Verdict]:
        """Hand drafts in; see EntryBook. The entries of new ones come back with their ids."""
        author = required_text(by, "by")
        with self._database.write() as connection:
            now = self._clock()
            verdicts = _judged(drafts, self._histories(connection, drafts), author, now)
            if not partial and any(verdict.outcome is Outcome.REFUSED for verdict in verdicts):
                return verdicts
            return [
                _kept(connection, draft, verdict, author, now) if verdict.outcome is Outcome.NEW else verdict
                for draft, verdict in zip(drafts, verdicts, strict=True)
            ]

    def decide(self, ids: Sequence[int], state: EntryState, *, by: str, reason: str | None = None) -> Sequence[Entry]:
        """Approve, reject or withdraw entries, all or none, in the order given."""
        person = required_text(by, "by")
        why = None if reason is None else required_text(reason, "reason")
        with self._database.write() as connection:
            now, numbers = self._clock(), _approvals(connection)
            return [_decide(connection, number, state, person, now, why, numbers) for number in dict.fromkeys(ids)]

    def entries(self, where: EntryFilter, before: int | None = None, limit: int = 100) -> Sequence[Entry]:
        """Newest first, those with an id below `before`."""
        statement = select(t.entered_value).where(*_conditions(where)).order_by(_E.id.desc()).limit(limit)
        return self._fetch(statement if before is None else statement.where(_E.id < before))

    def history(self, indicator: str, place: str, start: int) -> Sequence[Entry]:
        """All entries of one window, oldest first."""
        one = and_(_E.indicator == indicator, _E.place == place, _E.window_start == start)
        return self._fetch(select(t.entered_value).where(one).order_by(_E.id))

    def counting(self, figures: Sequence[Draft]) -> Mapping[Window, Entry]:
        """The entry that counts now, by window, for the windows of these figures that have one."""
        with self._database.read() as connection:
            histories = self._histories(connection, figures)
        found = {window: in_force(history) for window, history in histories.items()}
        return {window: entry for window, entry in found.items() if entry is not None}

    def approved(self, after: int, limit: int) -> Sequence[Entry]:
        """Entries whose approval is greater than `after`, in order of approval."""
        return self._fetch(select(t.entered_value).where(_E.approval > after).order_by(_E.approval).limit(limit))

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
        """The entry that counts of each window; see EntryBook."""
        statement = select(t.entered_value).where(_E.indicator == indicator, _E.approval.is_not(None))
        if place is not None:
            inside = and_(_E.place > f"{place}/", _E.place < f"{place}0")  # "0" follows "/" in ASCII
            statement = statement.where(or_(_E.place == place, inside) if below else _E.place == place)
        if start is not None:
            statement = statement.where(_E.window_start >= start)
        if end is not None:
            statement = statement.where(_E.window_start < end)
        found = self._fetch(statement.order_by(_E.place, _E.window_start, _E.approval))
        newest = (in_force(list(group), upto) for _, group in groupby(found, key=lambda e: e.window))
        return [entry for entry in newest if entry is not None]

    def _fetch(self, statement: Select[Any]) -> Sequence[Entry]:
        with self._database.read() as connection:
            return [_entry(row) for row in connection.execute(statement).mappings()]

    def _histories(self, connection: Connection, drafts: Iterable[Draft]) -> dict[Window, list[Entry]]:
        """All entries of the windows of some drafts, oldest first."""
        given = rows_of(self._database.dialect, "windows", _WINDOW)
        same = and_(*(_E[name] == given.c[name] for name, _ in _WINDOW))
        wanted = {"windows": dump(sorted({draft.window for draft in drafts}))}
        found: dict[Window, list[Entry]] = {}
        for row in connection.execute(select(t.entered_value).join(given, same).order_by(_E.id), wanted).mappings():
            entry = _entry(row)
            found.setdefault(entry.window, []).append(entry)
        return found


def _approvals(connection: Connection) -> Iterator[int]:
    """Numbers for approvals in the writer's transaction."""
    return count(int(connection.execute(select(func.coalesce(func.max(_E.approval), 0))).scalar_one()) + 1)


def _decide(
    connection: Connection,
    number: int,
    state: EntryState,
    by: str,
    now: int,
    reason: str | None,
    numbers: Iterator[int],
) -> Entry:
    row = connection.execute(select(t.entered_value).where(_E.id == number)).mappings().first()
    if row is None:
        raise NotFound(f"no entry {number}: list the entries", "id")
    approval = next(numbers) if state is EntryState.APPROVED else None
    entry = decided(_entry(row), state, by, now, reason, approval)
    decision = {
        "decision": state.value,
        "decided_by": by,
        "decided_at": now,
        "decision_reason": reason,
        "approval": approval,
    }
    connection.execute(update(t.entered_value).where(_E.id == number).values(**decision))
    record(connection, now, by, _VERBS[state], f"entry {number}", {"value": entry.value, "reason": reason})
    return entry


def _judged(drafts: Sequence[Draft], history: dict[Window, list[Entry]], author: str, now: int) -> list[Verdict]:
    """A verdict for each; a new one stands in the history of those that follow it."""
    found = []
    for draft in drafts:
        known = history.setdefault(draft.window, [])
        verdict = judge(draft, known)
        if verdict.outcome is Outcome.NEW:
            known.append(Entry(**asdict(draft), id=0, author=author, made_at=now))
        found.append(verdict)
    return found


def _kept(connection: Connection, draft: Draft, verdict: Verdict, author: str, now: int) -> Verdict:
    row = {
        "indicator": draft.indicator,
        "place": draft.place,
        "window_start": int(draft.start),
        "window_end": int(draft.end),
        "value": float(draft.value),
        "source": draft.source,
        "reason": draft.reason,
        "note": draft.note,
        "author": author,
        "made_at": now,
    }
    number = int(connection.execute(insert(t.entered_value).values(**row).returning(_E.id)).scalar_one())
    record(connection, now, author, "entry.add", f"entry {number}", row)
    entry = Entry(**asdict(draft), id=number, author=author, made_at=now)
    return Verdict(Outcome.NEW, verdict.detail, None, entry)


def _conditions(where: EntryFilter) -> list[Any]:
    found: list[Any] = []
    if where.state is EntryState.WAITING:
        found.append(_E.decision.is_(None))
    elif where.state is not None:
        found.append(_E.decision == where.state.value)
    for column, wanted in ((_E.indicator, where.indicator), (_E.place, where.place)):
        if wanted is not None:
            found.append(column == wanted)
    if where.ids is not None:
        found.append(_E.id.in_(list(where.ids)))
    return found


def _entry(row: Row) -> Entry:
    return Entry(
        id=row["id"],
        indicator=row["indicator"],
        place=row["place"],
        start=row["window_start"],
        end=row["window_end"],
        value=row["value"],
        source=row["source"],
        reason=row["reason"],
        note=row["note"],
        author=row["author"],
        made_at=row["made_at"],
        state=EntryState(row["decision"] or EntryState.WAITING),
        decided_by=row["decided_by"],
        decided_at=row["decided_at"],
        decision_reason=row["decision_reason"],
        approval=row["approval"],
    )
