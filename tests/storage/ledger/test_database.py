# SPDX-License-Identifier: EUPL-1.2
"""Transactions, and what happens when the database cannot do what is asked."""

import threading
from collections.abc import Callable
from pathlib import Path

import pytest
from sqlalchemy import text

from hub.core.errors import HubError, Invalid, Retry, SettingsError, Stop
from hub.core.ports import ValueQuery
from hub.storage.ledger import Ledger, sqlite_url
from hub.storage.ledger._database import Database, parse_url
from tests.servers import free_port
from tests.storage.ledger.postgres import PASSWORD, Postgres
from tests.storage.ledger.samples import HOUR, value

BAD_URLS = {
    "": "no database URL",
    "ledger.db": "no database URL",
    "sqlite://": "names no file",
    "sqlite:///:memory:": "names no file",
    "mysql://u:secret@h/d": "'mysql' is none of sqlite, postgresql",
    "postgresql://u:secret@h:port/d": "no database URL",
}


def write(database: Database, *statements: str) -> None:
    """One transaction."""
    with database.write() as connection:
        for statement in statements:
            connection.exec_driver_sql(statement)


@pytest.mark.parametrize(("url", "message"), BAD_URLS.items())
def test_a_url_that_makes_no_sense_names_the_setting_and_shows_no_password(url: str, message: str) -> None:
    with pytest.raises(SettingsError, match=f"ledger.url: .*{message}") as raised:
        Ledger(url)
    assert "secret" not in str(raised.value)


def test_a_path_becomes_a_url_whatever_its_letters(tmp_path: Path) -> None:
    file = tmp_path / "Havířov 100 % #1?" / "ledger.db"
    file.parent.mkdir()
    with Ledger(sqlite_url(file)) as ledger:
        ledger.upgrade()
    assert file.exists()
    assert parse_url(sqlite_url(file)).database == str(file)


def test_sqlite_runs_durably_in_wal_mode_with_foreign_keys(tmp_path: Path) -> None:
    database = Database(sqlite_url(tmp_path / "l.db"))
    with database.read() as connection:
        found = [
            connection.exec_driver_sql(f"PRAGMA {p}").scalar() for p in ("journal_mode", "synchronous", "foreign_keys")
        ]
    database.close()
    assert found == ["wal", 2, 1]


def test_a_reader_sees_one_state_while_others_write(url: str, ledger: Ledger) -> None:
    """And no writer waits for it."""
    database = Database(url)
    count = text("SELECT count(*) FROM indicator_value")
    with database.read() as connection:
        before = connection.execute(count).scalar()
        ledger.values.commit([(value(), HOUR)], {})
        assert connection.execute(count).scalar() == before == 0
    with database.read() as connection:
        assert connection.execute(count).scalar() == 1
    database.close()


def test_a_reader_does_not_wait_for_a_writer(url: str, ledger: Ledger) -> None:
    database = Database(url)
    with database.write() as connection:
        connection.execute(text("UPDATE counter SET value = 5"))
        assert ledger.devices.version() == 0
    assert ledger.devices.version() == 5
    database.close()


def test_a_writer_waits_for_another(url: str, open_ledger: Callable[..., Ledger]) -> None:
    patient = open_ledger(busy_timeout=30.0)
    other = threading.Thread(target=patient.values.commit, args=([(value(), HOUR)], {}))
    database = Database(url)
    with database.write() as connection:
        other.start()
        connection.execute(text("UPDATE counter SET value = 10"))
    other.join()
    database.close()
    assert [v.seq for v in patient.values.values(ValueQuery())] == [11]


def test_a_writer_that_waits_too_long_is_told_to_try_again(url: str, open_ledger: Callable[..., Ledger]) -> None:
    hasty = open_ledger(busy_timeout=0.05)
    database = Database(url)
    with (
        database.write(),
        pytest.raises(Retry, match=r"another process holds it for longer than the (busy|lock) timeout"),
    ):
        hasty.values.commit([(value(), HOUR)], {})
    database.close()
    assert len(hasty.values.commit([(value(), HOUR)], {})) == 1


def test_an_error_in_the_block_rolls_everything_back(url: str, ledger: Ledger) -> None:
    database = Database(url)

    def fail() -> None:
        with database.write() as connection:
            connection.execute(text("UPDATE counter SET value = 7"))
            raise KeyError("mine")

    with pytest.raises(KeyError, match="mine"):
        fail()
    database.close()
    assert ledger.devices.version() == 0


def test_what_contradicts_a_constraint_is_invalid_and_shows_no_parameters(url: str) -> None:
    database = Database(url)
    with (
        pytest.raises(Invalid, match="contradicts what is stored") as raised,
        database.write() as connection,
    ):
        connection.execute(text("INSERT INTO counter (name, value) VALUES (:n, 1)"), {"n": "value_seq"})
    database.close()
    assert "INSERT" not in str(raised.value)


def test_a_full_disk_asks_to_try_again_later(tmp_path: Path) -> None:
    database = Database(sqlite_url(tmp_path / "l.db"))
    with pytest.raises(Retry, match=r"l\.db: the disk is full: free some space") as raised:
        write(database, "PRAGMA max_page_count = 3", "CREATE TABLE big AS SELECT zeroblob(100000) AS b")
    database.close()
    assert raised.value.after == 30


def test_a_read_only_file_names_owner_and_mode(url: str, backend: str) -> None:
    """A real read-only file is none to root, so the connection is made read-only instead."""
    forbid = {"sqlite": "PRAGMA query_only = ON", "postgresql": "SET TRANSACTION READ ONLY"}
    database = Database(url)
    with pytest.raises(Stop, match="is read-only"):
        write(database, forbid[backend], "UPDATE counter SET value = 7")
    database.close()


def connect(url: str) -> HubError:
    with Ledger(url) as ledger, pytest.raises(HubError) as raised:
        ledger.open()
    assert PASSWORD not in str(raised.value)
    assert "wrong-password" not in str(raised.value)
    return raised.value


@pytest.mark.server
def test_a_server_that_refuses_the_login_stops_the_hub(postgres_server: Postgres) -> None:
    for refused in (
        postgres_server.url("postgres", password="wrong-password"),
        postgres_server.url("postgres", user="x"),
    ):
        error = connect(refused)
        assert isinstance(error, Stop)
        assert "login refused: check user and password of the setting ledger.url" in str(error)


@pytest.mark.server
def test_a_database_that_is_not_there_stops_the_hub(postgres_server: Postgres) -> None:
    error = connect(postgres_server.url("nothing"))
    assert isinstance(error, Stop)
    assert "there is no such database: create it" in str(error)


@pytest.mark.server
def test_a_server_that_is_away_is_tried_again(postgres_server: Postgres) -> None:
    away = postgres_server.url("postgres").replace(f":{postgres_server.port}/", f":{free_port()}/")
    error = connect(away)
    assert isinstance(error, Retry)
    assert "the server does not answer" in str(error)


END_MYSELF = "SELECT pg_terminate_backend(pg_backend_pid())"


@pytest.mark.server
def test_a_connection_that_the_server_ends_is_tried_again(postgres_server: Postgres) -> None:
    database = Database(postgres_server.url(postgres_server.database()))
    with pytest.raises(Retry, match="the server is stopping or starting"):
        write(database, END_MYSELF, "SELECT 1")
    write(database, "SELECT 1")
    database.close()


@pytest.mark.server
def test_a_connection_that_ended_while_idle_is_replaced_unnoticed(postgres_server: Postgres) -> None:
    name = postgres_server.database()
    database = Database(postgres_server.url(name))
    write(database, "SELECT 1")
    postgres_server.execute(f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{name}'")
    write(database, "SELECT 1")
    database.close()
