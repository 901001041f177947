# SPDX-License-Identifier: EUPL-1.2
"""How much of what the city wants to know is measured, entered by people, or blind."""

from collections.abc import Mapping

from hub.indicators.formulas.base import Context, Floats, Formula, Outcome
from hub.indicators.formulas.utilities import quotient


def integration(inputs: Mapping[str, Floats], context: Context) -> Outcome:
    """Percent that is measured, from numbers of targets (or of topics); further: percent entered and percent blind."""
    whole = inputs["measured"] + inputs["entered"] + inputs["blind"]
    shares = {name: 100.0 * quotient(inputs[name], whole) for name in ("measured", "entered", "blind")}
    return Outcome(shares["measured"], {f"{name}_share": share for name, share in shares.items()})


FORMULAS: Mapping[str, Formula] = {
    "integration": Formula(integration, ("measured", "entered", "blind"), undefined="there is nothing to cover"),
}
