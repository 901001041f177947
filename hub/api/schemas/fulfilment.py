# SPDX-License-Identifier: EUPL-1.2
"""How far strategies are fulfilled."""

from typing import Annotated, Any

from pydantic import Field

from hub.api.schemas.common import Model, Moment, Origin, Simulated, Title, example
from hub.api.schemas.strategies import DOCUMENT, TITLE, Day, Phase, Standing

Illustrative = Annotated[bool, Field(description="True where the standing is illustrative: it counts in no roll-up.")]

TARGET: dict[str, Any] = {
    "id": "cyclists-2030",
    "title": TITLE,
    "indicator": "bicycle_count_day_city",
    "place": "havirov",
    "aim": "increase",
    "statistic": "year_mean",
    "value": 600.0,
    "lo": None,
    "hi": None,
    "date": "2030-12-31",
    "baseline": {"value": 400.0, "date": "2020-12-31", "source": "counters of the city", "origin": None},
    "source": None,
    "uncertain": None,
}
VALUE: dict[str, Any] = {
    "value": 480.0,
    "status": "final",
    "coverage": 0.97,
    "n_valid": 354,
    "n_expected": 365,
    "lower_bound": False,
    "origin": "measured",
    "grade": "indicative",
    "revision": 1,
    "definition_version": 1,
    "window": {"start": "2024-12-31T23:00:00Z", "end": "2025-12-31T23:00:00Z", "period": "P1Y"},
    "computed_at": "2026-01-02T01:00:05Z",
}
FULFILMENT: dict[str, Any] = {
    "strategy": "mobility-plan",
    "area": "cycling",
    "goal": "more-cyclists",
    "action": None,
    "target": TARGET,
    "standing": "illustrative",
    "illustrative": True,
    "phase": "running",
    "final": False,
    "category": "moderate",
    "reason": None,
    "unit": "1",
    "value": VALUE,
    "value_date": "2025-12-31",
    "simulated": False,
    "distance": {"absolute": 120.0, "share_of_way": 0.4},
    "trajectory": {
        "method": "compound",
        "why": "all values are positive and far from zero and bounds",
        "required": 0.0414,
        "actual": 0.0371,
        "ratio": 0.8973,
        "expected": 489.9,
    },
    "forecast": {
        "value": 575.0,
        "low": 510.0,
        "high": 648.0,
        "level": 0.9,
        "n": 5,
        "method": "log-linear regression by least squares, 90% prediction interval (Student's t, 3 d.f.)",
    },
    "no_forecast": None,
    "caveats": [],
}
ROLLUP: dict[str, Any] = {
    "answer": "no official targets",
    "official": 0,
    "categories": {},
    "reached": None,
    "on_track": None,
    "simulated": 0,
    "illustrative": {"moderate": 1},
}
GOAL: dict[str, Any] = {"id": "more-cyclists", "title": TITLE, "standing": "official", "rollup": ROLLUP}
AREA: dict[str, Any] = {**GOAL, "id": "cycling", "goals": [GOAL]}
JUDGED: dict[str, Any] = {
    "strategy": "mobility-plan",
    "title": DOCUMENT["title"],
    "revision": 1,
    "revision_made_at": "2026-11-23T10:00:00Z",
    "phase": "running",
    "valid_from": "2021-01-01",
    "valid_to": "2030-12-31",
    "as_of": "2026-11-23T10:00:00Z",
    "rollup": ROLLUP,
    "areas": [AREA],
    "targets": [FULFILMENT],
}


class BaselineOut(Model):
    """Where the indicator stood."""

    model_config = example(**TARGET["baseline"])

    value: float
    date: Day
    source: str
    origin: str | None


class SourceOut(Model):
    """Where a target stands."""

    model_config = example(citation="the adopted document, p. 12", url=None, uncertain=None)

    citation: str
    url: str | None
    uncertain: str | None = Field(description="What could not be verified.")


class TargetOut(Model):
    """What shall be reached."""

    model_config = example(**TARGET)

    id: str
    title: Title
    indicator: str
    place: str
    aim: str = Field(description="increase, decrease or reach_band.")
    statistic: str = Field(description="newest: the newest window; year_mean: the mean of a year's windows.")
    value: float | None
    lo: float | None
    hi: float | None
    date: Day
    baseline: BaselineOut | None
    source: SourceOut | None
    uncertain: str | None


class UsedWindow(Model):
    """The window [start, end)."""

    model_config = example(**VALUE["window"])

    start: Moment
    end: Moment
    period: str


class UsedValue(Model):
    """The indicator value that was used; never bare."""

    model_config = example(**VALUE)

    value: float | None
    status: str = Field(description="final, or provisional where that was asked for.")
    coverage: float | None = Field(description="Share of what was expected, 0 to 1; null: unknown.")
    n_valid: int
    n_expected: int | None
    lower_bound: bool = Field(description="What is missing could only make the value higher.")
    origin: Origin
    grade: str
    revision: int
    definition_version: int
    window: UsedWindow
    computed_at: Moment


class DistanceOut(Model):
    """How far it is to the target."""

    model_config = example(**FULFILMENT["distance"])

    absolute: float = Field(description="In the indicator's unit; 0 when reached.")
    share_of_way: float | None = Field(description="Part of the way from the baseline that is done; negative: away.")


class TrajectoryOut(Model):
    """Required and actual pace."""

    model_config = example(**FULFILMENT["trajectory"])

    method: str = Field(description="compound: growth a year in parts of one; linear: change a year in the unit.")
    why: str = Field(description="Why this method.")
    required: float
    actual: float
    ratio: float | None = Field(description="actual / required; null where nothing was required.")
    expected: float = Field(description="Where the straight way would be at the value's date.")


class ForecastOut(Model):
    """Where the indicator will be at the target's date if it goes on as it did."""

    model_config = example(**FULFILMENT["forecast"])

    value: float
    low: float
    high: float
    level: float
    n: int = Field(description="Points that went in.")
    method: str


class FulfilmentOut(Model):
    """One target judged."""

    model_config = example(**FULFILMENT)

    strategy: str
    area: str
    goal: str | None
    action: str | None
    target: TargetOut
    standing: Standing
    illustrative: Illustrative
    phase: Phase
    final: bool = Field(description="The end is past: reached or not, without trajectory and forecast.")
    category: str = Field(
        description="reached, on_track (ratio from 0.95), moderate (0.60), slow (0), away; not_reached at the end; "
        "not_started; no_data."
    )
    reason: str | None = Field(description="Why there is no judgement.")
    unit: str
    value: UsedValue | None
    value_date: Day | None = Field(description="Last day of the value's window.")
    simulated: Simulated
    distance: DistanceOut | None
    trajectory: TrajectoryOut | None
    forecast: ForecastOut | None
    no_forecast: str | None = Field(description="Why there is no forecast.")
    caveats: list[str] = Field(description="What weakens the judgement.")


class ShareOut(Model):
    """So many of so many."""

    model_config = example(count=3, of=5, share=0.6)

    count: int
    of: int
    share: float


class RollUpOut(Model):
    """Official targets together; illustrative ones are counted apart."""

    model_config = example(**ROLLUP)

    answer: str = Field(description="In words; `no official targets` where there are none.")
    official: int
    categories: dict[str, int] = Field(description="Official targets by category.")
    reached: ShareOut | None = Field(description="null where no official target could be judged.")
    on_track: ShareOut | None = Field(description="Reached or on track.")
    simulated: int = Field(description="How many of these judgements rest on simulated values.")
    illustrative: dict[str, int] = Field(description="Illustrative targets by category.")


class GoalOut(Model):
    """A goal with its roll-up."""

    model_config = example(**GOAL)

    id: str
    title: Title
    standing: Standing
    rollup: RollUpOut


class AreaOut(GoalOut):
    """An area with its roll-up and its goals."""

    model_config = example(**AREA)

    goals: list[GoalOut]


class StrategyFulfilment(Model):
    """A strategy judged."""

    model_config = example(**JUDGED)

    strategy: str
    title: Title
    revision: int = Field(description="Of the document.")
    revision_made_at: Moment = Field(description="Later than `as_of` where the document was imported only afterwards.")
    phase: Phase
    valid_from: Day | None
    valid_to: Day | None
    as_of: Moment
    rollup: RollUpOut
    areas: list[AreaOut]
    targets: list[FulfilmentOut]


class FulfilmentOverview(Model):
    """All strategies judged."""

    model_config = example(as_of=JUDGED["as_of"], running=ROLLUP, items=[JUDGED])

    as_of: Moment
    running: RollUpOut = Field(description="Over all strategies that run.")
    items: list[StrategyFulfilment]
