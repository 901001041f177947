# SPDX-License-Identifier: EUPL-1.2
"""What targets say together: of a goal, an area, a strategy, all strategies.

Official targets alone are counted and give shares; with none the answer is `no official targets`, and with none that
can be judged `no data`: in neither case a percentage. Shares are of all official targets that have begun, also those
without data, so that a blind spot can never look like progress. Illustrative targets are counted apart, without shares.
"""

from collections import Counter
from collections.abc import Mapping, Sequence

from msgspec import Struct

from hub.core.strategies import Area, Goal, Strategy
from hub.strategy.fulfilment import Fulfilment
from hub.strategy.trajectory import Category

NO_OFFICIAL = "no official targets"
NO_DATA = "no data"
NOT_STARTED = "not started"
_GOOD = {Category.REACHED, Category.ON_TRACK}


class Share(Struct, frozen=True):
    """So many of so many: `share` is count / of."""

    count: int
    of: int
    share: float


class RollUp(Struct, frozen=True, kw_only=True):
    """Official targets counted by category; `answer` in words; shares only where a target could be judged.

    `on_track` counts targets reached or on track while they run. `simulated`: so many judgements rest on simulation.
    `illustrative` counts the others by category; they enter into nothing else.
    """

    answer: str
    official: int
    categories: Mapping[str, int]
    reached: Share | None = None
    on_track: Share | None = None
    simulated: int = 0
    illustrative: Mapping[str, int] = {}


class GoalRollUp(Struct, frozen=True):
    """A goal with its roll-up."""

    goal: Goal
    rollup: RollUp


class AreaRollUp(Struct, frozen=True):
    """An area with its roll-up and those of its goals."""

    area: Area
    rollup: RollUp
    goals: Sequence[GoalRollUp]


def roll_up(judged: Sequence[Fulfilment]) -> RollUp:
    """Count targets."""
    official = [f for f in judged if f.official]
    counts = _counts(official)
    others = _counts([f for f in judged if not f.official])
    begun = [f for f in official if f.category is not Category.NOT_STARTED]
    known = [f for f in begun if f.category is not Category.NO_DATA]
    answer, reached, good = _none(official, begun), None, None
    if known:
        reached = _share([f for f in begun if f.category is Category.REACHED], begun)
        good = _share([f for f in begun if f.category in _GOOD], begun)
        answer = _words(begun, known, reached, good)
    return RollUp(
        answer=answer,
        official=len(official),
        categories=counts,
        reached=reached,
        on_track=good,
        simulated=sum(f.simulated for f in known),
        illustrative=others,
    )


def by_area(strategy: Strategy, judged: Sequence[Fulfilment]) -> Sequence[AreaRollUp]:
    """Roll-ups of areas and goals, in the order of the document."""
    return [
        AreaRollUp(
            area,
            roll_up([f for f in judged if f.placed.area == area.id]),
            [GoalRollUp(goal, roll_up([f for f in judged if f.placed.goal == goal.id])) for goal in area.goals],
        )
        for area in strategy.areas
    ]


def _counts(judged: Sequence[Fulfilment]) -> Mapping[str, int]:
    found = Counter(f.category for f in judged)
    return {c.value: found[c] for c in Category if found[c]}


def _share(some: Sequence[Fulfilment], of: Sequence[Fulfilment]) -> Share:
    return Share(len(some), len(of), len(some) / len(of))


def _none(official: Sequence[Fulfilment], begun: Sequence[Fulfilment]) -> str:
    if not official:
        return NO_OFFICIAL
    return NO_DATA if begun else NOT_STARTED


def _words(begun: Sequence[Fulfilment], known: Sequence[Fulfilment], reached: Share, good: Share) -> str:
    final = all(f.final for f in begun)
    words = f"{reached.count} of {reached.of} official targets reached"
    if not final:
        words += f", {good.count} of {good.of} reached or on track"
    blind = len(begun) - len(known)
    return f"{words}; {blind} without data" if blind else words
