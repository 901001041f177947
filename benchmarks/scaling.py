# SPDX-License-Identifier: EUPL-1.2
"""What a message costs, and how much memory ingest needs, with 1,000, 10,000 and 100,000 devices.

Each device sends in turn. In the first turn every series is met for the first time, and its newest time is looked up in
the store: that is told apart from what comes after, which is the cost in service. All runs have the same messages in
number, so the fewer devices, the more turns.
"""

import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from msgspec import Struct

from benchmarks import machine
from benchmarks.brokers import SETUPS
from benchmarks.consumers import CONSUMERS
from benchmarks.hubs import BenchmarkError, make_template
from benchmarks.load import Shape, messages
from benchmarks.publisher import publish
from benchmarks.trials import await_connection, await_count

DEVICES = (1_000, 10_000, 100_000)


class Scale(Struct, frozen=True):
    """One number of devices. CPU in microseconds a message, PSS in MB."""

    devices: int
    start_s: float  # from the start of the process to its connection
    messages_per_s: float  # after the first turn
    cpu_us: float  # after the first turn
    first_turn_cpu_us: float
    pss_mb: float


def scale(setup: str, devices: int, count: int, seed: int) -> Scale:
    """Drain a queue of at least two turns."""
    count = max(count, 2 * devices)
    load = list(messages(Shape(count, devices, seed), int(time.time())))
    with tempfile.TemporaryDirectory() as folder:
        template = make_template(Path(folder), devices)
        with SETUPS[setup](Path(folder), template) as bench:
            hub = CONSUMERS["hub"]
            hub.prepare(bench)
            publish(bench.port, load)
            launched = time.monotonic()
            with hub.start(bench, count) as running:
                await_connection(running.pid, bench)
                start, begun = time.monotonic() - launched, machine.cpu_seconds([running.pid])
                await_count(running, devices, bench)
                first, turned, met = running.confirmed(), time.monotonic(), machine.cpu_seconds([running.pid])
                await_count(running, count, bench)
                seconds, ended = time.monotonic() - turned, machine.cpu_seconds([running.pid])
                pss = machine.pss_bytes([running.pid])
            bench.hub.check(count, bench.held())
    rest = count - first
    if not rest:
        raise BenchmarkError(f"{count} messages were over with the first turn: take more")
    return Scale(devices, start, rest / seconds, (ended - met) * 1e6 / rest, (met - begun) * 1e6 / first, pss / 1e6)


def growth(runs: Sequence[Scale]) -> float:
    """How many times the cost with the fewest devices a message costs with the most."""
    ordered = sorted(runs, key=lambda run: run.devices)
    return ordered[-1].cpu_us / ordered[0].cpu_us
