# SPDX-License-Identifier: EUPL-1.2
"""Values and digests as columns say what the objects say, on both databases."""

import math

import pytest

from hub.core.indicators import IndicatorValue
from hub.core.ports import ValueQuery
from hub.storage.ledger import Ledger
from tests.storage.ledger.samples import HOUR, final, value

PLACES = ("havirov", "havirov/mesto", "havirov/mesto/thara", "havirov/mesto0", "havirov/mestox/b")


@pytest.fixture
def stored(ledger: Ledger) -> list[IndicatorValue]:
    """Hours of some places, out of order, and another indicator beside them."""
    values = [
        value("i", place, hour, 1.5 * n + hour, n_valid=n, coverage=None if n % 2 else 0.5, lower_bound=n == 2,
              details={"partial": 7.25, "n": 41.0} if hour == 1 else {}, digest=(-1) ** n * (2**62 + n + hour))
        for n, place in enumerate(reversed(PLACES)) for hour in (2, 0, 1)
    ]  # fmt: skip
    values += [value("i", "havirov", 3, None), final(4, digest=-(2**63)), value("other", "havirov", 0, 9.0)]
    ledger.values.commit([(v, v.end) for v in values], {})
    return values


@pytest.mark.parametrize(
    ("places", "below"), [(None, False), (["havirov/mesto"], True), (["havirov/mesto", "nowhere"], False), ([], False)]
)
def test_columns_are_the_values_in_order_of_place_and_start(
    ledger: Ledger, stored: list[IndicatorValue], places: list[str] | None, below: bool
) -> None:
    found = ledger.values.columns("i", places, HOUR, 5 * HOUR, below)
    expected: list[IndicatorValue] = []
    for place in [None] if places is None else places:
        expected += ledger.values.values(ValueQuery("i", place, HOUR, 5 * HOUR, below=below))
    expected.sort(key=lambda v: (v.place, v.start))
    assert [found.places[p] for p in found.place] == [v.place for v in expected]
    assert found.start.tolist() == [v.start for v in expected]
    assert [None if math.isnan(x) else x for x in found.value.tolist()] == [v.value for v in expected]
    assert found.unknown.tolist() == [v.coverage is None for v in expected]
    assert found.lower_bound.tolist() == [v.lower_bound for v in expected]
    assert found.n.tolist() == [v.details.get("n", v.n_valid) for v in expected]
    assert [v.details.get("partial", v.value) for v in expected] == [
        None if math.isnan(x) else x for x in found.partial
    ]
    assert found.origin.tolist() == [int(v.origin) for v in expected]
    assert found.grade.tolist() == [int(v.grade) for v in expected]


def test_digests_come_back_with_their_sign_and_whether_there_are_any(
    ledger: Ledger, stored: list[IndicatorValue]
) -> None:
    found = ledger.values.digests("i", None, 0, 5 * HOUR)
    rows = zip(found.place, found.start, found.digest, found.known, found.closed, strict=True)
    kept = {(v.place, v.start): v for v in stored if v.indicator == "i"}
    assert len(found.start) == len(kept)
    for place, start, digest, known, closed in rows:
        value = kept[found.places[place], start]
        assert (value.digest, value.closed) == (digest if known else None, closed)
