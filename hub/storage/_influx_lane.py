# SPDX-License-Identifier: EUPL-1.2
"""The fast lane: rows that are plainly new become lines in one pass, without a point or a patch in between. Pure.

Nearly all rows of a running hub are newer than anything stored of their device and domain, and the rows of one
message follow one another. Those of one domain are one line, and nothing can be stored under their keys. Rows that are
not newer are left to the slow lane by index; their keys cannot meet those of the fast one. Where rows of the batch
might meet each other, or a row needs a look-up first (a device met for the first time), or is faulty, the whole batch
is slow: that is rare, and the slow lane handles everything.
"""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from hub.core.readings import Reading, TimeSource
from hub.storage._influx_lines import sparse_fields
from hub.storage._influx_points import Home
from hub.storage._reading_key import FIRST_NS, LAST_NS, MAX_FLOAT, fault

_DEVICE = TimeSource.DEVICE


class Lane(NamedTuple):
    """Lines to write, the newest instant that they bring to each home, and the indices of all other rows."""

    lines: Sequence[str]
    newest: Mapping[Home, int]
    slow: Sequence[int]


def fast_lane(rows: Sequence[Reading], home_of: Mapping[tuple[str, str], Home]) -> Lane | None:
    """Divide a batch; None when all of it has to go the slow way."""
    lines: list[str] = []
    newest: dict[Home, int] = {}
    slow: list[int] = []
    message: dict[Home, dict[str, str]] = {}  # fields of the rows of one device and instant, by home and quantity
    worst: dict[Home, int] = {}
    device, at = "", FIRST_NS
    for i, row in enumerate(rows):
        quantity, time, value = row.quantity, row.time, row.value
        if time != at or row.device != device:
            lines += _lines(message, worst, at)
            message.clear()
            worst.clear()
            device, at = row.device, time
        home = home_of.get((device, quantity))
        if home is None or home.last is None or not -MAX_FLOAT <= value <= MAX_FLOAT or not time <= LAST_NS:
            return None
        fields = message.get(home)
        if fields is None:
            if time <= home.last:
                slow.append(i)
                continue
            if time <= newest.get(home, FIRST_NS - 1):
                return None
            newest[home] = time
            fields = message[home] = {}
        elif quantity in fields:
            return None
        if row.flag == 1 and row.revision == 0 and row.origin == 0 and row.time_source is _DEVICE:
            fields[quantity] = f"{quantity}={value}"
        elif fault(row) is None:
            fields[quantity] = ",".join([f"{quantity}={value}", *sparse_fields(quantity, row, None)])
            worst[home] = max(worst.get(home, 1), row.flag)
        else:
            return None
    lines += _lines(message, worst, at)
    return Lane(lines, newest, slow)


def _lines(message: Mapping[Home, Mapping[str, str]], worst: Mapping[Home, int], time: int) -> Sequence[str]:
    return [f"{home.head} {','.join(f.values())},qc={worst.get(home, 1)}i {time}" for home, f in message.items()]
