# SPDX-License-Identifier: EUPL-1.2
"""`/places` and `/quantities`: what names mean."""

from collections.abc import Mapping
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Request, Response

from hub.api import columns
from hub.api.answers import as_list
from hub.api.auth import ServicesDep, reads
from hub.api.params import CSV_RESPONSE, CsvDialect, Cursor, Limit, decode_cursor, encode_cursor
from hub.api.schemas.devices import PlaceList, QuantityList
from hub.api.tables import Dialect
from hub.api.views import place_view, quantity_view
from hub.core.errors import Invalid
from hub.core.places import Place, PlaceKind

router = APIRouter(tags=["catalogue"], dependencies=[Depends(reads)])


@router.get("/places", response_model=PlaceList, responses=dict(CSV_RESPONSE), summary="Places of the city")
def list_places(
    request: Request,
    services: ServicesDep,
    kind: Annotated[PlaceKind | None, Query(description="Only places of this kind.")] = None,
    below: Annotated[str | None, Query(max_length=256, description="Only this place and what lies below it.")] = None,
    text: Annotated[str, Query(max_length=200, description="In the id or a title.")] = "",
    limit: Limit = 1000,
    cursor: Cursor = None,
    dialect: CsvDialect = Dialect.PLAIN,
) -> Response:
    """Places in order of their ids: municipality, its parts, facilities and sites. An id is a path in the tree.

    `Accept: text/csv` gives rows as CSV, the next page is then in the header `Link`.
    """
    after = decode_cursor(cursor, tuple[str])[0] if cursor else ""
    places = services.book.snapshot().places
    if below is not None and below not in places:
        raise Invalid(f"no place {below!r}; GET /api/v1/places without it lists all", "below")
    chosen = [
        id_
        for id_ in sorted(places)
        if id_ > after
        and kind in (None, places[id_].kind)
        and (below is None or f"{id_}/".startswith(f"{below}/"))
        and _says(places[id_], text.casefold())
    ]
    page = chosen[:limit]
    body = {
        "city": services.city_title,
        "time_zone": services.time_zone,
        "items": [place_view(places[id_]) for id_ in page],
        "next": encode_cursor(page[-1]) if len(chosen) > limit else None,
    }
    return as_list(request, body, columns.PLACES, dialect)


def _says(place: Place, text: str) -> bool:
    return text in "\n".join((place.id, *place.title.values())).casefold()


@router.get("/quantities", response_model=QuantityList, summary="Quantities and their units")
def list_quantities(services: ServicesDep) -> Mapping[str, Any]:
    """All quantities: canonical unit, units that senders may name, how readings aggregate, plausible bounds."""
    table = services.quantities
    return {"items": [quantity_view(quantity, table.units(quantity.id)) for quantity in table]}
