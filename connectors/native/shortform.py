# SPDX-License-Identifier: EUPL-1.2
"""The short form: `{"time": ..., "readings": {"pm10": 20.3, "air_temperature": {"value": 294.5, "unit": "K"}}}`.

`time` is RFC 3339 with a zone, and counts for all readings; without it (or with null) the hub stamps the arrival.
`revision` may stand beside it or beside one reading's value, which then counts; `origin` may say imported or
simulated. No other key is allowed: a mistyped `time` would otherwise stamp every reading with its arrival, unnoticed.
"""

from collections.abc import Mapping
from typing import Final, cast

from msgspec import MsgspecError, Struct
from msgspec.json import Decoder

from hub.sdk import Decoded, DecodeError, Reading, ReadingSet, describe, number, rfc3339_ns

ADVICE: Final = 'send {"time": "2026-11-23T10:00:00Z", "readings": {"pm10": 20.3}}, an array of those, or a SenML array'
_KEYS: Final = frozenset({"time", "readings", "revision", "origin"})
_VALUE_KEYS: Final = frozenset({"value", "unit", "revision"})
_ORIGINS: Final = ("imported", "simulated")
_FLOAT: Final[set[type]] = {float}
_NUMBERS: Final[set[type]] = {float, int}
_HIGHEST_REVISION: Final = 2**31 - 1


def is_short(item: object) -> bool:
    """Whether the first item of an array shows that it holds short forms and no SenML."""
    return isinstance(item, dict) and ("readings" in item or "time" in item)


class _Usual(Struct, gc=False, forbid_unknown_fields=True):
    time: str
    readings: dict[str, float]


_USUAL: Final = Decoder(_Usual)


def usual_form(payload: bytes, device: str) -> ReadingSet | None:
    """What nearly every message is, a time and plain numbers, parsed and checked in one go; None when it is not."""
    try:
        message = _USUAL.decode(payload)
    except (MsgspecError, UnicodeDecodeError):  # the general way finds out what it is, or says what is wrong
        return None
    return ReadingSet(device, rfc3339_ns(message.time), message.readings) if message.readings else None


def decode_short(message: dict[str, object], device: str, where: str, out: list[Decoded]) -> None:
    """Append the readings of one message to `out`; `where` is its place in the payload, for errors."""
    readings = message.get("readings")
    if not isinstance(readings, dict) or not readings:
        raise _no_readings(message, where)
    stamp = message.get("time")
    plain = len(message) == (1 if stamp is None and "time" not in message else 2)  # nothing beside readings and time
    revision, origin = (0, None) if plain else _extras(message, where)
    time = None if stamp is None else rfc3339_ns(stamp, f"{where}time")
    kinds = set(map(type, readings.values()))
    if (
        time is not None and kinds <= _NUMBERS and not revision and origin is None
    ):  # plain numbers: finite, by the parser
        out.append(
            ReadingSet(device, time, readings if kinds == _FLOAT else {q: float(v) for q, v in readings.items()})
        )
        return
    for quantity, value in readings.items():
        if type(value) in _NUMBERS:
            out.append(Reading(device, quantity, float(value), None, time, None, revision, origin))
        else:
            out.append(_detailed(device, quantity, value, f"{where}readings.{quantity}", (time, revision, origin)))


def _detailed(
    device: str, quantity: str, value: object, where: str, common: tuple[int | None, int, str | None]
) -> Reading:
    """A reading given as an object with its unit or revision."""
    time, revision, origin = common
    if not isinstance(value, dict):
        return Reading(device, quantity, number(value, where), None, time, None, revision, origin)
    item = cast("dict[str, object]", value)
    _only(item, _VALUE_KEYS, where)
    if "value" not in item:
        raise DecodeError("bad_structure", f"{where}: value is missing")
    unit = item.get("unit")
    if unit is not None and not isinstance(unit, str):
        raise DecodeError("bad_structure", f"{where}.unit: expected text, got {describe(unit)}")
    revision = _revision(item["revision"], where) if "revision" in item else revision
    return Reading(device, quantity, number(item["value"], f"{where}.value"), unit, time, None, revision, origin)


def _extras(message: Mapping[str, object], where: str) -> tuple[int, str | None]:
    _only(message, _KEYS, where.rstrip("."))
    origin = message.get("origin")
    if origin is not None and origin not in _ORIGINS:
        raise DecodeError("bad_structure", f"{where}origin: {' or '.join(_ORIGINS)}, got {describe(origin)}")
    revision = _revision(message["revision"], where.rstrip(".")) if "revision" in message else 0
    return revision, origin


def _revision(value: object, where: str) -> int:
    if type(value) is int and 0 <= value <= _HIGHEST_REVISION:
        return value
    place = f"{where}.revision" if where else "revision"
    raise DecodeError("bad_structure", f"{place}: expected a whole number from 0, got {describe(value)}")


def _only(item: Mapping[str, object], allowed: frozenset[str], where: str) -> None:
    unknown = [key for key in item if key not in allowed]
    if unknown:
        names = ", ".join(unknown[:5])
        raise DecodeError(
            "bad_structure",
            f"{where + ': ' if where else ''}unknown key {names}; allowed are {', '.join(sorted(allowed))}",
        )


def _no_readings(message: Mapping[str, object], where: str) -> DecodeError:
    value = message.get("readings")
    if "readings" not in message:
        got = f"readings is missing (got {', '.join(list(message)[:5]) or 'an empty object'})"
    else:
        got = "readings is empty" if value == {} else f"readings: expected an object, got {describe(value)}"
    return DecodeError("bad_structure", f"{where}{got}; {ADVICE}")
