# SPDX-License-Identifier: EUPL-1.2
"""How much of the strategies is covered by data."""

from typing import Any

from pydantic import Field

from hub.api.schemas.common import Model, Moment, Title, example
from hub.api.schemas.fulfilment import VALUE, Illustrative, UsedValue
from hub.api.schemas.strategies import TITLE, Phase, Standing

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
