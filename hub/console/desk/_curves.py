# SPDX-License-Identifier: EUPL-1.2
"""Readings to curves: what is long is thinned so that no peak disappears. Pure, on arrays.

Times on the axis are those of the city's clocks at the end of the chart, whatever the reader's own: they are shifted by
that one offset and drawn as UTC. An hour that the clocks repeat in autumn so stands once, and the one that they leave
out in spring makes no gap; the page names the offset.
"""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta, tzinfo
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from hub.core.readings import NS, Flag

POINTS = 2000  # of a curve, at most
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


def local_ms(time: Ints, zone: tzinfo, at: int) -> Ints:
    """Milliseconds that read as the zone's clocks go at `at` (ns), when they are drawn as UTC."""
    offset = datetime.fromtimestamp(at // NS, UTC).astimezone(zone).utcoffset() or timedelta()
    return np.asarray(time // 1_000_000 + int(offset.total_seconds()) * 1000, dtype=np.int64)


def points(time: Ints, value: npt.NDArray[np.float64], zone: tzinfo, at: int) -> Sequence[tuple[int, float]]:
    """A curve for the chart."""
    kept = thinned(value)
    return list(zip(local_ms(time[kept], zone, at).tolist(), np.round(value[kept], 6).tolist(), strict=True))


def doubtful(flag: npt.NDArray[np.uint8]) -> npt.NDArray[np.bool_]:
    """Which readings are suspect or worse."""
    return np.asarray(flag >= Flag.SUSPECT, dtype=np.bool_)
