# SPDX-License-Identifier: EUPL-1.2
"""Formulas of sport and social services: figures that contradict each other give no value."""

import numpy as np
import pytest

from hub.indicators.formulas import FORMULAS
from hub.indicators.formulas.base import Context, Floats, Outcome

NAN = float("nan")


def value(formula: str, per: float = 0.0, **inputs: float) -> float:
    arrays: dict[str, Floats] = {name: np.array([figure]) for name, figure in inputs.items()}
    found = FORMULAS[formula].function(arrays, Context({"per": per}, {}, np.array([86400.0]), {}, {}, {}))
    return float((found.value if isinstance(found, Outcome) else found)[0])


@pytest.mark.parametrize(
    ("formula", "inputs", "expected"),
    [
        ("utilisation", {"used": 45, "offered": 60}, 75),
        ("utilisation", {"used": 61, "offered": 60}, NAN),
        ("utilisation", {"used": 0, "offered": 0}, NAN),
        ("reliability", {"open": 170, "planned": 176}, 96.590909),
        ("reliability", {"open": 180, "planned": 176}, NAN),
        ("capacity_use", {"occupied": 42, "capacity": 40}, 105),
        ("capacity_use", {"occupied": 3, "capacity": 0}, NAN),
        ("free_capacity", {"capacity": 200, "present": 140}, 60),
        ("free_capacity", {"capacity": 200, "present": 200}, 0),
        ("free_capacity", {"capacity": 200, "present": 201}, NAN),
    ],
)
def test_shares_and_places(formula: str, inputs: dict[str, float], expected: float) -> None:
    assert value(formula, **inputs) == pytest.approx(expected, nan_ok=True)


def test_visits_are_per_thousand_inhabitants() -> None:
    assert value("visits_rate", 1000, visits=13800, population=69000) == pytest.approx(200)
    assert np.isnan(value("visits_rate", 1000, visits=1, population=0))


def test_waiting_people_are_per_hundred_places() -> None:
    assert value("waiting_rate", 100, waiting=57, capacity=38) == pytest.approx(150)
    assert np.isnan(value("waiting_rate", 100, waiting=57, capacity=0))


def test_every_formula_that_can_have_no_value_says_why() -> None:
    names = ("utilisation", "reliability", "capacity_use", "visits_rate", "waiting_rate", "free_capacity")
    assert all(FORMULAS[name].undefined for name in names)
