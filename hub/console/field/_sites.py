# SPDX-License-Identifier: EUPL-1.2
"""Sites around a position, and a plain map of them. Pure geometry; the template draws it.

The map is a plate carrée around the city's middle: over a city the error is far below the width of a dot. It shows
parts by name and sites as points, without tiles from anywhere. The position of a part is approximate, so the check
whether coordinates belong to the city is generous: it finds swapped or mistyped figures, not a wrong street.
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from hub.core.places import Place, PlaceKind

EARTH_KM = 6371.0088  # mean radius, IUGG
REACH_KM = 6.0  # from the middle of the nearest part; our judgement: parts are given to about 1 km and are this large
WIDTH, HEIGHT, EDGE = 340, 260, 26


class Position(NamedTuple):
    """WGS 84 degrees."""

    latitude: float
    longitude: float


class Site(NamedTuple):
    """A place where devices stand; `distance` in m from the phone, None where either position is unknown."""

    id: str
    name: str
    part: str
    distance: int | None


class Dot(NamedTuple):
    """A point on the map; `kind` is part, site, chosen or phone."""

    x: int
    y: int
    label: str
    kind: str
    place: str


class Sketch(NamedTuple):
    """The map, with what a click on it means: degrees at the left and top edge, and degrees a unit."""

    dots: Sequence[Dot]
    west: float
    north: float
    step_longitude: float
    step_latitude: float


def position_of(place: Place) -> Position | None:
    """Where a place is."""
    if place.latitude is None or place.longitude is None:
        return None
    return Position(place.latitude, place.longitude)


def kilometres(a: Position, b: Position) -> float:
    """Great-circle distance (haversine)."""
    lat_a, lat_b = math.radians(a.latitude), math.radians(b.latitude)
    half = math.sin((lat_b - lat_a) / 2) ** 2
    half += math.cos(lat_a) * math.cos(lat_b) * math.sin(math.radians(b.longitude - a.longitude) / 2) ** 2
    return 2 * EARTH_KM * math.asin(math.sqrt(min(1.0, half)))


def outside(at: Position, places: Iterable[Place]) -> float | None:
    """Kilometres to the nearest part of the city where that is too far; None where it is not, or nobody can tell."""
    known = [p for place in places if place.kind is not PlaceKind.SITE and (p := position_of(place))]
    nearest = min((kilometres(at, p) for p in known), default=0.0)
    return nearest if nearest > REACH_KM else None


def nearest_part(at: Position, places: Iterable[Place]) -> Place | None:
    """The part of the city whose middle is nearest."""
    parts = [
        (kilometres(at, p), place) for place in places if place.kind is PlaceKind.PART and (p := position_of(place))
    ]
    return min(parts, key=lambda found: found[0])[1] if parts else None


def sites_near(at: Position | None, places: Mapping[str, Place], language: str) -> Sequence[Site]:
    """All sites and facilities, the nearest first; without a position by name."""
    found = []
    for place in places.values():
        if place.kind in {PlaceKind.SITE, PlaceKind.FACILITY}:
            there = position_of(place)
            distance = None if at is None or there is None else round(kilometres(at, there) * 1000)
            found.append(Site(place.id, _name(place, language), _part(place, places, language), distance))
    return sorted(found, key=lambda s: (s.distance is None, s.distance or 0, s.name))


def sketch(places: Mapping[str, Place], at: Position | None, chosen: str, language: str) -> Sketch | None:
    """The map of the city; None where no place has a position."""
    known = {p.id: position for p in places.values() if (position := position_of(p))}
    around = [*known.values(), *([at] if at else [])]
    if not around:
        return None
    west, east = min(p.longitude for p in around), max(p.longitude for p in around)
    south, north = min(p.latitude for p in around), max(p.latitude for p in around)
    shrink = math.cos(math.radians((south + north) / 2))
    scale = min(  # units a degree of latitude
        (WIDTH - 2 * EDGE) / max((east - west) * shrink, 0.01), (HEIGHT - 2 * EDGE) / max(north - south, 0.01)
    )
    step = (1 / scale, 1 / (scale * shrink))
    left = (west + east) / 2 - WIDTH / 2 * step[1]
    top = (south + north) / 2 + HEIGHT / 2 * step[0]

    def dot(p: Position, label: str, kind: str, place: str = "") -> Dot:
        return Dot(round((p.longitude - left) / step[1]), round((top - p.latitude) / step[0]), label, kind, place)

    dots = [dot(p, _name(places[id_], language), _kind(places[id_], chosen), id_) for id_, p in known.items()]
    dots = [d for d in dots if places[d.place].kind is not PlaceKind.MUNICIPALITY]
    order = ("part", "site", "chosen")
    dots.sort(key=lambda d: order.index(d.kind))
    return Sketch([*dots, *([dot(at, "", "phone")] if at else [])], left, top, step[1], step[0])


def _kind(place: Place, chosen: str) -> str:
    if place.id == chosen:
        return "chosen"
    return "part" if place.kind in {PlaceKind.PART, PlaceKind.MUNICIPALITY} else "site"


def _name(place: Place, language: str) -> str:
    return place.title.get(language) or next(iter(place.title.values()), place.id)


def _part(place: Place, places: Mapping[str, Place], language: str) -> str:
    above = places.get(place.parent or "")
    return _name(above, language) if above else ""
