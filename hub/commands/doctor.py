# SPDX-License-Identifier: EUPL-1.2
"""`cityhub doctor`: ask every part whether it works, compare clocks, and say what to do."""

import asyncio
import os
import shutil
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import suppress

import uvloop

from hub.app import Parts
from hub.commands._output import print_json, print_table
from hub.core.errors import HubError
from hub.core.ports import PartHealth
from hub.core.readings import NS
from hub.settings import Settings, is_loopback
from hub.status import read_status

_CLOCK_LIMIT = 2.0
_FREE_BYTES = 1_000_000_000
_FREE_SHARE = 0.05


def run_doctor(settings: Settings, *, json: bool) -> int:
    """Print the state of every part; returns 0 when all work, else 1."""
    findings = uvloop.run(_all(Parts(settings)))
    if json:
        print_json([finding._asdict() for finding in findings])
    else:
        print_table(
            "Doctor",
            ["part", "state", "found", "what to do"],
            [(f.part, "ok" if f.ok else "NOT OK", f.detail, f.hint) for f in findings],
        )
    return 0 if all(finding.ok for finding in findings) else 1


async def _all(parts: Parts) -> list[PartHealth]:
    return [finding async for finding in _findings(parts)]


async def _findings(parts: Parts) -> AsyncIterator[PartHealth]:
    for name, check in _CHECKS:
        try:
            for finding in await check(parts):
                yield finding
        except HubError as error:
            yield PartHealth(name, False, str(error), "mend what the message names")


async def _settings(parts: Parts) -> list[PartHealth]:
    city, connectors, catalogue = parts.city(), parts.connectors(), list(parts.catalogue())
    detail = f"{city.title[city.languages[0]]}; {len(connectors)} connectors; {len(catalogue)} indicators"
    return [PartHealth("configuration", True, detail)]


async def _disk(parts: Parts) -> list[PartHealth]:
    root = parts.data.root
    if not root.is_dir():
        return [PartHealth("data directory", False, f"{root} does not exist", "run `cityhub init` or `cityhub run`")]
    usage = shutil.disk_usage(root)
    enough = usage.free > _FREE_BYTES and usage.free / usage.total > _FREE_SHARE
    writable = os.access(root, os.W_OK)
    return [
        PartHealth(
            "data directory",
            enough and writable,
            f"{root}: {usage.free / 1e9:.1f} GB free of {usage.total / 1e9:.1f} GB"
            + ("" if writable else ", not writable"),
            "" if enough and writable else "make room, or give the hub's user the right to write",
        )
    ]


async def _ledger(parts: Parts) -> list[PartHealth]:
    with parts.ledger() as ledger:
        before = time.time_ns()
        health = ledger.check()
        findings = [health]
        if health.ok and (theirs := ledger.clock_ns()) is not None:
            findings.append(_clock("database clock", (theirs - (before + time.time_ns()) / 2) / NS))
        return findings


async def _store(parts: Parts) -> list[PartHealth]:
    store = parts.store()
    try:
        findings = [await store.check()]
        offset = getattr(store, "clock_offset", None)
        if findings[0].ok and offset is not None:
            seconds = await offset()
            if seconds is not None:
                findings.append(_clock("store clock", seconds))
        return findings
    finally:
        await store.close()


async def _broker(parts: Parts) -> list[PartHealth]:
    settings = parts.broker()
    try:
        async with asyncio.timeout(5):
            _, writer = await asyncio.open_connection(settings.host, settings.port)
    except (OSError, TimeoutError):
        embedded = parts.settings.mqtt.host is None
        hint = "start the hub: `cityhub run`" if embedded else "start the broker, or mend mqtt.host and mqtt.port"
        return [PartHealth("broker", False, f"{settings.address} does not answer", hint)]
    writer.close()
    with suppress(OSError):
        await writer.wait_closed()
    return [PartHealth("broker", True, f"{settings.address} answers")]


async def _processes(parts: Parts) -> list[PartHealth]:
    run = parts.data.run
    if parts.data.endpoints() is None:
        return [PartHealth("hub", False, "is not running on this data directory", "start it: `cityhub run`")]
    return [part for name in ("ingest-0", "engine") for part in read_status(run / f"{name}.json", name)]


async def _exposure(parts: Parts) -> list[PartHealth]:
    hosts = {"API": parts.settings.api.host, "MQTT": parts.settings.mqtt.bind}
    open_ = [name for name, host in hosts.items() if not is_loopback(host)]
    if not open_:
        return [PartHealth("exposure", True, "listens on loopback only")]
    return [PartHealth("exposure", True, f"{' and '.join(open_)} beyond loopback", "put HTTPS/TLS in front")]


def _clock(part: str, seconds: float) -> PartHealth:
    ok = abs(seconds) <= _CLOCK_LIMIT
    hint = "" if ok else "synchronise both clocks with NTP (timedatectl set-ntp true)"
    return PartHealth(part, ok, f"{seconds:+.3f} s against this machine", hint)


_Check = Callable[[Parts], Awaitable[list[PartHealth]]]
_CHECKS: tuple[tuple[str, _Check], ...] = (
    ("configuration", _settings),
    ("data directory", _disk),
    ("ledger", _ledger),
    ("readings", _store),
    ("broker", _broker),
    ("hub", _processes),
    ("exposure", _exposure),
)
