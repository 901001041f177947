# SPDX-License-Identifier: EUPL-1.2
"""Holds and leases: claims by name that end by themselves, so that a process that died blocks nobody for long.

A hold says "an import is running: do not close windows yet". A lease says "I am the one engine". Both are renewed by
their owner before they expire; times are given by the caller (ns since 1970), so that tests need no clock.
"""

from collections.abc import Sequence

from sqlalchemy import delete, select, update

from hub.core.errors import Exists, Invalid, NotFound
from hub.storage.ledger import _tables as t
from hub.storage.ledger._database import Database
from hub.storage.ledger._statements import upsert

_H, _L = t.hold.c, t.lease.c


class Holds:
    """Names of running imports."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def add(self, name: str, now: int, expires: int) -> None:
        """Begin to hold; raise Exists while another import of this name runs."""
        _check(name, now, expires)
        with self._database.write() as connection:
            taken = connection.execute(select(_H.expires).where(_H.name == name)).scalar()
            if taken is not None and taken > now:
                raise Exists(f"an import named {name!r} is running: wait for it, or choose another name", "name")
            row = {"name": name, "started": int(now), "expires": int(expires)}
            connection.execute(upsert(self._database.dialect, t.hold), row)

    def renew(self, name: str, now: int, expires: int) -> None:
        """Hold on; raise NotFound when the hold was released or had expired (windows may have been closed since)."""
        _check(name, now, expires)
        with self._database.write() as connection:
            mine = update(t.hold).where(_H.name == name, _H.expires > now).values(expires=int(expires))
            if not connection.execute(mine).rowcount:
                raise NotFound(f"the hold {name!r} has expired or was released", "name")

    def release(self, name: str) -> None:
        """End the hold; nothing happens when it is not there."""
        with self._database.write() as connection:
            connection.execute(delete(t.hold).where(_H.name == name))

    def running(self, now: int) -> Sequence[str]:
        """Names that have not expired, in order."""
        with self._database.read() as connection:
            return list(connection.execute(select(_H.name).where(_H.expires > now).order_by(_H.name)).scalars())


class Leases:
    """One owner at a time for each name."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def take(self, name: str, owner: str, now: int, expires: int) -> bool:
        """Take or renew; False while somebody else has it."""
        _check(name, now, expires)
        with self._database.write() as connection:
            holder = connection.execute(select(_L.owner, _L.expires).where(_L.name == name)).first()
            if holder is not None and holder.owner != owner and holder.expires > now:
                return False
            row = {"name": name, "owner": owner, "expires": int(expires)}
            connection.execute(upsert(self._database.dialect, t.lease), row)
            return True

    def release(self, name: str, owner: str) -> None:
        """Give it back; nothing happens when somebody else has it."""
        with self._database.write() as connection:
            connection.execute(delete(t.lease).where(_L.name == name, _L.owner == owner))

    def owner(self, name: str, now: int) -> str | None:
        """Who has it now."""
        with self._database.read() as connection:
            return connection.execute(select(_L.owner).where(_L.name == name, _L.expires > now)).scalar()


def _check(name: str, now: int, expires: int) -> None:
    if not name:
        raise Invalid("must not be empty", "name")
    if expires <= now:
        raise Invalid("must lie in the future", "expires")
