# SPDX-License-Identifier: EUPL-1.2
"""Two ingest workers on one broker: one of them takes a message, also when one dies or the division changes."""

import asyncio
import json
import os
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from hub.app import Parts
from hub.core.delivery import Publication
from hub.core.places import Device, Mounting, Place, PlaceKind
from hub.core.ports import QuarantineFilter
from hub.settings import load_settings
from tests.e2e.hub_process import CITYHUB, RunningHub, running_hub
from tests.influx_servers import influxd
from tests.servers import mosquitto

pytestmark = [pytest.mark.server, pytest.mark.timeout(240)]
START = datetime(2026, 9, 21, tzinfo=UTC)


class Books:
    """What the journals and the store of a hub say."""

    def __init__(self, hub: RunningHub) -> None:
        self._parts = Parts(load_settings(hub.config))

    def counts(self, name: str) -> list[int]:
        """One count of each journal."""
        journals = self._parts.journals()
        found = [sum(counts[name] for _, _, counts in journal.accounts(0)) for journal in journals]
        for journal in journals:
            journal.close()
        return found

    def waiting(self) -> list[list[str]]:
        """Reasons of what waits in quarantine, by journal."""
        return [[row.reason for row in j.quarantine(QuarantineFilter())] for j in self._parts.journals()]

    def in_store(self) -> dict[str, int]:
        """Readings that are stored, by device."""

        async def ask() -> dict[str, int]:
            store = self._parts.store()
            try:
                return dict(await store.counts())
            finally:
                await store.close()

        return asyncio.run(ask())

    def publish(self, devices: Sequence[str], first: int, last: int) -> None:
        """One message a device and second."""

        async def send() -> None:
            publisher = self._parts.publisher(f"test-{os.getpid()}")
            payloads = [
                (
                    device,
                    json.dumps(
                        {"time": str(START + timedelta(seconds=second)), "readings": {"pm10": second % 90}}
                    ).encode(),
                )
                for second in range(first, last)
                for device in devices
            ]
            try:
                await publisher.publish([Publication(f"devices/{d}/readings", payload) for d, payload in payloads])
            finally:
                await publisher.close()

        asyncio.run(send())


def until(said: Callable[[], object], expected: object, seconds: float = 60.0) -> None:
    """Wait until something is so."""
    deadline = time.monotonic() + seconds
    while (found := said()) != expected:
        assert time.monotonic() < deadline, f"{found} is not {expected}"
        time.sleep(0.2)


@contextmanager
def worker(hub: RunningHub, shard: str) -> Iterator[subprocess.Popen[bytes]]:
    """An ingest worker started by hand."""
    with hub.log.open("ab") as log:
        command = [*CITYHUB, "ingest", "--shard", shard, "--config", str(hub.config)]
        process = subprocess.Popen(command, stdout=log, stderr=log, start_new_session=True)
    try:
        yield process
    finally:
        if process.poll() is None:
            process.terminate()
            process.wait(20)


def register(hub: RunningHub, *devices: str) -> None:
    """As `cityhub device add` does, without a process for each."""
    place = "havirov/mesto/roof"
    with Parts(load_settings(hub.config)).ledger().open() as ledger:
        ledger.devices.put_places([Place(id=place, kind=PlaceKind.SITE, title={"cs": "Střecha", "en": "Roof"})])
        for device in devices:
            mounted = (Mounting(place, 0),)
            ledger.devices.add_device(Device(id=device, connector="native", external_id=device, mountings=mounted))


def rewrite(hub: RunningHub, old: str, new: str) -> None:
    text = hub.config.read_text(encoding="utf-8")
    assert old in text
    hub.config.write_text(text.replace(old, new), encoding="utf-8")


def test_a_dead_worker_s_messages_wait_for_it_and_a_change_of_the_division_loses_none(tmp_path: Path) -> None:
    devices = ["left-1", "left-2", "right-1", "right-2"]
    (tmp_path / "shards.csv").write_text("device,shard\nright-1,1\nright-2,1\nleft-2,0\n", encoding="utf-8")
    with influxd(tmp_path) as database, mosquitto(tmp_path) as broker:
        settings = (
            f'[store]\nkind = "influx"\n[influx]\nurl = "{database.url}"\nversion = "1"\n[ingest]\nworkers = 2\n'
            f'shard_by = "device"\nshard_file = "{tmp_path / "shards.csv"}"\nown_shards = [0]\n'
        )
        hub = RunningHub(tmp_path / "hub", settings, mqtt=f'host = "127.0.0.1"\nport = {broker.port}')
        hub.command("init")
        with worker(hub, "1/2") as first:
            try:
                hub.start()
                books = Books(hub)
                register(hub, *devices)
                books.publish(devices, 0, 200)
                until(lambda: books.counts("stored"), [400, 400])
                assert "another ingest worker of shard 1" in hub.command("ingest", "--shard", "1/2", check=False).stderr
                first.send_signal(signal.SIGKILL)
                first.wait()
                books.publish(devices, 200, 400)
                until(lambda: books.counts("stored"), [800, 400])  # the other goes on
                with worker(hub, "1/2"):
                    until(lambda: books.counts("stored"), [800, 800])
                    again = books.counts("duplicate")  # what was journalled and not yet confirmed at the kill
                    assert [n - m for n, m in zip(books.counts("decoded"), again, strict=True)] == [800, 800]
                    assert books.in_store() == dict.fromkeys(devices, 400)
                    hub.reconcile()
                books.publish(devices, 400, 500)  # nobody is there for half of them
                until(lambda: books.counts("stored"), [1000, 800])
                assert hub.stop() == 0
                rewrite(hub, "workers = 2", "workers = 1")
                rewrite(hub, "own_shards = [0]", "")
                rewrite(hub, f'shard_by = "device"\nshard_file = "{tmp_path / "shards.csv"}"', "")
                hub.start()
                assert books.counts("stored") == [1000, 1000], "what waited is taken in before the new division begins"
                books.publish(devices, 500, 600)
                until(lambda: books.counts("stored"), [1400, 1000])
                assert books.in_store() == dict.fromkeys(devices, 600)
                hub.reconcile()
            finally:
                hub.close()


def test_a_changed_division_waits_until_a_worker_started_by_hand_is_stopped(tmp_path: Path) -> None:
    with mosquitto(tmp_path) as broker:
        settings = "[ingest]\nworkers = 2\nown_shards = [0]\n"
        hub = RunningHub(tmp_path / "hub", settings, mqtt=f'host = "127.0.0.1"\nport = {broker.port}')
        hub.command("init")
        books = Books(hub)
        with worker(hub, "1/2") as by_hand:
            try:
                hub.start()
                assert hub.stop() == 0
                rewrite(hub, "workers = 2\nown_shards = [0]\n", "workers = 3\nshards = {native = 2, chirpstack = 1}\n")
                starting = threading.Thread(target=hub.start)
                starting.start()
                until(lambda: "cannot divide anew yet" in hub.tail(), True)
                assert "another ingest worker of shard 1" in hub.tail()
                by_hand.terminate()
                starting.join()
                register(hub, "air-1")
                books.publish(["air-1"], 0, 10)
                until(lambda: books.counts("stored"), [0, 0, 10])
                found = hub.command("doctor", check=False).stdout
                assert "ingest-0: ingest" in found
                assert "ingest-2: ingest" in found
            finally:
                hub.close()


def test_two_workers_on_the_embedded_broker_share_the_work(tmp_path: Path) -> None:
    settings = "[ingest]\nworkers = 2\n[ingest.shards]\nnative = 1\n"
    with running_hub(tmp_path, settings) as hub:
        books = Books(hub)
        register(hub, "air-1", "air-2")
        books.publish(["air-1", "air-2", "newcomer"], 0, 100)
        hub.command("publish", "no/such/topic", "1")
        hub.kill("ingest-1")
        books.publish(["air-1", "air-2"], 100, 200)
        until(lambda: books.counts("stored"), [0, 400])
        until(lambda: books.counts("quarantined"), [1, 100])
        assert books.waiting() == [["no_connector"], ["unknown_device"] * 100]
        register(hub, "newcomer")
        until(lambda: books.counts("stored"), [0, 500])
        assert books.in_store() == {"air-1": 200, "air-2": 200, "newcomer": 100}
        hub.settle()
        hub.reconcile()
        assert hub.stop() == 0
        rewrite(hub, "native = 1", "native = 0\nttn = 1")
        hub.start()  # drains two sessions behind a closed door
        books.publish(["air-1"], 200, 300)
        until(lambda: books.counts("stored"), [100, 500])
        hub.reconcile()
