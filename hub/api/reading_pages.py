# SPDX-License-Identifier: EUPL-1.2
"""One page of readings out of a store that only knows whole periods.

The period is scanned in growing steps until the page is full, so that a page of a year's data costs a page and not a
year; no step is so long that the first rows behind a gap cost all that follows. Nothing is older than the year 2000
(ingest refuses it) or newer than the newest. Order and cursor are the key (time, device, quantity): rows that arrive
between two pages neither repeat nor hide others.
"""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from hub.core.indicators import Correction
from hub.core.journal import HOUR_NS
from hub.core.ports import ReadingStore
from hub.core.readings import Columns, Reading, Series
from hub.core.windows import parse_instant
from hub.indicators.corrections import corrected

Key = tuple[int, str, str]


EARLIEST = parse_instant("2000-01-01T00:00:00Z")
LONGEST_STEP = 32 * 24 * HOUR_NS


class Page(NamedTuple):
    """Rows of one page, and the key of the last one where more follow."""

    rows: Sequence[Reading]
    last: Key | None


async def read_page(
    store: ReadingStore,
    series: Sequence[Series],
    start: int,
    end: int,
    after: Key | None,
    limit: int,
    corrections: Sequence[Correction] = (),
) -> Page:
    """At most `limit` readings of [start, end) behind the key `after`, read with the corrections applied."""
    rows: list[Reading] = []
    newest = await store.latest(series)
    last = min(end, max((row.time for row in newest.values()), default=start) + 1)
    lower, step = max(start, after[0] if after else start, EARLIEST), HOUR_NS
    while lower < last and len(rows) <= limit:
        upper = min(last, lower + step)
        columns = corrected(await store.scan(series, lower, upper), corrections)
        rows += [row for row in _rows(columns) if after is None or _key(row) > after]
        lower, step = upper, min(step * 4, LONGEST_STEP)
    rows = sorted(rows, key=_key)
    return Page(rows[:limit], _key(rows[limit - 1]) if len(rows) > limit else None)


def _key(row: Reading) -> Key:
    return row.time, row.device, row.quantity


def _rows(columns: Columns) -> Iterator[Reading]:
    lists = (columns.index, columns.time, columns.value, columns.flag, columns.origin)
    for index, time, value, flag, origin in zip(*(column.tolist() for column in lists), strict=True):
        device, quantity = columns.series[index]
        yield Reading(device, quantity, value, time, flag, origin=origin)
