# SPDX-License-Identifier: EUPL-1.2
"""What the label of a LoRaWAN device says, from the text that a scanner or a person's fingers bring.

Read are QR codes after the LoRa Alliance's TR005 (`LW:D0:<JoinEUI>:<DevEUI>:<ProfileID>` with the optional fields O, S,
P and C), a DevEUI alone as it is printed (capitals, colons, dashes, blanks), and JSON or a link that names one. The
ProfileID is the manufacturer's VendorID and its own number, 16 bits each. The checksum is the CRC-16 of
MODBUS over all before it: found so from the recommendation's own example, so a wrong one is told and not refused.
Nothing is mended in secret: O for 0 is said, not replaced.
"""

import json
import re
from collections.abc import Iterator, Mapping
from typing import Final
from urllib.parse import parse_qsl, urlsplit

from msgspec import Struct

from hub.core.errors import Invalid

_LONGEST: Final = 1000
_HEX: Final = frozenset("0123456789ABCDEF")
_SEPARATORS: Final = str.maketrans("", "", ":-. \t\r\n_")
_FIELDS: Final = {"O": "owner_token", "S": "serial", "P": "proprietary"}
_NAMES: Final[Mapping[str, str]] = {
    "deveui": "dev_eui",
    "deviceeui": "dev_eui",
    "joineui": "join_eui",
    "appeui": "join_eui",
    "sn": "serial",
    "serial": "serial",
    "serialnumber": "serial",
}
_LIKENESS: Final = {"O": "0 (zero)", "I": "1 (one)", "L": "1 (one)", "S": "5", "Z": "2", "G": "6"}


class Sticker(Struct, frozen=True, kw_only=True):
    """What a label says; EUIs as 16 lower-case digits. `checksum_ok` is None without a checksum.

    `notes` say in words what a person should look at.
    """

    dev_eui: str
    join_eui: str = ""
    vendor_id: int | None = None
    profile_id: int | None = None
    owner_token: str = ""
    serial: str = ""
    proprietary: str = ""
    checksum_ok: bool | None = None
    notes: tuple[str, ...] = ()


def parse_sticker(text: str) -> Sticker:
    """What `text` says; Invalid tells what is wrong with it, and where."""
    text = text.strip().lstrip("\ufeff")
    if not text:
        raise Invalid("nothing was scanned: scan the QR code, or type the DevEUI from the label", "text")
    if len(text) > _LONGEST:
        raise Invalid(f"{len(text)} characters are no label of a device ({_LONGEST} at most)", "text")
    if text[:3].upper() == "LW:":
        return _tr005(text)
    if text[:1] in "{[":
        return _named(_json_fields(text))
    if re.match(r"https?://", text, re.IGNORECASE):
        return _named(_link_fields(text))
    return Sticker(dev_eui=_eui(text, "DevEUI"))


def _tr005(text: str) -> Sticker:
    parts = text.split(":")
    if parts[1].upper() != "D0":
        raise Invalid(f"schema {parts[1]!r} of the code is not known: TR005 has D0", "text")
    if len(parts) < 5:
        raise Invalid("the code is cut off: LW:D0:JoinEUI:DevEUI:ProfileID is the least, scan it again", "text")
    join_eui, dev_eui = _eui(parts[2], "JoinEUI"), _eui(parts[3], "DevEUI")
    profile = _digits(parts[4], 8, "ProfileID")
    optional, checksum = _optional(parts[5:])
    ok = None if checksum is None else checksum == f"{_crc16(text.rpartition(':')[0].encode()):04X}"
    notes = ("the checksum does not fit: compare the DevEUI with the label",) if ok is False else ()
    return Sticker(
        dev_eui=dev_eui,
        join_eui=join_eui,
        vendor_id=int(profile[:4], 16),
        profile_id=int(profile[4:], 16),
        checksum_ok=ok,
        notes=notes,
        **optional,
    )


def _optional(parts: list[str]) -> tuple[dict[str, str], str | None]:
    """Fields behind the ProfileID by their name, and the checksum, which is the last."""
    found: dict[str, str] = {}
    for index, part in enumerate(parts):
        kind = part[:1].upper()
        if kind == "C" and index == len(parts) - 1:
            return found, _digits(part[1:], 4, "checksum")
        name = _FIELDS.get(kind)
        if name is None:
            raise Invalid(f"field {part[:20]!r} is none of O, S, P, and C at the end", "text")
        if name in found:
            raise Invalid(f"field {kind} stands twice", "text")
        found[name] = part[1:]
    return found, None


def _json_fields(text: str) -> Iterator[tuple[str, str]]:
    try:
        document = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise Invalid(
            f"the code begins like JSON and is none ({type(error).__name__}): scan it again", "text"
        ) from error
    if not isinstance(document, dict):
        raise Invalid("the code is JSON, but no object with names", "text")
    yield from ((str(key), str(value)) for key, value in document.items())


def _link_fields(text: str) -> Iterator[tuple[str, str]]:
    """Parameters of a link, and a part of its path that can only be an EUI."""
    try:
        parts = urlsplit(text)
    except ValueError as error:
        raise Invalid(f"the link cannot be read ({error})", "text") from error
    yield from parse_qsl(parts.query)
    yield from (("dev_eui", step) for step in parts.path.split("/") if _is_eui(step))


def _named(fields: Iterator[tuple[str, str]]) -> Sticker:
    found: dict[str, str] = {}
    for key, value in fields:
        name = _NAMES.get(re.sub(r"[^a-z]", "", key.lower()))
        if name is not None and value:
            found.setdefault(name, value)
    if "dev_eui" not in found:
        raise Invalid("the code names no DevEUI: type the 16 digits from the label", "text")
    join_eui = found.get("join_eui")
    return Sticker(
        dev_eui=_eui(found["dev_eui"], "DevEUI"),
        join_eui=_eui(join_eui, "JoinEUI") if join_eui else "",
        serial=found.get("serial", ""),
    )


def _is_eui(text: str) -> bool:
    plain = text.translate(_SEPARATORS).upper()
    return len(plain) == 16 and set(plain) <= _HEX


def _eui(text: str, what: str) -> str:
    return _digits(text.translate(_SEPARATORS), 16, what).lower()


def _digits(text: str, length: int, what: str) -> str:
    """`text` in capitals when it is `length` hexadecimal digits; Invalid names the character or length at fault."""
    capitals = text.upper()
    for place, character in enumerate(capitals, 1):
        if character not in _HEX:
            like = f"; {_LIKENESS[character]} is meant?" if character in _LIKENESS else ""
            raise Invalid(f"{what}: {character!r} at place {place} is none of 0-9 and A-F{like}", "text")
    if len(capitals) != length:
        raise Invalid(f"{what}: {length} digits are needed, there are {len(capitals)}", "text")
    return capitals


def _crc16(data: bytes) -> int:
    """CRC-16 of MODBUS: polynomial 0x8005 reflected, from 0xFFFF."""
    crc = 0xFFFF
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = (crc >> 1) ^ 0xA001 if crc & 1 else crc >> 1
    return crc
