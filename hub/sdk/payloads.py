# SPDX-License-Identifier: EUPL-1.2
"""Reading payloads with errors that a technician understands.

`load_json` is the fast parser; only when it refuses does a slower one look for the reason, so that NaN, which is no
JSON but what many devices send, is reported as such and with the field's name. Everything raises DecodeError alone.
"""

import json
import math
import re
from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Final, cast

import orjson

from hub.core.errors import DecodeError

_BOM: Final = b"\xef\xbb\xbf"
_NOT_FINITE_TEXT: Final = re.compile(r"[+-]?(nan|inf|infinity)", re.IGNORECASE)
_NUMBER_TEXT: Final = re.compile(r"\s*[+-]?(\d{1,40}(\.\d{0,40})?|\.\d{1,40})([eE][+-]?\d{1,3})?\s*", re.ASCII)
_SHOWN: Final = 40
_KINDS: Final[Mapping[type, str]] = {dict: "an object", list: "an array", bytes: "bytes"}


def load_json(payload: bytes) -> object:
    """Parse JSON; DecodeError (`empty`, `not_finite` or `malformed`) says what is wrong and where."""
    try:
        return cast("object", orjson.loads(payload))
    except orjson.JSONDecodeError as error:
        if payload.startswith(_BOM):
            return load_json(payload.removeprefix(_BOM))
        raise _json_fault(payload, error) from error


def load_object(payload: bytes) -> dict[str, object]:
    """Parse JSON that must be an object."""
    data = load_json(payload)
    if not isinstance(data, dict):
        raise DecodeError("bad_structure", f"expected a JSON object, got {describe(data)}")
    return cast("dict[str, object]", data)


def _json_fault(payload: bytes, error: orjson.JSONDecodeError) -> DecodeError:
    if not payload.strip():
        return DecodeError("empty", "the message is blank")
    for place, value in _not_finite(payload):
        return DecodeError("not_finite", f"{place}: {value} is not a number")
    return DecodeError("malformed", f"not JSON: {error.msg} at line {error.lineno}, column {error.colno}")


def _not_finite(payload: bytes) -> Iterator[tuple[str, float]]:
    """Places of NaN and infinities in what is JSON but for them."""
    try:
        todo: list[tuple[str, object]] = [("", json.loads(payload))]
    except (ValueError, RecursionError):
        return
    while todo:
        place, value = todo.pop()
        if isinstance(value, float) and not math.isfinite(value):
            yield place or "value", value
        elif isinstance(value, dict):
            todo.extend((f"{place}.{key}" if place else str(key), item) for key, item in value.items())
        elif isinstance(value, list):
            todo.extend((f"{place}[{index}]", item) for index, item in enumerate(value))


def describe(value: object) -> str:
    """A payload's value in words, short enough for a message."""
    if isinstance(value, str):
        return f"text {value if len(value) <= _SHOWN else value[:_SHOWN] + '…'!r}"
    if isinstance(value, bool) or value is None:
        return "null" if value is None else str(value).lower()
    if isinstance(value, int) and value.bit_length() > 128:
        return "a number too large"
    if isinstance(value, int | float | Decimal):
        return str(value)
    return _KINDS.get(type(value), type(value).__name__)


def shorten(words: str, limit: int = 500) -> str:
    """Text of a payload for people, cut off where it gets long."""
    return words if len(words) <= limit else words[: limit - 1] + "…"


def number(value: object, where: str) -> float:
    """A finite number, or DecodeError naming `where`. Booleans and numbers in text are no numbers."""
    if isinstance(value, int | float | Decimal) and not isinstance(value, bool):
        try:
            result = float(value)
        except (OverflowError, ValueError):
            result = math.inf
        if math.isfinite(result):
            return result
        raise DecodeError("not_finite", f"{where}: {describe(value)} is not a finite number")
    if isinstance(value, str) and _NOT_FINITE_TEXT.fullmatch(value):
        raise DecodeError("not_finite", f"{where}: {describe(value)} is not a number")
    raise DecodeError("bad_structure", f"{where}: expected a number, got {describe(value)}")


def text_number(text: str) -> float | None:
    """A decimal number written as text, None where it is none."""
    if _NUMBER_TEXT.fullmatch(text):
        value = float(text)
        return value if math.isfinite(value) else None
    return None


def text(value: object, where: str) -> str:
    """Text that is not empty, or DecodeError naming `where`."""
    if isinstance(value, str) and value:
        return value
    raise DecodeError("bad_structure", f"{where}: expected text, got {describe(value) if value != '' else 'none'}")


def section(data: Mapping[str, object], key: str) -> Mapping[str, object]:
    """The object at `key`, empty where it is missing or null (network servers leave out what is empty)."""
    value = data.get(key)
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise DecodeError("bad_structure", f"{key}: expected an object, got {describe(value)}")
    return cast("dict[str, object]", value)


def sections(data: Mapping[str, object], key: str) -> list[Mapping[str, object]]:
    """The array of objects at `key`, empty where it is missing or null."""
    value = data.get(key)
    if value is None:
        return []
    if not isinstance(value, list) or not all(isinstance(item, dict) for item in value):
        raise DecodeError("bad_structure", f"{key}: expected an array of objects, got {describe(value)}")
    return cast("list[Mapping[str, object]]", value)
