# SPDX-License-Identifier: EUPL-1.2
"""Whether a device works, from what is known of it: one pure function, and its finding in words.

Silence outranks doubt: what a silent device said last matters less than that it is silent. Without a declared interval
nobody can say that a message is missing, so such a device is never called silent. The limits are our judgement: one
message may be lost on the air, ten in a row are not; a tenth of the readings suspect is no single outlier.
"""

from collections.abc import Mapping
from enum import StrEnum
from typing import NamedTuple

import numpy as np

from hub.core.journal import DeviceSeen
from hub.core.places import Device
from hub.core.readings import NS, Columns, Flag

OVERDUE_AFTER, SILENT_AFTER = 2, 10  # declared intervals without a message
SUSPECT_SHARE = 0.1


class State(StrEnum):
    """Worst first, so that sorting by `rank` puts what needs a hand on top."""

    SILENT = "silent"
    SUSPECT = "suspect"
    OVERDUE = "overdue"
    WAITING = "waiting"
    HEALTHY = "healthy"

    @property
    def rank(self) -> int:
        """0 for the state that needs attention first."""
        return list(State).index(self)


class FlagCount(NamedTuple):
    """Recent readings of a device: all, and those flagged suspect or worse."""

    total: int = 0
    bad: int = 0


class Finding(NamedTuple):
    """A state with the figures that led to it; `age` and `interval` in seconds."""

    state: State
    age: int | None
    interval: int | None
    flags: FlagCount


def device_state(device: Device, seen: DeviceSeen | None, flags: FlagCount, now: int) -> Finding:
    """State of `device` at `now` (ns), from its last message and the flags of its recent readings.

    A device that only delivers what it measured long ago (a full buffer, a replayed file) is as silent about now as one
    that sends nothing, so the newest reading counts where it is older than the message. A reading is stamped with the
    start of its interval: one interval is added.
    """
    if seen is None:
        return Finding(State.WAITING, None, device.interval, flags)
    last = seen.received
    if seen.time is not None and device.interval:
        last = min(last, seen.time + device.interval * NS)
    age = max(0, now - last) // NS
    late = age / device.interval if device.interval else 0.0
    return Finding(_state(late, flags), age, device.interval, flags)


def _state(late: float, flags: FlagCount) -> State:
    if late > SILENT_AFTER:
        return State.SILENT
    if flags.bad and flags.bad >= SUSPECT_SHARE * flags.total:
        return State.SUSPECT
    return State.OVERDUE if late > OVERDUE_AFTER else State.HEALTHY


def flag_counts(readings: Columns) -> Mapping[str, FlagCount]:
    """Flags of stored readings by device."""
    size = len(readings.series)
    total = np.bincount(readings.index, minlength=size)
    bad = np.bincount(readings.index[readings.flag >= Flag.SUSPECT], minlength=size)
    counts: dict[str, FlagCount] = {}
    for series, all_of, bad_of in zip(readings.series, total.tolist(), bad.tolist(), strict=True):
        before = counts.get(series.device, FlagCount())
        counts[series.device] = FlagCount(before.total + all_of, before.bad + bad_of)
    return counts


_WORDS: Mapping[str, Mapping[str, str]] = {
    "en": {
        "never": "registered, no message yet",
        "last": "last message {} ago",
        "every": "expected every {}",
        "open": "no interval declared, so a missing message cannot be noticed",
        "bad": "{bad} of {total} recent readings are suspect",
    },
    "cs": {
        "never": "zaregistrováno, zatím žádná zpráva",
        "last": "poslední zpráva před {}",
        "every": "čekána každých {}",
        "open": "interval není zadán, chybějící zprávu nelze poznat",
        "bad": "podezřelých {bad} z {total} posledních měření",
    },
}


def describe(finding: Finding, language: str) -> str:
    """The finding in words: what is known, never only the verdict."""
    text = _WORDS[language]
    interval = text["open"] if finding.interval is None else text["every"].format(duration(finding.interval))
    last = text["never"] if finding.age is None else text["last"].format(duration(finding.age))
    bad = [text["bad"].format(**finding.flags._asdict())] if finding.flags.bad else []
    return ", ".join([last, interval, *bad])


def duration(seconds: int) -> str:
    """Seconds in the largest unit that gives at least two of it: `45 s`, `15 min`, `3 h`, `4 d`; the same in Czech."""
    for unit, size in (("d", 86_400), ("h", 3_600), ("min", 60)):
        if seconds >= 2 * size:
            return f"{seconds // size} {unit}"
    return f"{seconds} s"
