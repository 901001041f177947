# SPDX-License-Identifier: EUPL-1.2
"""The hub's own record of how its disks fill: `disk.json` in the data directory, written by one ingest worker.

Samples by disk: that of the data directory, and InfluxDB's where it is another one of this machine.
"""

import asyncio
import logging
import shutil
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from hub.app import Parts
from hub.core.ports import PartHealth
from hub.datadir import write_atomically
from hub.storage.disk import Sample, due, health, measured, outlook, same_disk, with_sample

if TYPE_CHECKING:
    from hub.storage.influx_disk import InfluxDisk

_LOG = logging.getLogger("cityhub.disk")
OWN, INFLUX = "disk", "InfluxDB's disk"
_Histories = Mapping[str, Sequence[Sample]]


def histories(parts: Parts) -> _Histories:
    """Samples by disk; nothing where the file is missing or unreadable: then the record begins anew."""
    try:
        return msgspec.json.decode(_file(parts).read_bytes(), type=dict[str, list[Sample]])
    except (OSError, msgspec.MsgspecError):
        return {}


async def note_disk(parts: Parts) -> None:
    """Write a sample down when the last one is an hour old. A full disk only leaves a gap in the record."""
    if not due(histories(parts).get(OWN, ()), int(time.time())):
        return
    try:
        database = await _influx(parts)
        await asyncio.to_thread(lambda: _write(parts, _with_present(parts, database)))
    except OSError as error:
        _LOG.warning("disk cannot be looked at", extra={"fields": {"detail": str(error)}})


def findings(found: _Histories) -> list[PartHealth]:
    """What each disk's history says."""
    return [health(part, outlook(samples)) for part, samples in found.items()]


async def disk_findings(parts: Parts) -> list[PartHealth]:
    """For `doctor`: the disks now, and what cannot be known."""
    database = await _influx(parts)
    told = findings(await asyncio.to_thread(_with_present, parts, database))
    if parts.settings.store.kind == "influx" and (database is None or database.directory is None):
        words = f"not known: InfluxDB at {parts.influx().url} is on another machine or does not tell; watch it there"
        told.append(PartHealth(INFLUX, True, words))
    return told


def _with_present(parts: Parts, database: "InfluxDisk | None") -> _Histories:
    now, before, root = int(time.time()), histories(parts), parts.data.root
    others: dict[str, Sequence[Sample]] = {}
    more: dict[str, int] = {}
    if database is not None and database.directory is not None:
        size = {"InfluxDB": database.bytes}
        if same_disk(root, database.directory):
            more = size
        else:
            theirs = Sample(now, shutil.disk_usage(database.directory).free, size)
            others[INFLUX] = with_sample(before.get(INFLUX, ()), theirs)
    return {OWN: with_sample(before.get(OWN, ()), measured(root, now, more)), **others}


async def _influx(parts: Parts) -> "InfluxDisk | None":
    if parts.settings.store.kind != "influx":
        return None
    from hub.storage.influx_disk import influx_disk

    return await influx_disk(parts.influx())


def _write(parts: Parts, found: _Histories) -> None:
    write_atomically(_file(parts), msgspec.json.encode(found))


def _file(parts: Parts) -> Path:
    return parts.data.root / "disk.json"
