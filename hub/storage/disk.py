# SPDX-License-Identifier: EUPL-1.2
"""When disks will be full, from samples that the hub takes itself. Pure but for `measured` and `room`.

A sample says how much of a disk is free and how large what the hub keeps there is, by name. A history has one sample an
hour and at most `MOST` of them (two weeks). The rate is the median of the slopes between all pairs of samples
(Theil 1950, Sen 1968), which one large file that comes or goes does not disturb; of the last day's and all samples' the
higher one counts, and of what the hub's own files grow by and what becomes less on the disk the higher one too: the
disk fills for whatever reason.
"""

import os
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt
from msgspec import Struct

from hub.core.ports import PartHealth

MOST = 336
WARN_DAYS, ERROR_DAYS = 30.0, 7.0
_HOUR, _DAY = 3600, 86_400
_SHORTEST = 2 * _HOUR  # less tells nothing: files grow in steps
_FOR_YEARS = 3650.0


class Sample(Struct, frozen=True):
    """`time` in s since 1970; `free` and `sizes` (by name) in bytes."""

    time: int
    free: int
    sizes: Mapping[str, int] = {}


class Outlook(Struct, frozen=True):
    """`days` until the disk is full, None where it does not fill or that is not known yet. Growth in bytes a day."""

    free: int
    days: float | None
    growth: float
    by_name: Mapping[str, float]
    hours: float


def due(samples: Sequence[Sample], now: int) -> bool:
    """Whether another sample is due; also when the clock was set back."""
    return not samples or not 0 <= now - samples[-1].time < _HOUR


def with_sample(samples: Sequence[Sample], sample: Sample) -> Sequence[Sample]:
    """The history with one sample more; what is newer than it came from a wrong clock."""
    return [*(s for s in samples if s.time < sample.time), sample][-MOST:]


def outlook(samples: Sequence[Sample]) -> Outlook | None:
    """What the samples say of the disk; the last one is the present. None where there are no samples."""
    if not samples:
        return None
    names = sorted({name for sample in samples for name in sample.sizes})
    times = np.array([s.time for s in samples], dtype=np.float64)
    span = float(times[-1] - times[0])
    by_name = {name: _rate(times, [s.sizes.get(name, 0) for s in samples]) for name in names}
    filling = _rate(times, [-s.free for s in samples])
    growth = max(sum(rate for rate in by_name.values() if rate > 0), filling)
    days = samples[-1].free / growth if growth > 0 and span >= _SHORTEST else None
    return Outlook(samples[-1].free, days, growth, by_name, span / _HOUR)


def health(part: str, seen: Outlook | None) -> PartHealth:
    """The outlook in words: a warning below 30 days, not ok below 7."""
    if seen is None or seen.hours * _HOUR < _SHORTEST:
        return PartHealth(part, True, "growth is not known yet: the running hub takes a sample every hour")
    largest = sorted(((rate, name) for name, rate in seen.by_name.items() if rate > 0), reverse=True)[:3]
    told = ", ".join(f"{name} {_size(rate)}" for rate, name in largest)
    grows = f"{_size(seen.growth)} a day{f' ({told})' if told else ''}, by {seen.hours:.0f} h of samples"
    if seen.days is None or seen.days > _FOR_YEARS:
        return PartHealth(part, True, f"{_size(seen.free)} free, not full for years: grows by {grows}")
    words = f"{_size(seen.free)} free, full in {seen.days:.0f} days: grows by {grows}"
    if seen.days >= WARN_DAYS:
        return PartHealth(part, True, words)
    hint = "make room, or keep readings for fewer days (settings, section retention)"
    return PartHealth(part, seen.days >= ERROR_DAYS, f"WARNING: {words}", hint)


def measured(root: Path, now: int, more: Mapping[str, int] | None = None) -> Sample:
    """A sample of the disk of `root`: its files and folders by name, and what else the hub keeps on that disk."""
    sizes: dict[str, int] = {}
    for entry in os.scandir(root):
        name = entry.name.removesuffix("-wal").removesuffix("-shm")  # an SQLite file and its log are one
        sizes[name] = sizes.get(name, 0) + _bytes_below(entry)
    sizes |= more or {}
    return Sample(now, shutil.disk_usage(root).free, {name: size for name, size in sizes.items() if size})


def same_disk(one: Path, other: Path) -> bool:
    """Whether two paths share a file system."""
    return one.stat().st_dev == other.stat().st_dev


def _bytes_below(entry: "os.DirEntry[str]") -> int:
    """Size on disk of a file, or of all files below a folder; what vanishes meanwhile counts nothing."""
    try:
        if not entry.is_dir(follow_symlinks=False):
            return entry.stat(follow_symlinks=False).st_blocks * 512
        return sum(_bytes_below(inner) for inner in os.scandir(entry.path))
    except OSError:
        return 0


def _rate(times: npt.NDArray[np.float64], values: Sequence[int]) -> float:
    """Growth a day: the higher of all samples' and the last day's median slope."""
    figures = np.array(values, dtype=np.float64)
    recent = times >= times[-1] - _DAY
    return max(_slope(times, figures), _slope(times[recent], figures[recent])) * _DAY


def _slope(times: npt.NDArray[np.float64], figures: npt.NDArray[np.float64]) -> float:
    """Median of the slopes between all pairs; 0 where they span too little."""
    if times[-1] - times[0] < _SHORTEST:
        return 0.0
    first, second = np.triu_indices(len(times), 1)
    return float(np.median((figures[second] - figures[first]) / (times[second] - times[first])))


def _size(amount: float) -> str:
    for unit, factor in (("TB", 1e12), ("GB", 1e9), ("MB", 1e6)):
        if abs(amount) >= factor:
            return f"{amount / factor:.1f} {unit}"
    return f"{amount / 1e3:.0f} kB"
