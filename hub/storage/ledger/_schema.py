# SPDX-License-Identifier: EUPL-1.2
"""Version of the ledger's tables.

Migrations are numbered scripts in `migrations/versions`, run by Alembic from here alone. All steps of one upgrade are
one transaction under the writer's lock: either the newest schema stands afterwards or the old one, untouched; and two
processes that upgrade at the same time do it once. The version stands in the table `ledger_schema`, under a name of its
own because a PostgreSQL database may have other tenants that use Alembic too.

Alembic itself is loaded for an upgrade only: processes that look up the version stay small. A version that is not among
the scripts was written by a newer release: it is refused, never guessed at.
"""

from pathlib import Path

from sqlalchemy import Connection, column, inspect, select, table

from hub.core.errors import SchemaTooNew, Stop
from hub.storage.ledger._database import Database
from hub.storage.ledger._errors import wrapped
from hub.storage.ledger._tables import metadata

MIGRATIONS = Path(__file__).parent / "migrations"
VERSION_TABLE = "ledger_schema"


class Schema:
    """Finds out and raises the version of one database's tables; `migrations` is a folder for Alembic."""

    def __init__(self, database: Database, migrations: Path = MIGRATIONS) -> None:
        self._database = database
        self._migrations = migrations
        self._known = sorted(path.name.split("_")[0] for path in (migrations / "versions").glob("[0-9]*_*.py"))

    @property
    def newest(self) -> str:
        """Version that this release works with."""
        return self._known[-1]

    def current(self) -> str | None:
        """Version that the database has, None when it is empty."""
        file = self._database.file
        if file is not None and not file.exists():
            return None
        with self._database.read() as connection:
            return self._current(connection)

    def check(self) -> None:
        """Return when the database has the newest version; raise SchemaTooNew, or Stop that says what to do."""
        found = self.current()
        if found != self.newest:
            self._refuse_unknown(found)
            state = f"has schema {found}, older than {self.newest}" if found else "does not exist yet"
            raise Stop(f"ledger {self._database.where} {state}: run `cityhub init`")

    def upgrade(self, to: str = "head") -> tuple[str | None, str]:
        """Bring the database to the newest version (or one before it); returns the version before and after."""
        from alembic.command import upgrade as run_upgrade
        from alembic.config import Config

        config = Config()
        config.set_main_option("script_location", str(self._migrations).replace("%", "%%"))
        config.set_main_option("path_separator", "os")
        with self._database.write() as connection:
            before = self._current(connection)
            self._refuse_unknown(before)
            if before is None:
                self._refuse_foreign(connection)
            config.attributes["connection"] = connection
            with wrapped(self._database.where):
                run_upgrade(config, to)
            return before, self._current(connection) or ""

    def _current(self, connection: Connection) -> str | None:
        if not inspect(connection).has_table(VERSION_TABLE):
            return None
        found: str | None = connection.scalar(select(column("version_num")).select_from(table(VERSION_TABLE)))
        return found

    def _refuse_unknown(self, found: str | None) -> None:
        if found is not None and found not in self._known:
            raise SchemaTooNew(
                f"ledger {self._database.where} has schema {found}; this release knows up to {self.newest}: "
                "install the newer release again, or restore the backup made before the upgrade"
            )

    def _refuse_foreign(self, connection: Connection) -> None:
        clash = sorted(set(inspect(connection).get_table_names()) & set(metadata.tables))
        if clash:
            raise Stop(
                f"ledger {self._database.where} has a table {clash[0]!r} that the hub did not make: "
                "give the ledger a database of its own"
            )
