# SPDX-License-Identifier: EUPL-1.2
"""A real year at Havířov (THARA) and at Ostrava-Fifejdy (TOFFA), 2023, against plain loops that know no hub.

The files begin on 1 January and end on 6 December; hours name their beginning in UTC+1.
"""

import csv
import math
from collections import Counter, defaultdict
from datetime import UTC, date, datetime, timedelta, timezone
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from msgspec.structs import replace

from hub.core.indicators import IndicatorValue
from hub.core.windows import Calendar
from hub.indicators.catalogue import Catalogue
from hub.indicators.evaluate import Options, evaluate
from hub.indicators.table import Table, read_table

Hours = dict[datetime, float]

CET, PRAGUE = timezone(timedelta(hours=1)), ZoneInfo("Europe/Prague")
EAQI = {  # inclusive upper bounds, ETC HE Report 2024/17, Table 5.2
    "pm10": (15, 45, 120, 195, 270), "no2": (10, 25, 60, 100, 150), "o3": (60, 100, 120, 160, 180),
    "so2": (20, 40, 125, 190, 275),
}  # fmt: skip


def hours_of(path: Path, pollutant: str) -> Hours:
    with path.open() as file:
        return {
            datetime.fromisoformat(r["start"]).replace(tzinfo=CET).astimezone(UTC): float(r[pollutant])
            for r in csv.DictReader(file)
            if r[pollutant] and int(r[f"{pollutant}_validity"]) > 0
        }


def table_of(columns: dict[str, Hours]) -> Table:
    times = sorted(set().union(*columns.values()))
    lines = [f"{t.isoformat()},{','.join(str(c.get(t, '')) for c in columns.values())}" for t in times]
    return read_table(f"time,{','.join(columns)}\n" + "\n".join(lines))


def by_day(hours: Hours) -> dict[date, list[float]]:
    days = defaultdict(list)
    for time, value in hours.items():
        days[time.astimezone(PRAGUE).date()].append(value)
    return days


def length(day: date) -> int:
    edges = (datetime(d.year, d.month, d.day, tzinfo=PRAGUE) for d in (day, day + timedelta(days=1)))
    begin, end = (edge.astimezone(UTC) for edge in edges)
    return round((end - begin) / timedelta(hours=1))


def day_of(value: IndicatorValue) -> date:
    return datetime.fromtimestamp(value.start // 10**9, PRAGUE).date()


@pytest.fixture(scope="module")
def thara(shared: Path) -> Path:
    return shared / "data/eea_havirov_THARA_2023.csv"


@pytest.fixture(scope="module")
def toffa(shared: Path) -> Path:
    return shared / "data/eea_ostrava_fifejdy_TOFFA_2023.csv"


def values(catalogue: Catalogue, indicator: str, table: Table) -> list[IndicatorValue]:
    return [r.value for r in evaluate(catalogue, indicator, table, Calendar.of("Europe/Prague"), Options(zone="UTC"))]


def finer(catalogue: Catalogue, indicator: str) -> Catalogue:
    """The same catalogue with six decimals for one indicator, so that rounding hides nothing."""
    fine = replace(catalogue.get(indicator), precision=6)
    return replace(catalogue, definitions={**catalogue.definitions, indicator: fine})


@pytest.mark.parametrize(
    ("station", "pollutant", "mean", "band"),
    [("thara", "pm10", 20.311, 1), ("thara", "pm2_5", None, 1), ("toffa", "no2", None, 1), ("toffa", "pm10", None, 1)],
)
def test_an_annual_mean_is_that_of_all_valid_hours(
    station: str, pollutant: str, mean: float | None, band: int, catalogue: Catalogue, request: pytest.FixtureRequest
) -> None:
    """Through days of uneven coverage, also those too short for a day mean of their own."""
    hours = hours_of(request.getfixturevalue(station), {"pm2_5": "pm25"}.get(pollutant, pollutant))
    table, year = table_of({pollutant: hours}), f"{pollutant}_year_mean"
    (v,), (fine,) = values(catalogue, year, table), values(finer(catalogue, year), year, table)
    expected = sum(hours.values()) / len(hours)
    assert mean is None or round(expected, 3) == mean
    assert fine.value == pytest.approx(expected, abs=2e-6)
    assert (v.value, v.n_valid, v.n_expected) == (math.floor(10 * expected + 0.5) / 10, len(hours), 8760)
    assert (v.band, v.status) == (band, "final")
    short = [day for day, n in by_day(hours).items() if len(n) < 0.75 * length(day)]
    assert short, "a year without such days would not show it"


def test_the_guideline_of_who_is_far_away(thara: Path, catalogue: Catalogue) -> None:
    hours = hours_of(thara, "pm25")
    (v,) = values(catalogue, "who_2021_pm2_5", table_of({"pm2_5": hours}))
    (year,) = values(catalogue, "pm2_5_year_mean", table_of({"pm2_5": hours}))
    (later,) = values(catalogue, "pm2_5_year_mean_2030", table_of({"pm2_5": hours}))
    assert year.value is not None
    assert v.value == pytest.approx(year.value / 5, abs=0.005)
    assert v.details["above"] == pytest.approx(year.value - 5)
    assert (later.value, later.band) == (year.value, 1 if year.value <= 10 else 2)


@pytest.mark.parametrize(("limit", "indicator"), [(50, "pm10_days_over_50"), (45, "pm10_days_over_45_2030")])
def test_days_above_the_limits_in_force_and_from_2030(
    limit: int, indicator: str, thara: Path, catalogue: Catalogue
) -> None:
    hours = hours_of(thara, "pm10")
    days = {day: sum(n) / len(n) for day, n in by_day(hours).items() if len(n) >= 0.75 * length(day)}
    over = sum(math.floor(10 * mean + 0.5 + 1e-9) / 10 > limit for mean in days.values())
    (v,) = values(catalogue, indicator, table_of({"pm10": hours}))
    assert over > 5
    assert (v.value, v.n_valid, v.n_expected, v.lower_bound) == (over, len(days), 365, True)


def naive_ozone(hours: Hours) -> dict[date, float | None]:
    """Six of eight hours; the mean belongs to the local day of its last hour; 75 % of the day's means."""
    means: dict[date, list[float]] = defaultdict(list)
    first, last = min(hours), max(hours)
    for i in range(round((last - first) / timedelta(hours=1)) + 1):
        time = first + timedelta(hours=i)
        eight = [hours[t] for back in range(8) if (t := time - timedelta(hours=back)) in hours]
        if len(eight) >= 6:
            means[time.astimezone(PRAGUE).date()].append(sum(eight) / len(eight))
    return {d: max(means[d]) if len(means[d]) >= 0.75 * length(d) else None for d in by_day(hours)}


def test_every_daily_ozone_maximum_of_a_real_year(toffa: Path, catalogue: Catalogue) -> None:
    hours = hours_of(toffa, "o3")
    expected = naive_ozone(hours)
    found = {day_of(v): v.value for v in values(catalogue, "o3_8h_day_max", table_of({"o3": hours}))}
    assert {d: v for d, v in found.items() if v is None} == {d: v for d, v in expected.items() if v is None}
    assert {d: v for d, v in found.items() if v is not None} == {
        d: pytest.approx(v, abs=0.05 + 1e-9) for d, v in expected.items() if v is not None
    }
    assert any(v is None for v in found.values())
    over = sum(v is not None and v > 120 for v in found.values())
    (year,) = values(catalogue, "o3_days_over_120", table_of({"o3": hours}))
    assert over > 0
    assert (year.value, year.lower_bound) == (over, True)


def test_the_index_of_every_day_and_its_hours(toffa: Path, catalogue: Catalogue) -> None:
    columns = {p: hours_of(toffa, p) for p in EAQI}
    bands: dict[date, list[int]] = defaultdict(list)
    for time in sorted(set().union(*columns.values())):
        worst = max(1 + sum(h[time] > bound for bound in EAQI[p]) for p, h in columns.items() if time in h)
        bands[time.astimezone(PRAGUE).date()].append(worst)
    found = {day_of(v): v for v in values(catalogue, "eaqi_2024_day", table_of(columns))}
    assert found.keys() == bands.keys()
    for day, worst_of in bands.items():
        v = found[day]
        if len(worst_of) < 0.75 * length(day):
            assert (v.value, v.details) == (None, {})
            continue
        share = {f"band_{b}": pytest.approx(n / len(worst_of), abs=1e-6) for b, n in Counter(worst_of).items()}
        assert v.value == max(worst_of)
        assert {name: figure for name, figure in v.details.items() if figure} == share
    assert Counter(v.value for v in found.values() if v.value)[1] < 365


def test_no2_stays_below_its_hourly_limit(toffa: Path, catalogue: Catalogue) -> None:
    hours = hours_of(toffa, "no2")
    (v,) = values(catalogue, "no2_hours_over_200", table_of({"no2": hours}))
    assert max(hours.values()) < 200
    assert (v.value, v.band, v.n_valid, v.n_expected) == (0, 1, len(by_day(hours)), 365)
