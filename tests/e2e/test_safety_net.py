# SPDX-License-Identifier: EUPL-1.2
"""Backup of a running hub, restore into an empty one that goes on, upgrade of an earlier release's data directory.

`releases/<version>.tar.gz` is a data directory as that release left it (25 hours of one device over the end of daylight
saving, one message of an unknown device), without its secrets. It is never changed.
"""

import json
import shutil
import sqlite3
import tarfile
import threading
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from paho.mqtt.client import CallbackAPIVersion, Client

from tests.e2e.hub_process import RunningHub, running_hub

pytestmark = [pytest.mark.server, pytest.mark.timeout(240)]

DAYS = 'only = ["pm10_day_mean"]\n'  # ends the section [indicators]
RELEASES = sorted((Path(__file__).parent / "releases").glob("*.tar.gz"))
BEGIN = datetime(2026, 3, 1, tzinfo=UTC)
MESSAGES = 6_000


def payload(number: int) -> bytes:
    time = (BEGIN + timedelta(minutes=number)).strftime("%Y-%m-%dT%H:%M:%SZ")
    return json.dumps({"time": time, "readings": {"pm10": 20 + number % 9}}).encode()


def send(hub: RunningHub, begun: threading.Event | None = None) -> None:
    """All messages, confirmed; `begun` is set when a part of them is."""
    confirmed = threading.Semaphore(0)
    client = Client(CallbackAPIVersion.VERSION2)
    client.max_queued_messages_set(0)
    client.on_publish = lambda *_: confirmed.release()
    port = json.loads((hub.data / "run" / "endpoints.json").read_bytes())["mqtt_port"]
    client.connect("127.0.0.1", port)
    client.loop_start()
    for number in range(MESSAGES):
        client.publish("devices/air-1/readings", payload(number), qos=1)
    for number in range(MESSAGES):
        assert confirmed.acquire(timeout=60)
        if begun is not None and number == MESSAGES // 10:
            begun.set()
    client.disconnect()
    client.loop_stop()


def test_a_hub_restored_from_a_backup_made_under_load_goes_on_without_loss(tmp_path: Path) -> None:
    """The books of the copy hold as they are; with everything sent again the values are those of an undisturbed hub."""
    file = tmp_path / "backup.tar.gz"
    with running_hub(tmp_path / "one", DAYS) as hub:
        hub.command("device", "add", "air-1", "--place", "havirov/sumbark", "--interval", "60")
        begun = threading.Event()
        sender = threading.Thread(target=send, args=(hub, begun))
        sender.start()
        assert begun.wait(60)
        hub.command("backup", str(file), "--secrets")
        sender.join()
        hub.settle()
        wanted = hub.get("/indicators/pm10_day_mean/values", place="havirov/sumbark")["items"]
        hub.stop()
        shutil.rmtree(hub.data)
        hub.command("restore", str(file))
        books = json.loads(hub.command("reconcile", "--json").stdout)
        assert books["totals"]["stored"] >= MESSAGES // 10
        hub.start()
        send(hub)
        hub.settle()
        found = hub.get("/indicators/pm10_day_mean/values", place="havirov/sumbark")["items"]
        totals = hub.reconcile()
    assert totals["stored"] == MESSAGES
    assert totals["quarantined"] == totals["refused"] == totals["rejected"] == totals["conflict"] == 0
    volatile = {"seq", "computed_at", "revision", "cause"}
    assert isinstance(wanted, list)
    assert isinstance(found, list)
    assert [without(item, volatile) for item in found] == [without(item, volatile) for item in wanted]


def without(item: dict[str, object], names: set[str]) -> dict[str, object]:
    return {name: value for name, value in item.items() if name not in names}


@pytest.mark.parametrize("release", RELEASES, ids=lambda path: path.name.removesuffix(".tar.gz"))
def test_a_data_directory_of_an_earlier_release_is_upgraded_and_goes_on(release: Path, tmp_path: Path) -> None:
    hub = RunningHub(tmp_path, DAYS)
    hub.data.mkdir()
    with tarfile.open(release) as archive:
        archive.extractall(hub.data, filter="data")
    said = hub.command("upgrade").stdout
    assert "ledger: 0003 -> " in said
    assert len(list((hub.data / "backups").glob("*.tar.gz"))) == 1
    assert "nothing to do" in hub.command("upgrade").stdout
    try:
        hub.start()
        hub.settle()
        values = hub.get("/indicators/pm10_day_mean/values", place="havirov/sumbark")["items"]
        waiting = json.loads(hub.command("quarantine", "list", "--json").stdout)
        totals = hub.reconcile()
    finally:
        hub.close()
    assert isinstance(values, list)
    assert (values[0]["value"], values[0]["n_valid"], values[0]["revision"]) == (32.0, 25, 1)
    assert totals["stored"] == 25
    assert "air-9" in json.dumps(waiting)


def test_what_is_no_whole_backup_is_refused_and_nothing_is_made(tmp_path: Path) -> None:
    """Cut off, damaged, not a backup, and a folder that is not empty: each named, the folder untouched."""
    hub = RunningHub(tmp_path, DAYS)
    hub.command("init")
    good = tmp_path / "good.tar.gz"
    hub.command("backup", str(good))
    said = hub.command("restore", str(good), check=False)
    assert "not empty" in said.stderr
    shutil.rmtree(hub.data)
    content = good.read_bytes()
    for name, bad in (("cut", content[: len(content) // 2]), ("text", b"hello"), ("flipped", flipped(content))):
        (tmp_path / name).write_bytes(bad)
        said = hub.command("restore", str(tmp_path / name), check=False)
        assert said.returncode == 1, name
        assert "backup" in said.stderr, name
        assert not hub.data.exists(), name


def flipped(content: bytes) -> bytes:
    """One bit of the middle turned over."""
    middle = len(content) // 2
    return content[:middle] + bytes([content[middle] ^ 1]) + content[middle + 1 :]


def test_a_damaged_file_is_not_backed_up_as_if_it_were_whole(tmp_path: Path) -> None:
    hub = RunningHub(tmp_path, DAYS)
    hub.command("init")
    with closing(sqlite3.connect(hub.data / "ledger.db")) as db:
        db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        pages = db.execute("PRAGMA page_count").fetchone()[0]
        size = db.execute("PRAGMA page_size").fetchone()[0]
    with (hub.data / "ledger.db").open("r+b") as file:
        file.seek((pages - 3) * size)
        file.write(b"\xff" * 2 * size)
    said = hub.command("backup", str(tmp_path / "b.tar.gz"), check=False)
    assert said.returncode != 0
    assert "ledger.db" in said.stderr
    assert not (tmp_path / "b.tar.gz").exists()
