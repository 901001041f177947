# SPDX-License-Identifier: EUPL-1.2
"""What a definition can ask of the kernel: ways of aggregating, chosen hours, profiles, grades, carried figures."""

import math
from collections.abc import Sequence

import numpy as np
import pytest
from msgspec import yaml

from hub.core.indicators import IndicatorValue, Status
from hub.core.places import Device, Mounting
from hub.core.quantities import Quantities
from hub.core.readings import Columns, Grade, Series
from hub.core.windows import HOUR, Calendar, parse_instant
from hub.indicators.catalogue import Catalogue, build_catalogue
from hub.indicators.cells import grid, input_cells, mounted
from hub.indicators.checks import parse_definition
from hub.indicators.evaluate import evaluate
from hub.indicators.inputs import Attributes, Values, values_of
from hub.indicators.kernel import compute
from hub.indicators.results import materialise
from hub.indicators.table import read_table

PRAGUE = Calendar.of("Europe/Prague")
QUANTITIES = Quantities.load()
START = parse_instant("2026-06-10T22:00:00Z")  # local midnight of 11 June
SITE = "town/part/site"


def catalogue_of(*definitions: dict[str, object]) -> Catalogue:
    base = {
        "version": 1,
        "title": {"en": "t", "cs": "t"},
        "domain": "air",
        "formula": "value",
        "unit": "1",
        "window": "P1D",
        "precision": 6,
        "reference": [{"citation": "test"}],
        "examples": [{"given": {}, "status": "insufficient_data"}],
    }
    named = [(f"{d['id']}.yaml", parse_definition(yaml.encode(base | d), f"{d['id']}.yaml")) for d in definitions]
    return build_catalogue(named, QUANTITIES)


def columns_of(rows: Sequence[tuple[str, str, float, float]], flag: int = 1) -> Columns:
    """Rows of (device, quantity, hours since START, value)."""
    ordered = sorted(rows, key=lambda r: (r[2], r[0]))
    series = sorted({Series(device, quantity) for device, quantity, _, _ in rows})
    return Columns(
        series,
        np.array([series.index(Series(r[0], r[1])) for r in ordered], dtype=np.int32),
        np.array([START + round(r[2] * HOUR) for r in ordered], dtype=np.int64),
        np.array([r[3] for r in ordered], dtype=np.float64),
        np.full(len(ordered), flag, dtype=np.uint8),
        np.zeros(len(ordered), dtype=np.uint8),
    )


def devices_of(**grades: Grade) -> dict[str, Device]:
    return {
        name: Device(id=name, connector="c", external_id=name, interval=3600, grade=grade,
                     mountings=(Mounting(SITE, START - 1000 * HOUR),))
        for name, grade in grades.items()
    }  # fmt: skip


def values(
    catalogue: Catalogue,
    indicator: str,
    columns: Columns,
    devices: dict[str, Device] | None = None,
    *,
    places: tuple[str, ...] = (SITE,),
    days: int = 1,
    given: dict[str, Values] | None = None,
    attributes: Attributes | None = None,
) -> list[IndicatorValue]:
    d = catalogue.get(indicator)
    known = devices if devices is not None else devices_of(a=Grade.REFERENCE)
    results = compute(catalogue, d, PRAGUE, places, START, START + days * 24 * HOUR, columns, known, given, attributes)
    return list(materialise(results, np.ones(results.value.shape, dtype=np.bool_), catalogue.input_units(d)))


HOURLY = columns_of([("a", "pm10", hour, float(hour)) for hour in range(24)])


@pytest.mark.parametrize(
    ("within", "extra", "expected"),
    [
        ("mean", {}, 11.5),
        ("minimum", {}, 0.0),
        ("maximum", {}, 23.0),
        ("total", {}, 276.0),
        ("median", {}, 11.5),
        ("percentile", {"percentile": 90}, 20.7),
        ("last", {}, 23.0),
        ("count", {}, 24.0),
        ("share_over", {"threshold": 12}, 0.5),
        ("share_under", {"threshold": 2}, 0.125),
        ("energetic", {}, 10 * math.log10(sum(10 ** (h / 10) for h in range(24)) / 24)),
    ],
)
@pytest.mark.parametrize("step", [None, "PT1H"])
def test_readings_become_one_figure_as_within_says(
    within: str, extra: dict[str, float], expected: float, step: str | None
) -> None:
    catalogue = catalogue_of({"id": "x", "step": step, "inputs": {"q": {"quantity": "pm10", "within": within} | extra}})
    if step and within.startswith("share"):
        expected = round(expected, 6)  # hours are whole: the share of hours is the share of readings
    assert values(catalogue, "x", HOURLY)[0].value == pytest.approx(expected, abs=1e-6)


@pytest.mark.parametrize(
    ("hours", "expected", "count"),
    [([6, 18], 11.5, 12), ([22, 6], (22 + 23 + 0 + 1 + 2 + 3 + 4 + 5) / 8, 8), ([0, 24], 11.5, 24)],
)
def test_only_the_hours_named_count_and_are_expected(hours: list[int], expected: float, count: int) -> None:
    catalogue = catalogue_of({"id": "x", "step": "PT1H", "inputs": {"q": {"quantity": "pm10", "hours": hours}}})
    value = values(catalogue, "x", HOURLY)[0]
    assert (value.value, value.n_valid, value.n_expected, value.coverage) == (expected, count, count, 1.0)


def test_hours_are_those_of_the_clock_on_the_days_of_the_change() -> None:
    catalogue = catalogue_of({"id": "x", "step": "PT1H", "inputs": {"q": {"quantity": "pm10", "hours": [0, 6]}}})
    for first, count in (("2026-03-28T23:00:00Z", 5), ("2026-10-24T22:00:00Z", 7)):
        day = parse_instant(first)
        rows = [("a", "pm10", (day - START) / HOUR + h, 1.0) for h in range(25)]
        results = compute(catalogue, catalogue.get("x"), PRAGUE, [SITE], day, day + HOUR, columns_of(rows),
                          devices_of(a=Grade.REFERENCE))  # fmt: skip
        assert results.n_expected.tolist() == [[count]]


def test_only_the_days_of_the_week_named_count() -> None:
    catalogue = catalogue_of({"id": "x", "step": "PT1H", "inputs": {"q": {"quantity": "pm10", "days": [6, 7]}}})
    rows = [("a", "pm10", float(h), 1.0) for h in range(72)]  # Thursday to Saturday
    found = values(catalogue, "x", columns_of(rows), days=3)
    assert [v.value for v in found] == [None, None, 1.0]
    assert found[0].reason is not None


def test_a_quantity_comes_in_the_unit_that_the_formula_wants() -> None:
    kelvin = catalogue_of({"id": "x", "inputs": {"q": {"quantity": "air_temperature", "unit": "K", "capture": 0}}})
    assert values(kelvin, "x", columns_of([("a", "air_temperature", 0, 20.0)]))[0].value == 293.15
    over = {"quantity": "air_temperature", "unit": "K", "capture": 0, "within": "share_over", "threshold": 293.15}
    share = catalogue_of({"id": "x", "inputs": {"q": over}})
    rows = [("a", "air_temperature", 0, 20.0), ("a", "air_temperature", 1, 19.9)]
    assert values(share, "x", columns_of(rows))[0].value == 0.5


def test_limit_values_take_reference_devices_alone_and_others_are_labelled() -> None:
    catalogue = catalogue_of(
        {"id": "x", "step": "PT1H", "min_grade": "reference", "inputs": {"q": {"quantity": "pm10"}}}
    )
    devices = devices_of(a=Grade.REFERENCE, b=Grade.INFORMATIVE)
    both = [("a", "pm10", float(h), 10.0) for h in range(24)] + [("b", "pm10", float(h), 30.0) for h in range(24)]
    best = values(catalogue, "x", columns_of(both), devices)[0]
    assert (best.value, best.grade) == (10.0, Grade.REFERENCE)
    few = both[:10] + both[24:]  # the reference device has 10 hours: too few, and they are not mixed in
    other = values(catalogue, "x", columns_of(few), devices)[0]
    assert (other.value, other.grade) == (30.0, Grade.INFORMATIVE)
    alone = values(catalogue, "x", columns_of(both[24:]), devices)[0]
    assert (alone.value, alone.grade) == (30.0, Grade.INFORMATIVE)
    assert values(catalogue, "x", columns_of(both[:10]), devices)[0].value is None


def test_a_place_takes_the_newest_figure_entered_for_it_or_above_it() -> None:
    catalogue = catalogue_of(
        {"id": "norm", "formula": "entered", "inputs": {}, "examples": []},
        {"id": "x", "formula": "percentage", "inputs": {
            "part": {"quantity": "pm10", "capture": 0}, "whole": {"indicator": "norm", "carry": True}}},
    )  # fmt: skip

    def entered(place: str, day: int, value: float) -> IndicatorValue:
        start = START + day * 24 * HOUR
        return IndicatorValue(
            indicator="norm",
            place=place,
            start=start,
            end=start + 24 * HOUR,
            period="P1D",
            value=value,
            unit="1",
            status=Status.FINAL,
            definition_version=1,
        )

    rows = columns_of([("a", "pm10", 24.0 * day, 5.0) for day in range(4)])
    known = {"norm": values_of([entered("town", -9, 50.0), entered("town", 1, 20.0), entered("else", 0, 1.0)])}
    assert [v.value for v in values(catalogue, "x", rows, days=3, given=known)] == [10.0, 25.0, 25.0]
    known = {"norm": values_of([entered("town", 0, 50.0), entered(SITE, 2, 5.0)])}
    found = values(catalogue, "x", rows, days=3, given=known)
    assert [v.value for v in found] == [None, None, 100.0]  # a figure of the place itself goes before the town's
    assert found[0].missing == ("whole",)
    assert found[2].n_valid == 1


def test_an_attribute_is_that_of_the_place_or_the_nearest_above() -> None:
    catalogue = catalogue_of({"id": "x", "formula": "percentage", "inputs": {
        "part": {"quantity": "pm10", "capture": 0}, "whole": {"attribute": "population"}}})  # fmt: skip
    rows = columns_of([("a", "pm10", 1.0, 5.0)])
    assert values(catalogue, "x", rows, attributes={"population": {"town": 50.0}})[0].value == 10.0
    assert values(catalogue, "x", rows, attributes={"population": {"town": 50.0, SITE: 5.0}})[0].value == 100.0
    assert values(catalogue, "x", rows)[0].missing == ("whole",)


DAY: dict[str, object] = {"id": "day", "step": "PT1H", "precision": 0, "inputs": {"q": {"quantity": "pm10"}}}


def test_a_year_is_the_mean_of_its_hours_whatever_the_days_make_of_them() -> None:
    days_of = {"indicator": "day", "reduce": "weighted_mean", "capture": 0}
    year: dict[str, object] = {"id": "year", "window": "P1Y", "inputs": {"d": days_of}}
    catalogue = catalogue_of(DAY, year)
    assert catalogue.partials == {"day"}
    rows = [("a", "pm10", float(h), 0.4) for h in range(24)] + [("a", "pm10", 24.0 + h, 9.0) for h in range(6)]
    days = values(catalogue, "day", columns_of(rows), days=2)
    assert [v.value for v in days] == [0.0, None]
    found = values(catalogue, "year", columns_of([]), given={"day": values_of(days)})[0]
    assert found.value == pytest.approx((24 * 0.4 + 6 * 9.0) / 30, abs=1e-6)
    assert (found.n_valid, found.n_expected) == (30, 8760)


@pytest.mark.parametrize(
    ("reduce", "extra", "expected"),
    [("mean", {}, 2.0), ("median", {}, 2.0), ("maximum", {}, 3.0), ("count_under", {"threshold": 2}, 1.0),
     ("count_over", {"threshold": 2}, 1.0), ("share_over", {"threshold": 2}, 2 / 3),
     ("share_under", {"threshold": 1}, 1 / 3), ("percentile", {"percentile": 0}, 1.0), ("total", {}, 6.0)],
)  # fmt: skip
def test_shorter_windows_are_reduced(reduce: str, extra: dict[str, float], expected: float) -> None:
    month: dict[str, object] = {
        "id": "month",
        "window": "P1M",
        "inputs": {"d": {"indicator": "day", "reduce": reduce, "capture": 0} | extra},
    }
    catalogue = catalogue_of(DAY, month)
    rows = [("a", "pm10", 24.0 * day + h, day + 1.0) for day in range(3) for h in range(24)]
    days = values_of(values(catalogue, "day", columns_of(rows), days=3))
    assert values(catalogue, "month", columns_of([]), given={"day": days})[0].value == pytest.approx(expected, abs=1e-6)


@pytest.mark.parametrize(
    ("spatial", "expected"),
    [("mean", 15.0), ("worst", 20.0), ("total", 30.0), ("population_weighted", 12.5),
     ("energetic", 10 * math.log10((10 + 100) / 2))],
)  # fmt: skip
def test_an_indicator_rolls_up_to_the_part_and_the_city(spatial: str, expected: float) -> None:
    catalogue = catalogue_of(DAY | {"direction": "lower_is_better", "precision": 6, "roll_up": {
        "part": {"spatial": spatial}, "municipality": {"spatial": "mean"}}})  # fmt: skip
    two = devices_of(a=Grade.REFERENCE, b=Grade.REFERENCE)
    two["b"] = Device(id="b", connector="c", external_id="b", interval=3600, mountings=(Mounting("town/part/two", 0),))
    rows = [(d, "pm10", float(h), v) for d, v in (("a", 10.0), ("b", 20.0)) for h in range(24)]
    sites = values_of(values(catalogue, "day", columns_of(rows), two, places=(SITE, "town/part/two")))
    people = {"population": {SITE: 300.0, "town/part/two": 100.0}}
    part = values(catalogue, "day_part", columns_of([]), places=("town/part",), given={"day": sites}, attributes=people)
    assert part[0].value == pytest.approx(expected, abs=1e-6)
    assert set(part[0].components) == {SITE, "town/part/two"}
    city = values(catalogue, "day_city", columns_of([]), places=("town",), given={"day_part": values_of(part)})
    assert city[0].value == pytest.approx(expected, abs=1e-6)


@pytest.mark.parametrize(
    ("measure", "flags", "expected"), [("capture", 1, 50.0), ("suspect_share", 3, 100.0), ("silent_devices", 1, 1.0)]
)
def test_how_readings_came_is_a_figure_too(measure: str, flags: int, expected: float) -> None:
    catalogue = catalogue_of({"id": "x", "inputs": {"q": {"quantity": "*", "measure": measure, "capture": 0}}})
    rows = [("a", q, float(h), 1.0) for h in range(24) for q in ("pm10", "no2")]
    value = values(catalogue, "x", columns_of(rows, flags), devices_of(a=Grade.REFERENCE, b=Grade.REFERENCE))[0]
    assert value.value == expected


def test_a_running_mean_reaches_into_the_day_before() -> None:
    catalogue = catalogue_of({"id": "x", "step": "PT1H", "formula": "value", "capture": 0.75, "inputs": {
        "q": {"quantity": "pm10", "profile": True, "before": "PT7H"}}})  # fmt: skip
    rows = columns_of([("a", "pm10", float(h), float(h)) for h in range(-10, 24)])
    d = catalogue.get("x")
    over = grid(PRAGUE, PRAGUE.edges(START, START + HOUR, d.window), d.step, d.inputs["q"], d.window)
    kind = catalogue.kinds["pm10"]
    cells = input_cells(rows, mounted(devices_of(a=Grade.REFERENCE), [SITE]), d.inputs["q"], kind, over, d.flags, 0.75)
    assert cells.profile is not None
    assert cells.hour is not None
    assert cells.profile[0, 0].tolist() == list(range(-7, 24))
    assert cells.hour[0].tolist() == [*range(17, 24), *range(24)]
    assert (cells.lead, cells.n_valid[0, 0], cells.n_expected[0, 0]) == (7, 24, 24)


def test_a_column_may_have_an_alias_or_the_name_of_its_quantity() -> None:
    item = {"quantity": "air_temperature", "unit": "K", "aliases": ["tdb"]}
    catalogue = catalogue_of({"id": "x", "inputs": {"t": item}})
    for column in ("t", "tdb", "air_temperature"):
        found = evaluate(catalogue, "x", read_table(f"{column}\n290"), PRAGUE)[0].value
        assert found.value == 290.0  # without times figures are in the unit that the input declares
    timed = evaluate(catalogue, "x", read_table("date,air_temperature\n2026-06-11,20"), PRAGUE)[0].value
    assert timed.value == 293.15
    declared = evaluate(catalogue, "x", read_table("date,tdb\n2026-06-11,290"), PRAGUE)[0].value
    assert declared.value == 290.0


def test_a_table_with_times_may_carry_a_norm_beside_readings() -> None:
    catalogue = catalogue_of(
        {"id": "norm", "formula": "entered", "inputs": {}, "examples": []},
        {"id": "x", "formula": "percentage", "inputs": {
            "part": {"quantity": "pm10", "capture": 0}, "whole": {"indicator": "norm", "carry": True}}},
    )  # fmt: skip
    found = evaluate(catalogue, "x", read_table("date,part,whole\n2026-06-11,20,80\n2026-06-12,20,40"), PRAGUE)
    assert [one.value.value for one in found] == [25.0, 50.0]


def test_one_quantity_may_go_in_twice() -> None:
    catalogue = catalogue_of({"id": "x", "formula": "percentage", "step": "PT1H", "inputs": {
        "part": {"quantity": "pm10", "within": "minimum"}, "whole": {"quantity": "pm10", "within": "maximum"}},
        "capture": 0.05})  # fmt: skip
    table = read_table("time,pm10\n2026-06-11T10:00+02:00,20\n2026-06-11T12:00+02:00,80")
    assert evaluate(catalogue, "x", table, PRAGUE)[0].value.value == 25.0


def test_a_register_read_at_midnight_belongs_to_the_day_that_ends() -> None:
    catalogue = catalogue_of({"id": "x", "inputs": {"q": {"quantity": "water_volume", "capture": 0}}})
    rows = [("a", "water_volume", 24.0 * day, 100.0 + 10 * day) for day in range(4)]
    assert [v.value for v in values(catalogue, "x", columns_of(rows), days=3)] == [10.0, 10.0, 10.0]


def test_devices_may_be_added_up_and_a_silent_one_makes_the_sum_a_lower_bound() -> None:
    item = {"quantity": "pedestrian_count", "devices": "total"}
    catalogue = catalogue_of({"id": "x", "step": "PT1H", "inputs": {"q": item}})
    doors = devices_of(a=Grade.REFERENCE, b=Grade.REFERENCE)
    both = [(door, "pedestrian_count", float(h), 2.0) for h in range(24) for door in ("a", "b")]
    whole = values(catalogue, "x", columns_of(both), doors)[0]
    assert (whole.value, whole.lower_bound, whole.coverage) == (96.0, False, 1.0)
    quiet = values(catalogue, "x", columns_of([row for row in both if row[0] == "a" or row[2] < 20]), doors)[0]
    assert (quiet.value, quiet.lower_bound) == (88.0, True)
    before = [row for row in both if row[0] == "a"] + [("b", "pedestrian_count", -1.0, 2.0)]
    assert values(catalogue, "x", columns_of(before), doors)[0].lower_bound  # it spoke an hour before the day


def test_other_devices_of_the_site_have_no_part_in_a_sum() -> None:
    item = {"quantity": "pedestrian_count", "devices": "total"}
    catalogue = catalogue_of({"id": "x", "step": "PT1H", "inputs": {"q": item}})
    rows = [("a", "pedestrian_count", float(h), 2.0) for h in range(24)]
    rows += [("b", "pm10", float(h), 2.0) for h in range(24)]
    value = values(catalogue, "x", columns_of(rows), devices_of(a=Grade.REFERENCE, b=Grade.REFERENCE))[0]
    assert (value.value, value.lower_bound, value.coverage, value.n_expected) == (48.0, False, 1.0, 24)


def test_a_total_with_missing_hours_is_a_lower_bound() -> None:
    catalogue = catalogue_of({"id": "x", "step": "PT1H", "inputs": {"q": {"quantity": "precipitation"}}})
    rows = [("a", "precipitation", float(h), 1.0) for h in range(20)]
    value = values(catalogue, "x", columns_of(rows))[0]
    assert (value.value, value.lower_bound) == (20.0, True)
