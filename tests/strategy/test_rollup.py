# SPDX-License-Identifier: EUPL-1.2
"""Roll-ups count official targets alone, and coverage tells measured, entered and blind apart."""

from collections.abc import Sequence

import pytest

from hub.core.indicators import IndicatorValue
from hub.core.readings import Origin
from hub.core.strategies import Standing, Strategy, targets_of
from hub.core.windows import Period
from hub.strategy.coverage import Source, by_domain, count, cover
from hub.strategy.fulfilment import Fulfilment, fulfil
from hub.strategy.rollup import by_area, roll_up
from tests.strategy.town import FACTS, moment, series, strategy, target, value

FAR = {"on": 26.0, "slow": 21.0, "away": 19.0, "there": 45.0, "blind": None}


def plan(*rows: tuple[str, Standing]) -> Strategy:
    """A target for each (fate, standing)."""
    return strategy(*(target(id=f"{fate}-{n}", standing=standing) for n, (fate, standing) in enumerate(rows)))


def all_judged(document: Strategy, at: str = "2021-06-01") -> list[Fulfilment]:
    return [
        fulfil(document, p, series(y2020=FAR[p.target.id.partition("-")[0]]), FACTS, moment(at))
        for p in targets_of(document)
    ]


OFFICIAL, ILLUSTRATIVE = Standing.OFFICIAL, Standing.ILLUSTRATIVE


def test_without_official_targets_there_is_never_a_percentage() -> None:
    found = roll_up(all_judged(plan(("there", ILLUSTRATIVE), ("on", ILLUSTRATIVE))))
    assert found.answer == "no official targets"
    assert (found.official, found.reached, found.on_track, found.categories) == (0, None, None, {})
    assert found.illustrative == {"reached": 1, "on_track": 1}


def test_illustrative_targets_change_nothing_in_the_shares_of_official_ones() -> None:
    rows = [("there", OFFICIAL), ("on", OFFICIAL), ("slow", OFFICIAL), ("blind", OFFICIAL)]
    alone = roll_up(all_judged(plan(*rows)))
    mixed = roll_up(all_judged(plan(*rows, ("there", ILLUSTRATIVE), ("away", ILLUSTRATIVE))))
    assert (mixed.reached, mixed.on_track, mixed.categories) == (alone.reached, alone.on_track, alone.categories)
    assert alone.answer == "1 of 4 official targets reached, 2 of 4 reached or on track; 1 without data"
    assert alone.on_track is not None
    assert (alone.on_track.count, alone.on_track.of, alone.on_track.share) == (2, 4, 0.5)


@pytest.mark.parametrize(
    ("fate", "at", "answer"),
    [
        ("blind", "2021-06-01", "no data"),
        ("on", "2015-06-01", "not started"),
        ("there", "2031-06-01", "1 of 1 official targets reached"),
    ],
)
def test_where_nothing_can_be_judged_the_answer_is_words(fate: str, at: str, answer: str) -> None:
    found = roll_up(all_judged(plan((fate, OFFICIAL)), at))
    assert found.answer == answer
    assert (found.reached is None) == (answer in ("no data", "not started"))


def test_areas_and_goals_have_roll_ups_of_their_own() -> None:
    document = plan(("there", OFFICIAL), ("away", ILLUSTRATIVE))
    [area] = by_area(document, all_judged(document))
    assert area.rollup == area.goals[0].rollup == roll_up(all_judged(document))


@pytest.mark.parametrize(
    ("values", "source", "why"),
    [
        ([value("2025", 1.0)], Source.MEASURED, None),
        ([value("2024", 1.0, origin=Origin.IMPORTED)], Source.MEASURED, None),
        ([value("2025", 1.0, origin=Origin.ENTERED)], Source.ENTERED, None),
        ([value("2025", 1.0, origin=Origin.SIMULATED)], Source.SIMULATED, None),
        ([value("2023", 1.0)], Source.BLIND, "1057 days old"),
        ([value("2026-11-20", 1.0, Period.DAY)], Source.MEASURED, None),
        ([value("2026-11-10", 1.0, Period.DAY)], Source.BLIND, "days old"),
        ([value("2025", None)], Source.BLIND, "insufficient data: 3 of 12 months"),
        ([], Source.BLIND, "no value at this place"),
    ],
)
def test_a_target_is_measured_entered_or_blind(
    values: Sequence[IndicatorValue], source: Source, why: str | None
) -> None:
    document = strategy()
    [placed] = targets_of(document)
    found = cover(document, placed, values, "social", moment("2026-11-23"))
    assert found.source is source
    assert (why is None and found.why is None) or (why is not None and why in (found.why or ""))


def test_coverage_counts_simulation_and_blindness_as_not_covered() -> None:
    document = strategy(*(target(id=f"t-{n}") for n in range(4)))
    origins = (Origin.MEASURED, Origin.ENTERED, Origin.SIMULATED, None)
    rows = [
        cover(document, p, [] if o is None else [value("2025", 1.0, origin=o)], domain, moment("2026-11-23"))
        for p, o, domain in zip(targets_of(document), origins, ("air", "air", "noise", "noise"), strict=True)
    ]
    found = count(rows)
    assert (found.targets, found.measured, found.entered, found.simulated, found.blind) == (4, 1, 1, 1, 1)
    assert found.covered == 0.5
    assert {name: c.covered for name, c in by_domain(rows).items()} == {"air": 1.0, "noise": 0.0}
    assert count([]).covered is None
