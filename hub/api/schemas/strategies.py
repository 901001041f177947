# SPDX-License-Identifier: EUPL-1.2
"""Strategies, their fulfilment, and how much of them is covered by data.

The schema of a document is made of the model that imports it (`hub.core.strategies`), so both always agree.
"""

from typing import Annotated, Any

import msgspec
from pydantic import Field, WithJsonSchema

from hub.api.schemas.common import Model, Moment, Origin, Simulated, Title, example
from hub.core.strategies import Strategy

Day = Annotated[str, Field(description="A day, RFC 3339 full-date.", json_schema_extra={"format": "date"})]
Standing = Annotated[
    str, Field(description="official: stands in an adopted document; illustrative: shows how it would work.")
]
Illustrative = Annotated[bool, Field(description="True where the standing is illustrative: it counts in no roll-up.")]
Phase = Annotated[str, Field(description="not_started, running or ended.")]


def _without_references(node: Any, definitions: dict[str, Any]) -> Any:
    """A schema with every $ref replaced by what it means; the model has no cycles."""
    if isinstance(node, list):
        return [_without_references(item, definitions) for item in node]
    if not isinstance(node, dict):
        return node
    if reference := node.get("$ref"):
        return _without_references(definitions[reference.rpartition("/")[2]], definitions)
    return {name: _without_references(item, definitions) for name, item in node.items() if name != "$defs"}


_SCHEMA = msgspec.json.schema(Strategy)
DOCUMENT_SCHEMA: dict[str, Any] = _without_references(_SCHEMA, _SCHEMA["$defs"])
Document = Annotated[dict[str, Any], WithJsonSchema(DOCUMENT_SCHEMA)]

TITLE = {"cs": "Více cest na kole", "en": "More trips by bicycle"}
DOCUMENT: dict[str, Any] = {
    "id": "mobility-plan",
    "title": {"cs": "Plán mobility", "en": "Mobility plan"},
    "standing": "official",
    "state": "running",
    "valid_from": "2021-01-01",
    "valid_to": "2030-12-31",
    "scope": {"cs": "Doprava ve městě", "en": "Transport in the city"},
    "source": {"citation": "the adopted document"},
    "areas": [
        {
            "id": "cycling",
            "title": {"cs": "Kola", "en": "Cycling"},
            "standing": "official",
            "goals": [
                {
                    "id": "more-cyclists",
                    "title": TITLE,
                    "standing": "official",
                    "targets": [
                        {
                            "id": "cyclists-2030",
                            "title": TITLE,
                            "standing": "illustrative",
                            "indicator": "bicycle_count_day_city",
                            "place": "havirov",
                            "aim": "increase",
                            "statistic": "year_mean",
                            "value": 600,
                            "date": "2030-12-31",
                            "baseline": {"value": 400, "date": "2020-12-31", "source": "counters of the city"},
                        }
                    ],
                }
            ],
        }
    ],
}
DOCUMENT_YAML = """\
id: mobility-plan
title: {cs: Plán mobility, en: Mobility plan}
standing: official
scope: {cs: Doprava ve městě, en: Transport in the city}
source: {citation: the adopted document}
"""
SUMMARY: dict[str, Any] = {
    "id": "mobility-plan",
    "title": DOCUMENT["title"],
    "scope": DOCUMENT["scope"],
    "standing": "official",
    "state": "running",
    "phase": "running",
    "valid_from": "2021-01-01",
    "valid_to": "2030-12-31",
    "uncertain": None,
    "owner": None,
    "predecessor": None,
    "successor": None,
    "targets": {"official": 0, "illustrative": 1},
    "revision": 1,
}
REVISION: dict[str, Any] = {
    "id": "mobility-plan",
    "revision": 1,
    "made_by": "council",
    "made_at": "2026-11-23T10:00:00Z",
    "reason": "adopted",
}
PREVIEW: dict[str, Any] = {
    "id": "mobility-plan",
    "revision": 2,
    "changed": True,
    "changes": [
        {
            "kind": "changed",
            "field": "areas.cycling.goals.more-cyclists.targets.cyclists-2030.value",
            "before": 600.0,
            "after": 700.0,
        }
    ],
    "warnings": [],
}
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
COUNT: dict[str, Any] = {"targets": 1, "measured": 1, "entered": 0, "simulated": 0, "blind": 0, "covered": 1.0}
TOTAL: dict[str, Any] = {
    **COUNT,
    "official": {**COUNT, "targets": 0, "measured": 0, "covered": None},
    "lists": {"measured": ["mobility-plan/cyclists-2030"], "entered": [], "simulated": [], "blind": []},
}
COVERED: dict[str, Any] = {
    "strategy": "mobility-plan",
    "area": "cycling",
    "target": "cyclists-2030",
    "title": TITLE,
    "standing": "illustrative",
    "illustrative": True,
    "phase": "running",
    "domain": "traffic",
    "indicator": "bicycle_count_day_city",
    "place": "havirov",
    "source": "measured",
    "why": None,
    "newest": VALUE,
}
COVERAGE: dict[str, Any] = {
    "as_of": "2026-11-23T10:00:00Z",
    "all": TOTAL,
    "running": TOTAL,
    "domains": [{"domain": "traffic", **COUNT}],
    "areas": [{"strategy": "mobility-plan", "area": "cycling", **COUNT}],
    "targets": [COVERED],
}


class TargetCounts(Model):
    """How many targets a document has."""

    model_config = example(official=0, illustrative=1)

    official: int
    illustrative: int


class StrategySummary(Model):
    """A strategy in a list."""

    model_config = example(**SUMMARY)

    id: str
    title: Title
    scope: Title
    standing: Standing
    state: str = Field(description="planned, running, done, stopped or unknown, as its owner says.")
    phase: Phase
    valid_from: Day | None
    valid_to: Day | None = Field(description="Last day; null: not known, see `uncertain`.")
    uncertain: str | None
    owner: str | None
    predecessor: str | None
    successor: str | None
    targets: TargetCounts
    revision: int


class StrategyList(Model):
    """All strategies, in order of their ids."""

    model_config = example(items=[SUMMARY])

    items: list[StrategySummary]


class RevisionOut(Model):
    """Who made a revision of a document, when and why."""

    model_config = example(**REVISION)

    id: str
    revision: int = Field(description="1 is the first.")
    made_by: str
    made_at: Moment
    reason: str


class StrategyDetail(RevisionOut):
    """A revision with its whole document; give `document` back to PUT to change it."""

    model_config = example(**REVISION, document=DOCUMENT)

    document: Document


class StrategyRevisions(Model):
    """All revisions of a document, oldest first."""

    model_config = example(items=[{**REVISION, "document": DOCUMENT}])

    items: list[StrategyDetail]


class ChangeOut(Model):
    """One field that was added, removed or changed."""

    model_config = example(**PREVIEW["changes"][0])

    kind: str = Field(description="added, removed or changed.")
    field: str = Field(description="Path of fields and ids; empty: the whole document.")
    before: Any
    after: Any


class PreviewOut(Model):
    """What an import changes, or with `dry_run` would change."""

    model_config = example(**PREVIEW)

    id: str
    revision: int = Field(description="The newest one afterwards.")
    changed: bool = Field(description="False: the same document was there already.")
    changes: list[ChangeOut]
    warnings: list[str] = Field(description="What is allowed and looks odd, each with its field.")


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


class CountOut(Model):
    """Targets by where their figures come from."""

    model_config = example(**COUNT)

    targets: int
    measured: int = Field(description="The newest value is made of readings.")
    entered: int = Field(description="People enter it.")
    simulated: int
    blind: int = Field(description="No value in the last windows.")
    covered: float | None = Field(description="Share measured or entered; null without targets.")


class TotalOut(CountOut):
    """Counts of all targets and of official ones alone, and which they are."""

    model_config = example(**TOTAL)

    official: CountOut
    lists: dict[str, list[str]] = Field(description="strategy/target by source.")


class DomainCount(CountOut):
    """Counts of one domain."""

    model_config = example(domain="traffic", **COUNT)

    domain: str


class AreaCount(CountOut):
    """Counts of one area."""

    model_config = example(strategy="mobility-plan", area="cycling", **COUNT)

    strategy: str
    area: str


class CoveredOut(Model):
    """Where one target's figures come from."""

    model_config = example(**COVERED)

    strategy: str
    area: str
    target: str
    title: Title
    standing: Standing
    illustrative: Illustrative
    phase: Phase
    domain: str
    indicator: str
    place: str
    source: str = Field(description="measured, entered, simulated or blind.")
    why: str | None = Field(description="What makes it blind.")
    newest: UsedValue | None


class Coverage(Model):
    """`integration_coverage`: how much of the strategies is measured, entered or blind."""

    model_config = example(**COVERAGE)

    as_of: Moment
    all: TotalOut
    running: TotalOut = Field(description="Targets of strategies that run.")
    domains: list[DomainCount]
    areas: list[AreaCount]
    targets: list[CoveredOut]
