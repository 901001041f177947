# SPDX-License-Identifier: EUPL-1.2
"""Several real processes on one ledger at the same time, one of them killed; on both databases."""

import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from hub.core.ports import ValueQuery
from hub.storage.ledger import Ledger
from tests.storage.ledger.samples import HOUR
from tests.storage.ledger.worker import BATCH, ROUNDS

ROOT = Path(__file__).parents[3]
NAMES = ("engine", "api", "cli")


def start(url: str, job: str, name: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "tests.storage.ledger.worker", url, job, name]
    return subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)


def finish(workers: Sequence[subprocess.Popen[str]]) -> list[list[str]]:
    """Lines of each; all must have ended well."""
    printed = [worker.communicate(timeout=100)[0].split() for worker in workers]
    assert [worker.returncode for worker in workers] == [0] * len(workers)
    return printed


def test_processes_that_begin_at_the_same_time_upgrade_once_and_one_becomes_the_engine(empty_url: str) -> None:
    printed = finish([start(empty_url, "begin", name) for name in NAMES])
    with Ledger(empty_url) as ledger:
        newest = ledger.schema.newest
        assert sorted(printed) == [[newest, "False"], [newest, "False"], [newest, "True"]]
        assert NAMES[printed.index([newest, "True"])] == ledger.open().leases.owner("engine", now=0)


def test_nothing_is_lost_between_writers_and_a_reader_of_the_change_feed_misses_nothing(
    ledger: Ledger, url: str
) -> None:
    """The reader only ever asks for what follows the highest number that it has seen."""
    workers = [start(url, "everything", name) for name in NAMES]
    seen: list[int] = []
    while any(worker.poll() is None for worker in workers):
        seen += [v.seq for v in ledger.values.values(ValueQuery(after_seq=seen[-1] if seen else 0, limit=7))]
        time.sleep(0.005)  # leave the processor to the writers
    orders = sorted(int(line) for lines in finish(workers) for line in lines)
    while rest := ledger.values.values(ValueQuery(after_seq=seen[-1])):
        seen += [v.seq for v in rest]

    total = len(NAMES) * ROUNDS
    assert seen == list(range(1, total * BATCH + 1))
    assert {name: ledger.values.cursor(name) for name in NAMES} == dict.fromkeys(NAMES, ROUNDS - 1)
    assert len(ledger.devices.snapshot().devices) == ledger.devices.version() == total
    by_name = [c.id for c in ledger.commands.pending() if "by" in c.arguments]
    assert by_name == orders
    assert len(ledger.commands.pending()) == 2 * total


def test_what_was_confirmed_survives_a_killed_process_and_nothing_is_half_there(ledger: Ledger, url: str) -> None:
    with start(url, "commit_for_ever", "engine") as worker:
        assert worker.stdout is not None
        confirmed = 0
        while confirmed < 25:
            confirmed = int(worker.stdout.readline())
        worker.kill()
        confirmed = max([confirmed, *(int(line) for line in worker.stdout.read().split())])
    values = ledger.values.values(ValueQuery())
    cursor = ledger.values.cursor("engine")
    assert cursor >= confirmed
    assert [v.start // HOUR for v in values] == list(range(1, cursor + 1))
