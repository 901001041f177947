# SPDX-License-Identifier: EUPL-1.2
"""Corrections applied on read: each action, their order, withdrawal; and what they make of the engine's results."""

import asyncio
from collections.abc import Sequence
from random import Random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hub.core.corrections import cause, in_effect
from hub.core.indicators import Correction
from hub.core.readings import Columns, Reading
from hub.core.windows import HOUR
from hub.indicators.corrections import corrected, hits
from tests.indicators.fakes import reading
from tests.indicators.test_engine import DAY, T0, Hub, stream


def correction(id_: int, action: str, start: int = 0, end: int = 10, **more: object) -> Correction:
    plain = {"device": "a", "quantity": "pm10", "flag": None, "by": "Jana", "reason": "sensor was in a bag"}
    return Correction(id=id_, action=action, start=start, end=end, **{**plain, **more})  # type: ignore[arg-type] # keyword arguments of one struct


def columns_of(*rows: Reading) -> Columns:
    """Columns as a store gives them."""
    series = sorted({r.series for r in rows})
    ordered = sorted(rows, key=lambda r: (r.time, r.device, r.quantity))
    return Columns(
        series,
        np.array([series.index(r.series) for r in ordered], dtype=np.int32),
        np.array([r.time for r in ordered], dtype=np.int64),
        np.array([r.value for r in ordered], dtype=np.float64),
        np.array([r.flag for r in ordered], dtype=np.uint8),
        np.array([r.origin for r in ordered], dtype=np.uint8),
    )


ROWS = columns_of(
    *(reading("a", "pm10", t, 10.0 * t) for t in range(4)),
    reading("a", "no2", 1, 7.0, flag=2),
    reading("b", "pm10", 1, 5.0),
)


def told(columns: Columns) -> list[tuple[str, str, int, float, int]]:
    return [
        (*columns.series[i], int(t), float(v), int(f))
        for i, t, v, f in zip(columns.index, columns.time, columns.value, columns.flag, strict=True)
    ]


AS_STORED = [
    ("a", "pm10", 0, 0.0, 1),
    ("a", "no2", 1, 7.0, 2),
    ("a", "pm10", 1, 10.0, 1),
    ("b", "pm10", 1, 5.0, 1),
    ("a", "pm10", 2, 20.0, 1),
    ("a", "pm10", 3, 30.0, 1),
]
CASES: dict[str, tuple[list[Correction], dict[int, tuple[str, str, int, float, int] | None]]] = {
    "exclude": ([correction(1, "exclude", 1, 3)], {2: None, 4: None}),
    "maintenance removes too": ([correction(1, "maintenance", 1, 3)], {2: None, 4: None}),
    "all quantities of the device": ([correction(1, "exclude", 1, 2, quantity=None)], {1: None, 2: None}),
    "another flag": ([correction(1, "override_flag", 0, 1, flag=4)], {0: ("a", "pm10", 0, 0.0, 4)}),
    "the later flag": (
        [correction(2, "override_flag", 0, 1, flag=3), correction(1, "override_flag", 0, 1, flag=4)],
        {0: ("a", "pm10", 0, 0.0, 3)},
    ),
    "calibrate": ([correction(1, "calibrate", 3, 9, scale=2.0, shift=1.0)], {5: ("a", "pm10", 3, 61.0, 1)}),
    "calibrate what was calibrated": (
        [correction(1, "calibrate", 3, 9, shift=1.0), correction(2, "calibrate", 3, 9, scale=2.0)],
        {5: ("a", "pm10", 3, 62.0, 1)},
    ),
    "the other way round": (
        [correction(1, "calibrate", 3, 9, scale=2.0), correction(2, "calibrate", 3, 9, shift=1.0)],
        {5: ("a", "pm10", 3, 61.0, 1)},
    ),
    "withdrawn": ([correction(1, "exclude"), correction(2, "withdraw", withdraws=1)], {}),
    "only one of two withdrawn": (
        [correction(1, "exclude", 0, 2), correction(2, "exclude", 0, 1), correction(3, "withdraw", withdraws=1)],
        {0: None},
    ),
    "no such device": ([correction(1, "exclude", device="c")], {}),
    "no such quantity": ([correction(1, "exclude", quantity="o3")], {}),
    "before and after": ([correction(1, "exclude", -9, 0), correction(2, "exclude", 4, 9)], {}),
}


@pytest.mark.parametrize(("corrections", "changed"), CASES.values(), ids=CASES)
def test_readings_are_read_as_the_corrections_want(
    corrections: list[Correction], changed: dict[int, tuple[str, str, int, float, int] | None]
) -> None:
    expected = [changed.get(i, row) for i, row in enumerate(AS_STORED)]
    assert told(corrected(ROWS, corrections)) == [row for row in expected if row is not None]
    assert told(ROWS) == AS_STORED


def test_what_each_correction_concerns_is_told() -> None:
    made = [
        correction(1, "exclude", 1, 3),
        correction(2, "override_flag", 2, 9, flag=3),
        correction(3, "exclude", 7, 9),
    ]
    assert [(hit.correction.id, hit.rows.tolist()) for hit in hits(ROWS, made)] == [(1, [2, 4]), (2, [4, 5])]


def test_a_cause_says_what_who_and_why() -> None:
    calibrated = correction(13, "calibrate", scale=1.1, by="Petr", reason="comparison")
    assert cause(correction(12, "exclude")) == "correction 12: exclude pm10 of a by Jana: sensor was in a bag"
    assert cause(calibrated) == "correction 13: calibrate pm10 of a (x 1.1 + 0) by Petr: comparison"
    assert cause(correction(14, "withdraw", withdraws=12, quantity=None, reason="it was not")) == (
        "correction 14: withdraw all quantities of a (correction 12) by Jana: it was not"
    )
    assert len(cause(correction(15, "exclude", reason="w" * 1000))) < 260


@settings(max_examples=60, deadline=None)
@given(seed=st.integers(0, 10**6))
def test_corrections_applied_one_by_one_and_row_by_row_give_the_same(seed: int) -> None:
    """Against the rule written down plainly, with overlapping and withdrawn corrections of all kinds."""
    random = Random(seed)
    rows = [
        reading(d, q, t, float(random.randint(0, 9)))
        for t in range(30) for d in "abc" for q in ("pm10", "no2") if random.random() < 0.7
    ]  # fmt: skip
    made = _some_corrections(random)
    expected = [row for row in (_plainly(r, made) for r in sorted(rows, key=_key)) if row is not None]
    assert told(corrected(columns_of(*rows), made)) == [(*r.series, r.time, r.value, r.flag) for r in expected]


def _key(row: Reading) -> tuple[int, str, str]:
    return row.time, row.device, row.quantity


def _some_corrections(random: Random) -> list[Correction]:
    made: list[Correction] = []
    for id_ in range(1, 15):
        start = random.randint(-3, 28)
        where = {"device": random.choice("abcd"), "quantity": random.choice([None, "pm10", "no2"])}
        action = random.choice(["exclude", "maintenance", "override_flag", "calibrate", "withdraw"])
        figures: dict[str, object] = {
            "override_flag": {"flag": random.choice([1, 2, 3, 4])},
            "calibrate": {"scale": random.choice([None, 2.0]), "shift": random.choice([None, -1.0])},
            "withdraw": {"withdraws": random.randint(1, id_)},
        }.get(action, {})  # type: ignore[assignment] # three shapes of one table
        made.append(correction(id_, action, start, start + random.randint(1, 9), **where, **figures))
    random.shuffle(made)
    return made


def _plainly(row: Reading, made: Sequence[Correction]) -> Reading | None:
    value, flag = row.value, row.flag
    for c in in_effect(made):
        if c.device != row.device or c.quantity not in (None, row.quantity) or not c.start <= row.time < c.end:
            continue
        if c.action in ("exclude", "maintenance"):
            return None
        flag = flag if c.flag is None else c.flag
        value = value * (c.scale or 1.0) + (c.shift or 0.0)
    return Reading(row.device, row.quantity, value, row.time, flag)


def test_hundreds_of_corrections_cost_little_where_they_concern_nothing() -> None:
    """Counted in work, not in seconds: no row is copied or compared for a correction of another stretch."""
    rows = columns_of(*(reading("a", "pm10", t, 1.0) for t in range(1000)))
    elsewhere = [correction(i, "exclude", 5_000 + i, 9_000) for i in range(500)]
    others = [correction(i, "exclude", 0, 9_000, device=f"z{i}") for i in range(500, 1000)]
    assert corrected(rows, [*elsewhere, *others]) is rows


@settings(max_examples=4, deadline=None)
@given(seed=st.integers(0, 10**6), action=st.sampled_from(["exclude", "maintenance"]))
def test_an_excluded_reading_gives_exactly_what_would_have_been_without_it(seed: int, action: str) -> None:
    """The whole ledger, results and status, whether the correction came before, between or after the readings."""
    rows, random = stream(seed, 30), Random(seed)
    made = [
        correction(n, action, start, start + random.randint(1, 12) * HOUR, device=random.choice("abc"),
                   quantity=random.choice([None, "pm10", "no2"]))
        for n in range(1, 4) for start in [T0 + random.randint(0, 24) * HOUR]
    ]  # fmt: skip
    kept = [r for r in rows if _plainly(r, made) is not None]
    one, two = asyncio.run(_corrected_run(rows, made, random)), asyncio.run(_plain_run(rows, kept))
    assert one.results() == two.results()


async def _corrected_run(rows: Sequence[Reading], made: Sequence[Correction], random: Random) -> Hub:
    hub = Hub()
    cut = random.randint(0, len(rows))
    waiting = list(made)
    for part in (rows[:cut], rows[cut:]):
        if waiting and random.random() < 0.5:
            hub.ledger.fixes.append(waiting.pop(0))
        await hub.take(part)
        await hub.settle(hub.now + random.randint(0, 12) * HOUR)
    hub.ledger.fixes += waiting
    if random.random() < 0.5:
        hub.restart()
    await hub.settle(T0 + 4 * DAY)
    return hub


async def _plain_run(rows: Sequence[Reading], kept: Sequence[Reading]) -> Hub:
    """Without the readings; the same hours are looked at, because they have touches in both."""
    hub = Hub()
    await hub.store.put(kept)
    hub.journal.commit(rows)
    await hub.settle(T0 + 4 * DAY)
    return hub


async def test_a_withdrawn_correction_leaves_what_was_there_before_it() -> None:
    rows = stream(11, 48)
    hub, plain = Hub(), Hub()
    for each in (hub, plain):
        await each.take(rows)
        await each.settle(T0 + 4 * DAY)
    hub.ledger.fixes.append(correction(1, "calibrate", T0, T0 + DAY, scale=3.0))
    await hub.settle()
    revised = {key for key, value in hub.ledger.rows.items() if value.revision == 2}
    assert revised
    hub.ledger.fixes.append(correction(2, "withdraw", T0, T0 + DAY, withdraws=1, by="Petr", reason="it was right"))
    await hub.settle()
    assert hub.results() == plain.results()
    assert {hub.ledger.rows[key].revision for key in revised} == {3}
    causes = {str(hub.ledger.rows[key].cause) for key in revised}
    assert causes == {"correction 2: withdraw pm10 of a (correction 1) by Petr: it was right"}


async def test_a_correction_made_while_the_engine_is_down_is_applied_at_its_start() -> None:
    hub, plain = Hub(), Hub()
    rows = [reading("a", "pm10", T0 + h * HOUR, 30) for h in range(12)]
    for each in (hub, plain):
        await each.take(rows)
        await each.settle(T0 + 2 * DAY)
    made = [correction(1, "exclude", T0, T0 + HOUR), correction(2, "withdraw", T0, T0 + HOUR, withdraws=1)]
    hub.ledger.fixes += made
    hub.restart()
    await hub.settle()
    assert hub.results() == plain.results()
    assert hub.ledger.cursors["corrections"] == 2


async def test_a_figure_names_no_correction_of_a_quantity_that_it_is_not_made_of() -> None:
    hub = Hub()
    rows = [reading("a", q, T0 + h * HOUR, 30 + h) for h in range(24) for q in ("pm10", "pm2_5")]
    await hub.take(rows)
    await hub.settle(T0 + 4 * DAY)
    hub.ledger.fixes += [
        correction(1, "exclude", T0, T0 + HOUR),
        correction(2, "maintenance", T0 + HOUR, T0 + 2 * HOUR, quantity=None),
    ]
    await hub.settle()
    causes = {key[0]: str(value.cause) for key, value in hub.ledger.rows.items() if value.revision == 2}
    assert "correction 1" in causes["pm10_day_mean"]
    assert "correction 2" in causes["pm10_day_mean"]
    assert "correction 1" not in causes["pm2_5_day_mean"]
    assert "correction 2" in causes["pm2_5_day_mean"]
