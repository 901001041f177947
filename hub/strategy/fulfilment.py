# SPDX-License-Identifier: EUPL-1.2
"""How far a target is fulfilled at a moment: a pure function of the document and the indicator's values.

Before its strategy begins a target is `not_started`. While it runs: distance, trajectory with category, forecast. After
the end of the strategy, or after the target's own date, the evaluation is final: the value at the end, or the nearest
before it, reached or not, and neither trajectory nor forecast. Where a figure is missing the category is `no_data` with
the reason. What weakens a judgement without forbidding it stands in `caveats`.
"""

from collections.abc import Sequence
from datetime import date, timedelta, tzinfo
from enum import StrEnum

from msgspec import Struct

from hub.core.indicators import IndicatorValue, Status
from hub.core.readings import Origin
from hub.core.strategies import Aim, IndicatorFacts, Placed, Standing, Strategy, Target
from hub.strategy.forecast import Forecast, NoForecast, forecast
from hub.strategy.series import last_day, local_day, usable, years
from hub.strategy.trajectory import Category, Distance, Method, Trajectory, category, distance, reached, trajectory

_YEAR = timedelta(days=366)
_WINDOW = {"PT1H": timedelta(days=1), "P1D": timedelta(days=1), "P1M": timedelta(days=31), "P1Y": _YEAR}


class Phase(StrEnum):
    """Where a strategy is in its life at a moment. Without a known end it runs."""

    NOT_STARTED = "not_started"
    RUNNING = "running"
    ENDED = "ended"


class Moment(Struct, frozen=True):
    """When is judged (ns), on which local calendar, whether provisional values count, and (`back`) whether by what was
    known then instead of by what is known today.
    """

    as_of: int
    zone: tzinfo
    provisional: bool = False
    back: bool = False

    @property
    def known_at(self) -> int | None:
        """The instant whose revisions count, None for the newest."""
        return self.as_of if self.back else None

    @property
    def day(self) -> date:
        """The local day."""
        return local_day(self.as_of, self.zone)


class Fulfilment(Struct, frozen=True, kw_only=True):
    """One target judged. `value` is the whole indicator value that was used, so that its status, coverage, origin,
    grade and revision go with it; `value_date` the last day of its window. `final` says that the end is past.
    """

    strategy: str
    placed: Placed
    phase: Phase
    final: bool
    category: Category
    unit: str
    value: IndicatorValue | None = None
    value_date: date | None = None
    distance: Distance | None = None
    trajectory: Trajectory | None = None
    forecast: Forecast | None = None
    no_forecast: str | None = None
    reason: str | None = None
    caveats: Sequence[str] = ()

    @property
    def target(self) -> Target:
        """The target."""
        return self.placed.target

    @property
    def official(self) -> bool:
        """Whether it counts in roll-ups."""
        return self.target.standing is Standing.OFFICIAL

    @property
    def simulated(self) -> bool:
        """Whether a simulator made the value."""
        return self.value is not None and self.value.origin is Origin.SIMULATED


def phase_of(strategy: Strategy, day: date) -> Phase:
    """Phase of a strategy on a day; its last day still belongs to it."""
    if strategy.valid_from is not None and day < strategy.valid_from:
        return Phase.NOT_STARTED
    if strategy.valid_to is not None and day > strategy.valid_to:
        return Phase.ENDED
    return Phase.RUNNING


def fulfil(
    strategy: Strategy, placed: Placed, values: Sequence[IndicatorValue], facts: IndicatorFacts | None, moment: Moment
) -> Fulfilment:
    """Judge one target by the indicator's values at its place (any order, all windows)."""
    target, phase = placed.target, phase_of(strategy, moment.day)
    last = _deadline(strategy, target, phase, moment.day)
    series = [
        v
        for v in usable(values, target.statistic, moment.zone, moment.as_of, moment.provisional)
        if _known_by(v, last or moment.day, moment) and not _open_bound(v, target)
    ]
    newest = series[-1] if series else None
    judged = _judge(target, phase, series, last, moment)
    return Fulfilment(
        strategy=strategy.id,
        placed=placed,
        phase=phase,
        final=last is not None,
        category=judged.category,
        unit=newest.unit if newest else facts.unit if facts else "",
        value=newest,
        value_date=last_day(newest, moment.zone) if newest else None,
        distance=_distance(target, newest),
        trajectory=judged.trajectory,
        forecast=judged.forecast if isinstance(judged.forecast, Forecast) else None,
        no_forecast=judged.forecast.reason if isinstance(judged.forecast, NoForecast) else None,
        reason=judged.reason or (None if series else _why_none(values, last, moment)),
        caveats=_caveats(strategy, target, values, newest, last, moment),
    )


class _Judged(Struct, frozen=True):
    category: Category
    reason: str | None = None
    trajectory: Trajectory | None = None
    forecast: Forecast | NoForecast | None = None


def _deadline(strategy: Strategy, target: Target, phase: Phase, day: date) -> date | None:
    """The day to whose end a final evaluation looks; None while the target is under way."""
    if phase is Phase.ENDED and strategy.valid_to is not None:
        return min(strategy.valid_to, target.date)
    return target.date if day > target.date else None


def _known_by(value: IndicatorValue, last: date, moment: Moment) -> bool:
    """Whether a value's window is over by the end of a day, or (asked for provisional ones) has begun by then."""
    if value.status is Status.PROVISIONAL and last == moment.day:
        return value.start <= moment.as_of
    return last_day(value, moment.zone) <= last


def _open_bound(value: IndicatorValue, target: Target) -> bool:
    """Whether a value can still only get worse: a count of a year under way shows no target as kept."""
    return value.status is Status.PROVISIONAL and value.lower_bound and target.aim is not Aim.INCREASE


def _judge(
    target: Target, phase: Phase, series: Sequence[IndicatorValue], last: date | None, moment: Moment
) -> _Judged:
    if phase is Phase.NOT_STARTED:
        return _Judged(Category.NOT_STARTED, "the strategy has not begun")
    if not series:
        return _Judged(Category.NO_DATA)
    newest, base = series[-1], target.baseline
    value, day = newest.value or 0.0, min(last_day(newest, moment.zone), moment.day)
    if base is not None and day <= base.date:
        return _Judged(Category.NO_DATA, f"the newest value ({day}) is not later than the baseline ({base.date})")
    if last is not None:
        return _Judged(Category.REACHED if reached(target, value) else Category.NOT_REACHED)
    if base is None:
        none = NoForecast("there is no baseline")
        return _Judged(
            category(target, value, None),
            None if reached(target, value) else "there is no baseline to judge the progress from",
            forecast=none,
        )
    spent, total = years(day) - years(base.date), years(target.date) - years(base.date)
    found = trajectory(target, base.value, value, spent, total, newest.unit)
    return _Judged(category(target, value, found), None, found, _forecast(target, series, found.method, moment))


def _forecast(
    target: Target, series: Sequence[IndicatorValue], method: Method, moment: Moment
) -> Forecast | NoForecast:
    """From the baseline and what came after it."""
    base = target.baseline
    points = [(years(base.date), base.value)] if base else []
    points += [
        (years(day), v.value or 0.0)
        for v in series
        if (day := min(last_day(v, moment.zone), moment.day)) and (base is None or day > base.date)
    ]
    times, values = zip(*points, strict=True)
    return forecast(times, values, years(target.date), method)


def _distance(target: Target, newest: IndicatorValue | None) -> Distance | None:
    if newest is None or newest.value is None:
        return None
    return distance(target, newest.value, target.baseline.value if target.baseline else None)


def _why_none(values: Sequence[IndicatorValue], last: date | None, moment: Moment) -> str:
    """Why there is nothing to judge by."""
    place = "the end" if last else "now"
    if not values:
        return "the indicator has no value at this place"
    if not any(v.value is not None for v in values):
        newest = max(values, key=lambda v: v.start)
        return f"insufficient data in all {len(values)} windows; the newest: {newest.reason}"
    if not moment.provisional and any(v.status is Status.PROVISIONAL and v.value is not None for v in values):
        return f"no final value up to {place}; there are provisional ones"
    if any(v.status is Status.PROVISIONAL and v.lower_bound for v in values):
        return "there is only the lower bound of a window that is not over"
    return f"no value up to {place}"


def _caveats(
    strategy: Strategy,
    target: Target,
    values: Sequence[IndicatorValue],
    newest: IndicatorValue | None,
    last: date | None,
    moment: Moment,
) -> Sequence[str]:
    found = []
    if strategy.valid_to is None:
        found.append("the strategy's end is not known")
    if newest is None:
        return found
    day = last_day(newest, moment.zone)
    if newest.lower_bound:
        found.append("the value is a lower bound: what is missing could only make it higher")
    if newest.status is Status.PROVISIONAL:
        found.append("the value is provisional")
    if newest.origin is Origin.SIMULATED:
        found.append("the value is simulated")
    lacking = [v for v in values if v.value is None and v.start >= newest.end and v.closed and v.end <= moment.as_of]
    if lacking:
        found.append(f"{len(lacking)} later windows have too little data: {lacking[-1].reason}")
    if (last or moment.day) - day > _YEAR + _WINDOW.get(newest.period, _YEAR):
        found.append(f"the newest value is of {day}")
    if target.source is not None and target.source.uncertain:
        found.append(f"target: {target.source.uncertain}")
    return found
