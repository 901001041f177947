# SPDX-License-Identifier: EUPL-1.2
"""Publish a recorded table through the real broker, in the order of the file.

The whole file is checked before the first message goes out, so that a bad row is known by its line and nothing is
half sent by surprise. Sending again is harmless: readings that are stored already are duplicates.
"""

import asyncio
import itertools
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import NamedTuple, TypeVar

from hub.commands.replay_mapping import Plan, Row
from hub.commands.replay_table import Table
from hub.core.errors import Invalid, Retry
from hub.core.ports import Publisher
from hub.core.readings import NS

T = TypeVar("T")
_CHUNK = 500


class Check(NamedTuple):
    """What a file holds: messages, readings, devices, and the first errors of all `bad` rows."""

    messages: int
    readings: int
    devices: tuple[str, ...]
    first: int
    last: int
    bad: int
    errors: tuple[str, ...]


def check(plan: Plan, table: Table, keep: int = 20) -> Check:
    """Read the whole file without sending anything."""
    messages = readings = bad = 0
    first, last = 2**63 - 1, -(2**63)
    devices: dict[str, None] = {}
    errors: list[str] = []
    for row in plan.rows(table):
        if isinstance(row, Invalid):
            bad += 1
            if len(errors) < keep:
                errors.append(str(row))
            continue
        messages += 1
        readings += row.readings
        devices[row.device] = None
        first, last = min(first, row.time), max(last, row.time)
    return Check(messages, readings, tuple(devices), first, last, bad, tuple(errors))


async def send(
    rows: Iterable[Row],
    publisher: Publisher,
    *,
    rate: float | None,
    speed: float | None,
    sent: Callable[[int], None],
) -> None:
    """Publish all rows; `rate` bounds messages per second, `speed` is recorded seconds per real second.

    `sent` is told how many more messages the broker has confirmed. While the broker is away it waits.
    """
    began = time.monotonic()
    origin: int | None = None
    done = 0
    for chunk in _chunks(rows, _size(rate, speed)):
        if origin is None:
            origin = chunk[0].time
        due = [began]
        if rate is not None:
            due.append(began + done / rate)
        if speed is not None:
            due.append(began + (chunk[0].time - origin) / NS / speed)
        await asyncio.sleep(max(0.0, max(due) - time.monotonic()))
        await insist(publisher, chunk)
        done += len(chunk)
        sent(len(chunk))


async def insist(publisher: Publisher, rows: Sequence[Row]) -> None:
    """Publish until the broker has confirmed; at least once, so a broken connection may double some."""
    while True:
        try:
            await publisher.publish([row.publication for row in rows])
        except Retry as error:
            await asyncio.sleep(error.after)
        else:
            return


def _size(rate: float | None, speed: float | None) -> int:
    """Messages handed over together: small where they have to be spread in time."""
    if speed is not None:
        return 1
    return _CHUNK if rate is None else max(1, min(_CHUNK, int(rate / 10)))


def _chunks(items: Iterable[T], size: int) -> Iterator[list[T]]:
    iterator = iter(items)
    while chunk := list(itertools.islice(iterator, size)):
        yield chunk
