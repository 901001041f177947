# SPDX-License-Identifier: EUPL-1.2
"""The NATS server's subjects, configuration and log lines. Log lines are captures of nats-server 2.15.1."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.transport._nats import LogLine, is_bcrypt, parse_event, parse_line, subjects, topic


@pytest.mark.parametrize(
    ("topic_filter", "expected"),
    [
        ("devices/d1/readings", ["devices.d1.readings"]),
        ("devices/+/readings", ["devices.*.readings"]),
        ("devices/d1/#", ["devices.d1.>", "devices.d1"]),
        ("#", [">"]),
        ("/lead", ["/.lead"]),
        ("a//b", ["a./.b"]),
        ("trail/", ["trail./"]),
        ("v1.2/x", ["v1//2.x"]),
    ],
)
def test_filters_become_subjects(topic_filter: str, expected: list[str]) -> None:
    assert subjects(topic_filter) == expected


@given(st.lists(st.text(st.sampled_from("ab.-_žŘ"), max_size=5), min_size=1, max_size=5).map("/".join).filter(bool))
def test_a_topic_comes_back_from_its_subject(name: str) -> None:
    (subject,) = subjects(name)
    assert topic(subject) == name


PREFIX = "[15449] 2026/11/23 13:04:24.510692 "


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        (
            '[ERR] 127.0.0.1:37269 - mid:30 - "dev-cid" - Publish Violation - Subject "devices.dev2.a//b"',
            ("publish_denied", "dev-cid", "devices/dev2/a.b"),
        ),
        (
            '[ERR] 127.0.0.1:38217 - mid:27 - "anon-1" - Subscription Violation - Subject "devices.>", SID devices.>',
            ("subscribe_denied", "anon-1", "devices/>"),
        ),
        (
            '[ERR] 127.0.0.1:47181 - mid:31 - "dev-w" - authentication error - User "dev1"',
            ("login_failed", "dev-w", ""),
        ),
        (
            '[ERR] 127.0.0.1:38217 - mid:27 - "anon-1" - JetStream failed a pipelined QoS1/2 operation (pi=27)',
            ("client_error", "anon-1", ""),
        ),
    ],
)
def test_a_line_about_a_client_becomes_an_event(line: str, expected: tuple[str, str, str]) -> None:
    event = parse_event(parse_line(PREFIX + line))
    assert event is not None
    assert (event.kind, event.client, event.topic) == expected


@pytest.mark.parametrize(
    "line",
    [
        "[INF] Listening for MQTT clients on mqtt://127.0.0.1:51633",
        "[WRN] Plaintext passwords detected, use nkeys or bcrypt",
        '[ERR] 127.0.0.1:47181 - mid:31 - "dev-w" - unable to connect: authentication error',
    ],
)
def test_other_lines_are_no_event(line: str) -> None:
    assert parse_event(parse_line(PREFIX + line)) is None


def test_a_line_in_no_known_form_keeps_its_text() -> None:
    assert parse_line("panic: oops\n") == LogLine("INF", "panic: oops")


@pytest.mark.parametrize("text", ["secret", "$2b$04$short", "$2b$04$" + "!" * 53, "x$2b$04$" + "a" * 53])
def test_what_the_server_would_take_as_plain_text_is_no_hash(text: str) -> None:
    assert not is_bcrypt(text)
