# SPDX-License-Identifier: EUPL-1.2
"""What a message says beside readings, as it is kept: events of a device, and how its messages came over the air."""

from hub import sdk
from hub.core.journal import EventRecord, UplinkSeen
from hub.core.places import Device
from hub.core.readings import AHEAD, EARLIEST


def note(
    item: sdk.DeviceEvent | sdk.Uplink,
    device: Device,
    received: int,
    events: list[EventRecord],
    uplinks: list[UplinkSeen],
) -> None:
    """What a device's message says beside readings."""
    if isinstance(item, sdk.DeviceEvent):
        events.append(_event(item, device, received))
    else:
        uplinks.append(_uplink(item, device.id, received))


def _event(event: sdk.DeviceEvent, device: Device, received: int) -> EventRecord:
    time = event.time
    return EventRecord(
        device=device.id,
        connector=device.connector,
        external_id=device.external_id,
        kind=clean(event.kind),
        level=event.level,
        reason=clean(event.reason),
        text=clean(event.text),
        time=time if time is not None and EARLIEST <= time <= received + AHEAD else received,
        received=received,
    )


def _uplink(item: sdk.Uplink, device: str, received: int) -> UplinkSeen:
    return UplinkSeen(
        device=device,
        received=received,
        frame=item.frame,
        rssi=item.rssi,
        snr=item.snr,
        spreading_factor=item.spreading_factor,
        gateways=[clean(gateway) for gateway in item.gateways],
    )


def clean(text: str) -> str:
    """Text that any store can hold: what is no valid Unicode is written out."""
    return text.encode("utf-8", "backslashreplace").decode("utf-8").replace("\0", "\\0")
