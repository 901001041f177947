# SPDX-License-Identifier: EUPL-1.2
"""Devices of the grade that is preferred, and the others only where those do not suffice: never a mixture."""

from typing import Any

import numpy as np

from hub.indicators.cells import Bools, Cells, Mounted


def preferred(best: Cells, rest: Cells) -> Cells:
    """Cells of the better devices where they suffice, else those of the others: never a mixture of both."""
    take = best.available | (~rest.available & best.seen)

    def pick(one: Any, other: Any) -> Any:
        return np.where(take[:, :, None] if one.ndim == 3 else take, one, other)

    fields = {name: pick(getattr(best, name), getattr(rest, name)) for name in _MATRICES}
    if best.profile is not None and rest.profile is not None:
        fields["profile"] = pick(best.profile, rest.profile)
    return best._replace(**fields)


_MATRICES = Cells._fields[: Cells._fields.index("profile")]  # fields that are (place, window) matrices


def only(where: Mounted, rows: Bools) -> Mounted:
    """The mountings named, with their devices."""
    names = sorted({where.devices[d] for d in where.device[rows].tolist()})
    index = {name: i for i, name in enumerate(names)}
    device = np.array([index[where.devices[d]] for d in where.device[rows].tolist()], dtype=np.int64)
    return Mounted(
        where.places, names, device, where.place[rows], where.start[rows], where.end[rows], where.interval[rows],
        where.origin[rows], where.grade[rows],
    )  # fmt: skip
