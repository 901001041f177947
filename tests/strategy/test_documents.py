# SPDX-License-Identifier: EUPL-1.2
"""Documents in and out: round trips, and errors that name file and field."""

from datetime import date
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from hub.core.errors import Invalid
from hub.core.strategies import (
    Action,
    Aim,
    Area,
    Bilingual,
    Budget,
    Goal,
    Milestone,
    Project,
    Source,
    Standing,
    State,
    Strategy,
)
from hub.strategy.catalogue import load_directory
from hub.strategy.changes import changes
from hub.strategy.documents import check, parse_json, parse_yaml, write_json, write_yaml
from tests.strategy.town import KNOWN, strategy, target

HEAD = """\
id: plan
title: {cs: Plán, en: Plan}
standing: official
scope: {cs: Vše, en: All}
source: {citation: a paper}
"""
GOAL = """\
areas:
  - id: a
    title: {cs: A, en: A}
    standing: official
    goals:
      - id: g
        title: {cs: G, en: G}
        standing: official
        targets:
          - {id: t, title: {cs: T, en: T}, standing: official, indicator: share, place: havirov,
             aim: increase, date: 2030-12-31, value: 40, source: {citation: p. 3}}
"""

words = st.text(st.characters(exclude_categories=["Cs", "Cc", "Cn"]), min_size=1, max_size=12)
titles = st.builds(Bilingual, cs=words, en=words)
days = st.dates(date(1990, 1, 1), date(2060, 12, 31))
numbers = st.floats(-1e9, 1e9)
money = st.floats(0, 1e12)
nodes: dict[str, Any] = {
    "title": titles,
    "standing": st.sampled_from(Standing),
    "description": st.none() | titles,
    "owner": st.none() | words,
    "state": st.sampled_from(State),
    "valid_from": st.none() | days,
    "budget": st.none() | st.builds(Budget, planned=st.none() | money, spent=st.none() | money, source=words),
    "milestones": st.lists(st.builds(Milestone, title=titles, due=st.none() | days, done=st.none() | days), max_size=2),
}
documents = st.builds(
    Strategy,
    id=st.just("plan"),
    scope=titles,
    source=st.builds(Source, citation=words, url=st.none() | words),
    areas=st.lists(
        st.builds(
            Area,
            id=st.just("area"),
            goals=st.lists(
                st.builds(
                    Goal,
                    id=st.just("goal"),
                    targets=st.lists(
                        st.builds(target, id=st.just("t"), title=titles, value=numbers, date=days), max_size=2
                    ),
                    actions=st.lists(
                        st.builds(
                            Action,
                            id=st.just("action"),
                            projects=st.lists(st.builds(Project, id=st.just("project"), **nodes), max_size=1),
                            **nodes,
                        ),
                        max_size=1,
                    ),
                    **nodes,
                ),
                max_size=2,
            ),
            **nodes,
        ),
        max_size=2,
    ),
    **nodes,
)


@settings(max_examples=20, deadline=None, derandomize=True)
@given(document=documents)
def test_what_is_exported_comes_back_the_same(document: Strategy) -> None:
    text = write_yaml(document)
    again = parse_yaml(text)
    assert write_json(again) == write_json(document)
    assert parse_yaml(write_yaml(again)) == again
    assert write_yaml(again) == text
    assert parse_json(write_json(again).encode()) == again


def test_the_catalogue_is_sound_marks_what_is_made_up_and_comes_back_the_same() -> None:
    documents = load_directory()
    assert len(documents) == 6
    for document in documents.values():
        assert parse_yaml(write_yaml(document)) == document
        official = [t for a in document.areas for g in a.goals for t in g.targets if t.standing is Standing.OFFICIAL]
        assert official == [], "the hub has no target out of the city's documents yet"
        assert document.valid_to is not None or document.uncertain, document.id


@pytest.mark.parametrize(
    ("text", "where", "detail"),
    [
        (HEAD.replace("standing: official\n", ""), "plan.yaml: the document", "missing required field `standing`"),
        (HEAD + "colour: red\n", "plan.yaml: the document", "unknown field `colour`"),
        (HEAD.replace("en: Plan", "de: Plan"), "plan.yaml: title", "unknown field `de`"),
        (HEAD + "id: other\n", "plan.yaml, line 6", "'id' stands twice"),
        (HEAD + "valid_from: 2020-02-31\n", "plan.yaml", "day is out of range"),
        (HEAD + "valid_from: soon\n", "plan.yaml: valid_from", "Invalid RFC3339"),
        (HEAD + "a: &x [1]\nb: *x\n", "plan.yaml, line 7", "alias"),
        (HEAD + "owner: !!bool 3\n", "plan.yaml, line 6", "uses the tag tag:yaml.org,2002:bool"),
        (HEAD + "areas: " + "[" * 30 + "]" * 30, "plan.yaml, line 6", "nested deeper than 24"),
        (HEAD + "areas: [\n", "plan.yaml, line 7", "no YAML"),
        (HEAD + "---\n" + HEAD, "plan.yaml, line 6", "several documents"),
        (HEAD.replace("id: plan", "id: Plan A"), "plan.yaml: id", "does not match|matching regex"),
        ("", "plan.yaml: the document", "Expected `object`, got `null`"),
        (HEAD + GOAL.replace("aim: increase", "aim: up"), "plan.yaml: areas[0].goals[0].targets[0].aim", "'up'"),
        (HEAD + GOAL.replace("value: 40", f"value: 1{'0' * 400}"), "plan.yaml", ""),
    ],
)
def test_a_text_that_cannot_be_read_names_file_and_place(text: str, where: str, detail: str) -> None:
    with pytest.raises(Invalid) as caught:
        check(parse_yaml(text, "plan.yaml"), KNOWN, "plan.yaml")
    assert str(caught.value).startswith(where), caught.value
    assert any(part in str(caught.value) for part in detail.split("|")), caught.value


@pytest.mark.parametrize(
    ("document", "field", "detail"),
    [
        (strategy(target(), target()), "areas[0].goals[0].targets[1].id", "stands at areas[0].goals[0].targets[0].id"),
        (strategy(target(id="goal")), "areas[0].goals[0].targets[0].id", "already"),
        (strategy(valid_to=date(2015, 1, 1)), "valid_to", "2015-01-01 is before valid_from (2016-01-01)"),
        (strategy(id="coverage"), "id", "word of the API"),
        (strategy(successor="plan"), "successor", "is the strategy itself"),
        (strategy(target(indicator="shere")), "areas[0].goals[0].targets[0].indicator", "did you mean share"),
        (strategy(target(place="havirof")), "areas[0].goals[0].targets[0].place", "did you mean havirov"),
        (strategy(target(value=None)), "areas[0].goals[0].targets[0].value", "is missing with aim increase"),
        (strategy(target(value=float("nan"))), "areas[0].goals[0].targets[0].value", "nan is beyond all bounds"),
        (strategy(target(date=date(9999, 12, 31))), "areas[0].goals[0].targets[0].date", "leave out what is not known"),
        (strategy(valid_to=date(9999, 12, 31)), "valid_to", "not between 1900-01-01 and 2199-12-31"),
        (
            strategy(target(aim=Aim.REACH_BAND, value=None, lo=9.0, hi=1.0)),
            "areas[0].goals[0].targets[0].hi",
            "1 is below lo (9)",
        ),
        (strategy(target(source=None)), "areas[0].goals[0].targets[0].source", "names the document"),
        (
            strategy(target(date=date(2015, 12, 31), baseline=None)),
            "areas[0].goals[0].targets[0].date",
            "before the strategy begins",
        ),
        (
            strategy(target(date=date(2015, 6, 1)), valid_from=None),
            "areas[0].goals[0].targets[0].baseline",
            "not before",
        ),
    ],
)
def test_a_document_at_odds_with_itself_or_the_hub_is_refused_with_its_field(
    document: Strategy, field: str, detail: str
) -> None:
    with pytest.raises(Invalid) as caught:
        check(document, KNOWN, "plan.yaml")
    assert str(caught.value).startswith(f"plan.yaml: {field}"), caught.value
    assert detail in str(caught.value)


def test_all_faults_are_named_at_once() -> None:
    with pytest.raises(Invalid, match=r"no place 'x'.*more") as caught:
        check(strategy(*(target(id=f"t-{n}", place="x") for n in range(30))), KNOWN)
    assert "targets[7].place" in str(caught.value)


def test_what_looks_odd_is_said_and_not_refused() -> None:
    odd = target(indicator="shares", place="havirov/mesto", aim=Aim.DECREASE, baseline=None, date=date(2031, 1, 1))
    found = check(strategy(odd, predecessor="older"), KNOWN)
    assert [line.rpartition("targets[0].")[2] for line in found] == [
        "predecessor: strategy 'older' is not in the ledger",
        "place: shares has values of level municipality; havirov/mesto is of level part",
        "statistic: a single window of P1D counts; `statistic: year_mean` takes the mean of a year",
        "aim: decrease, but of shares higher is better",
        "baseline: is missing: progress cannot be judged, only whether it is reached",
        "date: 2031-01-01 is after the strategy ends (2030-12-31)",
    ]


def test_changes_are_told_by_ids_not_by_positions() -> None:
    before = strategy(target(id="a"), target(id="b"))
    after = strategy(target(id="b", value=50.0), target(id="c"), owner="the mayor")
    at = "areas.area.goals.goal.targets"
    assert [(c.kind, c.field) for c in changes(before, after)] == [
        ("removed", f"{at}.a"),
        ("changed", f"{at}.b.value"),
        ("added", f"{at}.c"),
        ("added", "owner"),
    ]
    assert changes(before, replace(before)) == []
    assert [c.field for c in changes(before, strategy(target(id="b"), target(id="a")))] == ["order of the parts"]
    assert [c.kind for c in changes(None, before)] == ["added"]
