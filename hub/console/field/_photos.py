# SPDX-License-Identifier: EUPL-1.2
"""Photos of a device: taken from a form, shown, taken away. A picture's bytes are kept before its row names them."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from starlette.datastructures import UploadFile

from hub.console._pages import Pages
from hub.console.field._answers import Technician, to
from hub.console.field._forms import Fault, Wrong, line
from hub.console.field.texts import PROBLEMS
from hub.console.services import PhotoStore
from hub.core.errors import Invalid, NotFound
from hub.core.places import Device
from hub.core.ports import Records
from hub.core.registry import Photo
from hub.core.rights import Action, Caller
from hub.devices.photos import MEDIA_TYPE, MOST_BYTES, prepare

_CAPTION = 200
Find = Callable[[str, Caller, Action], Device | None]
Show = Callable[[Request, Device | None, Caller, Fault, Mapping[str, str]], Awaitable[HTMLResponse]]


def photo_routes(  # what the routes need, one each
    routes: APIRouter, records: Records, store: PhotoStore, pages: Pages, clock_ns: Callable[[], int], find: Find,
    show: Show,
) -> None:  # fmt: skip
    """Routes of photos, below the device's page."""

    @routes.post("/field/devices/{device}/photos", response_model=None)
    async def add(request: Request, device: str, caller: Technician) -> HTMLResponse | RedirectResponse:
        found, language = find(device, caller, Action.DEVICES), pages.language(request)
        if found is None:
            return to("/field")
        async with request.form(max_files=1) as form:
            file, caption = form.get("photo"), form.get("caption")
            content = await file.read(MOST_BYTES) if isinstance(file, UploadFile) else b""
        typed = {"caption": caption if isinstance(caption, str) else ""}
        try:
            words = line(typed["caption"], "caption", _CAPTION)
            if not content:
                raise Wrong("photo", "no_photo")
            if len(content) >= MOST_BYTES:
                raise Wrong("photo", "photo_large")
            await asyncio.to_thread(keep, records, store, device, content, words, caller.name, clock_ns())
        except Wrong as wrong:
            return await show(request, found, caller, wrong.fault(language), typed)
        except Invalid as error:
            words = f"{PROBLEMS['photo_bad'][language]} ({error.detail})"
            return await show(request, found, caller, Fault("photo", words), typed)
        return to(f"/field/devices/{device}#photos")

    @routes.get("/field/devices/{device}/photos/{photo}")
    def bytes_of(device: str, photo: int, caller: Technician) -> Response:
        row = _row(records, device, photo) if find(device, caller, Action.READ) else None
        if row is None:
            return Response(status_code=404)
        try:
            content = store.get(row.sha256)
        except NotFound:
            return Response(status_code=404)
        kept = {"Cache-Control": "private, max-age=86400", "X-Content-Type-Options": "nosniff"}
        return Response(content, media_type=row.media_type, headers=kept)

    @routes.post("/field/devices/{device}/photos/{photo}/remove")
    def remove(device: str, photo: int, caller: Technician) -> RedirectResponse:
        row = _row(records, device, photo) if find(device, caller, Action.DEVICES) else None
        if row is not None:
            erase(records, store, row, caller.name)
        return to(f"/field/devices/{device}#photos")


def keep(records: Records, store: PhotoStore, device: str, content: bytes, caption: str, by: str, now: int) -> Photo:
    """Make a file fit to keep, and record it. Raise Invalid where it is no picture."""
    kept = prepare(content)
    store.put(kept.sha256, kept.content)
    photo = Photo(
        id=0, subject=f"device:{device}", sha256=kept.sha256, media_type=MEDIA_TYPE, width=kept.width,
        height=kept.height, size=len(kept.content), caption=caption, by=by, at=now,
    )  # fmt: skip
    made = records.add_photo(photo, by=by)
    store.put(kept.sha256, kept.content)  # gone, where the same picture was being erased
    return made


def erase(records: Records, store: PhotoStore, row: Photo, by: str) -> None:
    """Bytes first, then the row: what fails in between can be asked for again. Bytes that others use stay."""
    content = None
    if records.photo_uses(row.sha256) == 1:
        with suppress(NotFound):
            content = store.get(row.sha256)
        store.drop(row.sha256)
    records.remove_photo(row.id, by=by)
    if content is not None and records.photo_uses(row.sha256):  # somebody sent the same one meanwhile
        store.put(row.sha256, content)


def _row(records: Records, device: str, photo: int) -> Photo | None:
    return next((row for row in records.photos(f"device:{device}") if row.id == photo), None)
