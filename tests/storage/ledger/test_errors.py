# SPDX-License-Identifier: EUPL-1.2
"""Which error of the hub a driver's code becomes; real failures are provoked in test_database."""

import sqlite3

import psycopg
import pytest
from psycopg import errors as pg
from sqlalchemy.exc import InvalidRequestError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from hub.core.errors import HubError, Invalid, Retry, Stop
from hub.storage.ledger._errors import CONNECT, POSTGRESQL, SQLITE, translate, wrapped

BY_SQLSTATE = [
    (pg.AdminShutdown, Retry, "stopping or starting"),
    (pg.ConnectionFailure, Retry, "the connection was lost"),
    (pg.DiskFull, Retry, "disk is full"),
    (pg.TooManyConnections, Retry, "out of resources"),
    (pg.LockNotAvailable, Retry, "lock timeout"),
    (pg.QueryCanceled, Retry, "cancelled"),
    (pg.SerializationFailure, Retry, "in the way"),
    (pg.DeadlockDetected, Retry, "in the way"),
    (pg.InvalidPassword, Stop, "login refused"),
    (pg.InvalidCatalogName, Stop, "no such database"),
    (pg.InsufficientPrivilege, Stop, "lacks a privilege"),
    (pg.UndefinedTable, Stop, "run `cityhub init`"),
    (pg.ReadOnlySqlTransaction, Stop, "read-only"),
    (pg.NumericValueOutOfRange, Invalid, "does not fit its column"),
    (pg.SyntaxError, Stop, "unexpected error 42601"),
]


def as_sqlalchemy(driver_error: BaseException) -> OperationalError:
    return OperationalError("SELECT secret", {"hash": "secret"}, driver_error)


@pytest.mark.parametrize(("made", "kind", "words"), BY_SQLSTATE, ids=lambda x: getattr(x, "__name__", None))
def test_postgresql_is_understood_by_sqlstate(made: type[psycopg.Error], kind: type[HubError], words: str) -> None:
    error = translate(as_sqlalchemy(made("driver's words")), "here")
    assert type(error) is kind
    assert words in str(error)
    assert "here" in str(error)
    assert "driver's words" in str(error)
    assert "secret" not in str(error)


@pytest.mark.parametrize("code", SQLITE)
def test_sqlite_is_understood_by_its_code_also_by_an_extended_one(code: str) -> None:
    for name in (code, f"{code}_EXTENDED"):
        driver_error = sqlite3.OperationalError("driver's words")
        driver_error.sqlite_errorname = name
        make, words = SQLITE[code]
        error = translate(as_sqlalchemy(driver_error), "here")
        assert type(error) is type(make("x"))
        assert words in str(error)


OTHERS = {
    "no free connection": (PoolTimeout(), Retry, "all connections are in use"),
    "misuse of the library": (InvalidRequestError("closed"), Stop, "closed"),
    "unknown code of SQLite": (as_sqlalchemy(sqlite3.OperationalError("odd")), Stop, "unexpected error (odd)"),
    "no words from the server": (as_sqlalchemy(psycopg.OperationalError("")), Retry, "the server does not answer"),
    "too large a number": (OverflowError("int too large"), Invalid, "a value cannot be stored: int too large"),
}


@pytest.mark.parametrize(("error", "kind", "words"), OTHERS.values(), ids=OTHERS)
def test_everything_else_has_its_reaction_too(error: Exception, kind: type[HubError], words: str) -> None:
    made = translate(error, "here")
    assert type(made) is kind
    assert words in str(made)


def test_the_cause_is_kept() -> None:
    cause = as_sqlalchemy(sqlite3.OperationalError("odd"))
    with pytest.raises(Stop) as raised, wrapped("here"):
        raise cause
    assert raised.value.__cause__ is cause


def test_errors_of_the_hub_pass_through() -> None:
    with pytest.raises(Invalid, match=r"^mine$"), wrapped("here"):
        raise Invalid("mine")


def test_the_tables_have_no_entry_without_words() -> None:
    assert all(words for table in (SQLITE, POSTGRESQL, CONNECT) for _, words in table.values())
