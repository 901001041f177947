# SPDX-License-Identifier: EUPL-1.2
"""What a torture run has to show: nothing lost, nothing twice, nothing unaccounted for, every window touched.

Everything is read from files and through the hub's own ports after the run: the publishers' ledgers of what was
confirmed to them, the store by its `scan`, journal, touch log, and `cityhub reconcile`.
"""

import asyncio
import json
import subprocess
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from msgspec import Struct

from benchmarks.hubs import Hub
from benchmarks.load import QUANTITIES, READINGS, device_id
from benchmarks.numbered import Numbered
from hub.core.journal import Touch
from hub.core.ports import ReadingStore
from hub.core.readings import Columns, Series

_NAMES = tuple(quantity for quantity, *_ in QUANTITIES)


class Verdict(Struct, frozen=True, kw_only=True):
    """All of them have to be zero; `words` say what is not, for people."""

    lost: int  # readings of confirmed messages that the store does not hold
    wrong: int  # readings with another value
    foreign: int  # readings that nobody sent
    double: int  # readings that the journal counts as stored once too often
    unaccounted: int  # what does not come out: by reconcile, in the journal's equations, against what was sent
    untouched: int  # (device, quantity, hour) with readings that the touch log has not
    words: Sequence[str] = ()

    @property
    def clean(self) -> bool:
        """Whether the run is passed."""
        return not any((self.lost, self.wrong, self.foreign, self.double, self.unaccounted, self.untouched))


class Books(Struct, frozen=True):
    """What ingest says it did."""

    received: int
    decoded: int
    other: int  # deliveries quarantined or refused
    readings: int
    stored: int
    duplicate: int
    wrong: int  # readings in conflict or rejected


def confirmed(ledgers: Sequence[Path], messages: int) -> npt.NDArray[np.bool_]:
    """Which messages have had their PUBACK, by number."""
    found = np.zeros(messages, dtype=np.bool_)
    for ledger in ledgers:
        found[np.fromfile(ledger, dtype="<u4")] = True
    return found


def compare(load: Numbered, sent: npt.NDArray[np.bool_], device: int, found: Columns) -> tuple[int, int, int]:
    """Readings of one device that are lost, wrong, foreign."""
    lost = wrong = foreign = 0
    own = np.arange(device, load.messages, load.devices)
    for quantity, name in enumerate(_NAMES):
        rows = np.isin(found.index, [i for i, series in enumerate(found.series) if series.quantity == name])
        numbers = load.numbers(device, found.time[rows])
        known = numbers >= 0
        foreign += int(np.count_nonzero(~known))
        wrong += int(np.count_nonzero(found.value[rows][known] != load.expected(quantity, numbers[known])))
        lost += int(np.count_nonzero(sent[own] & ~np.isin(own, numbers[known])))
    return lost, wrong, foreign


def untouched(load: Numbered, touches: Collection[Touch]) -> int:
    """How many windows with readings were not touched."""
    return sum(
        Touch(device_id(device), quantity, hour) not in touches
        for device in range(load.devices)
        for quantity in _NAMES
        for hour in load.hours(device)
    )


async def _compare_all(store: ReadingStore, load: Numbered, sent: npt.NDArray[np.bool_]) -> Sequence[int]:
    total = np.zeros(3, dtype=np.int64)
    try:
        for device in range(load.devices):
            series = [Series(device_id(device), quantity) for quantity in _NAMES]
            total += compare(load, sent, device, await store.scan(series, -(2**63), 2**63 - 1))
    finally:
        await store.close()
    return [int(count) for count in total]


def books(hub: Hub) -> Books:
    """The journal's totals of the deliveries that are ours."""
    [journal] = hub.parts.journals()
    accounts = journal.accounts(0)
    journal.close()

    def total(*names: str) -> int:
        return sum(counts[name] for _, _, counts in accounts for name in names)

    return Books(
        received=total("received") - total("ignored"),
        decoded=total("decoded"),
        other=total("quarantined", "refused"),
        readings=total("readings"),
        stored=total("stored") - total("replaced"),
        duplicate=total("duplicate"),
        wrong=total("conflict", "rejected"),
    )


def imbalance(found: Books) -> int:
    """By how much the journal's equations do not come out; nothing of ours may be set aside either."""
    deliveries = abs(found.received - found.decoded - found.other)
    readings = abs(found.readings - found.stored - found.duplicate - found.wrong)
    return deliveries + readings + found.other + found.wrong


def reconciled(done: subprocess.CompletedProcess[str]) -> tuple[int, Mapping[str, Any]]:
    """What `cityhub reconcile --json` leaves unexplained, and what it said."""
    try:
        said: Mapping[str, Any] = json.loads(done.stdout)
    except ValueError:
        return 1, {"differences": [f"reconcile ended with {done.returncode}: {done.stdout}{done.stderr}"[-2000:]]}
    return max(len(said["differences"]), done.returncode), said


def judge(hub: Hub, load: Numbered, ledgers: Sequence[Path], touches: Collection[Touch]) -> tuple[Verdict, Books]:
    """Look at everything once the hub is at rest."""
    sent = confirmed(ledgers, load.messages)
    unexplained, said = reconciled(hub.ask("reconcile", "--json"))
    found = books(hub)
    lost, wrong, foreign = asyncio.run(_compare_all(hub.parts.store(), load, sent))
    due = load.messages * READINGS
    off = unexplained + imbalance(found) + max(0, due - found.stored) + int(np.count_nonzero(~sent))
    verdict = Verdict(
        lost=lost,
        wrong=wrong,
        foreign=foreign,
        double=max(0, found.stored - due),
        unaccounted=off,
        untouched=untouched(load, touches),
        words=[str(line) for line in said["differences"]],
    )
    return verdict, found
