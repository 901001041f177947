# SPDX-License-Identifier: EUPL-1.2
"""Durations of retention policies and of their shards, in ns and as InfluxDB writes them. Pure."""

import re

from hub.storage.retention import DAY_NS

FOR_EVER = 0
_HOUR = 3600 * 10**9


def shard_duration(life: int) -> int:
    """The server's own defaults (docs of InfluxDB 1.x, retention policies): 1 day up to 6 months, else 7 days.

    A shard goes as a whole, so readings stay for up to this much longer.
    """
    return DAY_NS if FOR_EVER < life <= 180 * DAY_NS else 7 * DAY_NS


_PARTS = re.compile(r"(\d+)(ns|us|µs|ms|s|m|h|d|w)")
_UNITS = {"ns": 1, "us": 1000, "µs": 1000, "ms": 10**6, "s": 10**9, "m": 60 * 10**9, "h": 3600 * 10**9}
_UNITS |= {"d": DAY_NS, "w": 7 * DAY_NS}


def duration_ns(text: str) -> int:
    """Nanoseconds of a duration as InfluxDB shows it: 96h0m0s; 0s is for ever."""
    return sum(int(number) * _UNITS[unit] for number, unit in _PARTS.findall(text))


def literal(duration: int) -> str:
    """The same in InfluxQL, in whole hours."""
    return "INF" if duration == FOR_EVER else f"{-(-duration // _HOUR)}h"
