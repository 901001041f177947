# SPDX-License-Identifier: EUPL-1.2
"""`integration_coverage`: how many targets are measured, entered or blind, by area, by domain, and over all. Pure.

A target is looked at through its indicator's newest value at its place. `measured`: made of readings (measured or
imported); `entered`: typed in by people; `simulated`: made by a simulator, which covers nothing; `blind`: no value in
the last windows, whatever came before. Provisional values count: the question is whether data comes in.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import timedelta
from enum import StrEnum

from msgspec import Struct

from hub.core.indicators import IndicatorValue
from hub.core.readings import NS, Origin
from hub.core.strategies import Placed, Standing, Strategy
from hub.strategy.fulfilment import Moment, Phase, phase_of

_RECENT = {  # how long after the end of its window a value still counts as coming in
    "PT1H": timedelta(days=2),
    "P1D": timedelta(days=7),
    "P1M": timedelta(days=62),
    "P1Y": timedelta(days=731),
}


class Source(StrEnum):
    """Where a target's figures come from."""

    MEASURED = "measured"
    ENTERED = "entered"
    SIMULATED = "simulated"
    BLIND = "blind"


_SOURCES = {
    Origin.MEASURED: Source.MEASURED,
    Origin.IMPORTED: Source.MEASURED,
    Origin.ENTERED: Source.ENTERED,
    Origin.SIMULATED: Source.SIMULATED,
}


class Covered(Struct, frozen=True, kw_only=True):
    """One target with its source and, where it has one, the newest value; `why` says what makes it blind."""

    strategy: str
    placed: Placed
    phase: Phase
    domain: str
    source: Source
    value: IndicatorValue | None = None
    why: str | None = None


class Count(Struct, frozen=True, kw_only=True):
    """Targets by source. `covered` is the share of measured and entered ones, None without targets."""

    targets: int
    measured: int = 0
    entered: int = 0
    simulated: int = 0
    blind: int = 0
    covered: float | None = None


def cover(strategy: Strategy, placed: Placed, values: Sequence[IndicatorValue], domain: str, moment: Moment) -> Covered:
    """Source of one target's figures by the values of its indicator at its place."""
    known = [v for v in values if v.value is not None and v.start <= moment.as_of]
    newest = max(known, key=lambda v: v.start, default=None)
    fresh = newest is not None and moment.as_of - newest.end <= _recent(newest)
    return Covered(
        strategy=strategy.id,
        placed=placed,
        phase=phase_of(strategy, moment.day),
        domain=domain,
        source=_SOURCES[newest.origin] if newest is not None and fresh else Source.BLIND,
        value=newest,
        why=None if fresh else _why(values, newest, moment),
    )


def count(rows: Sequence[Covered]) -> Count:
    """How many targets have which source."""
    found = Counter(row.source for row in rows)
    seen = found[Source.MEASURED] + found[Source.ENTERED]
    return Count(
        targets=len(rows),
        measured=found[Source.MEASURED],
        entered=found[Source.ENTERED],
        simulated=found[Source.SIMULATED],
        blind=found[Source.BLIND],
        covered=seen / len(rows) if rows else None,
    )


def by_domain(rows: Sequence[Covered]) -> Mapping[str, Count]:
    """Counts by domain of the indicator, in order of its name."""
    return {name: count([r for r in rows if r.domain == name]) for name in sorted({r.domain for r in rows})}


def by_area(rows: Sequence[Covered]) -> Mapping[tuple[str, str], Count]:
    """Counts by (strategy, area), in order of the documents."""
    keys = dict.fromkeys((r.strategy, r.placed.area) for r in rows)
    return {key: count([r for r in rows if (r.strategy, r.placed.area) == key]) for key in keys}


def official(rows: Sequence[Covered]) -> Sequence[Covered]:
    """Those of official targets."""
    return [r for r in rows if r.placed.target.standing is Standing.OFFICIAL]


def _recent(value: IndicatorValue) -> int:
    return int(_RECENT.get(value.period, timedelta(days=731)).total_seconds()) * NS


def _why(values: Sequence[IndicatorValue], newest: IndicatorValue | None, moment: Moment) -> str:
    if newest is not None:
        return f"the newest value is {(moment.as_of - newest.end) // NS // 86_400} days old"
    lacking = max(values, key=lambda v: v.start, default=None)
    return f"insufficient data: {lacking.reason}" if lacking is not None else "the indicator has no value at this place"
