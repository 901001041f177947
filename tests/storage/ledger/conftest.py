# SPDX-License-Identifier: EUPL-1.2
"""Every test that asks for `url` or `ledger` runs on SQLite and on a real PostgreSQL."""

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from hub.core.places import Place, PlaceKind
from hub.storage.ledger import Ledger, sqlite_url
from hub.storage.ledger._tables import metadata
from tests.storage.ledger.postgres import Postgres, postgres

TITLE = {"cs": "Místo", "en": "Place"}
PLACES = (
    Place(id="havirov", kind=PlaceKind.MUNICIPALITY, title=TITLE, population=68947, population_date="2024-01-01"),
    Place(id="havirov/mesto", kind=PlaceKind.PART, title=TITLE, population=29393),
    Place(id="havirov/mesto/thara", kind=PlaceKind.SITE, title=TITLE, latitude=49.78, longitude=18.43, source="test"),
)

RESET = ";".join(
    [f"DELETE FROM {table.name}" for table in reversed(metadata.sorted_tables) if table.name != "counter"]
    + [
        f"ALTER SEQUENCE {table.name}_id_seq RESTART"
        for table in metadata.sorted_tables
        if table.autoincrement_column is not None
    ]
    + ["UPDATE counter SET value = 0"]
)


class Ticks:
    """A clock that shows a later nanosecond whenever it is read."""

    def __init__(self) -> None:
        self.now = 1_000

    def __call__(self) -> int:
        self.now += 1
        return self.now


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[Postgres]:
    with postgres() as server:
        yield server


@pytest.fixture(scope="session")
def postgres_template(postgres_server: Postgres) -> str:
    """Name of a database with the newest schema, to copy."""
    name = postgres_server.database()
    with Ledger(postgres_server.url(name)) as made:
        made.upgrade()
    return name


@pytest.fixture(scope="session")
def postgres_shared(postgres_server: Postgres, postgres_template: str) -> str:
    """Name of the database that most tests use one after another, emptied before each: making one takes long."""
    return postgres_server.database(postgres_template)


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file with the newest schema, to copy."""
    file = tmp_path_factory.mktemp("template") / "ledger.db"
    with Ledger(sqlite_url(file)) as made:
        made.upgrade()
    return file


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.server)])
def backend(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def empty_url(backend: str, request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """URL of a database without tables."""
    if backend == "sqlite":
        yield sqlite_url(tmp_path / "ledger.db")
    else:
        yield from own_database(request, "template0")


@pytest.fixture
def own_url(backend: str, request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """URL of a ledger with the newest schema, for a test that changes the schema."""
    if backend == "sqlite":
        yield sqlite_copy(request, tmp_path)
    else:
        yield from own_database(request, request.getfixturevalue("postgres_template"))


@pytest.fixture
def url(backend: str, request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """URL of an empty ledger with the newest schema."""
    if backend == "sqlite":
        return sqlite_copy(request, tmp_path)
    server: Postgres = request.getfixturevalue("postgres_server")
    shared: str = request.getfixturevalue("postgres_shared")
    server.execute(RESET, shared)
    return server.url(shared)


def sqlite_copy(request: pytest.FixtureRequest, folder: Path) -> str:
    return sqlite_url(Path(shutil.copy(request.getfixturevalue("sqlite_template"), folder)))


def own_database(request: pytest.FixtureRequest, template: str) -> Iterator[str]:
    server: Postgres = request.getfixturevalue("postgres_server")
    name = server.database(template)
    yield server.url(name)
    server.execute(f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture
def open_ledger(url: str) -> Iterator[Callable[..., Ledger]]:
    """Opens the same ledger as often as asked, as further processes would; closes all."""
    opened: list[Ledger] = []

    def open_one(busy_timeout: float = 10.0) -> Ledger:
        opened.append(Ledger(url, busy_timeout=busy_timeout, clock=Ticks()).open())
        return opened[-1]

    yield open_one
    for ledger in opened:
        ledger.close()


@pytest.fixture
def ledger(open_ledger: Callable[..., Ledger]) -> Ledger:
    return open_ledger()


@pytest.fixture
def city(ledger: Ledger) -> Ledger:
    """A ledger with the places of a small Havířov."""
    ledger.devices.put_places(PLACES)
    return ledger
