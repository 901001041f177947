# SPDX-License-Identifier: EUPL-1.2
"""`cityhub demo`: a hub on the embedded default with a simulated city, to look at and to play with.

History goes through the real broker first, then the city sends live. Two messages of one hour of one station are kept
back; when that hour has been closed as insufficient, one of them is sent late, and the page shows what it changed.
Whatever was simulated before is the same again after a restart (seed and anchor lie in demo.json), so starting the demo
on an old directory sends duplicates, not conflicts.
"""

import asyncio
import os
import shlex
import socket
import sys
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import msgspec
from msgspec import Struct
from rich.console import Console

from hub.app import Parts
from hub.commands.people import demo_administrator
from hub.commands.run import prepare, supervise, validate
from hub.commands.simulate import publish, register_city, send_history, send_live
from hub.core.errors import Stop
from hub.core.logs import configure_logging
from hub.core.readings import NS
from hub.core.windows import HOUR, format_instant, parse_instant
from hub.datadir import DataDir, write_atomically
from hub.settings import load_settings
from hub.simulation import SimulatedCity, SimulatedMessage, demo_faults, generate, simulated_city
from hub.status import read_status
from hub.storage.ledger import Ledger
from hub.strategy.catalogue import load_directory

_STATION = "sim-air-2"
_CUT_OFF = "sim-traffic-1"
_HOLD = "demo history"
_YEAR = 366 * 86400 * NS
_LONGEST = 72 * HOUR


class Anchor(Struct, frozen=True):
    """What makes a demo repeat itself: seed, and the moment of its first start (ns)."""

    seed: int
    start: int
    hours: int

    @property
    def late_hour(self) -> int:
        """Begin of the hour of which one message comes late: the ninth before the start."""
        return (self.start // HOUR - 9) * HOUR


def run_demo(data: Path, *, port: int, mqtt_port: int, seed: int, hours: int) -> int:
    """Run until stopped; returns the exit code."""
    console = Console(highlight=False)
    folder = DataDir(data)
    folder.open("demo")
    with folder.locked():
        anchor = _anchor(folder, seed, hours)
        (folder.run / "endpoints.json").unlink(missing_ok=True)
        config = folder.root / "cityhub.toml"
        api, mqtt = _free(port), _free(mqtt_port)
        write_atomically(config, f"[api]\nport = {api}\n\n[mqtt]\nport = {mqtt}\n".encode())
        settings = load_settings(config, data=folder.root)
        log = folder.root / "hub.log"
        configure_logging("INFO", log)
        parts = Parts(settings)
        validate(parts)
        prepare(parts)
        handle = os.open(log, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        env = {"CITYHUB_CONFIG": str(config), "CITYHUB_DATA": str(folder.root)}
        console.print(f"Starting the hub (log: {_shown(log)}) …", markup=False)
        try:
            return asyncio.run(supervise(parts, env, lambda p: _simulate(p, anchor, console), handle))
        finally:
            os.close(handle)
            console.print(
                "Stopped. `make demo` goes on where it was; remove the directory to begin anew.", markup=False
            )


def _anchor(folder: DataDir, seed: int, hours: int) -> Anchor:
    file = folder.root / "demo.json"
    if file.exists():
        try:
            found = msgspec.json.decode(file.read_bytes(), type=Anchor)
        except msgspec.MsgspecError as error:
            raise Stop(f"{file} cannot be read: {error}; remove {folder.root} to begin anew") from error
        if time.time_ns() - found.start > _LONGEST:
            raise Stop(f"the demo in {folder.root} is older than three days: remove the directory to begin anew")
        return found
    anchor = Anchor(seed, time.time_ns(), hours)
    write_atomically(file, msgspec.json.encode(anchor))
    return anchor


def _free(wanted: int) -> int:
    """The port wanted, or the next one that is free."""
    for port in range(wanted, min(wanted + 100, 65536)):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port
    raise Stop(f"no free port from {wanted} on")


async def _simulate(parts: Parts, anchor: Anchor, console: Console) -> None:
    city = simulated_city(anchor.seed, parts.city())
    with parts.ledger().open() as ledger:
        register_city(ledger.devices, city)
        parts.monitoring(ledger).take(load_directory(), by="demo", reason="catalogue of the city")
        ledger.holds.release(_HOLD)  # a demo that was killed may have left it
        ledger.holds.add(_HOLD, now := time.time_ns(), now + HOUR)  # the past is closed once, with all its readings
    await _until_up(parts)
    publisher = parts.publisher("simulator")
    sent: Counter[str] = Counter()
    now = time.time_ns()
    first = anchor.start - anchor.hours * HOUR
    faults = demo_faults(anchor.start)
    console.print(f"Sending {anchor.hours} hours of history through the broker …", markup=False)
    await send_history(publisher, _kept_back(anchor, generate(city, first, now, faults)), sent)
    with parts.ledger().open() as ledger:
        await _followed(parts, ledger)
        ledger.holds.release(_HOLD)
        await _closed(ledger)
    await publish(publisher, [*_late(city, anchor), _garbage(city)], sent)
    with parts.ledger().open() as ledger:
        await _followed(parts, ledger)
    _tell(parts, anchor, sent.total(), console)
    await send_live(publisher, _kept_back(anchor, generate(city, now, now + _YEAR, faults)), sent)


def _minute(message: SimulatedMessage, anchor: Anchor) -> int | None:
    """Minute of the late hour that a message of the station is about, None for all others."""
    if message.device != _STATION or not message.payload.startswith(b"{"):
        return None
    time_ns = parse_instant(msgspec.json.decode(message.payload)["time"]) - anchor.late_hour
    return time_ns // (60 * NS) if 0 <= time_ns < HOUR else None


def _kept_back(anchor: Anchor, messages: Iterator[SimulatedMessage]) -> Iterator[SimulatedMessage]:
    return (m for m in messages if _minute(m, anchor) not in {40, 50})


def _late(city: SimulatedCity, anchor: Anchor) -> list[SimulatedMessage]:
    hour = anchor.late_hour
    return [m for m in generate(city, hour, hour + 2 * HOUR) if _minute(m, anchor) == 40]


def _garbage(city: SimulatedCity) -> SimulatedMessage:
    """A telegram that was cut off on the way, for the quarantine."""
    item = next(item for item in city.devices if item.id == _CUT_OFF)
    now = time.time_ns()
    whole = next(generate(city, now - HOUR, now))
    return whole._replace(
        topic=f"devices/{item.id}/readings", payload=whole.payload[:-20], device=item.id, fault="garbage"
    )


async def _until_up(parts: Parts) -> None:
    """Wait until ingest and engine report, and the page answers."""
    names = parts.processes()
    while True:
        if all(part.ok for name in names for part in read_status(parts.data.status(name), name)):
            try:
                _, writer = await asyncio.open_connection(parts.settings.api.host, parts.settings.api.port)
            except OSError:
                pass
            else:
                writer.close()
                return
        await asyncio.sleep(0.2)


async def _followed(parts: Parts, ledger: Ledger) -> None:
    """Wait until ingest has taken everything in and the engine has followed the touch log to its end."""
    journals = parts.journals()
    quiet = 0
    while quiet < 4:  # looks in a row without anything new
        positions = [ledger.values.cursor(f"touch:{shard}") for shard in range(len(journals))]
        newest = [journal.touches(at, 1)[1] for journal, at in zip(journals, positions, strict=True)]
        quiet = quiet + 1 if newest == positions else 0
        await asyncio.sleep(0.3)
    for journal in journals:
        journal.close()


async def _closed(ledger: Ledger) -> None:
    """Wait until every window whose grace is over is closed."""
    while ledger.values.due(time.time_ns(), 1):  # noqa: ASYNC110 it is another process that closes them
        await asyncio.sleep(0.3)


def _tell(parts: Parts, anchor: Anchor, sent: int, console: Console) -> None:
    command = shlex.quote(_shown(Path(sys.argv[0]))) if sys.argv[0].endswith("cityhub") else "cityhub"
    data = shlex.quote(_shown(parts.data.root))
    site = f"{parts.city().id}"
    with parts.ledger().open() as ledger:
        place = ledger.devices.snapshot().devices[_STATION].place or site
        login = demo_administrator(parts, ledger)
    lines = [
        (
            "Send a reading",
            f'{command} publish devices/{_STATION}/readings \'{{"readings": {{"pm10": 42}}}}\' --data {data}',
        ),
        ("Send garbage", f"{command} publish devices/{_STATION}/readings 'no JSON at all' --data {data}"),
        (
            "Kill the hub (ingest, engine, API), have it come back, and see that nothing is lost",
            f"kill -9 $(cat {data}/run/*.pid); sleep 12; {command} reconcile --data {data}",
        ),
        (
            "Explain the value that a late reading changed",
            f"{command} indicators explain eaqi_2024 {place} {format_instant(anchor.late_hour)} --data {data}",
        ),
    ]
    console.print(f"\n{sent} simulated messages taken in. The hub is running: ", end="", markup=False)
    console.print(f"http://{parts.settings.api.host}:{parts.settings.api.port}/", style="bold")
    console.print(f"{login}.", markup=False, soft_wrap=True)
    told = "Everything in it is simulated (SIMULACE). Four commands to paste into another terminal:\n"
    console.print(told, soft_wrap=True)
    for title, line in lines:
        console.print(f"  # {title}", style="dim", markup=False, soft_wrap=True)
        console.print(f"  {line}\n", markup=False, soft_wrap=True)
    console.print("Ctrl-C stops everything.", markup=False)


def _shown(path: Path) -> str:
    """A path as short as it can be written from here."""
    try:
        return str(path.absolute().relative_to(Path.cwd()))
    except ValueError:
        return str(path)
