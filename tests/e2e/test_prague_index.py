# SPDX-License-Identifier: EUPL-1.2
"""ČHMÚ's own index of two years at four stations, through Mosquitto and InfluxDB: the production path."""

import csv
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from tests.e2e.hub_process import RunningHub, results, running_hub
from tests.influx_servers import influxd
from tests.servers import mosquitto

pytestmark = [pytest.mark.server, pytest.mark.timeout(400)]

FILE = "chmi_praha_4_stations_2018_2019.csv"
CITY = "praha"
MAPPING = """
device_column: station
time: hour_end_utc
stamp: end
period: PT1H
columns:
  no2_ugm3: {quantity: no2, unit: ug/m3}
  o3_ugm3: {quantity: o3, unit: ug/m3}
  pm10_ugm3: {quantity: pm10, unit: ug/m3}
  pm25_ugm3: {quantity: pm2_5, unit: ug/m3}
  so2_ugm3: {quantity: so2, unit: ug/m3}
"""
PRAGUE = """
id: praha
title: {cs: Praha, en: Prague}
time_zone: Europe/Prague
languages: [cs, en]
parts:
  - {id: mesto, title: {cs: Město, en: City}}
"""
Rows = list[dict[str, str]]


@pytest.fixture(scope="module")
def rows(shared: Path) -> Rows:
    with (shared / FILE).open(encoding="utf-8") as file:
        return list(csv.DictReader(file))


@pytest.fixture(scope="module")
def hub(tmp_path_factory: pytest.TempPathFactory, shared: Path, rows: Rows) -> Iterator[RunningHub]:
    folder = tmp_path_factory.mktemp("praha")
    (folder / "city.yaml").write_text(PRAGUE, encoding="utf-8")
    (folder / "mapping.yaml").write_text(MAPPING, encoding="utf-8")
    with influxd(folder) as database, mosquitto(folder) as broker:
        settings = (
            f'only = ["chmi_iko_2017"]\n[city]\nfile = "{folder / "city.yaml"}"\n[store]\nkind = "influx"\n'
            f'[influx]\nurl = "{database.url}"\nversion = "1"\n'
        )
        with running_hub(folder / "hub", settings, mqtt=f'host = "127.0.0.1"\nport = {broker.port}') as hub:
            for station in sorted({row["station"] for row in rows}):
                hub.command(
                    *("device", "add", station, "--place", f"{CITY}/mesto/{station.lower()}"),
                    *("--interval", "3600", "--grade", "reference", "--origin", "imported"),
                )
            hub.command("replay", str(shared / FILE), "--mapping", str(folder / "mapping.yaml"), "--json")
            hub.settle(240)
            yield hub


def key(row: dict[str, str]) -> tuple[str, str, str]:
    end = datetime.fromisoformat(row["hour_end_utc"])
    start = (end - timedelta(hours=1)).strftime("%Y-%m-%dT%H:%M:%SZ")
    return "chmi_iko_2017", f"{CITY}/mesto/{row['station'].lower()}", start


def complete(row: dict[str, str]) -> bool:
    """NO2 and PM10, and O3 from April to September."""
    summer = 4 <= datetime.fromisoformat(row["hour_end_utc"]).month <= 9
    return bool(row["no2_ugm3"] and row["pm10_ugm3"] and (row["o3_ugm3"] or not summer))


def test_the_index_is_the_published_one_in_every_complete_row(hub: RunningHub, rows: Rows) -> None:
    got = results(hub, ["chmi_iko_2017"])
    checked = 0
    for row in rows:
        if complete(row) and row["published_iko"]:
            assert got[key(row)]["value"] == float(row["published_iko"]), row
            checked += 1
    assert checked > 20_000


def test_an_incomplete_hour_has_no_index_but_a_reason(hub: RunningHub, rows: Rows) -> None:
    got = results(hub, ["chmi_iko_2017"])
    seen = 0
    for row in rows:
        value = got.get(key(row))
        if not complete(row) and value is not None:
            assert value["value"] is None, row
            assert value["reason"], row
            seen += 1
    assert seen > 100


def test_influx_serves_what_the_api_serves(hub: RunningHub, rows: Rows) -> None:
    """The projection that Grafana reads has the very values of the ledger."""
    from hub.app import Parts
    from hub.settings import load_settings

    settings = load_settings(hub.config)
    with Parts(settings).ledger().open() as ledger:
        assert ledger.values.cursor("sink:influx") > 0
    import httpx

    answer = httpx.get(
        f"{settings.influx.url}/query",
        params={
            "db": settings.influx.database,
            "epoch": "ns",
            "q": "SELECT count(value) FROM indicator WHERE indicator = 'chmi_iko_2017' AND valid = true",
        },
        timeout=60,
    ).json()
    count = answer["results"][0]["series"][0]["values"][0][1]
    assert count == sum(value["value"] is not None for value in results(hub, ["chmi_iko_2017"]).values())


def test_the_books_balance_against_influx(hub: RunningHub, rows: Rows) -> None:
    columns = ("no2_ugm3", "o3_ugm3", "pm10_ugm3", "pm25_ugm3", "so2_ugm3")
    total = hub.reconcile()
    assert total["stored"] == sum(bool(row[column]) for row in rows for column in columns)
    assert total["conflict"] == total["rejected"] == total["quarantined"] == 0
