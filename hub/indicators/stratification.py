# SPDX-License-Identifier: EUPL-1.2
"""Post-stratification: answers of parts of the city count as the parts' shares of the population would have it."""

import numpy as np

from hub.indicators.aggregation import Floats


def post_stratify(value: Floats, n: Floats, population: Floats, cap: float) -> tuple[float, float]:
    """Weighted mean of the parts' means, and its effective number of answers after Kish.

    `value` are the means of the parts, `n` (above 0) their answers, `population` their inhabitants. An answer of a part
    weighs the part's share of the people over its share of the answers, held within 1/cap and cap, so that a handful
    of answers from a large part cannot decide. Kish, Survey Sampling (1965): n_eff = (sum w)^2 / sum w^2 over answers.
    """
    share = population / population.sum()
    weight = np.clip(share / (n / n.sum()), 1.0 / cap, cap)
    total = float((weight * n).sum())
    return float((weight * n * value).sum()) / total, total**2 / float((weight**2 * n).sum())
