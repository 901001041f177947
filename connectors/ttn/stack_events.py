# SPDX-License-Identifier: EUPL-1.2
"""Error events of The Things Stack.

The stack publishes uplinks on MQTT, but why an uplink did not arrive (`as.up.data.decode.fail`, `ns.up.data.drop`,
`js.join.reject` ...) only on its event stream (gRPC, HTTP `/api/v3/events`, console). A forwarder that publishes
those JSON events to `v3/{application}/devices/{device}/events/{name}` makes the reasons visible in the hub. Only
events that say something is wrong are kept; the others repeat what the uplink says and yield nothing.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Final, Literal

from hub.sdk import Decoded, DeviceEvent, rfc3339_ns, section, shorten, text

Level = Literal["info", "warning", "error"]

_BAD_ENDINGS: Final[Mapping[str, Level]] = {
    "fail": "error",
    "drop": "error",
    "reject": "error",
    "error": "error",
    "abort": "error",
    "warning": "warning",
}
_PLACEHOLDER: Final = re.compile(r"\{(\w+)\}")


def decode_event(data: Mapping[str, object], device: str) -> Iterator[Decoded]:
    """One event of the stream as a device event, when it tells of a fault."""
    name = text(data.get("name"), "name")
    level = _BAD_ENDINGS.get(name.rpartition(".")[2])
    if level is None:
        return
    details = section(data, "data")
    time = rfc3339_ns(data["time"]) if data.get("time") is not None else None
    reason = shorten(str(details.get("name") or name), 64)
    yield DeviceEvent(device, "error", shorten(f"{name}: {error_text(details)}"), reason, level, time)


def error_text(details: Mapping[str, object], depth: int = 3) -> str:
    """An ErrorDetails message with its attributes filled in, followed by its cause."""
    attributes = section(details, "attributes")
    form = str(details.get("message_format") or details.get("name") or "no reason given")
    said = _PLACEHOLDER.sub(lambda match: str(attributes.get(match[1], match[0])), form)
    cause = section(details, "cause")
    return f"{said}: {error_text(cause, depth - 1)}" if cause and depth else said
