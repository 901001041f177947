# SPDX-License-Identifier: EUPL-1.2
"""Strategy documents with all their revisions, whole as JSON; rows are added, never changed or deleted."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import msgspec
from sqlalchemy import Connection, Row, Select, func, insert, select

from hub.core.errors import Exists, Invalid, NotFound
from hub.core.ports import StrategyBook
from hub.core.strategies import Strategy, StrategyRevision
from hub.storage.ledger import _tables as t
from hub.storage.ledger._audit import record
from hub.storage.ledger._database import Database
from hub.storage.ledger._json import dump

_S = t.strategy.c
_DOCUMENT = msgspec.json.Decoder(Strategy)


class Strategies(StrategyBook):
    """`StrategyBook` on the ledger's database."""

    def __init__(self, database: Database, clock: Callable[[], int]) -> None:
        self._database = database
        self._clock = clock

    def put(
        self, documents: Sequence[Strategy], *, by: str, reason: str, expected: Mapping[str, int] | None = None
    ) -> Sequence[StrategyRevision]:
        """Store what differs from the newest revision, all or none. Raise Exists when `expected` is not the newest."""
        for name, text in (("by", by), ("reason", reason)):
            if not text.strip():
                raise Invalid("must not be empty: a change says who made it and why", name)
        with self._database.write() as connection:
            newest = {r.document.id: r for r in _revisions(connection.execute(_newest()).all())}
            return [self._put(connection, d, newest.get(d.id), by, reason, expected or {}) for d in documents]

    def _put(
        self,
        connection: Connection,
        document: Strategy,
        before: StrategyRevision | None,
        by: str,
        reason: str,
        expected: Mapping[str, int],
    ) -> StrategyRevision:
        number = before.revision if before else 0
        if expected.get(document.id, number) != number:
            raise Exists(f"revision {number} of {document.id} came in between: look at it and change that", "revision")
        if before is not None and dump(before.document) == dump(document):
            return before
        made = StrategyRevision(revision=number + 1, document=document, by=by, reason=reason, at=self._clock())
        row = {"id": document.id, "revision": made.revision, "document": dump(document)}
        connection.execute(insert(t.strategy), {**row, "made_by": by, "reason": reason, "made_at": made.at})
        detail = {"revision": made.revision, "reason": reason}
        record(connection, made.at, by, "strategy.put", document.id, detail)
        return made

    def get(self, strategy: str, as_of: int | None = None) -> StrategyRevision:
        """The revision in force at `as_of`, the newest without it. Raise NotFound."""
        return _in_force(self.history(strategy), as_of)

    def all(self, as_of: int | None = None) -> Sequence[StrategyRevision]:
        """The revision of every document in force at `as_of`, in order of id."""
        with self._database.read() as connection:
            if as_of is None:
                return _revisions(connection.execute(_newest()).all())
            rows = _revisions(connection.execute(select(t.strategy).order_by(_S.id, _S.revision)).all())
        by_id: dict[str, list[StrategyRevision]] = {}
        for row in rows:
            by_id.setdefault(row.document.id, []).append(row)
        return [_in_force(history, as_of) for history in by_id.values()]

    def history(self, strategy: str) -> Sequence[StrategyRevision]:
        """All revisions, oldest first. Raise NotFound."""
        statement = select(t.strategy).where(_S.id == strategy).order_by(_S.revision)
        with self._database.read() as connection:
            found = _revisions(connection.execute(statement).all())
        if not found:
            raise NotFound(f"no strategy {strategy!r}; GET /api/v1/strategies or `cityhub strategies list` names all")
        return found


def _newest() -> Select[Any]:
    last = select(_S.id, func.max(_S.revision).label("last")).group_by(_S.id).subquery()
    both = (_S.id == last.c.id) & (_S.revision == last.c.last)
    return select(t.strategy).join(last, both).order_by(_S.id)


def _in_force(history: Sequence[StrategyRevision], as_of: int | None) -> StrategyRevision:
    """The newest one by then; the first where none was stored by then."""
    known = history if as_of is None else [r for r in history if r.at <= as_of]
    return known[-1] if known else history[0]


def _revisions(rows: Sequence[Row[Any]]) -> list[StrategyRevision]:
    return [
        StrategyRevision(
            revision=r.revision, document=_DOCUMENT.decode(r.document), by=r.made_by, reason=r.reason, at=r.made_at
        )
        for r in rows
    ]
