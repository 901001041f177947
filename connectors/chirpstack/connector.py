# SPDX-License-Identifier: EUPL-1.2
"""ChirpStack v4 over MQTT, JSON marshaler: uplinks as readings, everything else as device events.

The payloads are Protobuf messages in their JSON form: fields that are zero, empty or false are left out, times have
up to nine digits. So a missing `rssi` or `fCnt` is 0 and a missing `level` is INFO; but `object` (a Struct) keeps the
zeros that the codec returned. Times are the network server's (`server_time`): the devices have no clock here.
The device is its DevEUI in lower case, and topic and payload must agree on it.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Final, Literal

from hub.sdk import (
    CODEC_FIELDS,
    Connector,
    Decoded,
    DecodeError,
    DeviceEvent,
    RawMessage,
    Reading,
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
    uplink,
)

Payload = Mapping[str, object]

Level = Literal["info", "warning", "error"]

_LEVELS: Final[Mapping[str, Level]] = {
    "INFO": "info",
    "WARNING": "warning",
    "ERROR": "error",
}


def decode(message: RawMessage, topic: Mapping[str, str]) -> Iterable[Decoded]:
    """Readings or events of one integration event."""
    event = _EVENTS.get(topic["event"])
    if event is None:
        raise DecodeError("bad_structure", f"event {topic['event']!r} is none of ChirpStack v4's: {', '.join(_EVENTS)}")
    return list(event(_load(message.payload), device_eui(topic["device"], "topic")))


def _load(payload: bytes) -> Payload:
    try:
        return load_object(payload)
    except DecodeError as error:
        if error.reason == "malformed":
            hint = "ChirpStack must send JSON: set json=true in [integration.mqtt] of chirpstack.toml"
            raise DecodeError("malformed", f"{error.detail}; {hint}") from error
        raise


def _blank(data: Payload, eui: str) -> Reading:
    """A reading without quantity: who and when. DecodeError when the payload names another device than the topic."""
    info = section(data, "deviceInfo")
    if "devEui" in info and device_eui(info["devEui"], "deviceInfo.devEui") != eui:
        raise DecodeError("bad_structure", f"deviceInfo.devEui is {info['devEui']}, but the topic says {eui}")
    return Reading(eui, "", 0.0, server_time=_server_time(data))


def _server_time(data: Payload) -> int | None:
    """`time` of the event, else when the network server had it from a gateway, else the gateway's own time."""
    if data.get("time") is not None:
        return rfc3339_ns(data["time"])
    for key in ("nsTime", "gwTime"):
        times = [rfc3339_ns(rx[key], f"rxInfo.{key}") for rx in sections(data, "rxInfo") if rx.get(key) is not None]
        if times:
            return min(times)
    return None


def _up(data: Payload, eui: str) -> Iterator[Decoded]:
    blank = _blank(data, eui)
    if data.get("object") is None and data.get("data"):
        port = data.get("fPort", 0)
        raise DecodeError(
            "no_readings", f"object is missing (port {port}): the device profile has no codec, or it returned nothing"
        )
    yield from object_readings(section(data, "object"), CODEC_FIELDS, blank)
    yield from link_readings(sections(data, "rxInfo"), "rxInfo", data.get("fCnt"), blank)
    lora = section(section(section(data, "txInfo"), "modulation"), "lora")
    if "spreadingFactor" in lora:
        factor = number(lora["spreadingFactor"], "txInfo.modulation.lora.spreadingFactor")
        yield Reading(eui, "spreading_factor", factor, server_time=blank.server_time)
    heard, factor_told = sections(data, "rxInfo"), lora.get("spreadingFactor")
    yield uplink(eui, heard, lambda reception: reception.get("gatewayId"), data.get("fCnt"), factor_told)


def _status(data: Payload, eui: str) -> Iterator[Decoded]:
    time = _blank(data, eui).server_time
    margin = number(data.get("margin", 0), "margin")
    battery = "battery level not known"
    if data.get("externalPowerSource"):
        battery = "external power"
    elif not data.get("batteryLevelUnavailable"):
        level = number(data.get("batteryLevel", 0), "batteryLevel")
        battery = f"battery {level:g} %"
        yield Reading(eui, "battery_level", level, "%", server_time=time)
    yield DeviceEvent(eui, "status", f"{battery}, link margin {margin:g} dB", "device_status", time=time)


def _join(data: Payload, eui: str) -> Iterator[Decoded]:
    address = data.get("devAddr", "not stated")
    yield _event(data, eui, "join", f"joined the network, address {address}", "join_accept")


def _log(data: Payload, eui: str) -> Iterator[Decoded]:
    code = str(data.get("code", "UNKNOWN"))
    context = section(data, "context")
    text = str(data.get("description") or code)
    text += "".join(f"; {key} {value}" for key, value in context.items())
    level = _LEVELS.get(str(data.get("level", "INFO")), "error")
    yield _event(data, eui, "log", text, code, level)


def _ack(data: Payload, eui: str) -> Iterator[Decoded]:
    frame = data.get("fCntDown", 0)
    if data.get("acknowledged"):
        yield _event(data, eui, "ack", f"the device confirmed downlink {frame}", "downlink_ack")
    else:
        yield _event(data, eui, "ack", f"the device did not confirm downlink {frame}", "downlink_nack", "warning")


def _txack(data: Payload, eui: str) -> Iterator[Decoded]:
    text = f"gateway {data.get('gatewayId', 'not stated')} accepted downlink {data.get('fCntDown', 0)}"
    yield _event(data, eui, "txack", text, "downlink_sent")


def _location(data: Payload, eui: str) -> Iterator[Decoded]:
    place = section(data, "location")
    text = f"located at {place.get('latitude', 0)}, {place.get('longitude', 0)}"
    yield _event(data, eui, "location", text, "location")


def _integration(data: Payload, eui: str) -> Iterator[Decoded]:
    text = f"{data.get('integrationName', 'an integration')} sent {data.get('eventType', 'an event')}"
    yield _event(data, eui, "integration", text, str(data.get("eventType", "integration")))


def _event(data: Payload, eui: str, kind: str, text: str, reason: str, level: Level = "info") -> DeviceEvent:
    return DeviceEvent(eui, kind, shorten(text), shorten(reason, 64), level, _blank(data, eui).server_time)


_EVENTS: Final[Mapping[str, Callable[[Payload, str], Iterable[Decoded]]]] = {
    "up": _up,
    "join": _join,
    "status": _status,
    "log": _log,
    "ack": _ack,
    "txack": _txack,
    "location": _location,
    "integration": _integration,
}

CONNECTOR = Connector(
    name="chirpstack",
    title="LoRaWAN devices through ChirpStack v4",
    topics=("application/{application}/device/{device}/event/{event}",),
    identify=printed_eui,
    decode=decode,
    device="device",
)
