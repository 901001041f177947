# SPDX-License-Identifier: EUPL-1.2
"""`/corrections`: how stored readings are to be read. They are never changed or deleted, only withdrawn.

An id is a position: whoever has read up to one has seen everything before it, so the id of the last row is the cursor.
"""

from collections.abc import Callable, Mapping
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Path, Query, Request, Response
from fastapi.concurrency import run_in_threadpool

from hub.api.answers import VARY, as_csv, as_json
from hub.api.auth import Reader, ServicesDep, allow, reached
from hub.api.params import (
    CSV_RESPONSE,
    MAX_INT64,
    CsvDialect,
    Cursor,
    Limit,
    Time,
    decode_cursor,
    encode_cursor,
    next_link,
    wants_csv,
)
from hub.api.schemas.corrections import (
    Action,
    CorrectionIn,
    CorrectionOut,
    CorrectionPage,
    PreviewOut,
    WithdrawalIn,
)
from hub.api.services import Services
from hub.api.tables import Dialect
from hub.api.views import correction_view, preview_view
from hub.core.corrections import check_correction
from hub.core.errors import Invalid, NotFound
from hub.core.indicators import Correction
from hub.core.rights import Action as Right
from hub.core.rights import Caller
from hub.core.windows import Calendar
from hub.indicators.preview import preview

router = APIRouter(prefix="/corrections", tags=["corrections"])

CSV_COLUMNS = (
    *("id", "device", "quantity", "from", "to", "action", "flag", "scale", "shift", "withdraws", "by", "reason"),
    *("made_at", "in_effect", "withdrawn_by"),
)
NOBODY = "preview"  # who makes a correction that is only looked at

Device = Annotated[str, Query(max_length=64, description="The device.")]
OnlyDevice = Annotated[str | None, Query(max_length=64, description="Only those of this device.")]
OnlyQuantity = Annotated[str | None, Query(max_length=64, description="Only those that concern this quantity.")]
Corrector = Annotated[Caller, Depends(allow(Right.CORRECT))]
CorrectionId = Annotated[int, Path(ge=1, le=MAX_INT64, description="Id of the correction.")]


@router.get(
    "",
    response_model=CorrectionPage,
    responses=dict(CSV_RESPONSE),
    summary="Corrections of readings",
)
def list_corrections(
    request: Request,
    services: ServicesDep,
    caller: Reader,
    device: OnlyDevice = None,
    quantity: OnlyQuantity = None,
    in_effect: Annotated[bool, Query(description="Only those that are in effect.")] = False,
    limit: Limit = 100,
    cursor: Cursor = None,
    dialect: CsvDialect = Dialect.PLAIN,
) -> Response:
    """Corrections say how stored readings are to be read: what to exclude or calibrate, by whom and why.

    Readings stay stored as they were reported; indicators are computed with the corrections applied.
    """
    after = decode_cursor(cursor, tuple[int])[0] if cursor else 0
    if not 0 <= after <= MAX_INT64:
        raise Invalid("is no cursor of this list", "cursor")
    every = services.corrections.after()
    gone = _withdrawn(every)
    own = _own(caller, services)
    rows = [
        row
        for row in every
        if row.id > after
        and device in (None, row.device)
        and own(row.device)
        and (quantity is None or row.quantity in (None, quantity))
    ]
    views = [view for view in (correction_view(row, gone.get(row.id)) for row in rows) if _shown(view, in_effect)]
    page = views[:limit]
    following = encode_cursor(page[-1]["id"]) if len(views) > limit else None
    headers = {**VARY, **next_link(request, following)}
    if wants_csv(request):
        return as_csv(CSV_COLUMNS, ([view[column] for column in CSV_COLUMNS] for view in page), dialect, headers)
    return as_json({"items": page, "next": following}, headers)


@router.post("", status_code=201, response_model=CorrectionOut, summary="Correct readings")
def add_correction(
    response: Response, services: ServicesDep, given: CorrectionIn, caller: Corrector
) -> Mapping[str, Any]:
    """Make a correction; the key's name says who made it. What depends on the readings is computed again in a moment.

    Closed figures that change get a new revision, whose cause names the correction, who made it and why.
    """
    draft = Correction(
        id=0, device=given.device, quantity=given.quantity, start=given.from_, end=given.to, action=given.action,
        flag=given.flag, scale=given.scale, shift=given.shift, by=caller.name, reason=given.reason,
    )  # fmt: skip
    _check(services, draft)
    made = services.corrections.add(
        draft.device, draft.start, draft.end, draft.action, by=draft.by, reason=draft.reason, quantity=draft.quantity,
        flag=draft.flag, scale=draft.scale, shift=draft.shift,
    )  # fmt: skip
    response.headers["Location"] = f"/api/v1/corrections/{made.id}"
    return correction_view(made)


@router.get("/preview", response_model=PreviewOut, summary="What a correction would do")
async def preview_correction(
    services: ServicesDep,
    caller: Reader,
    device: Device,
    action: Annotated[Action, Query(description="As in POST /corrections.")],
    start: Annotated[Time, Query(alias="from", description="Start, inclusive.")],
    end: Annotated[Time, Query(alias="to", description="End, exclusive.")],
    quantity: Annotated[str | None, Query(max_length=64, description="Left out: all quantities.")] = None,
    flag: Annotated[int | None, Query(ge=1, le=9, description="With override_flag.")] = None,
    scale: Annotated[float | None, Query(description="With calibrate.")] = None,
    shift: Annotated[float | None, Query(description="With calibrate.")] = None,
) -> Mapping[str, Any]:
    """How many stored readings a correction would concern, and which windows would be computed again. Makes nothing."""
    draft = Correction(
        id=0, device=device, quantity=quantity, start=start, end=end, action=action, flag=flag, scale=scale,
        shift=shift, by=NOBODY, reason=NOBODY,
    )  # fmt: skip
    _check(services, draft)
    registry = await run_in_threadpool(services.book.snapshot)
    if device not in reached(caller, registry).known:
        raise NotFound(f"no device {device!r} is registered; GET /api/v1/devices lists all", "device")
    made = await run_in_threadpool(services.corrections.after)
    city = Calendar.of(services.time_zone)
    return preview_view(draft, await preview(draft, made, registry, services.definitions, city, services.readings))


@router.get("/{correction}", response_model=CorrectionOut, summary="One correction")
def get_correction(services: ServicesDep, caller: Reader, correction: CorrectionId) -> Mapping[str, Any]:
    """One correction, and whether it is in effect or was taken back."""
    row = services.corrections.get(correction)
    if not _own(caller, services)(row.device):
        raise NotFound(f"no correction {correction}; GET /api/v1/corrections lists them")
    return correction_view(row, _withdrawn(services.corrections.after(row.id)).get(row.id))


@router.post("/{correction}/withdraw", status_code=201, response_model=CorrectionOut, summary="Take a correction back")
def withdraw_correction(
    services: ServicesDep, correction: CorrectionId, given: WithdrawalIn, caller: Corrector
) -> Mapping[str, Any]:
    """Readings are read again as if the correction had never been made; both rows stay in the list.

    A withdrawal cannot be withdrawn: make the correction anew.
    """
    return correction_view(services.corrections.withdraw(correction, by=caller.name, reason=given.reason))


def _own(caller: Caller, services: Services) -> Callable[[str], bool]:
    """Whether a correction of this device is for the caller's eyes."""
    if not caller.bounded(Right.READ):
        return lambda _: True
    known = reached(caller, services.book.snapshot()).known
    return lambda device: device in known


def _check(services: Services, draft: Correction) -> None:
    if draft.quantity is not None:
        services.quantities.get(draft.quantity)
    check_correction(draft)


def _withdrawn(rows: Any) -> Mapping[int, int]:
    """Withdrawn correction: the row that did it."""
    return {row.withdraws: row.id for row in rows if row.withdraws is not None}


def _shown(view: Mapping[str, Any], in_effect: bool) -> bool:
    return bool(view["in_effect"]) or not in_effect
