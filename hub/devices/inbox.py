# SPDX-License-Identifier: EUPL-1.2
"""What can be suggested for a device that talks without being registered. Pure."""

import re
from collections.abc import Collection, Sequence
from statistics import median

from hub.core.readings import NS

_USUAL = (10, 15, 30, 60, 120, 300, 600, 900, 1200, 1800, 3600, 7200, 14_400, 21_600, 43_200, 86_400)  # seconds
_FEWEST = 3
_NEAR = 0.15


def interval_of(arrivals: Sequence[int]) -> int | None:
    """Seconds between messages by their arrivals (ns): a usual interval where one is near; None when few have come."""
    ordered = sorted(arrivals)
    gaps = [(b - a) / NS for a, b in zip(ordered, ordered[1:], strict=False) if b > a]  # noqa: RUF007 read as steps
    if len(gaps) < _FEWEST:
        return None
    typical = median(gaps)
    near = min(_USUAL, key=lambda usual: abs(usual - typical))
    return near if abs(near - typical) <= _NEAR * near else max(1, round(typical))


def suggested_id(external_id: str, taken: Collection[str]) -> str:
    """A free device id that reads like the device's own name."""
    base = re.sub(r"[^A-Za-z0-9_-]+", "-", external_id).strip("-")[:58] or "device"
    return next(name for n in range(len(taken) + 2) if (name := base if n == 0 else f"{base}-{n + 1}") not in taken)
