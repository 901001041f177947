# SPDX-License-Identifier: EUPL-1.2
"""A hub's directory with registered devices, and its processes: ingest alone, or the whole hub.

Registering devices takes a while, so it is done once, in bulk (`make_template`), and the ledger copied for each run.
The orders to redrive that registering leaves are marked done there: they belong to the past of a hub that has run.
"""

import asyncio
import os
import shutil
import socket
import sqlite3
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager, redirect_stdout
from pathlib import Path

from benchmarks.load import READINGS, device_id
from hub.app import Parts
from hub.commands.run import init_hub
from hub.core.places import Device, Mounting, Place, PlaceKind
from hub.settings import Settings, load_settings
from tests.servers import free_port

_SITES_OF = "havirov/mesto"
_DEVICES_A_SITE = 10
_STOP_SECONDS = 30.0


class BenchmarkError(Exception):
    """What was measured is not what was meant to be measured."""


def make_template(directory: Path, devices: int) -> Path:
    """A data directory with `devices` registered at sites of ten; returns it."""
    data = directory / "template"
    settings = Settings(data=data)
    with redirect_stdout(sys.stderr):
        init_hub(settings)
    with Parts(settings).ledger().open() as ledger:
        sites = [f"{_SITES_OF}/bench-{number:03d}" for number in range(-(-devices // _DEVICES_A_SITE))]
        ledger.devices.put_places([Place(id=s, kind=PlaceKind.SITE, title={"cs": s, "en": s}) for s in sites])
        first, mounted = device_id(0), Mounting(sites[0], 0)
        ledger.devices.add_device(
            Device(id=first, connector="native", external_id=first, interval=60, mountings=(mounted,))
        )
        for command in ledger.commands.pending():
            ledger.commands.done(command.id, {"bench": "before the benchmark"})
    _multiply(data / "ledger.db", sites, devices)
    return data


def _multiply(ledger: Path, sites: Sequence[str], devices: int) -> None:
    """Copy the first device's rows for all the others: registered one by one, 100,000 of them take many minutes."""
    with closing(sqlite3.connect(ledger)) as connection, connection:
        connection.row_factory = sqlite3.Row
        own = dict(connection.execute("SELECT * FROM device").fetchone())
        stands = dict(connection.execute("SELECT * FROM mounting").fetchone())
        names = [device_id(number) for number in range(1, devices)]
        _insert(connection, "device", [own | {"id": name, "external_id": name} for name in names])
        places = [sites[number // _DEVICES_A_SITE] for number in range(1, devices)]
        pairs = zip(names, places, strict=True)
        _insert(connection, "mounting", [stands | {"device": name, "place": place} for name, place in pairs])
        connection.execute("UPDATE counter SET value = value + 1 WHERE name = 'registry_version'")


def _insert(connection: sqlite3.Connection, table: str, rows: Sequence[Mapping[str, object]]) -> None:
    if rows:
        columns = list(rows[0])
        statement = f"INSERT INTO {table} ({', '.join(columns)}) VALUES ({', '.join(f':{name}' for name in columns)})"
        connection.executemany(statement, rows)


class Hub:
    """A hub on a copy of the template. `lines` are further lines of its settings file."""

    def __init__(self, directory: Path, template: Path, lines: Sequence[str]) -> None:
        self._log = directory / "hub.log"
        self._config = directory / "cityhub.toml"
        data = directory / "hub"
        shutil.copytree(template, data)
        api = ["[api]", f"port = {free_port()}"]
        self._config.write_text("\n".join([f'data = "{data}"', 'log_level = "WARNING"', *lines, *api, ""]))
        self.parts = Parts(load_settings(self._config))

    def make_session(self) -> None:
        """Leave the hub's own session behind on a broker that is not its own."""

        async def subscribe() -> None:
            session = self.parts.session(lambda _: None)
            await session.ready()
            await session.close()

        asyncio.run(subscribe())

    @contextmanager
    def ingest(self) -> Iterator[int]:
        """The running ingest worker's process id."""
        with self._running("worker", "ingest") as pid:
            yield pid

    @contextmanager
    def whole(self, environment: Mapping[str, str] | None = None) -> Iterator[int]:
        """The supervisor's process id, with all workers of `cityhub run`; `environment` may hold settings."""
        with self._running("run", environment=environment) as pid:
            yield pid

    def launch(self, *arguments: str, environment: Mapping[str, str] | None = None) -> subprocess.Popen[bytes]:
        """Start a command of the hub; whoever calls ends it. `environment` is added to ours without settings."""
        ours = {name: value for name, value in os.environ.items() if not name.startswith("CITYHUB_")}
        with self._log.open("ab") as log:
            return subprocess.Popen(
                self._command(*arguments), stdout=log, stderr=log, env={**ours, **(environment or {})}
            )

    def ask(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run a command of the hub to its end."""
        ours = {name: value for name, value in os.environ.items() if not name.startswith("CITYHUB_")}
        return subprocess.run(
            self._command(*arguments), capture_output=True, text=True, env=ours, timeout=600, check=False
        )

    def _command(self, *arguments: str) -> list[str]:
        return [sys.executable, "-m", "hub.cli", *arguments, "--config", str(self._config)]

    def workers(self) -> Mapping[str, int]:
        """Process ids of the whole hub's parts that run now, by name."""
        found = {path.stem: path.read_text().strip() for path in self.parts.data.run.glob("*.pid")}
        nats = self.parts.data.broker / "nats.pid"
        if nats.exists():
            found["broker"] = nats.read_text().strip()
        return {name: int(pid) for name, pid in found.items() if pid}

    def answers(self) -> bool:
        """Whether the API takes connections."""
        try:
            socket.create_connection(("127.0.0.1", self.parts.settings.api.port), timeout=1).close()
        except OSError:
            return False
        return True

    def log_tail(self) -> str:
        """What the hub said last."""
        return self._log.read_text(errors="replace")[-2000:] if self._log.exists() else ""

    def confirmed(self) -> int:
        """Messages that are stored, journalled and counted, without the hub's own publications that come back to it."""
        return self._journal("SELECT coalesce(sum(received - ignored), 0) FROM account")

    def decoded(self) -> int:
        """Messages of registered devices that are stored, journalled and counted."""
        return self._journal("SELECT coalesce(sum(decoded), 0) FROM account")

    def set_aside(self) -> int:
        """Messages that went to quarantine or were refused beyond its quota."""
        return self._journal("SELECT coalesce(sum(quarantined + refused), 0) FROM account")

    def unseen(self) -> int:
        """Entries of the touch log that the engine has not taken yet."""
        newest = self._journal("SELECT coalesce(max(seq), 0) FROM touch")
        with self.parts.ledger().open() as ledger:
            return newest - ledger.values.cursor("touch:0")

    def check(self, messages: int, stored: int) -> None:
        """Every message decoded, every reading stored: by the journal and by the store itself."""
        by_journal = self._journal("SELECT coalesce(sum(stored), 0) FROM account")
        found = (self.confirmed(), by_journal, stored)
        wanted = (messages, messages * READINGS, messages * READINGS)
        if found != wanted:
            raise BenchmarkError(f"messages, readings by journal, by store: {found} instead of {wanted}")

    def stored_in_sqlite(self) -> int:
        """Readings in the SQLite store."""
        return _ask(self.parts.data.readings, "SELECT count(*) FROM readings")

    def _journal(self, statement: str) -> int:
        return _ask(self.parts.data.journal(), statement)

    @contextmanager
    def _running(self, *arguments: str, environment: Mapping[str, str] | None = None) -> Iterator[int]:
        process = self.launch(*arguments, environment=environment)
        try:
            yield process.pid
            process.terminate()
            code = process.wait(_STOP_SECONDS)
            if code:
                raise BenchmarkError(f"{' '.join(arguments)} ended with {code}: {self.log_tail()}")
        finally:
            if process.poll() is None:
                process.kill()
                process.wait()


def _ask(file: Path, statement: str) -> int:
    """One number of an SQLite file; 0 while there is no such file or table yet."""
    try:
        connection = sqlite3.connect(f"file:{file}?mode=ro", uri=True)
        try:
            return int(connection.execute(statement).fetchone()[0])
        finally:
            connection.close()
    except sqlite3.OperationalError:
        return 0
