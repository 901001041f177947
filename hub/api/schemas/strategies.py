# SPDX-License-Identifier: EUPL-1.2
"""Strategy documents, and what an import of one does.

The schema of a document is made of the model that imports it (`hub.core.strategies`), so both always agree.
"""

from typing import Annotated, Any

import msgspec
from pydantic import Field, WithJsonSchema

from hub.api.schemas.common import Model, Moment, Title, example
from hub.core.strategies import Strategy

Day = Annotated[str, Field(description="A day, RFC 3339 full-date.", json_schema_extra={"format": "date"})]
Standing = Annotated[
    str, Field(description="official: stands in an adopted document; illustrative: shows how it would work.")
]
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
