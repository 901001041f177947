# SPDX-License-Identifier: EUPL-1.2
"""`cityhub run` and `init`: prepare the data directory, start the broker if it is ours, and supervise the workers.

Order of a start: settings, definitions and connectors are validated before anything is written; then the ledger is
brought to this release's schema and gets the city's places and the first admin key; then the broker gets the hub's
durable subscription before its listener opens to devices; then the workers start.
"""

import asyncio
import contextlib
import logging
import socket
import sys
from collections.abc import Callable, Coroutine, Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec

from hub.app import Parts, named
from hub.core.errors import SettingsError
from hub.core.logs import configure_logging
from hub.datadir import Endpoints, Kind, write_atomically
from hub.settings import Settings, check_broker, check_exposure
from hub.storage.ledger import Ledger
from hub.supervisor import EXIT_CONFIGURATION, Child, Supervisor, stop_on_signals

_LOG = logging.getLogger("cityhub.run")


def run_hub(settings: Settings, config: Path | None) -> int:
    """Run until stopped; returns the exit code."""
    configure_logging(settings.log_level)
    parts = Parts(settings)
    validate(parts)
    parts.data.open("hub")
    with parts.data.locked():
        (parts.data.run / "endpoints.json").unlink(missing_ok=True)  # of a hub that was killed
        prepare(parts)
        check_port(settings.api.host, settings.api.port, "api.port")
        env = {"CITYHUB_DATA": str(parts.data.root)}
        if config is not None:
            env["CITYHUB_CONFIG"] = str(config.absolute())
        return asyncio.run(supervise(parts, env))


def check_port(host: str, port: int, setting: str) -> None:
    """SettingsError when somebody listens there already."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            raise SettingsError(setting, f"cannot listen on {host} port {port}: {error.strerror}") from error


def init_hub(settings: Settings, kind: Kind = "hub") -> None:
    """Make everything that a hub needs before its first start."""
    parts = Parts(settings)
    validate(parts)
    parts.data.open(kind)
    prepare(parts)
    print(f"data directory {parts.data.root} is ready; the admin key is in {parts.data.admin_key}")


def validate(parts: Parts) -> None:
    """Stop with the name of whatever makes no sense, before anything is written."""
    check_broker(parts.settings)
    parts.city()
    parts.connectors()
    parts.catalogue()
    parts.broker()
    if parts.settings.store.kind == "influx":
        parts.influx()


def prepare(parts: Parts) -> None:
    """Ledger, places and first admin key; refuses to go on when that would expose an unguarded hub."""
    with parts.ledger().upgrade() as ledger:
        ledger.devices.put_places(parts.city().places)
        first_key(parts, ledger)
        check_exposure(parts.settings, bool(ledger.keys.keys()))


def first_key(parts: Parts, ledger: Ledger) -> None:
    """Make the admin key once; its file is readable by its owner alone."""
    if not ledger.keys.keys():
        _, secret = ledger.keys.create("admin", frozenset({"admin"}))
        write_atomically(parts.data.admin_key, secret.encode() + b"\n", 0o600)


async def supervise(
    parts: Parts,
    env: Mapping[str, str],
    beside: Callable[[Parts], Coroutine[Any, Any, None]] | None = None,
    log: int | None = None,
) -> int:
    """Run broker and workers until stopped; `beside` runs with them (the demo's simulator)."""
    supervisor = Supervisor(parts.data.run, env, log=log)
    stop_on_signals(supervisor.stop)
    broker = parts.embedded() if parts.settings.mqtt.host is None else None
    try:
        if broker is not None:
            with named("broker.", "mqtt."):
                await broker.prepare(parts.filters())
                await broker.start()
        announce(parts)
        keeping = asyncio.create_task(supervisor.keep(_children()))
        beside_it = asyncio.create_task(beside(parts)) if beside is not None else None
        stopped = asyncio.create_task(supervisor.stop.wait())
        await asyncio.wait({stopped, *([beside_it] if beside_it else [])}, return_when=asyncio.FIRST_COMPLETED)
        supervisor.stop.set()
        await keeping
        if beside_it is not None:
            beside_it.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await beside_it
    finally:
        if broker is not None:
            await broker.stop()
        (parts.data.run / "endpoints.json").unlink(missing_ok=True)
    if supervisor.failed is not None:
        _LOG.error("stopped", extra={"fields": {"process": supervisor.failed, "detail": "see its last log line"}})
        return EXIT_CONFIGURATION
    return 0


def announce(parts: Parts) -> None:
    """Write where the hub listens, for other commands."""
    broker, api = parts.broker(), parts.settings.api
    endpoints = Endpoints(broker.host, broker.port, f"http://{api.host}:{api.port}")
    write_atomically(parts.data.run / "endpoints.json", msgspec.json.encode(endpoints))


def _children() -> Sequence[Child]:
    command = [sys.executable, "-m", "hub.cli", "worker"]
    return [
        Child("ingest-0", [*command, "ingest"]),
        Child("engine", [*command, "engine"]),
        Child("api", [*command, "api"]),
    ]
