# SPDX-License-Identifier: EUPL-1.2
"""The kernel on tables: real years of air, and what people type by hand."""

import csv
import math
from collections import defaultdict
from datetime import UTC, date, datetime, timedelta, timezone, tzinfo
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from hub.core.errors import Invalid
from hub.core.windows import Calendar, parse_instant
from hub.indicators.catalogue import Catalogue
from hub.indicators.evaluate import Options, evaluate
from hub.indicators.table import read_table

CET = timezone(timedelta(hours=1))


def thara(shared: Path) -> list[tuple[str, float]]:
    with (shared / "data/eea_havirov_THARA_2023.csv").open() as file:
        return [
            (r["start"], float(r["pm10"])) for r in csv.DictReader(file) if r["pm10"] and int(r["pm10_validity"]) > 0
        ]


def day_means(rows: list[tuple[str, float]], zone: tzinfo) -> dict[date, tuple[float, int]]:
    """The independent lines: plain Python, no hub."""
    days = defaultdict(list)
    for start, value in rows:
        days[datetime.fromisoformat(start).replace(tzinfo=CET).astimezone(zone).date()].append(value)
    return {day: (sum(values) / len(values), len(values)) for day, values in days.items()}


@pytest.mark.parametrize(("zone", "over50", "over45"), [("+01:00", 8, 10), ("Europe/Prague", 8, 11)])
def test_every_day_mean_of_a_real_year(zone: str, over50: int, over45: int, catalogue: Catalogue, shared: Path) -> None:
    rows = thara(shared)
    assert (len(rows), round(sum(v for _, v in rows) / len(rows), 3)) == (8131, 20.311)
    table = read_table("time,pm10\n" + "\n".join(f"{t},{v}" for t, v in rows))
    found = evaluate(catalogue, "pm10_day_mean", table, Calendar.of(zone), Options(zone="+01:00"))
    own = CET if zone == "+01:00" else ZoneInfo(zone)
    expected = day_means(rows, own)
    assert len(found) == len(expected)
    for result in found:
        v = result.value
        mean, n = expected[datetime.fromtimestamp(v.start // 10**9, own).date()]
        hours = (v.end - v.start) // (3600 * 10**9)
        assert v.n_valid == n
        assert v.n_expected == hours
        if n >= math.ceil(0.75 * hours):
            assert v.value == pytest.approx(mean, abs=0.05 + 1e-9)
            assert v.value == float(f"{v.value:.1f}")
        else:
            assert v.value is None
            assert v.reason == f"pm10: {n} of {hours} hours, {math.ceil(0.75 * hours)} needed"
    values = [r.value.value or 0 for r in found]
    assert (sum(v > 50 for v in values), sum(v > 45 for v in values)) == (over50, over45)
    (year,) = evaluate(catalogue, "pm10_days_over_50", table, Calendar.of(zone), Options(zone="+01:00"))
    assert (year.value.value, year.value.n_valid, year.value.n_expected) == (over50, 339, 365)
    assert year.value.lower_bound


def test_the_index_that_chmi_published(catalogue: Catalogue, prague: Calendar, shared: Path) -> None:
    """Equal in every row where NO2, PM10 and (April to September) O3 are present, insufficient in every other."""
    with (shared / "data/chmi_praha_4_stations_2018_2019.csv").open() as file:
        rows = list(csv.DictReader(file))
    names = ("station", "hour_end_utc", "no2_ugm3", "pm10_ugm3", "o3_ugm3")
    text = "station,end,no2,pm10,o3\n" + "\n".join(",".join(row[n] for n in names) for row in rows)
    found = {
        (r.value.place, r.value.end): r.value for r in evaluate(catalogue, "chmi_iko_2017", read_table(text), prague)
    }
    assert len(found) == len(rows)
    equal = 0
    for row in rows:
        value = found[row["station"], parse_instant(row["hour_end_utc"])]
        summer = 4 <= (datetime.fromisoformat(row["hour_end_utc"]) - timedelta(hours=1)).month <= 9
        if row["no2_ugm3"] and row["pm10_ugm3"] and (row["o3_ugm3"] or not summer):
            assert value.value == int(row["published_iko"])
            equal += 1
        else:
            assert value.status == "insufficient_data"
    assert equal == 23375


def test_a_row_without_time_is_a_window(catalogue: Catalogue, prague: Calendar) -> None:
    table = read_table("pm2_5,pm10,no2\n5,15,10\n5.1,15,\n,,\n")
    found = [r.public() for r in evaluate(catalogue, "eaqi_2024", table, prague)]
    assert [(r["row"], r["value"], r["status"]) for r in found] == [
        (1, 1, "final"), (2, 2, "final"), (3, None, "insufficient_data"),
    ]  # fmt: skip
    assert found[1]["missing"] == ["no2", "o3", "so2"]
    assert found[1]["lower_bound"]
    assert found[0]["band"] == {"index": 1, "label": {"en": "Good", "cs": "Dobrá"}, "color": "#50f0e6"}


def test_readings_are_counted_against_the_interval(catalogue: Catalogue, prague: Calendar) -> None:
    minutes = "\n".join(f"2026-07-01T10:{m:02d}Z,{m}" for m in range(0, 50, 10))
    table = read_table(f"time,pm10\n{minutes}\n2026-07-01T11:00Z,3")
    one, two = (r.value for r in evaluate(catalogue, "eaqi_2024", table, prague, Options(interval=600)))
    assert (one.coverage, one.n_valid, one.n_expected, one.components["pm10"].value) == (0.833333, 5, 6, 20)
    assert two.value is None
    assert "pm10: 1 of 6 readings, 5 needed; no2: no valid reading" in (two.reason or "")


@pytest.mark.parametrize(
    ("day", "hours", "needed"), [("2026-03-29", 23, 18), ("2026-03-30", 24, 18), ("2026-10-25", 25, 19)]
)
def test_a_day_needs_three_quarters_of_its_own_hours(
    day: str, hours: int, needed: int, catalogue: Catalogue, prague: Calendar
) -> None:
    start = datetime.fromisoformat(day).replace(tzinfo=ZoneInfo("Europe/Prague")).astimezone(UTC)
    for n, enough in [(needed, True), (needed - 1, False), (hours, True)]:
        rows = "\n".join(f"{start + timedelta(hours=h)},10" for h in range(n))
        (found,) = evaluate(catalogue, "pm10_day_mean", read_table(f"time,pm10\n{rows}"), prague)
        assert (found.value.value is not None, found.value.n_expected, found.value.n_valid) == (enough, hours, n)


def test_a_district_is_its_worst_site(catalogue: Catalogue, prague: Calendar) -> None:
    table = read_table("time,site,pm10\n2026-07-01T10:00Z,a,10\n2026-07-01T10:00Z,b,100\n2026-07-01T10:00Z,c,")
    (found,) = evaluate(catalogue, "eaqi_2024_district", table, prague)
    v = found.value
    assert (v.value, v.missing, v.lower_bound, v.n_valid, v.n_expected) == (3, ("table/c",), True, 2, 3)
    assert {site: c.value for site, c in v.components.items()} == {"table/a": 1, "table/b": 3, "table/c": None}


def test_values_of_an_input_indicator_may_be_given(catalogue: Catalogue, prague: Calendar) -> None:
    table = read_table("date,day\n2026-01-01,50\n2026-01-02,50.1\n2026-01-03,\n2025-12-31,90")
    last, this = (r.value for r in evaluate(catalogue, "pm10_days_over_50", table, prague))
    assert (last.value, this.value, this.n_valid, this.n_expected) == (1, 1, 2, 365)


def test_a_czech_table_has_semicolons_and_commas(catalogue: Catalogue, prague: Calendar) -> None:
    (found,) = evaluate(catalogue, "chmi_iko_2017", read_table("\ufeffno2;pm10\n25,1;20\n"), prague)
    assert found.value.value == 2


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("pm10,colour\n1,2", "unknown column 'colour'; the inputs are pm2_5, pm10, no2, o3, so2"),
        ("time\n2026-01-01T00:00Z", "no input among the columns"),
        ("pm10\nmuch", "row 1, column pm10: 'much' is no number"),
        ("pm10\ninf", "infinite"),
        ("pm10\n1 2", "one figure a window"),
        ("time,pm10\nyesterday,1", "row 1, column time: 'yesterday' is no time"),
        ("time,pm10\n2026-01-01T00:00Z,1\n2026-01-01T00:00Z,2", "stands twice for 2026-01-01T00:00:00Z"),
        ("pm10,pm10\n1,2", "a column stands twice"),
        ("pm10,no2\n1", "row 1: 1 cells instead of 2"),
        ("# only a comment\n", "empty"),
    ],
)
def test_a_bad_table_is_refused_by_name(text: str, says: str, catalogue: Catalogue, prague: Calendar) -> None:
    with pytest.raises(Invalid) as error:
        evaluate(catalogue, "eaqi_2024", read_table(text), prague)
    assert says in str(error.value)


def test_an_unknown_stamp_is_refused(catalogue: Catalogue, prague: Calendar) -> None:
    with pytest.raises(Invalid, match="neither start nor end"):
        evaluate(catalogue, "eaqi_2024", read_table("pm10\n1"), prague, Options(stamp="middle"))


def test_rows_of_indicators_are_of_the_places_that_they_name(catalogue: Catalogue, prague: Calendar) -> None:
    text = "time,place,le,eys,mys,gnipc\n2021,CZE,77.7,16.2,12.9,38745\n2021,NOR,83.2,18.2,13.0,64660\n"
    found = evaluate(catalogue, "hdi", read_table(text), prague)
    assert [(r.value.place, r.value.value) for r in found] == [("CZE", 0.889), ("NOR", 0.961)]
    text = "time,place,supplied,billed\n2021,havirov,100,90\n2021,orlova,100,50\n"
    found = evaluate(catalogue, "water_loss", read_table(text), prague)
    assert [(r.value.place, r.value.value) for r in found] == [("havirov", 10.0), ("orlova", 50.0)]


def test_only_the_hours_of_an_input_count_in_a_list_too(catalogue: Catalogue, prague: Calendar) -> None:
    day = [45 if n % 2 else 44 for n in range(64)]  # 6 to 22 h; at night everybody is slow, which does not count
    whole = [10] * 24 + day + [10] * 8
    for figures in (day, whole):
        table = read_table(f"speed,free_flow\n{' '.join(map(str, figures))},50")
        (found,) = evaluate(catalogue, "congestion_share", table, prague)
        assert (found.value.value, found.value.n_expected) == (50.0, 64)
        assert found.value.details == {"congested_steps": 32, "steps": 64}


def test_several_figures_of_a_cell_may_be_a_json_list(catalogue: Catalogue, prague: Calendar) -> None:
    table = read_table('pm2_5\n"[12, 16, 25, 34, 19, 43, 28, 25, 45, null, 47, 35.0]"\n')
    same = read_table("pm2_5\n12 16 25 34 19 43 28 25 45 - 47 35.0\n")
    (one,), (two,) = (evaluate(catalogue, "nowcast_pm2_5", t, prague) for t in (table, same))
    assert one.value.value == two.value.value == 38.6
    with pytest.raises(Invalid, match="row 1, column pm2_5"):
        evaluate(catalogue, "nowcast_pm2_5", read_table('pm2_5\n"[12, much]"\n'), prague)


def test_one_column_serves_all_inputs_of_an_indicator(catalogue: Catalogue, prague: Calendar) -> None:
    figures = [1] * 18 + [4] * 6
    listed = read_table(f"eaqi_2024\n{' '.join(map(str, figures))}\n")
    hours = "\n".join(f"2026-07-01T{hour:02d}:00+02:00,{band}" for hour, band in enumerate(figures))
    for table in (listed, read_table(f"time,eaqi_2024\n{hours}\n")):
        (found,) = evaluate(catalogue, "eaqi_2024_day", table, prague)
        details = found.value.details
        assert (found.value.value, details["band_1"], details["band_4"], details["band_5"]) == (4, 0.75, 0.25, 0)


def test_parts_of_a_city_weigh_as_many_as_the_table_says(catalogue: Catalogue, prague: Calendar) -> None:
    table = read_table(
        "time,place,positive,neutral,negative,population\n"
        "2026-07-01,havirov/a/one,72,0,18,5000\n2026-07-01,havirov/b/two,4,0,6,5000\n"
    )
    (found,) = evaluate(catalogue, "csat_city", table, prague)  # weights 5/9, and 5 held at 3
    assert found.value.value == 65
    assert found.value.details["n"] == pytest.approx(54.339623)


@pytest.mark.parametrize("header", ["PM10", "pm10", " Pm10 "])
def test_columns_are_found_whatever_their_case(header: str, catalogue: Catalogue, prague: Calendar) -> None:
    table = read_table(f"name,{header},PM2.5\nThara,14,4\n")
    found = evaluate(catalogue, "eaqi_2024", table, prague)[0]
    assert (found.value.value, found.label, found.public()["label"]) == (1, "Thara", "Thara")


def test_figures_that_no_instrument_reports_are_missing_as_in_the_hub(catalogue: Catalogue, prague: Calendar) -> None:
    plain = evaluate(catalogue, "eaqi_2024", read_table("pm10,no2\n-999,5\n"), prague)[0].value
    assert (plain.value, "pm10" in plain.missing) == (1, True)
    rows = "".join(f"2026-06-11T{h:02}:00:00+02:00,{99999 if h == 5 else 20}\n" for h in range(24))
    day = evaluate(catalogue, "pm10_day_mean", read_table("time,pm10\n" + rows), prague)[0].value
    assert (day.value, day.n_valid) == (20.0, 23)
    assert (
        evaluate(catalogue, "parking_occupancy", read_table("free,capacity\n-1,400\n"), prague)[0].value.value is None
    )
