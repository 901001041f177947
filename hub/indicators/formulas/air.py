# SPDX-License-Identifier: EUPL-1.2
"""Formulas of ambient air: running means, exceedances, guideline ratios, the US index and its NowCast.

Sums over the steps of a profile are taken column by column, in the order of time, so that a figure does not depend on
how many windows were computed together.
"""

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt

from hub.indicators.formulas.base import ONE, Context, Floats, Formula, Outcome
from hub.indicators.rounding import half_up

NOWCAST_HOURS = 12
_LEAST_WEIGHT = 0.5
_NOISE_DIGITS = 6  # binary noise of a scaled decimal: 0.071 * 1000 is 70.99999999999999

US_POLLUTANTS = ("pm2_5", "pm10", "o3", "o3_1h", "no2", "so2", "so2_24h", "co")
_TAKES_OVER = {"o3": "o3_1h", "so2": "so2_24h"}  # what the index takes above the end of a pollutant's own table


def highest_running_mean(inputs: Mapping[str, Floats], context: Context) -> Outcome:
    """Highest running mean over `hours` steps that ends in the window, in the unit of its profile.

    A running mean needs `needed` of its steps, and the window `share` of the running means that end in it. Directive
    2008/50/EC, Annex XI, note on the maximum daily 8-hour mean, and Annex VII.A.2: 8 hours, 6 needed, 75 %.
    Detail `means`: how many running means there were.
    """
    ((name, steps),) = inputs.items()
    hours, needed = int(context.parameters["hours"]), context.parameters["needed"]
    first = context.before[name]
    total, n = _running(steps, first, hours)
    exists = context.hour[name][:, first:] >= 0
    means = np.divide(total, n, out=np.full(total.shape, -np.inf), where=(n >= needed) & exists)
    valid = np.isfinite(means).sum(axis=1).astype(np.float64)
    enough = (valid > 0) & (valid >= context.parameters["share"] * exists.sum(axis=1) - 1e-9)
    return Outcome(np.where(enough, means.max(axis=1, initial=-np.inf), np.nan), {"means": valid})


def _running(steps: Floats, first: int, hours: int) -> tuple[Floats, Floats]:
    """Sum and number of the steps there are among each step of the window and the `hours` - 1 before it."""
    width = steps.shape[1] - first
    total, n = np.zeros((len(steps), width)), np.zeros((len(steps), width))
    for back in range(hours - 1, -1, -1):
        begin = max(first - back, 0)
        column = np.full((len(steps), width), np.nan)
        column[:, width - (steps.shape[1] - back - begin) :] = steps[:, begin : steps.shape[1] - back]
        there = ~np.isnan(column)
        total += np.where(there, column, 0.0)
        n += there
    return total, n


def count_above(inputs: Mapping[str, Floats], context: Context) -> Floats:
    """Number of steps of the profile strictly above `threshold` (in the unit of the profile)."""
    ((name, steps),) = inputs.items()
    inside = steps[:, context.before[name] :]
    above = (inside > context.parameters["threshold"]).sum(axis=1)
    return np.where(np.isnan(inside).all(axis=1), np.nan, above)


def band_shares(inputs: Mapping[str, Floats], context: Context) -> Outcome:
    """The worst band of the shorter windows; details `band_1` to `band_6`: share (0 to 1) of them in each band.

    `from_2` to `from_6` are the shares of shorter windows in that band or a worse one.
    """
    worst = inputs["worst"]
    least = [np.ones(len(worst)), *(inputs[f"from_{band}"] for band in range(2, 7)), np.zeros(len(worst))]
    return Outcome(worst, {f"band_{band}": least[band - 1] - least[band] for band in range(1, 7)})


def guideline_ratio(inputs: Mapping[str, Floats], context: Context) -> Outcome:
    """`mean` divided by its `guideline`: 1 is the guideline, 2 is twice as much.

    Details: `above`, what lies above the guideline, in the unit of the mean (negative: below); `peak_ratio`, the ratio
    of `peak` to its `peak_guideline`.
    """
    details = {"above": inputs["mean"] - context.parameters["guideline"]}
    if "peak" in inputs:
        details["peak_ratio"] = inputs["peak"] / context.parameters["peak_guideline"]
    return Outcome(inputs["mean"] / context.parameters["guideline"], details)


def us_aqi(inputs: Mapping[str, Floats], context: Context) -> Floats:
    """US index (0 to 500) of one pollutant, in the unit of its table; NaN outside the table.

    The table `breakpoints` has rows of concentration from, to, index from, to, and the decimals to which the
    concentration is truncated. 40 CFR Part 58, Appendix G, section 12 and Table 2; EPA-454/B-24-002.
    """
    return sub_index(next(iter(inputs.values())), context.tables["breakpoints"])


def us_aqi_worst(inputs: Mapping[str, Floats], context: Context) -> Outcome:
    """Highest US index of the pollutants that are there; details: the index of each.

    A table per pollutant as in `us_aqi`. Where 8-hour ozone or 1-hour sulphur dioxide lie above their tables, they
    count with the end of those, and the 1-hour and 24-hour averages decide. With a concentration above its table that
    nothing else covers there is no value: the index would look better than the air is.
    """
    details: dict[str, Floats] = {}
    beyond = np.zeros(len(context.seconds), dtype=np.bool_)
    for name, concentration in inputs.items():
        index, above = sub_index(concentration, context.tables[name]), _above(concentration, context.tables[name])
        other = inputs.get(_TAKES_OVER.get(name, ""))
        covered = above & ~np.isnan(other) if other is not None else np.zeros(len(beyond), dtype=np.bool_)
        details[name] = half_up(np.where(covered, context.tables[name][-1, 3], index), 0)
        beyond |= above & ~covered
    stacked = np.vstack(list(details.values()))
    highest = np.where(np.isnan(stacked), -np.inf, stacked).max(axis=0)
    return Outcome(np.where(np.isinf(highest) | beyond, np.nan, highest), details)


def sub_index(concentration: Floats, table: Floats) -> Floats:
    """Piecewise linear index of truncated concentrations; below zero counts as zero, outside the table is NaN."""
    units = _truncated(concentration, table)
    scale = 10.0 ** table[0, 4]
    low, high = np.rint(table[:, 0] * scale), np.rint(table[:, 1] * scale)
    row = np.clip(np.searchsorted(low, units, side="right") - 1, 0, len(table) - 1)
    span = (table[row, 3] - table[row, 2]) / (high[row] - low[row])
    inside = (units >= low[0]) & (units <= high[-1])  # NaN is not inside
    return np.where(inside, table[row, 2] + span * (units - low[row]), np.nan)


def _above(concentration: Floats, table: Floats) -> npt.NDArray[np.bool_]:
    return np.asarray(_truncated(concentration, table) > np.rint(table[-1, 1] * 10.0 ** table[0, 4]), dtype=np.bool_)


def _truncated(concentration: Floats, table: Floats) -> Floats:
    """Concentration in whole units of the last decimal that counts."""
    return np.asarray(np.floor(np.round(np.maximum(concentration, 0.0) * 10.0 ** table[0, 4], _NOISE_DIGITS)))


def nowcast(inputs: Mapping[str, Floats], context: Context) -> Outcome:
    """NowCast of particles in ug/m3, truncated to `decimals`, of a profile of 12 hours, the most recent one last.

    Hour by hour back the weight falls by the factor min/max of the hours, at least 1/2. Two of the last three hours
    are needed. EPA-454/B-24-002, section "How the NowCast is calculated". Details: `nowcast` before truncation, and
    the `factor`.
    """
    hours = next(iter(inputs.values()))[:, -NOWCAST_HOURS:]
    there = ~np.isnan(hours)
    enough = there[:, -3:].sum(axis=1) >= 2
    highest = np.where(there, hours, -np.inf).max(axis=1, initial=-np.inf)
    lowest = np.where(there, hours, np.inf).min(axis=1, initial=np.inf)
    ratio = np.divide(lowest, highest, out=np.ones(len(hours)), where=enough & (highest > 0))
    factor = np.maximum(ratio, _LEAST_WEIGHT)
    top, bottom = np.zeros(len(hours)), np.zeros(len(hours))
    for back in range(hours.shape[1]):
        column = hours.shape[1] - 1 - back
        weight = np.where(there[:, column], factor**back, 0.0)
        top += np.where(there[:, column], hours[:, column], 0.0) * weight
        bottom += weight
    value = np.divide(top, bottom, out=np.full(len(hours), np.nan), where=enough)
    scale = 10.0 ** context.parameters["decimals"]
    truncated = np.floor(np.round(value * scale, _NOISE_DIGITS)) / scale
    return Outcome(truncated, {"nowcast": value, "factor": np.where(enough, factor, np.nan)})


FORMULAS: Mapping[str, Formula] = {
    "highest_running_mean": Formula(
        highest_running_mean,
        ONE,
        parameters=frozenset({"hours", "needed", "share"}),
        undefined="too few running means of the window have enough hours",
    ),
    "count_above": Formula(count_above, ONE, parameters=frozenset({"threshold"})),
    "band_shares": Formula(band_shares, ("worst", "from_2", "from_3", "from_4", "from_5", "from_6"), rises=("worst",)),
    "guideline_ratio": Formula(
        guideline_ratio,
        ("mean", "peak"),
        optional=frozenset({"peak"}),
        parameters=frozenset({"guideline", "peak_guideline"}),
    ),
    "us_aqi": Formula(
        us_aqi,
        ONE,
        tables=frozenset({"breakpoints"}),
        undefined="the concentration is outside the range for which the index is defined",
    ),
    "us_aqi_worst": Formula(
        us_aqi_worst,
        US_POLLUTANTS,
        tables=frozenset(US_POLLUTANTS),
        lower_bound=True,
        undefined="a concentration is outside the range for which the index is defined",
    ),
    "nowcast": Formula(
        nowcast,
        ONE,
        parameters=frozenset({"decimals"}),
        undefined="fewer than two of the last three hours are valid",
    ),
}
