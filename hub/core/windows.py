# SPDX-License-Identifier: EUPL-1.2
"""Windows of time on a city's calendar, and instants as text.

A window is [start, end) in int64 ns since 1970 UTC. Hours are aligned to UTC; days, months and years begin at local
midnight of the calendar's zone, so a day has 23, 24 or 25 hours. Windows of one period are the gaps between sorted
*edges*: every instant lies in exactly one window, also where a zone skips or repeats midnight (the first instant of
the local date counts). No floating point: text and instants convert exactly, to the nanosecond.
"""

import re
from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta, timezone, tzinfo
from enum import StrEnum
from functools import lru_cache
from itertools import pairwise
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import numpy as np
import numpy.typing as npt
from msgspec import Struct

from hub.core.errors import Invalid
from hub.core.readings import NS

HOUR = 3600 * NS
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_FIRST, _LAST = -8_000_000_000 * NS, 9_000_000_000 * NS  # 1716 to 2255: whole years that int64 ns can hold
_MARGIN = timedelta(days=3)  # further than any zone's midnight is from UTC's

_INSTANT = re.compile(
    r"(\d{4})-(\d{2})-(\d{2})[Tt ](\d{2}):(\d{2})(?::(\d{2})(?:[.,](\d+))?)?\s*([Zz]|[+-]\d{2}(?::?\d{2})?)?"
)
_DATE = re.compile(r"(\d{4})(?:-(\d{2})(?:-(\d{2}))?)?")
_OFFSET = re.compile(r"([+-])(\d{2})(?::?(\d{2}))?")
_DURATION = re.compile(r"P(?:(\d+)W)?(?:(\d+)D)?(?:T(?=\d)(?:(\d+)H)?(?:(\d+)M)?(?:(\d+)S)?)?")


class Period(StrEnum):
    """Length of a window or of a step within one, as ISO 8601 duration."""

    MINUTE = "PT1M"
    QUARTER = "PT15M"
    HOUR = "PT1H"
    DAY = "P1D"
    MONTH = "P1M"
    YEAR = "P1Y"


ALIGNED: Mapping[Period, int] = {Period.MINUTE: HOUR // 60, Period.QUARTER: HOUR // 4, Period.HOUR: HOUR}
"""Periods (ns) that are aligned to UTC."""


class Calendar(Struct, frozen=True):
    """Days, months and years of one zone."""

    zone: tzinfo

    @classmethod
    def of(cls, name: str) -> "Calendar":
        """Calendar of a zone name such as Europe/Prague, Etc/GMT-1 (that is UTC+1), UTC or a fixed offset +01:00."""
        return cls(zone(name))

    def window(self, t: int, period: Period) -> tuple[int, int]:
        """The window that holds the instant `t`."""
        return self.windows(t, t + 1, period)[0]

    def clock(self, times: npt.NDArray[np.int64]) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
        """Local hour of the day (0 to 23) and ISO weekday (1 to 7) of each instant."""
        quarters, inverse = np.unique(times // (HOUR // 4), return_inverse=True)  # offsets are multiples of a quarter
        local = [datetime.fromtimestamp(q * 900, self.zone) for q in quarters.tolist()]
        hours = np.array([moment.hour for moment in local], dtype=np.int64)
        days = np.array([moment.isoweekday() for moment in local], dtype=np.int64)
        return hours[inverse.reshape(times.shape)], days[inverse.reshape(times.shape)]

    def windows(self, start: int, end: int, period: Period) -> list[tuple[int, int]]:
        """All windows that overlap [start, end), in order; none when it is empty."""
        if start >= end:
            return []
        edges = self.edges(start, end, period).tolist()
        return list(pairwise(edges))

    def edges(self, start: int, end: int, period: Period) -> npt.NDArray[np.int64]:
        """Edges e with e[0] <= start < e[1] and e[-2] < end <= e[-1]; window i is [e[i], e[i+1])."""
        if not _FIRST <= start < end <= _LAST:
            raise Invalid(f"no windows from {start} to {end}: need start < end within the years 1716 to 2255", "window")
        if period in ALIGNED:
            length = ALIGNED[period]
            return np.arange(start // length, -(-end // length) + 1, dtype=np.int64) * length
        years = range((_moment(start) - _MARGIN).year, (_moment(end) + _MARGIN).year + 2)
        found = np.concatenate([_of_year(year, period, self.zone) for year in years])
        first = int(np.searchsorted(found, start, side="right")) - 1
        last = int(np.searchsorted(found, end - 1, side="right"))
        return found[first : last + 1].copy()


@lru_cache(maxsize=1024)
def _of_year(year: int, period: Period, place: tzinfo) -> npt.NDArray[np.int64]:
    """Edges of the periods that begin in a year; few years are asked for, and those again and again."""
    day, found = date(year, 1, 1), set[int]()  # a set: Samoa had no 30 December 2011
    while day.year == year:
        found.add(_instant(day, place))
        day = _after(day, period)
    return np.array(sorted(found), dtype=np.int64)


def _after(day: date, period: Period) -> date:
    if period is Period.DAY:
        return day + timedelta(days=1)
    if period is Period.YEAR or day.month == 12:
        return date(day.year + 1, 1, 1)
    return date(day.year, day.month + 1, 1)


def _moment(t: int) -> datetime:
    return _EPOCH + timedelta(seconds=t // NS)


def _ns(moment: datetime) -> int:
    since = moment - _EPOCH
    return (since.days * 86400 + since.seconds) * NS + since.microseconds * 1000


def _instant(day: date, place: tzinfo) -> int:
    # fold=0: of a midnight that stands twice the first; of one that is skipped the instant of the jump
    return _ns(datetime(day.year, day.month, day.day, tzinfo=place))


def zone(name: str) -> tzinfo:
    """Time zone by IANA name, `UTC`, `Z` or fixed offset `+01:00`; Invalid names what was wrong."""
    if name in {"Z", "UTC"}:
        return UTC
    if match := _OFFSET.fullmatch(name):
        return _offset(match)
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise Invalid(f"{name!r} is no time zone: use a name such as Europe/Prague, UTC or +01:00", "zone") from error


def _offset(match: re.Match[str]) -> tzinfo:
    sign, hours, minutes = match.groups()
    delta = timedelta(hours=int(hours), minutes=int(minutes or 0))
    if delta >= timedelta(days=1) or int(minutes or 0) > 59:
        raise Invalid(f"{match[0]!r} is no offset from UTC: at most 23:59", "zone")
    return timezone(-delta if sign == "-" else delta)


@lru_cache(maxsize=8192)  # values share their windows, and often the moment at which they were computed
def format_instant(t: int) -> str:
    """RFC 3339 in UTC with Z; a fraction only where there is one, without trailing zeros."""
    text = _moment(t).strftime("%Y-%m-%dT%H:%M:%S").rjust(19, "0")
    fraction = t % NS
    return f"{text}.{fraction:09d}".rstrip("0") + "Z" if fraction else text + "Z"


def parse_instant(text: str, naive: tzinfo | None = None) -> int:
    """Instant of an ISO 8601 date and time; digits beyond nanoseconds are cut.

    A time without offset is taken in the zone `naive` (where it stands twice: the first), else refused.
    """
    match = _INSTANT.fullmatch(text.strip())
    if not match:
        raise Invalid(f"{text!r} is no time such as 2026-11-23T10:00:00Z", "time")
    year, month, day, hour, minute, second, fraction, offset = match.groups()
    try:
        whole = datetime(  # noqa: DTZ001 - the zone is put on below
            int(year), int(month), int(day), int(hour) % 24, int(minute), min(int(second or 0), 59)
        )
    except ValueError as error:
        raise Invalid(f"{text!r} is no time: {error}", "time") from error
    extra = _carried(text, int(hour), int(minute), int(second or 0))
    nanoseconds = int((fraction or "0")[:9].ljust(9, "0"))
    return _ns(_placed(whole, offset, naive, text)) + extra * NS + nanoseconds


def _carried(text: str, hour: int, minute: int, second: int) -> int:
    """Seconds to add for what datetime cannot hold: 24:00:00 (the next midnight) and the leap second :60."""
    if hour > 24 or second > 60 or (hour == 24 and (minute or second)):
        raise Invalid(f"{text!r} is no time: hours to 24:00:00, seconds to 60", "time")
    return (86400 if hour == 24 else 0) + (1 if second == 60 else 0)


def _placed(whole: datetime, offset: str | None, naive: tzinfo | None, text: str) -> datetime:
    if offset is not None:
        return whole.replace(tzinfo=zone(offset.upper()))
    if naive is None:
        raise Invalid(f"{text!r} has no time zone: add Z or an offset, or say which zone is meant", "time")
    return whole.replace(tzinfo=naive)


def parse_label(text: str, calendar: Calendar) -> int:
    """Instant of a time, or the local start of the day, month or year that `2026-11-23`, `2026-11`, `2026` names."""
    match = _DATE.fullmatch(text.strip())
    if not match:
        return parse_instant(text, calendar.zone)
    year, month, day = (int(part or 1) for part in match.groups())
    try:
        return _instant(date(year, month, day), calendar.zone)
    except ValueError as error:
        raise Invalid(f"{text!r} is no date: {error}", "time") from error


def parse_duration(text: str) -> int:
    """Nanoseconds of an ISO 8601 duration of weeks, days (24 hours), hours, minutes and seconds."""
    match = _DURATION.fullmatch(text)
    if not match or not any(match.groups()):
        raise Invalid(f"{text!r} is no duration such as PT2H, P1D or PT10M", "duration")
    weeks, days, hours, minutes, seconds = (int(part or 0) for part in match.groups())
    return (((weeks * 7 + days) * 24 + hours) * 3600 + minutes * 60 + seconds) * NS
