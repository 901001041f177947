# SPDX-License-Identifier: EUPL-1.2
"""Joins what stores read, one part a series, to `Columns` in the order that every kernel relies on."""

from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt

from hub.core.readings import Columns, Series

ROW = np.dtype([("time", "i8"), ("value", "f8"), ("flag", "u1"), ("origin", "u1")])
Rows = npt.NDArray[np.void]
EMPTY: Rows = np.empty(0, ROW)


def columns(series: Sequence[Series], parts: Mapping[Series, Rows]) -> Columns:
    """Rows (dtype ROW) of each series in order of time, as columns sorted by (time, device, quantity).

    A series asked for twice stands once. Parts are laid out in order of (device, quantity) first, so a stable sort
    by time alone finishes the job, and on sorted runs it is a merge.
    """
    ordered = sorted(set(series))
    chunks = [parts.get(s, EMPTY) for s in ordered]
    rows = _joined(chunks)
    index = np.repeat(np.arange(len(ordered), dtype=np.int32), [len(c) for c in chunks])
    order = np.argsort(rows["time"], kind="stable")
    sorted_rows = rows[order]
    field = {name: np.ascontiguousarray(sorted_rows[name]) for name in ROW.names or ()}
    return Columns(ordered, index[order], field["time"], field["value"], field["flag"], field["origin"])


def _joined(chunks: Sequence[Rows]) -> Rows:
    """One after the other; of thousands of short chunks `np.concatenate` looks at each one's fields anew."""
    rows, at = np.empty(sum(map(len, chunks)), ROW), 0
    for chunk in chunks:
        if len(chunk):
            rows[at : at + len(chunk)] = chunk
            at += len(chunk)
    return rows
