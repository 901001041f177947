# SPDX-License-Identifier: EUPL-1.2
"""What an engine that starts recalls: the newest hour of each series that an engine before it has seen.

Readings that came while no engine ran are left out: else the silence between the end of the one before and what came
meanwhile would be nobody's, and its windows would never get their rows.
"""

from collections.abc import Mapping, Sequence

from hub.core.journal import HOUR_NS, Touch
from hub.core.ports import JournalReader, ReadingStore, ValueLedger
from hub.core.readings import Series
from hub.indicators.jobs import hours_of

_RECALLED = 64 * 24 * HOUR_NS  # as far as a window trails behind a reading


def unread_hours(journals: Sequence[JournalReader], ledger: ValueLedger, limit: int) -> Mapping[Series, set[int]]:
    """Hours that are touched behind the cursors, by series."""
    found: dict[Series, set[int]] = {}
    for n, journal in enumerate(journals):
        after = ledger.cursor(f"touch:{n}")
        touches, after = journal.touches(after, limit) if after else ((), 0)  # 0: there was nobody before
        while touches:
            for touch in touches:
                found.setdefault(Series(touch.device, touch.quantity), set()).add(touch.hour)
            touches, after = journal.touches(after, limit)
    return found


async def newest_seen(
    series: Sequence[Series], unread: Mapping[Series, set[int]], store: ReadingStore
) -> Sequence[Touch]:
    """The newest hour with readings of each series, unread ones left out."""
    newest = {s: r.time // HOUR_NS * HOUR_NS for s, r in (await store.latest(series)).items()}
    seen = {s: hour for s, hour in newest.items() if hour not in unread.get(s, ())}
    left = {s: _below(hour, unread[s]) for s, hour in newest.items() if s not in seen}
    seen.update(await _before(left, unread, store))
    return [Touch(s.device, s.quantity, hour) for s, hour in seen.items()]


async def _before(
    upto: Mapping[Series, int], unread: Mapping[Series, set[int]], store: ReadingStore
) -> Mapping[Series, int]:
    """The newest hour with readings that is not unread, of each series that has one in _RECALLED before `upto`.

    Looked for in stretches that grow: who speaks regularly is found in the first, who does not has little to read.
    """
    found: dict[Series, int] = {}
    back, length = 0, 2 * HOUR_NS
    while back < _RECALLED and (left := sorted(s for s in upto if s not in found)):
        last = max(upto[s] for s in left) + HOUR_NS - back
        first = min(upto[s] for s in left) + HOUR_NS - back - length
        columns = await store.scan(left, first, last)
        for series, hours in hours_of(columns).items():
            known = [hour for hour in hours.tolist() if hour not in unread[series]]
            if known:
                found[series] = max(known)
        back, length = back + length, length * 4
    return found


def _below(hour: int, unread: set[int]) -> int:
    """The newest hour, at most this one, that is not unread."""
    while hour in unread:
        hour -= HOUR_NS
    return hour
