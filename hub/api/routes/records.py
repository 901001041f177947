# SPDX-License-Identifier: EUPL-1.2
"""What is kept beside a device: remarks and photos.

A photo is sent as it is, not as a form: a body of type image/jpeg cannot be sent by another web site on somebody's
behalf. It is on disk before its row is in the ledger.
"""

from collections.abc import Mapping
from contextlib import suppress
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Path, Query, Request, Response
from fastapi.concurrency import run_in_threadpool

from hub.api.auth import Reader, ServicesDep, allow
from hub.api.params import MAX_INT64
from hub.api.problems import Problem
from hub.api.routes.device_changes import DeviceId, own_device, seen_device
from hub.api.schemas.registry import NoteIn, NoteList, NoteOut, PhotoList, PhotoOut
from hub.api.services import Services
from hub.core.errors import NotFound
from hub.core.registry import Note, Photo
from hub.core.rights import Action, Caller
from hub.core.windows import format_instant
from hub.devices.photos import MEDIA_TYPE, MOST_BYTES, prepare

router = APIRouter(prefix="/devices", tags=["registry"])
pictures = APIRouter(prefix="/devices", tags=["registry"])  # bodies that are no JSON

ACCEPTED = ("image/jpeg", "image/png", "image/webp")
BODY: Mapping[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {
            media: {"schema": {"type": "string", "format": "binary"}, "example": "the bytes"} for media in ACCEPTED
        },
    }
}
BYTES: Mapping[int | str, dict[str, Any]] = {
    200: {
        "content": {MEDIA_TYPE: {"schema": {"type": "string", "format": "binary"}, "example": "the bytes"}},
        "description": "The picture.",
    }
}
Registrar = Annotated[Caller, Depends(allow(Action.DEVICES))]
RowId = Annotated[int, Path(ge=1, le=MAX_INT64, description="Its id in the list.")]


@router.get("/{device}/notes", response_model=NoteList, summary="Remarks on a device")
def list_notes(services: ServicesDep, device: DeviceId, caller: Reader) -> Mapping[str, Any]:
    """Remarks on the device with who made them and when, newest first."""
    seen_device(services, caller, device)
    return {"items": [_note(row) for row in services.records.notes(f"device:{device}")]}


@router.post("/{device}/notes", status_code=201, response_model=NoteOut, summary="Remark on a device")
def add_note(services: ServicesDep, device: DeviceId, given: NoteIn, caller: Registrar) -> Mapping[str, Any]:
    """Leave a remark on the device for those who come after; who made it is the caller."""
    own_device(services, caller, device)
    return _note(services.records.add_note(f"device:{device}", given.text, by=caller.name))


@router.delete("/{device}/notes/{note}", status_code=204, summary="Take a remark away")
def remove_note(services: ServicesDep, device: DeviceId, note: RowId, caller: Registrar) -> None:
    """Take a remark away; the record of changes keeps that it was there."""
    own_device(services, caller, device)
    if note not in {row.id for row in services.records.notes(f"device:{device}")}:
        raise NotFound(f"{device} has no note {note}; GET /api/v1/devices/{device}/notes lists them")
    services.records.remove_note(note, by=caller.name)


@router.get("/{device}/photos", response_model=PhotoList, summary="Photos of a device")
def list_photos(services: ServicesDep, device: DeviceId, caller: Reader) -> Mapping[str, Any]:
    """Photos of the device, newest first; the bytes of each are at its `url`."""
    seen_device(services, caller, device)
    return {"items": [_photo(device, row) for row in services.records.photos(f"device:{device}")]}


@pictures.post(
    "/{device}/photos", status_code=201, response_model=PhotoOut, openapi_extra=dict(BODY), summary="Add a photo"
)
async def add_photo(
    request: Request,
    services: ServicesDep,
    device: DeviceId,
    caller: Registrar,
    caption: Annotated[str, Query(max_length=200, description="What it shows.")] = "",
) -> Mapping[str, Any]:
    """Send a photo as JPEG, PNG or WebP of less than 10 MB; it is kept as JPEG of at most 2048 pixels a side.

    Where and with what it was taken (EXIF, GPS) is not kept. The same photo twice is one.
    """
    await run_in_threadpool(own_device, services, caller, device)
    media = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if media not in ACCEPTED:
        raise Problem("media-type", f"the body is {media or 'of no type'}; send one of {', '.join(ACCEPTED)}")
    content = await request.body()
    if len(content) >= MOST_BYTES:
        raise Problem("too-large", "a photo must have less than 10 MB: take it with a lower resolution")
    return await run_in_threadpool(_keep, services, device, content, caption, caller.name)


@router.get("/{device}/photos/{photo}", response_class=Response, responses=dict(BYTES), summary="A photo's bytes")
def get_photo(services: ServicesDep, device: DeviceId, photo: RowId, caller: Reader) -> Response:
    """The picture as JPEG, as large as it is kept, at most 2048 pixels a side."""
    seen_device(services, caller, device)
    row = _found(services, device, photo)
    return Response(services.photos.get(row.sha256), media_type=row.media_type, headers={"ETag": f'"{row.sha256}"'})


@router.delete("/{device}/photos/{photo}", status_code=204, summary="Take a photo away")
def remove_photo(services: ServicesDep, device: DeviceId, photo: RowId, caller: Registrar) -> None:
    """Take a photo off the device and erase it; the record of changes keeps that it was there."""
    own_device(services, caller, device)
    _erase(services, _found(services, device, photo), caller.name)


def _keep(services: Services, device: str, content: bytes, caption: str, by: str) -> Mapping[str, Any]:
    kept = prepare(content)
    services.photos.put(kept.sha256, kept.content)
    photo = Photo(
        id=0, subject=f"device:{device}", sha256=kept.sha256, media_type=MEDIA_TYPE, width=kept.width,
        height=kept.height, size=len(kept.content), caption=caption, by=by, at=services.clock_ns(),
    )  # fmt: skip
    made = services.records.add_photo(photo, by=by)
    services.photos.put(kept.sha256, kept.content)  # gone, where the same picture was being erased
    return _photo(device, made)


def _erase(services: Services, row: Photo, by: str) -> None:
    """Bytes first, then the row: what fails in between can be asked for again. Both stay where others use the bytes."""
    content = None
    if services.records.photo_uses(row.sha256) == 1:
        with suppress(NotFound):
            content = services.photos.get(row.sha256)
        services.photos.drop(row.sha256)
    services.records.remove_photo(row.id, by=by)
    if content is not None and services.records.photo_uses(row.sha256):  # somebody sent the same one meanwhile
        services.photos.put(row.sha256, content)


def _found(services: Services, device: str, photo: int) -> Photo:
    for row in services.records.photos(f"device:{device}"):
        if row.id == photo:
            return row
    raise NotFound(f"{device} has no photo {photo}; GET /api/v1/devices/{device}/photos lists them")


def _note(row: Note) -> Mapping[str, Any]:
    return {"id": row.id, "text": row.text, "by": row.by, "at": format_instant(row.at)}


def _photo(device: str, row: Photo) -> Mapping[str, Any]:
    shown = {name: getattr(row, name) for name in ("id", "caption", "width", "height", "size", "by")}
    return {**shown, "at": format_instant(row.at), "url": f"/api/v1/devices/{device}/photos/{row.id}"}
