# SPDX-License-Identifier: EUPL-1.2
"""Quality control in the engine: flags follow the readings, whatever their order, and values follow the flags."""

import asyncio
from collections.abc import Sequence
from pathlib import Path
from random import Random

import numpy as np
import pytest

from hub.core.corrections import CALIBRATE, EXCLUDE, OVERRIDE, WITHDRAW
from hub.core.errors import Retry
from hub.core.indicators import Correction
from hub.core.ports import FlagStretch, QualityFinding
from hub.core.quantities import Quantities
from hub.core.readings import Reading, Series
from hub.core.windows import HOUR, Calendar, Period, parse_instant
from hub.indicators.catalogue import load_catalogue
from hub.indicators.engine import Engine
from hub.indicators.frozen import horizons
from hub.indicators.quality import Rules, load_rules
from hub.indicators.quality.control import windows_near
from hub.indicators.quality.rules import NO_RULES
from tests.indicators.fakes import FakeJournal, FakeLedger, FakeRegistry, FakeStore, device, few, reading

QUANTITIES = Quantities.load()
CATALOGUE = few(load_catalogue(QUANTITIES), "pm10_day_mean", "eaqi_2024")
PRAGUE = Calendar.of("Europe/Prague")
T0 = parse_instant("2026-03-27T00:00:00Z")
DAY = 24 * HOUR
AWAY = "havirov/mesto/druha"
FLAGS = (1, 1, 1, 2, 4)
STRICT = """
quantities:
  pm10:
    spike: {suspect: 40, within: PT2H, uncertain: test}
    flat_line: {tolerance: 0.5, suspect: PT3H, gap: PT2H, least: 3, uncertain: test}
    neighbours: {absolute: 60, step: PT1H, uncertain: test}
  pm2_5: {neighbours: null, spike: {suspect: 30, within: PT3H, uncertain: test}}
"""


class MemoryFlags:
    """Findings as a store has them; `away` makes the next writes fail."""

    def __init__(self) -> None:
        self.found: dict[tuple[Series, int], QualityFinding] = {}
        self.away = 0

    async def replace(self, stretches: Sequence[FlagStretch]) -> None:
        if self.away:
            self.away -= 1
            raise Retry("the flags are away")
        for s in stretches:
            inside = [key for key in self.found if key[0] == s.series and s.start <= key[1] < s.end]
            for key in inside:
                del self.found[key]
            self.found.update({(s.series, time): finding for time, finding in s.findings.items()})

    async def findings(
        self, series: Sequence[Series], start: int, end: int
    ) -> dict[tuple[Series, int], QualityFinding]:
        return {key: found for key, found in self.found.items() if key[0] in series and start <= key[1] < end}

    async def close(self) -> None:
        pass


class Hub:
    """An engine with quality control on fakes."""

    def __init__(self, rules: Rules, limit: int = 50) -> None:
        self.registry = FakeRegistry(device("a"), device("b"), device("c"), device("d", AWAY))
        self.store, self.journal, self.ledger = FakeStore(), FakeJournal(), FakeLedger()
        self.flags, self.rules, self.limit, self.now = MemoryFlags(), rules, limit, T0 + 30 * DAY
        self.restart()

    def restart(self) -> None:
        self.engine = Engine(CATALOGUE, PRAGUE, self.store, self.ledger, self.registry, [self.journal],  # type: ignore[arg-type, list-item] # fakes
                             lambda: self.now, self.limit, rules=self.rules, flags=self.flags)  # fmt: skip

    async def take(self, rows: Sequence[Reading]) -> None:
        await self.store.put(rows)
        self.journal.commit(rows)

    async def settle(self) -> None:
        while True:
            try:
                await self.engine.settle()
                return
            except Retry:
                continue

    def results(self) -> dict[tuple[str, str, int], tuple[object, ...]]:
        return {key: (value.status, *value.result()) for key, value in self.ledger.rows.items()}


@pytest.fixture(scope="module")
def strict(tmp_path_factory: pytest.TempPathFactory) -> Rules:
    path: Path = tmp_path_factory.mktemp("rules") / "own.yaml"
    path.write_text(STRICT)
    return load_rules(QUANTITIES, path)


def stream(seed: int, hours: int = 40) -> list[Reading]:
    random = Random(seed)
    return [
        reading(
            d, q, T0 + h * HOUR, random.choice([10.0, 10.2, 20.0, 60.0, 150.0]), flag=random.choice([1, 1, 1, 2, 4])
        )
        for h in range(hours)
        for d in "abcd"
        for q in ("pm10", "pm2_5")
        if random.random() < 0.85
    ]


async def orderly(rows: Sequence[Reading], rules: Rules, corrections: Sequence[Correction] = ()) -> Hub:
    hub = Hub(rules, 5000)
    hub.ledger.fixes.extend(corrections)
    await hub.take(rows)
    await hub.settle()
    return hub


@pytest.mark.parametrize("seed", range(6))
def test_any_order_split_failure_and_restart_ends_in_the_flags_and_values_of_an_orderly_run(
    strict: Rules, seed: int
) -> None:
    rows = stream(seed)

    async def wild() -> Hub:
        hub, random, left = Hub(strict), Random(seed), rows + rows[:20]
        random.shuffle(left)
        while left:
            n = random.randint(1, 90)
            batch, left = left[:n], left[n:]
            await hub.take(batch)
            hub.flags.away = random.randint(0, 1)
            try:
                await hub.engine.step()
            except Retry:
                hub.restart()
        await hub.settle()
        return hub

    one, two = asyncio.run(orderly(rows, strict)), asyncio.run(wild())
    assert {found.test for found in one.flags.found.values()} == {"spike", "flat_line", "neighbours"}
    assert two.flags.found == one.flags.found
    assert two.results() == one.results()


async def test_recompute_gives_the_flags_and_values_of_the_live_run(strict: Rules) -> None:
    live, bulk = await orderly(stream(1), strict), Hub(strict)
    await bulk.store.put(stream(1))
    await bulk.engine.recompute()
    assert bulk.flags.found == live.flags.found
    assert bulk.results() == live.results()


def correction(number: int, action: str, start: int, end: int, **more: object) -> Correction:
    return Correction(id=number, device="a", quantity="pm10", start=start, end=end, action=action, by="test",
                      reason="test", **{"flag": None, **more})  # type: ignore[arg-type] # fields of one struct # fmt: skip


async def test_excluded_readings_are_as_if_they_had_never_come_also_for_the_tests_of_others(strict: Rules) -> None:
    rows, (start, end) = stream(2), (T0 + 8 * HOUR, T0 + 20 * HOUR)
    without = [r for r in rows if not (r.device == "a" and r.quantity == "pm10" and start <= r.time < end)]
    expected = await orderly(without, strict)
    hub = await orderly(rows, strict)
    before = dict(hub.flags.found)
    hub.ledger.fixes.append(correction(1, EXCLUDE, start, end))
    await hub.settle()
    values = {key: v.value for key, v in hub.ledger.rows.items()}
    assert values == {key: v.value for key, v in expected.ledger.rows.items()}
    assert hub.flags.found == expected.flags.found != before
    hub.ledger.fixes.append(correction(2, WITHDRAW, start, end, withdraws=1))
    await hub.settle()
    assert hub.flags.found == before


async def test_a_flag_that_a_person_gave_is_the_last_word_and_calibrated_values_are_tested_as_calibrated(
    strict: Rules,
) -> None:
    rows = [reading("d", "pm10", T0 + h * HOUR, 20.0 + h % 5 + (90 if h == 12 else 0)) for h in range(24)]
    day = (T0, T0 + DAY)
    plain = await orderly(rows, strict)
    spike, mean = (Series("d", "pm10"), T0 + 12 * HOUR), ("eaqi_2024", AWAY, T0 + 12 * HOUR)
    assert plain.flags.found == {spike: QualityFinding(3, "spike")}
    assert plain.ledger.rows[mean].value is None
    fix = of_d(correction(1, OVERRIDE, *day, flag=1))
    assert (await orderly(rows, strict, [fix])).ledger.rows[mean].value is not None
    half = of_d(correction(1, CALIBRATE, *day, scale=0.3))
    assert (await orderly(rows, strict, [half])).flags.found == {}


def of_d(c: Correction) -> Correction:
    """The same for the device that stands alone."""
    return Correction(**{name: getattr(c, name) for name in c.__struct_fields__} | {"device": "d"})


async def test_a_late_reading_is_looked_at_with_what_it_bears_on(strict: Rules) -> None:
    """What looked like a spike was a slope: the hour that was left out counts. No window without readings appears."""
    values = {0: 20.0, 1: 20.2, 2: 70.0, 4: 20.0}
    rows = [reading("d", "pm10", T0 + h * HOUR, v) for h, v in values.items()]
    hub = await orderly(rows, strict)
    hour = ("eaqi_2024", AWAY, T0 + 2 * HOUR)
    assert hub.ledger.rows[hour].value is None
    known = set(hub.ledger.rows)
    await hub.take([reading("d", "pm10", T0 + 3 * HOUR, 71.0)])
    await hub.settle()
    assert hub.ledger.rows[hour].value is not None
    assert hub.ledger.rows[hour].revision > 1
    assert set(hub.ledger.rows) == known


async def test_other_thresholds_make_everything_be_looked_at_again(strict: Rules) -> None:
    hub = await orderly(stream(4), strict)
    expected = await orderly(stream(4), load_rules(QUANTITIES))
    hub.rules = expected.rules
    hub.restart()
    await hub.settle()
    assert hub.flags.found == expected.flags.found
    assert {key: v.value for key, v in hub.ledger.rows.items()} == {
        key: v.value for key, v in expected.ledger.rows.items()
    }


@pytest.mark.parametrize("hours", [[5], [0, 1, 2, 30], [3, 9, 50]])
def test_windows_near_are_those_that_the_margins_reach_and_no_others(hours: list[int]) -> None:
    d = CATALOGUE.get("eaqi_2024")
    assert d.window is Period.HOUR
    found = windows_near(np.array(hours, dtype=np.int64) * HOUR + T0, d, PRAGUE, 4 * HOUR, 2 * HOUR, True, 0)
    wide = {h + n for h in hours for n in range(-2, 5)} - set(hours)
    assert ((found - T0) // HOUR).tolist() == sorted(wide)


def test_a_window_freezes_with_what_bears_on_its_quality_but_never_before_it_is_closed(strict: Rules) -> None:
    """A day with a grace of a day needs 49 hours; of what is left, quality control takes what it needs."""
    now = T0 + 30 * DAY

    def frozen_before(days: int, rules: Rules) -> int:
        return (now - horizons(CATALOGUE, {"air": days * DAY}, now, rules)["pm10_day_mean"]) // HOUR

    before = strict.margin("pm10")[0] // HOUR
    assert before == 5
    assert [frozen_before(days, NO_RULES) for days in (3, 10)] == [72, 240]
    assert [frozen_before(days, strict) for days in (3, 10)] == [67, 235]
    packaged = load_rules(QUANTITIES)
    assert [frozen_before(days, packaged) for days in (3, 10)] == [49, 240 - packaged.margin("pm10")[0] // HOUR]
