# SPDX-License-Identifier: EUPL-1.2
"""Composite indices: what is missing is handled by rule, and every point of a change has its name."""

import math
from collections.abc import Mapping

import numpy as np
import pytest

from hub.core.errors import SettingsError
from hub.indicators.checks import parse_definition
from hub.indicators.formulas.composite import Composite, Goalposts, Part, Pillar, decompose, index, sensitivity

SPEC = Composite(
    pillars={
        "air": Pillar({"pm": Part(Goalposts(30, 0)), "no2": Part(Goalposts(50, 0), 3.0)}, 2.0),
        "calm": Pillar({"lden": Part(Goalposts(75, 45))}, 1.0),
        "rest": Pillar({"a": Part(Goalposts(0, 1)), "b": Part(Goalposts(1, 1000, "log"))}, 1.0, "geometric"),
    },
    floor=0.05,
)
FIRST = {"pm": 15.0, "no2": 25.0, "lden": 60.0, "a": 0.8, "b": 10.0}
SECOND = {"pm": 12.0, "no2": 30.0, "lden": 74.9, "a": 0.9, "b": 100.0}


def told(figures: Mapping[str, float], spec: Composite = SPEC) -> tuple[float, dict[str, float]]:
    names = [i for p in spec.pillars.values() for i in p.inputs]
    outcome = index(spec, {name: np.array([figures.get(name, math.nan)]) for name in names})
    details = {k: float(v[0]) for k, v in outcome.details.items() if not math.isnan(v[0])}
    return float(outcome.value[0]), details


def test_an_index_worked_by_hand() -> None:
    value, details = told(FIRST)
    rest = math.sqrt(0.8 * math.log(10) / math.log(1000))
    assert details["pillar_air"] == pytest.approx(100 * (0.5 + 3 * 0.5) / 4)
    assert details["pillar_rest"] == pytest.approx(100 * rest)
    assert value == pytest.approx(100 * (0.5**2 * 0.5 * rest) ** 0.25)


@pytest.mark.parametrize(("figure", "score"), [(30, 0.0), (45, 0.0), (0, 1.0), (-5, 1.0), (15, 0.5)])
def test_goalposts_hold_the_score_between_0_and_1(figure: float, score: float) -> None:
    assert Goalposts(30, 0).score(np.array([figure]))[0] == score


def test_a_pillar_at_zero_enters_with_the_floor() -> None:
    value, details = told(FIRST | {"lden": 80.0})
    assert details["pillar_calm"] == 0.0
    assert value == pytest.approx(100 * (0.5**2 * 0.05 * math.sqrt(0.8 / 3)) ** 0.25)


def test_weights_of_missing_inputs_go_to_the_others_as_long_as_enough_is_there() -> None:
    assert told({k: v for k, v in FIRST.items() if k != "pm"})[1]["pillar_air"] == pytest.approx(50)
    without_most = {k: v for k, v in FIRST.items() if k != "no2"}  # 3 of 4 parts of the pillar's weight
    value, details = told(without_most)
    assert "pillar_air" not in details
    assert value == pytest.approx(100 * math.sqrt(0.5 * math.sqrt(0.8 / 3)))  # half of the weight of pillars is there
    assert math.isnan(told({"lden": 60.0})[0])


@pytest.mark.parametrize("spec", [SPEC, Composite(SPEC.pillars, mean="arithmetic")])
def test_the_contributions_add_up_to_the_change(spec: Composite) -> None:
    (before, one), (after, two) = told(FIRST, spec), told(SECOND, spec)
    moved = decompose(spec, one, two)
    assert set(moved) == set(FIRST)
    assert math.fsum(moved.values()) == pytest.approx(after - before, abs=1e-9)
    assert moved["pm"] > 0 > moved["no2"]


def test_inputs_that_are_new_stand_apart_in_the_change() -> None:
    fewer = {k: v for k, v in FIRST.items() if k != "pm"}
    (before, one), (after, two) = told(fewer), told(FIRST | {"pm": 3.0})
    moved = decompose(SPEC, one, two)
    assert moved["changed_inputs"] > 0
    assert math.fsum(moved.values()) == pytest.approx(after - before, abs=1e-9)


def test_ranks_are_as_firm_as_the_weights_let_them() -> None:
    places = ["best", "one", "other", "worst"]
    figures = [
        {"pm": 1.0, "no2": 1.0, "lden": 46.0, "a": 1.0, "b": 900.0},
        {"pm": 10.0, "no2": 15.0, "lden": 66.0, "a": 0.6, "b": 50.0},  # good air, little calm
        {"pm": 19.0, "no2": 30.0, "lden": 50.0, "a": 0.6, "b": 50.0},  # the other way round
        {"pm": 29.0, "no2": 49.0, "lden": 74.0, "a": 0.1, "b": 2.0},
    ]
    details = [told(f)[1] for f in figures]
    ranks = {r.place: r for r in sensitivity(SPEC, places, details, draws=500)}
    assert (ranks["best"].rank, ranks["best"].same, ranks["worst"].rank, ranks["worst"].same) == (1, 1.0, 4, 1.0)
    assert 0 < ranks["one"].same < 1
    assert (ranks["one"].low, ranks["one"].high) == (2, 3)
    assert sensitivity(SPEC, places, details, draws=500) == list(ranks.values())  # the seed makes it repeatable


WRONG = """
id: x
version: 1
title: {en: x, cs: x}
domain: air
formula: composite
inputs: {pm: {indicator: a}, o3: {indicator: b}}
composite:
  pillars:
    air: {inputs: {pm: {goalposts: {worst: 1, best: 1}}, no2: {goalposts: {worst: 1, best: 2}, weight: 0}}}
unit: "1"
window: P1Y
reference: [{citation: x}]
examples: [{given: {}, status: insufficient_data}]
"""


@pytest.mark.parametrize(
    ("old", "new", "field"),
    [
        ("", "", "composite.pillars.air.inputs.pm.goalposts"),
        ("worst: 1, best: 1}", "worst: 2, best: 1}", "composite.pillars.air.inputs.no2"),
        ("no2: {goalposts: {worst: 1, best: 2}, weight: 0}", "o3: {goalposts: {worst: 0, best: 2, scale: log}}",
         "composite.pillars.air.inputs.pm"),
        ("pillars:", "floor: 2\n  pillars:", "composite"),
        ("formula: composite", "formula: worst_band", "inputs.pm.bands"),
    ],
)  # fmt: skip
def test_a_wrong_composite_is_named(old: str, new: str, field: str) -> None:
    with pytest.raises(SettingsError) as error:
        parse_definition(WRONG.replace(old, new).encode(), "x.yaml")
    assert str(error.value).startswith(f"x.yaml: {field}")
