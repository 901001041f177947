# SPDX-License-Identifier: EUPL-1.2
"""Streets, car parks and public transport: published levels of service, three real days of Dresden, and readings."""

import csv
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from hub.core.indicators import IndicatorValue
from hub.core.windows import Calendar
from hub.indicators.catalogue import Catalogue
from hub.indicators.evaluate import Options, evaluate
from hub.indicators.formulas import FORMULAS
from hub.indicators.formulas.base import Context, Outcome
from hub.indicators.table import read_table

UTC_CITY = Calendar.of("UTC")
LETTERS = "ABCDEF"


def values(
    catalogue: Catalogue, indicator: str, text: str, interval: int | None = None, city: Calendar = UTC_CITY
) -> Sequence[IndicatorValue]:
    return [r.value for r in evaluate(catalogue, indicator, read_table(text), city, Options(interval=interval))]


def vectors(path: Path) -> list[dict[str, str]]:
    return list(csv.DictReader(x for x in path.read_text().splitlines() if not x.startswith("#")))


def letters(catalogue: Catalogue, indicator: str, text: str) -> str:
    bands = catalogue.get(indicator).bands
    return "".join(bands[v.band - 1].label.en for v in values(catalogue, indicator, text) if v.band)


def test_levels_of_service_of_signalised_junctions(catalogue: Catalogue, shared: Path) -> None:
    """Bounds are inclusive; just above one is the next level."""
    rows = vectors(shared / "vectors/hcm_signal_delay_los.csv")
    at = "delay\n" + "\n".join(r["delay_max_s"] for r in rows)
    above = "control_delay\n" + "\n".join(f"{float(r['delay_max_s']) + 0.1:.1f}" for r in rows)
    assert letters(catalogue, "los_signal_delay", at) == "".join(r["los"] for r in rows) == "ABCDE"
    assert letters(catalogue, "los_signal_delay", above) == "BCDEF"


def test_levels_of_service_of_urban_streets(catalogue: Catalogue, shared: Path) -> None:
    """A bound must be exceeded: at it, the street is a level worse. Figures of a table without times are in mph."""
    numbers = {"I": 1, "II": 2, "III": 3, "IV": 4}
    for row in vectors(shared / "vectors/hcm2000_urban_street_los.csv"):
        bounds = [float(row[f"{x}_gt"]) for x in "ABCDE"]
        for shift, expected in ((0.01, "ABCDE"), (0, "BCDEF")):
            text = "speed,street_class\n" + "\n".join(f"{b + shift},{numbers[row['street_class']]}" for b in bounds)
            assert letters(catalogue, "los_street_speed", text) == expected


def test_speeds_of_readings_are_in_km_per_hour(catalogue: Catalogue) -> None:
    """40.3 km/h is 25.04 mph: A in the class that a street without one has; 40.2 km/h is 24.98 mph."""
    text = "time,vehicle_speed\n2026-06-01T10:00Z,40.3\n2026-06-01T11:00Z,40.2\n"
    fast, slow = values(catalogue, "los_street_speed", text)
    assert (fast.value, slow.value) == (1, 2)
    assert fast.details == {"speed_mph": pytest.approx(25.04, abs=0.01), "street_class": 4}
    assert fast.missing == ("street_class",)


@pytest.fixture(scope="module")
def dresden(shared: Path) -> Sequence[dict[str, str]]:
    with (shared / "data/parking_dresden_2026-08-10_12.csv").open() as file:
        return list(csv.DictReader(file))


def test_no_row_of_three_real_days_is_below_zero(dresden: Sequence[dict[str, str]]) -> None:
    """The formula on every row at once: 0 to 100 %, or none where more spaces are free than there are."""
    rows = [(float(r["free"]), float(r["capacity"])) for r in dresden if r["free"] and r["capacity"]]
    free, capacity = np.array(rows).T
    nothing = Context({}, {}, np.full(len(free), 3600.0), {}, {}, {})
    found = FORMULAS["parking_occupancy"].function({"free": free, "capacity": capacity}, nothing)
    assert isinstance(found, Outcome)
    impossible = free > capacity
    assert (len(rows), int(np.count_nonzero(impossible))) == (10548, 802)
    assert np.isnan(found.value[impossible]).all()
    assert found.value[~impossible] == pytest.approx(100 * (1 - free / capacity)[~impossible])
    assert ((found.value[~impossible] >= 0) & (found.value[~impossible] <= 100)).all()


def test_a_row_that_cannot_be_says_why(catalogue: Catalogue, dresden: Sequence[dict[str, str]]) -> None:
    some = dresden[::60]
    text = "free,capacity\n" + "\n".join(f"{r['free']},{r['capacity']}" for r in some)
    told = set()
    for row, value in zip(some, values(catalogue, "parking_occupancy", text), strict=True):
        if not row["free"] or not row["capacity"]:
            assert (value.value, value.missing) == (None, tuple(n for n in ("free", "capacity") if not row[n]))
            told.add("missing")
        elif float(row["free"]) > float(row["capacity"]):
            assert (value.value, value.reason) == (None, FORMULAS["parking_occupancy"].undefined)
            told.add("impossible")
        else:
            assert value.value is not None
            told.add("value")
    assert told == {"missing", "impossible", "value"}


def test_hours_of_a_real_car_park_that_claims_too_much(catalogue: Catalogue, dresden: Sequence[dict[str, str]]) -> None:
    """Altmarkt has 400 spaces and says at night that 470 are free: those hours have no value, the others have one."""
    rows = [r for r in dresden if r["place_id"] == "dresden-parken-Altmarkt"]
    text = "time,free,capacity\n" + "\n".join(f"{r['timestamp_utc']},{r['free']},{r['capacity']}" for r in rows)
    reasons = defaultdict[str | None, int](int)
    for value in values(catalogue, "parking_occupancy", text, interval=900):
        reasons[value.reason] += 1
        assert value.value is None or 0 <= value.value <= 100
    assert reasons.keys() >= {None, FORMULAS["parking_occupancy"].undefined}


def test_minutes_without_a_free_space_hold_from_reading_to_reading(catalogue: Catalogue) -> None:
    """Full from 8:15 to 9:30: 45 and 30 minutes of the hours, and of the day so far as it is known."""
    free = {0: 10, 8 * 60 + 15: 0, 9 * 60 + 30: 4}
    known = 10
    rows = []
    for minute in range(0, 24 * 60, 15):
        known = free.get(minute, known)
        rows.append(f"2026-06-01T{minute // 60:02d}:{minute % 60:02d}Z,{known}")
    text = "time,parking_free\n" + "\n".join(rows)
    hours = values(catalogue, "parking_full_minutes_hour", text, interval=900)
    assert [(i, v.value) for i, v in enumerate(hours) if v.value] == [(8, 45), (9, 30)]
    (day,) = values(catalogue, "parking_full_minutes", text, interval=900)
    assert (day.value, day.lower_bound, day.n_valid) == (75, False, 24)


@pytest.mark.parametrize("kind", ["bicycle", "pedestrian"])
@pytest.mark.parametrize(("hours", "value", "bound"), [(24, 240, False), (18, 180, True), (17, None, False)])
def test_a_day_of_counts_adds_nothing_for_missing_hours(
    kind: str, hours: int, value: float | None, bound: bool, catalogue: Catalogue
) -> None:
    text = f"time,{kind}_count\n" + "\n".join(f"2026-06-01T{h:02d}:00Z,10" for h in range(hours))
    (day,) = values(catalogue, f"{kind}_count_day", text)
    assert (day.value, day.lower_bound, day.n_valid, day.n_expected) == (value, bound, hours, 24)


def test_departures_count_as_on_time_from_one_minute_early_to_five_late(catalogue: Catalogue) -> None:
    delays = [-61, -60, 0, 299, 300, 301, 900, 10, 20, 30]
    text = "time,service_delay\n" + "\n".join(f"2026-06-01T10:{m:02d}Z,{x}" for m, x in enumerate(delays))
    (day,) = values(catalogue, "pt_punctuality", text)
    assert (day.value, day.details) == (70, {"early": 10, "late": 20})


def test_congestion_is_looked_for_from_6_to_22_only(catalogue: Catalogue, prague: Calendar) -> None:
    """Slow from 22 to 6 and in 8 of the 64 quarter hours that count."""
    rows = []
    for quarter in range(96):
        hour = quarter // 4
        speed = 20 if hour < 6 or hour >= 22 or hour in (7, 16) else 50
        rows.append(f"2026-06-01T{hour:02d}:{quarter % 4 * 15:02d}+02:00,{speed},50")
    text = "time,vehicle_speed,free_flow\n" + "\n".join(rows)
    (day,) = values(catalogue, "congestion_share", text, city=prague)
    assert (day.value, day.n_valid, day.n_expected) == (12.5, 64, 64)
    assert day.details == {"congested_steps": 8, "steps": 64}


def test_travel_time_is_held_against_the_newest_entered_free_flow(catalogue: Catalogue) -> None:
    text = "time,travel_time,free_flow\n2026-06-01T10:00Z,156,120\n2026-06-01T11:00Z,120,\n2026-06-01T12:00Z,120,100\n"
    assert [v.value for v in values(catalogue, "travel_time_index", text)] == [1.3, 1, 1.2]
