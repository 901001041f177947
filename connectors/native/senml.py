# SPDX-License-Identifier: EUPL-1.2
"""SenML packs (RFC 8428; secondary units RFC 8798, versions RFC 9100) to readings.

Base fields hold from their record on. The quantity is the last part (after `:` or `/`) of `n`, or of the base name
where `n` is missing; units go through as they are, as the hub knows SenML's names. Numbers are kept exact until a
value becomes a float, so that base time + time gives the nanoseconds that were written.

Times below 2**28 are relative to the moment of reading the pack. Zero means "now" and leaves the stamp to the hub; any
other is refused: after hours in a broker's queue "five seconds ago" would be wrong by hours, and a second delivery
would give a second time.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from decimal import Decimal, DecimalException
from typing import Final, cast

import msgspec

from hub.sdk import Decoded, DecodeError, DeviceEvent, Reading, describe, load_json, number, shorten, unix_ns

Number = int | float | Decimal

_RELATIVE: Final = 2**28
_VERSIONS: Final = frozenset({*range(1, 11), 26})  # 10: RFC 8428; bit 4 (16): secondary units, RFC 9100 section 6.1
_SEPARATORS: Final = re.compile(r"[:/]")
_SECOND: Final = 1_000_000_000
_LARGEST_BITS: Final = 1100  # of an integer: more does not fit into a float
_UNITS: Final[Mapping[str, str]] = {"lat": "deg", "lon": "deg"}
_VALUES: Final = frozenset({"v", "vs", "vb", "vd", "s"})

_exact = msgspec.json.Decoder(float_hook=Decimal)


def load_exact(payload: bytes) -> object:
    """Parse JSON with numbers as int or Decimal; faults are reported as `load_json` does."""
    try:
        return cast("object", _exact.decode(payload))
    except (ValueError, DecimalException, RecursionError):
        return load_json(payload)


def _text(value: object, where: str) -> str:
    if isinstance(value, str):
        return value
    raise DecodeError("bad_structure", f"{where}: expected text, got {describe(value)}")


def _boolean(value: object, where: str) -> bool:
    if isinstance(value, bool):
        return value
    raise DecodeError("bad_structure", f"{where}: expected true or false, got {describe(value)}")


def _number(value: object, where: str) -> Number:
    """A finite number of a size that arithmetic on it stays cheap."""
    number(value, where)
    return cast("Number", value)


def _data(value: object, where: str) -> str:
    if isinstance(value, bytes):
        return f"{len(value)} bytes"
    return _text(value, where)


_FIELDS: Final[Mapping[str, Callable[[object, str], object]]] = {
    **dict.fromkeys(("bn", "bu", "n", "u", "vs"), _text),
    **dict.fromkeys(("bt", "bv", "bs", "bver", "v", "s", "t", "ut"), _number),
    "vb": _boolean,
    "vd": _data,
}


def decode_pack(pack: object, device: str) -> list[Decoded]:
    """Readings (and, for text values, events) of one pack."""
    if not isinstance(pack, list):
        raise DecodeError("bad_structure", f"a SenML pack is an array of records, got {describe(pack)}")
    if not pack:
        raise DecodeError("bad_structure", "the SenML pack is empty")
    base: dict[str, object] = {}
    out: list[Decoded] = []
    for index, item in enumerate(pack):
        record = _checked(item, f"[{index}]")
        _take_base(base, record, f"[{index}]")
        out.extend(_record(record, base, device, f"[{index}]"))
    return out


def _checked(item: object, where: str) -> dict[str, object]:
    """The record with known fields of the right type; RFC 8428: unknown ones are ignored but those ending in _."""
    if not isinstance(item, dict):
        raise DecodeError("bad_structure", f"{where}: a SenML record is an object, got {describe(item)}")
    record = {}
    for label, value in item.items():
        check = _FIELDS.get(label) if isinstance(label, str) else None
        if check is not None:
            record[label] = check(value, f"{where}.{label}")
        elif isinstance(label, str) and label.endswith("_"):
            raise DecodeError("bad_structure", f"{where}.{label}: must be understood (RFC 8428), and is not")
    return record


def _take_base(base: dict[str, object], record: Mapping[str, object], where: str) -> None:
    if record.get("bver", 10) not in _VERSIONS:
        raise DecodeError("bad_structure", f"{where}.bver: version {record['bver']} is not supported; 10 and 26 are")
    name = record.get("bn")
    if name is not None and base.get("bn") not in (None, name):
        raise DecodeError(
            "bad_structure",
            f"{where}.bn: the pack names two devices, {base['bn']} and {name}; send one device's readings on its topic",
        )
    base.update((label, record[label]) for label in ("bn", "bt", "bu", "bv", "bs") if label in record)


def _record(record: Mapping[str, object], base: Mapping[str, object], device: str, where: str) -> Iterator[Decoded]:
    given = [label for label in ("v", "vs", "vb", "vd") if label in record]
    if len(given) > 1:
        raise DecodeError("bad_structure", f"{where}: holds {' and '.join(given)}; a record has one value")
    if not _VALUES & record.keys() and not ("n" in record and base.keys() & {"bv", "bs"}):
        if "n" in record:
            raise DecodeError("bad_structure", f"{where}: {record['n']} has no value (v, vb, vs, vd or s)")
        return  # base values only
    name = _SEPARATORS.split(str(record.get("n") or base.get("bn", "")))[-1]
    if not name:
        raise DecodeError("bad_structure", f"{where}: has no name; set n to a quantity such as pm10")
    time = _time(record, base, where)
    unit = record.get("u", base.get("bu"))
    unit = None if unit is None else _UNITS.get(str(unit), str(unit))
    yield from _values(record, base, Reading(device, name, 0.0, unit, time), where)


def _values(record: Mapping[str, object], base: Mapping[str, object], blank: Reading, where: str) -> Iterator[Decoded]:
    device, name, unit, time = blank.device, blank.quantity, blank.unit, blank.time
    for label in ("vs", "vd"):
        if label in record:
            yield DeviceEvent(device, "status", shorten(f"{name}: {record[label]}"), reason="text_value", time=time)
            return
    if "vb" in record:
        yield Reading(device, name, float(cast("bool", record["vb"])), unit, time)
    elif "v" in record or "s" not in record:
        yield Reading(device, name, number(_sum(record, base, "v", where), f"{where}.v"), unit, time)
    if "s" in record and "v" in record:
        total = number(_sum(record, base, "s", where), f"{where}.s")
        yield DeviceEvent(
            device, "status", shorten(f"{name}: sum {total} {unit or ''} s"), reason="sum_beside_value", time=time
        )
    elif "s" in record:  # the sum over time of a value in W is an energy in W.s
        total = number(_sum(record, base, "s", where), f"{where}.s")
        yield Reading(device, name, total, f"{unit}.s" if unit else None, time)


def _sum(record: Mapping[str, object], base: Mapping[str, object], label: str, where: str) -> Number:
    """Base value plus value; exact while neither is a binary float."""
    a = cast("Number", base.get(f"b{label}", 0))
    b = cast("Number", record.get(label, 0))
    if isinstance(a, float) or isinstance(b, float):
        return float(a) + float(b)
    if not a:
        return b
    for part in (a, b):
        if isinstance(part, int) and part.bit_length() > _LARGEST_BITS:
            raise DecodeError("not_finite", f"{where}.{label}: a number too large")
    return a + b if isinstance(a, int) and isinstance(b, int) else Decimal(a) + Decimal(b)


def _time(record: Mapping[str, object], base: Mapping[str, object], where: str) -> int | None:
    if "t" not in record and "bt" not in base:
        return None
    total = unix_ns(base.get("bt", 0), where=f"{where}.bt") + unix_ns(record.get("t", 0), where=f"{where}.t")
    if total == 0:
        return None
    if total < _RELATIVE * _SECOND:
        raise DecodeError(
            "time_implausible",
            f"{where}: time {total / _SECOND:g} s is relative to now (below 2**28): "
            "set bt to seconds since 1970, or leave out bt and t",
        )
    if total >= 2**63:
        raise DecodeError("time_implausible", f"{where}: bt and t add up to {total / _SECOND:g} s, after the year 2262")
    return total
