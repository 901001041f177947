# SPDX-License-Identifier: EUPL-1.2
"""How a city's day goes: profiles by hour of local time for workdays and weekends.

The shapes are illustrative, not measured. What people do follows the wall clock, so profiles are read at local time;
what meters add up must never run backwards, so a `WeeklyLoad` runs on the zone's standard time all year.
"""

from datetime import UTC, datetime, timedelta, tzinfo
from itertools import accumulate
from math import cos, tau
from typing import NamedTuple

from msgspec import Struct

DAY, HOUR = 86400, 3600
MONDAY = 946252800  # 1999-12-27T00:00Z: weeks are counted from the last Monday before 2000
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

Hours = tuple[float, ...]


class Profile(NamedTuple):
    """24 values each for workdays, Saturdays and Sundays, from 0 to 1; each stands at the beginning of its hour."""

    workday: Hours
    weekend: Hours

    def at(self, moment: "Moment") -> float:
        """Value at a local time, linear between the hours."""
        hours = self.weekend if moment.weekday >= 5 else self.workday
        index, part = divmod(moment.hour, 1)
        here, following = hours[int(index) % 24], hours[(int(index) + 1) % 24]
        return here + (following - here) * part


class Moment(NamedTuple):
    """An instant on the wall clock: UTC seconds, hour of day 0 to 24, weekday (Monday 0), share of winter 0 to 1."""

    t: float
    hour: float
    weekday: int
    winter: float


def moment(t: float, zone: tzinfo) -> Moment:
    """Read the wall clock of a zone."""
    local = (_EPOCH + timedelta(seconds=t)).astimezone(zone)
    hour = local.hour + local.minute / 60 + local.second / 3600
    return Moment(t, hour, local.weekday(), 0.5 + 0.5 * cos(tau * (local.timetuple().tm_yday - 15) / 365.25))


def standard_offset(zone: tzinfo) -> int:
    """Seconds that the zone's standard time is ahead of UTC: the smaller offset of January and July."""
    offsets = [datetime(2024, month, 1, tzinfo=zone).utcoffset() or timedelta() for month in (1, 7)]
    return int(min(offsets).total_seconds())


class WeeklyLoad(Struct, frozen=True):
    """A load that repeats every week, with its running total in closed form: 168 rates per hour from Monday 0:00."""

    rates: Hours
    totals: Hours

    @classmethod
    def of(cls, profile: Profile, base: float) -> "WeeklyLoad":
        """Load of `base` + profile, at standard time."""
        rates = [base + value for day in range(7) for value in (profile.weekend if day >= 5 else profile.workday)]
        return cls(tuple(rates), (0.0, *accumulate(rates)))

    def total(self, t: float, offset: int) -> float:
        """Sum of rate * hours from the last Monday before 2000 to `t`."""
        weeks, rest = divmod(t + offset - MONDAY, 7 * DAY)
        hour, part = divmod(rest, HOUR)
        index = int(hour)
        return weeks * self.totals[-1] + self.totals[index] + self.rates[index] * part / HOUR


def _hours(text: str) -> Hours:
    return tuple(int(value) / 100 for value in text.split())


TRAFFIC = Profile(
    _hours("6 4 3 4 10 35 80 100 85 65 60 60 62 65 75 90 100 85 60 45 32 24 16 10"),
    _hours("12 8 6 5 6 10 18 28 42 55 62 62 58 55 58 62 62 56 48 38 30 24 20 15"),
)
HEATING = Profile(
    _hours("45 40 35 32 35 50 65 60 45 35 28 22 20 20 25 40 65 85 98 100 95 85 70 55"),
    _hours("50 45 40 36 35 40 50 60 60 50 42 36 32 32 36 48 68 85 98 100 96 88 75 60"),
)
PARKING = Profile(
    _hours("30 28 27 27 28 32 45 68 85 92 95 94 90 90 92 88 76 62 52 46 42 38 35 32"),
    _hours("34 32 31 30 30 30 31 35 42 50 55 54 48 44 44 46 48 46 44 42 40 38 37 35"),
)
BUILDING = Profile(
    _hours("5 5 5 5 6 12 40 80 95 100 100 98 92 96 95 85 60 35 22 15 10 8 6 5"),
    _hours("5 5 5 5 5 6 8 12 15 18 20 20 18 16 15 14 12 12 11 10 8 7 6 5"),
)
WATER = Profile(
    _hours("8 5 4 4 8 35 85 100 80 60 50 48 52 50 45 48 58 72 88 92 80 60 38 18"),
    _hours("12 8 6 5 5 10 25 50 80 100 98 90 82 74 66 60 62 70 82 86 76 58 40 22"),
)
SPORT = Profile(
    _hours("0 0 0 0 0 0 25 40 45 40 35 35 38 42 55 75 95 100 100 90 65 35 0 0"),
    _hours("0 0 0 0 0 0 0 0 30 60 85 95 90 85 92 100 95 80 60 35 0 0 0 0"),
)
OFFICE = Profile(
    _hours("0 0 0 0 0 0 0 0 70 100 95 80 45 70 75 60 0 0 0 0 0 0 0 0"),
    _hours("0 " * 24),
)
VISITS = Profile(
    _hours("0 0 0 0 0 0 0 10 60 90 100 90 60 70 80 80 70 50 30 10 0 0 0 0"),
    _hours("0 0 0 0 0 0 0 0 10 40 50 45 30 30 40 40 30 15 0 0 0 0 0 0"),
)
