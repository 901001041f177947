# SPDX-License-Identifier: EUPL-1.2
"""Times of requests."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.api.times import parse_time
from hub.core.windows import format_instant, parse_instant
from tests.api.conftest import NOW


@pytest.mark.parametrize(
    ("text", "ns"),
    [
        ("2026-11-23T12:00:00Z", NOW),
        ("2026-11-23t12:00:00z", NOW),
        ("2026-11-23T13:00:00+01:00", NOW),
        ("2026-11-23T12:00:00-00:00", NOW),
        ("2026-11-23T12:00:00.5Z", NOW + 500_000_000),
        ("2026-11-23T12:00:00.000000001Z", NOW + 1),
        ("1969-12-31T23:59:59Z", -1_000_000_000),
    ],
)
def test_what_is_meant_is_kept_to_the_nanosecond(text: str, ns: int) -> None:
    assert parse_time(text) == ns


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("2026-11-23T12:00:00", "has no time zone"),
        ("2026-11-23", "has no time zone"),
        ("2026-11-23 12:00:00", "has no time zone"),
        ("2026-11-23T12:00:00 01:00", "lost its '+'"),
        ("2026-11-23T12:00:00 0100", "lost its '+'"),
        ("2026-13-23T12:00:00Z", "is no time"),
        ("2026-02-30T12:00:00Z", "is no time"),
        ("2026-11-23T12:61:00Z", "is no time"),
        ("2026-11-23T12:00:00+24:00", "is no offset"),
        ("1899-12-31T23:59:59Z", "is outside"),
        ("2200-01-01T00:00:00Z", "is outside"),
        ("2026-11-23T12:00:00.0000000001Z", "is no RFC 3339 time"),
        ("2026-11-23T12:00Z", "is no RFC 3339 time"),
        ("1795435200", "is no RFC 3339 time"),
        ("", "is no RFC 3339 time"),
        ("٢٠٢٦-11-23T12:00:00Z", "is no RFC 3339 time"),
        ("x" * 5000, "is no RFC 3339 time"),
    ],
)
def test_what_is_not_clear_is_refused_with_the_cure(text: str, words: str) -> None:
    with pytest.raises(ValueError, match=re.escape(words)) as caught:
        parse_time(text)
    assert len(str(caught.value)) < 250


@given(st.integers(parse_instant("1900-01-01T00:00:00Z"), parse_instant("2199-12-31T23:59:59Z")))
def test_every_time_of_an_answer_can_be_sent_back(ns: int) -> None:
    assert parse_time(format_instant(ns)) == ns
