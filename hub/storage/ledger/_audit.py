# SPDX-License-Identifier: EUPL-1.2
"""Who changed what, written in the same transaction as the change itself; rows are never changed or deleted.

What something was before a change and is after it stands in the entry's JSON under `before` and `after`, beside what
else there is to say. `subject` is an id as it stands (a device, a place, a key): all that ever happened to a device is
one question. Entries of releases before there was `before` have what they were about in `detail`.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from sqlalchemy import Connection, insert, select

from hub.core.ports import AuditLog
from hub.core.registry import AuditEntry
from hub.storage.ledger import _tables as t
from hub.storage.ledger._database import Database
from hub.storage.ledger._json import dump, load
from hub.storage.ledger._rows import Row
from hub.storage.ledger._statements import execute_all

_A = t.audit.c
_SIDES = ("before", "after")


class Change(NamedTuple):
    """What `subject` was (None: it was not there) and is (None: it is gone); Structs or mappings, without secrets."""

    action: str
    subject: str
    before: object | None
    after: object | None
    detail: Mapping[str, object] = {}


def record(connection: Connection, at: int, actor: str, action: str, subject: str, detail: object) -> None:
    """Add an entry to the writer's transaction; `detail` must hold no secret."""
    connection.execute(insert(t.audit), _row(at, actor, action, subject, detail))


def record_changes(connection: Connection, at: int, actor: str, changes: Iterable[Change]) -> None:
    """Add entries with what was there before and after, in their order."""
    rows = [_row(at, actor, c.action, c.subject, {"before": c.before, "after": c.after, **c.detail}) for c in changes]
    execute_all(connection, insert(t.audit), rows)


class Audit(AuditLog):
    """The record of changes."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def note(self, at: int, actor: str, action: str, subject: str, detail: Mapping[str, object]) -> None:
        """Add an entry about a change that is made outside of the ledger; no secrets."""
        with self._database.write() as connection:
            record(connection, at, actor, action, subject, detail)

    def entries(self, subject: str | None = None, limit: int = 100) -> Sequence[AuditEntry]:
        """Newest first."""
        return self.read(subject=subject, limit=limit)

    def read(
        self,
        *,
        subject: str | None = None,
        actor: str | None = None,
        action: str | None = None,
        before: int | None = None,
        limit: int = 100,
    ) -> Sequence[AuditEntry]:
        """Newest first; `before` is the id of the last entry of the page before, `action` may end with `.*`."""
        statement = select(t.audit).order_by(_A.id.desc()).limit(limit)
        for column, text in ((_A.subject, subject), (_A.actor, actor)):
            statement = statement if text is None else statement.where(column == text)
        if action is not None and action.endswith(".*"):
            statement = statement.where(_A.action.startswith(action[:-1], autoescape=True))
        elif action is not None:
            statement = statement.where(_A.action == action)
        if before is not None:
            statement = statement.where(_A.id < before)
        with self._database.read() as connection:
            return [_entry(row) for row in connection.execute(statement).mappings()]


def _row(at: int, actor: str, action: str, subject: str, detail: object) -> Row:
    return {"at": at, "actor": actor, "action": action, "subject": subject, "detail": dump(detail)}


def _entry(row: Row) -> AuditEntry:
    found: Any = load(row["detail"])
    detail = dict(found) if isinstance(found, dict) else {"detail": found}
    before, after = (detail.pop(side, None) for side in _SIDES)
    return AuditEntry(
        id=row["id"], at=row["at"], actor=row["actor"], action=row["action"], subject=row["subject"],
        before=before, after=after, detail=detail,
    )  # fmt: skip
