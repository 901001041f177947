# SPDX-License-Identifier: EUPL-1.2
"""Which devices the simulated city has: a table of kinds, spread over the parts of the city.

Kinds for `EACH_PART` stand in every part, the others in the first parts in the order of the city's file. The last
device of three kinds transmits without being registered. Ids say `sim-`; no grade is better than indicative.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import NamedTuple, Protocol
from zoneinfo import ZoneInfo

from msgspec import Struct

from hub.core.places import Device, Mounting, Place, PlaceKind
from hub.core.quantities import Domain
from hub.core.readings import Grade, Origin
from hub.simulation import signals
from hub.simulation.noise import Noise
from hub.simulation.rhythm import standard_offset
from hub.simulation.signals import Station, Values

NEW = ("noise", "waste", "satisfaction")  # kinds whose last device is not registered
MIDDLE_OF_EUROPE = (50.0, 15.0)  # for the sun, where a city's file has no position


class Municipality(Protocol):
    """What the simulation needs of a city."""

    @property
    def id(self) -> str:
        """Id of the municipality's place."""
        ...

    @property
    def time_zone(self) -> str:
        """IANA name."""
        ...

    @property
    def places(self) -> Sequence[Place]:
        """The municipality, then its parts."""
        ...


class Kind(NamedTuple):
    """One row of the table: `spanned` readings cover the interval that begins at their time, others are instants."""

    name: str
    domain: Domain
    cs: str
    en: str
    interval: int
    copies: int | None
    spanned: bool
    signal: Callable[[Station, int], Values]
    grade: Grade = Grade.INFORMATIVE


EACH_PART = None

KINDS = (
    Kind("air", Domain.AIR, "Kvalita ovzduší", "Air quality", 600, EACH_PART, True, signals.air, Grade.INDICATIVE),
    Kind("noise", Domain.NOISE, "Hluk", "Noise", 300, 4, True, signals.noise, Grade.INDICATIVE),
    Kind("weather", Domain.WEATHER, "Počasí", "Weather", 600, 3, False, signals.meteo, Grade.INDICATIVE),
    Kind("traffic", Domain.TRAFFIC, "Doprava", "Traffic", 300, 4, True, signals.traffic),
    Kind("parking", Domain.PARKING, "Parkoviště", "Car park", 300, 3, False, signals.parking),
    Kind("waste", Domain.WASTE, "Kontejner", "Waste container", 3600, EACH_PART, False, signals.waste),
    Kind("energy", Domain.ENERGY, "Elektroměr budovy", "Building electricity", 900, 3, False, signals.energy),
    Kind("water", Domain.WATER, "Vodoměr", "Water meter", 900, 3, False, signals.water),
    Kind("lighting", Domain.LIGHTING, "Veřejné osvětlení", "Street lighting", 900, 4, False, signals.lighting),
    Kind("sport", Domain.SPORT, "Sportoviště", "Sports facility", 900, 3, True, signals.sport),
    Kind("social", Domain.SOCIAL, "Sociální služba", "Social service", 3600, 2, True, signals.social),
    Kind("satisfaction", Domain.SATISFACTION, "Spokojenost", "Satisfaction", 3600, 3, True, signals.satisfaction),
    Kind("gateway", Domain.DEVICE, "Rádiová brána", "Radio gateway", 300, 2, False, signals.gateway),
)


class SimulatedDevice(Struct, frozen=True):
    """A device of the simulation: its registration record, its site, and where its values come from."""

    device: Device
    site: Place
    part: str
    domain: Domain
    registered: bool
    kind: Kind
    station: Station

    @property
    def id(self) -> str:
        """Device id."""
        return self.device.id


class SimulatedCity(Struct, frozen=True):
    """All devices of one seed and city."""

    seed: int
    id: str
    devices: Sequence[SimulatedDevice]


def simulated_city(seed: int, city: Municipality) -> SimulatedCity:
    """The devices of a city; equal for equal arguments."""
    parts = [place for place in city.places if place.kind is PlaceKind.PART] or list(city.places[:1])
    zone, noise = ZoneInfo(city.time_zone), Noise.of(seed, city.id)
    devices = [
        _device(seed, kind, number, last, parts[(number - 1) % len(parts)], noise, zone)
        for kind, number, last in _numbered(len(parts))
    ]
    return SimulatedCity(seed, city.id, devices)


def registration(city: SimulatedCity) -> Sequence[Device]:
    """The devices to register: all but three, which show up as new devices."""
    return [item.device for item in city.devices if item.registered]


def site_places(city: SimulatedCity) -> Sequence[Place]:
    """The sites of the devices to register; the city's own places come before them."""
    return [item.site for item in city.devices if item.registered]


def _numbered(parts: int) -> Iterator[tuple[Kind, int, bool]]:
    for kind in KINDS:
        copies = parts if kind.copies is None else kind.copies
        for number in range(1, copies + 1):
            yield kind, number, number == copies


def _device(
    seed: int, kind: Kind, number: int, last: bool, part: Place, city: Noise, zone: ZoneInfo
) -> SimulatedDevice:
    id_ = f"sim-{kind.name}-{number}"
    latitude, longitude = part.latitude or MIDDLE_OF_EUROPE[0], part.longitude or MIDDLE_OF_EUROPE[1]
    title = _title(kind, number, part)
    site = Place(
        id=f"{part.id}/{id_}",
        kind=PlaceKind.SITE,
        title=title,
        latitude=part.latitude,
        longitude=part.longitude,
        source="simulated",
    )
    device = Device(
        id=id_,
        connector="native",
        external_id=id_,
        title=title["cs"],
        interval=kind.interval,
        grade=kind.grade,
        origin=Origin.SIMULATED,
        mountings=(Mounting(site.id, 0),),
    )
    noise = Noise.of(seed, part.id.partition("/")[0], id_)
    station = Station(number, kind.interval, noise, city, zone, standard_offset(zone), latitude, longitude)
    return SimulatedDevice(device, site, part.id, kind.domain, not (last and kind.name in NEW), kind, station)


def _title(kind: Kind, number: int, part: Place) -> Mapping[str, str]:
    name = part.title.get("cs") or next(iter(part.title.values()))
    return {
        "cs": f"{kind.cs} {number}, {name} (simulace)",
        "en": f"{kind.en} {number}, {part.title.get('en', name)} (simulated)",
    }
