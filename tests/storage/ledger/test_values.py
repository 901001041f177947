# SPDX-License-Identifier: EUPL-1.2
"""Values as the port promises them, on both databases."""

import itertools
from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from hub.core.errors import Invalid
from hub.core.indicators import Component, IndicatorValue, Status
from hub.core.ports import ValueQuery
from hub.storage.ledger import Ledger
from tests.storage.ledger.samples import FULL, HOUR, final, value

KEY = ("i", "havirov", 0)


def put(ledger: Ledger, *values: IndicatorValue) -> Sequence[IndicatorValue]:
    return ledger.values.commit([(v, v.end) for v in values], {})


def brief(values: Sequence[IndicatorValue]) -> list[tuple[str, str, int]]:
    return [(v.indicator, v.place, v.start // HOUR) for v in values]


def test_a_value_comes_back_bit_by_bit(ledger: Ledger) -> None:
    (stored,) = put(ledger, FULL)
    assert ledger.values.values(ValueQuery()) == [replace(FULL, seq=stored.seq)]
    assert list(ledger.values.current([("eaqi_2024", "havirov/mesto/thara", FULL.start)]).values()) == [stored]


def test_an_insufficient_value_comes_back_as_none_with_its_reason(ledger: Ledger) -> None:
    put(ledger, value(number=None))
    (found,) = ledger.values.values(ValueQuery())
    assert (found.value, found.status, found.reason) == (None, Status.INSUFFICIENT, "coverage below 75 %")


def test_numpy_numbers_are_stored_as_numbers(ledger: Ledger) -> None:
    start: Any = np.int64(0)
    eight: Any = np.int64(8)
    parts = {"pm10": Component(value=np.float64(0.5), n_valid=eight)}
    odd = value(
        start=start, number=np.float64(2.5), n_valid=eight, band=eight, components=parts, closed=np.bool_(False)
    )
    put(ledger, odd)
    plain = value(number=2.5, n_valid=8, band=8, components={"pm10": Component(value=0.5, n_valid=8)}, seq=1)
    assert ledger.values.current([("i", "havirov", start)]) == {KEY: plain}


def test_revision_0_overwrites_in_place(ledger: Ledger) -> None:
    put(ledger, value(number=1.0))
    put(ledger, value(number=2.0))
    assert [v.value for v in ledger.values.revisions(*KEY)] == [2.0]


def test_higher_revisions_are_kept_beside_lower_ones_and_only_the_newest_is_served(ledger: Ledger) -> None:
    put(ledger, value(number=1.0))
    put(ledger, final(2.0, revision=1))
    put(ledger, final(3.0, revision=2))
    assert [(v.revision, v.value) for v in ledger.values.revisions(*KEY)] == [(0, 1.0), (1, 2.0), (2, 3.0)]
    assert [v.value for v in ledger.values.values(ValueQuery())] == [3.0]
    assert ledger.values.current([KEY])[KEY].value == 3.0


def test_revisions_of_one_window_may_come_in_one_commit(ledger: Ledger) -> None:
    stored = put(ledger, value(number=1.0), value(number=1.5), final(2.0, revision=1), final(3.0, revision=2))
    assert [v.seq for v in stored] == [1, 2, 3, 4]
    assert [(v.revision, v.value, v.seq) for v in ledger.values.revisions(*KEY)] == [
        (0, 1.5, 2),
        (1, 2.0, 3),
        (2, 3.0, 4),
    ]


@pytest.mark.parametrize("late", [value(number=9.0), final(9.0, revision=1), final(9.0, revision=2)])
def test_a_published_revision_is_never_replaced_silently(ledger: Ledger, late: IndicatorValue) -> None:
    put(ledger, final(2.0, revision=2))
    with pytest.raises(Invalid, match=r"i at havirov from 0: .* cannot replace revision 2"):
        ledger.values.commit([(value(hour=5), HOUR), (late, HOUR)], {"touch:0": 7})
    assert [(v.revision, v.value) for v in ledger.values.values(ValueQuery())] == [(2, 2.0)]
    assert ledger.values.cursor("touch:0") == 0


def test_a_commit_repeated_because_its_confirmation_was_lost_is_accepted(ledger: Ledger) -> None:
    for computed_at in (1, 2):
        put(ledger, replace(FULL, computed_at=computed_at))
    assert [(v.revision, v.computed_at) for v in ledger.values.values(ValueQuery())] == [(1, 2)]


def test_a_refused_commit_uses_up_no_number_of_the_change_feed(ledger: Ledger) -> None:
    put(ledger, final(2.0, revision=2))
    with pytest.raises(Invalid):
        put(ledger, value(number=9.0))
    assert [v.seq for v in put(ledger, value(hour=1))] == [2]


BAD = {
    "window": (value(end=0), "not after its start"),
    "no value but final": (value(number=None, status=Status.FINAL), "status final does not go with value None"),
    "value but insufficient": (value(status=Status.INSUFFICIENT), "status insufficient_data does not go with value 1"),
    "no reason": (value(number=None, reason=None), "no value and no reason"),
    "nan": (value(number=float("nan")), "NaN or infinite"),
    "infinite score": (value(score=float("inf")), "NaN or infinite"),
    "nan part": (value(components={"pm10": Component(value=float("nan"))}), "NaN or infinite"),
    "too large": (value(n_valid=2**70), "cannot be stored|does not fit"),
    "surrogate": (value(unit="\ud800"), "cannot be stored"),
}


@pytest.mark.parametrize(("bad", "message"), BAD.values(), ids=BAD)
def test_a_value_that_makes_no_sense_is_refused_with_all_that_comes_with_it(
    ledger: Ledger, bad: IndicatorValue, message: str
) -> None:
    with pytest.raises(Invalid, match=message):
        put(ledger, value(hour=7), bad)
    assert ledger.values.values(ValueQuery()) == []


PLACES = ("a", "a-b", "a/b", "a/b/c", "a/b0", "a/bxc", "a/b_c", "a/b_c/d", "a0", "ab", "b")
QUERIES = {
    "one place": (ValueQuery(place="a/b"), {"a/b"}),
    "everything below a municipality": (
        ValueQuery(place="a", below=True),
        {"a", "a/b", "a/b/c", "a/b0", "a/bxc", "a/b_c", "a/b_c/d"},
    ),
    "_ is a letter, no wildcard": (ValueQuery(place="a/b_c", below=True), {"a/b_c", "a/b_c/d"}),
    "% is a letter, no wildcard": (ValueQuery(place="a/%", below=True), set()),
    "no such place": (ValueQuery(place="z", below=True), set()),
    "another indicator": (ValueQuery(indicator="j", place="a", below=True), set()),
    "any place": (ValueQuery(indicator="i"), set(PLACES)),
}


@pytest.mark.parametrize(("query", "expected"), QUERIES.values(), ids=QUERIES)
def test_places_are_found_by_their_path(ledger: Ledger, query: ValueQuery, expected: set[str]) -> None:
    put(ledger, *(value(place=place) for place in PLACES))
    found = [v.place for v in ledger.values.values(query)]
    assert found == sorted(expected)


def test_values_come_in_order_of_start_indicator_place_and_within_the_half_open_range(ledger: Ledger) -> None:
    grid = [value(i, p, h) for i in "ji" for p in ("b", "a") for h in (3, 1, 2, 0)]
    put(ledger, *grid)
    expected = sorted((h, i, p) for i in "ij" for p in "ab" for h in (1, 2))
    found = brief(ledger.values.values(ValueQuery(start=HOUR, end=3 * HOUR)))
    assert found == [(i, p, h) for h, i, p in expected]
    assert brief(ledger.values.values(ValueQuery(start=HOUR, end=3 * HOUR, limit=3))) == found[:3]


def test_latest_gives_the_newest_window_of_each_indicator_and_place(ledger: Ledger) -> None:
    put(ledger, *(value("i", "a", h) for h in range(5)), *(value("i", "b", h) for h in range(3)), value("j", "a", 1))
    newest = brief(ledger.values.values(ValueQuery(latest=True)))
    assert newest == [("j", "a", 1), ("i", "b", 2), ("i", "a", 4)]
    assert brief(ledger.values.values(ValueQuery("i", latest=True, end=2 * HOUR))) == [("i", "a", 1), ("i", "b", 1)]
    assert brief(ledger.values.values(ValueQuery(latest=True, start=3 * HOUR))) == [("i", "a", 4)]


def test_the_change_feed_shows_each_window_once_at_its_newest_number(ledger: Ledger) -> None:
    put(ledger, value(hour=0), value(hour=1), value(hour=2))
    put(ledger, value(hour=1, number=5.0))
    feed = ledger.values.values(ValueQuery(after_seq=0))
    assert [(v.start // HOUR, v.seq) for v in feed] == [(0, 1), (2, 3), (1, 4)]
    assert [v.seq for v in ledger.values.values(ValueQuery(after_seq=1, limit=1))] == [3]
    assert ledger.values.values(ValueQuery(after_seq=4)) == []


def test_due_values_are_the_open_ones_whose_time_has_come_longest_waiting_first(ledger: Ledger) -> None:
    ledger.values.commit([(value(hour=0), 30), (value(hour=1), 10), (value(hour=2), 31), (final(hour=3), 5)], {})
    assert [v.start // HOUR for v in ledger.values.due(30, 10)] == [1, 0]
    assert [v.start // HOUR for v in ledger.values.due(30, 1)] == [1]
    put(ledger, final(hour=1))
    assert [v.start // HOUR for v in ledger.values.due(30, 10)] == [0]


def test_dropped_windows_are_gone_with_their_revisions_and_may_begin_again(ledger: Ledger) -> None:
    put(ledger, value(), value(hour=1))
    put(ledger, final(revision=1))
    ledger.values.commit([(value(number=7.0), HOUR)], {}, [KEY, ("i", "nowhere", 0)])
    assert [(v.revision, v.value) for v in ledger.values.revisions(*KEY)] == [(0, 7.0)]
    ledger.values.commit([], {}, [KEY])
    assert brief(ledger.values.values(ValueQuery())) == [("i", "havirov", 1)]


def test_cursors_begin_at_0_and_move_with_their_commit(ledger: Ledger) -> None:
    assert ledger.values.cursor("touch:0") == 0
    ledger.values.commit([], {"touch:0": 5, "sink:influx": 2**62})
    ledger.values.commit([], {"touch:0": 3})
    assert (ledger.values.cursor("touch:0"), ledger.values.cursor("sink:influx")) == (3, 2**62)


def test_an_empty_commit_and_an_empty_look_up_do_nothing(ledger: Ledger) -> None:
    assert ledger.values.commit([], {}) == ()
    assert ledger.values.current([]) == {}
    assert ledger.values.revisions(*KEY) == []


def test_current_finds_thousands_of_windows_at_once_and_leaves_out_those_that_are_not_there(ledger: Ledger) -> None:
    many = [value(place=f"p{p}", hour=h, number=float(h)) for p in range(4) for h in range(1000)]
    put(ledger, *many)
    keys = [(v.indicator, v.place, v.start) for v in many]
    found = ledger.values.current([*keys, ("i", "p0", -1), ("i", "nowhere", 0)])
    assert set(found) == set(keys)
    assert all(found[key].value == key[2] / HOUR for key in keys)


# A model: the ledger is a dict of lists.

windows = st.tuples(st.sampled_from(["i", "j"]), st.sampled_from(["a", "a/b", "a/c", "ab"]), st.integers(0, 3))
steps = st.lists(
    st.tuples(windows, st.integers(0, 2), st.one_of(st.none(), st.floats(-9, 9)), st.booleans()), min_size=1, max_size=6
)
queries = st.builds(
    ValueQuery,
    indicator=st.sampled_from([None, "i", "j"]),
    place=st.sampled_from([None, "a", "a/b", "x"]),
    start=st.one_of(st.none(), st.integers(0, 4).map(lambda h: h * HOUR)),
    end=st.one_of(st.none(), st.integers(0, 4).map(lambda h: h * HOUR)),
    below=st.booleans(),
    latest=st.booleans(),
    after_seq=st.one_of(st.none(), st.integers(0, 8)),
    limit=st.one_of(st.none(), st.integers(0, 5)),
    as_of=st.none(),  # test_as_of has the rule of the past
)
Model = dict[tuple[str, str, int], list[IndicatorValue]]


def model_commit(model: Model, values: Sequence[IndicatorValue]) -> None:
    for new in values:
        kept = model.setdefault((new.indicator, new.place, new.start), [])
        if kept and kept[-1].revision == new.revision:
            kept.pop()
        kept.append(new)


def model_values(model: Model, q: ValueQuery) -> list[IndicatorValue]:
    def at(place: str) -> bool:
        return q.place is None or place == q.place or (q.below and place.startswith(f"{q.place}/"))

    found = [
        v
        for (indicator, place, start), kept in model.items()
        for v in kept[-1:]
        if q.indicator in {None, indicator} and at(place)
        if (q.start is None or start >= q.start) and (q.end is None or start < q.end)
    ]
    if q.latest:
        newest = {(v.indicator, v.place): v for v in sorted(found, key=lambda v: v.start)}
        found = list(newest.values())
    if q.after_seq is not None:
        return sorted((v for v in found if v.seq > q.after_seq), key=lambda v: v.seq)[: q.limit]
    return sorted(found, key=lambda v: (v.start, v.indicator, v.place))[: q.limit]


def as_values(batch: Sequence[tuple[tuple[str, str, int], int, float | None, bool]]) -> list[IndicatorValue]:
    return [value(*window, number, revision=revision, closed=closed) for window, revision, number, closed in batch]


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(batches=st.lists(steps, max_size=5), asked=st.lists(queries, min_size=1, max_size=6))
def test_the_ledger_says_what_a_dict_of_lists_says(
    ledger: Ledger, batches: list[list[tuple[tuple[str, str, int], int, float | None, bool]]], asked: list[ValueQuery]
) -> None:
    """For any commits, accepted or refused, and any query; each example begins with an empty ledger."""
    everything = ledger.values.values(ValueQuery())
    base = max((v.seq for v in everything), default=0)
    ledger.values.commit([], {}, [(v.indicator, v.place, v.start) for v in everything])
    model: Model = {}
    for batch in batches:
        given_values = as_values(batch)
        try:
            stored = put(ledger, *given_values)
        except Invalid:
            assert any(conflict(model, given_values))
        else:
            assert not any(conflict(model, given_values))
            model_commit(model, stored)
    for query in asked:
        moved = query if query.after_seq is None else query._replace(after_seq=query.after_seq + base)
        assert ledger.values.values(moved) == model_values(model, moved)
    for (indicator, place, start), kept in model.items():
        assert ledger.values.revisions(indicator, place, start) == kept
    opened = {key for key, kept in model.items() if not kept[-1].closed}
    assert {(v.indicator, v.place, v.start) for v in ledger.values.due(5 * HOUR, 100)} == opened


def conflict(model: Model, values: Sequence[IndicatorValue]) -> list[bool]:
    """Whether each value would replace what is published."""
    newest = {key: kept[-1] for key, kept in model.items()}
    found = []
    for new in values:
        key = (new.indicator, new.place, new.start)
        old = newest.get(key)
        worse = old is not None and (
            new.revision < old.revision or (new.revision == old.revision > 0 and not new.same_result(old))
        )
        found.append(worse)
        newest[key] = new
    return found


def test_numbers_of_the_change_feed_follow_the_order_given(ledger: Ledger) -> None:
    stored = [v for h in range(0, 9, 3) for v in put(ledger, *(value(hour=h + i) for i in range(3)))]
    assert [v.seq for v in stored] == list(itertools.islice(itertools.count(1), 9))
