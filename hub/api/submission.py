# SPDX-License-Identifier: EUPL-1.2
"""Readings posted to the API, on their way to the broker. Pure.

The API knows registry and quantities, so it tells the sender at once what ingest would only tell a technician later.
What passes is published in the native short form; ingest checks it again like every message.
"""

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import msgspec
from fastapi.exceptions import RequestValidationError

from hub.api.schemas.readings import Quantified, ReadingsIn
from hub.core.delivery import Publication
from hub.core.errors import Reject
from hub.core.places import RegistrySnapshot
from hub.core.quantities import Quantities
from hub.core.readings import NS
from hub.core.windows import format_instant, parse_instant

NATIVE = "native"
AHEAD = 300 * NS  # promise 5: more than five minutes ahead, or before 2000, is implausible
EARLIEST = parse_instant("2000-01-01T00:00:00Z")
ROWS_IN_MESSAGE = 50  # 50 rows of 200 readings stay below the broker's megabyte


def refuse_wrong(
    sent: ReadingsIn | Sequence[ReadingsIn], snapshot: RegistrySnapshot, quantities: Quantities, now: int
) -> None:
    """Raise with every fault of every row, or return."""
    rows = [((), sent)] if isinstance(sent, ReadingsIn) else [((index,), row) for index, row in enumerate(sent)]
    faults = [
        {"type": "reading", "loc": ("body", *where, *path), "msg": detail}
        for where, row in rows
        for path, detail in _faults(row, snapshot, quantities, now)
    ]
    if faults:
        raise RequestValidationError(faults)


def publications(rows: Sequence[ReadingsIn]) -> Sequence[Publication]:
    """The rows as native messages, those of one device together and in the order given."""
    by_device: dict[str, list[Mapping[str, Any]]] = {}
    for row in rows:
        by_device.setdefault(row.device, []).append(_short_form(row))
    return [
        Publication(f"devices/{device}/readings", msgspec.json.encode(forms[first : first + ROWS_IN_MESSAGE]))
        for device, forms in by_device.items()
        for first in range(0, len(forms), ROWS_IN_MESSAGE)
    ]


def _faults(
    row: ReadingsIn, snapshot: RegistrySnapshot, quantities: Quantities, now: int
) -> Iterator[tuple[tuple[str, ...], str]]:
    device = snapshot.devices.get(row.device)
    if device is None:
        yield ("device",), f"{row.device!r} is not registered; POST /api/v1/devices registers it"
    elif device.connector != NATIVE:
        yield ("device",), f"{row.device!r} sends through {device.connector}; only native devices can be sent for"
    if not EARLIEST <= row.time <= now + AHEAD:
        yield ("time",), f"{format_instant(row.time)} is before 2000 or more than 5 minutes ahead of the hub's clock"
    for name, reading in row.readings.items():
        if fault := _fault(name, reading, quantities):
            yield ("readings", name), fault


def _fault(name: str, reading: float | Quantified, quantities: Quantities) -> str | None:
    value, unit = (reading.value, reading.unit) if isinstance(reading, Quantified) else (reading, None)
    try:
        scale, offset = quantities.factor(name, unit)
    except Reject as error:
        return error.detail
    return None if math.isfinite(value * scale + offset) else f"{value} is beyond all bounds"


def _short_form(row: ReadingsIn) -> Mapping[str, Any]:
    """As docs and connector of the native short form have it; what was not said is left out."""
    said = row.model_dump(exclude={"device", "time"}, exclude_none=True, exclude_defaults=True)
    return {"time": format_instant(row.time), **said}
