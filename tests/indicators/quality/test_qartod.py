# SPDX-License-Identifier: EUPL-1.2
"""The tests of QARTOD give the flags that ioos_qc 3.0 gives; cases computed by it or taken from its documentation."""

import csv
import json
from pathlib import Path

import numpy as np
import pytest

from hub.core.errors import Invalid
from hub.core.readings import NS
from hub.indicators.quality.qartod import alone, begins, flat_for, flat_line, gross_range, rate_of_change, spike, worst
from hub.indicators.quality.trial import run_test

NAN = float("nan")

# test, params, values, seconds between readings, flags of ioos_qc
AGREED = (
    ("gross_range", {"fail_span": [10, 50], "suspect_span": [20, 40]}, [9.9, 10, 20, 40, 50, 50.1, NAN],
     1, [4, 3, 1, 1, 3, 4, 9]),
    ("gross_range", {"fail_span": [50, 10]}, [9, 30, 51], 1, [4, 1, 4]),
    ("spike", {"suspect": 25, "fail": 50}, [10, 12, 999.99, 13, 15, 40, 9, 9], 1, [2, 4, 4, 4, 1, 3, 1, 2]),
    ("spike", {"suspect": 25, "fail": 50, "method": "differential"}, [10, 12, 999.99, 13, 15, 40, 9, 9],
     1, [2, 1, 4, 1, 1, 1, 1, 2]),
    ("spike", {"suspect_threshold": 1, "fail_threshold": 2}, [1, NAN, 1, 9, 1, 1], 1, [2, 9, 2, 4, 4, 2]),
    ("spike", {"suspect": 1, "fail": 2, "method": "differential"}, [1, NAN, 1, 9, 1, 1], 1, [2, 9, 2, 4, 1, 2]),
    ("spike", {"fail": 2}, [1, 9, 1], 1, [2, 4, 2]),
    ("spike", {"suspect": 4, "fail": 8}, [1, 5, 1, 9, 1], 1, [2, 1, 3, 3, 2]),
    ("spike", {"suspect": 0, "fail": 4}, [1, 2, 1, 9, 1], 1, [2, 1, 4, 4, 2]),
    ("spike", {"suspect": 1, "fail": 2}, [1, 9], 1, [2, 2]),
    ("rate_of_change", {"threshold": 1 / 60}, [1, 5, NAN, 7000, 8, NAN, NAN, 100], 60, [1, 3, 9, 1, 3, 9, 9, 1]),
    ("rate_of_change", {"threshold": 1, "fail_threshold": 2}, [0, 60, 180, 181, 400], 60, [1, 1, 3, 1, 4]),
    ("flat_line", {"suspect_threshold": 3, "fail_threshold": 5, "tolerance": 0.1}, [5] * 6, 1, [1, 1, 1, 3, 3, 4]),
    ("flat_line", {"suspect_threshold": 3, "fail_threshold": 6, "tolerance": 4}, [1, 1, 1, 1, 1, 6, 5, 4, 3, 2],
     1, [1, 1, 1, 3, 3, 1, 1, 1, 3, 3]),
    ("flat_line", {"suspect": 120, "fail": 240, "tolerance": 0.1}, [1, 1, 1, NAN, 1, 1, 1, 1],
     60, [1, 1, 3, 9, 4, 4, 4, 4]),
    ("flat_line", {"suspect": 10, "fail": 120, "tolerance": 0.1}, [1, 1, 1], 60, [3, 3, 4]),
    ("flat_line", {"suspect": 60, "fail": 120, "tolerance": 0.1}, [1, NAN], 60, [1, 1]),
    ("flat_line", {"suspect": 120, "fail": 120}, [1, 1, 1, 1], 60, [1, 1, 1, 1]),
)  # fmt: skip


@pytest.mark.parametrize(("test", "params", "values", "seconds", "expected"), AGREED)
def test_flags_are_those_of_ioos_qc(
    test: str, params: dict[str, object], values: list[float], seconds: int, expected: list[int]
) -> None:
    time = np.arange(len(values), dtype=np.int64) * seconds * NS
    assert run_test(test, params, np.array(values), time).tolist() == expected


def test_published_vectors(shared: Path) -> None:
    """Every row of the table of cases beside the project."""
    lines = (shared / "vectors/qartod_part.csv").read_text().splitlines()
    rows = list(csv.DictReader(line for line in lines if not line.startswith("#")))
    assert rows
    for row in rows:
        values = np.array(json.loads(row["values_json"]), dtype=np.float64)
        found = run_test(row["test"], json.loads(row["params_json"]), values, None)
        assert found.tolist() == json.loads(row["expected_flags_json"])


@pytest.mark.parametrize(
    ("test", "params", "named"),
    [
        ("spikes", {}, "test"),
        ("spike", {"suspect": 1, "fale": 2}, "fale"),
        ("spike", {"suspect": -1}, "suspect"),
        ("spike", {}, "suspect"),
        ("spike", {"suspect": 1, "method": "median"}, "method"),
        ("gross_range", {"fail_span": [1]}, "fail_span"),
        ("gross_range", {"fail_span": [10, 50], "suspect_span": [5, 40]}, "suspect_span"),
        ("rate_of_change", {"threshold": "fast"}, "threshold"),
        ("flat_line", {"tolerance": 1}, "suspect"),
    ],
)
def test_wrong_parameters_are_named(test: str, params: dict[str, object], named: str) -> None:
    with pytest.raises(Invalid) as error:
        run_test(test, params, np.array([1.0, 2, 3]), None)
    assert error.value.where == named


def test_several_tests_give_the_flag_that_ioos_qc_gives() -> None:
    """Fail, suspect, good, not evaluated, missing: the first of these that any test gave."""
    vectors = [np.array(v, dtype=np.uint8) for v in ([1, 1, 2, 9, 2, 3, 9], [2, 4, 2, 9, 9, 1, 3])]
    assert worst(vectors).tolist() == [1, 4, 2, 9, 2, 3, 3]


def test_series_laid_end_to_end_do_not_see_each_other() -> None:
    series, time = np.array([0, 0, 0, 1, 1, 1]), np.array([0, 1, 2, 0, 1, 2]) * NS
    first = begins(series, time, None)
    values = np.array([1.0, 9, 1, 500, 509, 500])
    assert spike(values, first, 2, None).tolist() == [2, 3, 2, 2, 3, 2]
    assert rate_of_change(time, values, first, 10).tolist() == [1] * 6
    assert flat_for(time, np.full(6, 7.0), first, 0.1, {}, 1).tolist() == [1] * 6


def test_neighbours_beyond_the_reach_tell_nothing() -> None:
    time = np.array([0, 1, 2, 100, 101, 102]) * NS
    first = begins(np.zeros(6, dtype=np.int64), time, 10 * NS)
    assert spike(np.array([1.0, 1, 9, 1, 9, 1]), first, 2, None).tolist() == [2, 3, 2, 2, 3, 2]
    assert rate_of_change(time, np.array([0.0, 0, 0, 99, 0, 0]), first, 0.5).tolist() == [1, 1, 1, 1, 3, 1]


def test_flat_for_is_flat_line_on_readings_at_equal_distances() -> None:
    random = np.random.default_rng(7)
    for _ in range(60):
        n = int(random.integers(3, 60))
        values = np.round(np.repeat(random.normal(size=n), random.integers(1, 9, n))[:n], 1)
        time = np.arange(n, dtype=np.int64) * 60 * NS
        suspect, fail = 60 * np.sort(random.integers(2, 9, 2))
        wanted = flat_line(time, values, 0.15, suspect, fail)
        found = flat_for(time, values, alone(n), 0.15, {3: suspect * NS, 4: fail * NS}, 1)  # type: ignore[dict-item] # plain numbers of flags
        assert found.tolist() == wanted.tolist()


def test_a_gap_ends_a_flat_line_and_few_readings_are_none() -> None:
    time = np.array([0, 60, 120, 180, 900, 960]) * NS
    first = begins(np.zeros(6, dtype=np.int64), time, 120 * NS)
    durations = {3: 120 * NS}
    flat = flat_for(time, np.ones(6), first, 0.1, durations, 3)  # type: ignore[arg-type] # plain numbers of flags
    assert flat.tolist() == [1, 1, 3, 3, 1, 1]
    assert flat_for(time, np.ones(6), first, 0.1, durations, 4).tolist() == [1, 1, 1, 1, 1, 1]  # type: ignore[arg-type] # as above


def test_flat_line_refuses_readings_that_it_cannot_count() -> None:
    with pytest.raises(Invalid, match="second"):
        flat_line(np.arange(4, dtype=np.int64), np.ones(4), 0.1, 1, 2)


def test_nothing_gives_nothing() -> None:
    none, at = np.empty(0), np.empty(0, dtype=np.int64)
    assert not len(gross_range(none, (0, 1)))
    assert not len(spike(none, alone(0), 1, 2))
    assert not len(rate_of_change(at, none, alone(0), 1))
    assert not len(flat_line(at, none, 0.1, 1, 2))
    assert not len(flat_for(at, none, alone(0), 0.1, {}))
