# SPDX-License-Identifier: EUPL-1.2
"""What was published at a moment, on both databases: against the rule written down plainly, and by index."""

from collections.abc import Iterable, Sequence
from pathlib import Path
from random import Random

import pytest
from msgspec.structs import replace

from hub.core.errors import Invalid
from hub.core.indicators import IndicatorValue
from hub.core.ports import ValueQuery
from hub.storage.ledger import Ledger, sqlite_url
from hub.storage.ledger._as_of import select_as_of
from tests.storage.ledger.samples import HOUR, final, value
from tests.storage.ledger.test_queries import database, plan_of  # noqa: F401 - `database` is a fixture

KEY = ("i", "havirov", 0)


def put(ledger: Ledger, *values: IndicatorValue) -> None:
    ledger.values.commit([(v, v.end) for v in values], {})


def told(values: Iterable[IndicatorValue]) -> list[tuple[str, str, int, int, float | None]]:
    return [(v.indicator, v.place, v.start // HOUR, v.revision, v.value) for v in values]


@pytest.fixture
def revised(ledger: Ledger) -> Ledger:
    """One window: provisional at 10, final at 20, revised at 30 and 40."""
    put(ledger, value(number=0.5, computed_at=10))
    for revision, computed_at in ((1, 20), (2, 30), (3, 40)):
        put(ledger, final(float(revision), revision, computed_at=computed_at))
    return ledger


@pytest.mark.parametrize(
    ("as_of", "revision"), [(9, None), (15, None), (19, None), (20, 1), (29, 1), (30, 2), (39, 2), (40, 3), (2**62, 3)]
)
@pytest.mark.parametrize("latest", [False, True])
def test_the_newest_revision_that_was_published_by_then(
    revised: Ledger, as_of: int, revision: int | None, latest: bool
) -> None:
    """From revision 1 up: what was only provisional was never published."""
    found = revised.values.values(ValueQuery("i", as_of=as_of, latest=latest))
    assert [v.revision for v in found] == ([] if revision is None else [revision])
    assert all(v.value == v.revision and v.computed_at <= as_of for v in found)


def test_a_figure_of_the_past_comes_back_as_it_was(ledger: Ledger) -> None:
    first = final(1.0, computed_at=5, cause=None, details={"p90": 3.5}, missing=("o3",))
    (stored,) = ledger.values.commit([(first, first.end)], {})
    put(ledger, final(2.0, 2, computed_at=9, cause="late readings"))
    assert ledger.values.values(ValueQuery(as_of=8)) == [stored]


def test_the_feed_of_changes_has_no_past(ledger: Ledger) -> None:
    with pytest.raises(Invalid, match="as_of: the feed of changes has no past"):
        ledger.values.values(ValueQuery(after_seq=0, as_of=1))


def test_the_latest_of_a_moment_is_the_newest_window_that_had_begun(ledger: Ledger) -> None:
    """A figure that was entered ahead of its year does not hide the year that runs."""
    put(ledger, *(final(float(h), hour=h, computed_at=(h + 1) * HOUR) for h in range(5)))
    put(ledger, final(9.0, hour=100, computed_at=HOUR), value(hour=5, computed_at=5 * HOUR))
    assert told(ledger.values.values(ValueQuery(latest=True, as_of=4 * HOUR))) == [("i", "havirov", 3, 1, 3.0)]
    assert told(ledger.values.values(ValueQuery(latest=True, as_of=6 * HOUR))) == [("i", "havirov", 4, 1, 4.0)]


QUERIES = {
    "everything": ValueQuery(),
    "one place": ValueQuery("i", "a/b"),
    "below a place": ValueQuery("i", "a", below=True),
    "a stretch": ValueQuery(start=2 * HOUR, end=5 * HOUR),
    "the first few": ValueQuery(limit=5),
    "latest": ValueQuery(latest=True),
    "latest of a stretch": ValueQuery("j", end=4 * HOUR, latest=True),
}


def history(random: Random) -> Sequence[IndicatorValue]:
    """Values in the order in which they are written; several revisions of most windows, some never closed."""
    written, now = [], 0
    todo = [(i, p, h, r) for i in "ij" for p in ("a", "a/b", "a-b") for h in range(5) for r in range(4)]
    random.shuffle(todo)
    reached: dict[tuple[str, str, int], int] = {}
    for indicator, place, hour, most in todo:
        revision = reached.get((indicator, place, hour), -1) + 1
        if revision <= most:
            reached[indicator, place, hour] = revision
            now += random.randint(0, 2) * HOUR // 4
            made = final(float(now), revision) if revision else value(number=float(now))
            written.append(replace(made, indicator=indicator, place=place, start=hour * HOUR,
                                   end=(hour + 1) * HOUR, computed_at=now))  # fmt: skip
    return written


def plainly(written: Sequence[IndicatorValue], query: ValueQuery, as_of: int) -> list[IndicatorValue]:
    """The rule, written down."""
    newest: dict[tuple[int, str, str], IndicatorValue] = {}
    for v in written:
        under = v.place == query.place or (query.below and v.place.startswith(f"{query.place}/"))
        fits = query.indicator in (None, v.indicator) and (query.place is None or under)
        inside = (query.start or 0) <= v.start < (2**62 if query.end is None else query.end)
        begun = v.start <= as_of or not query.latest
        if fits and inside and begun and v.revision >= 1 and v.computed_at <= as_of:
            newest[v.start, v.indicator, v.place] = v
    found = [newest[key] for key in sorted(newest)]
    if query.latest:
        found = sorted(
            {(v.indicator, v.place): v for v in found}.values(), key=lambda v: (v.start, v.indicator, v.place)
        )
    return found[: query.limit]


def test_every_question_about_the_past_is_answered_by_the_rule(ledger: Ledger) -> None:
    written = history(Random(1))
    put(ledger, *written)
    last = written[-1].computed_at
    for name, query in QUERIES.items():
        for as_of in (-1, 0, last // 4, last // 2, last - HOUR, last, 2**62):
            found = ledger.values.values(query._replace(as_of=as_of))
            assert told(found) == told(plainly(written, query, as_of)), f"{name} as of {as_of}"


@pytest.mark.parametrize("query", QUERIES.values(), ids=QUERIES)
def test_no_question_about_the_past_walks_through_all_windows(database: object, query: ValueQuery) -> None:  # noqa: F811 - the fixture
    plan = plan_of(database, select_as_of(query, 5))  # type: ignore[arg-type] # the fixture's connection
    touched = [line for line in plan if "indicator_" in line]
    assert touched
    assert all(line.startswith("SEARCH") and "INDEX" in line for line in touched), plan


def test_the_latest_of_a_moment_long_ago_is_found_in_a_long_series(tmp_path: Path) -> None:
    """With thousands of windows after the moment that was asked for."""
    with Ledger(sqlite_url(tmp_path / "ledger.db")) as ledger:
        ledger.upgrade()
        put(ledger, *(final(1.0, hour=h, computed_at=(h + 1) * HOUR) for h in range(2_000)))
        (found,) = ledger.values.values(ValueQuery("i", "havirov", latest=True, as_of=1_500 * HOUR))
    assert found.start == 1_499 * HOUR


def test_versions_seen_count_what_each_computed(ledger: Ledger) -> None:
    put(ledger, final(1.0, hour=1), final(1.0, hour=2, definition_version=2), value("j", hour=9))
    put(ledger, final(2.0, 2, hour=1, definition_version=2))
    assert ledger.values.versions("i") == [(1, 1, HOUR, HOUR), (2, 2, HOUR, 2 * HOUR)]
    assert ledger.values.versions("nothing") == []


def test_the_newest_number_of_the_feed_is_known_without_reading_it(ledger: Ledger) -> None:
    assert ledger.values.newest() == 0
    put(ledger, value(hour=1), value(hour=2))
    assert ledger.values.newest() == 2
    put(ledger, value(number=3.0, hour=1))
    assert ledger.values.newest() == 3
