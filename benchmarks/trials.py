# SPDX-License-Identifier: EUPL-1.2
"""What is measured: how fast a queue drains, how late a reading is durable, what the whole hub needs."""

import bisect
import tempfile
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from statistics import median

from msgspec import Struct

from benchmarks import machine
from benchmarks.brokers import SETUPS, Bench
from benchmarks.consumers import CONSUMERS, Drainer
from benchmarks.hubs import BenchmarkError
from benchmarks.load import Message
from benchmarks.publisher import publish

_POLL = 0.01  # s between looks at progress
_FINE_POLL = 0.005
_STALLED = 60.0  # s without progress
_SETTLE = 90.0  # s that the engine is given to catch up


class Drain(Struct, frozen=True):
    """One consumer emptied a queue. CPU in microseconds a message; memory (PSS) in MB."""

    consumer: str
    seconds: float
    messages_per_s: float
    cpu_us: float
    broker_cpu_us: float
    store_cpu_us: float
    pss_mb: float


class Live(Struct, frozen=True):
    """The publisher ran at the same time. Milliseconds from sending to durable; CPU of a message, whosever it is."""

    rate: float
    p50_ms: float
    p99_ms: float
    cpu_us: float
    set_aside: int = 0


class Whole(Struct, frozen=True):
    """`cityhub run` emptied a queue with the engine computing beside it; by process of the hub."""

    messages_per_s: float
    caught_up_s: float | None
    cpu_us: Mapping[str, float]
    pss_mb: Mapping[str, float]


def drain(setup: str, consumer: str, messages: Sequence[Message], template: Path) -> Drain:
    """Fill a session's queue on fresh servers, then time the consumer."""
    with tempfile.TemporaryDirectory() as folder, SETUPS[setup](Path(folder), template) as bench:
        one, count = CONSUMERS[consumer], len(messages)
        one.prepare(bench)
        publish(bench.port, messages)
        with one.start(bench, count) as running:
            await_connection(running.pid, bench)
            before = _accounts(bench, running)
            await_count(running, count, bench)
            after = _accounts(bench, running)
            pss = machine.pss_bytes([running.pid]) if machine.is_running(running.pid) else 0
        if consumer == "hub":
            bench.hub.check(count, bench.held())
        seconds, *cpu = (b - a for a, b in zip(before, after, strict=True))
        own, broker, store = (value * 1e6 / count for value in cpu)
        return Drain(consumer, seconds, count / seconds, own, broker, store, pss / 1e6)


def live(
    setup: str,
    messages: Sequence[Message],
    template: Path,
    rate: float,
    beside: Callable[[Bench], AbstractContextManager[None]] | None = None,
) -> Live:
    """Publish at `rate` while ingest runs; match the k-th message sent with the k-th durable one.

    `beside` is what else goes on meanwhile; only messages of registered devices count.
    """
    with tempfile.TemporaryDirectory() as folder, SETUPS[setup](Path(folder), template) as bench:
        hub = CONSUMERS["hub"]
        hub.prepare(bench)
        with hub.start(bench, len(messages)) as worker:
            running = worker._replace(confirmed=bench.hub.decoded)
            await_connection(running.pid, bench)
            publish(bench.port, messages[:100])  # fills the caches
            await_count(running, 100, bench)
            with beside(bench) if beside is not None else nullcontext():
                before = machine.cpu_seconds([running.pid])
                sent, durable = _watched(bench, running, messages[100:], rate)
                cpu = machine.cpu_seconds([running.pid]) - before
                others = bench.hub.set_aside()
        delays = sorted((done - moment) * 1e3 for moment, done in zip(sent, durable, strict=True))
        p50, p99 = median(delays), delays[int(len(delays) * 0.99)]
        return Live(rate, p50, p99, cpu * 1e6 / (len(sent) + others), others)


def whole(setup: str, messages: Sequence[Message], template: Path) -> Whole:
    """Everything on: supervisor, ingest, engine, API; the hub's own broker among them where it is embedded."""
    with tempfile.TemporaryDirectory() as folder, SETUPS[setup](Path(folder), template) as bench:
        CONSUMERS["hub"].prepare(bench)
        publish(bench.port, messages)
        bench.release()
        with bench.hub.whole() as supervisor:
            ingest = await_worker(bench, "ingest-0", supervisor)
            await_connection(ingest, bench)
            began = time.monotonic()
            await_count(Drainer(ingest, bench.hub.confirmed), len(messages), bench)
            seconds = time.monotonic() - began
            caught_up = _await_engine(bench)
            until(bench.hub.answers, 0.05, bench)
            pids = {**bench.hub.workers(), "supervisor": supervisor}
            cpu = {name: machine.cpu_seconds([pid]) * 1e6 / len(messages) for name, pid in pids.items()}
            pss = {name: machine.pss_bytes([pid]) / 1e6 for name, pid in pids.items()}
        bench.hub.check(len(messages), bench.held())
        return Whole(len(messages) / seconds, caught_up, cpu, pss)


def await_connection(pid: int, bench: Bench) -> None:
    """Return when the process has its connection to the broker, or has ended."""
    until(lambda: machine.is_connected(pid, bench.port) or not machine.is_running(pid), 0.002, bench)


def await_count(running: Drainer, count: int, bench: Bench) -> None:
    """Return when `count` messages are confirmed; raise when nothing moves any more."""
    seen, moved = 0, time.monotonic()
    while seen < count:
        time.sleep(_POLL)
        now = running.confirmed()
        moved = time.monotonic() if now != seen else moved
        seen = now
        if seen < count and (time.monotonic() - moved > _STALLED or not machine.is_running(running.pid)):
            raise BenchmarkError(f"stopped at {seen} of {count} messages: {bench.hub.log_tail()}")


def until(reached: Callable[[], bool], poll: float, bench: Bench) -> None:
    """Return when `reached` says so; raise when it never does."""
    deadline = time.monotonic() + _STALLED
    while not reached():
        if time.monotonic() > deadline:
            raise BenchmarkError(f"nothing happened for {_STALLED:g} s: {bench.hub.log_tail()}")
        time.sleep(poll)


def _accounts(bench: Bench, running: Drainer) -> tuple[float, float, float, float]:
    servers = (machine.cpu_seconds(bench.servers.get(name, ())) for name in ("broker", "store"))
    return time.monotonic(), machine.cpu_seconds([running.pid]), *servers  # type: ignore[return-value] # two of them


def _watched(
    bench: Bench, running: Drainer, messages: Sequence[Message], rate: float
) -> tuple[Sequence[float], Sequence[float]]:
    """When each message was sent, and when it was seen durable (as fine as the polling)."""
    sent: list[float] = []
    thread = threading.Thread(target=lambda: sent.extend(publish(bench.port, messages, connections=1, rate=rate)))
    base, moments, counts = running.confirmed(), list[float](), list[int]()
    thread.start()
    deadline = time.monotonic() + len(messages) / rate + _STALLED
    while not counts or counts[-1] < len(messages):
        if time.monotonic() > deadline:
            raise BenchmarkError(f"stopped at {counts[-1]} of {len(messages)} messages: {bench.hub.log_tail()}")
        time.sleep(_FINE_POLL)
        counts.append(running.confirmed() - base)
        moments.append(time.monotonic())
    thread.join()
    return sent, [moments[bisect.bisect_left(counts, k)] for k in range(1, len(messages) + 1)]


def await_worker(bench: Bench, name: str, supervisor: int) -> int:
    """Process id of a worker of the whole hub once it runs."""

    def known() -> bool:
        if not machine.is_running(supervisor):
            raise BenchmarkError(f"cityhub run ended: {bench.hub.log_tail()}")
        return name in bench.hub.workers()

    until(known, 0.01, bench)
    return bench.hub.workers()[name]


def _await_engine(bench: Bench) -> float | None:
    """Seconds until the engine has taken all touches; None when it does not get there in time."""
    began = time.monotonic()
    while time.monotonic() - began < _SETTLE:
        if bench.hub.unseen() == 0:
            return time.monotonic() - began
        time.sleep(0.2)
    return None
