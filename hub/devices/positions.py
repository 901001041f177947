# SPDX-License-Identifier: EUPL-1.2
"""Whether a position can be meant. Pure.

One that lies far from its municipality is mostly a swapped or mistyped figure, so it has to be said to be meant.
"""

import math
from collections.abc import Mapping

from hub.core.errors import Invalid
from hub.core.places import Place

CITY_RADIUS_KM = 15.0  # our judgement: wider than any town that a hub serves, narrower than a swapped digit
_KM_PER_DEGREE = 111.2  # of a great circle of the earth (mean radius 6371 km)


def near_city(place: Place, places: Mapping[str, Place]) -> None:
    """Raise Invalid for half a position, or one that lies far from the municipality, where that one's is known."""
    if (place.latitude is None) != (place.longitude is None):
        raise Invalid("latitude and longitude go together: give both or none", "latitude")
    city = places.get(place.id.partition("/")[0])
    if place.latitude is None or place.longitude is None or city is None or place.parent is None:
        return
    if city.latitude is None or city.longitude is None:
        return
    north = (place.latitude - city.latitude) * _KM_PER_DEGREE
    east = (place.longitude - city.longitude) * _KM_PER_DEGREE * math.cos(math.radians(city.latitude))
    if (away := math.hypot(north, east)) > CITY_RADIUS_KM:
        raise Invalid(
            f"lies {away:.0f} km from {city.id}: are latitude and longitude swapped? If it is meant, say outside_city",
            "latitude",
        )
