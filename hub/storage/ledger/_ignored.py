# SPDX-License-Identifier: EUPL-1.2
"""Foreign devices that are ignored on purpose: what they send is counted and dropped, not kept.

A name (connector, external id) is either registered or ignored, never both: ignoring a registered device is refused,
registering an ignored one ends that. Ignoring leaves the order to redrive what waits of the device, in the same
transaction, which is how those messages come to be counted as ignored; also those that wait for another reason.
"""

from collections.abc import Callable, Sequence
from typing import NamedTuple

from sqlalchemy import Connection, delete, select

from hub.core.errors import Exists, Invalid, NotFound
from hub.storage.ledger import _tables as t
from hub.storage.ledger._audit import record
from hub.storage.ledger._commands import leave_for_each
from hub.storage.ledger._database import Database
from hub.storage.ledger._statements import advance, upsert

_I, _D = t.ignored.c, t.device.c


class IgnoredDevice(NamedTuple):
    """A foreign device, why and by whom it is ignored, and since when (ns)."""

    connector: str
    external_id: str
    why: str
    by: str
    at: int


class Ignored:
    """The list of ignored devices on the ledger's database."""

    def __init__(self, database: Database, clock: Callable[[], int], shards: int = 1) -> None:
        self._database = database
        self._clock = clock
        self._shards = shards

    def all(self) -> Sequence[IgnoredDevice]:
        """Every ignored device, by connector and external id."""
        statement = select(_I.connector, _I.external_id, _I.why, _I.made_by, _I.made_at)
        with self._database.read() as connection:
            rows = connection.execute(statement.order_by(_I.connector, _I.external_id)).all()
        return [IgnoredDevice(*row) for row in rows]

    def add(self, connector: str, external_id: str, *, why: str, by: str = "") -> Sequence[int]:
        """Ignore a device from now on; repeating changes the words. Raise Invalid, Exists.

        Returns the orders to take what waits of it through again, one for each ingest worker, in their order.
        """
        for name, text in (("connector", connector), ("external_id", external_id), ("why", why)):
            if not text.strip():
                raise Invalid("must not be empty", name)
        with self._database.write() as connection:
            _refuse_registered(connection, connector, external_id)
            now = self._clock()
            row = {"connector": connector, "external_id": external_id, "why": why, "made_by": by, "made_at": now}
            connection.execute(upsert(self._database.dialect, t.ignored), row)
            record(connection, now, by, "device.ignore", f"{connector}/{external_id}", {"why": why})
            advance(connection, t.REGISTRY_VERSION)
            which = {"connector": connector, "external_id": external_id}
            return leave_for_each(connection, now, "redrive", which, self._shards)

    def remove(self, connector: str, external_id: str, *, by: str = "") -> None:
        """Ignore a device no longer: what it sends from now on waits in quarantine. Raise NotFound."""
        with self._database.write() as connection:
            if not forget(connection, connector, external_id):
                raise NotFound(f"no device {external_id!r} of {connector} is ignored", "external_id")
            record(connection, self._clock(), by, "device.unignore", f"{connector}/{external_id}", {})
            advance(connection, t.REGISTRY_VERSION)


def read_ignored(connection: Connection) -> frozenset[tuple[str, str]]:
    """(connector, external id) of all ignored devices."""
    return frozenset((row.connector, row.external_id) for row in connection.execute(select(t.ignored)))


def forget(connection: Connection, connector: str, external_id: str) -> bool:
    """Take a name off the list within the writer's transaction; whether it was on it."""
    one = delete(t.ignored).where(_I.connector == connector, _I.external_id == external_id)
    return bool(connection.execute(one).rowcount)


def _refuse_registered(connection: Connection, connector: str, external_id: str) -> None:
    same = select(_D.id).where(_D.removed_at.is_(None), _D.connector == connector, _D.external_id == external_id)
    device = connection.execute(same).scalar()
    if device is not None:
        raise Exists(
            f"{external_id!r} of {connector} is registered as device {device!r}: remove that first", "external_id"
        )
