# SPDX-License-Identifier: EUPL-1.2
"""Not what readings say, but how they came: capture, share of suspects, devices that are silent."""

from collections.abc import Sequence

import numpy as np

from hub.core.readings import Columns, Flag
from hub.indicators.aggregation import Floats, Ints
from hub.indicators.cells import Bools, Cells, Mounted, expected_of, length_of, mounting_of_rows, step_of, worst

_EVERYTHING = range(256)


def measured(columns: Columns, where: Mounted, measure: str, windows: Ints, flags: Sequence[int]) -> Cells:
    """How readings of all quantities came, per place and window.

    capture: percentage of the readings promised by the declared intervals that came and count, where an instant counts
    once however many quantities it has; NaN where no device declares one. suspect_share: percentage of the readings
    flagged 3 or 4. silent_devices: number of devices that stood there and sent nothing at all.
    """
    mounting, keep = mounting_of_rows(columns, where, None, flags if measure == "capture" else _EVERYTHING)
    window, n_windows = step_of(columns.time[keep], windows), len(windows) - 1
    inside = (window >= 0) & (window < n_windows)
    cell, rows = mounting[inside] * n_windows + window[inside], keep[inside]
    stood = length_of(where, windows).ravel() > 0
    sent = np.bincount(cell, minlength=len(stood)).astype(np.float64)
    if measure == "capture":
        top, bottom = _promised(cell, columns.time[rows], expected_of(where, windows).ravel())
    elif measure == "suspect_share":
        bad = np.isin(columns.flag[rows], (Flag.SUSPECT, Flag.FAIL))
        top, bottom = np.bincount(cell[bad], minlength=len(stood)).astype(np.float64), sent
    else:
        top, bottom = ((sent == 0) & stood).astype(np.float64), stood.astype(np.float64)
    return _cells(where, n_windows, top, bottom, stood, measure)


def _promised(cell: Ints, time: Ints, expected: Floats) -> tuple[Floats, Floats]:
    """Distinct instants of each mounting in each window, as far as they were promised, and what was promised."""
    pairs = np.unique(np.stack([cell, time]), axis=1)
    instants = np.bincount(pairs[0], minlength=len(expected)).astype(np.float64)
    return np.minimum(instants, expected), expected


def _cells(where: Mounted, n_windows: int, top: Floats, bottom: Floats, stood: Bools, measure: str) -> Cells:
    shape = (len(where.places), n_windows)
    site = np.repeat(where.place, n_windows) * n_windows + np.tile(np.arange(n_windows), len(where.place))
    known, sites = ~np.isnan(bottom) & stood, shape[0] * shape[1]
    n_top, n_all = (np.bincount(site[known], count[known], sites).astype(np.float64) for count in (top, bottom))
    share = np.divide(n_top, n_all, out=np.full(sites, np.nan), where=n_all > 0)
    count = measure == "silent_devices"
    value = np.where(n_all > 0, n_top, np.nan) if count else 100.0 * share
    n_valid = n_top if measure == "capture" else n_all
    coverage = np.nan_to_num(share) if measure == "capture" else (n_all > 0).astype(np.float64)
    return Cells(
        value.reshape(shape),
        ~np.isnan(value).reshape(shape),
        (np.bincount(site[stood], minlength=sites) > 0).reshape(shape),
        n_valid.reshape(shape),
        n_all.reshape(shape),
        coverage.reshape(shape),
        np.zeros(shape, dtype=np.bool_),
        worst(np.repeat(where.origin, n_windows)[stood], site[stood], sites).reshape(shape),
        worst(np.repeat(where.grade, n_windows)[stood], site[stood], sites).reshape(shape),
    )
