# SPDX-License-Identifier: EUPL-1.2
"""Readings of a value's window, one group a device and quantity: what was stored, and whether it counts."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from hub.console._values import Speaker
from hub.console.language import Language
from hub.console.texts import FLAG, ORIGIN
from hub.core.errors import HubError
from hub.core.ports import ReadingStore
from hub.core.readings import Columns, Origin, Series
from hub.core.windows import Period
from hub.indicators.definition import Definition

MOST = 500
_ONE_DATE = frozenset({Period.HOUR, Period.DAY})


class ReadingRow(NamedTuple):
    """One stored reading of the window; `used` says whether its flag lets it count."""

    time: str
    value: str
    flag: str
    used: bool
    origin: str


class Group(NamedTuple):
    """Readings of one device and quantity; `unused` of them do not count."""

    quantity: str
    device: str
    rows: Sequence[ReadingRow]
    unused: int


async def stored(store: ReadingStore, series: Sequence[Series], start: int, end: int) -> Columns | None:
    """Readings of the window; None when the store does not answer."""
    try:
        return await store.scan(series, start, end)
    except HubError:
        return None


def groups(speaker: Speaker, definition: Definition | None, period: str, readings: Columns) -> Sequence[Group]:
    """The first `MOST` readings in words; where the window has one date, rows have the time of day alone."""
    counted = set(definition.flags) if definition else set[int]()
    rows: dict[Series, list[ReadingRow]] = {}
    for i in range(min(len(readings), MOST)):
        series = readings.series[readings.index[i]]
        rows.setdefault(series, []).append(_reading(speaker, readings, i, counted, period in _ONE_DATE))
    found = [
        Group(speaker.quantity(s.quantity), speaker.device(s.device), group, sum(not row.used for row in group))
        for s, group in rows.items()
    ]
    return sorted(found, key=lambda g: (g.device, g.quantity))


def _reading(speaker: Speaker, readings: Columns, i: int, counted: set[int], one_date: bool) -> ReadingRow:
    series, flag, formats = readings.series[readings.index[i]], int(readings.flag[i]), speaker.formats
    t, unit = int(readings.time[i]), speaker.services.quantities.get(series.quantity).unit
    words: Mapping[Language, str] = FLAG.get(flag, {"cs": str(flag), "en": str(flag)})
    return ReadingRow(
        time=formats.clock(t, seconds=True) if one_date else formats.moment(t, seconds=True),
        value=formats.quantity(float(readings.value[i]), unit, 3),
        flag=words[formats.language],
        used=flag in counted,
        origin=ORIGIN[Origin(int(readings.origin[i])).word][formats.language],
    )
