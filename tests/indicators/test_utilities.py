# SPDX-License-Identifier: EUPL-1.2
"""Formulas of waste, heat, electricity, water and lighting."""

import csv
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import numpy as np
import pytest

from hub.core.indicators import IndicatorValue
from hub.core.windows import Calendar, format_instant
from hub.indicators.catalogue import Catalogue
from hub.indicators.evaluate import evaluate
from hub.indicators.formulas.base import Context, Floats
from hub.indicators.formulas.utilities import (
    availability,
    collection_in_time,
    heat_intensity,
    minutes_of_window,
    night_flow,
    night_flow_of_hours,
    night_share,
    night_share_of_hours,
    separate_collection,
    water_loss,
)
from hub.indicators.table import read_table

NAN = float("nan")


def array(*figures: float) -> Floats:
    return np.array(figures, dtype=np.float64)


def context(before: int = 0, seconds: float = 86400.0, **parameters: float) -> Context:
    return Context(parameters, {}, array(seconds), {"fill": before}, {}, {})


def collected(*levels: float, before: int = 0, hours: float = 3) -> tuple[float, float, float, float]:
    outcome = collection_in_time({"fill": array(*levels)[None, :]}, context(before, full=80, drop=40, hours=hours))
    emptied, late, waiting = (float(outcome.details[name][0]) for name in ("emptied", "late", "still_full"))
    return float(outcome.value[0]), emptied, late, waiting


@pytest.mark.parametrize(
    ("levels", "percent", "emptied", "late", "waiting"),
    [
        ((50, 85, 90, 90, 90, 5), 0, 1, 1, 0),  # full since hour 1, emptied in hour 5
        ((50, 60, 85, 90, 90, 5), 100, 1, 0, 0),
        ((50, 60, 5, 10, 20, 30), 100, 1, 0, 0),  # never full
        ((85, 5, 85, 86, 87, 88, 89, 5), 50, 2, 1, 0),
        ((90, 5, NAN, NAN, 85, 5), 100, 2, 0, 0),
        ((50, 85, 86, 87, 88, 89), 0, 0, 0, 1),  # nobody came
        ((50, 85, 86, NAN, NAN, NAN, NAN, NAN), NAN, 0, 0, 0),  # silent before it was too late
        ((90, 50, 5, 5, 6), 100, 1, 0, 0),  # one emptying in two steps
        ((90, 60, 55, 52, 90, 5), 0, 1, 1, 0),  # settled, not emptied: full since hour 0
    ],
)
def test_emptyings_are_late_when_the_container_was_full_for_longer(
    levels: tuple[float, ...], percent: float, emptied: int, late: int, waiting: int
) -> None:
    assert collected(*levels) == pytest.approx((percent, emptied, late, waiting), nan_ok=True)


def test_hours_before_the_month_count_for_the_deadline_alone() -> None:
    assert collected(90, 5, 85, 85, 85, 85, 5, before=4) == (0, 1, 1, 0)


def test_months_side_by_side_do_not_disturb_each_other() -> None:
    rows = np.array([[85, 85, 85, 85, 85, 5], [50, 85, 5, NAN, NAN, NAN]])
    outcome = collection_in_time({"fill": rows}, context(full=80, drop=40, hours=3))
    assert outcome.value.tolist() == [0, 100]


def test_minutes_are_the_share_of_a_day_of_25_hours() -> None:
    assert minutes_of_window({"share": array(0.1)}, context(seconds=90000.0)).tolist() == [150.0]


@pytest.mark.parametrize(
    ("mixed", "sort", "bio", "percent"),
    [(400, 500, 100, 60.0), (400, 500, NAN, 100 * 5 / 9), (0, 5, 0, 100.0), (0, 0, 0, NAN), (NAN, 5, 5, NAN)],
)
def test_separate_collection_is_sorted_and_bio_over_all(mixed: float, sort: float, bio: float, percent: float) -> None:
    masses = {"mixed": array(mixed), "sorted": array(sort), "bio": array(bio)}
    assert separate_collection(masses, context()).value[0] == pytest.approx(percent, nan_ok=True)


@pytest.mark.parametrize(("hdd", "area", "intensity"), [(400, 1000, 0.05), (5, 1000, NAN), (400, 0, NAN)])
def test_heat_is_per_area_and_degree_day(hdd: float, area: float, intensity: float) -> None:
    inputs = {"heat": array(20000), "hdd": array(hdd), "area": array(area)}
    assert heat_intensity(inputs, context(least=10))[0] == pytest.approx(intensity, nan_ok=True)


def hourly(*figures: float) -> Context:
    """Context of a day whose hours are numbered from 0, with a night from 0 to 5 o'clock."""
    hours = {"use": np.arange(len(figures))[None, :]}
    return context()._replace(parameters={"from": 0.0, "to": 5.0}, hour=hours)


def test_the_night_share_is_the_same_of_power_and_of_hourly_energy() -> None:
    day = (1.0, 1.0, NAN, 1.0, 1.0, *[3.0] * 12, *[NAN] * 7)
    of_profile = night_share_of_hours({"use": array(*day)[None, :]}, hourly(*day))
    of_means = night_share({"night": array(1.0), "day": array(2.5)}, context())
    assert of_profile.tolist() == of_means.tolist() == [40.0]


def test_a_day_without_use_has_no_night_share() -> None:
    assert np.isnan(night_share({"night": array(0.0), "day": array(0.0)}, context())[0])


def test_half_a_night_says_nothing_about_the_night() -> None:
    day = (1.0, NAN, NAN, 1.0, 1.0, *[3.0] * 19)
    assert np.isnan(night_share_of_hours({"use": array(*day)[None, :]}, hourly(*day))[0])


@pytest.mark.parametrize(
    ("supplied", "billed", "percent"), [(1000, 850, 15.0), (1000, 1000, 0.0), (1000, 1001, NAN), (0, 0, NAN)]
)
def test_water_loss_is_what_was_not_billed_and_never_negative(supplied: float, billed: float, percent: float) -> None:
    inputs = {"supplied": array(supplied), "billed": array(billed)}
    assert water_loss(inputs, context()).value[0] == pytest.approx(percent, nan_ok=True)


def test_night_flow_is_the_lowest_hour_against_the_days_mean() -> None:
    day = (9.0, 9.0, 3.0, 2.0, 9.0, 28.0)
    hours = hourly(*day)._replace(parameters={"from": 2.0, "to": 4.0})
    metered = night_flow_of_hours({"use": array(*day)[None, :]}, hours)
    flow = night_flow({"night": array(2.0), "day": array(10.0)}, context())
    assert (metered.value.tolist(), metered.details["night_flow"].tolist()) == ([20.0], [2.0])
    assert (flow.value.tolist(), flow.details["night_flow"].tolist()) == ([20.0], [2.0])


def test_availability_is_what_has_not_failed() -> None:
    assert availability({"failed": array(0.02)}, context()).tolist() == [98.0]


# --- through the kernel ----------------------------------------------------------------------------------------


def result(catalogue: Catalogue, indicator: str, text: str, zone: str = "Europe/Prague") -> list[IndicatorValue]:
    return [one.value for one in evaluate(catalogue, indicator, read_table(text), Calendar.of(zone))]


def test_a_bin_is_overfull_from_the_report_of_100_percent_to_the_next_one(catalogue: Catalogue) -> None:
    levels = "time,fill_level\n2026-03-01T00:00+01:00,50\n2026-03-01T10:00+01:00,100\n2026-03-01T12:30+01:00,4\n"
    (day,) = result(catalogue, "bin_overflow_minutes", levels)
    assert (day.value, day.band) == (150, 3)


def test_a_full_bin_on_a_day_of_25_hours_is_full_for_1500_minutes(catalogue: Catalogue) -> None:
    (day,) = result(catalogue, "bin_overflow_minutes", "time,fill_level\n2026-10-25T00:00+02:00,100\n")
    assert day.value == 1500


def test_emptyings_are_judged_in_the_month_in_which_they_happen(catalogue: Catalogue) -> None:
    """Full on 31 January at 20:00 and emptied on 1 February at 22:00, after 26 hours; then a good collection."""
    start = datetime(2026, 1, 31, 0, tzinfo=ZoneInfo("Europe/Prague"))
    levels = [70] * 20 + [90] * 26 + [5] * 30 + [85] * 10 + [5] * 40
    rows = [f"{(start + timedelta(hours=i)).isoformat()},{level}" for i, level in enumerate(levels)]
    values = result(catalogue, "collection_in_time", "\n".join(["time,fill_level", *rows]))
    (february,) = [v for v in values if v.value is not None]
    assert (february.value, february.details["emptied"], february.details["late"]) == (50, 2, 1)


def test_waste_of_a_month_is_summed_over_its_collections(catalogue: Catalogue) -> None:
    masses = "time,waste_mixed,waste_sorted,waste_bio\n2026-03-02,100,200,\n2026-03-09,300,250,\n2026-03-20,,,150\n"
    (month,) = result(catalogue, "separate_collection_rate", masses)
    assert (month.value, month.lower_bound) == (60, False)
    (month,) = result(catalogue, "separate_collection_rate", masses.rsplit("\n", 2)[0])
    assert (month.value, month.lower_bound, month.missing) == (52.9, True, ("bio",))


def test_the_night_of_a_meter_is_local(catalogue: Catalogue) -> None:
    """23 hours on 29 March 2026 in Prague: the night from 0 to 5 o'clock has four."""
    edges = [datetime(2026, 3, 28, 23, tzinfo=UTC) + timedelta(hours=i) for i in range(24)]
    use = [0.0, *[1.0] * 4, *[2.0] * 19]
    rows = [f"{t.isoformat()},{total}" for t, total in zip(edges, np.cumsum(use), strict=True)]
    values = result(catalogue, "night_base_load_share_meter", "\n".join(["time,energy", *rows]))
    assert values[0].value == round(100 * 1 / (42 / 23), 1)
    assert (values[0].n_valid, values[0].n_expected) == (23, 23)


def test_night_flow_is_the_lowest_reading_of_two_local_hours(catalogue: Catalogue) -> None:
    """Half-hourly flow of 10 m3/h, but 4 and 2 in the hour from 3 o'clock; 1 at half past four is no night."""
    flows = [10.0] * 48
    flows[6:8], flows[9] = [4.0, 2.0], 1.0
    start = datetime(2026, 3, 1, tzinfo=ZoneInfo("Europe/Prague"))
    rows = [f"{(start + timedelta(minutes=30 * i)).isoformat()},{flow}" for i, flow in enumerate(flows)]
    (day,) = result(catalogue, "night_flow_leak", "\n".join(["time,water_flow", *rows]))
    assert (day.value, day.details) == (round(100 * 2 / (sum(flows) / 48), 1), {"night_flow": 2})


def test_a_real_gas_meter_against_degree_days(catalogue: Catalogue, shared: Path) -> None:
    """Daily use made a register; use of whole months by plain Python. Area and degree days are made up here."""
    with (shared / "data/opendsm_il-gas-hdd-only-daily.csv").open() as file:
        days = [(r["start"], float(r["value"])) for r in csv.DictReader(file) if r["value"] != "nan"]
    total, rows, used = 0.0, list[str](), dict[str, float]()
    for start, use in days:
        total += use
        rows.append(f"{start[:10]}T23:00:00{start[-6:]},{total},,")
        used[start[:7]] = used.get(start[:7], 0.0) + use
    months = [month for month in used if month[5:] != "11"][:-1]  # November has a day of 25 hours, February 2018 is cut
    degree_days = {month: 100.0 + i for i, month in enumerate(months)}
    rows += [f"{month}-01T00:00:00-06:00,,{figure},250" for month, figure in degree_days.items()]
    table = "\n".join(["time,gas,hdd,area", *sorted(rows)])
    found = {format_instant(v.start)[:7]: v for v in result(catalogue, "gas_intensity_normalised", table, "Etc/GMT+6")}
    assert len(months) == 24
    for month in months[1:]:
        assert found[month].value == pytest.approx(used[month] / 250 / degree_days[month], abs=6e-6)
