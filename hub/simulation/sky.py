# SPDX-License-Identifier: EUPL-1.2
"""One weather for the whole city: sun by astronomy, the rest by season, hour and smooth noise.

The climate is illustrative (central Europe, lowland). Its bounds hold by construction, so nothing here can
leave the plausible ranges of `quantities.yaml`.
"""

from math import asin, cos, degrees, radians, sin, tau
from typing import NamedTuple

from hub.simulation.noise import Noise
from hub.simulation.rhythm import DAY, HOUR, Moment

SOLSTICE = 10 * DAY  # the winter solstice is about ten days before the year ends
YEAR = 365.2425 * DAY


class Weather(NamedTuple):
    """Temperature (Cel), humidity (%), pressure (hPa), wind (m/s, deg), rain (mm/h), irradiance (W/m2), sun (deg)."""

    temperature: float
    humidity: float
    pressure: float
    wind: float
    direction: float
    rain: float
    irradiance: float
    elevation: float


def weather(noise: Noise, now: Moment, latitude: float, longitude: float) -> Weather:
    """The weather at one moment; `noise` is the city's."""
    t = now.t
    cloud = 0.5 + 0.5 * noise.smooth(t, 9 * HOUR, 1)
    wet = 0.7 * noise.smooth(t, 8 * HOUR, 2) + 0.5 * noise.smooth(t, 2 * DAY, 3)
    elevation = sun_elevation(t, latitude, longitude)
    warmth = 20 - 21 * now.winter + 5 * noise.smooth(t, 3 * DAY, 4)
    daily = (2 + 4 * (1 - now.winter)) * cos(tau * (now.hour - 15) / 24)
    return Weather(
        temperature=warmth + daily,
        humidity=min(100.0, 68 + 10 * now.winter - 14 * cos(tau * (now.hour - 15) / 24) + 14 * max(-1.0, wet)),
        pressure=985 + 14 * noise.smooth(t, 4 * DAY, 5) + 3 * noise.smooth(t, DAY, 6),
        wind=max(0.2, 2.8 + 2.2 * noise.smooth(t, 6 * HOUR, 7) + 1.2 * noise.smooth(t, 2 * DAY, 8)),
        direction=(230 + 120 * noise.smooth(t, DAY, 9) + 30 * noise.smooth(t, HOUR, 10)) % 360,
        rain=max(0.0, wet - 0.55) * 9,
        irradiance=max(0.0, 1000 * sin(radians(elevation)) * (1 - 0.75 * cloud)),
        elevation=elevation,
    )


def sun_elevation(t: float, latitude: float, longitude: float) -> float:
    """Height of the sun in degrees, good to about a degree (no equation of time, no refraction)."""
    declination = radians(-23.44) * cos(tau * (t + SOLSTICE) / YEAR)
    hour_angle = tau * ((t % DAY) / DAY + longitude / 360 - 0.5)
    height = radians(latitude)
    return degrees(asin(sin(height) * sin(declination) + cos(height) * cos(declination) * cos(hour_angle)))
