# SPDX-License-Identifier: EUPL-1.2
"""Required against actual change, and the category that follows. Pure figures, no dates and no places.

Rates are compound (annual growth) where baseline, current and target value are all positive, far from zero and from the
bounds of a percentage; linear otherwise, and which one was used is said with the reason. The category is the ratio
of the actual rate to the required one, with the thresholds that Open SDG takes over from Eurostat
(docs/progress-methodology.md of open-sdg/open-sdg, method "inspired by the progress methodology used by Eurostat").
"""

from enum import StrEnum

from msgspec import Struct

from hub.core.strategies import Aim, Target

NEAR = 0.05  # a value below this share of the largest one is near zero; so many parts of its range near a bound
BOUNDS = {"%": (0.0, 100.0)}  # by unit
THRESHOLDS = ((0.95, "on_track"), (0.60, "moderate"), (0.0, "slow"))


class Category(StrEnum):
    """How a target stands. `not_reached` is for evaluations after the end, where no pace matters any more."""

    REACHED = "reached"
    ON_TRACK = "on_track"
    MODERATE = "moderate"
    SLOW = "slow"
    AWAY = "away"
    NOT_REACHED = "not_reached"
    NOT_STARTED = "not_started"
    NO_DATA = "no_data"


class Method(StrEnum):
    """How rates are taken: growth a year in parts of one, or change a year in the indicator's unit."""

    COMPOUND = "compound"
    LINEAR = "linear"


class Trajectory(Struct, frozen=True, kw_only=True):
    """Rates a year (see Method), their ratio, and where the straight way would be now.

    `ratio` is None where nothing was required: the baseline had reached the target already.
    """

    method: Method
    why: str
    required: float
    actual: float
    ratio: float | None
    expected: float


class Distance(Struct, frozen=True, kw_only=True):
    """`absolute`: how far the value is from the target, in the indicator's unit, 0 when reached.

    `share_of_way`: part of the way from baseline to target that is done; negative is away, None without a baseline.
    """

    absolute: float
    share_of_way: float | None


def reached(target: Target, value: float) -> bool:
    """Whether a value fulfils the target."""
    return gap(target, value) == 0


def gap(target: Target, value: float) -> float:
    """How far a value is from fulfilling the target, 0 or more."""
    low, high = _interval(target)
    return max(low - value, value - high, 0.0)


def _interval(target: Target) -> tuple[float, float]:
    """Values that fulfil the target."""
    most = float("inf")
    if target.aim is Aim.REACH_BAND:
        return (-most if target.lo is None else target.lo), (most if target.hi is None else target.hi)
    wanted = 0.0 if target.value is None else target.value  # a document without it is refused by `check`
    return (wanted, most) if target.aim is Aim.INCREASE else (-most, wanted)


def goalpost(target: Target, baseline: float) -> float:
    """The value to arrive at, seen from the baseline: the nearer edge of a band, the baseline where it is inside."""
    low, high = _interval(target)
    return min(max(baseline, low), high)


def distance(target: Target, value: float, baseline: float | None) -> Distance:
    """Distance to the target, absolute and as a share of the way."""
    now = gap(target, value)
    way = gap(target, baseline) if baseline is not None else 0.0
    return Distance(absolute=now, share_of_way=(way - now) / way if way > 0 else None)


def trajectory(target: Target, baseline: float, value: float, spent: float, total: float, unit: str) -> Trajectory:
    """Rates after `spent` of `total` years, both positive."""
    post = goalpost(target, baseline)
    overshot = gap(target, value) > 0 and (value - post) * (baseline - post) < 0
    method, why = choose(baseline, value, post, unit)
    if method is Method.COMPOUND and min(spent, total) < 1:
        method, why = Method.LINEAR, "less than a year has passed or is given: an annual growth rate would exaggerate"
    if overshot:
        method, why = Method.LINEAR, "the value has gone past the band, so what counts is its distance to it"
    if method is Method.COMPOUND:
        required, actual = (post / baseline) ** (1 / total) - 1, (value / baseline) ** (1 / spent) - 1
        expected = baseline * (1 + required) ** spent
    else:
        seen = baseline + (gap(target, baseline) - gap(target, value)) * (1 if post > baseline else -1)
        required, actual = (post - baseline) / total, ((seen if overshot else value) - baseline) / spent
        expected = baseline + required * spent
    ratio = actual / required if required else None
    return Trajectory(method=method, why=why, required=required, actual=actual, ratio=ratio, expected=expected)


def choose(baseline: float, value: float, post: float, unit: str) -> tuple[Method, str]:
    """Compound or linear, and why."""
    numbers = (baseline, value, post)
    if min(numbers) <= 0:
        return Method.LINEAR, "a value is zero or negative, or the sign changes: growth rates have no meaning"
    if min(numbers) < NEAR * max(numbers):
        return Method.LINEAR, f"a value is near zero (below {NEAR:.0%} of the largest): growth rates would explode"
    low, high = BOUNDS.get(unit, (None, None))
    if low is not None and high is not None:
        margin = NEAR * (high - low)
        if min(numbers) <= low + margin or max(numbers) >= high - margin:
            return Method.LINEAR, f"a value is within {margin:g} {unit} of the bounds of a percentage"
    return Method.COMPOUND, "all values are positive and far from zero and bounds"


def category(target: Target, value: float, found: Trajectory | None) -> Category:
    """Category of a target that is under way; None as trajectory: without pace only `reached` can be told."""
    if reached(target, value):
        return Category.REACHED
    if found is None:
        return Category.NO_DATA
    if found.ratio is None:
        return Category.AWAY  # the baseline fulfilled the target, the value does not
    return next((Category(name) for least, name in THRESHOLDS if found.ratio >= least), Category.AWAY)
