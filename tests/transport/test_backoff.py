# SPDX-License-Identifier: EUPL-1.2
"""Waits between tries."""

import random

from hub.transport._backoff import Backoff


class Highest(random.Random):
    """Always draws the upper bound."""

    def uniform(self, a: float, b: float) -> float:
        return b


def test_bounds_double_up_to_the_limit() -> None:
    backoff = Backoff(0.5, 3.0, Highest())
    assert [backoff.next() for _ in range(5)] == [0.5, 1.0, 2.0, 3.0, 3.0]


def test_starts_short_again_after_a_reset() -> None:
    backoff = Backoff(0.5, 3.0, Highest())
    backoff.next()
    backoff.next()
    backoff.reset()
    assert backoff.next() == 0.5


def test_two_clients_do_not_wait_alike() -> None:
    one, other = (Backoff(1.0, 60.0, random.Random(seed)) for seed in (1, 2))
    assert [one.next() for _ in range(5)] != [other.next() for _ in range(5)]


def test_stays_at_the_limit_however_often_it_fails() -> None:
    backoff = Backoff(0.1, 20.0, Highest())
    assert [backoff.next() for _ in range(5000)][-1] == 20.0
