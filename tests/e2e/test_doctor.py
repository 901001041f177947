# SPDX-License-Identifier: EUPL-1.2
"""Doctor and reconcile on a hub at work: they name what is wrong, and what to do."""

import json
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.hub_process import RunningHub, running_hub
from tests.influx_servers import DatabaseServer, influxd
from tests.servers import Server, mosquitto

pytestmark = [pytest.mark.server, pytest.mark.timeout(240)]


@pytest.fixture(scope="module")
def parts(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[RunningHub, Server, DatabaseServer]]:
    folder = tmp_path_factory.mktemp("doctor")
    with influxd(folder) as database, mosquitto(folder) as broker:
        settings = f'[store]\nkind = "influx"\n[influx]\nurl = "{database.url}"\nversion = "1"\n'
        with running_hub(folder / "hub", settings, mqtt=f'host = "127.0.0.1"\nport = {broker.port}') as hub:
            yield hub, broker, database


def findings(hub: RunningHub) -> dict[str, dict[str, object]]:
    return {row["part"]: row for row in json.loads(hub.command("doctor", "--json", check=False).stdout)}


def test_everything_is_asked_and_well(parts: tuple[RunningHub, Server, DatabaseServer]) -> None:
    found = findings(parts[0])
    assert [row for row in found.values() if not row["ok"]] == []
    expected = {"configuration", "data directory", "ledger", "InfluxDB clock", "broker", "broker clock"}
    assert expected | {"broker session", "ingest", "engine", "API", "exposure"} <= set(found)


def test_a_broker_and_a_database_that_are_down_are_named_and_come_back(
    parts: tuple[RunningHub, Server, DatabaseServer],
) -> None:
    hub, broker, database = parts
    hub.command("device", "add", "air-1", "--place", "havirov/mesto/air-1", "--interval", "600")
    database.kill()
    hub.command("publish", "devices/air-1/readings", '{"readings": {"pm10": 7}}')
    found = findings(hub)
    assert not next(row for part, row in found.items() if part.startswith("readings"))["ok"]
    database.start()
    hub.wait_ready()
    hub.settle()
    broker.kill()
    assert not findings(hub)["broker"]["ok"]
    broker.start()
    hub.wait_ready()
    assert hub.reconcile()["stored"] == 1


def test_reconcile_finds_a_reading_that_is_gone(tmp_path: Path) -> None:
    with running_hub(tmp_path) as hub:
        hub.command("device", "add", "air-1", "--place", "havirov/mesto/air-1")
        for value in range(5):
            stamp = f"2026-11-20T0{value}:00:00Z"
            hub.command("publish", "devices/air-1/readings", f'{{"time": "{stamp}", "readings": {{"pm10": {value}}}}}')
        hub.settle()
        assert hub.reconcile()["stored"] == 5
        assert hub.stop() == 0
        with sqlite3.connect(hub.data / "readings.db") as connection:
            connection.execute("DELETE FROM readings WHERE value = 3")
        connection.close()
        told = hub.command("reconcile", check=False)
        assert told.returncode == 1
        assert "the store holds 4 readings, the journal accounts for 5" in told.stdout
