# SPDX-License-Identifier: EUPL-1.2
"""Formulas of sport and social services: figures that contradict each other give no value."""

import numpy as np
import pytest

from hub.core.windows import Calendar
from hub.indicators.catalogue import Catalogue
from hub.indicators.evaluate import evaluate
from hub.indicators.formulas import FORMULAS
from hub.indicators.formulas.base import Context, Floats, Outcome
from hub.indicators.table import read_table

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


# --- through the kernel ----------------------------------------------------------------------------------------


def results(catalogue: Catalogue, prague: Calendar, indicator: str, text: str) -> list[tuple[float | None, str | None]]:
    return [(one.value.value, one.value.reason) for one in evaluate(catalogue, indicator, read_table(text), prague)]


def test_free_places_follow_the_newest_report_of_the_hour(catalogue: Catalogue, prague: Calendar) -> None:
    """The capacity is entered once and holds on."""
    rows = "time,capacity,present\n2026-01-01T00:00Z,200,\n2026-06-01T10:05Z,,50\n2026-06-01T10:50Z,,140\n"
    assert results(catalogue, prague, "free_capacity_now", rows)[-1] == (60, None)


def test_more_people_than_the_capacity_are_flagged(catalogue: Catalogue, prague: Calendar) -> None:
    rows = "time,capacity,present\n2026-01-01T00:00Z,200,\n2026-06-01T10:05Z,,201\n"
    reason = "more people are present than the capacity allows"
    assert results(catalogue, prague, "free_capacity_now", rows)[-1] == (None, reason)


def test_the_median_is_of_the_cases_settled_in_the_month(catalogue: Catalogue, prague: Calendar) -> None:
    cases = "time,resolution_hours\n2026-03-01T10:00Z,10\n2026-03-02T10:00Z,30\n2026-03-05T10:00Z,900\n"
    assert results(catalogue, prague, "request_resolution_time", cases) == [(30, None)]
    assert results(catalogue, prague, "fault_resolution_time", cases + "2026-04-01T10:00Z,50\n")[-1] == (50, None)


@pytest.mark.parametrize("indicator", ["sport_visits_per_1000", "social_waiting_per_100"])
def test_a_missing_base_is_named(indicator: str, catalogue: Catalogue, prague: Calendar) -> None:
    base = next(name for name in ("population", "capacity") if name in catalogue.get(indicator).inputs)
    count = next(name for name in catalogue.get(indicator).inputs if name != base)
    ((value, reason),) = results(catalogue, prague, indicator, f"{count},{base}\n5,\n")
    assert value is None
    assert reason is not None
    assert reason.startswith(base)
