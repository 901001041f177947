# SPDX-License-Identifier: EUPL-1.2
"""Changing the tree of places, and the facilities that stand in it.

A change of a place counts on what the caller saw: it is compared again within the writer's transaction. A partner may
describe the facilities that are its own, and no others.
"""

import hashlib
from collections.abc import Mapping
from typing import Annotated, Any
from urllib.parse import quote

import msgspec
from fastapi import APIRouter, Depends, Path, Query, Request, Response

from hub.api import columns
from hub.api.answers import as_list
from hub.api.auth import Reader, ServicesDep, allow, reads
from hub.api.params import CSV_RESPONSE, CsvDialect, Cursor, Limit, decode_cursor, encode_cursor
from hub.api.revisions import IfMatch, IfMatchAtWill, merged, require_match, tagged
from hub.api.schemas.devices import PlaceOut
from hub.api.schemas.registry import FacilityIn, FacilityOut, FacilityPage, FacilityPatch, PlaceIn, PlacePatch
from hub.api.services import Services
from hub.api.tables import Dialect
from hub.api.views import place_view
from hub.core.errors import Exists, Invalid, NotFound
from hub.core.places import Place, PlaceKind
from hub.core.registry import FACILITY_CATEGORIES, Facility
from hub.core.rights import Action, Caller
from hub.devices.positions import near_city

router = APIRouter(tags=["registry"])

Surveyor = Annotated[Caller, Depends(allow(Action.PLACES))]
Describer = Annotated[Caller, Depends(allow(Action.DEVICES))]  # a partner too, of what is its own
PlaceId = Annotated[str, Path(max_length=256, description="Id of the place: its path in the tree.")]


@router.post("/places", status_code=201, response_model=PlaceOut, summary="Add a place")
def add_place(services: ServicesDep, given: PlaceIn, caller: Surveyor, response: Response) -> Mapping[str, Any]:
    """Add a place below one that exists; a municipality stands at the top. Several municipalities can share a hub."""
    if given.id in services.book.snapshot().places:
        raise Exists(f"place {given.id!r} exists already; PUT changes it", "id")
    response.headers["Location"] = f"/api/v1/places/{quote(given.id)}"
    return _put(services, given, caller, None)


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
    before = _seen(services, place, if_match)
    if given.id != place:
        raise Invalid(f"is {given.id!r}, but the path says {place!r}: a place keeps its id", "id")
    return _put(services, given, caller, before)


@router.patch("/places/{place:path}", response_model=PlaceOut, summary="Change some fields of a place")
def patch_place(
    services: ServicesDep, place: PlaceId, given: PlacePatch, caller: Surveyor, if_match: IfMatch = None
) -> Mapping[str, Any]:
    """Change the fields that are given (JSON merge patch, RFC 7396; null: back to nothing). Needs `If-Match`."""
    before = _seen(services, place, if_match)
    known = {name: value for name, value in place_view(before).items() if name != "parent"}
    return _put(services, merged(PlaceIn, known, given), caller, before)


@router.delete("/places/{place:path}", status_code=204, summary="Remove a place")
def remove_place(services: ServicesDep, place: PlaceId, caller: Surveyor, if_match: IfMatchAtWill = None) -> None:
    """Remove a place where nothing ever stood and below which nothing lies. With `If-Match` only what was seen."""
    before = None if if_match is None else _seen(services, place, if_match)
    services.book.remove_place(place, by=caller.name, based_on=before)


@router.get("/facilities", response_model=FacilityPage, responses=dict(CSV_RESPONSE), summary="Facilities")
def list_facilities(
    request: Request,
    services: ServicesDep,
    caller: Reader,
    place: Annotated[str | None, Query(max_length=256, description="At this place or below it.")] = None,
    category: Annotated[str | None, Query(max_length=64, description="Only of this category.")] = None,
    limit: Limit = 100,
    cursor: Cursor = None,
    dialect: CsvDialect = Dialect.PLAIN,
) -> Response:
    """What serves people, in order of places; a partner sees its own. `Accept: text/csv` gives rows as CSV."""
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
    body = {"items": [_facility(found[name]) for name in page], "next": following}
    return as_list(request, body, columns.FACILITIES, dialect)


@router.get("/facilities/{place:path}", response_model=FacilityOut, summary="One facility")
def get_facility(services: ServicesDep, place: PlaceId, caller: Reader) -> Response:
    """What serves people at this place; its ETag is what a change of it is based on."""
    row = services.book.facilities().get(place)
    if row is None or not caller.reaches(Action.READ, row.owner):
        raise NotFound(f"no facility at {place!r}; GET /api/v1/facilities lists all")
    return tagged(_facility(row), row.revision)


@router.put("/facilities/{place:path}", response_model=FacilityOut, summary="Describe a facility")
def put_facility(
    services: ServicesDep, place: PlaceId, given: FacilityIn, caller: Describer, if_match: IfMatch = None
) -> Mapping[str, Any]:
    """Say what serves people at a place of kind facility or site; needs `If-Match` when it is described already.

    A partner changes its own.
    """
    before = _own_facility(services, place, caller)
    if before is not None:
        require_match(if_match, before.revision, f"/api/v1/facilities/{place}")
    return _describe(services, place, given, caller, before)


@router.patch("/facilities/{place:path}", response_model=FacilityOut, summary="Change some fields of a facility")
def patch_facility(
    services: ServicesDep, place: PlaceId, given: FacilityPatch, caller: Describer, if_match: IfMatch = None
) -> Mapping[str, Any]:
    """Change the fields that are given (JSON merge patch, RFC 7396; null: back to nothing). Needs `If-Match`."""
    before = _own_facility(services, place, caller)
    if before is None:
        raise NotFound(f"no facility at {place!r}; GET /api/v1/facilities lists all")
    require_match(if_match, before.revision, f"/api/v1/facilities/{place}")
    known = {name: value for name, value in _facility(before).items() if name not in ("place", "revision")}
    return _describe(services, place, merged(FacilityIn, known, given), caller, before)


@router.delete("/facilities/{place:path}", status_code=204, summary="Remove a facility")
def remove_facility(services: ServicesDep, place: PlaceId, caller: Surveyor, if_match: IfMatchAtWill = None) -> None:
    """Say that nothing serves people at this place any more; the place itself stays."""
    before = services.book.facilities().get(place)
    if before is None:
        raise NotFound(f"no facility at {place!r}; GET /api/v1/facilities lists all")
    if if_match is not None:
        require_match(if_match, before.revision, f"/api/v1/facilities/{place}")
    services.book.remove_facility(place, by=caller.name, expected=None if if_match is None else before.revision)


def _own_facility(services: Services, place: str, caller: Caller) -> Facility | None:
    """What is described there now; NotFound where it is not the partner's who asks."""
    before = services.book.facilities().get(place)
    if caller.bounded(Action.DEVICES) and (before is None or not caller.reaches(Action.DEVICES, before.owner)):
        raise NotFound(f"no facility at {place!r} is yours; GET /api/v1/facilities lists those that are")
    return before


def _describe(
    services: Services, place: str, given: FacilityIn, caller: Caller, before: Facility | None
) -> Mapping[str, Any]:
    if given.category not in FACILITY_CATEGORIES:
        raise Invalid(f"{given.category!r} is none of {', '.join(FACILITY_CATEGORIES)}", "category")
    fields = given.model_dump()
    if caller.bounded(Action.DEVICES) and before is not None:
        if given.owner not in ("", before.owner):
            raise Invalid(f"is {before.owner!r} and stays so: a partner cannot give a facility away", "owner")
        fields["owner"] = before.owner
    facility = Facility(place=place, **fields)
    expected = 0 if before is None else before.revision
    return _facility(services.book.put_facility(facility, by=caller.name, expected=expected))


def _seen(services: Services, place: str, if_match: str | None) -> Place:
    """The place as it is now, which is what the caller saw."""
    found = _place(services, place)
    require_match(if_match, _digest(place_view(found)), f"/api/v1/places/{place}")
    return found


def _put(services: Services, given: PlaceIn, caller: Caller, before: Place | None) -> Mapping[str, Any]:
    fields = given.model_dump(exclude={"outside_city"})
    place = Place(**{**fields, "kind": PlaceKind(given.kind)})
    if not given.outside_city:
        near_city(place, services.book.snapshot().places)
    services.book.put_places([place], by=caller.name, based_on={place.id: before})
    return place_view(place)


def _place(services: Services, place: str) -> Place:
    found = services.book.snapshot().places.get(place)
    if found is None:
        raise NotFound(f"no place {place!r}; GET /api/v1/places lists all")
    return found


def _digest(view: Mapping[str, Any]) -> str:
    return hashlib.blake2b(msgspec.json.encode(view), digest_size=8).hexdigest()


def _facility(row: Facility) -> Mapping[str, Any]:
    return msgspec.structs.asdict(row)
