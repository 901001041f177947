# SPDX-License-Identifier: EUPL-1.2
"""Databases that the storage tests share: one influxd a session, a fresh database a test."""

from collections.abc import Iterator
from itertools import count
from pathlib import Path

import pytest

from hub.core.quantities import Quantities
from tests.influx_servers import DatabaseServer, influxd

_numbers = count(1)


@pytest.fixture(scope="session")
def quantities() -> Quantities:
    return Quantities.load()


@pytest.fixture(scope="session")
def influx_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DatabaseServer]:
    """A running influxd; a test that stops it must start it again."""
    with influxd(tmp_path_factory.mktemp("influxd")) as server:
        yield server


@pytest.fixture
def database(influx_server: DatabaseServer) -> str:
    """Name of a database that nobody else uses."""
    return f"test{next(_numbers)}"


@pytest.fixture
def readings_file(tmp_path: Path) -> Path:
    return tmp_path / "readings.db"
