# SPDX-License-Identifier: EUPL-1.2
"""What a formula is: a pure function on arrays, one row a window, NaN where an input is missing.

A formula declares what it takes, so that a definition can be checked against it before anything runs. It never sees
places, readings or time zones. An input is an array of shape (windows,), or, where the definition asks for its
`profile`, a matrix of shape (windows, steps): first the steps of `before`, then those of the window in order, NaN
where a step is not available, does not count or does not exist.
"""

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import numpy.typing as npt
from msgspec import Struct

if TYPE_CHECKING:
    from hub.indicators.formulas.composite import Composite

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

ANY = ("*",)
ONE = ("?",)


class Context(NamedTuple):
    """What a formula is told beside its inputs.

    `seconds`: length of each window, shape (windows,). `before`: steps before the window, by profile input. `hour`:
    local hour of the day (0 to 23) in which each step of a profile input begins, same shape, -1 where there is none.
    `n`: by input, on how many figures it rests (readings, steps or answers; an effective number where weighted).
    `composite`: pillars, weights and goalposts of a composite index.
    """

    parameters: Mapping[str, float]
    tables: Mapping[str, Floats]
    seconds: Floats
    before: Mapping[str, int]
    hour: Mapping[str, Ints]
    n: Mapping[str, Floats]
    composite: "Composite | None" = None


class Outcome(NamedTuple):
    """Value per window, and further figures by name; NaN among those is left out."""

    value: Floats
    details: Mapping[str, Floats] = {}


Function = Callable[[Mapping[str, Floats], Context], Floats | Outcome]


class Formula(Struct, frozen=True):
    """`arguments` are the names of its inputs, ANY number of them, or exactly ONE of any name.

    `optional` are those that a definition may leave out. `parameters` and `tables` are all needed. `of_bands`: it works
    on the band numbers (1 is the first) of inputs that have bands, not on their values. `lower_bound`: with an optional
    input missing, the result can only be too low. `rises`: with which inputs (ANY: all) the result never falls, so
    that a lower bound among them makes it one. `undefined`: why there is no value although all inputs are there.
    """

    function: Function
    arguments: tuple[str, ...]
    optional: frozenset[str] = frozenset()
    parameters: frozenset[str] = frozenset()
    tables: frozenset[str] = frozenset()
    of_bands: bool = False
    lower_bound: bool = False
    rises: tuple[str, ...] = ()
    undefined: str | None = None
