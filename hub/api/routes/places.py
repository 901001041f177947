# SPDX-License-Identifier: EUPL-1.2
"""Changing the tree of places, and the facilities that stand in it.

A position far from its municipality is mostly a swapped or mistyped figure, so it has to be meant: `outside_city`.
"""

import hashlib
import math
from collections.abc import Mapping
from typing import Annotated, Any

import msgspec
from fastapi import APIRouter, Depends, Path, Query, Response

from hub.api.auth import Reader, ServicesDep, allow, reads
from hub.api.params import Cursor, Limit, decode_cursor, encode_cursor
from hub.api.revisions import IfMatch, require_match, tagged
from hub.api.schemas.devices import PlaceOut
from hub.api.schemas.registry import FacilityIn, FacilityOut, FacilityPage, PlaceIn
from hub.api.services import Services
from hub.api.views import place_view
from hub.core.errors import Exists, Invalid, NotFound
from hub.core.places import Place, PlaceKind
from hub.core.registry import FACILITY_CATEGORIES, Facility
from hub.core.rights import Action, Caller

router = APIRouter(tags=["registry"])

CITY_RADIUS_KM = 15.0  # our judgement: wider than any town that a hub serves, narrower than a swapped digit
Surveyor = Annotated[Caller, Depends(allow(Action.PLACES))]
PlaceId = Annotated[str, Path(max_length=256, description="Id of the place: its path in the tree.")]


@router.post("/places", status_code=201, response_model=PlaceOut, summary="Add a place")
def add_place(services: ServicesDep, given: PlaceIn, caller: Surveyor, response: Response) -> Mapping[str, Any]:
    """Add a place below one that exists; a municipality stands at the top. Several municipalities can share a hub."""
    if given.id in services.book.snapshot().places:
        raise Exists(f"place {given.id!r} exists already; PUT changes it", "id")
    response.headers["Location"] = f"/api/v1/places/{given.id}"
    return _put(services, given, caller)


@router.get("/places/{place:path}", dependencies=[Depends(reads)], response_model=PlaceOut, summary="One place")
def get_place(services: ServicesDep, place: PlaceId) -> Response:
    """A place of the tree; its ETag is what a change of it is based on."""
    view = place_view(_place(services, place))
    return tagged(view, _digest(view))


@router.put("/places/{place:path}", response_model=PlaceOut, summary="Change a place")
def put_place(
    services: ServicesDep, place: PlaceId, given: PlaceIn, caller: Surveyor, if_match: IfMatch = None
) -> Mapping[str, Any]:
    """Give all fields of a place anew. Its id stays, since readings and figures lie under it. Needs `If-Match`."""
    require_match(if_match, _digest(place_view(_place(services, place))), f"/api/v1/places/{place}")
    if given.id != place:
        raise Invalid(f"is {given.id!r}, but the path says {place!r}: a place keeps its id", "id")
    return _put(services, given, caller)


@router.delete("/places/{place:path}", status_code=204, summary="Remove a place")
def remove_place(services: ServicesDep, place: PlaceId, caller: Surveyor) -> None:
    """Remove a place where nothing ever stood and below which nothing lies."""
    services.book.remove_place(place, by=caller.name)


@router.get("/facilities", response_model=FacilityPage, summary="Facilities")
def list_facilities(
    services: ServicesDep,
    caller: Reader,
    place: Annotated[str | None, Query(max_length=256, description="At this place or below it.")] = None,
    category: Annotated[str | None, Query(max_length=64, description="Only of this category.")] = None,
    limit: Limit = 100,
    cursor: Cursor = None,
) -> Mapping[str, Any]:
    """What serves people, in order of places; a partner sees its own."""
    after = decode_cursor(cursor, tuple[str])[0] if cursor else ""
    found = services.book.facilities()
    chosen = sorted(
        name
        for name, row in found.items()
        if name > after
        and caller.reaches(Action.READ, row.owner)
        and category in (None, row.category)
        and (place is None or name == place or name.startswith(f"{place}/"))
    )
    page = chosen[:limit]
    following = encode_cursor(page[-1]) if len(chosen) > limit else None
    return {"items": [_facility(found[name]) for name in page], "next": following}


@router.get("/facilities/{place:path}", response_model=FacilityOut, summary="One facility")
def get_facility(services: ServicesDep, place: PlaceId, caller: Reader) -> Response:
    """What serves people at this place; its ETag is what a change of it is based on."""
    row = services.book.facilities().get(place)
    if row is None or not caller.reaches(Action.READ, row.owner):
        raise NotFound(f"no facility at {place!r}; GET /api/v1/facilities lists all")
    return tagged(_facility(row), row.revision)


@router.put("/facilities/{place:path}", response_model=FacilityOut, summary="Describe a facility")
def put_facility(
    services: ServicesDep, place: PlaceId, given: FacilityIn, caller: Surveyor, if_match: IfMatch = None
) -> Mapping[str, Any]:
    """Say what serves people at a place of kind facility or site; needs `If-Match` when it is described already."""
    if given.category not in FACILITY_CATEGORIES:
        raise Invalid(f"{given.category!r} is none of {', '.join(FACILITY_CATEGORIES)}", "category")
    before = services.book.facilities().get(place)
    if before is not None:
        require_match(if_match, before.revision, f"/api/v1/facilities/{place}")
    facility = Facility(place=place, **given.model_dump())
    expected = None if before is None else before.revision
    return _facility(services.book.put_facility(facility, by=caller.name, expected=expected))


@router.delete("/facilities/{place:path}", status_code=204, summary="Remove a facility")
def remove_facility(services: ServicesDep, place: PlaceId, caller: Surveyor) -> None:
    """Say that nothing serves people at this place any more; the place itself stays."""
    services.book.remove_facility(place, by=caller.name)


def _put(services: Services, given: PlaceIn, caller: Caller) -> Mapping[str, Any]:
    fields = given.model_dump(exclude={"outside_city"})
    place = Place(**{**fields, "kind": PlaceKind(given.kind)})
    if not given.outside_city:
        _check_position(place, services.book.snapshot().places)
    services.book.put_places([place], by=caller.name)
    return place_view(place)


def _check_position(place: Place, places: Mapping[str, Place]) -> None:
    if (place.latitude is None) != (place.longitude is None):
        raise Invalid("latitude and longitude go together: give both or none", "latitude")
    city = places.get(place.id.partition("/")[0])
    if place.latitude is None or place.longitude is None or city is None or place.parent is None:
        return
    if city.latitude is None or city.longitude is None:
        return
    north = (place.latitude - city.latitude) * 111.2
    east = (place.longitude - city.longitude) * 111.2 * math.cos(math.radians(city.latitude))
    if (away := math.hypot(north, east)) > CITY_RADIUS_KM:
        raise Invalid(
            f"lies {away:.0f} km from {city.id}: are latitude and longitude swapped? If it is meant, say outside_city",
            "latitude",
        )


def _place(services: Services, place: str) -> Place:
    found = services.book.snapshot().places.get(place)
    if found is None:
        raise NotFound(f"no place {place!r}; GET /api/v1/places lists all")
    return found


def _digest(view: Mapping[str, Any]) -> str:
    return hashlib.blake2b(msgspec.json.encode(view), digest_size=8).hexdigest()


def _facility(row: Facility) -> Mapping[str, Any]:
    return msgspec.structs.asdict(row)
