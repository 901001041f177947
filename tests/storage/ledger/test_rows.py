# SPDX-License-Identifier: EUPL-1.2
"""What a commit does to the rows that are there, without a database."""

import pytest
from msgspec.structs import replace

from hub.core.errors import Invalid
from hub.storage.ledger._rows import check_value, from_row, plan, to_row
from tests.storage.ledger.samples import FULL, HOUR, final, value

NAMES = {1: ("i", "havirov")}


def test_a_row_keeps_everything_of_a_value() -> None:
    row = {**to_row(FULL, 1, 5), "indicator": FULL.indicator, "place": FULL.place}
    assert from_row(row) == FULL


@pytest.mark.parametrize(("closed", "due"), [(False, 5), (True, None)])
def test_only_open_windows_are_ever_due(closed: bool, due: int | None) -> None:
    assert to_row(value(closed=closed), 1, 5)["due_at"] == due


def test_a_new_window_supersedes_nothing() -> None:
    row = to_row(value(), 1, 5)
    assert plan({}, [row], NAMES) == ([row], [])


def test_a_higher_revision_supersedes_the_stored_row_as_it_was() -> None:
    old, new = to_row(value(), 1, 5), to_row(final(), 1, 5)
    newest, superseded = plan({(1, 0): old}, [new], NAMES)
    assert newest == [new]
    assert superseded == [{name: cell for name, cell in old.items() if name != "due_at"}]


def test_windows_of_one_batch_do_not_touch_each_other() -> None:
    rows = [to_row(value(hour=hour), 1, 5) for hour in range(3)]
    assert plan({(1, HOUR): rows[1]}, rows, NAMES) == (rows, [])


def test_the_order_of_components_makes_no_different_result() -> None:
    turned = replace(FULL, components=dict(reversed(list(FULL.components.items()))))
    before, after = to_row(FULL, 1, 5), to_row(turned, 1, 5)
    assert before["components"] != after["components"]
    assert plan({(1, FULL.start): before}, [after], NAMES) == ([after], [])


@pytest.mark.parametrize("change", [{"value": 9.0}, {"missing": ("o3",)}, {"components": {}}, {"band": None}])
def test_an_equal_revision_with_another_result_is_refused(change: dict[str, object]) -> None:
    stored = {(1, FULL.start): to_row(FULL, 1, 5)}
    with pytest.raises(Invalid, match="a different result cannot replace revision 1: raise the revision above 1"):
        plan(stored, [to_row(replace(FULL, **change), 1, 5)], NAMES)


def test_what_is_complete_passes() -> None:
    for good in (FULL, value(), value(number=None), value(number=0.0)):
        check_value(good)
