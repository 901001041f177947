# SPDX-License-Identifier: EUPL-1.2
"""What can be killed: the servers of a set-up, and the hub on them as a bare ingest worker or whole.

A set-up's `killable` servers are killed and started again; Mosquitto is not among them, because its PUBACK does not
mean on disk. Between two lives of ingest nobody writes its journal: there the touch log is read to its end, so that
nothing which the hub forgets later is missed.
"""

import asyncio
import os
import signal
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from subprocess import Popen
from typing import NamedTuple

import psutil

from benchmarks import machine
from benchmarks.brokers import MOSQUITTO, influx_lines, readings_in
from benchmarks.hubs import BenchmarkError, Hub
from hub.core.journal import Touch
from hub.ingest.fail_points import VARIABLE
from hub.transport.embedded import EmbeddedSettings, find_binary
from tests.influx_servers import influxd
from tests.servers import Server, free_port, mosquitto_server, running

_CONNECT_SECONDS = 60.0
_PAGE = 100_000


class Scene(NamedTuple):
    """A set-up at work. `killable` are servers by name, `held` says how many readings the store holds.

    `again` is after how many seconds the broker has sent once more what a dead worker had in hand.
    """

    port: int
    hub: Hub
    killable: Mapping[str, Server]
    held: Callable[[], int]
    again: float


@contextmanager
def on_nats(directory: Path, template: Path) -> Iterator[Scene]:
    """The hub's own broker as the hub configures it, started and killed here; SQLite."""
    port = free_port()
    hub = Hub(directory, template, ["[mqtt]", f"port = {port}"])
    asyncio.run(_configure(hub))
    ack_wait = EmbeddedSettings(directory=hub.parts.data.broker).ack_wait
    command = [str(find_binary()), "-c", str(hub.parts.data.broker / "nats.conf")]
    with running(Server(command, port, directory / "nats.out")) as broker:
        yield Scene(port, hub, {"broker": broker}, hub.stored_in_sqlite, ack_wait + 2.0)


async def _configure(hub: Hub) -> None:
    """Leave the hub's session and the broker's configuration behind."""
    broker = hub.parts.embedded()
    await broker.prepare(hub.parts.filters())
    await broker.start()
    await broker.stop()


@contextmanager
def on_mosquitto(directory: Path, template: Path) -> Iterator[Scene]:
    """Mosquitto as production sets it, and InfluxDB 1.x."""
    with running(mosquitto_server(directory, options=MOSQUITTO)) as broker, influxd(directory) as database:
        hub = Hub(directory, template, influx_lines(broker.port, database.url))
        hub.make_session()
        yield Scene(broker.port, hub, {"database": database}, lambda: readings_in(database), 2.0)


SCENES = {"embedded": on_nats, "mosquitto+influxdb": on_mosquitto}


class Ingest:
    """The ingest worker, killed and started again."""

    def __init__(self, scene: Scene) -> None:
        self._scene = scene
        self._process: Popen[bytes] | None = None
        self._seen = 0
        self._began = 0.0
        self.touches: set[Touch] = set()

    def start(self, fail_at: str = "") -> None:
        """Start the worker; with `fail_at` (such as stored:3) it will kill itself."""
        environment = {VARIABLE: fail_at} if fail_at else {}
        self._began = time.monotonic()
        self._process = self._scene.hub.launch("worker", "ingest", environment=environment)

    def kill(self) -> None:
        """SIGKILL from outside."""
        if self._process is not None:
            self._process.kill()
            self._gone()

    def await_death(self, seconds: float) -> None:
        """Return when the worker has killed itself at its fail point; BenchmarkError when it does not get there."""
        if self._process is None:
            raise BenchmarkError("no worker runs")
        deadline = time.monotonic() + seconds
        while (code := self._process.poll()) is None:
            if time.monotonic() > deadline:
                raise BenchmarkError(f"the fail point was not reached within {seconds:g} s")
            time.sleep(0.02)
        if code != -signal.SIGKILL:
            raise BenchmarkError(f"ingest ended with {code} by itself: {self._scene.hub.log_tail()}")
        self._gone()

    def stop(self) -> None:
        """In an orderly way."""
        if self._process is not None:
            self._process.terminate()
            self._gone()

    @property
    def alive(self) -> bool:
        """Whether the worker runs."""
        return self._process is not None and self._process.poll() is None

    @property
    def age(self) -> float:
        """Seconds since it was started last."""
        return time.monotonic() - self._began

    def _gone(self) -> None:
        if self._process is not None:
            self._process.wait()
            self._process = None
        self.note_touches()

    def note_touches(self) -> None:
        """Read what the touch log has gained."""
        [journal] = self._scene.hub.parts.journals()
        while True:
            found, position = journal.touches(self._seen, _PAGE)
            self.touches.update(found)
            if position == self._seen:
                break
            self._seen = position
        journal.close()


class WholeHub:
    """`cityhub run` with everything it starts; killed as a whole."""

    def __init__(self, scene: Scene) -> None:
        self._scene = scene
        self._process = scene.hub.launch("run")

    def await_ingest(self) -> None:
        """Return when its ingest worker is connected to the broker."""
        deadline = time.monotonic() + _CONNECT_SECONDS
        while time.monotonic() < deadline and self._process.poll() is None:
            worker = self._scene.hub.workers().get("ingest-0")
            if worker is not None and machine.is_connected(worker, self._scene.port):
                return
            time.sleep(0.05)
        raise BenchmarkError(f"cityhub run does not take messages in: {self._scene.hub.log_tail()}")

    def kill(self) -> None:
        """SIGKILL the supervisor, and the broker when it is the hub's own; returns when every worker is gone."""
        pids = self._scene.hub.workers()
        self._process.kill()
        self._process.wait()
        if "broker" in pids:
            with suppress(ProcessLookupError):
                os.kill(pids["broker"], signal.SIGKILL)
        _, left = psutil.wait_procs(_processes(pids), timeout=20)
        if left:
            raise BenchmarkError(f"outlived the supervisor: {', '.join(process.name() for process in left)}")


def _processes(pids: Mapping[str, int]) -> list[psutil.Process]:
    found = []
    for pid in pids.values():
        with suppress(psutil.NoSuchProcess):
            found.append(psutil.Process(pid))
    return found
