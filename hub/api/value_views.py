# SPDX-License-Identifier: EUPL-1.2
"""Indicator values as rows of JSON and of CSV. Pure; both say the same.

Bands have their words only where the value was computed by the definition's present version: words of another version
could be words for another band.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import msgspec

from hub.api.tables import Cell
from hub.core.indicators import IndicatorValue
from hub.indicators.definition import Definition
from hub.indicators.representation import public_value

CSV_COLUMNS = (
    *("indicator", "place", "start", "end", "status", "value", "unit", "reason", "coverage", "n_valid", "n_expected"),
    *("missing", "lower_bound", "band", "score", "origin", "grade", "revision", "definition_version", "computed_at"),
    *("details", "closed", "cause", "seq"),
)


def value_views(known: Mapping[str, Definition], rows: Sequence[IndicatorValue]) -> Iterator[dict[str, Any]]:
    """The public dict of each value."""
    for row in rows:
        definition = known.get(row.indicator)
        current = definition is not None and definition.version == row.definition_version
        yield public_value(row, definition if current else None)


def cells(view: Mapping[str, Any]) -> list[Cell]:
    """A value as a row: what is nested in JSON has columns of its own, or is JSON in its cell."""
    flat = {
        **view,
        "start": view["window"]["start"],
        "end": view["window"]["end"],
        "missing": " ".join(view["missing"]),
        "band": view["band"] and view["band"]["index"],
        "details": msgspec.json.encode(view["details"]).decode() if view["details"] else None,
    }
    return [flat[column] for column in CSV_COLUMNS]
