# SPDX-License-Identifier: EUPL-1.2
"""Shares and means of answers come with sound intervals, and not at all where the answers are few."""

from collections.abc import Mapping, Sequence

import numpy as np
import pytest

from hub.core.indicators import IndicatorValue
from hub.core.places import Device, Mounting
from hub.core.readings import Columns, Grade, Series
from hub.core.windows import HOUR, Calendar, parse_instant
from hub.indicators.catalogue import Catalogue
from hub.indicators.evaluate import evaluate
from hub.indicators.formulas.base import Context, Floats, Outcome
from hub.indicators.formulas.satisfaction import (
    csat,
    mean_of_answers,
    nps,
    satisfaction_mean,
    share_of_answers,
    wilson,
)
from hub.indicators.inputs import Values, values_of
from hub.indicators.kernel import compute
from hub.indicators.results import materialise
from hub.indicators.stratification import post_stratify
from hub.indicators.table import read_table


def array(*figures: float) -> Floats:
    return np.array(figures, dtype=np.float64)


def context(n: float = np.nan, **parameters: float) -> Context:
    return Context(parameters, {}, array(86400), {}, {}, {"rating": array(n), "below": array(n)})


def figures(outcome: Outcome) -> dict[str, float]:
    return {"value": float(outcome.value[0])} | {name: float(figure[0]) for name, figure in outcome.details.items()}


@pytest.mark.parametrize(
    ("k", "n", "low", "high"),
    [(81, 263, 0.2553, 0.3662), (15, 148, 0.0624, 0.1605), (0, 20, 0.0, 0.1611), (1, 29, 0.0061, 0.1718)],
)
def test_wilsons_interval_is_newcombes_third_method(k: int, n: int, low: float, high: float) -> None:
    """Newcombe 1998, Statistics in Medicine 17, Table I: score interval without continuity correction."""
    found = wilson(array(k / n), array(n))
    assert (round(float(found[0][0]), 4), round(float(found[1][0]), 4)) == (low, high)


def test_wilsons_interval_of_half_of_ten_at_90_percent() -> None:
    """Expectation of the tests of an R package that wraps prop.test."""
    low, high = wilson(array(0.5), array(10), 1.6448536269514722)
    assert (float(low[0]), float(high[0])) == pytest.approx((0.2692718, 0.7307282), abs=1e-7)


def test_answers_in_proportion_to_the_population_are_not_weighted() -> None:
    assert post_stratify(array(80, 40), array(30, 10), array(3000, 1000), 3.0) == pytest.approx((70.0, 40.0))


def test_a_part_with_few_answers_speaks_for_its_people_up_to_the_cap() -> None:
    """Half of the people gave 10 of 100 answers: their weight is 5, the others' 5/9."""
    value, n = post_stratify(array(90, 50), array(90, 10), array(500, 500), 10.0)
    assert (value, n) == pytest.approx((70.0, 100**2 / (90 * (5 / 9) ** 2 + 10 * 25)))
    capped, n_capped = post_stratify(array(90, 50), array(90, 10), array(500, 500), 2.0)
    assert capped == pytest.approx((50 * 90 + 20 * 50) / 70)
    assert n < n_capped < 100


def test_the_effective_number_is_kishs_of_the_single_answers() -> None:
    n, population = array(4, 2), array(100, 300)
    weights = np.repeat([0.25 / (4 / 6), 0.75 / (2 / 6)], [4, 2])
    assert post_stratify(array(1, 2), n, population, 9.0)[1] == pytest.approx(weights.sum() ** 2 / (weights**2).sum())


def votes(positive: float, neutral: float, negative: float) -> dict[str, Floats]:
    return {"positive": array(positive), "neutral": array(neutral), "negative": array(negative)}


def test_csat_is_the_share_of_satisfied_answers_with_wilsons_interval() -> None:
    """15 of 148, as in Newcombe's table."""
    found = figures(csat(votes(15, 33, 100), context()))
    assert found == pytest.approx(
        {"value": 10.135135, "n": 148, "interval_low": 6.24, "interval_high": 16.05}, abs=5e-3
    )


@pytest.mark.parametrize(("neutral", "shown"), [(1, False), (2, True)])
def test_nine_answers_are_too_few_and_ten_are_enough(neutral: float, shown: bool) -> None:
    found = figures(csat(votes(7, neutral, 1), context()))
    assert found["n"] == 8 + neutral
    assert not np.isnan([found["value"], found["interval_low"]]).any() if shown else np.isnan(found["value"])
    assert np.isnan(found["interval_high"]) != shown


def test_no_answers_at_all_are_too_few() -> None:
    assert np.isnan(csat(votes(0, 0, 0), context()).value[0])


def test_a_percentage_from_parts_takes_the_effective_number() -> None:
    found = figures(share_of_answers({"below": array(100 * 81 / 263)}, context(263.0)))
    assert (found["interval_low"], found["interval_high"]) == pytest.approx((25.53, 36.62), abs=5e-3)
    assert np.isnan(figures(share_of_answers({"below": array(50.0)}, context(9.9)))["value"])


def recommend(promoters: float, passives: float, detractors: float) -> dict[str, Floats]:
    return {"promoters": array(promoters), "passives": array(passives), "detractors": array(detractors)}


def test_nps_is_promoters_less_detractors_with_variance() -> None:
    """50 of 100 promote, 20 detract: 30 points; variance 100^2 (0.7 - 0.09) / 100 = 61 points squared."""
    found = figures(nps(recommend(50, 30, 20), context()))
    assert (found["value"], found["variance"], found["n"]) == pytest.approx((30.0, 61.0, 100.0))


def test_the_interval_of_nps_adds_three_answers() -> None:
    """Adjusted Wald: (50.75 - 20.75) / 103, spread of the 103 answers; it is not empty where all agree."""
    found = figures(nps(recommend(50, 30, 20), context()))
    p, d = 50.75 / 103, 20.75 / 103
    half = 1.959963984540054 * 100 * ((p + d - (p - d) ** 2) / 103) ** 0.5
    assert (found["interval_low"], found["interval_high"]) == pytest.approx(
        (100 * (p - d) - half, 100 * (p - d) + half)
    )
    agreed = figures(nps(recommend(12, 0, 0), context()))
    assert agreed["value"] == 100
    assert agreed["interval_low"] < 95
    assert agreed["interval_high"] == 100


def test_nps_of_few_answers_is_suppressed() -> None:
    assert np.isnan(nps(recommend(5, 2, 2), context()).value[0])


def ratings(*answers: int) -> dict[str, Floats]:
    given = np.array(answers)
    shares = {f"at_least_{k}": array(float((given >= k).mean())) for k in range(2, 6)}
    return {"rating": array(float(given.mean()))} | shares


ANSWERS = (5, 5, 4, 4, 4, 3, 3, 2, 5, 1, 4, 4)


def test_the_interval_of_a_mean_rating_takes_the_variance_of_the_answers() -> None:
    found = figures(satisfaction_mean(ratings(*ANSWERS), context(12.0, low=1, high=5)))
    half = 1.959963984540054 * np.std(ANSWERS, ddof=1) / 12**0.5
    mean = np.mean(ANSWERS)
    assert (found["value"], found["n"]) == pytest.approx((mean, 12))
    assert (found["interval_low"], found["interval_high"]) == pytest.approx((mean - half, mean + half))


def test_without_the_answers_the_interval_is_the_widest_possible() -> None:
    mean = float(np.mean(ANSWERS))
    known = figures(satisfaction_mean(ratings(*ANSWERS), context(12.0, low=1, high=5)))
    bound = figures(satisfaction_mean({"rating": array(mean)}, context(12.0, low=1, high=5)))
    assert bound["interval_low"] < known["interval_low"]
    from_parts = figures(mean_of_answers({"below": array(mean)}, context(12.0, low=1, high=5)))
    assert from_parts == bound


def test_a_number_of_answers_that_is_given_counts_instead_of_the_readings() -> None:
    one_report = {"rating": array(4.2), "answers": array(36.0)}
    assert figures(satisfaction_mean(one_report, context(1.0, low=1, high=5)))["value"] == 4.2
    assert np.isnan(satisfaction_mean({"rating": array(4.2)}, context(1.0, low=1, high=5)).value[0])


# --- through the kernel ----------------------------------------------------------------------------------------

START = parse_instant("2026-06-01T00:00:00+02:00")
VOTES = ("votes_positive", "votes_neutral", "votes_negative")


def computed(catalogue: Catalogue, prague: Calendar, votes: Mapping[str, Sequence[float]]) -> dict[str, IndicatorValue]:
    """csat of every place for one month; each site has one terminal, each part 1,000 people, `a` has 3,000."""
    places = {"site": list(votes), "part": sorted({s.rpartition("/")[0] for s in votes}), "municipality": ["town"]}
    series = sorted(Series(site.replace("/", "-"), q) for site in votes for q in VOTES)
    columns = Columns(
        series,
        np.arange(len(series), dtype=np.int32),
        np.full(len(series), START + HOUR, dtype=np.int64),
        np.array([votes[s.device.replace("-", "/")][VOTES.index(s.quantity)] for s in series], dtype=np.float64),
        np.ones(len(series), dtype=np.uint8),
        np.zeros(len(series), dtype=np.uint8),
    )
    devices = {
        name: Device(id=name, connector="c", external_id=name, grade=Grade.REFERENCE, mountings=(Mounting(site, 0),))
        for site in votes
        for name in [site.replace("/", "-")]
    }
    people = {"population": {part: 3000.0 if part == "town/a" else 1000.0 for part in places["part"]}}
    known, found = dict[str, Values](), dict[str, IndicatorValue]()
    for indicator in ("csat", "csat_part", "csat_city"):
        d = catalogue.get(indicator)
        r = compute(catalogue, d, prague, places[d.level], START, START + 1, columns, devices, known, people)
        values = list(materialise(r, np.ones(r.value.shape, dtype=np.bool_), catalogue.input_units(d)))
        known[indicator] = values_of(values)
        found |= {v.place: v for v in values}
    return found


def test_the_city_is_weighted_to_the_population_of_its_parts(catalogue: Catalogue, prague: Calendar) -> None:
    """Part a: 3,000 people, 20 answers, 50 %; part b: 1,000 people, 60 answers, 90 %. Weights 3 (its cap) and 1/3."""
    found = computed(catalogue, prague, {"town/a/x": (10, 5, 5), "town/b/y": (54, 3, 3)})
    city = found["town"]
    assert city.value == pytest.approx((60 * 50 + 20 * 90) / 80)  # 60
    assert city.details["n"] == pytest.approx(80**2 / (20 * 9 + 60 / 9))
    assert city.details["interval_low"] < 60 < city.details["interval_high"]


def test_a_part_of_places_with_few_answers_has_no_figure(catalogue: Catalogue, prague: Calendar) -> None:
    found = computed(catalogue, prague, {"town/a/x": (4, 0, 0), "town/b/y": (54, 3, 3)})
    assert (found["town/a/x"].value, found["town/a/x"].reason) == (None, "fewer than 10 answers")
    assert found["town/a"].value is None
    assert found["town"].value == found["town/b"].value == 90


def test_single_ratings_give_mean_number_and_interval(catalogue: Catalogue, prague: Calendar) -> None:
    rows = [f"2026-06-{day:02}T10:00Z,{rating}" for day, rating in enumerate(ANSWERS, 1)]
    (month,) = evaluate(catalogue, "satisfaction_mean", read_table("\n".join(["time,rating", *rows])), prague)
    half = 1.959963984540054 * np.std(ANSWERS, ddof=1) / 12**0.5
    assert (month.value.value, month.value.details["n"]) == (round(float(np.mean(ANSWERS)), 2), 12)
    assert month.value.details["interval_high"] - month.value.details["interval_low"] == pytest.approx(
        2 * half, abs=1e-5
    )
