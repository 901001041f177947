# SPDX-License-Identifier: EUPL-1.2
"""Rows are divided over few statements, all of them, in order, within SQLite's limit of parameters."""

from itertools import chain

import pytest

from hub.core.statements import divided, many_values


@pytest.mark.parametrize("width", [1, 3, 14])
@pytest.mark.parametrize("count", [0, 1, 2, 7, 4096, 25_001, 70_000])
def test_all_rows_go_in_order_in_few_statements(width: int, count: int) -> None:
    rows = [(i,) * width for i in range(count)]
    found = list(divided(rows))
    assert list(chain.from_iterable(values for _, values in found)) == list(chain.from_iterable(rows))
    assert all(len(values) == size * width <= 32_766 for size, values in found)
    assert len(found) <= count * width // 16_384 + 16


def test_the_text_has_a_row_for_each() -> None:
    assert many_values("(?, 1)", 3) == "(?, 1), (?, 1), (?, 1)"
