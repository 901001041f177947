# SPDX-License-Identifier: EUPL-1.2
"""`cityhub run` and `init`: prepare the data directory, start the broker if it is ours, and supervise the workers.

Order of a start: settings, definitions and connectors are validated before anything is written; then the ledger is
brought to this release's schema and gets the city's places and the first admin key; then the broker gets the hub's
durable subscription before its listener opens to devices; then the workers start.
"""

import asyncio
import contextlib
import logging
import os
import socket
import sys
import time
from collections import Counter
from collections.abc import Callable, Coroutine, Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec

from hub.app import Parts, named
from hub.commands._division import divide
from hub.commands._division import prepare as prepare_sessions
from hub.commands._provision import Provisioning, username_of
from hub.commands.people import first_administrator
from hub.core.errors import SettingsError
from hub.core.logs import RateLimited, configure_logging
from hub.core.ports import PartHealth
from hub.datadir import Endpoints, Kind, needing_room, write_atomically
from hub.settings import Settings, check_broker, check_exposure
from hub.status import heartbeat, last_word
from hub.storage.ledger import Ledger
from hub.supervisor import EXIT_CONFIGURATION, Child, Ended, Supervisor, stop_on_signals
from hub.transport import BrokerEvent, EmbeddedBroker
from hub.transport.provisioning import broker_users

_LOG = logging.getLogger("cityhub.run")
_WORKER = (sys.executable, "-m", "hub.cli", "worker")


def run_hub(settings: Settings, config: Path | None) -> int:
    """Run until stopped; returns the exit code."""
    configure_logging(settings.log_level)
    parts = Parts(settings)
    with needing_room(parts.data.root):
        validate(parts)
        return _run(parts, config)


def _run(parts: Parts, config: Path | None) -> int:
    settings = parts.settings
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
    with needing_room(parts.data.root):
        validate(parts)
        parts.data.open(kind)
        prepare(parts)
        with parts.ledger().open() as ledger:
            words = first_administrator(parts, ledger)
    print(f"data directory {parts.data.root} is ready; the admin key is in {parts.data.admin_key}")
    if words:
        print(words)


def validate(parts: Parts) -> None:
    """Stop with the name of whatever makes no sense, before anything is written."""
    check_broker(parts.settings)
    parts.city()
    parts.connectors()
    parts.catalogue()
    parts.layout()
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
    supervisor = Supervisor(parts.data.run, env, log=log, ended=lambda child: _mark(parts, child))
    stop_on_signals(supervisor.stop)
    events = _Events()
    ledger = parts.ledger()
    broker = parts.embedded(events.add) if parts.settings.mqtt.host is None else None
    provisioning = events.provisioning = Provisioning(ledger.credentials, parts.provisioner(broker))
    beating = asyncio.create_task(_beat(parts, broker, events, provisioning))
    granting: asyncio.Task[None] | None = None
    log_of_broker = parts.broker_log(events.add)
    following = None if log_of_broker is None else asyncio.create_task(log_of_broker.run())
    try:
        if not await _divided(parts, broker, supervisor):
            return EXIT_CONFIGURATION if supervisor.failed is not None else 0
        if broker is not None:
            with named("broker.", "mqtt."):
                await prepare_sessions(broker, parts.running_layout())
                broker.know(broker_users(await asyncio.to_thread(ledger.credentials.all)))
                await broker.start()
        announce(parts)
        granting = asyncio.create_task(provisioning.run())
        keeping = asyncio.create_task(supervisor.keep(_children(parts)))
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
        for task in (beating, granting, following):
            if task is not None:
                task.cancel()
                await asyncio.gather(task, return_exceptions=True)
        ledger.close()
        if broker is not None:
            await broker.stop()
        (parts.data.run / "endpoints.json").unlink(missing_ok=True)
    if supervisor.failed is not None:
        _LOG.error("stopped", extra={"fields": {"process": supervisor.failed, "detail": "see its last log line"}})
        return EXIT_CONFIGURATION
    return 0


def _mark(parts: Parts, child: Ended) -> bool:
    """Have health say at once that a process is gone, also where it was killed; returns whether it had worked."""
    if child.name not in parts.processes():
        return False
    how = f"killed by signal {-child.code}" if child.code < 0 else f"exit code {child.code}"
    return last_word(parts.data.status(child.name), child.pid, PartHealth(child.name.partition("-")[0], False, how))


class _Events:
    """What the embedded broker says of its clients: counted, and logged once in a while."""

    def __init__(self) -> None:
        self.counts = Counter[str]()
        self._log = RateLimited(_LOG, time.time_ns)
        self.provisioning: Provisioning | None = None

    def add(self, event: BrokerEvent, username: str | None = None) -> None:
        """`username` where the broker told it beside the event."""
        self.counts[f"broker_{event.kind}"] += 1
        if self.provisioning is not None:
            self.provisioning.refused(event, username or username_of(event, {}))
        self._log.warning(
            event.kind, "broker", reason=event.kind, client=event.client, topic=event.topic, detail=event.text
        )


async def _beat(parts: Parts, broker: EmbeddedBroker | None, events: _Events, provisioning: Provisioning) -> None:
    def figures() -> Mapping[str, float]:
        return {"broker_restarts": 0 if broker is None else broker.restarts, **events.counts}

    def health() -> Sequence[PartHealth]:
        return [*([] if broker is None else [broker.health()]), provisioning.health()]

    await heartbeat(parts.data.status("broker"), os.getpid(), health, figures)


async def _divided(parts: Parts, broker: EmbeddedBroker | None, supervisor: Supervisor) -> bool:
    """Bring the broker's sessions to the division that the settings ask for; False when stopped meanwhile."""

    async def drain(shards: Sequence[int]) -> bool:
        await supervisor.finish([Child(f"ingest-{n}", [*_WORKER, f"drain-{n}"]) for n in shards])
        return not supervisor.stop.is_set()

    dividing = asyncio.create_task(divide(parts, broker, drain, lambda port: announce(parts, port)))
    stopped = asyncio.create_task(supervisor.stop.wait())
    await asyncio.wait({dividing, stopped}, return_when=asyncio.FIRST_COMPLETED)
    stopped.cancel()
    if not dividing.done():
        dividing.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await dividing
        return False
    (parts.data.run / "endpoints.json").unlink(missing_ok=True)
    return dividing.result()


def announce(parts: Parts, private_port: int | None = None) -> None:
    """Write where the hub listens, for other processes; `private_port` is for the hub's own alone."""
    broker, api = parts.broker(), parts.settings.api
    endpoints = Endpoints(broker.host, private_port or broker.port, f"http://{api.host}:{api.port}")
    write_atomically(parts.data.run / "endpoints.json", msgspec.json.encode(endpoints))


def _children(parts: Parts) -> Sequence[Child]:
    """The shards that are ours, those that earlier runs left a journal of, and the others."""
    ingest = parts.settings.ingest
    own = range(ingest.workers) if ingest.own_shards is None else ingest.own_shards
    shards = [*own, *range(ingest.workers, parts.data.shards())]
    return [
        *(Child(f"ingest-{shard}", [*_WORKER, f"ingest-{shard}"]) for shard in shards),
        Child("engine", [*_WORKER, "engine"]),
        Child("api", [*_WORKER, "api"]),
    ]
