# SPDX-License-Identifier: EUPL-1.2
"""Imports."""

from typing import Any

from hub.api.schemas.common import Model, example

RUN: dict[str, Any] = {
    "id": 3,
    "kind": "devices",
    "file": "devices.csv",
    "by": "dana",
    "at": "2026-11-23T10:00:00Z",
    "counts": {"created": 200, "changed": 0, "unchanged": 4},
    "undone_at": None,
    "undone_by": "",
}
FAULT: dict[str, Any] = {"column": "connector", "en": "is missing", "cs": "chybí"}
ROW: dict[str, Any] = {"row": 2, "id": "air-1", "state": "error", "fields": {}, "faults": [FAULT]}
PLAN: dict[str, Any] = {"rows": [ROW], "counts": {"error": 1}, "notes": [], "run": None}


class RunOut(Model):
    """An import that was done."""

    model_config = example(**RUN)

    id: int
    kind: str
    file: str
    by: str
    at: str
    counts: dict[str, int]
    undone_at: str | None
    undone_by: str


class RunList(Model):
    """Imports, newest first."""

    model_config = example(items=[RUN])

    items: list[RunOut]


class FaultOut(Model):
    """What is wrong in a column, and what to do, in English and Czech."""

    model_config = example(**FAULT)

    column: str
    en: str
    cs: str


class RowOut(Model):
    """What becomes of a row; `fields` has before and after."""

    model_config = example(**ROW)

    row: int
    id: str
    state: str
    fields: dict[str, list[Any]]
    faults: list[FaultOut]


class PlanOut(Model):
    """All rows, and the import that was made of them (none in a dry run)."""

    model_config = example(**PLAN)

    rows: list[RowOut]
    counts: dict[str, int]
    notes: list[str]
    run: RunOut | None
