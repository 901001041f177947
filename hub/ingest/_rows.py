# SPDX-License-Identifier: EUPL-1.2
"""Columns of the journal's tables, shared by its writer and its readers."""

from typing import Any

from hub.core.journal import Counts, Quarantined
from hub.core.ports import QuarantineFilter

COUNTS = Counts.__struct_fields__
QUARANTINE = (
    "id",
    "received",
    "topic",
    "payload",
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
)


def quarantined_of(row: tuple[Any, ...]) -> Quarantined:
    """A row of the columns QUARANTINE."""
    values = dict(zip(QUARANTINE, row, strict=True))
    values["retain"] = bool(values["retain"])
    return Quarantined(**values)


def where_of(where: QuarantineFilter) -> tuple[str, list[object]]:
    """SQL condition with placeholders, and its arguments."""
    conditions, arguments = ["1"], list[object]()
    for column in ("state", "reason", "connector", "external_id"):
        value = getattr(where, column)
        if column == "external_id" and value is not None:
            conditions.append(
                "(external_id = ? OR id IN (SELECT quarantine FROM quarantine_other WHERE external_id = ?))"
            )
            arguments.extend([value, value])
        elif value is not None:
            conditions.append(f"{column} = ?")
            arguments.append(value)
    if where.ids is not None:
        conditions.append(f"id IN ({', '.join('?' * len(where.ids))})")
        arguments.extend(where.ids)
    return " AND ".join(conditions), arguments
