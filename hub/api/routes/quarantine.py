# SPDX-License-Identifier: EUPL-1.2
"""`/quarantine`: what could not be used, orders to try it again or to erase it, and foreign devices that are ignored.

A message's id is `<journal>-<row>`, because every ingest process numbers its own. Raw payloads may hold anything, so
they are shown only to callers who may see them and say who they are, and bytes that are no plain text come as base64.
"""

from collections.abc import Mapping, Sequence
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Path, Query, Request, Response

from hub.api.auth import ServicesDep, allow
from hub.api.params import MAX_INT64, Cursor, From, Limit, To, decode_cursor, encode_cursor, language_of
from hub.api.schemas.quarantine import (
    IgnoredList,
    IgnoreIn,
    IgnoreOut,
    OrdersOut,
    PurgeIn,
    QuarantinedOut,
    QuarantinePage,
    Selection,
)
from hub.api.services import Services
from hub.core.errors import Invalid, NotFound
from hub.core.journal import STATES, Quarantined
from hub.core.ports import QuarantineFilter
from hub.core.reasons import REASONS, UNKNOWN, hint_of
from hub.core.rights import Action, Caller
from hub.core.windows import format_instant
from hub.devices.set_aside import leave_orders, payload_view

router = APIRouter(tags=["operation"])

PREVIEW_BYTES = 512
SINGLE_BYTES = 65_536
COUNTED = 1000

Row = tuple[int, Quarantined]
Lister = Annotated[Caller, Depends(allow(Action.RAW, open_reads=True))]
Redriver = Annotated[Caller, Depends(allow(Action.REDRIVE))]
Purger = Annotated[Caller, Depends(allow(Action.PURGE))]
StateQuery = Annotated[
    str | None, Query(pattern=f"^({'|'.join(STATES)}|any)$", description=f"{', '.join(STATES)} or any.")
]


@router.get("/quarantine", response_model=QuarantinePage, summary="Messages set aside")
def list_quarantine(
    request: Request,
    response: Response,
    services: ServicesDep,
    caller: Lister,
    state: StateQuery = "waiting",
    reason: Annotated[str | None, Query(max_length=64, description="Stable code of the reason.")] = None,
    connector: Annotated[str | None, Query(max_length=64, description="Only this payload family.")] = None,
    external_id: Annotated[str | None, Query(max_length=256, description="How the message names its device.")] = None,
    device: Annotated[str | None, Query(max_length=64, description="Only of this registered device.")] = None,
    topic: Annotated[str | None, Query(max_length=1024, description="Only this topic; ending in /# all below.")] = None,
    start: From = None,
    end: To = None,
    limit: Limit = 100,
    cursor: Cursor = None,
) -> Mapping[str, Any]:
    """Messages that could not be used, newest first, each with its reason and what to do about it.

    Title and hint come in Czech or English by `Accept-Language`. The beginning of the payload is shown with a key only.
    """
    named = (reason, connector, external_id, None, device, topic)
    where = QuarantineFilter(None if state == "any" else state, *named, start, end)
    rows, following = _page(services, where, _positions(cursor, len(services.journals)), limit)
    language = language_of(request)
    response.headers.update({"Content-Language": language, "Vary": "Accept-Language"})
    shown = 0 if caller.kind == "open" else PREVIEW_BYTES
    return {"items": [_view(number, row, language, shown) for number, row in rows], "next": following}


@router.post(
    "/quarantine/redrive",
    status_code=202,
    dependencies=[Depends(allow(Action.REDRIVE))],
    response_model=OrdersOut,
    summary="Take messages through ingest again",
)
def redrive(services: ServicesDep, which: Selection) -> Mapping[str, Any]:
    """Leave an order that ingest takes waiting messages through again, by id or all that match.

    Doing it twice changes nothing. A registered device's messages are redriven without being asked.
    """
    words = "Ingest takes the messages through again in a moment; what still cannot be used waits on."
    return _ordered(services, "redrive", which, {}, words)


@router.post("/quarantine/purge", status_code=202, response_model=OrdersOut, summary="Erase payloads for good")
def purge(services: ServicesDep, caller: Purger, which: PurgeIn) -> Mapping[str, Any]:
    """Leave an order that ingest erases the payloads of messages, by id or all that match. For operators.

    What waited is `purged` then and cannot be redriven; what was redriven or refused keeps its state. That it came, why
    it went and who said so is kept.
    """
    state = "purged" if which.state == "waiting" else which.state
    words = f"Ingest erases the payloads in a moment; the messages stay listed with state={state}."
    return _ordered(services, "purge", which, {"why": which.why, "by": caller.name}, words)


@router.get(
    "/quarantine/ignored",
    dependencies=[Depends(allow(Action.RAW, open_reads=True))],
    response_model=IgnoredList,
    summary="Ignored devices",
)
def list_ignored(services: ServicesDep) -> Mapping[str, Any]:
    """Foreign devices that are ignored: what they send is counted and dropped."""
    return {"items": [{**entry._asdict(), "at": format_instant(entry.at)} for entry in services.ignored.all()]}


@router.post("/quarantine/ignored", status_code=202, response_model=IgnoreOut, summary="Ignore a foreign device")
def ignore(services: ServicesDep, caller: Redriver, device: IgnoreIn) -> Mapping[str, Any]:
    """From now on what the device sends is counted as ignored and dropped, also what waits of it.

    Repeating it changes the words. A registered device cannot be ignored; registering an ignored one ends that.
    """
    orders = services.ignored.add(device.connector, device.external_id, why=device.why, by=caller.name)
    return {"command": orders[0]}


@router.delete("/quarantine/ignored", status_code=204, response_class=Response, summary="Ignore a device no longer")
def unignore(
    services: ServicesDep,
    caller: Redriver,
    connector: Annotated[str, Query(min_length=1, max_length=64, description="Its payload family.")],
    external_id: Annotated[str, Query(min_length=1, max_length=256, description="How its messages name it.")],
) -> None:
    """What the device sends from now on waits in quarantine; what was dropped does not come back."""
    services.ignored.remove(connector, external_id, by=caller.name)


@router.get(
    "/quarantine/{message}",
    dependencies=[Depends(allow(Action.RAW))],
    response_model=QuarantinedOut,
    summary="One message set aside",
)
def get_quarantined(
    request: Request,
    response: Response,
    services: ServicesDep,
    message: Annotated[str, Path(pattern="^[0-9]{1,3}-[0-9]{1,18}$", description="Id from the list.")],
) -> Mapping[str, Any]:
    """A quarantined message with its payload, 64 KiB of it at most. Needs a key."""
    number, row_id = _split(message)
    found = _in_journal(services, number, QuarantineFilter(state=None, ids=[row_id]), 1)
    if not found:
        raise NotFound(f"no message {message!r}; GET /api/v1/quarantine lists them")
    language = language_of(request)
    response.headers.update({"Content-Language": language, "Vary": "Accept-Language"})
    return _view(number, found[0], language, SINGLE_BYTES)


def _positions(cursor: str | None, journals: int) -> list[int]:
    """For each journal the id of the last row shown, 0 for none."""
    if cursor is None:
        return [0] * journals
    positions = decode_cursor(cursor, list[int])
    if len(positions) != journals or not all(0 <= position <= MAX_INT64 for position in positions):
        raise Invalid("is no cursor of this list: begin again without it", "cursor")
    return positions


def _page(
    services: Services, where: QuarantineFilter, positions: Sequence[int], limit: int
) -> tuple[Sequence[Row], str | None]:
    """Rows of all journals merged by arrival, newest first, and the cursor to the next page."""
    rows: list[Row] = []
    for number, (journal, after) in enumerate(zip(services.journals, positions, strict=True)):
        rows += [(number, row) for row in journal.quarantine(where, after, limit + 1)]
    rows = _newest_first(rows)
    if len(rows) <= limit:
        return rows, None
    last = list(positions)
    for number, row in rows[:limit]:
        last[number] = row.id
    return rows[:limit], encode_cursor(*last)


def _newest_first(rows: Sequence[Row]) -> list[Row]:
    """By arrival, but never against the order of ids within a journal, on which cursors rely.

    Where a clock was set back the two disagree; a row then counts with the smallest arrival so far in its journal.
    """
    smallest: dict[int, int] = {}
    keyed = []
    for number, row in rows:
        smallest[number] = min(row.received, smallest.get(number, row.received))
        keyed.append((-smallest[number], number, row))
    return [(number, row) for _, number, row in sorted(keyed, key=lambda item: item[:2])]


def _view(number: int, row: Quarantined, language: str, shown: int) -> dict[str, Any]:
    return {
        "id": f"{number}-{row.id}",
        "received": format_instant(row.received),
        "topic": row.topic,
        "connector": row.connector,
        "external_id": row.external_id,
        "device": row.device,
        "reason": row.reason,
        "title": REASONS.get(row.reason, UNKNOWN).title[language],
        "hint": hint_of(row.reason, row.state)[language],
        "detail": row.detail,
        "scope": row.scope,
        "state": row.state,
        "stands_for": row.stands_for,
        "why": row.why or None,
        "by": row.by or None,
        "changed": format_instant(row.changed) if row.changed else None,
        "attempts": row.attempts,
        "retain": row.retain,
        "payload": payload_view(row.payload, shown, row.size) if shown else None,
    }


def _ordered(
    services: Services, kind: str, which: Selection, more: Mapping[str, object], words: str
) -> Mapping[str, Any]:
    """Leave one order for each ingest worker that has something to do; raise NotFound when none has."""
    rows = None if which.ids is None else _by_journal(which.ids, len(services.journals))
    left = leave_orders(services.commands, services.journals, kind, which.filters(), rows, more)
    return {"commands": left.commands, "matching": min(left.matching, COUNTED), "explanation": words}


def _by_journal(messages: Sequence[str], journals: int) -> Mapping[int, Sequence[int]]:
    rows: dict[int, list[int]] = {}
    for message in messages:
        number, row_id = _split(message)
        rows.setdefault(number, []).append(row_id)
    for number in rows:
        if number >= journals:
            raise Invalid(f"there is no journal {number}; take ids from GET /api/v1/quarantine", "ids")
    return rows


def _in_journal(services: Services, number: int, where: QuarantineFilter, limit: int) -> Sequence[Quarantined]:
    return services.journals[number].quarantine(where, 0, limit) if number < len(services.journals) else ()


def _split(message: str) -> tuple[int, int]:
    number, _, row_id = message.partition("-")
    return int(number), int(row_id)
