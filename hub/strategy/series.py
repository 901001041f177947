# SPDX-License-Identifier: EUPL-1.2
"""The values of an indicator at a place that a target looks at, in order of time. Pure.

A value belongs to the last local day of its window, so a year's value stands at 31 December. Values that were only
provisional count when they are asked for; windows without a value never do. With `year_mean` the windows of a calendar
year make one value, when at least three quarters of them have one.
"""

from collections.abc import Iterable, Sequence
from datetime import UTC, date, datetime, timedelta, tzinfo
from itertools import groupby

from msgspec.structs import replace

from hub.core.indicators import IndicatorValue, Status
from hub.core.readings import NS
from hub.core.strategies import Statistic
from hub.core.windows import Calendar, Period

CAPTURE = 0.75  # share of a year's windows that its mean needs
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def local_day(t: int, zone: tzinfo) -> date:
    """Local date of an instant (ns)."""
    return (_EPOCH + timedelta(seconds=t // NS)).astimezone(zone).date()


def last_day(value: IndicatorValue, zone: tzinfo) -> date:
    """Last local day of a value's window."""
    return local_day(value.end - 1, zone)


def years(day: date) -> float:
    """Time of a day's end in years; the end of 31 December is exactly the next year."""
    first = date(day.year, 1, 1)
    return day.year + ((day - first).days + 1) / (date(day.year + 1, 1, 1) - first).days


def usable(
    values: Iterable[IndicatorValue], statistic: Statistic, zone: tzinfo, until: int, provisional: bool
) -> Sequence[IndicatorValue]:
    """Values that count, of windows that are over at `until` (ns), oldest first."""
    wanted = {Status.FINAL, Status.PROVISIONAL} if provisional else {Status.FINAL}
    found = [v for v in values if v.value is not None and v.status in wanted and (v.end <= until or provisional)]
    found.sort(key=lambda v: (v.start, v.revision))
    if statistic is Statistic.NEWEST:
        return found
    years_ = groupby(found, key=lambda v: local_day(v.start, zone).year)
    means = (_mean(list(group), zone) for _, group in years_)
    return [v for v in means if v is not None and (v.end <= until or provisional)]


def _mean(values: Sequence[IndicatorValue], zone: tzinfo) -> IndicatorValue | None:
    """The mean of one year's windows, None where too few have a value. It is as good as the worst of them."""
    calendar, last = Calendar(zone), values[-1]
    start, end = calendar.window(last.start, Period.YEAR)
    expected = len(calendar.edges(start, end, Period(last.period))) - 1
    if len(values) < CAPTURE * expected:
        return None
    return replace(
        last,
        start=start,
        end=end,
        period=Period.YEAR.value,
        value=sum(v.value or 0.0 for v in values) / len(values),
        status=Status.FINAL if all(v.status is Status.FINAL for v in values) else Status.PROVISIONAL,
        coverage=len(values) / expected,
        n_valid=len(values),
        n_expected=expected,
        band=None,
        score=None,
        components={},
        details={},
        digest=None,
        cause=None,
        lower_bound=any(v.lower_bound for v in values),
        missing=sorted({name for v in values for name in v.missing}),
        origin=max(v.origin for v in values),
        grade=max(v.grade for v in values),
        revision=max(v.revision for v in values),
        computed_at=max(v.computed_at for v in values),
        seq=max(v.seq for v in values),
    )
