# SPDX-License-Identifier: EUPL-1.2
"""Each topic has one owner, found quickly and in bounded memory."""

from collections.abc import Iterable, Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.sdk import Connector, Decoded, RawMessage, Router, SettingsError, compile_template, overlaps


def nothing(_message: RawMessage, _topic: Mapping[str, str]) -> Iterable[Decoded]:
    return ()


def connector(name: str, *topics: str, device: str = "") -> Connector:
    return Connector(name=name, title=name, topics=topics, decode=nothing, device=device)


@pytest.mark.parametrize(
    ("template", "topic", "variables"),
    [
        ("devices/{device}/readings", "devices/a-1/readings", {"device": "a-1"}),
        ("devices/{device}/readings", "devices//readings", {"device": ""}),
        ("devices/{device}/readings", "devices/a/b/readings", None),
        ("devices/{device}/readings", "Devices/a/readings", None),
        ("devices/{device}/readings", "devices/a/readings/", None),
        ("site/{site}/#", "site/x", {"site": "x"}),
        ("site/{site}/#", "site/x/y/z", {"site": "x"}),
        ("site/{site}/#", "site", None),
        ("{a}/{b}", "x/y", {"a": "x", "b": "y"}),
        ("{a}/{b}", "$SYS/y", None),
        ("$SYS/{b}", "$SYS/y", {"b": "y"}),
        ("#", "x/y", {}),
        ("#", "$SYS/y", None),
    ],
)
def test_a_template_matches_as_mqtt_does(template: str, topic: str, variables: Mapping[str, str] | None) -> None:
    route = Router([connector("one", template)]).match(topic)
    assert (None if route is None else dict(route.variables)) == variables


@pytest.mark.parametrize(
    ("template", "expected"),
    [("devices/{device}/readings", "devices/+/readings"), ("site/{site}/#", "site/+/#"), ("#", "#"), ("a/b", "a/b")],
)
def test_a_template_names_its_filter(template: str, expected: str) -> None:
    assert Router([connector("one", template)]).filters == (expected,)


@pytest.mark.parametrize(
    ("template", "fragment"),
    [
        ("", "must not be empty"),
        ("/a", "must not be empty or begin"),
        ("a/+/b", "'+'"),
        ("a/#/b", "'#'"),
        ("a/x{y}", "'x{y}'"),
        ("a/{}", "'{}'"),
        ("{a}/{a}", "twice"),
    ],
)
def test_a_template_at_fault_stops_the_start(template: str, fragment: str) -> None:
    with pytest.raises(SettingsError, match=r"connectors\.one") as caught:
        Router([connector("one", template)])
    assert fragment in str(caught.value)


@pytest.mark.parametrize(
    ("one", "other", "both"),
    [
        ("devices/{device}/readings", "devices/{d}/{kind}", True),
        ("devices/{device}/readings", "devices/x/readings", True),
        ("devices/{device}/readings", "devices/{device}/status", False),
        ("devices/{device}/readings", "devices/#", True),
        ("devices", "devices/#", True),
        ("devices/{a}/{b}/#", "devices/{a}", False),
        ("#", "$SYS/x", False),
        ("a/{b}", "a/{b}/c", False),
    ],
)
def test_overlaps_are_seen_from_both_sides(one: str, other: str, both: bool) -> None:
    a, b = compile_template(one), compile_template(other)
    assert overlaps(a, b) is overlaps(b, a) is both


LEVELS = st.sampled_from(["a", "b", "$c", "{x}", "{y}"])
TEMPLATES = st.builds(
    lambda levels, rest: "/".join([*levels, *(["#"] if rest else [])]),
    st.lists(LEVELS, min_size=1, max_size=3).filter(lambda levels: len(set(levels)) == len(levels)),
    st.booleans(),
)
TOPICS = st.lists(st.sampled_from(["a", "b", "$c", "d"]), min_size=1, max_size=4)


@given(TEMPLATES, TEMPLATES, TOPICS)
def test_no_topic_matches_two_templates_that_do_not_overlap(one: str, other: str, topic: list[str]) -> None:
    a, b = compile_template(one), compile_template(other)
    if a.match(topic) is not None and b.match(topic) is not None:
        assert overlaps(a, b)


def test_overlapping_connectors_stop_the_start_and_both_are_named() -> None:
    with pytest.raises(SettingsError) as caught:
        Router([connector("native", "devices/{device}/readings"), connector("mine", "devices/#")])
    for name in ("native", "mine", "devices/{device}/readings", "devices/#"):
        assert name in str(caught.value)


def test_two_connectors_of_one_name_stop_the_start() -> None:
    with pytest.raises(SettingsError, match=r"connectors\.one.*two connectors"):
        Router([connector("one", "a"), connector("one", "b")])


def test_a_device_variable_that_a_topic_lacks_stops_the_start() -> None:
    with pytest.raises(SettingsError, match=r"lacks \{device\}"):
        Router([connector("one", "a/{device}", "b/{other}", device="device")])


def test_a_topic_nobody_owns_has_no_route() -> None:
    assert Router([connector("one", "a/{x}")]).match("b/x") is None


def test_routes_stay_right_when_more_topics_come_than_are_remembered() -> None:
    router = Router([connector("one", "a/{x}"), connector("two", "b/{x}")], remember=3)
    topics = [f"{letter}/{i}" for i in range(10) for letter in "ab"] * 2
    routes = [router.match(topic) for topic in topics]
    assert [(r.connector.name[0], r.variables["x"]) for r in routes if r] == [
        ({"a": "o", "b": "t"}[topic[0]], topic[2:]) for topic in topics
    ]


def test_a_connector_cannot_change_the_variables_of_others() -> None:
    route = Router([connector("one", "a/{x}")]).match("a/1")
    assert route is not None
    with pytest.raises(TypeError):
        route.variables["x"] = "2"  # type: ignore[index] # that is the point
