# SPDX-License-Identifier: EUPL-1.2
"""Havířov's own year of PM10 and PM2.5 through the whole hub, against a few lines over the CSV."""

import csv
import json
import random
import statistics
import threading
import time
from collections import defaultdict
from collections.abc import Iterator
from datetime import datetime, timedelta, timezone
from decimal import ROUND_HALF_UP, Decimal
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from hub.ingest.journal_reader import SqliteJournalReader
from tests.e2e.hub_process import RunningHub, results, running_hub

pytestmark = [pytest.mark.server, pytest.mark.timeout(400)]

STATION = "havirov/mesto/thara"
FILE = "eea_havirov_THARA_2023.csv"
UTC1 = timezone(timedelta(hours=1))
PRAGUE = ZoneInfo("Europe/Prague")
AIR = ("eaqi_2024", "eaqi_2024_district", "pm10_day_mean", "pm2_5_day_mean", "pm10_days_over_50", "pm10_day_mean_utc1")
MAPPING = """
device: THARA
time: start
zone: "+01:00"
columns:
  pm10: {quantity: pm10, unit: ug/m3, valid: {column: pm10_validity, codes: [1, 2, 3]}}
  pm25: {quantity: pm2_5, unit: ug/m3, valid: {column: pm25_validity, codes: [1, 2, 3]}}
"""
UTC1_DAYS = """
id: pm10_day_mean_utc1
version: 1
title: {en: PM10 mean of a UTC+1 day, cs: Průměr PM10 za den UTC+1}
domain: air
formula: value
inputs:
  pm10: {quantity: pm10, capture: 0.75}
unit: ug/m3
window: P1D
step: PT1H
capture: 0.75
grace: P1D
precision: 1
level: site
direction: lower_is_better
calendar: {zone: "+01:00", citation: "made for this test"}
reference:
  - {citation: "made for this test"}
examples:
  - {given: {pm10: 20.25}, value: 20.3}
"""
Rows = list[dict[str, str]]


@pytest.fixture(scope="module")
def rows(shared: Path) -> Rows:
    with (shared / FILE).open(encoding="utf-8") as file:
        return list(csv.DictReader(file))


@pytest.fixture(scope="module")
def settings(tmp_path_factory: pytest.TempPathFactory) -> str:
    folder = tmp_path_factory.mktemp("definitions")
    (folder / "pm10_day_mean_utc1.yaml").write_text(UTC1_DAYS, encoding="utf-8")
    return f'definitions = "{folder}"\nonly = {list(AIR)}\n'


def replay(hub: RunningHub, file: Path, *more: str) -> None:
    mapping = hub.directory / "mapping.yaml"
    mapping.write_text(MAPPING, encoding="utf-8")
    options = ("--place", STATION, "--interval", "3600", "--grade", "reference", "--json")
    hub.command("replay", str(file), "--mapping", str(mapping), *options, *more)


@pytest.fixture(scope="module")
def hub(tmp_path_factory: pytest.TempPathFactory, shared: Path, settings: str) -> Iterator[RunningHub]:
    """The year in the order of the file."""
    with running_hub(tmp_path_factory.mktemp("year"), settings) as hub:
        replay(hub, shared / FILE)
        hub.settle()
        yield hub


def day_means(rows: Rows, column: str, zone: object) -> dict[str, Decimal | None]:
    """Independent of the hub: mean of the hours of each day, None with fewer than 75 % of the day's hours."""
    days: dict[str, list[Decimal]] = defaultdict(list)
    for row in rows:
        if row[column] and int(row[f"{column}_validity"]) > 0:
            start = datetime.fromisoformat(row["start"]).replace(tzinfo=UTC1).astimezone(zone)  # type: ignore[arg-type]
            days[start.date().isoformat()].append(Decimal(row[column]))
    found: dict[str, Decimal | None] = {}
    for day, values in days.items():
        midnight = datetime.fromisoformat(day).replace(tzinfo=zone)  # type: ignore[arg-type]
        length = (midnight + timedelta(days=1)).timestamp() - midnight.timestamp()
        enough = len(values) >= 0.75 * length / 3600
        mean = sum(values) / len(values)
        found[day] = mean.quantize(Decimal("0.1"), ROUND_HALF_UP) if enough else None
    return found


def test_every_valid_hour_is_stored_once(hub: RunningHub, rows: Rows) -> None:
    stored = hub.all_pages(
        "/readings", device="THARA", quantity="pm10", **{"from": "2023-01-01T00:00:00Z", "to": "2024-01-01T00:00:00Z"}
    )
    values = [float(str(item["value"])) for item in stored]
    assert len(values) == 8131
    assert statistics.fmean(values) == pytest.approx(20.311, abs=5e-4)
    assert len(values) / 8760 == pytest.approx(0.928, abs=5e-4)
    assert {item["origin"] for item in stored} == {"imported"}
    expected = {row["start"]: float(row["pm10"]) for row in rows if int(row["pm10_validity"]) > 0}
    got = {
        datetime.fromisoformat(str(item["time"])).astimezone(UTC1).strftime("%Y-%m-%dT%H:%M"): item["value"]
        for item in stored
    }
    assert got == expected


@pytest.mark.parametrize(
    ("indicator", "column", "zone", "over_50", "over_45"),
    [
        ("pm10_day_mean", "pm10", PRAGUE, 8, 11),
        ("pm10_day_mean_utc1", "pm10", UTC1, 8, 10),
        ("pm2_5_day_mean", "pm25", PRAGUE, None, None),
    ],
)
def test_every_day_mean_is_that_of_the_file(
    hub: RunningHub, rows: Rows, indicator: str, column: str, zone: object, over_50: int | None, over_45: int | None
) -> None:
    expected = day_means(rows, column, zone)
    got = {}
    for item in hub.all_pages(f"/indicators/{indicator}/values", place=STATION):
        start = datetime.fromisoformat(item["window"]["start"])  # type: ignore[index]
        got[start.astimezone(zone).date().isoformat()] = item  # type: ignore[arg-type]
    for day, mean in expected.items():
        item = got[day]
        assert item["value"] == (None if mean is None else float(mean)), (day, item)
        assert item["status"] == ("insufficient_data" if mean is None else "final"), (day, item)
    silent = {day for day in got if day not in expected}
    assert {got[day]["status"] for day in silent} <= {"insufficient_data"}
    if over_50 is not None:
        means = [item["value"] for item in got.values() if item["value"] is not None]
        assert sum(mean > 50 for mean in means) == over_50  # type: ignore[operator]
        assert sum(mean > 45 for mean in means) == over_45  # type: ignore[operator]


def test_the_year_says_how_many_days_and_how_sure(hub: RunningHub, rows: Rows) -> None:
    [year] = [
        item
        for item in hub.all_pages("/indicators/pm10_days_over_50/values", place=STATION)
        if item["window"]["start"] == "2022-12-31T23:00:00Z"  # type: ignore[index]
    ]
    days = [mean for mean in day_means(rows, "pm10", PRAGUE).values() if mean is not None]
    assert (year["value"], year["n_valid"], year["n_expected"]) == (8, len(days), 365)
    assert (year["origin"], year["grade"], year["lower_bound"]) == ("imported", "reference", True)
    assert (year["status"], year["revision"]) == ("final", 1), "a replay closes a window once"


def test_the_air_index_names_what_is_missing(hub: RunningHub) -> None:
    page = hub.get("/indicators/eaqi_2024/values", place=STATION, limit=5)
    for item in page["items"]:  # type: ignore[attr-defined]
        assert item["missing"] == ["no2", "o3", "so2"]
        assert item["lower_bound"] is True
        assert set(item["components"]) >= {"pm10", "pm2_5"}


def test_the_books_balance(hub: RunningHub) -> None:
    total = hub.reconcile()
    assert total["received"] >= 8131
    assert total["stored"] == 16255
    assert (total["quarantined"], total["conflict"], total["rejected"]) == (0, 0, 0)


def disturbed(rows: Rows, file: Path, seed: int = 20261123) -> None:
    """The same rows shuffled within a week, 5 % of them twice and 5 % a day late."""
    draw = random.Random(seed)
    order = []
    for index, row in enumerate(rows):
        late = 24 if draw.random() < 0.05 else 0
        order.append((index + late + draw.random() * 168, row))
        if draw.random() < 0.05:
            order.append((index + draw.random() * 168, row))
    order.sort(key=lambda item: item[0])
    with file.open("w", encoding="utf-8", newline="") as out:
        writer = csv.DictWriter(out, list(rows[0]))
        writer.writeheader()
        writer.writerows(row for _, row in order)


def wait_until_stored(hub: RunningHub, readings: int) -> None:
    """What was in hand at a kill comes again after the broker's ack_wait: wait for the last of it."""
    deadline = time.monotonic() + 120
    while True:
        held = json.loads(hub.command("reconcile", "--json", check=False).stdout)["in_store"]
        if held == readings:
            return
        assert held < readings
        assert time.monotonic() < deadline, f"{held} of {readings} readings, and no more come"
        time.sleep(1)


def wait_for_share(hub: RunningHub, share: float, total: int) -> None:
    """Return when the hub has journalled that share of the messages; fail when it has all of them already."""
    journal = SqliteJournalReader(hub.data / "ingest-0.db")
    deadline = time.monotonic() + 120
    while True:
        received = sum(counts["received"] for _, _, counts in journal.accounts(0))
        assert received < total, "killed too late to mean anything"
        if received >= share * total:
            break
        assert time.monotonic() < deadline
        time.sleep(0.02)
    journal.close()


@pytest.fixture(scope="module")
def in_order(hub: RunningHub) -> dict[tuple[str, str, str], dict[str, object]]:
    found = results(hub, AIR)
    assert len(found) > 15_000
    return found


def test_shuffled_doubled_and_late_rows_and_two_kills_end_in_identical_values(
    tmp_path: Path, rows: Rows, settings: str, in_order: dict[tuple[str, str, str], dict[str, object]]
) -> None:
    file = tmp_path / "disturbed.csv"
    disturbed(rows, file)
    small = "[ingest]\nbatch_messages = 100\n"  # the hub is so fast that there would be no middle to kill it in
    with running_hub(tmp_path / "hub", settings + small) as other:
        killed = []

        def kill_twice() -> None:
            wait_for_share(other, 0.25, len(rows))
            other.kill("ingest-0")
            killed.append("ingest-0")
            wait_for_share(other, 0.6, len(rows))
            assert other.process is not None
            other.process.kill()
            other.process.wait()
            other.start()
            killed.append("everything")

        killer = threading.Thread(target=kill_twice)
        killer.start()
        replay(other, file)
        killer.join()
        assert killed == ["ingest-0", "everything"]
        other.wait_ready()
        wait_until_stored(other, 16255)
        other.settle()
        other.reconcile()
        got = results(other, AIR)
    assert got.keys() == in_order.keys()
    assert [key for key in got if got[key] != in_order[key]] == []
