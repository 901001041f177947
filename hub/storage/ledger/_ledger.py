# SPDX-License-Identifier: EUPL-1.2
"""The ledger as a whole: one database, one schema version, and a part for each port."""

import time
from collections.abc import Callable
from types import TracebackType
from typing import Self

from sqlalchemy import text

from hub.core.errors import HubError
from hub.core.ports import PartHealth
from hub.storage.ledger._audit import Audit
from hub.storage.ledger._commands import Commands
from hub.storage.ledger._corrections import Corrections
from hub.storage.ledger._credentials import Credentials
from hub.storage.ledger._database import Database
from hub.storage.ledger._definitions import DefinitionTexts
from hub.storage.ledger._entries import Entries
from hub.storage.ledger._holds import Holds, Leases
from hub.storage.ledger._ignored import Ignored
from hub.storage.ledger._imports import Imports
from hub.storage.ledger._keys import Keys
from hub.storage.ledger._people import People
from hub.storage.ledger._records import Records
from hub.storage.ledger._registry import Devices
from hub.storage.ledger._schema import Schema
from hub.storage.ledger._strategies import Strategies
from hub.storage.ledger._values import Values


class Ledger:
    """`sqlite:///file` or `postgresql://user:password@host/database`.

    Making one touches nothing. `open` checks that the schema is this release's; `upgrade` makes or raises it.
    Use as a context manager closes it. All calls block and may come from any thread. `shards` is how many ingest
    workers there are: what all of them have to do is left as one order for each.
    """

    def __init__(
        self, url: str, *, busy_timeout: float = 10.0, clock: Callable[[], int] = time.time_ns, shards: int = 1
    ) -> None:
        self._database = Database(url, busy_timeout)
        self.schema = Schema(self._database)
        self.devices = Devices(self._database, clock, shards)
        self.ignored = Ignored(self._database, clock, shards)
        self.corrections = Corrections(self._database, clock)
        self.entries = Entries(self._database, clock)
        self.holds = Holds(self._database)
        self.leases = Leases(self._database)
        self.values = Values(self._database, self.corrections, self.holds)
        self.keys = Keys(self._database, clock)
        self.people = People(self._database, clock)
        self.credentials = Credentials(self._database, clock, shards)
        self.commands = Commands(self._database, clock)
        self.strategies = Strategies(self._database, clock)
        self.definitions = DefinitionTexts(self._database, clock)
        self.audit = Audit(self._database)
        self.records = Records(self._database, clock)
        self.imports = Imports(self._database, clock, shards)

    @property
    def name(self) -> str:
        """Where it is, without password."""
        return self._database.where

    def open(self) -> Self:
        """Return when the ledger can be used; raise SchemaTooNew, or Stop that says what to do."""
        self.schema.check()
        return self

    def upgrade(self) -> Self:
        """Make the tables, or bring them to this release's version; all or nothing."""
        self.schema.upgrade()
        return self

    def close(self) -> None:
        """Release connections; the ledger can be used again afterwards."""
        self._database.close()

    def check(self) -> PartHealth:
        """Ask the database whether it works now."""
        try:
            self.schema.check()
            version = self.devices.version()
        except HubError as error:
            return PartHealth(
                "ledger", False, str(error), "see the message; the ledger's place is the setting ledger.url"
            )
        return PartHealth("ledger", True, f"{self.name}, schema {self.schema.newest}, registry version {version}")

    def clock_ns(self) -> int | None:
        """Time on the database's own clock (ns since 1970), None where it has none of its own."""
        if self._database.dialect == "sqlite":
            return None
        with self._database.read() as connection:
            now = connection.execute(text("SELECT (extract(epoch FROM clock_timestamp()) * 1000000)::bigint"))
            return int(now.scalar_one()) * 1000

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
