# SPDX-License-Identifier: EUPL-1.2
"""Where sites stand on the scheme: in the tile of their part, by their coordinates relative to the part's own. Pure.

The scheme is no map: tiles are alike whatever the size of a part, so a dot says where in its part a site lies, and one
that would fall outside its tile is drawn at its edge. Sites without coordinates, or in a part without, have no dot.
"""

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from hub.console._map import WIDTH, Tile
from hub.console.desk._rows import Row
from hub.core.places import Place, RegistrySnapshot
from hub.devices.state import State

_PER_DEGREE = 111.2  # km of a degree of latitude, on a sphere of 6371 km
_PER_KM = 30.0  # units of the drawing
_RADIUS = WIDTH / 2 - 10


class Dot(NamedTuple):
    """A site on the scheme: where, what it is called, and how many of its devices are healthy."""

    place: str
    title: Mapping[str, str]
    x: int
    y: int
    healthy: int
    devices: int

    @property
    def share(self) -> str:
        """Good, some or bad."""
        return share_of(self.healthy, self.devices)


def share_of(healthy: int, devices: int) -> str:
    """Good when all are healthy, bad when none is."""
    return "good" if healthy == devices else "bad" if not healthy else "some"


def sites(registry: RegistrySnapshot, tiles: Sequence[Tile], rows: Sequence[Row]) -> Sequence[Dot]:
    """Dots of all sites where devices stand, in order of their ids."""
    centres = {tile.place: tile for tile in tiles}
    total, healthy, parts = Counter[str](), Counter[str](), dict[str, str]()
    for row in rows:
        device = registry.devices.get(row.id)
        if device is not None and device.place is not None:
            total[device.place] += 1
            parts[device.place] = row.part
            healthy[device.place] += row.state == State.HEALTHY
    found = []
    for name in sorted(total):
        place, tile = registry.places.get(name), centres.get(parts[name])
        offset = _offset(registry.places[tile.place], place) if place and tile else None
        if place and tile and offset:
            x, y = round(tile.x + offset[0]), round(tile.y + offset[1])
            found.append(Dot(name, place.title, x, y, healthy[name], total[name]))
    return found


def _offset(part: Place, site: Place) -> tuple[float, float] | None:
    """From the centre of the tile, in units of the drawing, to the east and to the south."""
    if None in (part.latitude, part.longitude, site.latitude, site.longitude):
        return None
    latitude, longitude = part.latitude or 0.0, part.longitude or 0.0
    north = ((site.latitude or 0.0) - latitude) * _PER_DEGREE
    east = ((site.longitude or 0.0) - longitude) * _PER_DEGREE * math.cos(math.radians(latitude))
    x, y = east * _PER_KM, -north * _PER_KM
    reach = math.hypot(x, y)
    return (x, y) if reach <= _RADIUS else (x * _RADIUS / reach, y * _RADIUS / reach)
