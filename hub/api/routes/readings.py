# SPDX-License-Identifier: EUPL-1.2
"""`/readings`. What is posted goes through the broker: one path for every reading."""

from collections.abc import Mapping, Sequence
from typing import Annotated, Any, NamedTuple

import msgspec
from fastapi import APIRouter, Body, Depends, Query, Request, Response
from fastapi.concurrency import run_in_threadpool

from hub.api.auth import Reader, ServicesDep, allow, reached
from hub.api.params import (
    CSV_RESPONSE,
    DAY_NS,
    MAX_INT64,
    CsvDialect,
    Cursor,
    From,
    RowLimit,
    To,
    check_period,
    decode_cursor,
    encode_cursor,
    next_link,
    wants_csv,
)
from hub.api.reading_pages import Page, read_page
from hub.api.schemas.readings import Accepted, ReadingPage, Sent
from hub.api.services import Services
from hub.api.submission import publications, refuse_wrong
from hub.api.tables import Dialect, to_csv
from hub.api.views import reading_view
from hub.core.errors import Invalid, NotFound
from hub.core.places import RegistrySnapshot
from hub.core.ports import QualityFinding
from hub.core.readings import Series
from hub.core.rights import Action, Caller
from hub.core.windows import format_instant

router = APIRouter(tags=["readings"])

CSV_COLUMNS = (
    "device",
    "place",
    "quantity",
    "time",
    "value",
    "unit",
    "flag",
    "quality",
    "origin",
    "qc_flag",
    "qc_test",
)


class Begun(NamedTuple):
    """A cursor: key of the last row shown, and the period that the first page had."""

    time: int
    device: str
    quantity: str
    since: int
    until: int


@router.get(
    "/readings",
    response_model=ReadingPage,
    responses=dict(CSV_RESPONSE),
    summary="Stored readings",
)
async def list_readings(
    request: Request,
    services: ServicesDep,
    caller: Reader,
    device: Annotated[list[str], Query(min_length=1, max_length=50, description="Device; may be repeated.")],
    quantity: Annotated[
        list[str], Query(max_length=50, description="Quantity; may be repeated; all when left out.")
    ] = [],  # noqa: B006 FastAPI copies defaults
    start: From = None,
    end: To = None,
    as_stored: Annotated[bool, Query(description="Leave corrections aside: readings as they were reported.")] = False,
    limit: RowLimit = 1000,
    cursor: Cursor = None,
    dialect: CsvDialect = Dialect.PLAIN,
) -> Response:
    """Readings of the devices named, in order of time, with the corrections applied that stand under /corrections.

    Without `to` until now, without `from` the day before `to`; the answer says which period it was. `Accept: text/csv`
    gives rows as CSV, the next page is then in the header `Link`. Text that a spreadsheet would take for a formula
    begins with an apostrophe there.
    """
    begun = _begun(cursor)
    since, until = _period(start, end, begun, services.clock_ns())
    snapshot = await run_in_threadpool(services.book.snapshot)
    corrections = () if as_stored else await run_in_threadpool(services.values.corrections)
    series = await _series(services, caller, snapshot, device, quantity)
    page = await read_page(services.readings, series, since, until, begun[:3] if begun else None, limit, corrections)
    last = encode_cursor(*page.last, since, until) if page.last else None
    items = _items(page, snapshot, services, await _findings(page, services))
    headers = {"Vary": "Accept", **next_link(request, last)}
    if wants_csv(request):
        text = to_csv(CSV_COLUMNS, map(_csv_row, items), dialect)
        return Response(text, media_type="text/csv; charset=utf-8", headers=headers)
    body = {"from": format_instant(since), "to": format_instant(until), "items": items, "next": last}
    return Response(msgspec.json.encode(body), media_type="application/json", headers=headers)


@router.post("/readings", status_code=202, response_model=Accepted, summary="Send readings")
async def post_readings(
    services: ServicesDep,
    caller: Annotated[Caller, Depends(allow(Action.SEND))],
    sent: Annotated[Sent, Body(description="One device at one time, or up to 1000 such in a list.")],
) -> Mapping[str, Any]:
    """Check readings and publish them to the broker, so that they take the same way as those of every device.

    Devices have to be registered and of the connector `native`; all is refused when anything is wrong. Each reading
    needs its time, so the same request may be sent again without harm. 202 means that the broker has confirmed.
    """
    rows = sent if isinstance(sent, list) else [sent]
    snapshot = await run_in_threadpool(services.book.snapshot)
    refuse_wrong(sent, reached(caller, snapshot, Action.SEND), services.quantities, services.clock_ns())
    messages = publications(rows)
    await services.publisher.publish(messages)
    return {
        "readings": sum(len(row.readings) for row in rows),
        "messages": len(messages),
        "explanation": "Published to the broker as devices/<id>/readings; stored in a moment. What ingest cannot use "
        "is listed with its reason under /api/v1/quarantine.",
        "see": [f"/api/v1/devices/{name}" for name in dict.fromkeys(row.device for row in rows)],
    }


def _begun(cursor: str | None) -> Begun | None:
    if cursor is None:
        return None
    key = decode_cursor(cursor, Begun)
    if max(abs(key.time), abs(key.since), abs(key.until)) > MAX_INT64:
        raise Invalid("is no cursor of this list", "cursor")
    return key


def _period(start: int | None, end: int | None, begun: Begun | None, now: int) -> tuple[int, int]:
    """[from, to): as asked for, else that of the page before (now goes on while pages are read), else the last day."""
    until = end if end is not None else begun.until if begun else now
    since = start if start is not None else begun.since if begun else until - DAY_NS
    check_period(since, until)
    return since, until


async def _series(
    services: Services, caller: Caller, snapshot: RegistrySnapshot, devices: Sequence[str], quantities: Sequence[str]
) -> Sequence[Series]:
    for quantity in quantities:
        services.quantities.get(quantity)
    names = list(dict.fromkeys(devices))
    found = await services.readings.series(names)
    known = set(reached(caller, snapshot).known)
    if not caller.bounded(Action.READ):  # readings of a device that nobody knows are nobody's own
        known |= {series.device for series in found}
    for name in names:
        if name not in known:
            raise NotFound(f"no device {name!r} is registered, and no readings of it are stored", "device")
    return [series for series in found if not quantities or series.quantity in quantities]


_Findings = Mapping[tuple[Series, int], QualityFinding]


async def _findings(page: Page, services: Services) -> _Findings:
    """What quality control found on the rows of a page."""
    if services.flags is None or not page.rows:
        return {}
    series = sorted({row.series for row in page.rows})
    return await services.flags.findings(series, page.rows[0].time, page.rows[-1].time + 1)


def _items(page: Page, snapshot: RegistrySnapshot, services: Services, found: _Findings) -> list[dict[str, Any]]:
    return [
        reading_view(row, snapshot.devices.get(row.device), services.quantities, found.get((row.series, row.time)))
        for row in page.rows
    ]


def _csv_row(item: Mapping[str, Any]) -> list[Any]:
    finding = item["qc"] or {}
    told = {**item, "qc_flag": finding.get("flag"), "qc_test": finding.get("test")}
    return [told[column] for column in CSV_COLUMNS]
