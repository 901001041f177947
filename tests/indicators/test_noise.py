# SPDX-License-Identifier: EUPL-1.2
"""Noise: published rows, eleven real days of a meter against plain Python, and nights of 7, 8 and 9 hours."""

import csv
import math
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from hub.core.indicators import IndicatorValue
from hub.core.windows import Calendar
from hub.indicators.catalogue import Catalogue
from hub.indicators.evaluate import Options, evaluate
from hub.indicators.table import read_table

UTC_CITY = Calendar.of("UTC")


def energetic(levels: Iterable[float]) -> float:
    """The independent line: level of the mean energy."""
    energies = [10 ** (level / 10) for level in levels]
    return 10 * math.log10(sum(energies) / len(energies))


@pytest.mark.parametrize("indicator", ["lden", "lden_cz"])
def test_lden_of_the_examples_derived_from_the_directive(
    indicator: str, catalogue: Catalogue, prague: Calendar, shared: Path
) -> None:
    lines = [x for x in (shared / "vectors/lden_examples.csv").read_text().splitlines() if not x.startswith("#")]
    rows = list(csv.DictReader(lines))
    table = "lday,levening,lnight\n" + "\n".join(f"{r['lday']},{r['levening']},{r['lnight']}" for r in rows)
    found = evaluate(catalogue, indicator, read_table(table), prague)
    assert [r.value.value for r in found] == pytest.approx([float(r["expected_lden"]) for r in rows], abs=0.01)


@pytest.fixture(scope="module")
def minutes(shared: Path) -> Sequence[tuple[datetime, float]]:
    """Stamps are in the middle of their minute; the zone is not stated and taken as UTC."""
    with (shared / "data/noise_laeq1m_2025-03-21_04-01.csv").open() as file:
        return [(datetime.fromisoformat(t).replace(tzinfo=UTC), float(x)) for t, x in list(csv.reader(file))[1:]]


def hours_of(minutes: Sequence[tuple[datetime, float]]) -> Mapping[datetime, list[float]]:
    hours = defaultdict(list)
    for time, level in minutes:
        hours[time.replace(minute=0, second=0)].append(level)
    return hours


def found_of(
    catalogue: Catalogue, indicator: str, minutes: Sequence[tuple[datetime, float]]
) -> Mapping[datetime, IndicatorValue]:
    table = read_table("time,sound_level\n" + "\n".join(f"{t.isoformat()},{x}" for t, x in minutes))
    results = evaluate(catalogue, indicator, table, UTC_CITY, Options(interval=60))
    return {datetime.fromtimestamp(r.value.start / 1e9, UTC): r.value for r in results}


def test_hours_of_a_real_meter(catalogue: Catalogue, minutes: Sequence[tuple[datetime, float]]) -> None:
    hours = hours_of(minutes)
    found = found_of(catalogue, "laeq_hour", minutes)
    assert found.keys() == hours.keys()
    assert len(found) == 11 * 24 + 11
    for start, levels in hours.items():
        value = found[start]
        assert (value.n_valid, value.n_expected) == (len(levels), 60)
        if len(levels) >= 45:
            assert value.value == pytest.approx(energetic(levels), abs=0.005 + 1e-9)
        else:
            assert value.value is None
            assert f"{len(levels)} of 60 readings" in (value.reason or "")


@pytest.mark.parametrize(
    ("indicator", "first", "last"),
    [("lday", 7, 19), ("levening", 19, 23), ("lnight", 23, 7), ("lday_cz", 6, 18), ("lnight_cz", 22, 6)],
)
def test_periods_of_a_real_meter(
    indicator: str, first: int, last: int, catalogue: Catalogue, minutes: Sequence[tuple[datetime, float]]
) -> None:
    """A period is the energetic mean of its valid hours on its date; 4 hours of the last day are no Lday."""
    kept = {start: energetic(levels) for start, levels in hours_of(minutes).items() if len(levels) >= 45}
    periods = defaultdict[date, list[float]](list)
    for start, level in kept.items():
        inside = first <= start.hour < last if first < last else (start.hour >= first or start.hour < last)
        if inside:
            periods[start.date()].append(level)
    length = (last - first) % 24
    values = found_of(catalogue, indicator, minutes)
    assert len(values) == 12
    for start, value in values.items():
        levels = periods[start.date()]
        assert (value.n_valid, value.n_expected) == (len(levels), length)
        if len(levels) >= 0.75 * length:
            assert value.value == pytest.approx(energetic(levels), abs=0.005 + 1e-9)
        else:
            assert value.value is None
    assert sum(v.value is not None for v in values.values()) == (12 if indicator.startswith("lnight") else 11)


def test_lden_of_real_days_weighs_the_hours_of_its_periods(
    catalogue: Catalogue, minutes: Sequence[tuple[datetime, float]]
) -> None:
    hours = {start: energetic(levels) for start, levels in hours_of(minutes).items()}
    values = found_of(catalogue, "lden", minutes)
    first = min(values)
    raised = [
        level + (0 if 7 <= start.hour < 19 else 5 if start.hour < 23 and start.hour >= 19 else 10)
        for start, level in hours.items()
        if start.date() == first.date()
    ]
    assert len(raised) == 24
    assert values[first].value == pytest.approx(energetic(raised), abs=0.02)
    assert sum(v.value is not None for v in values.values()) == 11


@pytest.mark.parametrize(("indicator", "rank"), [("l10", 90), ("l50", 50), ("l90", 10)])
def test_levels_exceeded_of_a_real_meter(
    indicator: str, rank: int, catalogue: Catalogue, minutes: Sequence[tuple[datetime, float]]
) -> None:
    hours = hours_of(minutes[: 48 * 60])
    for start, value in found_of(catalogue, indicator, minutes[: 48 * 60]).items():
        ordered = sorted(hours[start])
        place = rank / 100 * (len(ordered) - 1)
        low = ordered[math.floor(place)]
        high = ordered[math.ceil(place)]
        assert value.value == pytest.approx(low + (high - low) * (place % 1), abs=0.005 + 1e-9)


@pytest.mark.parametrize(("day", "hours"), [("2025-03-30", 7), ("2025-06-15", 8), ("2025-10-26", 9)])
def test_a_night_has_the_hours_that_its_date_has(day: str, hours: int, catalogue: Catalogue, prague: Calendar) -> None:
    start = datetime.fromisoformat(day).replace(tzinfo=ZoneInfo("Europe/Prague")).astimezone(UTC)
    rows = "\n".join(f"{(start + timedelta(hours=h)).isoformat()},50" for h in range(16 + hours))
    (found,) = evaluate(catalogue, "lnight", read_table(f"time,laeq\n{rows}"), prague)
    assert (found.value.n_expected, found.value.n_valid, found.value.value) == (hours, hours, 50)


def test_hours_of_the_day_alone_do_not_make_a_night(catalogue: Catalogue, prague: Calendar) -> None:
    rows = "\n".join(f"2025-06-15T{h:02d}:00+02:00,50" for h in range(5, 23))
    (found,) = evaluate(catalogue, "lnight", read_table(f"time,laeq\n{rows}"), prague)
    assert (found.value.value, found.value.n_valid, found.value.n_expected) == (None, 2, 8)


def test_hours_above_the_limit_say_when_some_are_missing(catalogue: Catalogue) -> None:
    def day(levels: Sequence[float]) -> IndicatorValue:
        rows = "\n".join(f"2025-06-15T{h:02d}:00Z,{x}" for h, x in enumerate(levels))
        (found,) = evaluate(catalogue, "noise_hours_above_limit", read_table(f"time,laeq_hour\n{rows}"), UTC_CITY)
        return found.value

    full, short = day([65, 65.01, 70] + [60] * 21), day([65, 65.01, 70] + [60] * 15)
    assert (full.value, full.lower_bound, full.n_valid) == (2, False, 24)
    assert (short.value, short.lower_bound, short.n_valid) == (2, True, 18)


def test_the_year_is_an_energetic_mean_against_the_czech_limit(catalogue: Catalogue, prague: Calendar) -> None:
    days = [(date(2025, 1, 1) + timedelta(days=n), 60 if n % 2 else 70) for n in range(365)]
    table = read_table("time,lden_cz\n" + "\n".join(f"{day},{level}" for day, level in days))
    (found,) = evaluate(catalogue, "lden_cz_year", table, prague)
    assert found.value.value == round(energetic(level for _, level in days), 1)
    assert found.value.band == 1
