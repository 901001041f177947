# SPDX-License-Identifier: EUPL-1.2
"""Times of payloads as int nanoseconds since 1970 (UTC), exactly.

Text and whole numbers never pass through a float: a time with nine digits comes out with nine digits. A binary float
(Unix seconds in JSON or CBOR) cannot hold more than about a quarter of a microsecond today, so it is rounded to the
microsecond, which gives back what was written with up to six digits. Results fit into int64.
"""

import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta, tzinfo
from decimal import Decimal, InvalidOperation
from functools import lru_cache
from typing import Final

from hub.core.errors import DecodeError
from hub.core.readings import NS
from hub.sdk.payloads import describe

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_NAIVE_EPOCH: Final = datetime(1970, 1, 1)  # noqa: DTZ001 -- subtracted from naive wall-clock times only
_LIMIT: Final = 2**63
_RFC3339: Final = re.compile(
    r"(\d{4}-\d\d-\d\d)[Tt ](\d\d:\d\d:\d\d)(?:\.(\d+))?(?:([Zz])|([+-])(\d\d):(\d\d))?", re.ASCII
)
_EXAMPLE: Final = "expected RFC 3339 such as 2026-11-23T10:00:00Z"


def rfc3339_ns(text: object, where: str = "time") -> int:
    """Nanoseconds of an RFC 3339 time with zone and up to nine fractional digits; DecodeError names `where`."""
    if type(text) is str and len(text) == 20:
        found = _common_ns(text)
        if found is not None:
            return found
    return _general(text, where)


@lru_cache(maxsize=4096)  # many devices speak within the same second
def _common_ns(text: str) -> int | None:
    """Nanoseconds of a time laid out as 2026-11-23T10:00:00Z, None when it is none: the general way says why."""
    if not _common(text):
        return None
    try:
        since = datetime.fromisoformat(text) - _EPOCH
    except ValueError:
        return None
    found = (since.days * 86400 + since.seconds) * NS
    return found if -_LIMIT <= found < _LIMIT else None


def _common(text: str) -> bool:
    """Whether 20 characters are laid out as 2026-11-23T10:00:00Z (fromisoformat takes week dates and more)."""
    return text[19] == "Z" and text[10] == "T" and text[4] == text[7] == "-" and text[13] == text[16] == ":"


def _general(text: object, where: str) -> int:
    if not isinstance(text, str):
        raise DecodeError("bad_structure", f"{where}: {_EXAMPLE}, got {describe(text)}")
    found = _RFC3339.fullmatch(text)
    if found is None:
        raise DecodeError("bad_structure", f"{where}: {_EXAMPLE}, got {describe(text)}")
    date, clock, fraction, zulu, sign, hours, minutes = found.groups()
    if not (zulu or sign):
        raise DecodeError(
            "bad_structure", f"{where}: {describe(text)} has no zone: add Z for UTC or an offset such as +01:00"
        )
    nanoseconds = _fraction_ns(fraction, text, where)
    try:
        since = datetime.fromisoformat(f"{date}T{clock}+00:00") - _EPOCH
        offset = timedelta(hours=int(hours or 0), minutes=_minutes(minutes))
    except ValueError as error:
        raise DecodeError("bad_structure", f"{where}: {describe(text)} is no time: {error}") from error
    since = since + offset if sign == "-" else since - offset
    return _fits((since.days * 86400 + since.seconds) * NS + nanoseconds, text, where)


def _minutes(text: str | None) -> int:
    if text is not None and text > "59":
        raise ValueError("the minutes of the offset must be below 60")
    return int(text or 0)


def _fraction_ns(digits: str | None, text: str, where: str) -> int:
    if digits is None:
        return 0
    if len(digits) > 9:
        raise DecodeError("bad_structure", f"{where}: {describe(text)} has more than nine digits after the point")
    return int(digits.ljust(9, "0"))


def unix_ns(value: object, unit_ns: int = NS, where: str = "time") -> int:
    """Nanoseconds of a Unix time in units of `unit_ns`, given as number or decimal text; DecodeError names `where`."""
    if type(value) is int and value.bit_length() < 32:  # seconds, or the few that a record adds to its base time
        return value * unit_ns
    exact = _decimal(value, where) * unit_ns
    if not abs(exact) < _LIMIT:
        raise DecodeError("time_implausible", f"{where}: {describe(value)} is beyond the years 1678 to 2262")
    nanoseconds = int(exact.to_integral_value())
    return (nanoseconds + 500) // 1000 * 1000 if isinstance(value, float) else nanoseconds


def _decimal(value: object, where: str) -> Decimal:
    """A number of a payload, exactly; absurdly long ones are cut off before they cost time."""
    if isinstance(value, bool) or not isinstance(value, int | float | Decimal | str):
        raise DecodeError("bad_structure", f"{where}: expected a Unix time, got {describe(value)}")
    if (isinstance(value, int) and value.bit_length() > 100) or (isinstance(value, str) and len(value) > 40):
        raise DecodeError("time_implausible", f"{where}: {describe(value)} is beyond the years 1678 to 2262")
    try:
        exact = Decimal(value)
    except InvalidOperation:
        raise DecodeError("bad_structure", f"{where}: expected a Unix time, got {describe(value)}") from None
    if not exact.is_finite():
        raise DecodeError("not_finite", f"{where}: {describe(value)} is no time")
    if exact.adjusted() > 40:
        raise DecodeError("time_implausible", f"{where}: {describe(value)} is beyond the years 1678 to 2262")
    return exact


_FOLDS: Final[Mapping[str, int]] = {"earlier": 0, "later": 1}
AMBIGUOUS: Final = ("reject", *_FOLDS)


def local_ns(wall: datetime, zone: tzinfo, ambiguous: str = "reject", where: str = "time") -> int:
    """Nanoseconds of a wall-clock time without offset.

    The hour that the clocks skip in spring never was: always a DecodeError. The hour that comes twice in autumn is one
    too, unless `ambiguous` says `earlier` (daylight saving time) or `later`.
    """
    first, second = (_offset(wall.replace(fold=fold), zone) for fold in (0, 1))
    fold = _FOLDS.get(ambiguous)
    if first < second:
        raise DecodeError("bad_structure", f"{where}: {wall} never was in {zone}: clocks skipped that hour")
    if first > second and fold is None:
        raise DecodeError("bad_structure", f"{where}: {wall} came twice in {zone}: send UTC, or set ambiguous")
    since = wall - _NAIVE_EPOCH - (second if fold else first)
    return _fits((since.days * 86400 + since.seconds) * NS + since.microseconds * 1000, str(wall), where)


def _offset(wall: datetime, zone: tzinfo) -> timedelta:
    return wall.replace(tzinfo=zone).utcoffset() or timedelta()


def _fits(nanoseconds: int, text: str, where: str) -> int:
    if not -_LIMIT <= nanoseconds < _LIMIT:
        raise DecodeError("time_implausible", f"{where}: {text} is beyond the years 1678 to 2262")
    return nanoseconds


def rfc3339(nanoseconds: int) -> str:
    """RFC 3339 in UTC with as many fractional digits as are needed, for samples and messages."""
    seconds, rest = divmod(nanoseconds, NS)
    stamp = (_EPOCH + timedelta(seconds=seconds)).strftime("%Y-%m-%dT%H:%M:%S")
    return f"{stamp}.{rest:09d}".rstrip("0") + "Z" if rest else f"{stamp}Z"
