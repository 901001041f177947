# SPDX-License-Identifier: EUPL-1.2
"""Waste, heat, electricity, water and street lighting.

Shares come as percent. A quotient whose denominator says nothing (no waste, no degree days, no water) has no value
and its reason, never 0 or 100 %. Profiles have one row a window and one column a step, NaN where nothing is known.
"""

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt

from hub.indicators.formulas.base import Context, Floats, Formula, Ints, Outcome

Bools = npt.NDArray[np.bool_]

_OF_NIGHT = 0.75


def quotient(top: Floats, bottom: Floats) -> Floats:
    """top / bottom, NaN where the bottom is not above zero."""
    result: Floats = np.divide(top, bottom, out=np.full(len(top), np.nan), where=bottom > 0)
    return result


def known_mean(figures: Floats) -> Floats:
    """Mean of the known steps of each window."""
    known = ~np.isnan(figures)
    return quotient(np.where(known, figures, 0.0).sum(axis=1), known.sum(axis=1).astype(np.float64))


def known_minimum(figures: Floats) -> Floats:
    """Lowest known step of each window."""
    lowest = np.where(np.isnan(figures), np.inf, figures).min(axis=1, initial=np.inf)
    return np.where(np.isinf(lowest), np.nan, lowest)


def minutes_of_window(inputs: Mapping[str, Floats], context: Context) -> Floats:
    """Minutes, from the share (0 to 1) of the known time of the window."""
    return inputs["share"] * context.seconds / 60.0


def separate_collection(inputs: Mapping[str, Floats], context: Context) -> Outcome:
    """Percent by mass of what is collected apart: (sorted + bio) / (sorted + bio + mixed), masses in one unit.

    Without a figure for biowaste there is none of it: adding it could only raise the share.
    """
    bio = inputs.get("bio", np.full(len(inputs["mixed"]), np.nan))
    apart = inputs["sorted"] + np.where(np.isnan(bio), 0.0, bio)
    collected = apart + inputs["mixed"]
    return Outcome(100.0 * quotient(apart, collected), {"apart": apart, "collected": collected})


class _Bins:
    """State of one container per window, stepped through the hours of its profile.

    Full since a step from `full` percent on. Emptied where the level lies `drop` points below the highest since the
    last emptying; while it goes on falling after that, it is the same emptying.
    """

    def __init__(self, windows: int) -> None:
        self.highest = np.full(windows, np.nan)
        self.full_since = np.full(windows, -1, dtype=np.int64)
        self.falling = np.zeros(windows, dtype=np.bool_)
        self.emptied = np.zeros(windows)
        self.late = np.zeros(windows)

    def step(self, at: int, level: Floats, context: Context, counts: bool) -> None:
        full, drop, hours = (context.parameters[name] for name in ("full", "drop", "hours"))
        known = ~np.isnan(level)
        self.falling &= ~known | (level <= self.highest)
        self.highest = np.where(known & self.falling, level, self.highest)
        emptied = known & ~self.falling & (self.highest - level >= drop)
        if counts:
            self.emptied += emptied
            self.late += emptied & self.overdue(at, hours)
        self.full_since[emptied] = -1
        self.falling |= emptied
        self.highest = np.where(emptied, level, np.fmax(self.highest, level))
        self.full_since[known & (level >= full) & (self.full_since < 0)] = at

    def overdue(self, at: int | Ints, hours: float) -> Bools:
        """Containers that have been full for longer than is allowed."""
        waiting: Bools = (self.full_since >= 0) & (at - self.full_since > hours)
        return waiting


def collection_in_time(inputs: Mapping[str, Floats], context: Context) -> Outcome:
    """Percent of emptyings within `hours` after the level (hourly profile, %) first reached `full`.

    An emptying of a container that was not full is in time. One that at the last known hour has been full for longer
    than allowed counts as one late emptying. A level that is full in the first known hour is full since then.
    """
    level, before = inputs["fill"], context.before.get("fill", 0)
    bins = _Bins(len(level))
    for at in np.flatnonzero(~np.isnan(level).all(axis=0)).tolist():  # an hour without any report changes nothing
        bins.step(at, level[:, at], context, counts=at >= before)
    last = np.where(~np.isnan(level), np.arange(level.shape[1]), 0).max(axis=1, initial=0)
    waiting = bins.overdue(last, context.parameters["hours"]).astype(np.float64)
    due = bins.emptied + waiting
    in_time = bins.emptied - bins.late
    details = {"emptied": bins.emptied, "late": bins.late, "still_full": waiting}
    return Outcome(100.0 * quotient(in_time, due), details)


def heat_intensity(inputs: Mapping[str, Floats], context: Context) -> Floats:
    """Heat (kWh) per square metre and degree day: heat / (area * degree days).

    With fewer than `least` degree days (K.d) heat for hot water outweighs heating, so there is no value.
    """
    degree_days = np.where(inputs["hdd"] >= context.parameters["least"], inputs["hdd"], np.nan)
    return quotient(inputs["heat"], inputs["area"] * degree_days)


def night_share(inputs: Mapping[str, Floats], context: Context) -> Floats:
    """Mean of the night in percent of the mean of the day; both in one unit of power or flow."""
    return 100.0 * quotient(inputs["night"], inputs["day"])


def night_share_of_hours(inputs: Mapping[str, Floats], context: Context) -> Floats:
    """The same from the hourly differences of a meter: the hours from `from` to `to` make up the night."""
    return 100.0 * quotient(known_mean(_night("use", inputs, context)), known_mean(inputs["use"]))


def _night(name: str, inputs: Mapping[str, Floats], context: Context) -> Floats:
    """The steps of the night alone; none of a night of which less than three quarters are known."""
    hour, steps = context.hour[name], inputs[name]
    inside = (hour >= context.parameters["from"]) & (hour < context.parameters["to"])
    known = (inside & ~np.isnan(steps)).sum(axis=1) >= _OF_NIGHT * inside.sum(axis=1)
    return np.where(inside & known[:, None], steps, np.nan)


def water_loss(inputs: Mapping[str, Floats], context: Context) -> Outcome:
    """Percent of the supplied volume that was not billed (non-revenue water); more billed than supplied is no loss."""
    lost = inputs["supplied"] - inputs["billed"]
    lost = np.where(lost >= 0, lost, np.nan)
    return Outcome(100.0 * quotient(lost, inputs["supplied"]), {"lost": lost})


def night_flow(inputs: Mapping[str, Floats], context: Context) -> Outcome:
    """Lowest flow of the night in percent of the day's mean flow (m3/h)."""
    return Outcome(100.0 * quotient(inputs["night"], inputs["day"]), {"night_flow": inputs["night"]})


def night_flow_of_hours(inputs: Mapping[str, Floats], context: Context) -> Outcome:
    """The same from the hourly differences of a meter (m3): the lowest hour from `from` to `to`."""
    lowest = known_minimum(_night("use", inputs, context))
    return Outcome(100.0 * quotient(lowest, known_mean(inputs["use"])), {"night_flow": lowest})


def availability(inputs: Mapping[str, Floats], context: Context) -> Floats:
    """Percent in order, from the share (0 to 1) that is out of order."""
    return 100.0 * (1.0 - inputs["failed"])


_HOURS = frozenset({"from", "to"})

FORMULAS: Mapping[str, Formula] = {
    "minutes_of_window": Formula(minutes_of_window, ("share",)),
    "separate_collection": Formula(
        separate_collection,
        ("mixed", "sorted", "bio"),
        optional=frozenset({"bio"}),
        lower_bound=True,
        undefined="nothing was collected",
    ),
    "collection_in_time": Formula(
        collection_in_time,
        ("fill",),
        parameters=frozenset({"full", "drop", "hours"}),
        undefined="no container was emptied or had to be",
    ),
    "heat_intensity": Formula(
        heat_intensity,
        ("heat", "hdd", "area"),
        parameters=frozenset({"least"}),
        undefined="too few degree days, or no heated area",
    ),
    "night_share": Formula(night_share, ("night", "day"), undefined="nothing was used on that day"),
    "night_share_of_hours": Formula(
        night_share_of_hours, ("use",), parameters=_HOURS, undefined="too little of the night is known, or no use"
    ),
    "water_loss": Formula(
        water_loss, ("supplied", "billed"), undefined="more was billed than supplied, or nothing was supplied"
    ),
    "night_flow": Formula(night_flow, ("night", "day"), undefined="there was no flow on that day"),
    "night_flow_of_hours": Formula(
        night_flow_of_hours, ("use",), parameters=_HOURS, undefined="too little of the night is known, or no flow"
    ),
    "availability": Formula(availability, ("failed",)),
}
