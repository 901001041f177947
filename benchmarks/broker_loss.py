# SPDX-License-Identifier: EUPL-1.2
"""What a broker loses of what it confirmed to publishers, when the broker itself is killed with SIGKILL.

    python -m benchmarks.broker_loss [--rate 500] [--runs 2]

A publisher sends numbered QoS 1 messages at a steady rate and counts PUBACKs; the broker is killed at a random moment
(the seed is printed), started again, and a hub's session fetches what is there. Lost is what was confirmed and never
came. "away" has the hub disconnected throughout, so that everything lies in the broker; "there" has it connected and
confirming, so that little lies in the broker at any moment. The subscription is on disk before it begins.

SIGKILL leaves what the operating system has; a power cut takes what was not synced, and is not measured here.
"""

import argparse
import asyncio
import os
import random
import signal
import tempfile
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from benchmarks.brokers import MOSQUITTO
from benchmarks.load import Message
from benchmarks.publisher import connected, make_session, publish_packet
from hub.transport import BrokerSettings, Session
from tests.servers import Server, mosquitto_server, nats_server

_HUB = "hub"
_QUIET = 2.0  # s without a message after which nothing more is expected


class Setting(NamedTuple):
    """A broker as it is configured, and between which seconds it is killed."""

    name: str
    make: Callable[[Path], Server]
    earliest: float
    latest: float


def _mosquitto(**options: str) -> Callable[[Path], Server]:
    changed: Mapping[str, str] = {**MOSQUITTO, **options}
    return lambda directory: mosquitto_server(directory, options=changed)


SETTINGS = (
    Setting("Mosquitto, autosave_interval 30 (docker-compose.yml)", _mosquitto(), 32.0, 60.0),
    Setting("Mosquitto, autosave_interval 1", _mosquitto(autosave_interval="1"), 3.0, 6.0),
    Setting(
        "Mosquitto, autosave_on_changes true, autosave_interval 1",
        _mosquitto(autosave_on_changes="true", autosave_interval="1"),
        3.0,
        6.0,
    ),
    Setting("NATS, sync_interval 250ms (embedded)", lambda directory: nats_server(directory, ack_wait="1s"), 3.0, 6.0),
)


class Loss(NamedTuple):
    """One run."""

    seconds: float
    offered: int
    confirmed: int
    lost: int


def main() -> None:
    """Measure all settings and print a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rate", type=int, default=500, help="messages offered in a second")
    parser.add_argument("--runs", type=int, default=2, help="runs of each")
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    rng = random.Random(given.seed)
    print(f"seed {given.seed}, {given.rate} messages/s offered")
    print("| broker | hub | killed after s | offered | confirmed | lost |\n|---|---|---|---|---|---|")
    for setting in SETTINGS:
        for there in (False, True):
            for _ in range(given.runs):
                with tempfile.TemporaryDirectory(prefix="broker-loss-") as directory:
                    loss = measure(setting, Path(directory), given.rate, there, rng)
                row = (setting.name, "there" if there else "away", f"{loss.seconds:.1f}", *loss[1:])
                print(f"| {' | '.join(map(str, row))} |", flush=True)


def measure(setting: Setting, directory: Path, rate: int, there: bool, rng: random.Random) -> Loss:
    """Start, publish, kill, start again, fetch."""
    server = setting.make(directory)
    server.start()
    try:
        make_session(server.port, _HUB, "#")
        os.kill(server.pid, signal.SIGUSR1)  # Mosquitto: save now; NATS: open its log anew
        time.sleep(0.5)
        seconds = rng.uniform(setting.earliest, setting.latest)
        return asyncio.run(_run(server, rate, seconds, there))
    finally:
        server.stop()


async def _run(server: Server, rate: int, seconds: float, there: bool) -> Loss:
    got: set[int] = set()
    session = Session(BrokerSettings(port=server.port, client_id=_HUB, reconnect_max=0.2), ["#"], subscribed=True)
    if there:
        fetching = asyncio.create_task(_fetch(session, got))
        await session.ready()
    offered, confirmed = await asyncio.to_thread(_publish, server, rate, seconds)
    await asyncio.to_thread(server.start)
    if not there:
        fetching = asyncio.create_task(_fetch(session, got))
    await session.ready()
    before = -1
    while before != len(got):
        before = len(got)
        await asyncio.sleep(_QUIET)
    await session.close()
    await fetching
    return Loss(seconds, offered, confirmed, len(set(range(confirmed)) - got))


async def _fetch(session: Session, got: set[int]) -> None:
    async for batch in session.batches():
        got.update(int(delivery.payload) for delivery in batch)
        await session.ack([delivery.token for delivery in batch])


def _publish(server: Server, rate: int, seconds: float) -> tuple[int, int]:
    """Messages offered and confirmed until the broker is killed."""
    offered, heard = 0, 0
    began = time.monotonic()
    with suppress(OSError), connected(server.port, "publisher", clean=True) as sock:
        sock.setblocking(False)
        pending = b""
        while (now := time.monotonic() - began) < seconds:
            due = int(now * rate)
            for number in range(offered, due):
                pending += publish_packet(Message("a", b"%d" % number), number % 60_000 + 1)
            offered = due
            with suppress(BlockingIOError):
                pending = pending[sock.send(pending) :] if pending else b""
            with suppress(BlockingIOError):
                heard += len(sock.recv(65_536))
            time.sleep(0.002)
        server.kill()
        with suppress(OSError):
            while data := sock.recv(65_536):  # PUBACKs that were on the way
                heard += len(data)
    return offered, heard // 4


if __name__ == "__main__":
    main()
