# SPDX-License-Identifier: EUPL-1.2
"""Late list: final values that were replaced, newest first, what they changed in turn under them.

One late reading changes the value of its site, and with it the value of the part of the city: the second stands under
the first as its consequence. The change feed is read backwards in growing steps until there is enough to show or
`_ENOUGH` rows were read; a list that did not reach the beginning says so.
"""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from hub.console._values import Shown, Speaker
from hub.core.indicators import IndicatorValue
from hub.core.ports import ValueLedger, ValueQuery
from hub.indicators.definition import Definition

MOST = 10
_STEP, _ENOUGH, _RANKED = 2000, 2000, 300


class Change(NamedTuple):
    """A final value that was replaced; `depth` above 0: as a consequence of the change above it."""

    now: Shown
    before: Shown
    depth: int


class Changes(NamedTuple):
    """The newest rows, how many more were found, and whether all values were looked at."""

    rows: Sequence[Change]
    more: int
    complete: bool


def changes(speaker: Speaker) -> Changes:
    """What to show; values of indicators that are only there to be tested are not."""
    ledger, definitions = speaker.services.values, speaker.services.definitions
    feed, complete = _newest(ledger)
    revised = [v for v in feed if v.revision > 1 and _of_the_city(definitions.get(v.indicator))]
    newest = sorted(revised, key=lambda v: -v.seq)[:_RANKED]
    ranked = rank(newest, definitions)
    rows = [_change(speaker, value, depth) for value, depth in ranked[:MOST]]
    return Changes([row for row in rows if row], max(0, len(revised) - MOST), complete)


def _of_the_city(definition: Definition | None) -> bool:
    return definition is None or definition.visibility == "city"


def _newest(ledger: ValueLedger) -> tuple[Sequence[IndicatorValue], bool]:
    """The end of the change feed, and whether it is the whole of it."""
    last, span = last_seq(ledger), _STEP
    while True:
        feed = ledger.values(ValueQuery(after_seq=max(0, last - span)))
        if span >= last or len(feed) >= _ENOUGH or sum(v.revision > 1 for v in feed) > MOST:
            return feed, span >= last
        span *= 2


def rank(
    revised: Sequence[IndicatorValue], definitions: Mapping[str, Definition]
) -> Sequence[tuple[IndicatorValue, int]]:
    """Values with their depth: the newest causes first, consequences under the cause."""
    newest = sorted(revised, key=lambda v: -v.seq)
    below: dict[int, list[IndicatorValue]] = {}  # by the seq of their cause
    first: list[IndicatorValue] = []
    for value in newest:
        cause = next((u for u in newest if _follows(value, u, definitions)), None)
        (below.setdefault(cause.seq, []) if cause else first).append(value)

    def tree(value: IndicatorValue, depth: int) -> list[tuple[IndicatorValue, int]]:
        return [(value, depth), *(row for v in below.get(value.seq, ()) for row in tree(v, depth + 1))]

    trees = [tree(value, 0) for value in first]
    trees.sort(key=lambda rows: -max(value.seq for value, _ in rows))
    return [row for rows in trees for row in rows]


def _follows(value: IndicatorValue, cause: IndicatorValue, definitions: Mapping[str, Definition]) -> bool:
    definition = definitions.get(value.indicator)
    return (
        definition is not None
        and cause.indicator in definition.sources
        and f"{cause.place}/".startswith(f"{value.place}/")
        and value.start <= cause.start
        and cause.end <= value.end
    )


def _change(speaker: Speaker, value: IndicatorValue, depth: int) -> Change | None:
    kept = speaker.services.values.revisions(value.indicator, value.place, value.start)
    earlier = [r for r in kept if r.revision < value.revision]
    return Change(speaker.show(value), speaker.show(earlier[-1]), depth) if earlier else None


def last_seq(ledger: ValueLedger) -> int:
    """The newest number of the change feed, by bisection: the port answers only what comes after a number."""

    def beyond(seq: int) -> bool:
        return bool(ledger.values(ValueQuery(after_seq=seq, limit=1)))

    high = 1
    while beyond(high):
        high *= 2
    low = high // 2
    while low < high:
        middle = (low + high) // 2
        low, high = (middle + 1, high) if beyond(middle) else (low, middle)
    return low
