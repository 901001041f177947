# SPDX-License-Identifier: EUPL-1.2
"""Heartbeats between the hub's processes: small files in `run/`, replaced every few seconds.

A status that is older than `STALE` seconds means that its process hangs or is gone, whatever it said last.
"""

import asyncio
import logging
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import msgspec
from msgspec import Struct

from hub.core.ports import PartHealth
from hub.datadir import write_atomically

_LOG = logging.getLogger("cityhub.status")
STALE = 15.0
_EVERY = 2.0


class Status(Struct, frozen=True):
    """What a process last said of its parts; `figures` are numbers by name, for /metrics."""

    time: float
    pid: int
    parts: Sequence[PartHealth]
    figures: Mapping[str, float] = {}


async def heartbeat(
    path: Path,
    pid: int,
    parts: Callable[[], Sequence[PartHealth]],
    figures: Callable[[], Mapping[str, float]] = dict,
) -> None:
    """Write the status of this process every other second, for ever; a full disk only makes it stale."""
    while True:
        try:
            write_atomically(path, msgspec.json.encode(Status(time.time(), pid, parts(), figures())))
        except OSError as error:
            _LOG.warning("status cannot be written", extra={"fields": {"file": path.name, "detail": str(error)}})
        await asyncio.sleep(_EVERY)


def read_status(path: Path, process: str) -> list[PartHealth]:
    """The parts of a process by its heartbeat; a part that says so when there is none."""
    hint = f"see the log of the hub for process {process}; it is started again by itself"
    try:
        status = msgspec.json.decode(path.read_bytes(), type=Status)
    except (OSError, msgspec.MsgspecError):
        return [PartHealth(process, False, "has not reported yet", hint)]
    age = time.time() - status.time
    if age > STALE:
        return [PartHealth(process, False, f"last report {age:.0f} s ago", hint)]
    return list(status.parts)


def read_figures(path: Path) -> Mapping[str, float]:
    """The numbers of a process by its heartbeat; none when it is gone."""
    try:
        status = msgspec.json.decode(path.read_bytes(), type=Status)
    except (OSError, msgspec.MsgspecError):
        return {}
    return status.figures if time.time() - status.time <= STALE else {}
