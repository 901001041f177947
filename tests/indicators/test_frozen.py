# SPDX-License-Identifier: EUPL-1.2
"""A window past retention stays what it was, whoever asks for it: on the real readings store."""

from collections.abc import AsyncIterator
from pathlib import Path

import numpy as np
import pytest

from hub.core.errors import SettingsError
from hub.core.indicators import Correction
from hub.core.quantities import Quantities
from hub.core.readings import NS, Reading
from hub.core.windows import HOUR, Calendar, parse_instant
from hub.indicators.catalogue import Catalogue, build_catalogue, load_catalogue
from hub.indicators.checks import parse_definition
from hub.indicators.engine import Engine, StepResult
from hub.indicators.frozen import check_keep, horizons, thawed
from hub.indicators.plan import Cause, Marks
from hub.storage.readings_sqlite import SqliteReadingStore
from hub.storage.retention import MARGIN_NS
from tests.indicators.fakes import AIR, PART, SITE, FakeJournal, FakeLedger, FakeRegistry, device, few, reading

DAY = 24 * HOUR
KEEP = {"air": 10 * DAY}
T0 = parse_instant("2026-05-01T22:00:00Z")  # a local midnight in Prague, in a month without change of clocks
METER = b"""
id: consumption
version: 1
title: {en: Consumption, cs: Spotreba}
description: {en: d, cs: d}
domain: water
formula: value
inputs: {volume: {quantity: water_volume}}
unit: m3
window: PT1H
direction: lower_is_better
reference: [{citation: none}]
examples: [{given: {volume: 1}, value: 1}]
"""


@pytest.fixture(scope="module")
def catalogue(quantities: Quantities) -> Catalogue:
    return few(load_catalogue(quantities), *AIR)


class Town:
    """An engine on the real readings store, with a clock of its own. Twenty days of hourly readings end at `now`."""

    def __init__(self, path: Path, catalogue: Catalogue, quantities: Quantities, city: Calendar) -> None:
        self.store = SqliteReadingStore(path, quantities, keep=KEEP)
        self.registry, self.journal, self.ledger = FakeRegistry(device("a")), FakeJournal(), FakeLedger()
        self.catalogue, self.city = catalogue, city
        self.now = T0 + 20 * DAY
        self.restart()

    def restart(self) -> None:
        self.engine = Engine(self.catalogue, self.city, self.store, self.ledger, self.registry, [self.journal],
                             lambda: self.now, keep=KEEP)  # fmt: skip

    async def take(self, *rows: Reading) -> StepResult:
        await self.store.put(rows)
        self.journal.commit(rows)
        return await self.engine.settle()

    async def forget(self) -> None:
        while await self.store.forget(self.now):
            pass

    def results(self) -> dict[tuple[str, str, int], tuple[object, ...]]:
        return {key: (value.revision, *value.result()) for key, value in self.ledger.rows.items()}

    def day(self, number: int) -> float | None:
        return self.ledger.rows["pm10_day_mean", SITE, T0 + number * DAY].value


def hourly(first: int, days: int, value: float) -> list[Reading]:
    return [reading("a", "pm10", T0 + first * DAY + h * HOUR, value) for h in range(24 * days)]


@pytest.fixture
async def town(tmp_path: Path, catalogue: Catalogue, quantities: Quantities, prague: Calendar) -> AsyncIterator[Town]:
    """Values of twenty days; of the first nine the readings are forgotten, a tenth is past its limit."""
    town = Town(tmp_path / "readings.db", catalogue, quantities, prague)
    end, town.now = town.now, T0 + 12 * DAY
    await town.take(*hourly(0, 12, 20.0))
    town.now = end
    await town.take(*hourly(12, 8, 20.0))
    await town.forget()
    assert await town.store.dropped() == {"a": (10 * DAY - MARGIN_NS) // HOUR}
    yield town
    await town.store.close()


async def test_after_deletion_recompute_changes_nothing_and_says_what_it_left(town: Town) -> None:
    before = town.results()
    done = await town.engine.recompute()
    assert town.results() == before
    assert done.written == 0
    frozen = [key for key in before if key[2] < town.now - KEEP["air"] and key[0] in horizons(town.catalogue, KEEP, 0)]
    assert done.frozen == len(frozen) > 190


async def test_a_late_reading_within_retention_counts_and_one_from_before_does_not(town: Town) -> None:
    before = town.results()
    await town.take(reading("a", "pm10", T0 + 9 * DAY + 1, 500.0), reading("a", "pm10", T0 + 10 * DAY + 1, 500.0))
    changed = {key for key, value in town.results().items() if value != before.get(key)}
    assert town.day(9) == 20.0
    assert (town.day(10) or 0) > 20.0
    assert changed
    assert all(start >= T0 + 10 * DAY for indicator, _, start in changed if indicator != "pm10_days_over_50")


async def test_a_day_that_is_half_beyond_the_limit_is_frozen(town: Town) -> None:
    """At noon of the tenth day after it, the day's morning is past retention."""
    town.now += 12 * HOUR
    await town.take(reading("a", "pm10", T0 + 10 * DAY + 20 * HOUR + 1, 500.0))
    assert town.day(10) == 20.0
    hour = town.ledger.rows["eaqi_2024", SITE, T0 + 10 * DAY + 20 * HOUR]
    assert hour.revision == 2


async def test_corrections_leave_frozen_windows_alone(town: Town) -> None:
    before = town.results()
    town.ledger.fixes.append(Correction(id=1, device="a", quantity="pm10", start=T0, end=T0 + 12 * DAY,
                                        action="exclude", flag=None, by="x", reason="y"))  # fmt: skip
    done = await town.engine.settle()
    after = town.results()
    assert done.frozen > 0
    assert town.day(11) is None
    assert [
        k for k, v in after.items() if v != before[k] and k[2] < T0 + 10 * DAY and k[0] != "pm10_days_over_50"
    ] == []


async def test_a_device_that_was_elsewhere_all_the_time_takes_no_frozen_value_along(town: Town) -> None:
    elsewhere = f"{PART}/jinde"
    town.registry.places |= {elsewhere: town.registry.places[SITE]}
    town.registry.change(device("a", elsewhere))
    await town.engine.settle()
    assert town.day(5) == 20.0
    assert town.day(12) is None
    moved = [key for key in town.ledger.rows if key[:2] == ("pm10_day_mean", elsewhere)]
    assert min(start for _, _, start in moved) == T0 + 10 * DAY


async def test_a_restart_after_deletion_with_a_lost_journal_changes_nothing(town: Town) -> None:
    """Everything is looked at again then, and what is past retention is still left alone."""
    before = town.results()
    town.journal.number += 1
    town.restart()
    assert (await town.engine.settle()).frozen > 0
    assert town.results() == before


async def test_a_year_goes_on_from_the_frozen_values_of_its_days(town: Town) -> None:
    """Days are values in the ledger, which stay; the last two of the twenty are not final yet and do not count."""
    year = town.ledger.rows["pm10_days_over_50", SITE, parse_instant("2025-12-31T23:00:00Z")]
    assert (year.value, year.n_valid) == (0, 18)
    await town.take(*[reading("a", "pm10", T0 + 15 * DAY + h * HOUR + 1, 900.0) for h in range(24)])
    year = town.ledger.rows["pm10_days_over_50", SITE, parse_instant("2025-12-31T23:00:00Z")]
    assert (year.value, year.n_valid) == (1, 18)


def metered(quantities: Quantities) -> Catalogue:
    return build_catalogue([("consumption.yaml", parse_definition(METER, "consumption.yaml"))], quantities)


def test_a_counter_needs_the_days_before_too(quantities: Quantities) -> None:
    """The reading before the window may be 50 hours back; without it the window's result would be another one."""
    assert horizons(metered(quantities), {"water": 10 * DAY}, T0) == {"consumption": T0 - 10 * DAY + 50 * HOUR}


def test_only_windows_of_limited_domains_freeze(catalogue: Catalogue) -> None:
    assert horizons(catalogue, {"noise": 10 * DAY}, T0) == {}
    assert horizons(catalogue, {}, T0) == {}
    assert set(horizons(catalogue, KEEP, T0).values()) == {T0 - KEEP["air"]}


def test_a_window_that_begins_at_the_limit_is_the_first_that_is_not_frozen() -> None:
    marks = Marks()
    marks.add(("x", SITE), np.array([1, 2, 3]), Cause("late"))
    marks.add(("y", SITE), np.array([1]), Cause("late"))
    left, frozen = thawed(marks, {"x": 2, "y": 2})
    assert ({key: left.of(key).tolist() for key in left.stretches}, frozen) == ({("x", SITE): [2, 3]}, 2)


@pytest.mark.parametrize(("days", "fits"), [(2, False), (3, True), (3650, True)])
def test_days_that_end_before_a_window_is_closed_are_refused_with_their_culprit(
    catalogue: Catalogue, days: int, fits: bool
) -> None:
    """The day mean of PM10: a day of 25 hours and a grace of one day."""
    keep = {"air": days * DAY}
    if fits:
        check_keep(catalogue, keep)
        return
    with pytest.raises(SettingsError, match=r"2 days are too few: pm\w+_day_mean needs at least 3") as caught:
        check_keep(catalogue, keep)
    assert caught.value.setting == "retention.air"


def test_a_counter_is_kept_for_the_days_before_as_well(quantities: Quantities) -> None:
    check_keep(metered(quantities), {"water": 86_400 * NS * 3})
    with pytest.raises(SettingsError, match="from before it"):
        check_keep(metered(quantities), {"water": 86_400 * NS * 2})
