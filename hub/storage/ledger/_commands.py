# SPDX-License-Identifier: EUPL-1.2
"""Orders that one process leaves for another. They stay after they are done, with what came of them.

An order is done at least once: a process that dies between acting and `done` finds it pending again, so orders must be
harmless when repeated (redriving a message twice gives duplicates, which are counted and not stored).
"""

from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

from sqlalchemy import Connection, insert, select, update

from hub.core.errors import Invalid, NotFound
from hub.core.ports import Command, CommandQueue
from hub.storage.ledger import _tables as t
from hub.storage.ledger._database import Database
from hub.storage.ledger._json import dump, load

_C = t.command.c


class CommandState(NamedTuple):
    """An order and what came of it; `result` is None until it is done, `progress` how far it is then (done, total)."""

    command: Command
    result: Mapping[str, object] | None
    progress: tuple[int, int] | None = None


def leave(connection: Connection, at: int, kind: str, arguments: Mapping[str, object]) -> int:
    """Add an order to the writer's transaction; returns its id."""
    row = {"kind": kind, "arguments": dump(dict(arguments)), "submitted_at": at}
    return int(connection.execute(insert(t.command).values(**row).returning(_C.id)).scalar_one())


def leave_for_each(
    connection: Connection, at: int, kind: str, arguments: Mapping[str, object], shards: int
) -> Sequence[int]:
    """Add one order for each ingest worker, which takes only those that name its `shard`; returns their ids."""
    if shards == 1:
        return [leave(connection, at, kind, arguments)]
    return [leave(connection, at, kind, {**arguments, "shard": shard}) for shard in range(shards)]


class Commands(CommandQueue):
    """`CommandQueue` on the ledger's database."""

    def __init__(self, database: Database, clock: Callable[[], int]) -> None:
        self._database = database
        self._clock = clock

    def pending(self) -> Sequence[Command]:
        """Orders not done yet, oldest first."""
        statement = select(_C.id, _C.kind, _C.arguments).where(_C.done_at.is_(None)).order_by(_C.id)
        with self._database.read() as connection:
            return [Command(i, kind, load(text)) for i, kind, text in connection.execute(statement)]

    def done(self, command: int, result: Mapping[str, object]) -> None:
        """Mark as done; a repeated call keeps the first result. Raise NotFound."""
        finished = {"done_at": self._clock(), "result": dump(dict(result))}
        with self._database.write() as connection:
            one = update(t.command).where(_C.id == command, _C.done_at.is_(None)).values(**finished)
            if not connection.execute(one).rowcount and not _exists(connection, command):
                raise NotFound(f"no order {command}", "command")

    def progress(self, command: int, done: int, total: int) -> None:
        """Say how far an order is that is worked on; nothing for one that is done."""
        with self._database.write() as connection:
            one = update(t.command).where(_C.id == command, _C.done_at.is_(None))
            connection.execute(one.values(result=dump({"done": done, "total": total})))

    def submit(self, kind: str, arguments: Mapping[str, object]) -> int:
        """Leave an order; returns its id."""
        if not kind:
            raise Invalid("must not be empty", "kind")
        with self._database.write() as connection:
            return leave(connection, self._clock(), kind, arguments)

    def state(self, command: int) -> CommandState:
        """One order and its result; raise NotFound."""
        statement = select(_C.id, _C.kind, _C.arguments, _C.result, _C.done_at).where(_C.id == command)
        with self._database.read() as connection:
            row = connection.execute(statement).first()
        if row is None:
            raise NotFound(f"no order {command}", "command")
        order, found = Command(row.id, row.kind, load(row.arguments)), load(row.result) if row.result else None
        if row.done_at is not None or found is None:
            return CommandState(order, found)
        return CommandState(order, None, (int(found["done"]), int(found["total"])))


def _exists(connection: Connection, command: int) -> bool:
    return connection.execute(select(_C.id).where(_C.id == command)).first() is not None
