# SPDX-License-Identifier: EUPL-1.2
"""Names that published payload codecs give to fields, where a name has one meaning alone.

Read from the codecs in the LoRaWAN Device Repository (github.com/TheThingsNetwork/lorawan-devices, folder vendor/),
which the manufacturers also offer for ChirpStack; the file is named with each group. What is missing here is missing
on purpose: `temperature` is the air in a Milesight EM300, the soil in an EM500-SMTC and a pipe in an EM500-PT100;
`battery` is per cent at Milesight and millivolts elsewhere; `pressure` is air at ELSYS and water at Decentlab.
"""

from collections.abc import Mapping
from typing import Final

from hub.sdk._types import Field

_KNOWN: Final = (
    # dragino/lht65.js: battery in V, on-board SHT20 (the probes TempC_DS, TempC1 hang anywhere), lux meter
    Field("BatV", "battery_voltage", "V"),
    Field("TempC_SHT", "air_temperature", "Cel"),
    Field("Hum_SHT", "relative_humidity", "%"),
    Field("ILL_lx", "illuminance", "lx"),
    # dragino/wsc1-l.js: weather station (its wind_direction is text, the angle stands beside it)
    Field("TEM", "air_temperature", "Cel"),
    Field("HUM", "relative_humidity", "%"),
    Field("wind_direction_angle", "wind_direction", "deg"),
    Field("TSR", "solar_irradiance", "W/m2"),
    Field("CO2", "co2", "ppm"),
    Field("PM2_5", "pm2_5", "ug/m3"),
    Field("PM10", "pm10", "ug/m3"),
    # milesight-iot/am319.js
    Field("pm2.5", "pm2_5", "ug/m3"),
    # elsys/elsys.js: supply voltage in mV
    Field("vdd", "battery_voltage", "mV"),
    # decentlab/dl-atm41.js: these bring their unit along
    Field("atmospheric_pressure", "air_pressure", "kPa"),
    Field("solar_radiation", "solar_irradiance", "W/m2"),
    Field("maximum_wind_speed", "wind_gust", "m/s"),
    # a bay sensor's own quantity, which codecs like to send as true and false
    Field("parking_occupied", "parking_occupied"),
)
_NO_MEASUREMENT: Final = (
    *("device_id", "protocol_version"),  # decentlab/*.js
    *("Bat_status", "Systimestamp", "Exit_count"),  # dragino/lht65.js
    *("wind_speed_level", "rain_snow"),  # dragino/wsc1-l.js
)
CODEC_FIELDS: Final[Mapping[str, Field | None]] = {
    **{field.key: field for field in _KNOWN},
    **dict.fromkeys(_NO_MEASUREMENT),
}
