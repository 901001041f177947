# SPDX-License-Identifier: EUPL-1.2
"""How well a device is heard, from its last uplinks. Pure.

Frames are counted by the device: a counter that grows by more than one says that messages were lost between device and
hub; one that falls says that the device joined anew, and nothing of what was before.
"""

from collections.abc import Sequence
from itertools import pairwise
from statistics import median
from typing import NamedTuple

from hub.core.journal import UplinkSeen


class Link(NamedTuple):
    """Of the last `uplinks`: the newest signal, typical figures, how many were lost between them, who heard."""

    uplinks: int
    lost: int
    rssi: float | None
    snr: float | None
    spreading_factor: int | None
    gateways: Sequence[str]
    median_rssi: float | None
    median_snr: float | None


def link_of(uplinks: Sequence[UplinkSeen]) -> Link | None:
    """`uplinks` newest first; None when there is none."""
    if not uplinks:
        return None
    newest = uplinks[0]
    return Link(
        len(uplinks),
        _lost([uplink.frame for uplink in reversed(uplinks) if uplink.frame is not None]),
        newest.rssi,
        newest.snr,
        newest.spreading_factor,
        newest.gateways,
        _median([uplink.rssi for uplink in uplinks if uplink.rssi is not None]),
        _median([uplink.snr for uplink in uplinks if uplink.snr is not None]),
    )


def _lost(frames: Sequence[int]) -> int:
    steps = [after - before for before, after in pairwise(frames)]
    return sum(step - 1 for step in steps if step > 1)


def _median(values: Sequence[float]) -> float | None:
    return median(values) if values else None
