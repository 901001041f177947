# SPDX-License-Identifier: EUPL-1.2
"""Answers of people: shares and means with their 95 % interval, suppressed where they are few.

A share of answers carries Wilson's interval, which stays inside 0 to 100 % and is sound for small numbers. Weighted
answers (see `hub.indicators.stratification`) count for less than their number: Kish's effective n, which comes as the
input's n, takes its place in every interval.

Below MINIMUM answers there is no value: it would say more about single people than about the service.
"""

from collections.abc import Mapping

import numpy as np

from hub.indicators.formulas.base import ONE, Context, Floats, Formula, Outcome
from hub.indicators.formulas.utilities import quotient

Z95 = 1.959963984540054  # 97.5 % point of the standard normal distribution
MINIMUM = 10  # answers
FEW = f"fewer than {MINIMUM} answers"
_MORE = 3.0  # answers that the adjusted Wald interval adds, a quarter of them promoters, a quarter detractors


def wilson(p: Floats, n: Floats, z: float = Z95) -> tuple[Floats, Floats]:
    """Wilson's score interval (1927, without continuity correction) of shares `p` (0 to 1) of `n` answers."""
    n = np.where(n > 0, n, np.nan)
    middle = (p + z * z / (2 * n)) / (1 + z * z / n)
    half = z / (1 + z * z / n) * np.sqrt(p * (1 - p) / n + z * z / (4 * n * n))
    return np.clip(middle - half, 0.0, 1.0), np.clip(middle + half, 0.0, 1.0)


def csat(inputs: Mapping[str, Floats], context: Context) -> Outcome:
    """Satisfied answers in percent of all, from numbers of positive, neutral and negative answers."""
    n = inputs["positive"] + inputs["neutral"] + inputs["negative"]
    return _share(quotient(inputs["positive"], n), n)


def share_of_answers(inputs: Mapping[str, Floats], context: Context) -> Outcome:
    """A percentage of answers that was put together from places below, with the interval for its effective n."""
    name, percent = next(iter(inputs.items()))
    return _share(percent / 100.0, context.n[name])


def nps(inputs: Mapping[str, Floats], context: Context) -> Outcome:
    """Net promoter score: promoters less detractors in percent of all answers (Reichheld 2003), in points.

    `variance` (points squared) is that of the score itself, 100^2 (p + d - (p - d)^2) / n. The interval is the adjusted
    Wald interval for trinomial answers: three more answers, 3/4 of one on each side (Rocks 2016).
    """
    promoters, detractors = inputs["promoters"], inputs["detractors"]
    n = promoters + inputs["passives"] + detractors
    score, variance = _net(promoters, detractors, n)
    quarter = _MORE / 4
    middle, spread = _net(promoters + quarter, detractors + quarter, n + _MORE)
    half = Z95 * np.sqrt(spread)
    return _of_enough(score, n, np.clip(middle - half, -100, 100), np.clip(middle + half, -100, 100), variance=variance)


def mean_of_answers(inputs: Mapping[str, Floats], context: Context) -> Outcome:
    """Mean of answers on a scale from `low` to `high`, one input of any name.

    The variance is the largest that the mean allows on this scale, (high - mean)(mean - low) (Bhatia and Davis 2000):
    so the interval is never too narrow.
    """
    name, mean = next(iter(inputs.items()))
    return _mean(mean, _widest(mean, context), context.n[name], context)


def satisfaction_mean(inputs: Mapping[str, Floats], context: Context) -> Outcome:
    """Mean rating from `low` to `high`; number of answers from `answers`, else from the readings behind `rating`.

    `at_least_2` to `at_least_5`: shares (0 to 1) of ratings of at least that many. They give the variance of whole
    ratings from 1 to 5: E[x^2] = 1 + sum of (2k - 1) P(x >= k). Without them it is the largest that the mean allows.
    """
    mean, n = inputs["rating"], inputs.get("answers", np.full(len(inputs["rating"]), np.nan))
    n = np.where(np.isnan(n), context.n["rating"], n)
    shares = [inputs.get(f"at_least_{k}", np.full(len(mean), np.nan)) for k in range(2, 6)]
    first = 1.0 + np.sum(shares, axis=0)
    second = 1.0 + np.sum([(2 * k - 1) * share for k, share in enumerate(shares, 2)], axis=0)
    sample = np.maximum(second - first * first, 0.0) * quotient(n, n - 1.0)
    return _mean(mean, np.where(np.isnan(sample), _widest(mean, context), sample), n, context)


def _net(promoters: Floats, detractors: Floats, n: Floats) -> tuple[Floats, Floats]:
    """Score in points and its variance."""
    p, d = quotient(promoters, n), quotient(detractors, n)
    return 100.0 * (p - d), 1e4 * quotient(p + d - (p - d) ** 2, n)


def _share(p: Floats, n: Floats) -> Outcome:
    low, high = wilson(p, n)
    return _of_enough(100.0 * p, n, 100.0 * low, 100.0 * high)


def _widest(mean: Floats, context: Context) -> Floats:
    return np.maximum((context.parameters["high"] - mean) * (mean - context.parameters["low"]), 0.0)


def _mean(mean: Floats, variance: Floats, n: Floats, context: Context) -> Outcome:
    half = Z95 * np.sqrt(quotient(variance, n))
    low, high = context.parameters["low"], context.parameters["high"]
    return _of_enough(mean, n, np.clip(mean - half, low, high), np.clip(mean + half, low, high))


def _of_enough(value: Floats, n: Floats, low: Floats, high: Floats, **more: Floats) -> Outcome:
    """Value and details where there are enough answers; the number of answers always."""
    enough = n >= MINIMUM
    figures = {"interval_low": low, "interval_high": high, **more}
    return Outcome(
        np.where(enough, value, np.nan),
        {"n": n, **{name: np.where(enough, figure, np.nan) for name, figure in figures.items()}},
    )


_SCALE = frozenset({"low", "high"})
_SHARES = tuple(f"at_least_{k}" for k in range(2, 6))

FORMULAS: Mapping[str, Formula] = {
    "csat": Formula(csat, ("positive", "neutral", "negative"), undefined=FEW),
    "share_of_answers": Formula(share_of_answers, ONE, undefined=FEW),
    "nps": Formula(nps, ("promoters", "passives", "detractors"), undefined=FEW),
    "mean_of_answers": Formula(mean_of_answers, ONE, parameters=_SCALE, undefined=FEW),
    "satisfaction_mean": Formula(
        satisfaction_mean,
        ("rating", "answers", *_SHARES),
        optional=frozenset({"answers", *_SHARES}),
        parameters=_SCALE,
        undefined=FEW,
    ),
}
