# SPDX-License-Identifier: EUPL-1.2
"""Indicators and their values."""

from typing import Any

from pydantic import Field

from hub.api.schemas.common import Model, Moment, Next, Origin, Simulated, Title, example

SUMMARY: dict[str, Any] = {
    "id": "pm10_day_mean",
    "version": 1,
    "title": {"en": "PM10, daily mean", "cs": "PM10, denní průměr"},
    "domain": "air",
    "unit": "ug/m3",
    "window": "P1D",
    "level": "site",
    "direction": "lower_is_better",
    "standing": "official",
    "visibility": "city",
}
DETAIL: dict[str, Any] = {
    **SUMMARY,
    "description": None,
    "formula": "mean",
    "inputs": {"pm10": {"quantity": "pm10", "required": True, "capture": 0.75}},
    "parameters": {},
    "step": "PT1H",
    "capture": 0.75,
    "grace": "PT2H",
    "precision": 1,
    "calendar": None,
    "spatial": None,
    "lower_bound": False,
    "flags": [1, 2],
    "bands": [],
    "effective": {"from": None, "to": None},
    "reference": [{"citation": "a directive", "url": None, "effective": None, "uncertain": None}],
    "tables": {},
    "examples": [{"given": {"pm10": 20.25}, "value": 20.3}],
    "min_grade": "reference",
    "roll_up": {},
    "trail": None,
    "cap": 3.0,
    "text": "id: pm10_day_mean\nversion: 1\n",
    "sha256": "5f2c8f7d1b0a4c3e9d6b7a8f0e1d2c3b4a5968778695a4b3c2d1e0f9a8b7c6d5",
}
VALUE: dict[str, Any] = {
    "indicator": "pm10_day_mean",
    "place": "havirov/mesto/thara",
    "window": {"start": "2023-01-11T23:00:00Z", "end": "2023-01-12T23:00:00Z", "period": "P1D"},
    "value": 20.3,
    "unit": "ug/m3",
    "status": "final",
    "reason": None,
    "band": None,
    "score": None,
    "coverage": 0.958,
    "n_valid": 23,
    "n_expected": 24,
    "missing": [],
    "lower_bound": False,
    "components": {},
    "details": {},
    "origin": "imported",
    "simulated": False,
    "grade": "reference",
    "revision": 1,
    "closed": True,
    "definition_version": 1,
    "computed_at": "2023-01-13T01:00:05Z",
    "cause": None,
    "seq": 4711,
}


VERSION: dict[str, Any] = {
    "version": 1,
    "current": True,
    "revisions": 365,
    "first": "2022-12-31T23:00:00Z",
    "last": "2023-12-30T23:00:00Z",
}


class IndicatorSummary(Model):
    """What is computed."""

    model_config = example(**SUMMARY)

    id: str
    version: int
    title: Title
    domain: str
    unit: str
    window: str = Field(description="Length of a window, ISO 8601: PT1H, P1D, P1M or P1Y.")
    level: str = Field(description="Of which places it has values: site, part or municipality.")
    direction: str = Field(description="lower_is_better, higher_is_better or neutral.")
    standing: str = Field(description="official, or illustrative.")
    visibility: str = Field(description="city, or test: kept for comparison, not shown to the city.")


class IndicatorList(Model):
    """Indicators, inputs before what is made of them."""

    model_config = example(items=[SUMMARY])

    items: list[IndicatorSummary]


class IndicatorDetail(IndicatorSummary):
    """A definition in full, with where it comes from."""

    model_config = example(**DETAIL)

    description: Title | None
    formula: str
    inputs: dict[str, dict[str, Any]] = Field(description="Quantities or other indicators that go in.")
    parameters: dict[str, float]
    tables: dict[str, list[list[float]]] = Field(description="Rows of numbers that the formula needs.")
    step: str | None = Field(description="Steps of the window that are each averaged first.")
    capture: float = Field(description="Share of steps or readings that a value needs.")
    grace: str = Field(description="How long a window waits for late readings after its end.")
    precision: int = Field(description="Decimals to which values are rounded.")
    calendar: dict[str, str] | None = Field(description="The authority's own calendar; null: the city's.")
    spatial: str | None = Field(description="How places below make up one above.")
    lower_bound: bool = Field(description="Whether a value with a missing input is a lower bound.")
    flags: list[int] = Field(description="Flags of readings that count as valid.")
    bands: list[dict[str, Any]] = Field(description="Values up to and including `max`, with label, score, colour.")
    effective: dict[str, str | None] = Field(description="When the norm itself is in force.")
    reference: list[dict[str, str | None]] = Field(description="Sources; `uncertain` says what is not verified.")
    examples: list[dict[str, Any]] = Field(description="What comes out of what; they run as tests.")
    min_grade: str | None = Field(description="Devices of this grade are preferred; null: all alike.")
    roll_up: dict[str, dict[str, Any]] = Field(description="The same indicator one level up.")
    trail: int | None = Field(description="Windows after the last reading that still get a row.")
    cap: float = Field(description="Bound of weights in post-stratification.")
    text: str | None = Field(description="YAML that the definition was read from; of a roll-up that of its base.")
    sha256: str | None = Field(description="Of the text.")


class ComponentOut(Model):
    """What one input gave: the sub-index of a pollutant, one hour's mean, one site."""

    model_config = example(value=41.2, unit="ug/m3", band=2, coverage=1.0, n_valid=4, n_expected=4)

    value: float | None
    unit: str | None
    band: int | None
    coverage: float | None
    n_valid: int
    n_expected: int | None


class WindowOut(Model):
    """The window [start, end) of a value."""

    model_config = example(**VALUE["window"])

    start: Moment = Field(description="Inclusive.")
    end: Moment = Field(description="Exclusive.")
    period: str = Field(description="PT1H, P1D, P1M or P1Y.")


class BandOut(Model):
    """Band of the definition that a value falls into."""

    model_config = example(index=2, label={"en": "Fair", "cs": "Přijatelná"}, color="#50ccaa")

    index: int = Field(description="1 is the first.")
    label: Title | None = None
    color: str | None = None


class ValueOut(Model):
    """One value, or the reason why there is none; never a bare number."""

    model_config = example(**VALUE)

    indicator: str
    place: str
    window: WindowOut
    value: float | None = Field(description="null exactly where the status is insufficient_data.")
    unit: str
    status: str = Field(description="provisional, final or insufficient_data.")
    reason: str | None = Field(description="Why there is no value.")
    band: BandOut | None
    score: float | None = Field(description="0 (worst) to 100 (best), where the definition has scores.")
    coverage: float | None = Field(description="Share of what was expected, 0 to 1; null: unknown.")
    n_valid: int
    n_expected: int | None
    missing: list[str] = Field(description="Inputs that are missing.")
    lower_bound: bool = Field(description="Missing inputs could only make the value higher.")
    components: dict[str, ComponentOut]
    details: dict[str, float]
    origin: Origin
    simulated: Simulated
    grade: str
    revision: int = Field(description="0 provisional, 1 first final, more: changed afterwards.")
    closed: bool = Field(description="The window and its grace are over.")
    definition_version: int
    computed_at: Moment
    cause: str | None = Field(description="What made a later revision necessary.")
    seq: int = Field(description="Position in the change feed.")


class ValuePage(Model):
    """Values in order of start and place."""

    model_config = example(items=[VALUE], next=None)

    items: list[ValueOut]
    next: Next


class LatestValues(Model):
    """The newest window of every indicator at every place."""

    model_config = example(items=[VALUE])

    items: list[ValueOut]


class RevisionList(Model):
    """All that was ever published for one window, oldest first."""

    model_config = example(items=[VALUE])

    items: list[ValueOut]


class ChangeList(Model):
    """Values in the order in which they were written."""

    model_config = example(items=[VALUE], since=4711, more=False)

    items: list[ValueOut]
    since: int = Field(description="Give it back as `since` to go on from here.")
    more: bool = Field(description="More changes wait: ask again at once.")


class VersionOut(Model):
    """A version of a definition, and what was computed by it."""

    model_config = example(**VERSION)

    version: int
    current: bool = Field(description="Whether new figures are computed by it.")
    revisions: int = Field(description="Stored revisions of values.")
    first: Moment = Field(description="Start of the earliest window.")
    last: Moment = Field(description="Start of the latest window.")


class VersionList(Model):
    """Versions of a definition by which stored figures were computed, oldest first."""

    model_config = example(current=1, items=[VERSION])

    current: int
    items: list[VersionOut]
