# SPDX-License-Identifier: EUPL-1.2
"""Windows tile time on every calendar, and instants survive text."""

from datetime import UTC, datetime, timedelta, timezone

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.core.errors import Invalid
from hub.core.readings import NS
from hub.core.windows import HOUR, Calendar, Period, format_instant, parse_duration, parse_instant, parse_label

PRAGUE = Calendar.of("Europe/Prague")
ZONES = ["Europe/Prague", "UTC", "+01:00", "Etc/GMT-1", "America/Sao_Paulo", "Pacific/Apia", "Asia/Kathmandu", "-09:30"]


def at(text: str) -> int:
    return parse_instant(text)


@pytest.mark.parametrize(
    ("zone", "t", "period", "start", "end"),
    [
        ("Europe/Prague", "2026-07-01T10:20:00Z", "PT1H", "2026-07-01T10:00:00Z", "2026-07-01T11:00:00Z"),
        ("Asia/Kathmandu", "2026-07-01T10:20:00Z", "PT1H", "2026-07-01T10:00:00Z", "2026-07-01T11:00:00Z"),
        ("Europe/Prague", "2026-07-01T22:00:00Z", "P1D", "2026-07-01T22:00:00Z", "2026-07-02T22:00:00Z"),
        ("Europe/Prague", "2026-01-01T22:59:59Z", "P1D", "2025-12-31T23:00:00Z", "2026-01-01T23:00:00Z"),
        ("Europe/Prague", "2026-03-29T12:00:00Z", "P1D", "2026-03-28T23:00:00Z", "2026-03-29T22:00:00Z"),
        ("Europe/Prague", "2026-10-25T12:00:00Z", "P1D", "2026-10-24T22:00:00Z", "2026-10-25T23:00:00Z"),
        ("Etc/GMT-1", "2026-07-01T22:30:00Z", "P1D", "2026-06-30T23:00:00Z", "2026-07-01T23:00:00Z"),
        ("+01:00", "2026-07-01T23:00:00Z", "P1D", "2026-07-01T23:00:00Z", "2026-07-02T23:00:00Z"),
        ("America/New_York", "2026-07-01T03:00:00Z", "P1D", "2026-06-30T04:00:00Z", "2026-07-01T04:00:00Z"),
        ("Europe/Prague", "2026-03-31T22:30:00Z", "P1M", "2026-03-31T22:00:00Z", "2026-04-30T22:00:00Z"),
        ("Europe/Prague", "2026-12-31T23:00:00Z", "P1Y", "2026-12-31T23:00:00Z", "2027-12-31T23:00:00Z"),
        # the zone skipped the midnight of 2018-11-04, and the whole of 2011-12-30
        ("America/Sao_Paulo", "2018-11-04T12:00:00Z", "P1D", "2018-11-04T03:00:00Z", "2018-11-05T02:00:00Z"),
        ("Pacific/Apia", "2011-12-30T12:00:00Z", "P1D", "2011-12-30T10:00:00Z", "2011-12-31T10:00:00Z"),
    ],
)
def test_a_window_begins_at_local_midnight(zone: str, t: str, period: str, start: str, end: str) -> None:
    assert Calendar.of(zone).window(at(t), Period(period)) == (at(start), at(end))


@given(
    zone=st.sampled_from(ZONES),
    period=st.sampled_from(list(Period)),
    start=st.integers(at("1950-01-01T00:00:00Z"), at("2060-01-01T00:00:00Z")),
    length=st.integers(1, 800 * 24 * HOUR),
)
def test_edges_are_strictly_increasing_and_cover_the_span_tightly(
    zone: str, period: Period, start: int, length: int
) -> None:
    edges = Calendar.of(zone).edges(start, start + length, period)
    assert (np.diff(edges) > 0).all()
    assert edges[0] <= start < edges[1]
    assert edges[-2] < start + length <= edges[-1]


@given(zone=st.sampled_from(ZONES), t=st.integers(at("1960-01-01T00:00:00Z"), at("2060-01-01T00:00:00Z")))
def test_windows_nest_days_in_months_in_years(zone: str, t: int) -> None:
    calendar = Calendar.of(zone)
    day, month, year = (calendar.window(t, p) for p in (Period.DAY, Period.MONTH, Period.YEAR))
    assert year[0] <= month[0] <= day[0] <= t < day[1] <= month[1] <= year[1]


def test_a_year_has_one_day_of_23_and_one_of_25_hours() -> None:
    year = PRAGUE.window(at("2026-06-01T00:00:00Z"), Period.YEAR)
    hours = [(end - start) // HOUR for start, end in PRAGUE.windows(*year, Period.DAY)]
    assert (len(hours), hours.count(23), hours.count(24), hours.count(25)) == (365, 1, 363, 1)


def test_a_date_that_a_zone_skipped_has_no_window() -> None:
    days = Calendar.of("Pacific/Apia").windows(at("2011-12-28T10:00:00Z"), at("2012-01-01T10:00:00Z"), Period.DAY)
    assert [(end - start) // HOUR for start, end in days] == [24, 24, 24, 24]


def test_no_window_overlaps_an_empty_span() -> None:
    assert PRAGUE.windows(5, 5, Period.DAY) == []


def test_a_span_outside_int64_years_is_refused() -> None:
    with pytest.raises(Invalid, match="1716 to 2255"):
        PRAGUE.window(9_200_000_000 * NS, Period.YEAR)


@pytest.mark.parametrize(
    ("text", "ns"),
    [
        ("1970-01-01T00:00:00Z", 0),
        ("1969-12-31T23:59:59.999999999Z", -1),
        ("2026-11-23T10:00:00.123456789Z", 1_795_428_000_123_456_789),
        ("2026-11-23T10:00:00.1234567899Z", 1_795_428_000_123_456_789),
        ("2026-11-23 11:00+01:00", 1_795_428_000 * NS),
        ("2026-11-23T11:00:00+0100", 1_795_428_000 * NS),
        ("2026-11-22T24:00:00Z", 1_795_392_000 * NS),
        ("2016-12-31T23:59:60Z", 1_483_228_800 * NS),
        ("2026-11-23T10:00:00,5z", 1_795_428_000 * NS + NS // 2),
    ],
)
def test_an_instant_is_read_exactly(text: str, ns: int) -> None:
    assert parse_instant(text) == ns


@given(st.integers(at("1720-01-01T00:00:00Z"), at("2250-01-01T00:00:00Z")))
def test_an_instant_survives_its_text(t: int) -> None:
    assert parse_instant(format_instant(t)) == t


@pytest.mark.parametrize(
    ("text", "ns"),
    [("2026", "2025-12-31T23:00:00Z"), ("2026-07", "2026-06-30T22:00:00Z"), ("2026-07-02", "2026-07-01T22:00:00Z"),
     ("2026-07-02T01:00", "2026-07-01T23:00:00Z"), ("2026-07-02T01:00Z", "2026-07-02T01:00:00Z")],
)  # fmt: skip
def test_a_label_names_the_local_start(text: str, ns: str) -> None:
    assert parse_label(text, PRAGUE) == at(ns)


@pytest.mark.parametrize(
    "text", ["", "yesterday", "2026-13-01T00:00:00Z", "2026-02-30T00:00:00Z", "2026-11-23T25:00:00Z",
             "2026-11-23T24:01:00Z", "2026-11-23T10:61:00Z", "2026-11-23T10:00:61Z", "2026-11-23T10:00:00+24:00"],
)  # fmt: skip
def test_what_is_no_time_is_named(text: str) -> None:
    with pytest.raises(Invalid):
        parse_instant(text)


def test_a_naive_time_needs_a_zone() -> None:
    with pytest.raises(Invalid, match="no time zone"):
        parse_instant("2026-11-23T10:00:00")
    assert parse_instant("2026-11-23T10:00:00", timezone(timedelta(hours=1))) == at("2026-11-23T09:00:00Z")


@pytest.mark.parametrize(("text", "seconds"), [("PT2H", 7200), ("P1D", 86400), ("P1W", 604800), ("P1DT1H30M5S", 91805)])
def test_a_duration_is_exact(text: str, seconds: int) -> None:
    assert parse_duration(text) == seconds * NS


@pytest.mark.parametrize("text", ["", "P", "PT", "1D", "P1M", "P1Y", "PT1.5H", "-P1D"])
def test_what_is_no_fixed_duration_is_named(text: str) -> None:
    with pytest.raises(Invalid, match="duration"):
        parse_duration(text)


def test_an_unknown_zone_is_named() -> None:
    with pytest.raises(Invalid, match="Europe/Praha"):
        Calendar.of("Europe/Praha")


def test_utc_is_the_same_as_its_names() -> None:
    assert Calendar.of("UTC") == Calendar.of("Z") == Calendar(UTC)
    assert format_instant(int(datetime(2026, 1, 1, tzinfo=UTC).timestamp()) * NS) == "2026-01-01T00:00:00Z"
