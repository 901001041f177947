# SPDX-License-Identifier: EUPL-1.2
"""A digest changes with everything that a value is made from, and with nothing else; so does the pace of open rows."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from hub.core.quantities import Quantities
from hub.core.windows import HOUR, Calendar
from hub.indicators.catalogue import Catalogue, load_catalogue
from hub.indicators.cells import Cells
from hub.indicators.combine import Results
from hub.indicators.digest import digests
from hub.indicators.inputs import Values
from hub.indicators.kernel import compute
from hub.indicators.pace import Pace
from hub.indicators.plan import Cause, Marks, words
from hub.indicators.results import materialise
from tests.indicators.fakes import AIR, SITE, FakeStore, device, few, reading

SHAPE = (1, 3)


@pytest.fixture(scope="module")
def catalogue(quantities: Quantities) -> Catalogue:
    return few(load_catalogue(quantities), *AIR)


@pytest.fixture
async def results(catalogue: Catalogue, prague: Calendar) -> Results:
    """Three hours of the index at one site: two pollutants, one, none."""
    store = FakeStore()
    await store.put([reading("a", "pm10", 0, 20.0), reading("a", "no2", 0, 30.0), reading("a", "pm10", HOUR, 50.0)])
    columns = await store.scan([r.series for r in store.rows.values()], 0, 3 * HOUR)
    index = catalogue.get("eaqi_2024")
    return compute(catalogue, index, prague, [SITE], 0, 3 * HOUR, columns, {"a": device("a")})


def changed(matrix: Any) -> Any:
    """The same with another first figure, by the least that it can differ."""
    other = matrix.copy()
    first = other[0, 0]
    if other.dtype == np.float64:
        other[0, 0] = 1.0 if np.isnan(first) else np.nextafter(first, np.inf)
    else:
        other[0, 0] = not first if other.dtype == np.bool_ else first + 1
    return other


def variants(r: Results) -> list[tuple[str, Results]]:
    found = [
        (name, r._replace(**{name: changed(getattr(r, name))}))
        for name in ("value", "band", "score", "n_valid", "n_expected", "coverage", "lower_bound", "origin", "grade")
    ]
    for field in ("value", "available", "seen", "n_valid", "n_expected", "coverage", "origin", "grade"):
        cells: Cells = r.inputs["no2"]
        other = cells._replace(**{field: changed(getattr(cells, field))})
        found.append((f"no2.{field}", r._replace(inputs={**r.inputs, "no2": other})))
    found.append(("used", r._replace(used={**r.used, "no2": changed(r.used["no2"])})))
    found.append(("band of an input", r._replace(input_bands={**r.input_bands, "no2": changed(r.input_bands["no2"])})))
    found.append(("details", r._replace(details={"high": np.zeros(SHAPE)})))
    return found


def test_every_figure_that_a_value_is_made_of_counts(results: Results, catalogue: Catalogue) -> None:
    units = catalogue.input_units(results.definition)
    first = digests(results, units)
    for name, other in variants(results):
        found = digests(other, units)
        assert found[0, 0] != first[0, 0], name
        if name != "details":
            assert (found[0, 1:] == first[0, 1:]).all(), f"{name}: another window's digest changed"


def test_definition_version_and_units_count(results: Results, catalogue: Catalogue) -> None:
    units = catalogue.input_units(results.definition)
    d = results.definition
    newer = results._replace(definition=type(d)(**{f: getattr(d, f) for f in d.__struct_fields__} | {"version": 9}))
    first = digests(results, units)
    assert (digests(newer, units) != first).all()
    assert (digests(results, {**units, "no2": "mg/m3"}) != first).all()


def test_signs_of_zero_and_kinds_of_nan_do_not_count(results: Results, catalogue: Catalogue) -> None:
    units = catalogue.input_units(results.definition)
    odd_nan = np.array([0x7FF8000000000001], dtype=np.uint64).view(np.float64)[0]
    plain = results._replace(details={"x": np.array([[0.0, np.nan, 1.0]])})
    odd = results._replace(details={"x": np.array([[-0.0, odd_nan, 1.0]])})
    assert (digests(plain, units) == digests(odd, units)).all()


@pytest.mark.parametrize(
    "change",
    [
        lambda v: v._replace(value=np.array([5.0, 2.0])),
        lambda v: v._replace(places=["havirov/mesto/thara", "havirov/mesto/zeta"]),
        lambda v: Values(*(v[:1] + tuple(column[:1] for column in v[1:]))),
    ],
)
def test_the_places_below_count_by_name_and_figure(
    results: Results, catalogue: Catalogue, change: Callable[[Values], Values]
) -> None:
    units, two = catalogue.input_units(results.definition), np.zeros(2)
    below = Values(
        ["havirov/mesto/thara", "havirov/mesto/druha"], np.arange(2), np.zeros(2, np.int64), np.array([1.0, 2.0]),
        two > 0, two > 0, two.astype(np.uint8), two.astype(np.uint8), two, two,
    )  # fmt: skip
    city = results._replace(places=["havirov"], below={"x": below})
    turned = Values(below.places[::-1], 1 - below.place, *below[2:])
    assert (digests(city, units) == digests(city._replace(below={"x": turned}), units)).all()
    found = digests(city._replace(below={"x": change(below)}), units) == digests(city, units)
    assert found.tolist() == [[False, True, True]]


def test_a_value_carries_the_digest_of_its_result(results: Results, catalogue: Catalogue) -> None:
    units = catalogue.input_units(results.definition)
    found = digests(results, units)
    values = list(materialise(results, np.ones(SHAPE, np.bool_), units, found))
    assert [value.digest for value in values] == found[0].tolist()


def test_an_open_row_waits_and_a_closed_or_new_one_does_not() -> None:
    pace, key, every = Pace(10), ("i", SITE), np.array([0, 100, 200])
    marks = Marks()
    marks.add(key, every, Cause("late readings", "a"))
    pace.note(key, every, np.array([40, 140, 9]), now=20)  # the last one is closed already
    assert [m.of(key).tolist() for m in pace.split(marks, [key], 29)] == [[200], [0, 100]]
    assert [m.of(key).tolist() for m in pace.split(marks, [key], 30)] == [[0, 100, 200], []]
    pace.note(key, every[:1], np.array([40]), now=35)
    assert [m.of(key).tolist() for m in pace.split(marks, [key], 40)] == [[0, 100, 200], []], "its grace is over"


def test_causes_are_said_once_with_the_first_devices_by_name() -> None:
    late = [Cause("late readings", name) for name in "gfedcba"]
    fix = Cause("correction 12: exclude pm10 of a")
    assert words([*late, fix, *late]) == "correction 12: exclude pm10 of a; late readings of a, b, c, d, e and 2 more"
    assert words([]) == ""
