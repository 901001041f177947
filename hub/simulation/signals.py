# SPDX-License-Identifier: EUPL-1.2
"""What each kind of simulated device measures: pure functions from a station and an instant to values.

All quantities of a device come from one function, so that they fit together: PM2.5 is a part of PM10, free and
occupied spaces add up to the capacity, power is the slope of the energy register. Levels are illustrative.
"""

from collections.abc import Mapping
from datetime import tzinfo
from math import log10

from msgspec import Struct

from hub.simulation.noise import Noise
from hub.simulation.rhythm import (
    BUILDING,
    DAY,
    HEATING,
    HOUR,
    MONDAY,
    OFFICE,
    PARKING,
    SPORT,
    TRAFFIC,
    VISITS,
    WATER,
    Moment,
    WeeklyLoad,
    moment,
)
from hub.simulation.sky import Weather, weather

Values = Mapping[str, float]

_BUILDING = WeeklyLoad.of(BUILDING, 0.15)
_WATER = WeeklyLoad.of(WATER, 0.08)
_BATTERY_LIFE = 5 * 365 * DAY
_REBOOT = 30 * DAY


class Station(Struct, frozen=True):
    """A simulated device as its signal sees it: number within its kind, own and city's noise, clock and position."""

    number: int
    interval: int
    noise: Noise
    city: Noise
    zone: tzinfo
    offset: int
    latitude: float
    longitude: float

    @property
    def size(self) -> float:
        """Factor between devices of a kind, 0.75 to 1.25."""
        return 0.75 + 0.5 * self.noise.uniform(0, 99)

    def sky(self, now: Moment) -> Weather:
        """The city's weather."""
        return weather(self.city, now, self.latitude, self.longitude)


def air(station: Station, t: int) -> Values:
    """Winter evenings raise particles, rush hours NO2, summer afternoons ozone; calm air raises all, rain washes."""
    now = moment(t + station.interval / 2, station.zone)
    sky, traffic, heating = station.sky(now), TRAFFIC.at(now), HEATING.at(now)
    calm = min(1.6, max(0.5, 1.6 - 0.22 * sky.wind))
    washed = 1 - 0.4 * min(1.0, sky.rain)
    drift = 1 + 0.3 * station.noise.smooth(now.t, 3 * HOUR)
    pm10 = max(2.0, station.size * (7 + 6 * traffic + now.winter * calm * (8 + 30 * heating)) * washed * drift)
    no2 = max(1.0, station.size * (5 + 26 * traffic * calm + 8 * now.winter) * (2 - drift))
    summer, afternoon = 1 - now.winter, max(0.0, sky.irradiance / 1000)
    o3 = max(2.0, 32 + 25 * summer + 70 * summer * afternoon - 0.45 * no2 + 6 * station.noise.smooth(now.t, HOUR, 1))
    values = {"pm10": pm10, "pm2_5": pm10 * (0.5 + 0.25 * now.winter), "no2": no2, "o3": o3}
    if station.number <= 3:
        values["so2"] = max(1.0, 2.5 + 8 * now.winter * heating * calm * station.size)
    return values


def noise(station: Station, t: int) -> Values:
    """LAeq of the street: about ten decibels more by day than by night."""
    now = moment(t + station.interval / 2, station.zone)
    level = 44 + 3 * station.size + 10 * log10(1 + 14 * TRAFFIC.at(now))
    level += 1.5 * station.noise.smooth(now.t, 2 * HOUR) + 1.5 * station.noise.signed(t)
    return {"sound_level": level, "sound_level_max": level + 6 + 8 * station.noise.uniform(t, 1)}


def meteo(station: Station, t: int) -> Values:
    """The city's weather with the station's own offset."""
    sky = station.sky(moment(t, station.zone))
    return {
        "air_temperature": sky.temperature + 0.4 * station.noise.smooth(t, 6 * HOUR),
        "relative_humidity": sky.humidity,
        "air_pressure": sky.pressure,
        "wind_speed": sky.wind * station.size,
        "wind_direction": sky.direction,
        "precipitation": sky.rain * station.interval / HOUR,
        "solar_irradiance": sky.irradiance,
    }


def traffic(station: Station, t: int) -> Values:
    """Vehicles in the interval and their mean speed; without vehicles there is no speed."""
    now = moment(t + station.interval / 2, station.zone)
    flow = TRAFFIC.at(now)
    per_hour = 900 * station.size * flow * (1 + 0.25 * station.noise.signed(t))
    count = round(per_hour * station.interval / HOUR)
    heavy = round(count * (0.02 if now.weekday >= 5 else 0.09))
    speed = 51 - 20 * flow * flow + 4 * station.noise.smooth(now.t, HOUR, 1)
    return {"vehicle_count": count, "vehicle_count_heavy": heavy} | ({"vehicle_speed": speed} if count else {})


def parking(station: Station, t: int) -> Values:
    """A car park that fills on workdays."""
    capacity = 60 + 40 * station.number
    share = PARKING.at(moment(t, station.zone)) * station.size + 0.06 * station.noise.smooth(t, HOUR)
    occupied = round(capacity * min(1.0, max(0.0, share)))
    return {"parking_capacity": capacity, "parking_occupied": occupied, "parking_free": capacity - occupied}


def waste(station: Station, t: int) -> Values:
    """A container that fills for a week and is emptied on its morning at seven, standard time."""
    since_monday = t + station.offset - MONDAY
    week, elapsed = divmod(since_monday - (station.number % 5) * DAY - 7 * HOUR, 7 * DAY)
    full = 55 + 55 * station.noise.uniform(int(week))
    sky = station.sky(moment(t, station.zone))
    return {
        "fill_level": min(100.0, full * elapsed / (7 * DAY)),
        "container_temperature": sky.temperature + 2 + sky.irradiance / 100,
        "battery_voltage": 3.6 - 0.5 * ((t + station.noise.uniform(0) * _BATTERY_LIFE) % _BATTERY_LIFE) / _BATTERY_LIFE,
    }


def energy(station: Station, t: int) -> Values:
    """Main meter of a public building: base load all week, work in office hours."""
    used, rate = _register(station, t, _BUILDING, 0.15)
    return {"energy": 40 * used, "power": 40_000 * rate, "voltage": 231 + 4 * station.noise.smooth(t, 2 * HOUR, 1)}


def water(station: Station, t: int) -> Values:
    """Water meter of a district zone."""
    used, rate = _register(station, t, _WATER, 0.08)
    sky = station.sky(moment(t, station.zone))
    temperature = 10 - 4 * moment(t, station.zone).winter + 0.05 * sky.temperature
    return {"water_volume": 3 * used, "water_flow": 3 * rate, "water_temperature": temperature}


def _register(station: Station, t: int, load: WeeklyLoad, lowest: float) -> tuple[float, float]:
    """Total of a meter and its mean rate per hour over the last interval; the total never falls.

    The noise is steeper than nothing and flatter than the lowest rate: 1.2 * lowest * pi / 6 h is below `lowest` / h.
    """

    def total(at: int) -> float:
        return load.total(at, station.offset) + 1.2 * lowest * station.noise.smooth(at, 6 * HOUR)

    used = total(t)
    return station.size * used, station.size * (used - total(t - station.interval)) * HOUR / station.interval


def lighting(station: Station, t: int) -> Values:
    """Street lamps of a cabinet: on when the sun is down, dimmed to half from 23 to 5."""
    now = moment(t, station.zone)
    sky = station.sky(now)
    on = sky.elevation < -2
    level = 0 if not on else 50 if now.hour >= 23 or now.hour < 5 else 100
    return {
        "lamp_on": int(on),
        "lamp_dimming": level,
        "lamp_power": 25 * level * station.size,
        "illuminance": 110 * sky.irradiance + 0.15 * level,
    }


def sport(station: Station, t: int) -> Values:
    """Visitors by opening hours; the first facility is a swimming pool with its water."""
    now = moment(t, station.zone)
    busy = SPORT.at(now) * station.size
    values: dict[str, float] = {
        "facility_open": int(busy > 0),
        "people_present": round(80 * busy * (1 + 0.2 * station.noise.signed(t))),
        "visitor_count": round(60 * busy * (1 + 0.4 * station.noise.signed(t, 1)) * station.interval / HOUR),
    }
    if station.number == 1:
        values |= {
            "water_temperature": 28 + 0.4 * station.noise.smooth(t, 5 * HOUR, 2),
            "free_chlorine": 0.5 + 0.15 * station.noise.smooth(t, 3 * HOUR, 3),
            "water_ph": 7.2 + 0.2 * station.noise.smooth(t, 8 * HOUR, 4),
        }
    return values


def social(station: Station, t: int) -> Values:
    """A counselling centre: clients on workdays, places of the service nearly full."""
    now = moment(t, station.zone)
    busy = OFFICE.at(now) * station.size
    capacity = 24 + 8 * station.number
    return {
        "client_count": round(9 * busy * (1 + 0.4 * station.noise.signed(t)) * station.interval / HOUR),
        "waiting_count": round(5 * busy * station.noise.uniform(t, 1)),
        "places_capacity": capacity,
        "places_occupied": round(capacity * (0.9 + 0.1 * station.noise.smooth(t, 7 * DAY))),
    }


def satisfaction(station: Station, t: int) -> Values:
    """Votes at a terminal while its building is open; without votes there is no rating."""
    busy = VISITS.at(moment(t, station.zone))
    votes = round(14 * busy * station.size * station.noise.uniform(t) * station.interval / HOUR)
    happy = 0.7 + 0.15 * station.noise.smooth(t, 2 * DAY, 1)
    positive = round(votes * happy)
    neutral = round((votes - positive) * 0.5)
    negative = votes - positive - neutral
    values = {"votes_positive": positive, "votes_neutral": neutral, "votes_negative": negative}
    return values | ({"rating": (5 * positive + 3 * neutral + negative) / votes} if votes else {})


def gateway(station: Station, t: int) -> Values:
    """A radio gateway: its registers start again when it reboots once a month."""
    up = (t + int(station.noise.uniform(0) * _REBOOT)) % _REBOOT
    sky = station.sky(moment(t, station.zone))
    return {
        "uptime": up,
        "packet_count": up // 7,
        "device_temperature": sky.temperature + 12 + sky.irradiance / 80,
        "rssi": -92 + 9 * station.noise.smooth(t, HOUR, 1),
        "snr": 6 + 4 * station.noise.smooth(t, HOUR, 2),
    }
