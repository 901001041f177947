# SPDX-License-Identifier: EUPL-1.2
"""The Things Stack v3 (The Things Network) over MQTT: uplinks as readings, the rest as device events.

Fields that are zero, empty or false are left out; times have up to nine digits. The device is its DevEUI in lower
case, or `application/device_id` where it has none (ABP): device ids are unique within an application only. Times are
the network server's; a measurement of a normalized payload may bring the device's own.

A normalized payload, where there is one, is read instead of the decoded one, of which then only fields of the codec
table count that the normalized payload lacks. `up/normalized` repeats what `up` holds and is not subscribed.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Final, cast

from connectors.ttn import stack_events
from connectors.ttn.normalized import measurement_readings
from hub.sdk import (
    CODEC_FIELDS,
    Connector,
    Decoded,
    DecodeError,
    DeviceEvent,
    RawMessage,
    Reading,
    describe,
    device_eui,
    link_readings,
    load_object,
    number,
    object_readings,
    printed_eui,
    rfc3339_ns,
    section,
    sections,
    shorten,
    text,
    uplink,
)

Payload = Mapping[str, object]


def decode(message: RawMessage, topic: Mapping[str, str]) -> Iterable[Decoded]:
    """Readings or events of one message of the Application Server."""
    data = load_object(message.payload)
    kind = message.topic.split("/", 4)[4]
    if kind.startswith("events/"):
        return list(stack_events.decode_event(data, _external_id(_event_ids(data), topic)))
    handler = _KINDS.get(kind)
    if handler is None:
        known = ", ".join((*_KINDS, "events/…"))
        raise DecodeError("bad_structure", f"topic ends in {kind!r}, which is none of The Things Stack's: {known}")
    return list(handler(data, _external_id(section(data, "end_device_ids"), topic)))


def _external_id(ids: Payload, topic: Mapping[str, str]) -> str:
    """DevEUI in lower case, else application/device_id; DecodeError when topic and payload name two devices."""
    named = ids.get("device_id", topic["device"])
    if named != topic["device"]:
        raise DecodeError(
            "bad_structure", f"end_device_ids.device_id is {describe(named)}, but the topic says {topic['device']}"
        )
    if "dev_eui" in ids:
        return device_eui(ids["dev_eui"], "end_device_ids.dev_eui")
    return f"{topic['application']}/{topic['device']}"


def _event_ids(data: Payload) -> Payload:
    """Device identifiers of an event of the stack; it may concern several entities."""
    return next((section(ids, "device_ids") for ids in sections(data, "identifiers") if "device_ids" in ids), {})


def _time(data: Payload, *containers: Payload) -> int | None:
    """When the Network Server received it, else the Application Server."""
    for container in (*containers, data):
        if container.get("received_at") is not None:
            return rfc3339_ns(container["received_at"], "received_at")
    return None


def _up(data: Payload, device: str) -> Iterator[Decoded]:
    message = section(data, "uplink_message")
    origin = "simulated" if data.get("simulated") is True else None
    blank = Reading(device, "", 0.0, server_time=_time(data, message), origin=origin)
    if "decoded_payload" not in message and "normalized_payload" not in message and message.get("frm_payload"):
        raise DecodeError(
            "no_readings",
            f"decoded_payload is missing (port {message.get('f_port', 0)}): "
            "the application has no payload formatter, or it failed",
        )
    yield from _payload(message, blank)
    yield from link_readings(sections(message, "rx_metadata"), "rx_metadata", message.get("f_cnt"), blank)
    yield from _settings(message, blank)
    yield from _battery(message, device, origin)
    yield from _warnings(message, blank)
    lora = section(section(section(message, "settings"), "data_rate"), "lora")
    heard, factor = sections(message, "rx_metadata"), lora.get("spreading_factor")
    yield uplink(device, heard, _gateway, message.get("f_cnt"), factor)


def _gateway(reception: Payload) -> object:
    ids = reception.get("gateway_ids")
    return (ids.get("gateway_id") or ids.get("eui")) if isinstance(ids, dict) else None


def _payload(uplink: Payload, blank: Reading) -> Iterator[Decoded]:
    decoded = section(uplink, "decoded_payload")
    normalized = uplink.get("normalized_payload")
    if normalized is None:
        yield from object_readings(decoded, CODEC_FIELDS, blank)
        return
    if isinstance(normalized, dict):  # one measurement, as the stack's own events print it
        measurements: list[Payload] = [cast("Payload", normalized)]
    else:
        measurements = sections(uplink, "normalized_payload")
    taken = set()
    for index, measurement in enumerate(measurements):
        for item in measurement_readings(measurement, f"normalized_payload[{index}]", blank):
            if isinstance(item, Reading):
                taken.add(item.quantity)
            yield item
    rest = {
        key: value
        for key, value in decoded.items()
        if (field := CODEC_FIELDS.get(key)) is not None and field.quantity not in taken
    }
    yield from object_readings(rest, CODEC_FIELDS, blank)


def _settings(uplink: Payload, blank: Reading) -> Iterator[Decoded]:
    lora = section(section(section(uplink, "settings"), "data_rate"), "lora")
    if "spreading_factor" in lora:
        factor = number(lora["spreading_factor"], "settings.data_rate.lora.spreading_factor")
        yield Reading(blank.device, "spreading_factor", factor, server_time=blank.server_time, origin=blank.origin)


def _battery(uplink: Payload, device: str, origin: str | None) -> Iterator[Decoded]:
    """The last device status; it comes again with every uplink, under its own time."""
    battery = section(uplink, "last_battery_percentage")
    if battery.get("received_at") is not None:
        level = number(battery.get("value", 0), "last_battery_percentage.value")
        time = rfc3339_ns(battery["received_at"], "last_battery_percentage.received_at")
        yield Reading(device, "battery_level", level, "%", server_time=time, origin=origin)


def _warnings(uplink: Payload, blank: Reading) -> Iterator[Decoded]:
    for key in ("decoded_payload_warnings", "normalized_payload_warnings"):
        warnings = uplink.get(key)
        if isinstance(warnings, list) and warnings:
            said = "; ".join(str(warning) for warning in warnings)
            yield DeviceEvent(
                blank.device, "decoder", shorten(f"payload formatter: {said}"), key, "warning", blank.server_time
            )


def _join(data: Payload, device: str) -> Iterator[Decoded]:
    address = section(data, "end_device_ids").get("dev_addr", "not stated")
    time = _time(data, section(data, "join_accept"))
    yield DeviceEvent(device, "join", shorten(f"joined the network, address {address}"), "join_accept", time=time)


def _failed(data: Payload, device: str) -> Iterator[Decoded]:
    error = section(section(data, "downlink_failed"), "error")
    said = stack_events.error_text(error)
    yield DeviceEvent(
        device,
        "downlink",
        shorten(f"downlink failed: {said}"),
        shorten(str(error.get("name", "")), 64),
        "error",
        _time(data),
    )


def _invalidated(data: Payload, device: str) -> Iterator[Decoded]:
    said = "the downlink queue was invalidated; its messages must be scheduled again"
    yield DeviceEvent(device, "downlink", said, "downlink_queue_invalidated", "warning", _time(data))


def _downlink(what: str) -> Callable[[Payload, str], Iterable[Decoded]]:
    def event(data: Payload, device: str) -> Iterator[Decoded]:
        frame = section(data, f"downlink_{what}").get("f_cnt", 0)
        level: stack_events.Level = "warning" if what == "nack" else "info"
        yield DeviceEvent(
            device, "downlink", shorten(f"downlink {frame}: {what}"), f"downlink_{what}", level, _time(data)
        )

    return event


def _location(data: Payload, device: str) -> Iterator[Decoded]:
    solved = section(data, "location_solved")
    place = section(solved, "location")
    said = f"located at {place.get('latitude', 0)}, {place.get('longitude', 0)} by {solved.get('service', 'a service')}"
    yield DeviceEvent(device, "location", shorten(said), "location", time=_time(data))


def _service(data: Payload, device: str) -> Iterator[Decoded]:
    service = text(section(data, "service_data").get("service"), "service_data.service")
    yield DeviceEvent(device, "service", shorten(f"service {service} sent data"), "service_data", time=_time(data))


_KINDS: Final[Mapping[str, Callable[[Payload, str], Iterable[Decoded]]]] = {
    "up": _up,
    "join": _join,
    "down/failed": _failed,
    "down/invalidated": _invalidated,
    **{f"down/{what}": _downlink(what) for what in ("queued", "sent", "ack", "nack")},
    "location/solved": _location,
    "service/data": _service,
}

CONNECTOR = Connector(
    name="ttn",
    title="LoRaWAN devices through The Things Stack v3",
    topics=(
        "v3/{application}/devices/{device}/up",
        "v3/{application}/devices/{device}/join",
        "v3/{application}/devices/{device}/down/{kind}",
        "v3/{application}/devices/{device}/location/solved",
        "v3/{application}/devices/{device}/service/data",
        "v3/{application}/devices/{device}/events/{event}",
    ),
    identify=printed_eui,
    decode=decode,
)
