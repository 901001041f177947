# SPDX-License-Identifier: EUPL-1.2
"""`cityhub simulate`: a seeded city that sends through the real broker, history first, then live.

Simulated readings are marked in every payload and their devices are registered with origin simulated, so that nothing
computed from them can be taken for measured.
"""

import asyncio
import contextlib
import os
import time
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence

import uvloop

from hub.app import Parts
from hub.commands._output import print_json
from hub.core.delivery import Publication
from hub.core.errors import Retry
from hub.core.ports import DeviceBook, Publisher
from hub.core.readings import NS
from hub.settings import Settings
from hub.simulation import (
    Faults,
    SimulatedCity,
    SimulatedMessage,
    generate,
    registration,
    simulated_city,
    site_places,
)

_CHUNK = 250
_YEAR = 366 * 86400 * NS


def run_simulation(
    settings: Settings,
    *,
    seed: int,
    hours: float,
    duration: float | None,
    speed: float | None,
    faults: Sequence[str],
    register: bool,
    json: bool,
) -> int:
    """Run the command; returns the exit code."""
    parts = Parts(settings)
    city = simulated_city(seed, parts.city())
    plan = Faults.parse(faults)
    if register:
        with parts.ledger().open() as ledger:
            print_new = register_city(ledger.devices, city)
        if not json:
            print(f"{print_new} simulated devices registered")
    sent: Counter[str] = Counter()
    with contextlib.suppress(KeyboardInterrupt):
        uvloop.run(_simulate(parts, city, plan, hours, duration, speed, sent))
    if json:
        print_json({"sent": sent.total(), "faults": {name: n for name, n in sent.items() if name != "ok"}})
    else:
        print(f"sent {sent.total()} messages: " + ", ".join(f"{name} {n}" for name, n in sorted(sent.items())))
    return 0


def register_city(book: DeviceBook, city: SimulatedCity) -> int:
    """Register sites and devices that are not there yet; returns how many devices are new."""
    snapshot = book.snapshot()
    book.put_places([place for place in site_places(city) if place.id not in snapshot.places])
    fresh = [device for device in registration(city) if device.id not in snapshot.devices]
    for device in fresh:
        book.add_device(device)
    return len(fresh)


async def _simulate(
    parts: Parts,
    city: SimulatedCity,
    faults: Faults,
    hours: float,
    duration: float | None,
    speed: float | None,
    sent: Counter[str],
) -> None:
    publisher = parts.publisher(f"simulate-{os.getpid()}")
    try:
        async with asyncio.timeout(duration):
            now = time.time_ns()
            begin = now - int(hours * 3600 * NS)
            past = generate(city, begin, now, faults)
            if speed is None:
                await send_history(publisher, past, sent)
            else:
                await send_live(publisher, past, sent, begin=begin, speed=speed)
            await send_live(publisher, generate(city, now, now + _YEAR, faults), sent)
    except TimeoutError:
        pass  # the duration is over
    finally:
        await publisher.close()


async def send_history(publisher: Publisher, messages: Iterable[SimulatedMessage], sent: Counter[str]) -> None:
    """Send as fast as the broker confirms."""
    chunk: list[SimulatedMessage] = []
    for message in messages:
        chunk.append(message)
        if len(chunk) == _CHUNK:
            await publish(publisher, chunk, sent)
            chunk = []
    await publish(publisher, chunk, sent)


async def send_live(
    publisher: Publisher,
    messages: Iterator[SimulatedMessage],
    sent: Counter[str],
    *,
    begin: int | None = None,
    speed: float = 1.0,
) -> None:
    """Send each message at its time; with `begin`, times run from there at `speed` simulated seconds per second."""
    origin, started = time.time_ns() if begin is None else begin, time.time_ns()
    for message in messages:
        due = started + (message.time_ns - origin) / speed
        await asyncio.sleep(max(0.0, (due - time.time_ns()) / NS))
        await publish(publisher, [message], sent)


async def publish(publisher: Publisher, messages: Sequence[SimulatedMessage], sent: Counter[str]) -> None:
    """Publish until the broker has confirmed."""
    batch = [Publication(message.topic, message.payload) for message in messages]
    while True:
        try:
            await publisher.publish(batch)
        except Retry as error:
            await asyncio.sleep(error.after)
        else:
            sent.update(message.fault or "ok" for message in messages)
            return
