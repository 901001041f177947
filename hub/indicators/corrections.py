# SPDX-License-Identifier: EUPL-1.2
"""Corrections, applied on read: stored readings stay as reported, and every figure sees them corrected. Pure.

In order of their ids, those that are not withdrawn: `exclude` and `maintenance` remove readings, so that the result is
what it would be had they never come; `override_flag` gives them another flag; `calibrate` makes value * scale + shift
of the value that earlier calibrations left. Origin, time and series of a reading are never changed.

Columns are sorted by time, so each correction looks at its own stretch alone: hundreds of them cost hundreds of binary
searches, and what is not concerned is not touched.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from hub.core.corrections import CALIBRATE, OVERRIDE, REMOVING, in_effect
from hub.core.indicators import Correction
from hub.core.readings import Columns, Series

Bools = npt.NDArray[np.bool_]
Rows = npt.NDArray[np.intp]


class Hit(NamedTuple):
    """Rows of columns that a correction concerns: at least one."""

    correction: Correction
    rows: Rows


def corrected(columns: Columns, corrections: Sequence[Correction]) -> Columns:
    """The columns as the corrections want them read; the given ones stay as they are."""
    found = list(hits(columns, corrections))
    if not found:
        return columns
    value, flag = columns.value.copy(), columns.flag.copy()
    keep = np.ones(len(columns), dtype=np.bool_)
    for correction, rows in found:
        if correction.action in REMOVING:
            keep[rows] = False
        elif correction.action == OVERRIDE and correction.flag is not None:
            flag[rows] = correction.flag
        elif correction.action == CALIBRATE:
            value[rows] = calibrated(value[rows], correction)
    changed = Columns(columns.series, columns.index, columns.time, value, flag, columns.origin)
    return changed if keep.all() else _only(changed, keep)


def calibrated(values: npt.NDArray[np.float64], c: Correction) -> npt.NDArray[np.float64]:
    """Values as a calibration wants them read."""
    scale, shift = (1.0 if c.scale is None else c.scale), (0.0 if c.shift is None else c.shift)
    return np.asarray(values * scale + shift, dtype=np.float64)


def hits(columns: Columns, corrections: Sequence[Correction]) -> Iterator[Hit]:
    """What each correction in effect concerns, in order of ids; those that concern nothing are left out."""
    if not len(columns):
        return
    first, last = int(columns.time[0]), int(columns.time[-1])
    near = [c for c in in_effect(corrections) if c.start <= last and c.end > first]
    numbers = _by_device(columns.series) if near else {}
    for correction in near:
        if correction.device in numbers:
            rows = _rows(columns, correction, numbers[correction.device])
            if len(rows):
                yield Hit(correction, rows)


def _rows(columns: Columns, c: Correction, numbers: Sequence[tuple[str, int]]) -> Rows:
    """Indices of the rows concerned; `numbers` are the device's series in the columns, with quantities."""
    concerned = [number for quantity, number in numbers if c.quantity in (None, quantity)]
    begin, end = np.searchsorted(columns.time, (c.start, c.end), side="left")
    within = columns.index[begin:end]
    found = np.zeros(len(within), dtype=np.bool_)
    for number in concerned:
        found |= within == number
    return np.asarray(np.flatnonzero(found) + begin, dtype=np.intp)


def _by_device(series: Sequence[Series]) -> Mapping[str, Sequence[tuple[str, int]]]:
    found: dict[str, list[tuple[str, int]]] = {}
    for number, (device, quantity) in enumerate(series):
        found.setdefault(device, []).append((quantity, number))
    return found


def _only(columns: Columns, keep: Bools) -> Columns:
    return Columns(
        columns.series,
        columns.index[keep],
        columns.time[keep],
        columns.value[keep],
        columns.flag[keep],
        columns.origin[keep],
    )
