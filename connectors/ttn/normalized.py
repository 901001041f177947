# SPDX-License-Identifier: EUPL-1.2
"""Normalized payloads of The Things Stack: names and units are fixed by a schema, so all of them are certain.

Source: github.com/TheThingsNetwork/lorawan-devices, lib/payload.json (schema "LoRaWAN Device Repository Payload").
An uplink may hold several measurements; each may have its own `time`, which is the device's.
"""

from collections.abc import Iterator, Mapping
from typing import Final

from hub.sdk import Decoded, Field, Reading, object_readings, rfc3339_ns

SCHEMA: Final[Mapping[str, Field | None]] = {
    field.key: field
    for field in (
        Field("battery", "battery_voltage", "V"),
        Field("air.temperature", "air_temperature", "Cel"),
        Field("air.relativeHumidity", "relative_humidity", "%"),
        Field("air.pressure", "air_pressure", "hPa"),
        Field("air.co2", "co2", "ppm"),
        Field("air.lightIntensity", "illuminance", "lx"),
        Field("wind.speed", "wind_speed", "m/s"),
        Field("wind.direction", "wind_direction", "deg"),
        Field("soil.temperature", "soil_temperature", "Cel"),
        Field("soil.moisture", "soil_moisture", "%"),
        Field("water.temperature.current", "water_temperature", "Cel"),
        Field("metering.water.total", "water_volume", "L"),
    )
} | dict.fromkeys(("position.latitude", "position.longitude", "soil.depth"))
_INDOOR: Final[Mapping[str, Field | None]] = {
    "air.temperature": Field("air.temperature", "indoor_temperature", "Cel"),
    "air.relativeHumidity": Field("air.relativeHumidity", "indoor_humidity", "%"),
}


def measurement_readings(measurement: Mapping[str, object], where: str, blank: Reading) -> Iterator[Decoded]:
    """Readings of one measurement; fields without a quantity here keep their dotted name, for the hub to name."""
    time = rfc3339_ns(measurement["time"], f"{where}.time") if measurement.get("time") is not None else None
    stamped = Reading(blank.device, "", 0.0, None, time, blank.server_time, 0, blank.origin)
    air = measurement.get("air")
    indoor = isinstance(air, dict) and air.get("location") == "indoor"
    yield from object_readings(measurement, {**SCHEMA, **_INDOOR} if indoor else SCHEMA, stamped)
