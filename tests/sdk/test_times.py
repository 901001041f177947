# SPDX-License-Identifier: EUPL-1.2
"""Times are exact, carry a zone, and say what is wrong with them."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.sdk import DecodeError, local_ns, rfc3339, rfc3339_ns, unix_ns

TEN = 1_795_428_000  # 2026-11-23T10:00:00Z in Unix seconds, by date -u -d
NS = 10**9


@pytest.mark.parametrize(
    ("text", "nanoseconds"),
    [
        ("2026-11-23T10:00:00Z", TEN * NS),
        ("2026-11-23t10:00:00z", TEN * NS),
        ("2026-11-23 10:00:00Z", TEN * NS),
        ("2026-11-23T10:00:00+00:00", TEN * NS),
        ("2026-11-23T10:00:00-00:00", TEN * NS),
        ("2026-11-23T11:00:00+01:00", TEN * NS),
        ("2026-11-23T04:30:00-05:30", TEN * NS),
        ("2026-11-23T10:00:00.1Z", TEN * NS + 100_000_000),
        ("2026-11-23T10:00:00.775023242+00:00", TEN * NS + 775_023_242),
        ("2026-11-23T10:00:00.000000001Z", TEN * NS + 1),
        ("1970-01-01T00:00:00Z", 0),
        ("1969-12-31T23:59:59.999999999Z", -1),
        ("2262-04-11T23:47:16.854775807Z", 2**63 - 1),
    ],
)
def test_rfc3339_gives_the_very_nanosecond(text: str, nanoseconds: int) -> None:
    assert rfc3339_ns(text) == nanoseconds


@pytest.mark.parametrize(
    ("value", "reason", "fragment"),
    [
        ("2026-11-23T10:00:00", "bad_structure", "has no zone"),
        ("2026-11-23T10:00:00.5", "bad_structure", "has no zone"),
        ("2026-W48-1T10:00:00Z", "bad_structure", "RFC 3339"),
        ("2026-11-23T100000.0Z", "bad_structure", "RFC 3339"),
        ("2026-11-23", "bad_structure", "RFC 3339"),
        ("2026-13-23T10:00:00Z", "bad_structure", "month"),
        ("2026-11-23T10:00:60Z", "bad_structure", "second"),
        ("2026-11-23T24:00:00Z", "bad_structure", "hour"),
        ("2026-11-23T10:00:00+01:75", "bad_structure", "offset"),
        ("2026-11-23T10:00:00.0123456789Z", "bad_structure", "nine digits"),
        ("２０２６-11-23T10:00:00Z", "bad_structure", "RFC 3339"),
        ("2262-04-11T23:47:17Z", "time_implausible", "2262"),
        ("9999-12-31T23:59:59Z", "time_implausible", "2262"),
        ("0001-01-01T00:00:00+23:59", "time_implausible", "1678"),
        ("", "bad_structure", "RFC 3339"),
        (1795428000, "bad_structure", "1795428000"),
        (None, "bad_structure", "null"),
        (True, "bad_structure", "true"),
    ],
)
def test_a_time_that_cannot_be_used_says_why_and_where(value: object, reason: str, fragment: str) -> None:
    with pytest.raises(DecodeError) as caught:
        rfc3339_ns(value, "item.time")
    assert (caught.value.reason, fragment in caught.value.detail) == (reason, True), caught.value.detail
    assert caught.value.detail.startswith("item.time: ")


@given(st.integers(-(2**63), 2**63 - 1))
def test_what_is_written_is_read_back(nanoseconds: int) -> None:
    assert rfc3339_ns(rfc3339(nanoseconds)) == nanoseconds


@given(st.datetimes(datetime(1900, 1, 1), datetime(2200, 1, 1)), st.integers(-1439, 1439))  # noqa: DTZ001 -- hypothesis wants naive bounds
def test_any_offset_agrees_with_the_standard_library(wall: datetime, minutes: int) -> None:
    sign, (hours, rest) = "-" if minutes < 0 else "+", divmod(abs(minutes), 60)
    text = f"{wall.isoformat(timespec='microseconds')}{sign}{hours:02d}:{rest:02d}"
    since = datetime.fromisoformat(text) - datetime(1970, 1, 1, tzinfo=UTC)
    assert rfc3339_ns(text) == since // timedelta(microseconds=1) * 1000


@pytest.mark.parametrize(
    ("value", "unit", "nanoseconds"),
    [
        (TEN, NS, TEN * NS),
        (TEN + 0.25, NS, TEN * NS + 250_000_000),
        (1276020076.001, NS, 1276020076_001_000_000),  # the double is 1276020076.00099992752...
        (1795428000123, 10**6, TEN * NS + 123_000_000),
        ("1795428000", NS, TEN * NS),
        ("1795428000.000000001", NS, TEN * NS + 1),
        (Decimal("1795428000.123456789"), NS, TEN * NS + 123_456_789),
        (-1, NS, -NS),
        (0, NS, 0),
    ],
)
def test_unix_times_are_exact_as_far_as_they_can_be(value: object, unit: int, nanoseconds: int) -> None:
    assert unix_ns(value, unit) == nanoseconds


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        (float("nan"), "not_finite"),
        (float("inf"), "not_finite"),
        ("NaN", "not_finite"),
        (1e300, "time_implausible"),
        (10**400, "time_implausible"),
        (Decimal("1e999999"), "time_implausible"),
        ("9" * 100_000, "time_implausible"),
        ("soon", "bad_structure"),
        (True, "bad_structure"),
        (None, "bad_structure"),
        ([], "bad_structure"),
    ],
)
def test_a_unix_time_that_cannot_be_used_is_refused_without_effort(value: object, reason: str) -> None:
    with pytest.raises(DecodeError) as caught:
        unix_ns(value)
    assert caught.value.reason == reason


PRAGUE = ZoneInfo("Europe/Prague")


@pytest.mark.parametrize(
    ("wall", "ambiguous", "utc"),
    [
        ("2026-11-23 11:00:00", "reject", "2026-11-23T10:00:00Z"),
        ("2026-07-01 12:00:00.000001", "reject", "2026-07-01T10:00:00.000001Z"),
        ("2026-10-25 02:30:00", "earlier", "2026-10-25T00:30:00Z"),
        ("2026-10-25 02:30:00", "later", "2026-10-25T01:30:00Z"),
        ("2026-10-25 03:00:00", "reject", "2026-10-25T02:00:00Z"),
        ("2026-03-29 03:00:00", "reject", "2026-03-29T01:00:00Z"),
    ],
)
def test_local_times_become_utc(wall: str, ambiguous: str, utc: str) -> None:
    assert rfc3339(local_ns(datetime.fromisoformat(wall), PRAGUE, ambiguous)) == utc


@pytest.mark.parametrize(
    ("wall", "ambiguous", "fragment"),
    [
        ("2026-10-25 02:30:00", "reject", "came twice"),
        ("2026-03-29 02:30:00", "reject", "skipped"),
        ("2026-03-29 02:30:00", "earlier", "skipped"),
        ("2026-03-29 02:30:00", "later", "skipped"),
    ],
)
def test_local_times_without_one_meaning_are_refused(wall: str, ambiguous: str, fragment: str) -> None:
    with pytest.raises(DecodeError, match=fragment):
        local_ns(datetime.fromisoformat(wall), PRAGUE, ambiguous)
