# SPDX-License-Identifier: EUPL-1.2
"""Upgrades: all or nothing, never backwards, and the models are what the migrations make."""

import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import create_engine, inspect, text

from hub.core.errors import SchemaTooNew, Stop
from hub.core.ports import ValueQuery
from hub.storage.ledger import Ledger, sqlite_url
from hub.storage.ledger._database import Database, parse_url
from hub.storage.ledger._schema import MIGRATIONS, VERSION_TABLE, Schema
from hub.storage.ledger._tables import metadata
from tests.storage.ledger.releases import expected_contents, load_release, release_files, write_contents

NEWEST = max(path.name[:4] for path in (MIGRATIONS / "versions").glob("*.py"))
NEXT = '''
"""What a later release might add."""
import sqlalchemy as sa
from alembic import op

revision = "9999"
down_revision = "{newest}"

def upgrade():
    op.create_table("later", sa.Column("id", sa.Integer, primary_key=True))
    op.execute("UPDATE counter SET value = value + 1000")
    {end}
'''


def later_release(folder: Path, end: str = "") -> Path:
    """Migrations of a release after this one."""
    copied = folder / "migrations"
    shutil.copytree(MIGRATIONS, copied)
    (copied / "versions" / "9999_later.py").write_text(NEXT.format(end=end, newest=NEWEST))
    return copied


def test_an_upgrade_makes_all_tables_and_a_second_one_nothing(empty_url: str) -> None:
    database = Database(empty_url)
    schema = Schema(database)
    assert schema.current() is None
    assert schema.upgrade() == (None, schema.newest)
    assert schema.upgrade() == (schema.newest, schema.newest)
    with database.read() as connection:
        assert set(inspect(connection).get_table_names()) - {"sqlite_sequence"} == {*metadata.tables, VERSION_TABLE}
    database.close()


def test_models_and_migrations_agree(url: str) -> None:
    engine = create_engine(parse_url(url))
    with engine.connect() as connection:
        options = {"version_table": VERSION_TABLE, "compare_type": True, "compare_server_default": True}
        context = MigrationContext.configure(connection, opts=options)
        assert compare_metadata(context, metadata) == []
    engine.dispose()


def test_opening_what_is_not_there_says_what_to_do_and_makes_no_file(tmp_path: Path) -> None:
    file = tmp_path / "typo.db"
    with (
        Ledger(sqlite_url(file)) as ledger,
        pytest.raises(Stop, match=r"typo\.db does not exist yet: run `cityhub init"),
    ):
        ledger.open()
    assert not file.exists()


def test_opening_an_empty_database_says_what_to_do(empty_url: str) -> None:
    with Ledger(empty_url) as ledger, pytest.raises(Stop, match="does not exist yet: run `cityhub init`"):
        ledger.open()


def test_a_newer_schema_is_refused_by_opening_and_by_upgrading(own_url: str, tmp_path: Path) -> None:
    database = Database(own_url)
    Schema(database, later_release(tmp_path)).upgrade()
    this_release = Schema(database)
    for act in (this_release.check, this_release.upgrade):
        with pytest.raises(
            SchemaTooNew, match=f"has schema 9999; this release knows up to {NEWEST}: install the newer"
        ):
            act()
    database.close()


def test_an_older_schema_is_named_with_what_to_do(own_url: str, tmp_path: Path) -> None:
    database = Database(own_url)
    newer = Schema(database, later_release(tmp_path))
    with pytest.raises(Stop, match=f"has schema {NEWEST}, older than 9999: run `cityhub init`"):
        newer.check()
    newer.upgrade()
    newer.check()
    database.close()


def test_a_migration_that_fails_leaves_the_ledger_as_it_was(own_url: str, tmp_path: Path) -> None:
    database = Database(own_url)
    failing = Schema(database, later_release(tmp_path, "op.execute('SELECT no_such_function()')"))
    with pytest.raises(Stop, match="no_such_function"):
        failing.upgrade()
    with database.read() as connection:
        assert "later" not in inspect(connection).get_table_names()
        assert set(connection.execute(text("SELECT value FROM counter")).scalars()) == {0}
    Schema(database).check()
    database.close()


def test_tables_of_somebody_else_are_not_taken_over(empty_url: str) -> None:
    engine = create_engine(parse_url(empty_url))
    with engine.begin() as connection:
        connection.execute(text("CREATE TABLE device (id INTEGER)"))
    engine.dispose()
    with Ledger(empty_url) as ledger, pytest.raises(Stop, match="'device' that the hub did not make"):
        ledger.upgrade()


def test_a_file_that_is_no_database_is_left_alone(tmp_path: Path) -> None:
    file = tmp_path / "notes.txt"
    file.write_text("shopping list " * 100)
    with Ledger(sqlite_url(file)) as ledger, pytest.raises(Stop, match=r"notes\.txt: is no SQLite file"):
        ledger.upgrade()
    assert file.read_text() == "shopping list " * 100


def test_a_ledger_without_a_folder_names_the_folder(tmp_path: Path) -> None:
    url = sqlite_url(tmp_path / "missing" / "ledger.db")
    with Ledger(url) as ledger, pytest.raises(Stop, match="cannot be opened: check that its folder exists"):
        ledger.upgrade()


@pytest.mark.parametrize("dump", release_files(), ids=lambda path: path.stem)
def test_a_ledger_written_by_an_earlier_release_opens_with_everything_in_it(dump: Path, tmp_path: Path) -> None:
    file = tmp_path / "ledger.db"
    load_release(dump, file)
    with Ledger(sqlite_url(file)) as ledger:
        ledger.upgrade().open()
        assert expected_contents(ledger) == expected_contents_of_sample(tmp_path)
        newest = max(v.seq for v in ledger.values.values(ValueQuery()))
        write_contents(ledger, place="havirov/podlesi", device="after-upgrade")
        assert min(v.seq for v in ledger.values.values(ValueQuery(place="havirov/podlesi"))) > newest


def expected_contents_of_sample(folder: Path) -> object:
    """The same contents written by this release."""
    with Ledger(sqlite_url(folder / "fresh.db")) as fresh:
        write_contents(fresh.upgrade())
        return expected_contents(fresh)


def test_a_dump_is_a_whole_ledger(tmp_path: Path) -> None:
    """What `releases.py` writes is what it reads: version table and counters included."""
    with Ledger(sqlite_url(tmp_path / "a.db")) as ledger:
        write_contents(ledger.upgrade())
    with closing(sqlite3.connect(tmp_path / "a.db")) as connection:
        (tmp_path / "a.sql").write_text("\n".join(connection.iterdump()))
    load_release(tmp_path / "a.sql", tmp_path / "b.db")
    with Ledger(sqlite_url(tmp_path / "b.db")) as copy:
        assert expected_contents(copy.open()) == expected_contents_of_sample(tmp_path)
