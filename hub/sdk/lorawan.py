# SPDX-License-Identifier: EUPL-1.2
"""What LoRaWAN network servers have in common: objects decoded by payload codecs, gateways, device EUIs.

A codec is foreign JavaScript, so names of fields are taken only where they are certain. A field becomes a reading

- when a table of the connector has its name (`codec_fields.py`), in the table's unit;
- when its name is the id of a quantity: in the quantity's own unit, or in the `unit` beside its `value`;
- else under its own name, for the hub to refuse by that name (`unknown_quantity`): seen, kept and not guessed at.

Gases are an exception to the second rule: codecs send them in ppm, ppb or ug/m3 under the same name, so without a
unit they are refused (`unknown_unit`). Booleans outside of the table are handed on in the unit `TRUTH`: the hub takes
those that the device's model says to be measurements, and leaves the others out. Text and nulls are no readings.
Arrays (stored history) are reported as an event, for they hold values that nobody has read.
"""

import math
import re
import unicodedata
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Final

from hub.core.errors import DecodeError
from hub.sdk._types import Decoded, DeviceEvent, Field, Reading, Uplink
from hub.sdk.payloads import describe, number, shorten, text_number

UNIT_NOT_STATED: Final = "not stated"
TRUTH: Final = "true or false"  # unit of a boolean: counts as 1 or 0 where the device's model names the field, else not
_AMBIGUOUS_UNIT: Final = frozenset({"no2", "no", "nox", "o3", "so2", "co", "nh3", "h2s", "tvoc", "hcho"})
_EUI: Final = re.compile(r"[0-9a-f]{16}")
_DEPTH: Final = 4


def printed_eui(text: str) -> str:
    """A DevEUI as labels print it (capitals, separators) in the form of payloads; other names stay as they are."""
    digits = text.strip().replace("-", "").replace(":", "").replace(" ", "").lower()
    return digits if len(digits) == 16 and set(digits) <= set("0123456789abcdef") else text


def device_eui(value: object, where: str) -> str:
    """A DevEUI as 16 lower-case hexadecimal digits, or DecodeError naming `where`."""
    eui = value.lower() if isinstance(value, str) else ""
    if _EUI.fullmatch(eui):
        return eui
    raise DecodeError("bad_structure", f"{where}: expected 16 hexadecimal digits, got {describe(value)}")


def plain_unit(unit: str) -> str:
    """Units as codecs print them, in plain characters: `W⋅m⁻²` is `W.m-2`, `µg⋅m⁻³` is `ug.m-3`."""
    plain = unicodedata.normalize("NFKC", unit).translate({0x2212: "-", 0x22C5: ".", 0x00B7: ".", 0x03BC: "u"})
    return plain.strip()


def object_readings(
    decoded: Mapping[str, object], table: Mapping[str, Field | None], blank: Reading
) -> Iterator[Decoded]:
    """Readings of an object decoded by a codec; `blank` has device, times and origin.

    `table` maps a field's name to what it is, or to None when it is known and no measurement.
    """
    unread: list[str] = []
    for name, value in _leaves(decoded, "", _DEPTH):
        if name in table and table[name] is None:
            continue
        if isinstance(value, list | dict):
            unread.append(name)
            continue
        yield from _field(name, value, table.get(name), blank)
    if unread:
        text = f"the codec sent {', '.join(unread[:5])}: arrays and deeper objects are not read"
        yield DeviceEvent(
            blank.device, "decoder", shorten(text), "unread_fields", "warning", blank.time or blank.server_time
        )


def _leaves(decoded: Mapping[str, object], prefix: str, depth: int) -> Iterator[tuple[str, object]]:
    """Fields with dotted names; an object with a `value` is a field of its own (Decentlab's codecs)."""
    for key, value in decoded.items():
        if isinstance(value, dict) and "value" not in value and depth:
            yield from _leaves(value, f"{prefix}{key}.", depth - 1)
        elif isinstance(value, dict) and "value" in value:
            yield f"{prefix}{key}", _Measure(value["value"], value.get("unit"))
        else:
            yield f"{prefix}{key}", value


class _Measure:
    """A value with the unit that the codec gives beside it."""

    __slots__ = ("unit", "value")

    def __init__(self, value: object, unit: object) -> None:
        self.value = value
        self.unit = plain_unit(unit) if isinstance(unit, str) and unit.strip() else None


def _field(name: str, value: object, known: Field | None, blank: Reading) -> Iterator[Reading]:
    unit = value.unit if isinstance(value, _Measure) else None
    amount = _amount(value.value if isinstance(value, _Measure) else value, name, lenient=known is not None)
    if amount is None:
        return
    quantity = known.quantity if known else name
    if known is None and isinstance(value.value if isinstance(value, _Measure) else value, bool):
        unit = TRUTH
    elif unit is None:
        unit = known.unit if known else UNIT_NOT_STATED if name in _AMBIGUOUS_UNIT else None
    yield Reading(blank.device, quantity, amount, unit, blank.time, blank.server_time, blank.revision, blank.origin)


def _amount(value: object, name: str, *, lenient: bool) -> float | None:
    """The field's number, None where it holds none; known fields may be numbers in text (Dragino)."""
    if isinstance(value, bool):
        return float(value)
    if isinstance(value, str):
        return text_number(value) if lenient else None
    return number(value, name) if isinstance(value, int | float) else None


def best_gateway(receptions: Iterable[Mapping[str, object]], where: str) -> tuple[float, float] | None:
    """RSSI (dBm) and SNR (dB) where the signal was clearest: highest SNR, then highest RSSI.

    Network servers leave out a zero, so one alone missing is 0; a gateway that reports neither says nothing.
    """
    best: tuple[float, float] | None = None
    for index, reception in enumerate(receptions):
        if "rssi" not in reception and "snr" not in reception:
            continue
        snr = number(reception.get("snr", 0), f"{where}[{index}].snr")
        rssi = number(reception.get("rssi", 0), f"{where}[{index}].rssi")
        best = max(best or (-math.inf, -math.inf), (snr, rssi))
    return None if best is None else (best[1], best[0])


def link_readings(
    receptions: Iterable[Mapping[str, object]], where: str, frame: object, blank: Reading
) -> Iterator[Decoded]:
    """Signal of the best gateway, and the frame counter (missing: 0)."""
    signal = best_gateway(receptions, where)
    if signal is not None:
        yield _like(blank, "rssi", signal[0], "dBm")
        yield _like(blank, "snr", signal[1], "dB")
    yield _like(blank, "packet_count", number(0 if frame is None else frame, "frame counter"), None)


def uplink(
    device: str,
    receptions: Iterable[Mapping[str, object]],
    gateway: Callable[[Mapping[str, object]], object],
    frame: object,
    spreading_factor: object,
) -> Uplink:
    """Who heard an uplink and how well; `gateway` takes a gateway's id from a reception. What is no number is left out:
    the readings of the same message say what is wrong with it.
    """
    heard: dict[str, tuple[float, float]] = {}
    for reception in receptions:
        named = gateway(reception)
        if isinstance(named, str) and named:
            name = named[:_LONGEST_ID]
            heard[name] = max(_signal(reception), heard.get(name, _UNHEARD))
    best = sorted(heard, key=lambda name: heard[name], reverse=True)[:_MOST_GATEWAYS]
    snr, rssi = heard[best[0]] if best else _UNHEARD
    frames = _whole(0 if frame is None else frame)
    known = snr > -math.inf
    return Uplink(
        device, frames, rssi if known else None, snr if known else None, _whole(spreading_factor), tuple(best)
    )


_MOST_GATEWAYS, _LONGEST_ID = 16, 64
_UNHEARD: Final = (-math.inf, -math.inf)


def _signal(reception: Mapping[str, object]) -> tuple[float, float]:
    """SNR and RSSI; one alone missing is 0, see `best_gateway`."""
    if "rssi" not in reception and "snr" not in reception:
        return _UNHEARD
    return _float(reception.get("snr", 0)), _float(reception.get("rssi", 0))


def _float(value: object) -> float:
    return float(value) if isinstance(value, int | float) and abs(value) < 1e6 else 0.0


def _whole(value: object) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 1 << 32 else None


def _like(blank: Reading, quantity: str, value: float, unit: str | None) -> Reading:
    return Reading(blank.device, quantity, value, unit, blank.time, blank.server_time, 0, blank.origin)
