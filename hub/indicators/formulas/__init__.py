# SPDX-License-Identifier: EUPL-1.2
"""All formulas by name. Adding one is adding a function and its row in the table of its domain's module."""

from collections.abc import Mapping

from hub.indicators.formulas import (
    air,
    basic,
    composite,
    coverage,
    mobility,
    noise,
    satisfaction,
    services,
    utilities,
    weather,
)
from hub.indicators.formulas.base import ANY, ONE, Formula

_DOMAINS = (
    air.FORMULAS,
    basic.FORMULAS,
    composite.FORMULAS,
    coverage.FORMULAS,
    mobility.FORMULAS,
    noise.FORMULAS,
    satisfaction.FORMULAS,
    services.FORMULAS,
    utilities.FORMULAS,
    weather.FORMULAS,
)

FORMULAS: Mapping[str, Formula] = {name: formula for table in _DOMAINS for name, formula in table.items()}

__all__ = ["ANY", "FORMULAS", "ONE", "Formula"]
