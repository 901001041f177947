# SPDX-License-Identifier: EUPL-1.2
"""SenML packs in CBOR (RFC 8428, section 6): integer labels become the names that the JSON form uses.

Tags other than numbers are refused before they are interpreted: a sensor has no use for regular expressions, shared
references or two to the power of a billion, and whoever sends them should not cost the hub anything.
"""

from collections.abc import Callable, Mapping
from decimal import Decimal
from io import BytesIO
from typing import Any, Final

import cbor2

from hub.sdk import DecodeError

LABELS: Final[Mapping[int, str]] = {
    -1: "bver",
    -2: "bn",
    -3: "bt",
    -4: "bu",
    -5: "bv",
    -6: "bs",
    0: "n",
    1: "u",
    2: "v",
    3: "vs",
    4: "vb",
    5: "s",
    6: "t",
    7: "ut",
    8: "vd",
}
_DEPTH: Final = 8
_LARGEST_EXPONENT: Final = 400
_SELF_DESCRIBED: Final = b"\xd9\xd9\xf7"  # tag 55799, RFC 8949 section 3.4.6


def load(payload: bytes) -> object:
    """Parse a CBOR pack into what the JSON form would parse to; DecodeError says what is wrong."""
    stream = BytesIO(payload.removeprefix(_SELF_DESCRIBED))
    decoder = cbor2.CBORDecoder(stream, semantic_decoders=_Tags(), max_depth=_DEPTH, allow_duplicate_keys=False)
    try:
        data = decoder.decode()
    except cbor2.CBORError as error:
        raise DecodeError("malformed", f"not CBOR: {error.__cause__ or error}") from error
    except (ValueError, OverflowError, MemoryError) as error:
        raise DecodeError("malformed", f"not CBOR: {error}") from error
    if stream.read(1):
        raise DecodeError("malformed", "bytes follow the SenML pack; send one pack a message")
    return [_named(record) for record in data] if isinstance(data, list) else data


def _named(record: object) -> object:
    if not isinstance(record, dict):
        return record
    return {LABELS.get(label, str(label)) if type(label) is int else label: v for label, v in record.items()}


class _Tags(Mapping[int, Callable[[Any, bool], Any]]):
    """Decoders by tag: decimal fractions (tag 4) are read, every other tag is refused."""

    def __getitem__(self, tag: int) -> Callable[[Any, bool], Any]:
        if tag == 4:
            return _decimal_fraction

        def refuse(_value: Any, _immutable: bool) -> Any:
            raise ValueError(f"tag {tag} has no place in SenML")

        return refuse

    def __iter__(self) -> Any:
        return iter((4,))

    def __len__(self) -> int:
        return 1


def _decimal_fraction(value: Any, _immutable: bool) -> Decimal:
    match value:
        case [int(exponent), int(mantissa)] if abs(exponent) <= _LARGEST_EXPONENT:
            return Decimal(mantissa).scaleb(exponent)
    raise ValueError("tag 4 must hold an exponent of at most 400 and a mantissa")
