# SPDX-License-Identifier: EUPL-1.2
"""Formulas of traffic, parking, and public transport. What cannot be (more free spaces than there are) has no value."""

from collections.abc import Mapping

import numpy as np

from hub.indicators.formulas.base import Context, Floats, Formula, Outcome

_LEVELS = 5  # bounds of levels of service A to E; F is what is left


def travel_time_index(inputs: Mapping[str, Floats], context: Context) -> Floats:
    """Mean travel time by that of free flow, both in s (FHWA, Urban Congestion Report); 1 is free flow."""
    return _quotient(inputs["travel_time"], inputs["free_flow"])


def congestion_share(inputs: Mapping[str, Floats], context: Context) -> Outcome:
    """Share in % of the steps of the profile `speed` below `ratio` of the speed of free flow (both km/h).

    Steps without a speed do not count. `congested_steps` and `steps` stand beside it.
    """
    speed, limit = inputs["speed"], context.parameters["ratio"] * inputs["free_flow"]
    known = ~np.isnan(speed)
    congested = (known & (speed < limit[:, None])).sum(axis=1).astype(np.float64)
    steps = np.where(np.isnan(limit), np.nan, known.sum(axis=1))
    return Outcome(100.0 * _quotient(congested, steps), {"congested_steps": congested, "steps": steps})


def street_level_of_service(inputs: Mapping[str, Floats], context: Context) -> Outcome:
    """Level of service, 1 (A) to 6 (F), of an urban street by its mean `speed` in mph: HCM 2000, Exhibit 15-2.

    The table `bounds` has a row for each street class: its number and the speeds that A, B, C, D and E must exceed.
    A street without `street_class` is taken as the parameter `usual_class`; `street_class` beside the value says which.
    """
    speed, table = inputs["speed"], context.tables["bounds"]
    given = inputs.get("street_class", np.full(len(speed), np.nan))
    street = np.where(np.isnan(given), context.parameters["usual_class"], given)
    row = np.searchsorted(table[:, 0], street)
    known = (row < len(table)) & (table[np.minimum(row, len(table) - 1), 0] == street)
    bounds = table[np.minimum(row, len(table) - 1), 1 : 1 + _LEVELS]
    level = 1.0 + (speed[:, None] <= bounds).sum(axis=1)
    return Outcome(np.where(known & ~np.isnan(speed), level, np.nan), {"speed_mph": speed, "street_class": street})


def parking_occupancy(inputs: Mapping[str, Floats], context: Context) -> Outcome:
    """Occupied share in % of the `capacity`, from the `free` spaces; undefined where more are free than there are."""
    free, capacity = inputs["free"], inputs["capacity"]
    possible = (capacity > 0) & (free <= capacity)
    share = 100.0 - 100.0 * _quotient(free, capacity)
    return Outcome(np.where(possible, share, np.nan), {"free": free, "capacity": capacity})


def parking_occupancy_counted(inputs: Mapping[str, Floats], context: Context) -> Outcome:
    """Occupied share in % of the `capacity`, from the `occupied` spaces; cars that wait in aisles can exceed 100 %."""
    occupied, capacity = inputs["occupied"], inputs["capacity"]
    return Outcome(100.0 * _quotient(occupied, capacity), {"occupied": occupied, "capacity": capacity})


def minutes_of_share(inputs: Mapping[str, Floats], context: Context) -> Floats:
    """Minutes of the window for which something held, from the `share` (0 to 1) of its time."""
    minutes: Floats = inputs["share"] * context.seconds / 60.0
    return minutes


def on_time_share(inputs: Mapping[str, Floats], context: Context) -> Outcome:
    """Departures in % that were on time, from the shares (0 to 1) that were too `early` and too `late`."""
    early, late = inputs["early"], inputs["late"]
    share = 100.0 * (1.0 - early - late)
    return Outcome(np.where(share >= 0, share, np.nan), {"early": 100.0 * early, "late": 100.0 * late})


def _quotient(top: Floats, bottom: Floats) -> Floats:
    quotient: Floats = np.divide(top, bottom, out=np.full(len(top), np.nan), where=bottom > 0)
    return quotient


FORMULAS: Mapping[str, Formula] = {
    "travel_time_index": Formula(
        travel_time_index, ("travel_time", "free_flow"), undefined="the free-flow travel time is not above zero"
    ),
    "congestion_share": Formula(
        congestion_share,
        ("speed", "free_flow"),
        parameters=frozenset({"ratio"}),
        undefined="no step of the window has a speed",
    ),
    "street_level_of_service": Formula(
        street_level_of_service,
        ("speed", "street_class"),
        optional=frozenset({"street_class"}),
        parameters=frozenset({"usual_class"}),
        tables=frozenset({"bounds"}),
        undefined="the street class is not in the table",
    ),
    "parking_occupancy": Formula(
        parking_occupancy,
        ("free", "capacity"),
        undefined="free spaces exceed the capacity, or the capacity is zero",
    ),
    "parking_occupancy_counted": Formula(
        parking_occupancy_counted, ("occupied", "capacity"), undefined="the capacity is zero"
    ),
    "minutes_of_share": Formula(minutes_of_share, ("share",)),
    "on_time_share": Formula(
        on_time_share, ("early", "late"), undefined="the shares of early and late departures exceed one together"
    ),
}
