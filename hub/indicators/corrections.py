# SPDX-License-Identifier: EUPL-1.2
"""Corrections, applied on read: stored readings stay as reported, and every figure sees them corrected.

In order of their ids: `exclude` removes readings, so that the result is what it would be had they never come;
`override_flag` gives them another flag. A later correction sees what an earlier one left.
"""

from collections.abc import Sequence

import numpy as np

from hub.core.indicators import Correction
from hub.core.readings import Columns
from hub.indicators.cells import Bools

EXCLUDE, OVERRIDE = "exclude", "override_flag"


def corrected(columns: Columns, corrections: Sequence[Correction]) -> Columns:
    """The columns as the corrections want them read; unknown actions are left to those who know them."""
    relevant = [c for c in corrections if c.action in {EXCLUDE, OVERRIDE}]
    if not relevant or not len(columns):
        return columns
    flag, keep = columns.flag.copy(), np.ones(len(columns), dtype=np.bool_)
    for correction in sorted(relevant, key=lambda c: c.id):
        hit = _hit(columns, correction)
        if correction.action == EXCLUDE:
            keep &= ~hit
        elif correction.flag is not None:
            flag[hit] = correction.flag
    return Columns(
        columns.series,
        columns.index[keep],
        columns.time[keep],
        columns.value[keep],
        flag[keep],
        columns.origin[keep],
    )


def _hit(columns: Columns, c: Correction) -> Bools:
    concerned = np.array([s.device == c.device and c.quantity in (None, s.quantity) for s in columns.series], np.bool_)
    return np.asarray(concerned[columns.index] & (columns.time >= c.start) & (columns.time < c.end), dtype=np.bool_)
