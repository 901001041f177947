# SPDX-License-Identifier: EUPL-1.2
"""Provenance on a terminal: tables of what `hub.indicators.provenance` tells."""

from collections.abc import Mapping
from typing import Any

from hub.commands._output import plain_number, print_table
from hub.indicators.definition import Definition

_SHOWN = (
    *("value", "unit", "status", "reason", "coverage", "n_valid", "n_expected", "missing", "lower_bound", "details"),
    *("origin", "grade", "revision", "definition_version", "computed_at"),
)


def print_provenance(told: Mapping[str, Any], definition: Definition) -> None:
    """The value, what went into it, and what became of it since."""
    value = told["value"]
    window = value["window"]
    print_table(
        f"{definition.title.en} at {value['place']}, {window['start']} to {window['end']}",
        ["", ""],
        [(name, value[name]) for name in _SHOWN if value[name] not in (None, [], {})],
    )
    _inputs(told)
    print_table(
        "Revisions",
        ["revision", "value", "status", "valid", "computed", "cause"],
        [
            (row["revision"], _figure(row), row["status"], row["n_valid"], row["computed_at"], row["cause"])
            for row in told["revisions"]
        ],
    )
    about = told["definition"]
    print(f"definition {about['id']}, version {about['version']}: {about['note'] or 'sha256 ' + about['sha256']}")
    for reference in about["reference"]:
        print(f"after: {reference['citation']}")


def _inputs(told: Mapping[str, Any]) -> None:
    print_table(
        "Components",
        ["input", "value", "unit", "band", "valid", "expected"],
        [
            (name, c["value"], c["unit"], c["band"], c["n_valid"], c["n_expected"])
            for name, c in told["value"]["components"].items()
        ],
    )
    for row in told["values"]:
        print_table(
            f"Values of {row['indicator']} ({row['how']}), {row['n']}",
            ["place", "start", "value", "status", "coverage", "revision", "reason"],
            [
                (v["place"], v["window"]["start"], _figure(v), v["status"], v["coverage"], v["revision"], v["reason"])
                for v in row["items"]
            ],
        )
    if told["readings"]:
        print_table(
            "Readings",
            ["device", "quantity", "grade", "origin", "stored", "removed", "counting", "flags", "quality control"],
            [
                (r["device"], r["quantity"] or "silent", r["grade"], r["origin"], r["n_stored"], r["n_removed"],
                 r["n_counting"], _counts(r["flags"]), _counts(r["quality_control"]))
                for r in told["readings"]
            ],
        )  # fmt: skip
    if told["corrections"]:
        print_table(
            "Corrections",
            ["id", "what", "readings", "by", "reason"],
            [(c["id"], c["what"], c["readings"], c["by"], c["reason"]) for c in told["corrections"]],
        )
    if told["entries"]:
        print_table(
            "Entered",
            ["id", "value", "source", "author", "state", "decided by"],
            [(e["id"], e["value"], e["source"], e["author"], e["state"], e["decided_by"]) for e in told["entries"]],
        )


def _counts(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{name}: {n}" for name, n in counts.items())


def _figure(row: Mapping[str, Any]) -> str:
    if row["value"] is None:
        return "–"
    return f"{'≥ ' if row['lower_bound'] else ''}{plain_number(row['value'])}"
