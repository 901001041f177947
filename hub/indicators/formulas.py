# SPDX-License-Identifier: EUPL-1.2
"""Formulas: pure functions on arrays, one element a window, NaN where an input is missing.

A formula declares what it takes, so that a definition can be checked against it before anything runs. It never sees
time, place or readings. Adding one is adding a function and its row in `FORMULAS`.
"""

from collections.abc import Callable, Mapping

import numpy as np
from msgspec import Struct

from hub.indicators.aggregation import Floats

Function = Callable[[Mapping[str, Floats], Mapping[str, float]], Floats]

ANY = ("*",)
ONE = ("?",)


class Formula(Struct, frozen=True):
    """`arguments` are the names of its inputs, ANY number of them, or exactly ONE of any name.

    `of_bands`: it works on the band numbers (1 is the first) of inputs that have bands, not on their values.
    `lower_bound`: with an optional input missing, the result can only be too low.
    """

    function: Function
    arguments: tuple[str, ...]
    parameters: frozenset[str] = frozenset()
    of_bands: bool = False
    lower_bound: bool = False


def _value(inputs: Mapping[str, Floats], parameters: Mapping[str, float]) -> Floats:  # noqa: ARG001 - one signature
    return next(iter(inputs.values()))


def _worst(inputs: Mapping[str, Floats], parameters: Mapping[str, float]) -> Floats:  # noqa: ARG001 - one signature
    stacked = np.vstack(list(inputs.values()))
    highest = np.where(np.isnan(stacked), -np.inf, stacked).max(axis=0)
    return np.where(np.isinf(highest), np.nan, highest)


def _percentage(inputs: Mapping[str, Floats], parameters: Mapping[str, float]) -> Floats:  # noqa: ARG001 - one signature
    part, whole = inputs["part"], inputs["whole"]
    share: Floats = np.divide(100.0 * part, whole, out=np.full(len(part), np.nan), where=whole > 0)
    return share


FORMULAS: Mapping[str, Formula] = {
    "value": Formula(_value, ONE),
    "worst_band": Formula(_worst, ANY, of_bands=True, lower_bound=True),
    "percentage": Formula(_percentage, ("part", "whole")),
}
