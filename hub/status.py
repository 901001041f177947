# SPDX-License-Identifier: EUPL-1.2
"""Heartbeats between the hub's processes: small files in `run/`, written every few seconds.

A status that is older than `STALE` seconds means that its process hangs or is gone, whatever it said last; a process
that ends says why, and that holds until its successor reports.

A file has room to spare from the start and is overwritten in place, so that a full disk does not silence who has to
report it. Its first line is length and CRC of what follows: a reader who meets a half-written one looks again.
"""

import asyncio
import logging
import os
import time
import zlib
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import msgspec
from msgspec import Struct

from hub.core.ports import PartHealth
from hub.datadir import write_atomically
from hub.settings_sections import IngestSettings

_LOG = logging.getLogger("cityhub.status")
STALE = 15.0
_EVERY = 2.0
_ROOM = 16_384  # bytes of a file, several times what a process says
_LOOKS = 5  # at a file that is being written
_BY_ITSELF = "it is started again by itself"


class Status(Struct, frozen=True):
    """What a process last said of its parts; `figures` are numbers by name, for /metrics.

    `worked` is whether all was well once since its start, the first report left out, as work begins beside it; `ended`
    is whether this was its last word.
    """

    time: float
    pid: int
    parts: Sequence[PartHealth]
    figures: Mapping[str, float] = {}
    worked: bool = False
    ended: bool = False


async def heartbeat(
    path: Path,
    pid: int,
    parts: Callable[[], Sequence[PartHealth]],
    figures: Callable[[], Mapping[str, float]] = dict,
) -> None:
    """Write the status of this process every other second, for ever."""
    first, worked = True, False
    while True:
        found = parts()
        worked = worked or (not first and all(part.ok for part in found))
        first = False
        _try_to_write(path, Status(time.time(), pid, found, figures(), worked=worked))
        await asyncio.sleep(_EVERY)


def last_word(path: Path, pid: int, part: PartHealth) -> bool:
    """Write why a process is gone, unless it or one that lives has the word; returns whether it had worked."""
    before = _read(path)
    own = before is not None and before.pid == pid
    worked = before is not None and own and before.worked
    spoken = before is not None and (before.ended if own else not before.ended and _age(before) <= STALE)
    if not spoken:
        _try_to_write(path, Status(time.time(), pid, [part], worked=worked, ended=True))
    return worked


def read_status(path: Path, process: str, then: str = _BY_ITSELF) -> list[PartHealth]:
    """The parts of a process by its heartbeat; a part that says so when there is none."""
    hint = f"see the log of process {process}; {then}"
    status = _read(path)
    if status is None:
        return [PartHealth(process, False, "has not reported yet", hint)]
    if status.ended:
        return [
            part._replace(detail=f"ended {_age(status):.0f} s ago: {part.detail}", hint=part.hint or hint)
            for part in status.parts
        ]
    if _age(status) > STALE:
        return [PartHealth(process, False, f"last report {_age(status):.0f} s ago", hint)]
    return list(status.parts)


def remedy(ingest: IngestSettings, process: str) -> str:
    """What becomes of a process that is gone: who starts it again."""
    shard = process.removeprefix("ingest-")
    if ingest.own_shards is None or not shard.isdecimal():
        return _BY_ITSELF
    if int(shard) in ingest.own_shards or int(shard) >= ingest.workers:
        return _BY_ITSELF
    return f"start it again where it was started: `cityhub ingest --shard {shard}/{ingest.workers}`"


def read_figures(path: Path) -> Mapping[str, float]:
    """The numbers of a process by its heartbeat; none when it is gone."""
    status = _read(path)
    return status.figures if status is not None and _age(status) <= STALE else {}


def _age(status: Status) -> float:
    return time.time() - status.time


def _try_to_write(path: Path, status: Status) -> None:
    try:
        _write(path, msgspec.json.encode(status))
    except OSError as error:
        _LOG.warning("status cannot be written", extra={"fields": {"file": path.name, "detail": str(error)}})


def _write(path: Path, body: bytes) -> None:
    content = b"%d %d\n%s" % (len(body), zlib.crc32(body), body)
    try:
        handle = os.open(path, os.O_WRONLY)
    except FileNotFoundError:
        handle = None
    if handle is not None:
        try:
            if os.fstat(handle).st_size >= max(_ROOM, len(content)):
                os.pwrite(handle, content, 0)
                return
        finally:
            os.close(handle)
    write_atomically(path, content.ljust(_ROOM))


def _read(path: Path) -> Status | None:
    """What a file says; None where there is none, or nothing that can be read."""
    for _ in range(_LOOKS):
        try:
            head, _, rest = path.read_bytes().partition(b"\n")
            length, crc = (int(number) for number in head.split())
            body = rest[:length]
            if zlib.crc32(body) == crc:
                return msgspec.json.decode(body, type=Status)
        except FileNotFoundError:
            return None
        except (OSError, ValueError, msgspec.MsgspecError):
            pass
        time.sleep(0.002)
    return None
