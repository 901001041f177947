# SPDX-License-Identifier: EUPL-1.2
"""Indicator values as rows, and what a commit does to the rows that are there: all pure.

Numbers are made plain here. A NumPy integer would otherwise be stored by SQLite as the bytes of its memory, and NaN as
NULL: values that are not finite are refused with the name of the value.
"""

import math
from collections.abc import Iterable, Mapping, MutableMapping
from typing import Any, NamedTuple

from msgspec import json

from hub.core.errors import Invalid
from hub.core.indicators import Component, IndicatorValue, Status
from hub.core.readings import Grade, Origin
from hub.storage.ledger._json import dump

Row = Mapping[Any, Any]  # by column name
SeriesName = tuple[str, str]  # indicator, place
RowKey = tuple[int, int]  # series, window_start
ValueKey = tuple[str, str, int]  # indicator, place, start

# What two revisions of the same number must agree on: IndicatorValue.result() in columns.
RESULT = (
    "value", "status", "reason", "band", "score", "coverage", "n_valid", "n_expected", "missing", "lower_bound",
    "components", "details", "origin", "grade", "definition_version",
)  # fmt: skip
_JSON = frozenset({"missing", "components", "details"})
_COMPONENTS = json.Decoder(dict[str, Component])
_DETAILS = json.Decoder(dict[str, float])
_NAMES = json.Decoder(tuple[str, ...])


def value_key(value: IndicatorValue) -> ValueKey:
    """What a stored value is found by."""
    return value.indicator, value.place, int(value.start)


def check_value(value: IndicatorValue) -> None:
    """Raise Invalid unless the value is one that promise 3 (never a bare number) lets through."""
    where = f"{value.indicator} at {value.place} from {value.start}"
    if value.end <= value.start:
        raise Invalid(f"the window ends at {value.end}, not after its start", where)
    if (value.value is None) != (value.status == Status.INSUFFICIENT):
        raise Invalid(f"status {value.status} does not go with value {value.value}", where)
    if value.value is None and not value.reason:
        raise Invalid("no value and no reason either", where)
    numbers = [value.value, value.score, value.coverage, *value.details.values()]
    numbers += [number for c in value.components.values() for number in (c.value, c.coverage)]
    if not all(number is None or math.isfinite(number) for number in numbers):
        raise Invalid("a number is NaN or infinite", where)


def _real(number: float | None) -> float | None:
    return None if number is None else float(number)


def _whole(number: int | None) -> int | None:
    return None if number is None else int(number)


def to_row(value: IndicatorValue, series: int, closes_at: int) -> dict[str, Any]:
    """Row of the newest revision; `due_at` is set while the window is open."""
    return {
        "series": series,
        "window_start": int(value.start),
        "revision": int(value.revision),
        "window_end": int(value.end),
        "period": str(value.period),
        "value": _real(value.value),
        "unit": value.unit,
        "status": str(value.status),
        "definition_version": int(value.definition_version),
        "reason": value.reason,
        "band": _whole(value.band),
        "score": _real(value.score),
        "coverage": _real(value.coverage),
        "n_valid": int(value.n_valid),
        "n_expected": _whole(value.n_expected),
        "missing": dump(list(value.missing)) if value.missing else None,
        "lower_bound": bool(value.lower_bound),
        "components": dump(dict(value.components)) if value.components else None,
        "details": dump(dict(value.details)) if value.details else None,
        "digest": _whole(value.digest),
        "origin": int(value.origin),
        "grade": int(value.grade),
        "closed": bool(value.closed),
        "computed_at": int(value.computed_at),
        "cause": value.cause,
        "seq": int(value.seq),
        "due_at": None if value.closed else int(closes_at),
    }


def from_row(row: Row) -> IndicatorValue:
    """The value of a row that was read together with its series' `indicator` and `place`."""
    return IndicatorValue(
        indicator=row["indicator"],
        place=row["place"],
        start=row["window_start"],
        end=row["window_end"],
        period=row["period"],
        value=row["value"],
        unit=row["unit"],
        status=Status(row["status"]),
        definition_version=row["definition_version"],
        reason=row["reason"],
        band=row["band"],
        score=row["score"],
        coverage=row["coverage"],
        n_valid=row["n_valid"],
        n_expected=row["n_expected"],
        missing=_NAMES.decode(row["missing"]) if row["missing"] else (),
        lower_bound=row["lower_bound"],
        components=_COMPONENTS.decode(row["components"]) if row["components"] else {},
        details=_DETAILS.decode(row["details"]) if row["details"] else {},
        digest=row["digest"],
        origin=Origin(row["origin"]),
        grade=Grade(row["grade"]),
        revision=row["revision"],
        closed=row["closed"],
        computed_at=row["computed_at"],
        cause=row["cause"],
        seq=row["seq"],
    )


class Plan(NamedTuple):
    """Rows that become the newest of their windows, and rows that they supersede."""

    newest: list[Row]
    superseded: list[Row]


def plan(stored: Mapping[RowKey, Row], incoming: Iterable[Row], names: Mapping[int, SeriesName]) -> Plan:
    """Where each incoming row goes; Invalid when one would change what was already published.

    A higher revision supersedes the stored one, which is kept. Revision 0 overwrites revision 0. An equal revision from
    1 on is accepted when it says the same (a commit repeated because its confirmation was lost), and a lower one never.
    """
    newest: MutableMapping[RowKey, Row] = {}
    superseded: list[Row] = []
    for row in incoming:
        key = row["series"], row["window_start"]
        before = newest.get(key) or stored.get(key)
        if before is not None and row["revision"] > before["revision"]:
            superseded.append({name: before[name] for name in before if name != "due_at"})
        elif before is not None:
            _check_overwrite(before, row, names)
        newest[key] = row
    return Plan(list(newest.values()), superseded)


def _check_overwrite(before: Row, row: Row, names: Mapping[int, SeriesName]) -> None:
    old, new = before["revision"], row["revision"]
    if new == old and (new == 0 or all(_same(before[name], row[name], name) for name in RESULT)):
        return
    indicator, place = names[row["series"]]
    how = "a different result" if new == old else f"revision {new}"
    raise Invalid(
        f"{how} cannot replace revision {old}: raise the revision above {old}",
        f"{indicator} at {place} from {row['window_start']}",
    )


def _same(before: object, after: object, column: str) -> bool:
    if column in _JSON and isinstance(before, str) and isinstance(after, str):
        return bool(json.decode(before) == json.decode(after))
    return before == after
