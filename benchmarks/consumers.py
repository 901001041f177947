# SPDX-License-Identifier: EUPL-1.2
"""Who drains the broker's queue: the hub's ingest, mosquitto_sub, a bare paho subscriber. One shape for all."""

import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from typing import NamedTuple

from benchmarks.brokers import Bench
from benchmarks.machine import is_running
from benchmarks.publisher import make_session
from tests.servers import require_binary

_ID = "bench-consumer"
_FILTER = "devices/#"


class Drainer(NamedTuple):
    """A running consumer. `confirmed` says how many messages are done with; yardsticks say it by ending."""

    pid: int
    confirmed: Callable[[], int]


class Consumer(NamedTuple):
    """`prepare` leaves its session behind; `start` runs it for a number of messages."""

    prepare: Callable[[Bench], None]
    start: Callable[[Bench, int], AbstractContextManager[Drainer]]


@contextmanager
def _ingest(bench: Bench, _count: int) -> Iterator[Drainer]:
    with bench.hub.ingest() as pid:
        yield Drainer(pid, bench.hub.confirmed)


@contextmanager
def _yardstick(command: Sequence[str], count: int) -> Iterator[Drainer]:
    # not waited for until the end: the system keeps the accounts of a process only so long
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    try:
        yield Drainer(process.pid, lambda: 0 if is_running(process.pid) else count)
    finally:
        process.kill()
        code = process.wait()
    if code:
        raise RuntimeError(f"{command[0]} ended with {code}")


def _mosquitto_sub(bench: Bench, count: int) -> AbstractContextManager[Drainer]:
    tool = str(require_binary("mosquitto_sub"))
    options = ["-h", "127.0.0.1", "-p", str(bench.port), "-q", "1", "-c", "-i", _ID, "-t", _FILTER, "-C", str(count)]
    return _yardstick([tool, *options], count)


def _paho(bench: Bench, count: int) -> AbstractContextManager[Drainer]:
    command = [sys.executable, "-m", "benchmarks.paho_subscriber", str(bench.port), _ID, _FILTER, str(count)]
    return _yardstick(command, count)


def _own_session(bench: Bench) -> None:
    make_session(bench.port, _ID, _FILTER)


def _hub_session(bench: Bench) -> None:
    if bench.hub.parts.settings.mqtt.host is not None:  # on its own broker the hub has made it before the start
        bench.hub.make_session()


CONSUMERS = {
    "paho": Consumer(_own_session, _paho),
    "hub": Consumer(_hub_session, _ingest),
    "mosquitto_sub": Consumer(_own_session, _mosquitto_sub),
}
