# SPDX-License-Identifier: EUPL-1.2
"""`cityhub doctor`: ask every part whether it works, compare clocks, and say what to do."""

import asyncio
import os
import shutil
import time
import urllib.request
from collections.abc import AsyncIterator, Awaitable, Callable

import uvloop

from hub.app import Parts
from hub.commands._disk import disk_findings
from hub.commands._output import print_json, print_table
from hub.core.delivery import Publication
from hub.core.errors import HubError
from hub.core.ports import PartHealth
from hub.core.readings import NS
from hub.ingest.interpret import OWN_TOPIC
from hub.settings import Settings
from hub.settings_sections import is_loopback
from hub.status import read_status, remedy

_CLOCK_LIMIT = 2.0
_BROKER_SECONDS = 6.0
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
    return [PartHealth("configuration", True, detail), PartHealth("division", True, parts.layout().division.words())]


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
        ),
        *await disk_findings(parts),
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
    finally:
        await store.close()
    if findings[0].ok and parts.settings.store.kind == "influx":
        from hub.storage.influx_clock import clock_offset

        findings.append(_clock("InfluxDB clock", await asyncio.to_thread(clock_offset, parts.influx()), resolution=1.0))
    return findings


async def _broker(parts: Parts) -> list[PartHealth]:
    """Publish one message, which takes the broker to answer; MQTT itself tells no time."""
    settings = parts.broker()
    embedded = parts.settings.mqtt.host is None
    publisher = parts.publisher(f"doctor-{os.getpid()}")
    began = time.monotonic()
    try:
        async with asyncio.timeout(_BROKER_SECONDS):
            await publisher.publish([Publication(f"{OWN_TOPIC}doctor", b"", retain=False)])
    except (HubError, TimeoutError) as error:
        hint = "start the hub: `cityhub run`" if embedded else "start the broker, or mend the settings of section mqtt"
        return [PartHealth("broker", False, f"{settings.address}: {error or 'no answer'}", hint)]
    finally:
        await publisher.close()
    took = (time.monotonic() - began) * 1000
    same = embedded or is_loopback(settings.host)
    clock = (
        PartHealth("broker clock", True, "this machine's own")
        if same
        else PartHealth("broker clock", True, "not known: MQTT tells no time; the hub stamps arrivals by its own clock")
    )
    return [PartHealth("broker", True, f"{settings.address} confirmed a message after {took:.0f} ms"), clock]


async def _api(parts: Parts) -> list[PartHealth]:
    endpoints = parts.data.endpoints()
    if endpoints is None:
        return []  # said by the check of the processes
    url = f"{endpoints.api.replace('//0.0.0.0', '//127.0.0.1')}/api/v1/health/live"
    try:
        async with asyncio.timeout(_BROKER_SECONDS):
            status = await asyncio.to_thread(_status_of, url)
    except (OSError, TimeoutError) as error:
        return [PartHealth("API", False, f"{url}: {error or 'no answer'}", "see the log of process api")]
    return [PartHealth("API", status == 200, f"{url} answers {status}", "" if status == 200 else "see the log")]


def _status_of(url: str) -> int:
    with urllib.request.urlopen(url, timeout=_BROKER_SECONDS) as answer:  # noqa: S310 the address is our own endpoint's
        return int(answer.status)


async def _processes(parts: Parts) -> list[PartHealth]:
    if parts.data.endpoints() is None:
        return [PartHealth("hub", False, "is not running on this data directory", "start it: `cityhub run`")]
    names = parts.processes()
    several = sum(name.startswith("ingest-") for name in names) > 1
    return [
        part._replace(part=f"{name}: {part.part}")
        if several and name.startswith("ingest-") and part.part != name
        else part
        for name in names
        for part in read_status(parts.data.status(name), name, remedy(parts.settings.ingest, name))
    ]


async def _exposure(parts: Parts) -> list[PartHealth]:
    hosts = {"API": parts.settings.api.host, "MQTT": parts.settings.mqtt.bind}
    open_ = [name for name, host in hosts.items() if not is_loopback(host)]
    if not open_:
        return [PartHealth("exposure", True, "listens on loopback only")]
    return [PartHealth("exposure", True, f"{' and '.join(open_)} beyond loopback", "put HTTPS/TLS in front")]


def _clock(part: str, seconds: float, resolution: float = 0.0) -> PartHealth:
    ok = abs(seconds) <= _CLOCK_LIMIT + resolution
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
    ("API", _api),
    ("exposure", _exposure),
)
