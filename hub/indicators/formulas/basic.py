# SPDX-License-Identifier: EUPL-1.2
"""Formulas of no domain: the input itself, the worst band, a percentage."""

from collections.abc import Mapping

import numpy as np

from hub.indicators.formulas.base import ANY, ONE, Context, Floats, Formula


def value(inputs: Mapping[str, Floats], context: Context) -> Floats:
    """The only input as it is."""
    return next(iter(inputs.values()))


def worst(inputs: Mapping[str, Floats], context: Context) -> Floats:
    """The highest of the inputs that are there."""
    stacked = np.vstack(list(inputs.values()))
    highest = np.where(np.isnan(stacked), -np.inf, stacked).max(axis=0)
    return np.where(np.isinf(highest), np.nan, highest)


def percentage(inputs: Mapping[str, Floats], context: Context) -> Floats:
    """100 * part / whole; undefined where the whole is not above zero."""
    part, whole = inputs["part"], inputs["whole"]
    share: Floats = np.divide(100.0 * part, whole, out=np.full(len(part), np.nan), where=whole > 0)
    return share


def entered(inputs: Mapping[str, Floats], context: Context) -> Floats:
    """Nothing: people enter the figure."""
    return np.full(len(context.seconds), np.nan)


FORMULAS: Mapping[str, Formula] = {
    "entered": Formula(entered, ()),
    "value": Formula(value, ONE, rises=ANY),
    "worst_band": Formula(worst, ANY, of_bands=True, lower_bound=True, rises=ANY),
    "percentage": Formula(percentage, ("part", "whole"), rises=("part",), undefined="the whole is zero"),
}
