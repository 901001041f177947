# SPDX-License-Identifier: EUPL-1.2
"""CSV."""

import csv
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.api.tables import Dialect, to_csv


@pytest.mark.parametrize("lead", ["=", "+", "-", "@", "\t", "\r", "\n", "|", "%", "＝"])
@pytest.mark.parametrize("dialect", Dialect)
def test_no_text_begins_as_a_formula(lead: str, dialect: Dialect) -> None:
    text = to_csv(["a"], [[f"{lead}cmd|' /C calc'!A0"]], dialect)
    (_, (cell,)) = csv.reader(io.StringIO(text, newline=""))
    assert cell.startswith(f"'{lead}")


@pytest.mark.parametrize(
    ("cell", "plain", "czech"),
    [
        (-1.5, "-1.5", "-1,5"),
        (0.1 + 0.2, "0.30000000000000004", "0,30000000000000004"),
        (1e-7, "1e-07", "1e-07"),
        (12, "12", "12"),
        (None, "", ""),
        (True, "true", "true"),
        (False, "false", "false"),
        ("a;b", "a;b", '"a;b"'),
        ("a,b", '"a,b"', "a,b"),
        ('a"b', '"a""b"', '"a""b"'),
        ("1.5", "1.5", "1.5"),
    ],
)
def test_cells(cell: str | float | bool | None, plain: str, czech: str) -> None:
    assert to_csv(["a", "b"], [[cell, 0]], Dialect.PLAIN) == f"a,b\r\n{plain},0\r\n"
    assert to_csv(["a", "b"], [[cell, 0]], Dialect.CS) == f"\ufeffa;b\r\n{czech};0\r\n"


@given(st.lists(st.floats(allow_nan=False, allow_infinity=False), min_size=1), st.sampled_from(Dialect))
def test_numbers_survive_exactly(numbers: list[float], dialect: Dialect) -> None:
    text = to_csv(["n"], [[number] for number in numbers], dialect).removeprefix("\ufeff")
    assert [float(line.replace(",", ".")) for line in text.splitlines()[1:]] == numbers
