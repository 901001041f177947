# SPDX-License-Identifier: EUPL-1.2
"""Answers about composite indices."""

from typing import Any

from pydantic import Field

from hub.api.schemas.common import Model, Origin, example
from hub.api.schemas.indicators import WindowOut

_WINDOW = {"start": "2025-12-31T23:00:00Z", "end": "2026-12-31T23:00:00Z", "period": "P1Y"}
_RANKED: dict[str, Any] = {
    "place": "havirov/sumbark",
    "value": 61.3,
    "status": "provisional",
    "coverage": 0.86,
    "missing": ["noise"],
    "origin": "measured",
    "grade": "indicative",
    "rank": 2,
    "rank_median": 2.0,
    "rank_5": 1.0,
    "rank_95": 3.0,
    "rank_kept": 0.71,
}
_POINT: dict[str, Any] = {
    "window": _WINDOW,
    "value": 61.3,
    "status": "provisional",
    "coverage": 0.86,
    "missing": ["noise"],
    "revision": 0,
    "origin": "measured",
    "grade": "indicative",
    "details": {"pillar_air": 71.2, "score_pm2_5": 64.0},
}


class RankedOut(Model):
    """A place, its value, and how its rank holds under other weights."""

    model_config = example(**_RANKED)

    place: str
    value: float
    status: str
    coverage: float | None
    missing: list[str] = Field(description="Inputs that the value lacks.")
    origin: Origin
    grade: str
    rank: int = Field(description="1 is the best; equal values share the better rank.")
    rank_median: float = Field(description="Median of the ranks under other weights.")
    rank_5: float = Field(description="5th percentile of those ranks.")
    rank_95: float = Field(description="95th percentile of those ranks.")
    rank_kept: float = Field(description="Share of the draws in which the place keeps its rank.")


class RankingOut(Model):
    """Places in order; `left_out` says which have no value, and why."""

    model_config = example(
        indicator="quality_of_life_part",
        definition_version=1,
        window=_WINDOW,
        draws=1000,
        spread=0.25,
        seed=2021,
        places=[_RANKED],
        left_out={"havirov/zivotice": "the pillars that are known carry too little of the weight"},
    )

    indicator: str
    definition_version: int
    window: WindowOut | None
    draws: int
    spread: float
    seed: int
    places: list[RankedOut]
    left_out: dict[str, str]


class PointOut(Model):
    """One of the two values compared."""

    model_config = example(**_POINT)

    window: WindowOut
    value: float
    status: str
    coverage: float | None
    missing: list[str]
    revision: int
    origin: Origin
    grade: str
    details: dict[str, float] = Field(description="Scores of the inputs and pillars.")


class ContributionOut(Model):
    """Points of the change that one input made; `changed_inputs`: inputs that are there only once."""

    model_config = example(input="pm2_5", pillar="air", points=1.7)

    input: str
    pillar: str | None
    points: float


class ChangeOut(Model):
    """What moved an index between two windows: the points add up to the change."""

    model_config = example(
        indicator="quality_of_life_part",
        place="havirov/sumbark",
        definition_version=1,
        before=_POINT,
        after=_POINT,
        change=2.4,
        contributions=[{"input": "pm2_5", "pillar": "air", "points": 1.7}],
    )

    indicator: str
    place: str
    definition_version: int
    before: PointOut
    after: PointOut
    change: float
    contributions: list[ContributionOut]
