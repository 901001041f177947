# SPDX-License-Identifier: EUPL-1.2
"""Columns of lists as CSV: what is nested in JSON becomes flat, in columns that keep their names and order."""

from collections.abc import Callable, Mapping
from operator import itemgetter
from typing import Any

import msgspec

from hub.api.tables import Cell

Columns = Mapping[str, Callable[[Mapping[str, Any]], Cell]]


def _plain(*names: str) -> dict[str, Callable[[Mapping[str, Any]], Cell]]:
    return {name: itemgetter(name) for name in names}


def _title(field: str) -> dict[str, Callable[[Mapping[str, Any]], Cell]]:
    return {f"{field}_{language}": _word(field, language) for language in ("cs", "en")}


def _word(field: str, language: str) -> Callable[[Mapping[str, Any]], Cell]:
    return lambda item: (item[field] or {}).get(language)


def _json(field: str) -> dict[str, Callable[[Mapping[str, Any]], Cell]]:
    return {field: lambda item: None if item[field] is None else msgspec.json.encode(item[field]).decode()}


PLACES: Columns = {
    **_plain("id", "parent", "kind"),
    **_title("title"),
    **_plain("population", "population_date", "latitude", "longitude", "source"),
}
FACILITIES: Columns = _plain(
    *("place", "category", "capacity", "capacity_unit", "opening_hours", "operator", "address", "phone", "web"),
    *("owner", "revision"),
)
AUDIT: Columns = {
    **_plain("id", "at", "actor", "action", "subject"),
    **_json("before"),
    **_json("after"),
    **_json("detail"),
}
DEVICES: Columns = {
    **_plain("id", "title", "connector", "external_id", "model"),
    **_title("model_title"),
    **_plain("serial", "place"),
    **_title("place_title"),
    **_plain("owner"),
    "tags": lambda item: "; ".join(item["tags"]),
    **_plain("interval", "grade", "origin", "simulated", "state", "state_text", "attention", "last_seen", "next_due"),
    **_plain("messages", "credential", "known_to_broker", "note", "registered_at", "revision"),
}
