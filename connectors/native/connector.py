# SPDX-License-Identifier: EUPL-1.2
"""The hub's own payload: SenML (RFC 8428, JSON or CBOR) or the short form, on `devices/{device}/readings`.

The three are told apart by what they begin with: bytes from 0x80 are CBOR, an array whose first item has `readings`
or `time` is short forms, any other array SenML, an object one short form. A message is taken whole or not at all: one
value at fault refuses it, so that it waits in quarantine complete, with the field named, and is redriven complete.
The device is the one of the topic, whatever names a SenML pack uses.
"""

from collections.abc import Iterable, Mapping
from typing import Final, cast

from connectors.native import senml, senml_cbor
from connectors.native.shortform import ADVICE, decode_short, is_short, usual_form
from hub.sdk import Connector, Decoded, DecodeError, RawMessage, describe, load_json

_FIRST_OF_CBOR: Final = 0x80
_BOM: Final = b"\xef\xbb\xbf"


def decode(message: RawMessage, topic: Mapping[str, str]) -> Iterable[Decoded]:
    """Readings of one message; DecodeError names the field at fault."""
    payload, device = message.payload, topic["device"]
    if payload[:1] == b"{":
        usual = usual_form(payload, device)
        if usual is not None:
            return [usual]
    if payload and payload[0] >= _FIRST_OF_CBOR and not payload.startswith(_BOM):
        return senml.decode_pack(senml_cbor.load(payload), device)
    data = load_json(payload)
    if isinstance(data, dict):
        out: list[Decoded] = []
        decode_short(data, device, "", out)
        return out
    if isinstance(data, list) and data:
        return _array(payload, data, device)
    raise DecodeError("bad_structure", f"got {describe(data) if data != [] else 'an empty array'}; {ADVICE}")


def _array(payload: bytes, data: list[object], device: str) -> Iterable[Decoded]:
    if not is_short(data[0]):
        return senml.decode_pack(senml.load_exact(payload), device)
    out: list[Decoded] = []
    for index, item in enumerate(data):
        if not isinstance(item, dict):
            raise DecodeError("bad_structure", f"[{index}]: got {describe(item)}; {ADVICE}")
        decode_short(cast("dict[str, object]", item), device, f"[{index}].", out)
    return out


CONNECTOR = Connector(
    name="native",
    title="Native devices: SenML or the hub's short form",
    topics=("devices/{device}/readings",),
    decode=decode,
    device="device",
)
