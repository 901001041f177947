# SPDX-License-Identifier: EUPL-1.2
"""Where the city is: the box around all positions that are known in a municipality, and a margin.

A new site further away than that is nearly always a typing error (exchanged or misplaced digits), so it is refused
unless somebody says that it is meant.
"""

from hub.core.places import RegistrySnapshot
from hub.devices.exchange._types import Basis, Wrong

_MARGIN = 0.1  # degrees: 11 km of latitude, 7 km of longitude at 50 degrees north


def check_position(basis: Basis, place: str, latitude: float | None, longitude: float | None) -> None:
    """Raise Wrong for coordinates that cannot be, or that lie outside of the place's municipality."""
    if (latitude is None) != (longitude is None):
        column = "latitude" if latitude is None else "longitude"
        raise Wrong(column, "is missing: give both coordinates", "chybí: uveďte obě souřadnice")
    if latitude is None or longitude is None:
        return
    for column, degrees, most in (("latitude", latitude, 90), ("longitude", longitude, 180)):
        if not abs(degrees) <= most:
            raise Wrong(column, f"{degrees} is not within -{most} to {most}", f"{degrees} není od -{most} do {most}")
    box = _box(basis.registry, place.partition("/")[0])
    if box is None or basis.anywhere:
        return
    south, north, west, east = box
    for column, degrees, low, high in (("latitude", latitude, south, north), ("longitude", longitude, west, east)):
        if not low - _MARGIN <= degrees <= high + _MARGIN:
            raise Wrong(
                column,
                f"{degrees} is outside of the city ({low:.3f} to {high:.3f}): correct it, or allow places anywhere",
                f"{degrees} je mimo město ({low:.3f} až {high:.3f}): opravte to, nebo povolte místa kdekoli",
            )


def _box(registry: RegistrySnapshot, municipality: str) -> tuple[float, float, float, float] | None:
    at = [
        (p.latitude, p.longitude)
        for p in registry.places.values()
        if p.latitude is not None and p.longitude is not None and p.id.partition("/")[0] == municipality
    ]
    if not at:
        return None
    latitudes, longitudes = [a for a, _ in at], [b for _, b in at]
    return min(latitudes), max(latitudes), min(longitudes), max(longitudes)
