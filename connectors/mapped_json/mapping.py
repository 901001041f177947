# SPDX-License-Identifier: EUPL-1.2
"""The mapping file: what it may say, checked completely before the hub starts.

Every fault is a ValueError that begins with the key, such as `fields[2].path`. Expressions are JMESPath
(jmespath.org); quantities and units are checked against the hub's tables, so that a mapping that loads can only fail
on payloads.
"""

from collections.abc import Mapping, Sequence
from datetime import tzinfo
from typing import Any, Final, Literal, Protocol, cast
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import jmespath
import msgspec
import yaml
from jmespath.exceptions import JMESPathError
from msgspec import Struct

from hub.sdk import check_quantity, compile_template

RFC3339: Final = "rfc3339"
UNIX: Final[Mapping[str, int]] = {"unix_s": 10**9, "unix_ms": 10**6, "unix_us": 10**3, "unix_ns": 1}
_FORMATS: Final = (RFC3339, *UNIX, "a strptime pattern such as '%d.%m.%Y %H:%M'")


class _Loaded(Struct, forbid_unknown_fields=True, frozen=True):
    """Base of all parts of the file: a mistyped key is an error."""


class Device(_Loaded, frozen=True):
    """Where the device's name is: a variable of the topic, or an expression on the item (or the whole message)."""

    topic: str | None = None
    path: str | None = None
    of: Literal["item", "message"] = "item"


class Time(_Loaded, frozen=True):
    """Where and how the time stands. `stamp: end` shifts by `period_s` back to the start of the interval."""

    path: str
    format: str = RFC3339
    of: Literal["item", "message"] = "item"
    zone: str | None = None
    ambiguous: Literal["reject", "earlier", "later"] = "reject"
    missing: Literal["error", "arrival"] = "error"
    stamp: Literal["start", "end"] = "start"
    period_s: int = 0


class MappedField(_Loaded, frozen=True):
    """One quantity. `strip` allows numbers in text, after taking these characters off both ends."""

    path: str
    quantity: str
    unit: str | None = None
    missing: Literal["skip", "error"] = "error"
    strip: str | None = None


class _File(_Loaded, frozen=True):
    title: str
    topics: list[str]
    device: Device
    fields: list[MappedField]
    each: str | None = None
    time: Time | None = None
    origin: Literal["imported", "simulated"] | None = None


class Expression(Protocol):
    """A compiled JMESPath expression."""

    def search(self, value: Any) -> Any:
        """Evaluate on JSON data."""


class CheckedMapping(Struct, frozen=True):
    """A checked mapping with its expressions compiled and its zone loaded."""

    file: _File
    each: Expression | None
    device: Expression | None
    time: Expression | None
    zone: tzinfo | None
    fields: Sequence[tuple[MappedField, Expression]]


def load(text: str) -> CheckedMapping:
    """Check a mapping file; ValueError names the key at fault."""
    file = _parse(text)
    if not file.topics:
        raise ValueError("topics: name at least one")
    if not file.fields:
        raise ValueError("fields: name at least one")
    for index, topic in enumerate(file.topics):
        _check_topic(topic, file.device, f"topics[{index}]")
    return CheckedMapping(
        file,
        _compile(file.each, "each") if file.each is not None else None,
        _device(file.device),
        _compile(file.time.path, "time.path") if file.time else None,
        _check_time(file.time) if file.time else None,
        [(field, _field(field, f"fields[{index}]")) for index, field in enumerate(file.fields)],
    )


def _parse(text: str) -> _File:
    try:
        data = yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise ValueError(f"not YAML: {' '.join(str(error).split())}") from error
    try:
        return msgspec.convert(data, _File)
    except msgspec.ValidationError as error:
        what, _, where = str(error).partition(" - at `$")
        raise ValueError(f"{where.strip('`').lstrip('.') or 'mapping'}: {what}") from error


def _check_topic(topic: str, device: Device, where: str) -> None:
    try:
        template = compile_template(topic)
    except ValueError as error:
        raise ValueError(f"{where}: {error}") from error
    if device.topic is not None and device.topic not in template.names:
        raise ValueError(f"device.topic: {where} {topic!r} has no variable {{{device.topic}}}")


def _device(device: Device) -> Expression | None:
    if (device.topic is None) == (device.path is None):
        raise ValueError("device: give either topic (a variable of the topic) or path (an expression)")
    return None if device.path is None else _compile(device.path, "device.path")


def _compile(expression: str, where: str) -> Expression:
    try:
        return cast("Expression", jmespath.compile(expression))
    except JMESPathError as error:
        raise ValueError(f"{where}: {expression!r} is no JMESPath: {' '.join(str(error).split())}") from error


def _check_time(time: Time) -> tzinfo | None:
    if time.format not in (RFC3339, *UNIX) and "%" not in time.format:
        raise ValueError(f"time.format: {time.format!r} is none of {', '.join(_FORMATS)}")
    if (time.stamp == "end") != (time.period_s > 0):
        raise ValueError("time.period_s: seconds above 0 belong to stamp: end, and only there")
    offset_in_text = time.format in (RFC3339, *UNIX) or "%z" in time.format
    if offset_in_text:
        if time.zone is not None:
            raise ValueError(f"time.zone: {time.format} carries its own offset; leave zone out")
        return None
    if time.zone is None:
        raise ValueError("time.zone: times without offset need the zone they are in, such as Europe/Prague or UTC")
    try:
        return ZoneInfo(time.zone)
    except (OSError, ValueError, ZoneInfoNotFoundError) as error:
        raise ValueError(f"time.zone: {time.zone!r} is no IANA time zone") from error


def _field(field: MappedField, where: str) -> Expression:
    try:
        check_quantity(field.quantity, field.unit)
    except ValueError as error:
        raise ValueError(f"{where}: {error}") from error
    return _compile(field.path, f"{where}.path")
