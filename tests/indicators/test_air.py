# SPDX-License-Identifier: EUPL-1.2
"""Formulas of air against published tables and worked examples, and against plain loops."""

import csv
import json
import math
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import numpy as np
import pytest

from hub.core.windows import Calendar
from hub.indicators.catalogue import Catalogue
from hub.indicators.evaluate import evaluate
from hub.indicators.formulas.air import count_above, highest_running_mean, nowcast, sub_index, us_aqi_worst
from hub.indicators.formulas.base import Context, Floats
from hub.indicators.table import read_table

PUBLISHED = {
    "PM2.5_24h_ugm3": "pm2_5", "PM10_24h_ugm3": "pm10", "O3_8h_ppm": "o3", "O3_1h_ppm": "o3_1h", "CO_8h_ppm": "co",
    "NO2_1h_ppb": "no2", "SO2_1h_ppb": "so2", "SO2_24h_ppb": "so2_24h",
}  # fmt: skip
DECIMALS = {"pm2_5": 1, "pm10": 0, "o3": 3, "o3_1h": 3, "co": 1, "no2": 0, "so2": 0, "so2_24h": 0}


def rows(path: Path) -> list[dict[str, str]]:
    lines = [line for line in path.read_text().splitlines() if not line.startswith("#")]
    return list(csv.DictReader(lines))


def context(
    parameters: Mapping[str, float],
    seconds: Sequence[float] | Floats = (86400.0,),
    before: int = 0,
    hour: Floats | None = None,
) -> Context:
    hours = {} if hour is None else {"x": hour.astype(np.int64)}
    return Context(parameters, {}, np.array(seconds), {"x": before}, hours, {})


# --- the US index ------------------------------------------------------------------------------------------------


def test_tables_of_the_us_index_are_the_published_ones(catalogue: Catalogue, shared: Path) -> None:
    published: dict[str, list[tuple[float, ...]]] = {}
    for row in rows(shared / "vectors/usepa_aqi_breakpoints_2024.csv"):
        name = PUBLISHED[row["pollutant"]]
        figures = [float(row[column]) for column in ("bp_lo", "bp_hi", "i_lo", "i_hi")]
        published.setdefault(name, []).append((*figures, DECIMALS[name]))
    assert {n: list(t) for n, t in catalogue.get("us_aqi_2024").tables.items()} == published
    for name in set(published) - {"so2_24h"}:
        assert list(catalogue.get(f"us_aqi_2024_{name}").tables["breakpoints"]) == published[name]


@pytest.mark.parametrize("name", sorted(DECIMALS))
def test_every_breakpoint_gives_its_index_and_no_concentration_falls_between(name: str, catalogue: Catalogue) -> None:
    table = np.array(catalogue.get("us_aqi_2024").tables[name])
    assert sub_index(table[:, 0], table).tolist() == table[:, 2].tolist()
    assert sub_index(table[:, 1], table).tolist() == pytest.approx(table[:, 3].tolist(), abs=1e-9)
    over = np.linspace(table[0, 0], table[-1, 1], 5000)
    found = sub_index(over, table)
    assert not np.isnan(found).any()
    assert (np.diff(found) >= 0).all()
    unit = 10.0 ** -table[0, 4]
    assert np.isnan(sub_index(np.array([table[-1, 1] + unit, np.nan]), table)).all()


def test_published_examples_of_the_us_index_come_out_of_evaluate(
    catalogue: Catalogue, prague: Calendar, shared: Path
) -> None:
    for row in rows(shared / "vectors/usepa_aqi_examples_part.csv"):
        name, figure, expected = PUBLISHED[row["pollutant"]], row["concentration"], int(row["expected_aqi"])
        for column in ("concentration", name, row["pollutant"]):
            (found,) = evaluate(catalogue, f"us_aqi_2024_{name}", read_table(f"{column}\n{figure}"), prague)
            assert found.value.value == expected, row
        (found,) = evaluate(catalogue, "us_aqi_2024", read_table(f"{name}\n{figure}"), prague)
        assert (found.value.value, found.value.details) == (expected, {name: expected}), row


def test_noise_below_zero_counts_as_clean_air(catalogue: Catalogue) -> None:
    table = np.array(catalogue.get("us_aqi_2024").tables["pm2_5"])
    assert sub_index(np.array([-0.3, 0.0]), table).tolist() == [0, 0]


@pytest.mark.parametrize(
    ("given", "value"),
    [
        ({"no2": 20}, 19),
        ({"no2": 2050}, None),
        ({"no2": 2050, "pm10": 10}, None),
        ({"o3": 0.3, "o3_1h": 0.1}, 300),
        ({"o3": 0.3, "pm10": 604}, None),
        ({"o3_1h": 0.1, "pm10": 54}, 50),
        ({"o3_1h": 0.1}, None),
    ],
)
def test_the_worst_us_index_never_passes_over_what_is_beyond_its_table(
    given: dict[str, float], value: float | None, catalogue: Catalogue
) -> None:
    tables = {n: np.array(t) for n, t in catalogue.get("us_aqi_2024").tables.items()}
    told = context({})._replace(tables=tables)
    found = us_aqi_worst({n: np.array([float(x)]) for n, x in given.items()}, told).value[0]
    assert (None if math.isnan(found) else round(found)) == value


# --- NowCast -----------------------------------------------------------------------------------------------------


def test_nowcast_of_real_hours_is_the_published_figure(catalogue: Catalogue, prague: Calendar, shared: Path) -> None:
    """The vectors list the newest hour first; a profile ends with it."""
    for row in rows(shared / "vectors/nowcast_pm25_part.csv"):
        hours = json.loads(row["c_json"])[::-1]
        cell = " ".join("-" if hour is None else str(hour) for hour in hours)
        (found,) = evaluate(catalogue, "nowcast_pm2_5", read_table(f"pm25\n{cell}"), prague)
        assert found.value.value == (float(row["truncated"]) if row["truncated"] else None)
        if row["nowcast"]:
            assert found.value.details["nowcast"] == pytest.approx(float(row["nowcast"]), abs=1e-6)


def nan_of(hours: Sequence[float | None]) -> Floats:
    return np.array([[math.nan if hour is None else hour for hour in hours]])


@pytest.mark.parametrize(
    ("newest_last", "value"),
    [
        ([None] * 10 + [4, 4], 4),
        ([None] * 10 + [4, None], None),
        ([4] * 9 + [4, 4, None], 4),
        ([4] * 10 + [None, None], None),
        ([0] * 12, 0),
        ([-1] * 12, -1),
        ([10] * 11 + [9.99], 9.9),  # 9.995 would round to 10.0, and is not allowed to
    ],
)
def test_nowcast_needs_two_of_three_hours_and_never_rounds_up(
    newest_last: list[float | None], value: float | None
) -> None:
    found = nowcast({"x": nan_of(newest_last)}, context({"decimals": 1})).value[0]
    assert (None if math.isnan(found) else found) == value


def test_nowcast_of_a_series_is_that_of_its_last_twelve_hours(catalogue: Catalogue, prague: Calendar) -> None:
    hours = [20.0] * 12 + [40.0]
    start = datetime(2026, 1, 5, tzinfo=UTC)
    table = "time,pm2_5\n" + "\n".join(f"{start + timedelta(hours=i):%Y-%m-%dT%H:%MZ},{v}" for i, v in enumerate(hours))
    found = [r.value.value for r in evaluate(catalogue, "nowcast_pm2_5", read_table(table), prague)]
    # min/max is 1/2: weights 1, 1/2, ... 1/2048, so (40 + 20 * 0.99951) / 1.99951 = 30.0024
    assert found == [None, *[20.0] * 11, 30.0]


# --- running means and counts --------------------------------------------------------------------------------------


def naive_day_maximum(before: Sequence[float], day: Sequence[float]) -> float | None:
    """The rule of the directive as a loop: six of eight hours, 75 % of the running means that end in the day."""
    hours, means = [*before, *day], []
    for last in range(7, 7 + len(day)):
        eight = [h for h in hours[last - 7 : last + 1] if not math.isnan(h)]
        if len(eight) >= 6:
            means.append(sum(eight) / len(eight))
    return max(means) if len(means) >= 0.75 * len(day) and means else None


@pytest.mark.parametrize("missing", [0.0, 0.1, 0.25, 0.5])
def test_the_ozone_maximum_equals_a_loop_on_days_of_23_24_and_25_hours(missing: float) -> None:
    random = np.random.default_rng(round(100 * missing))
    lengths = random.choice([23, 24, 25], 60)
    profile = np.where(random.random((60, 32)) < missing, np.nan, random.uniform(0, 200, (60, 32)))
    column = np.arange(32)
    exists = column[None, :] < 7 + lengths[:, None]
    profile[~exists] = np.nan
    told = context(
        {"hours": 8, "needed": 6, "share": 0.75}, lengths * 3600.0, 7, np.where(exists, column[None, :] % 24, -1)
    )
    found = highest_running_mean({"x": profile}, told).value
    expected = [naive_day_maximum(p[:7].tolist(), p[7 : 7 + n].tolist()) for p, n in zip(profile, lengths, strict=True)]
    assert [None if math.isnan(v) else pytest.approx(v, rel=1e-12) for v in found] == expected
    alone = [
        highest_running_mean(
            {"x": profile[i : i + 1]}, told._replace(hour={"x": told.hour["x"][i : i + 1]})
        ).value[0]
        for i in range(60)
    ]  # fmt: skip
    assert np.array_equal(found, np.array(alone), equal_nan=True)


@pytest.mark.parametrize(("day", "hours"), [("2026-03-29", 23), ("2026-06-15", 24), ("2026-10-25", 25)])
def test_eight_hours_belong_to_the_day_in_which_they_end(
    day: str, hours: int, catalogue: Catalogue, prague: Calendar
) -> None:
    """Seven hours of the evening before and the first hour of the day are the first 8-hour mean of the day."""
    start = datetime.fromisoformat(day).replace(tzinfo=ZoneInfo("Europe/Prague")).astimezone(UTC)
    figures = {start + timedelta(hours=h): (160 if h <= 0 else 10) for h in range(-7, hours)}
    text = "time,o3\n" + "\n".join(f"{t},{v}" for t, v in figures.items())
    found = evaluate(catalogue, "o3_8h_day_max", read_table(text), prague)
    (value,) = [r.value for r in found if r.value.start == round(start.timestamp()) * 10**9]
    assert (value.value, value.details["means"], value.n_expected) == (160, hours, hours)


def test_hours_before_the_window_do_not_count_as_exceedances() -> None:
    profile = np.array([[300.0, 300.0, 201.0, 200.0, np.nan]])
    assert count_above({"x": profile}, context({"threshold": 200}, before=2)).tolist() == [1]
    nothing = count_above({"x": np.full((1, 3), np.nan)}, context({"threshold": 200}))
    assert np.isnan(nothing).all()


def test_hours_above_the_no2_limit_add_up_over_the_days(catalogue: Catalogue, prague: Calendar) -> None:
    hours = [200.0, 200.04, 200.06, 350.0] + [20.0] * 44 + [201.0]
    start = datetime(2026, 1, 5, tzinfo=UTC)
    table = "time,no2\n" + "\n".join(f"{start + timedelta(hours=i)},{v}" for i, v in enumerate(hours))
    (found,) = evaluate(catalogue, "no2_hours_over_200", read_table(table), prague)
    assert (found.value.value, found.value.lower_bound, found.value.band) == (3, True, 1)


# --- the figures of a year -------------------------------------------------------------------------------------------


def test_distance_to_the_guideline_names_the_worst_days_too(catalogue: Catalogue, prague: Calendar) -> None:
    days = " ".join(["10"] * 300)
    (found,) = evaluate(catalogue, "who_2021_pm2_5", read_table(f"mean,peak\n12.5,{days}"), prague)
    v = found.value
    assert (v.value, v.band, v.missing, v.details) == (2.5, 3, (), {"above": 7.5, "peak_ratio": 0.666667})


def test_ozone_of_winter_does_not_go_into_the_season(catalogue: Catalogue, prague: Calendar) -> None:
    months = {month: 60 + month for month in range(1, 13)}
    text = "date,o3_8h_day_max\n" + "\n".join(
        f"2026-{month:02d}-{day:02d},{figure}" for month, figure in months.items() for day in range(1, 29)
    )
    found = evaluate(catalogue, "o3_season_month_mean", read_table(text), prague)
    assert [r.value.value for r in found] == [None] * 3 + [64, 65, 66, 67, 68, 69] + [None] * 3


@pytest.mark.parametrize(
    ("base", "levels"),
    [
        ("pm10_day_mean", {"part": "mean", "city": "population_weighted"}),
        ("pm2_5_year_mean", {"part": "mean", "city": "population_weighted"}),
        ("o3_8h_day_max", {"part": "worst", "city": "worst"}),
        ("eaqi_2024_day", {"part": "worst", "city": "worst"}),
        ("eaqi_2024", {"city": "worst"}),
        ("no2_hours_over_200", {"city": "worst"}),
    ],
)
def test_figures_of_sites_are_rolled_up(base: str, levels: dict[str, str], catalogue: Catalogue) -> None:
    assert {level: catalogue.get(f"{base}_{level}").spatial for level in levels} == levels


def test_limit_values_prefer_reference_instruments(catalogue: Catalogue) -> None:
    """Every limit of air rests on readings of reference devices, where there are such."""
    limits = [d for d in catalogue if d.domain == "air" and ("_over_" in d.id or "_year_mean" in d.id)]
    leaves = {leaf.id: leaf.min_grade for d in limits for leaf in catalogue.closure(d.id) if leaf.quantities}
    assert len(limits) > 15
    assert set(leaves.values()) == {"reference"}, leaves


def test_limits_from_2030_stand_beside_those_in_force(catalogue: Catalogue) -> None:
    later = [d for d in catalogue if d.id.endswith("_2030")]
    assert {d.effective.start for d in later} == {"2030-01-01"}
    assert all("2024/2881" in d.reference[0].citation for d in later)
    bound = {d.id: d.bands[0].max for d in later}
    assert bound == {
        "pm10_days_over_45_2030": 18, "pm2_5_days_over_25_2030": 18, "no2_days_over_50_2030": 18,
        "so2_days_over_50_2030": 18, "no2_hours_over_200_2030": 3, "o3_days_over_120_2030": 18,
        "pm10_year_mean_2030": 20, "pm2_5_year_mean_2030": 10, "no2_year_mean_2030": 20,
    }  # fmt: skip
