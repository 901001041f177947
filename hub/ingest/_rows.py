# SPDX-License-Identifier: EUPL-1.2
"""Columns of the journal's tables, shared by its writer and its readers."""

import json
from collections.abc import Callable, Sequence
from typing import Any

from hub.core.errors import NotFound
from hub.core.journal import Counts, Quarantined, SpoolPosition
from hub.core.ports import QuarantineFilter

COUNTS = Counts.__struct_fields__
QUARANTINE = (
    "id",
    "received",
    "topic",
    "reason",
    "detail",
    "connector",
    "external_id",
    "device",
    "scope",
    "conflicts",
    "rejects",
    "retain",
    "state",
    "attempts",
    "size",
    "stands_for",
    "why",
    "by",
    "changed",
)
PLACE = ("segment", "offset", "sample")
ROW = ", ".join(f'"{name}"' for name in (*QUARANTINE, *PLACE))  # what `quarantined_of` takes


def quarantined_of(row: tuple[Any, ...], read: Callable[[SpoolPosition], bytes | None]) -> Quarantined:
    """A row of the columns ROW. Raise NotFound when its payload should be there and is not."""
    values = dict(zip(QUARANTINE, row, strict=False))
    values["retain"] = bool(values["retain"])
    segment, offset, sample = row[len(QUARANTINE) :]
    payload = sample or b""
    if segment:
        found = read(SpoolPosition(segment, offset))
        if found is None:
            raise NotFound(f"payload of message {values['id']} was erased")
        payload = found
    return Quarantined(payload=payload, **values)


def among(ids: Sequence[int]) -> tuple[str, list[object]]:
    """SQL condition that a row is one of these, however many, and its argument."""
    return "id IN (SELECT value FROM json_each(?))", [json.dumps(list(ids))]


def where_of(where: QuarantineFilter) -> tuple[str, list[object]]:
    """SQL condition with placeholders, and its arguments."""
    conditions, arguments = ["1"], list[object]()
    for column in ("state", "reason", "connector", "external_id", "device"):
        value = getattr(where, column)
        if column == "external_id" and value is not None:
            conditions.append(
                "(external_id = ? OR id IN (SELECT quarantine FROM quarantine_other WHERE external_id = ?))"
            )
            arguments.extend([value, value])
        elif value is not None:
            conditions.append(f"{column} = ?")
            arguments.append(value)
    if where.topic is not None:
        conditions.append("substr(topic, 1, ?) = ?" if where.topic.endswith("/#") else "topic = ?")
        arguments += [len(where.topic) - 1, where.topic[:-1]] if where.topic.endswith("/#") else [where.topic]
    if where.since is not None:
        conditions.append("received >= ?")
        arguments.append(where.since)
    if where.until is not None:
        conditions.append("received < ?")
        arguments.append(where.until)
    if where.ids is not None:
        clause, listed = among(where.ids)
        conditions.append(clause)
        arguments += listed
    return " AND ".join(conditions), arguments
