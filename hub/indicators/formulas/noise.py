# SPDX-License-Identifier: EUPL-1.2
"""Formulas of environmental noise. Levels are A-weighted decibels and are averaged as energies, never as numbers."""

from collections.abc import Mapping

import numpy as np

from hub.indicators.formulas.base import Context, Floats, Formula

_PERIODS = (("lday", "day_hours", ""), ("levening", "evening_hours", "evening_penalty"),
            ("lnight", "night_hours", "night_penalty"))  # fmt: skip


def day_evening_night(inputs: Mapping[str, Floats], context: Context) -> Floats:
    """Lden in dB(A) from Lday, Levening and Lnight in dB(A): Directive 2002/49/EC, Annex I, point 1.

    10 lg of the mean energy over the hours of the periods, evening and night raised by their penalties (5 and 10 dB).
    """
    given = context.parameters
    energy = np.zeros(len(inputs["lday"]))
    for name, hours, penalty in _PERIODS:
        energy += given[hours] * 10.0 ** ((inputs[name] + given.get(penalty, 0.0)) / 10.0)
    level: Floats = 10.0 * np.log10(energy / sum(given[hours] for _, hours, _ in _PERIODS))
    return level


FORMULAS: Mapping[str, Formula] = {
    "day_evening_night": Formula(
        day_evening_night,
        ("lday", "levening", "lnight"),
        parameters=frozenset({"day_hours", "evening_hours", "night_hours", "evening_penalty", "night_penalty"}),
    ),
}
