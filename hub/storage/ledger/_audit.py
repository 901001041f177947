# SPDX-License-Identifier: EUPL-1.2
"""Who changed what, written in the same transaction as the change itself; rows are never changed or deleted."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from sqlalchemy import Connection, insert, select

from hub.storage.ledger import _tables as t
from hub.storage.ledger._database import Database
from hub.storage.ledger._json import dump, load


class AuditEntry(NamedTuple):
    """`actor` did `action` (such as device.add) to `subject` at `at` (ns); `detail` is what it was about."""

    id: int
    at: int
    actor: str
    action: str
    subject: str
    detail: Mapping[str, object]


def record(connection: Connection, at: int, actor: str, action: str, subject: str, detail: object) -> None:
    """Add an entry to the writer's transaction; `detail` must hold no secret."""
    row = {"at": at, "actor": actor, "action": action, "subject": subject, "detail": dump(detail)}
    connection.execute(insert(t.audit), row)


class Audit:
    """The record of changes."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def note(self, at: int, actor: str, action: str, subject: str, detail: Mapping[str, object]) -> None:
        """Add an entry about a change that is made outside of the ledger; no secrets."""
        with self._database.write() as connection:
            record(connection, at, actor, action, subject, detail)

    def entries(self, subject: str | None = None, limit: int = 100) -> Sequence[AuditEntry]:
        """Newest first."""
        statement = select(t.audit).order_by(t.audit.c.id.desc()).limit(limit)
        if subject is not None:
            statement = statement.where(t.audit.c.subject == subject)
        with self._database.read() as connection:
            rows = connection.execute(statement).all()
        return [AuditEntry(r.id, r.at, r.actor, r.action, r.subject, load(r.detail)) for r in rows]
