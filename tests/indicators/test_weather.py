# SPDX-License-Identifier: EUPL-1.2
"""Heat, cold and degree days: published tables, the library behind them, and days made of readings."""

import csv
import json
import subprocess
import sys
from collections.abc import Sequence
from datetime import date, timedelta
from pathlib import Path

import numpy as np
import pytest

from hub.core.windows import Calendar
from hub.indicators.catalogue import Catalogue
from hub.indicators.evaluate import evaluate
from hub.indicators.formulas import FORMULAS
from hub.indicators.formulas.base import Context
from hub.indicators.table import read_table


def vectors(path: Path) -> list[dict[str, str]]:
    return list(csv.DictReader(x for x in path.read_text().splitlines() if not x.startswith("#")))


def figures(catalogue: Catalogue, indicator: str, text: str, city: Calendar) -> Sequence[float | None]:
    return [r.value.value for r in evaluate(catalogue, indicator, read_table(text), city)]


def test_the_published_heat_index(catalogue: Catalogue, prague: Calendar, shared: Path) -> None:
    rows = vectors(shared / "vectors/heat_index_pythermalcomfort.csv")
    text = "tdb,rh\n" + "\n".join(f"{r['tdb']},{r['rh']}" for r in rows)
    expected = [float(r["expected_hi"]) for r in rows]
    assert figures(catalogue, "heat_index", text, prague) == pytest.approx(expected, abs=0.05)


def test_the_published_humidex_and_its_classes(catalogue: Catalogue, prague: Calendar, shared: Path) -> None:
    rows = vectors(shared / "vectors/humidex_pythermalcomfort.csv")
    text = "t,rh\n" + "\n".join(f"{r['tdb']},{r['rh']}" for r in rows)
    found = evaluate(catalogue, "humidex", read_table(text), prague)
    expected = [float(r["expected_humidex"]) for r in rows]
    assert [r.value.value for r in found] == pytest.approx(expected, abs=0.05)
    bands = catalogue.get("humidex").bands
    assert [bands[r.value.band - 1].label.en for r in found if r.value.band] == [r["expected_discomfort"] for r in rows]


def test_the_published_utci_and_its_classes(catalogue: Catalogue, prague: Calendar, shared: Path) -> None:
    """Rows in °F are converted; a value that the table does not give is none here."""
    rows, expected, classes = list[str](), list[float | None](), list[str | None]()
    for r in vectors(shared / "vectors/utci_pythermalcomfort.csv"):
        columns = [np.atleast_1d(json.loads(r[name])).astype(float) for name in ("tdb", "tr", "v", "rh")]
        if r["units"] == "ip":
            columns = [(columns[0] - 32) / 1.8, (columns[1] - 32) / 1.8, columns[2] * 0.3048, columns[3]]
        results = json.loads(r["expected_utci"] or "null")
        results = results if isinstance(results, list) else [results]
        expected += [(x - 32) / 1.8 if x is not None and r["units"] == "ip" else x for x in results]
        words = r["expected_stress_category"]
        classes += json.loads(words) if words.startswith("[") else [words or None] * len(results)
        rows += [",".join(map(str, row)) for row in zip(*columns, strict=True)]
    found = evaluate(catalogue, "utci", read_table("tdb,tr,v,rh\n" + "\n".join(rows)), prague)
    assert len(found) == len(expected) == len(classes) == 21
    bands = catalogue.get("utci").bands
    for result, figure, stress in zip(found, expected, classes, strict=True):
        assert result.value.value == (None if figure is None else pytest.approx(figure, abs=0.1))
        if figure is None:
            assert result.value.reason == FORMULAS["utci"].undefined
        if stress:
            assert bands[(result.value.band or 0) - 1].label.en.lower() == stress


GRID = np.meshgrid(np.arange(25.0, 50.5, 0.5), np.arange(0.0, 101.0, 5.0))
T, RH = GRID[0].ravel(), GRID[1].ravel()
NONE = Context({"lowest": 25.0}, {}, np.full(len(T), 3600.0), {}, {}, {})


def test_heat_index_and_humidex_are_those_of_the_library() -> None:
    from pythermalcomfort.models import heat_index_rothfusz, humidex  # type: ignore[import-untyped]  # it has no types

    own = FORMULAS["heat_index"].function({"t": T, "rh": RH}, NONE)
    assert own == pytest.approx(heat_index_rothfusz(T, RH, limit_inputs=False, round_output=False).hi, abs=1e-9)
    own = FORMULAS["humidex"].function({"t": T, "rh": RH}, NONE)
    assert own == pytest.approx(humidex(T, RH, round_output=False).humidex, abs=1e-9)


def test_limits_of_utci_are_those_of_the_library() -> None:
    """The hub checks them itself, since the library warns about every value. Vapour at 5 kPa may differ by a hair."""
    from pythermalcomfort.models import utci

    rng = np.random.default_rng(730)
    t, difference = rng.uniform(-60, 60, 4000), rng.uniform(-40, 80, 4000)
    v, rh = rng.uniform(0, 20, 4000), rng.uniform(0, 100, 4000)
    own = FORMULAS["utci"].function({"t": t, "tr": t + difference, "v": v, "rh": rh}, NONE)
    with pytest.warns(UserWarning, match="applicability limits"):
        theirs = utci(t, t + difference, v, rh, round_output=False).utci
    assert isinstance(own, np.ndarray)
    differ = np.isnan(own) != np.isnan(theirs)
    assert np.count_nonzero(differ) <= 4
    assert own[~differ] == pytest.approx(theirs[~differ], nan_ok=True)
    assert 500 < np.count_nonzero(~np.isnan(own)) < 3500


def test_fog_of_105_percent_is_100_percent(catalogue: Catalogue, prague: Calendar) -> None:
    wet, wetter = figures(catalogue, "humidex", "t,rh\n30,100\n30,105\n", prague)
    assert wet == wetter == 48.0


def test_numba_is_loaded_for_utci_alone() -> None:
    code = """
import sys
from hub.core.quantities import Quantities
from hub.core.windows import Calendar
from hub.indicators.catalogue import load_catalogue
from hub.indicators.evaluate import evaluate
from hub.indicators.table import read_table
catalogue, city = load_catalogue(Quantities.load()), Calendar.of("UTC")
for name, text in (("heat_index", "t,rh\\n30,50"), ("humidex", "t,rh\\n30,50"), ("utci", "t,tr,v,rh\\n30,,1,50")):
    evaluate(catalogue, name, read_table(text), city)
print("numba" in sys.modules)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "False\n"


def year(
    catalogue: Catalogue, indicator: str, column: str, days: Sequence[float], city: Calendar
) -> tuple[object, ...]:
    rows = "\n".join(f"{date(2026, 1, 1) + timedelta(days=n)},{x}" for n, x in enumerate(days))
    (found,) = evaluate(catalogue, indicator, read_table(f"time,{column}\n{rows}"), city)
    return found.value.value, found.value.lower_bound, found.value.n_valid


@pytest.mark.parametrize(
    ("indicator", "column", "threshold"),
    [
        ("tropical_days", "air_temperature_day_max", 30),
        ("summer_days", "air_temperature_day_max", 25),
        ("tropical_nights", "air_temperature_day_min", 20),
    ],
)
def test_days_count_from_the_threshold_on(
    indicator: str, column: str, threshold: float, catalogue: Catalogue, prague: Calendar
) -> None:
    days = [threshold - 0.1, threshold, threshold + 0.1, *([threshold - 10] * 362)]
    assert year(catalogue, indicator, column, days, prague) == (2, False, 365)
    assert year(catalogue, indicator, column, days[:100], prague) == (2, True, 100)


def test_a_tropical_night_is_made_of_readings(catalogue: Catalogue, prague: Calendar) -> None:
    """The night's lowest reading decides; hourly readings of two days, of which one never falls below 20 °C."""
    rows = [f"2026-07-0{1 + h // 24}T{h % 24:02d}:00+02:00,{(20.0 if h < 24 else 19.9) + h % 24}" for h in range(48)]
    (found,) = evaluate(catalogue, "tropical_nights", read_table("time,air_temperature\n" + "\n".join(rows)), prague)
    assert (found.value.value, found.value.lower_bound, found.value.n_valid) == (1, True, 2)


def test_degree_days_of_a_month_are_made_of_readings(catalogue: Catalogue, prague: Calendar) -> None:
    """30 days between 0 and 10 °C have 13 heating degrees each."""
    rows = [
        f"2026-11-{day:02d}T{hour:02d}:00+01:00,{10 * abs(hour - 12) / 12}"
        for day in range(1, 31)
        for hour in range(24)
    ]
    table = read_table("time,air_temperature\n" + "\n".join(rows))
    (month,) = evaluate(catalogue, "hdd_eurostat_month", table, prague)
    assert (month.value.value, month.value.lower_bound, month.value.n_valid) == (390, False, 30)
    (cooling,) = evaluate(catalogue, "cdd_eurostat_month", table, prague)
    assert cooling.value.value == 0
