# SPDX-License-Identifier: EUPL-1.2
"""From frames of an answer to rows of one quantity. Pure."""

from collections.abc import Sequence

import numpy as np

from hub.storage._influx_http import Frame
from hub.storage._influx_lines import SPARSE
from hub.storage._influx_query import identifier
from hub.storage._reading_columns import ROW, Rows


def sparse_columns(quantity: str) -> Sequence[str]:
    """Columns to ask for beside the value."""
    return [identifier(quantity + suffix) for suffix, _, _ in SPARSE]


def rows_of(frame: Frame, quantity: str) -> Rows:
    """The rows of a frame that hold this quantity."""
    value, flag, origin = (frame.columns.index(quantity + suffix) for suffix in ("", "_qc", "_origin"))
    found = [(row[0], row[value], row[flag] or 1, row[origin] or 0) for row in frame.values if row[value] is not None]
    return np.array(found, ROW) if found else np.empty(0, ROW)
