# SPDX-License-Identifier: EUPL-1.2
"""Where ingest spends its time: `python -m benchmarks.stages` prints microseconds a message for each stage.

Each stage runs alone over the same batches, in one process, with the parts that the hub itself puts together. The
figures add up to less than a whole run, in which the network thread and the event loop wait for the same interpreter.
`wall - cpu` is time spent waiting: for the database, for the disk. With --profile each stage runs under cProfile, which
makes many small calls look dearer than they are.
"""

import argparse
import asyncio
import cProfile
import pstats
import signal
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from rich.console import Console
from rich.table import Table

from benchmarks.brokers import SETUPS, Bench
from benchmarks.hubs import make_template
from benchmarks.load import Message, Shape, messages
from benchmarks.publisher import publish
from hub import sdk
from hub.core.delivery import Delivery
from hub.ingest.accounting import settle, touches_of
from hub.ingest.interpret import batch_of
from hub.ingest.journal import SqliteJournal
from hub.ingest.sampler import Sampler

_BATCH = 5_000
_DECODE = "decode (also part of interpret)"


class Watch:
    """Adds up what each stage costs: seconds by the clock, and of this process's CPU."""

    def __init__(self, profile: str | None) -> None:
        self.wall: dict[str, float] = defaultdict(float)
        self.cpu: dict[str, float] = defaultdict(float)
        self.profiler = cProfile.Profile()
        self._profile = profile

    @contextmanager
    def at(self, stage: str) -> Iterator[None]:
        """Charge what happens inside to `stage`."""
        profiled = self._profile is not None and stage.startswith(self._profile)
        wall, cpu = time.perf_counter(), time.process_time()
        if profiled:
            self.profiler.enable()
        yield
        if profiled:
            self.profiler.disable()
        self.wall[stage] += time.perf_counter() - wall
        self.cpu[stage] += time.process_time() - cpu


async def behind_the_network(bench: Bench, load: Sequence[Message], watch: Watch) -> None:
    """Interpret, store, account, commit: as `Pipeline.take` does, on ready deliveries."""
    parts = bench.hub.parts
    store, journal, interpreter = parts.store(writer=True), SqliteJournal(parts.data.journal()), parts.interpreter()
    sampler = Sampler(parts.settings.ingest.samples, parts.settings.ingest.samples_every_s)
    with parts.ledger().open() as ledger:
        interpreter.register(ledger.devices.snapshot().devices.values())
    for first in range(0, len(load), _BATCH):
        some = _deliveries(load[first : first + _BATCH])
        _decode(parts.connectors(), some, watch)
        with watch.at("interpret: route, decode, attribute, normalise"):
            meanings = [interpreter.interpret(delivery, {}) for delivery in some]
        with watch.at("account: rows and touches"):
            rows, touches = batch_of(meanings), touches_of(meanings)
        with watch.at("store: look up, encode, write, wait"):
            result = await store.put(rows)
        with watch.at("account: settle"):
            batch = settle(meanings, result, touches)
            batch.samples, batch.samples_kept = sampler.take(meanings), sampler.keep
        with watch.at("journal: commit"):
            await journal.commit(batch)
    await store.close()
    await journal.close()


async def the_network(bench: Bench, load: Sequence[Message], watch: Watch) -> None:
    """The session alone: everything that comes is acknowledged at once."""
    if bench.hub.parts.settings.mqtt.host is not None:
        setup = bench.hub.parts.session(lambda _: None)
        await setup.ready()
        await setup.close()
    await asyncio.to_thread(publish, bench.port, load)
    session, left = bench.hub.parts.session(lambda _: None), len(load)
    with watch.at("MQTT: receive, hand over, acknowledge"):
        async for batch in session.batches():
            await session.ack([delivery.token for delivery in batch])
            left -= len(batch)
            if left <= 0:
                break
    await session.close()


def _deliveries(load: Sequence[Message]) -> list[Delivery]:
    now = time.time_ns()
    return [Delivery(message.topic, message.payload, now, 1, False, False, i) for i, message in enumerate(load, 1)]


def _decode(connectors: Sequence[sdk.Connector], some: Sequence[Delivery], watch: Watch) -> None:
    native = next(connector for connector in connectors if connector.name == "native")
    with watch.at(_DECODE):
        for delivery in some:
            message = sdk.RawMessage(delivery.topic, delivery.payload, delivery.received)
            list(native.decode(message, {"device": delivery.topic.split("/")[1]}))


def show(setup: str, watch: Watch, count: int) -> None:
    """Print the stages."""
    table = Table(title=f"{setup}: microseconds a message, each stage alone")
    for head in ("stage", "wall", "CPU"):
        table.add_column(head, justify="left" if head == "stage" else "right")
    for stage, wall in watch.wall.items():
        table.add_row(stage, f"{wall * 1e6 / count:.1f}", f"{watch.cpu[stage] * 1e6 / count:.1f}")
    Console(width=100).print(table)
    if watch.profiler.getstats():
        pstats.Stats(watch.profiler).sort_stats("tottime").print_stats(25)


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure all stages of the set-ups asked for."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.stages", description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--messages", type=int, default=30_000)
    parser.add_argument("--devices", type=int, default=1_000)
    parser.add_argument("--setups", nargs="+", choices=list(SETUPS), default=list(SETUPS))
    parser.add_argument("--profile", metavar="STAGE", help="run stages that begin so under cProfile")
    options = parser.parse_args(arguments)
    load = list(messages(Shape(options.messages, options.devices), int(time.time())))
    with tempfile.TemporaryDirectory() as folder:
        template = make_template(Path(folder), options.devices)
        for setup in options.setups:
            watch = Watch(options.profile)
            with tempfile.TemporaryDirectory() as place, SETUPS[setup](Path(place), template) as bench:
                asyncio.run(the_network(bench, load, watch))
                asyncio.run(behind_the_network(bench, load, watch))
            show(setup, watch, len(load))
    return 0


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # servers must not outlive a benchmark that is stopped
    sys.exit(main())
