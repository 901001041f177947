# SPDX-License-Identifier: EUPL-1.2
"""Readings to curves: what is long is thinned so that no peak disappears. Pure, on arrays.

Times on the axis are those of the city's clocks, whatever the reader's own: they are shifted here and drawn as UTC.
"""

from collections.abc import Sequence
from datetime import UTC, datetime, tzinfo
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from hub.core.readings import NS, Flag

POINTS = 2000  # of a curve, at most
_HOUR = 3600 * NS
Ints = npt.NDArray[np.int64]


def thinned(value: npt.NDArray[np.float64], points: int = POINTS) -> npt.NDArray[np.intp]:
    """Indices of the lowest and the highest of each stretch, in order; all of them where there are few."""
    if len(value) <= points:
        return np.arange(len(value), dtype=np.intp)
    edges = np.linspace(0, len(value), points // 2 + 1).astype(np.intp)
    kept: set[int] = {0, len(value) - 1}
    for begin, end in pairwise(edges.tolist()):
        kept |= {begin + int(np.argmin(value[begin:end])), begin + int(np.argmax(value[begin:end]))}
    return np.array(sorted(kept), dtype=np.intp)


def local_ms(time: Ints, zone: tzinfo) -> Ints:
    """Milliseconds that read as the zone's clocks when they are drawn as UTC."""
    hours, inverse = np.unique(time // _HOUR, return_inverse=True)
    offsets = [datetime.fromtimestamp(int(hour) * 3600, UTC).astimezone(zone).utcoffset() for hour in hours]
    shift = np.array([int(offset.total_seconds()) if offset else 0 for offset in offsets], dtype=np.int64)
    return np.asarray(time // 1_000_000 + shift[inverse] * 1000, dtype=np.int64)


def points(time: Ints, value: npt.NDArray[np.float64], zone: tzinfo) -> Sequence[tuple[int, float]]:
    """A curve for the chart."""
    kept = thinned(value)
    return list(zip(local_ms(time[kept], zone).tolist(), np.round(value[kept], 6).tolist(), strict=True))


def doubtful(flag: npt.NDArray[np.uint8]) -> npt.NDArray[np.bool_]:
    """Which readings are suspect or worse."""
    return np.asarray(flag >= Flag.SUSPECT, dtype=np.bool_)
