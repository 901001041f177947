# SPDX-License-Identifier: EUPL-1.2
"""The set-ups of a hub, each with fresh servers and data: Mosquitto with InfluxDB or SQLite, embedded NATS + SQLite.

Mosquitto is set as docker-compose.yml sets it, so that production is what is measured. The embedded broker is started
by the hub's own code; the event loop that started it rests while a benchmark runs.
"""

import asyncio
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from benchmarks.hubs import Hub
from benchmarks.load import QUANTITIES
from hub.transport.embedded import EmbeddedBroker
from tests.influx_servers import DatabaseServer, influxd
from tests.servers import free_port, mosquitto_server, running

_DATABASE = "bench"
MOSQUITTO = {
    "autosave_interval": "30",
    "max_queued_messages": "100000000",
    "max_queued_bytes": "1073741824",
    "max_inflight_messages": "20000",
    "max_packet_size": "16777216",
    "log_type": "error",
}


class Bench(NamedTuple):
    """Running servers and the hub that belongs to them.

    `servers` are process ids by name. `held` says how many readings the store itself holds. `release` ends a broker
    that the hub is to start by itself.
    """

    port: int
    hub: Hub
    servers: Mapping[str, Sequence[int]]
    held: Callable[[], int]
    release: Callable[[], None]


@contextmanager
def mosquitto_influxdb(directory: Path, template: Path) -> Iterator[Bench]:
    """Mosquitto and InfluxDB 1.x."""
    with running(mosquitto_server(directory, options=MOSQUITTO)) as broker, influxd(directory) as database:
        hub = Hub(directory, template, influx_lines(broker.port, database.url))
        servers = {"broker": [broker.pid], "store": [database.pid]}
        yield Bench(broker.port, hub, servers, lambda: readings_in(database), _nothing)


@contextmanager
def mosquitto_sqlite(directory: Path, template: Path) -> Iterator[Bench]:
    """Mosquitto, and the SQLite store."""
    with running(mosquitto_server(directory, options=MOSQUITTO)) as broker:
        hub = Hub(directory, template, ["[mqtt]", 'host = "127.0.0.1"', f"port = {broker.port}"])
        yield Bench(broker.port, hub, {"broker": [broker.pid]}, hub.stored_in_sqlite, _nothing)


@contextmanager
def embedded(directory: Path, template: Path) -> Iterator[Bench]:
    """The hub's own broker, and SQLite."""
    port = free_port()
    hub = Hub(directory, template, ["[mqtt]", f"port = {port}"])
    with asyncio.Runner() as runner:
        broker: EmbeddedBroker = hub.parts.embedded()
        try:
            runner.run(broker.prepare(hub.parts.filters()))
            runner.run(broker.start())
            pid = broker.pid
            if pid is None:
                raise RuntimeError("the embedded broker ended at once: see nats.log")
            yield Bench(port, hub, {"broker": [pid]}, hub.stored_in_sqlite, lambda: runner.run(broker.stop()))
        finally:
            runner.run(broker.stop())


def influx_lines(port: int, url: str) -> Sequence[str]:
    """Settings of a hub on Mosquitto at `port` and InfluxDB at `url`."""
    lines = ["[mqtt]", 'host = "127.0.0.1"', f"port = {port}", "[store]", 'kind = "influx"']
    return [*lines, "[influx]", f'url = "{url}"', f'database = "{_DATABASE}"']


def readings_in(database: DatabaseServer) -> int:
    """How many readings of ours InfluxDB holds."""
    rows = database.query(_DATABASE, "SELECT count(*) FROM /.*/")
    found = [row.get(f"count_{quantity}") for row in rows for quantity, *_ in QUANTITIES]
    return sum(int(str(number)) for number in found if number is not None)


def _nothing() -> None:
    """Nothing to end: the broker is not the hub's."""


SETUPS = {"mosquitto+influxdb": mosquitto_influxdb, "mosquitto+sqlite": mosquitto_sqlite, "embedded": embedded}
