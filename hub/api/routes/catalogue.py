# SPDX-License-Identifier: EUPL-1.2
"""`/places` and `/quantities`: what names mean."""

from collections.abc import Mapping
from typing import Any

from fastapi import APIRouter, Depends

from hub.api.auth import ServicesDep, reads
from hub.api.schemas.devices import PlaceList, QuantityList
from hub.api.views import place_view, quantity_view

router = APIRouter(tags=["catalogue"], dependencies=[Depends(reads)])


@router.get("/places", response_model=PlaceList, summary="Places of the city")
def list_places(services: ServicesDep) -> Mapping[str, Any]:
    """All places: municipality, its parts, facilities and sites. The id of a place is its path in the tree."""
    places = services.book.snapshot().places
    rows = [place_view(places[id_]) for id_ in sorted(places)]
    return {"city": services.city_title, "time_zone": services.time_zone, "items": rows}


@router.get("/quantities", response_model=QuantityList, summary="Quantities and their units")
def list_quantities(services: ServicesDep) -> Mapping[str, Any]:
    """All quantities: canonical unit, units that senders may name, how readings aggregate, plausible bounds."""
    table = services.quantities
    return {"items": [quantity_view(quantity, table.units(quantity.id)) for quantity in table]}
