# SPDX-License-Identifier: EUPL-1.2
"""Times of requests: RFC 3339 with a zone, to int nanoseconds. A naive time is never guessed, a lost `+` is named."""

import re

from hub.core.errors import Invalid
from hub.core.windows import parse_instant

_RFC3339 = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt][0-9:]{8}([.][0-9]{1,9})?([Zz]|[+-][0-9]{2}:[0-9]{2})")
_NAIVE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}([Tt ][0-9:.]+)?")
_LOST_PLUS = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt][0-9:.]+ [0-9]{2}:?[0-9]{2}")
_EXAMPLE = "write 2026-11-23T10:00:00Z or 2026-11-23T11:00:00%2B01:00"
_FIRST, _LAST = "1900-01-01T00:00:00Z", "2200-01-01T00:00:00Z"  # well inside what int64 ns and calendars can hold
_BOUNDS = range(parse_instant(_FIRST), parse_instant(_LAST))


def parse_time(text: str) -> int:
    """Nanoseconds since 1970 of an RFC 3339 time; ValueError says what to change."""
    if not _RFC3339.fullmatch(text):
        raise ValueError(_cure(text))
    try:
        time = parse_instant(text)
    except Invalid as error:
        raise ValueError(error.detail) from error
    if time not in _BOUNDS:
        raise ValueError(f"{text!r} is outside {_FIRST} to {_LAST}")
    return time


def _cure(text: str) -> str:
    if _LOST_PLUS.fullmatch(text):
        return f"{text!r} lost its '+', which means a blank in a URL: write %2B instead, or use Z"
    if _NAIVE.fullmatch(text):
        return f"{text!r} has no time zone: {_EXAMPLE}"
    return f"{text[:80]!r} is no RFC 3339 time: {_EXAMPLE}"
