# SPDX-License-Identifier: EUPL-1.2
"""InfluxQL as text, from keys to statements. Pure.

InfluxQL has no `time IN (...)`, and `OR` between times finds nothing: points at many instants are asked for as ranges,
one statement each. Instants of one device that lie at most `GAP_NS` apart share a range; that bounds both the number of
statements and the rows read in vain (an hour at one reading a second is 3,600).
"""

from collections.abc import Iterable, Iterator, Sequence
from typing import TypeVar

from hub.core.journal import HOUR_NS

GAP_NS = HOUR_NS
DEVICES_A_STATEMENT = 100  # InfluxDB 1.6 answers 100 in 11 ms, 1,000 in 800 ms: its cost grows with the square
STATEMENTS_A_REQUEST = 500  # 80 ms in InfluxDB 1.6
T = TypeVar("T")


def identifier(name: str) -> str:
    """A quoted identifier."""
    escaped = name.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return f'"{escaped}"'


def text(value: str) -> str:
    """A quoted string."""
    escaped = value.replace("\\", "\\\\").replace("'", "\\'").replace("\n", "\\n")
    return f"'{escaped}'"


def source(measurement: str, retention_policy: str) -> str:
    """What stands behind FROM."""
    prefix = f"{identifier(retention_policy)}." if retention_policy else ""
    return prefix + identifier(measurement)


def select(columns: Sequence[str], source: str, devices: Sequence[str], between: tuple[int, int] | None = None) -> str:
    """Rows of devices, by device; `between` bounds the time, both ends inclusive. No columns: all fields."""
    fields = ", ".join(columns) or "*"
    where = "(" + " OR ".join(f'"device" = {text(device)}' for device in devices) + ")"
    if between is not None:
        where += f" AND time >= {between[0]} AND time <= {between[1]}"
    return f'SELECT {fields} FROM {source} WHERE {where} GROUP BY "device"'  # noqa: S608 -- quoted above


def ranges(times: Iterable[int], gap: int = GAP_NS) -> Iterator[tuple[int, int]]:
    """Inclusive ranges that cover all `times`, split where neighbours are further apart than `gap`."""
    ordered = sorted(times)
    if not ordered:
        return
    first = last = ordered[0]
    for time in ordered:
        if time - last > gap:
            yield first, last
            first = time
        last = time
    yield first, last


def batches(items: Sequence[T], size: int) -> Iterator[Sequence[T]]:
    """Slices of at most `size`."""
    for start in range(0, len(items), size):
        yield items[start : start + size]
