# SPDX-License-Identifier: EUPL-1.2
"""Waits between tries: bounds that double, each wait drawn evenly below its bound.

Drawing from zero ("full jitter") spreads many clients over the whole interval after a broker's restart, where a
small jitter would keep them in step. The count starts anew only after a connection has held for a while: a broker
that accepts and drops at once must not be hammered.
"""

import random


class Backoff:
    """Mutable count of failed tries. `low` and `high` in seconds bound the bound."""

    def __init__(self, low: float, high: float, rng: random.Random | None = None) -> None:
        self._low = low
        self._high = high
        self._rng = rng or random.SystemRandom()
        self._failures = 0

    def reset(self) -> None:
        """A connection held: the next wait is short again."""
        self._failures = 0

    def next(self) -> float:
        """Seconds to wait after one more failure."""
        bound = min(self._high, self._low * 2.0 ** min(self._failures, 40))
        self._failures += 1
        return self._rng.uniform(0.0, bound)
