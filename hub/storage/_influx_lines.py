# SPDX-License-Identifier: EUPL-1.2
"""Line protocol by string join, and the fields of a point of readings. Pure.

A point of readings is all that one device says of one domain at one instant: `air,device=x pm10=20.3,qc=1i 1700...`.

    <quantity>               float, always written with its shortest exact digits
    qc                       integer, always: the worst flag of all quantities of the point
    <quantity>_qc            integer flag, only where not 1
    <quantity>_rev           integer revision, only where not 0
    <quantity>_origin        integer of `Origin`, only where not measured
    <quantity>_time_source   string, only where not device
    <quantity>_qartod, <quantity>_qartod_test   the engine's, see hub.storage.flags_influx

A field once written cannot be taken away, so a sparse field that goes back to its usual value is written as that value.
"""

from collections import defaultdict
from collections.abc import Mapping
from typing import Any

from hub.core.errors import Stop
from hub.core.quantities import Quantities
from hub.core.readings import Flag, Origin, Reading, TimeSource

QC = "qc"
_TAG = str.maketrans({",": r"\,", "=": r"\=", " ": r"\ ", "\n": " ", "\r": " "})
_MEASUREMENT = str.maketrans({",": r"\,", " ": r"\ ", "\n": " ", "\r": " "})
_STRING = str.maketrans({'"': r"\"", "\\": "\\\\", "\n": " ", "\r": " "})
SPARSE: tuple[tuple[str, str, Any], ...] = (  # suffix, attribute of Reading, what an absent field means
    ("_qc", "flag", Flag.GOOD),
    ("_rev", "revision", 0),
    ("_origin", "origin", Origin.MEASURED),
    ("_time_source", "time_source", TimeSource.DEVICE),
)
_TAKEN = (*(suffix for suffix, _, _ in SPARSE), "_qartod", "_qartod_test")  # the latter two: hub.storage.flags_influx
Scalar = float | int | bool | str


def head(measurement: str, tags: Mapping[str, str]) -> str:
    """Measurement and tags, escaped; empty tags are left out. A trailing backslash would escape what follows."""
    name = measurement.translate(_MEASUREMENT)
    pairs = [f"{key.translate(_TAG)}={value.translate(_TAG).rstrip(chr(92))}" for key, value in tags.items() if value]
    return ",".join([name, *pairs])


def line(head: str, fields: Mapping[str, Scalar], time: int) -> str:
    """One line; `fields` must not be empty nor hold NaN."""
    return f"{head} {','.join(f'{key.translate(_TAG)}={_scalar(value)}' for key, value in fields.items())} {time}"


def point_line(head: str, time: int, changed: Mapping[str, Reading], stored: Mapping[str, Reading]) -> str:
    """Line that writes the `changed` quantities of a point which holds `stored` already."""
    parts: list[str] = []
    worst = 1
    for quantity, row in changed.items():
        parts.append(f"{quantity}={row.value}")
        worst = max(worst, row.flag)
        if not _usual(row) or quantity in stored:
            parts += sparse_fields(quantity, row, stored.get(quantity))
    for quantity, row in stored.items():
        if quantity not in changed:
            worst = max(worst, row.flag)
    return f"{head} {','.join(parts)},{QC}={worst}i {time}"


def readings_at(device: str, time: int, fields: Mapping[str, Any], quantities: Mapping[str, str]) -> dict[str, Reading]:
    """Readings of a stored point by quantity, its fields by name; `quantities` maps value field to quantity."""
    found = {}
    for field, quantity in quantities.items():
        value = fields.get(field)
        if value is not None:
            found[quantity] = Reading(device, quantity, float(value), time, **_attributes(quantity, fields))
    return found


def _attributes(quantity: str, fields: Mapping[str, Any]) -> dict[str, Any]:
    known = {name: fields.get(quantity + suffix) for suffix, name, _ in SPARSE}
    given = {name: value for name, value in known.items() if value is not None}
    if "time_source" in given:
        given["time_source"] = TimeSource(given["time_source"])
    return given


def fields_by_domain(quantities: Quantities) -> Mapping[str, Mapping[str, str]]:
    """Value fields of each measurement; Stop where a quantity's name could be taken for another field."""
    found: dict[str, dict[str, str]] = defaultdict(dict)
    for quantity in quantities:
        taken = quantity.id in (QC, "time", "device") or quantity.id.endswith(_TAKEN)
        if taken:
            raise Stop(f"quantities.yaml: {quantity.id!r} means another field in InfluxDB; give it another name")
        found[str(quantity.domain)][quantity.id] = quantity.id
    return found


def _usual(row: Reading) -> bool:
    return row.flag == 1 and row.revision == 0 and row.origin == 0 and row.time_source == "device"


def sparse_fields(quantity: str, row: Reading, held: Reading | None) -> list[str]:
    """Sparse fields that differ from the usual, now or as stored."""
    fields = []
    for suffix, name, usual in SPARSE:
        value = getattr(row, name)
        if value != usual or (held is not None and getattr(held, name) != usual):
            fields.append(f"{quantity}{suffix}={_scalar(value)}")
    return fields


def _scalar(value: Scalar) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return f"{int(value)}i"
    if isinstance(value, float):
        return repr(float(value))
    return f'"{value.translate(_STRING)}"'
