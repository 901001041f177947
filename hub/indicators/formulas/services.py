# SPDX-License-Identifier: EUPL-1.2
"""Sport, social services and administration: use of capacities, rates per inhabitants or places, free places.

A share that cannot be above 100 % (hours used of hours on offer) has no value there, and says why: such figures
contradict each other, and cutting them off would hide it. Where more than 100 % happens (a service that takes more
clients than it has places for), it is shown.
"""

from collections.abc import Mapping

import numpy as np

from hub.indicators.formulas.base import Context, Floats, Formula, Function, Outcome
from hub.indicators.formulas.utilities import quotient


def share(part: str, whole: str, *, bounded: bool) -> Function:
    """100 * part / whole of the inputs of these names; `bounded`: no value above 100 %."""

    def formula(inputs: Mapping[str, Floats], context: Context) -> Floats:
        percent = 100.0 * quotient(inputs[part], inputs[whole])
        return np.where(percent > 100.0, np.nan, percent) if bounded else percent

    return formula


def rate(count: str, base: str) -> Function:
    """`per` * count / base of the inputs of these names: visits per 1,000 inhabitants, waiting per 100 places."""

    def formula(inputs: Mapping[str, Floats], context: Context) -> Floats:
        return context.parameters["per"] * quotient(inputs[count], inputs[base])

    return formula


def free_capacity(inputs: Mapping[str, Floats], context: Context) -> Outcome:
    """Capacity less people present; none where they are more. Further: how full it is, in percent."""
    free = inputs["capacity"] - inputs["present"]
    free = np.where(free >= 0, free, np.nan)
    return Outcome(free, {"occupancy": 100.0 * quotient(inputs["present"], inputs["capacity"])})


FORMULAS: Mapping[str, Formula] = {
    "utilisation": Formula(
        share("used", "offered", bounded=True),
        ("used", "offered"),
        undefined="more was used than was on offer, or nothing was on offer",
    ),
    "reliability": Formula(
        share("open", "planned", bounded=True),
        ("open", "planned"),
        undefined="more hours were open as planned than planned, or none were planned",
    ),
    "capacity_use": Formula(
        share("occupied", "capacity", bounded=False), ("occupied", "capacity"), undefined="there are no places"
    ),
    "visits_rate": Formula(
        rate("visits", "population"),
        ("visits", "population"),
        parameters=frozenset({"per"}),
        rises=("visits",),
        undefined="there are no inhabitants",
    ),
    "waiting_rate": Formula(
        rate("waiting", "capacity"),
        ("waiting", "capacity"),
        parameters=frozenset({"per"}),
        undefined="there are no places",
    ),
    "free_capacity": Formula(
        free_capacity, ("capacity", "present"), undefined="more people are present than the capacity allows"
    ),
}
