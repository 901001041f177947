# SPDX-License-Identifier: EUPL-1.2
"""`/entries`: figures that people enter, and their approval by a second person.

Who somebody is, is the name of the key. A table is sent as it is, not as a form: a body of type CSV or XLSX cannot be
sent by another web site on somebody's behalf, and needs no parser of its own.
"""

from collections.abc import Mapping, Sequence
from typing import Annotated, Any

from fastapi import APIRouter, Body, Depends, Path, Query, Request, Response
from fastapi.concurrency import run_in_threadpool
from fastapi.exceptions import RequestValidationError

from hub.api.auth import ServicesDep, allow, reads
from hub.api.params import (
    CSV_RESPONSE,
    MAX_INT64,
    CsvDialect,
    Cursor,
    Limit,
    decode_cursor,
    encode_cursor,
    next_link,
    wants_csv,
)
from hub.api.problems import Problem
from hub.api.schemas.entries import EntryIn, EntryOut, EntryPage, Figures, ReportOut, WhyIn
from hub.api.services import Services
from hub.api.tables import Dialect, to_csv
from hub.core.entries import Entry, EntryFilter, EntryState, Outcome
from hub.core.errors import Exists, NotFound
from hub.core.rights import Action, Caller
from hub.core.windows import Calendar
from hub.indicators.entry_forms import Form
from hub.indicators.entry_import import Basis, Report, RowResult, hand_in
from hub.indicators.entry_tables import Row, Sheet, read_sheet
from hub.indicators.entry_views import compared, public_row, template

router = APIRouter(prefix="/entries", tags=["entries"])
files = APIRouter(prefix="/entries", tags=["entries"])  # bodies that are no JSON

XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
CSV = "text/csv"
CSV_COLUMNS = (
    *("id", "indicator", "place", "period", "value", "unit", "source", "reason", "note", "origin", "author"),
    *("approved_value", "entered_at", "state", "decided_by", "decided_at", "decision_reason"),
)
TABLE_BODY: Mapping[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {
            CSV: {
                "schema": {"type": "string"},
                "example": "indicator,place,period,value,source\r\n"
                "budget_planned,havirov,2025,1850000000,Rozpočet 2025\r\n",
            },
            XLSX: {"schema": {"type": "string", "format": "binary"}},
        },
    }
}

Author = Annotated[Caller, Depends(allow(Action.ENTER))]
Approver = Annotated[Caller, Depends(allow(Action.APPROVE))]
EntryId = Annotated[int, Path(ge=1, le=MAX_INT64, description="Id of the entry.")]


@router.get(
    "",
    dependencies=[Depends(reads)],
    response_model=EntryPage,
    responses=dict(CSV_RESPONSE),
    summary="Entered figures",
)
def list_entries(
    request: Request,
    services: ServicesDep,
    state: Annotated[EntryState | None, Query(description="Only entries in this state.")] = None,
    indicator: Annotated[str | None, Query(max_length=64, description="Only this indicator.")] = None,
    place: Annotated[str | None, Query(max_length=256, description="Only this place.")] = None,
    limit: Limit = 100,
    cursor: Cursor = None,
    dialect: CsvDialect = Dialect.PLAIN,
) -> Any:
    """Figures that people entered, newest first, with author, document and decision.

    An approved figure becomes a value of its indicator in a moment; what is waiting, rejected or withdrawn counts
    nowhere. `Accept: text/csv` gives rows as CSV; the next page is then in the header `Link`.
    """
    before = decode_cursor(cursor, tuple[int])[0] if cursor else MAX_INT64
    where = EntryFilter(state, indicator, place)
    rows = services.entries.entries(where, min(max(before, 0), MAX_INT64), limit + 1)
    following = encode_cursor(rows[limit - 1].id) if len(rows) > limit else None
    items = _views(services, rows[:limit])
    if not wants_csv(request):
        return {"items": items, "next": following}
    text = to_csv(CSV_COLUMNS, [[item[column] for column in CSV_COLUMNS] for item in items], dialect)
    headers = {"Vary": "Accept", **next_link(request, following)}
    return Response(text, media_type="text/csv; charset=utf-8", headers=headers)


@router.get(
    "/template",
    dependencies=[Depends(reads)],
    responses={200: {"content": {CSV: {"schema": {"type": "string"}, "example": "indicator,place,period,value\r\n"}}}},
    summary="A table to fill in",
)
def entry_template(
    services: ServicesDep,
    indicator: Annotated[str | None, Query(max_length=64, description="Only this indicator.")] = None,
    dialect: CsvDialect = Dialect.PLAIN,
) -> Response:
    """A CSV with one row for each indicator that is entered and each place, for the last period that is over.

    Fill in value and source and send it to /entries/import; rows that stay empty are passed over. `dialect=cs` is for
    Czech Excel, with Czech names of columns, indicators and places.
    """
    basis = _basis(services)
    text = template(basis.catalogue, indicator, basis.places, basis.city, basis.now, czech=dialect is Dialect.CS)
    disposition = f'attachment; filename="{indicator or "entries"}.csv"'.encode("ascii", "ignore").decode()
    headers = {"Content-Disposition": disposition}
    return Response(text, media_type="text/csv; charset=utf-8", headers=headers)


@router.get("/{entry}", dependencies=[Depends(reads)], response_model=EntryOut, summary="One entered figure")
def get_entry(services: ServicesDep, entry: EntryId) -> Mapping[str, Any]:
    """A figure with its author, document and decision."""
    found = services.entries.entries(EntryFilter(ids=[entry]), limit=1)
    if not found:
        raise NotFound(f"no entry {entry}; GET /api/v1/entries lists them")
    return _views(services, found)[0]


@router.post(
    "",
    status_code=201,
    response_model=ReportOut,
    responses={200: {"model": ReportOut, "description": "All of it was handed in before; nothing is added."}},
    summary="Enter figures",
)
def post_entries(
    response: Response,
    services: ServicesDep,
    caller: Author,
    sent: Annotated[Figures, Body(description="One figure, or up to 1000 such in a list.")],
) -> Mapping[str, Any]:
    """Hand figures in for approval by a second person; the author is the key's name. All is refused if one is wrong.

    A figure that corrects an approved one needs its `reason`. In a list, what was handed in before is counted as
    duplicate and left out, so a list may be sent again; a single duplicate is refused with 409.
    """
    rows = sent if isinstance(sent, list) else [sent]
    sheet = Sheet([Row(number, _form(row)) for number, row in enumerate(rows, 1)], ())
    report = hand_in(services.entries, sheet, _basis(services), by=caller.name)
    if report.refused:
        index = isinstance(sent, list)
        _refuse([((*([row.row - 1] if index else []), row.column or ""), row) for row in report.refused])
    if not isinstance(sent, list) and report.rows[0].outcome is Outcome.DUPLICATE:
        raise Exists(report.rows[0].detail)
    return _answer(services, report, response)


@files.post(
    "/import",
    status_code=201,
    response_model=ReportOut,
    responses={200: {"model": ReportOut, "description": "A dry run, or nothing new in it; nothing is added."}},
    openapi_extra=dict(TABLE_BODY),
    summary="Enter a table of figures",
)
async def import_entries(
    request: Request,
    response: Response,
    services: ServicesDep,
    caller: Author,
    dry_run: Annotated[bool, Query(description="Only tell what would become of each row.")] = False,
    partial: Annotated[bool, Query(description="Store good rows though others are refused.")] = False,
) -> Mapping[str, Any]:
    """Hand in a CSV or an XLSX (first sheet) as the body, with its `Content-Type`; the first row names the columns.

    Columns: indicator, place, period, value, source, and where wanted reason, note, unit; Czech names do too. With
    semicolons numbers have decimal commas. All is refused when a row is wrong, unless `partial`; `errors` then names
    row and column. Sending the same table again adds nothing. A dry run answers with all rows, wrong ones included.
    """
    media = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if media not in (CSV, XLSX):
        raise Problem("media-type", f"the body is {media or 'of no type'}; send a table as {CSV} or {XLSX}")
    content = await request.body()

    def work() -> Report:
        sheet, basis = read_sheet(content), _basis(services)
        return hand_in(services.entries, sheet, basis, by=caller.name, dry_run=dry_run, partial=partial)

    report = await run_in_threadpool(work)
    if report.refused and not dry_run and not partial:
        _refuse([((f"row {row.row}", row.column or ""), row) for row in report.refused])
    return _answer(services, report, response)


@router.post("/{entry}/approve", response_model=EntryOut, summary="Approve a figure")
def approve_entry(services: ServicesDep, caller: Approver, entry: EntryId) -> Mapping[str, Any]:
    """Let a figure count. Needs another key than the author's: names of keys that differ in case alone are the same.

    The engine makes it the final value of its window, with origin `entered`; what is made of it follows.
    """
    return _decided(services, entry, EntryState.APPROVED, caller.name, None)


@router.post("/{entry}/reject", response_model=EntryOut, summary="Reject a figure")
def reject_entry(services: ServicesDep, caller: Approver, entry: EntryId, why: WhyIn) -> Mapping[str, Any]:
    """Refuse a figure with a reason; needs another key than the author's. It stays in the list and counts nowhere."""
    return _decided(services, entry, EntryState.REJECTED, caller.name, why.reason)


@router.post("/{entry}/withdraw", response_model=EntryOut, summary="Withdraw one's own figure")
def withdraw_entry(services: ServicesDep, caller: Author, entry: EntryId, why: WhyIn) -> Mapping[str, Any]:
    """Take back a figure that waits; only with the author's key. Afterwards another can be entered for its window."""
    return _decided(services, entry, EntryState.WITHDRAWN, caller.name, why.reason)


def _decided(services: Services, entry: int, state: EntryState, by: str, why: str | None) -> Mapping[str, Any]:
    return _views(services, services.entries.decide([entry], state, by=by, reason=why))[0]


def _form(row: EntryIn) -> Form:
    return Form(**row.model_dump())


def _calendar(services: Services) -> Calendar:
    return Calendar.of(services.time_zone)


def _basis(services: Services) -> Basis:
    places = services.book.snapshot().places
    return Basis(services.definitions, _calendar(services), places, services.clock_ns())


def _views(services: Services, entries: Sequence[Entry]) -> list[dict[str, Any]]:
    known, calendar, counting = (
        services.definitions.definitions,
        _calendar(services),
        services.entries.counting(entries),
    )
    return [compared(entry, known.get(entry.indicator), calendar, counting) for entry in entries]


def _refuse(faults: Sequence[tuple[tuple[object, ...], RowResult]]) -> None:
    raise RequestValidationError(
        [
            {"type": "entry", "loc": ("body", *(part for part in where if part != "")), "msg": row.detail}
            for where, row in faults
        ]
    )


def _answer(services: Services, report: Report, response: Response) -> Mapping[str, Any]:
    new = report.count(Outcome.NEW)
    if not (report.stored and new):
        response.status_code = 200
    definitions, calendar = services.definitions.definitions, _calendar(services)
    return {
        "stored": report.stored,
        "new": new,
        "duplicates": report.count(Outcome.DUPLICATE),
        "refused": len(report.refused),
        "empty": report.empty,
        "notes": list(report.notes),
        "rows": [public_row(row, definitions, calendar) for row in report.rows],
    }
