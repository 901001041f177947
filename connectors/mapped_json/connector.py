# SPDX-License-Identifier: EUPL-1.2
"""Any JSON, by a mapping file: which topics, where device, time and values stand, in what units and zone.

One connector per file. A message is taken whole or not at all; a value that is missing is skipped only where the
mapping says so. JMESPath cannot tell a null from a missing key, so both count as missing.
"""

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from functools import partial

from jmespath.exceptions import JMESPathError

from connectors.mapped_json.mapping import RFC3339, UNIX, CheckedMapping, Expression, MappedField, Time, load
from hub.sdk import (
    ConfigurableConnector,
    Connector,
    Decoded,
    DecodeError,
    RawMessage,
    Reading,
    describe,
    load_json,
    local_ns,
    number,
    rfc3339_ns,
    text_number,
    unix_ns,
)

_NS = 1_000_000_000


def configure(stem: str, text: str) -> Connector:
    """The connector of one mapping file; ValueError names the key at fault."""
    mapping = load(text)
    return Connector(
        name=f"mapped_json.{stem}",
        title=mapping.file.title,
        topics=tuple(mapping.file.topics),
        decode=partial(_decode, mapping),
        device=mapping.file.device.topic or "",
    )


def _decode(mapping: CheckedMapping, message: RawMessage, topic: Mapping[str, str]) -> Iterable[Decoded]:
    data = load_json(message.payload)
    out: list[Decoded] = []
    for place, item in _items(mapping.each, data):
        out.extend(_item(mapping, item, data, topic, place))
    if not out:
        raise DecodeError("bad_structure", "no field of the mapping has a value in this message")
    return out


def _items(each: Expression | None, data: object) -> Iterator[tuple[str, object]]:
    if each is None:
        yield "", data
        return
    items = _search(each, data, "each")
    if not isinstance(items, list):
        raise DecodeError("bad_structure", f"each: expected an array, got {describe(items)}")
    for index, item in enumerate(items):
        yield f"[{index}] ", item


def _item(
    mapping: CheckedMapping, item: object, message: object, topic: Mapping[str, str], place: str
) -> Iterator[Decoded]:
    file = mapping.file
    device = _device(mapping, message if file.device.of == "message" else item, topic, place)
    time = None
    if file.time and mapping.time:
        stamp = _search(mapping.time, message if file.time.of == "message" else item, f"{place}time")
        time = _time(file.time, stamp, mapping, f"{place}time {file.time.path}")
    for field, expression in mapping.fields:
        value = _value(field, _search(expression, item, f"{place}{field.path}"), f"{place}{field.path}")
        if value is not None:
            yield Reading(device, field.quantity, value, field.unit, time, origin=file.origin)


def _device(mapping: CheckedMapping, source: object, topic: Mapping[str, str], place: str) -> str:
    if mapping.device is None:
        return topic[mapping.file.device.topic or ""]
    value = _search(mapping.device, source, f"{place}device")
    if isinstance(value, int) and not isinstance(value, bool) and value.bit_length() <= 64:
        return str(value)
    if isinstance(value, str) and value:
        return value
    raise DecodeError(
        "bad_structure", f"{place}device {mapping.file.device.path}: expected a name, got {describe(value)}"
    )


def _time(rule: Time, value: object, mapping: CheckedMapping, where: str) -> int | None:
    if value is None:
        if rule.missing == "arrival":
            return None
        raise DecodeError("bad_structure", f"{where}: is missing (time.missing: arrival would stamp it on arrival)")
    return _instant(rule, value, mapping, where) - rule.period_s * _NS


def _instant(rule: Time, value: object, mapping: CheckedMapping, where: str) -> int:
    if rule.format == RFC3339:
        return rfc3339_ns(value, where)
    if rule.format in UNIX:
        return unix_ns(value, UNIX[rule.format], where)
    try:
        parsed = datetime.strptime(str(value), rule.format)  # noqa: DTZ007 -- the zone is the mapping's
    except ValueError as error:
        raise DecodeError("bad_structure", f"{where}: {describe(value)} does not read as {rule.format!r}") from error
    if mapping.zone is None:
        if parsed.tzinfo is None:
            raise DecodeError("bad_structure", f"{where}: {describe(value)} has no offset")
        return rfc3339_ns(parsed.isoformat(), where)
    return local_ns(parsed, mapping.zone, rule.ambiguous, where)


def _value(field: MappedField, value: object, where: str) -> float | None:
    if value is None:
        if field.missing == "skip":
            return None
        raise DecodeError("bad_structure", f"{where}: {field.quantity} is missing (missing: skip would allow that)")
    if field.strip is not None and isinstance(value, str):
        result = text_number(value.strip(field.strip))
        if result is None:
            raise DecodeError("bad_structure", f"{where}: {describe(value)} holds no number")
        return result
    return number(value, where)


def _search(expression: Expression, data: object, where: str) -> object:
    try:
        return expression.search(data)
    except (JMESPathError, RecursionError, ArithmeticError, ValueError, TypeError) as error:
        raise DecodeError("bad_structure", f"{where}: {' '.join(str(error).split())[:200]}") from error


CONNECTOR = ConfigurableConnector(name="mapped_json", title="JSON of any shape, by a mapping file", configure=configure)
