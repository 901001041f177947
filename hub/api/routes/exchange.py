# SPDX-License-Identifier: EUPL-1.2
"""Import and export of devices and places as tables; imports and their undo.

A table is sent as it is, not as a form, like one of figures (`hub.api.routes.entries`).
"""

from collections.abc import Mapping
from typing import Annotated, Any

import msgspec
from fastapi import APIRouter, Depends, Path, Query, Request, Response
from fastapi.concurrency import run_in_threadpool
from fastapi.exceptions import RequestValidationError

from hub.api.auth import ServicesDep, allow
from hub.api.params import MAX_INT64, CsvDialect
from hub.api.problems import Problem
from hub.api.routes.entries import CSV, XLSX
from hub.api.schemas.exchange import PlanOut, RunList, RunOut
from hub.api.services import Services
from hub.api.tables import Dialect
from hub.core.errors import NotFound
from hub.core.ports import ImportBook
from hub.core.registry import ImportRun
from hub.core.rights import Action, Caller
from hub.core.windows import Calendar, format_instant
from hub.devices.exchange import (
    MOST_ROWS,
    Basis,
    Plan,
    csv_text,
    device_table,
    place_table,
    plan_devices,
    plan_places,
)
from hub.indicators.workbooks import read_grid, write_workbook

router = APIRouter(tags=["registry"])
files = APIRouter(tags=["registry"])  # bodies that are no JSON

_PLANS = {"devices": plan_devices, "places": plan_places}
_TABLES = {"devices": device_table, "places": place_table}
_TABLE_BODY: Mapping[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {
            CSV: {"schema": {"type": "string"}, "example": "id,connector\r\nair-1,native\r\n"},
            XLSX: {"schema": {"type": "string", "format": "binary"}},
        },
    }
}
_TABLE: Mapping[int | str, dict[str, Any]] = {200: {"content": _TABLE_BODY["requestBody"]["content"]}}

Importer = Annotated[Caller, Depends(allow(Action.IMPORT))]
DryRun = Annotated[bool, Query(description="Only tell what would become of each row.")]
FileName = Annotated[str, Query(max_length=200, description="Name of the file, for the record.")]
Anywhere = Annotated[bool, Query(description="New places may lie outside of the city.")]
RunNumber = Annotated[int, Path(ge=1, le=MAX_INT64, description="Number of the import.")]
Xlsx = Annotated[bool, Query(description="A workbook instead of CSV.")]


@files.post("/devices/import", response_model=PlanOut, openapi_extra=dict(_TABLE_BODY), summary="Import devices")
async def import_devices(
    request: Request, services: ServicesDep, caller: Importer, dry_run: DryRun = False, filename: FileName = "",
    anywhere: Anywhere = False,
) -> Mapping[str, Any]:  # fmt: skip
    """Register or change the devices of a CSV or an XLSX, all or nothing; the first row names the columns."""
    return await _import("devices", request, services, caller, dry_run, filename, anywhere)


@files.post("/places/import", response_model=PlanOut, openapi_extra=dict(_TABLE_BODY), summary="Import places")
async def import_places(
    request: Request, services: ServicesDep, caller: Importer, dry_run: DryRun = False, filename: FileName = "",
    anywhere: Anywhere = False,
) -> Mapping[str, Any]:  # fmt: skip
    """Add or change the places and facilities of a CSV or an XLSX, all or nothing."""
    return await _import("places", request, services, caller, dry_run, filename, anywhere)


@router.get("/devices/export", responses=dict(_TABLE), response_class=Response, summary="All devices as a table")
def export_devices(
    services: ServicesDep, _: Importer, dialect: CsvDialect = Dialect.PLAIN, xlsx: Xlsx = False
) -> Response:
    """A table of all registered devices that can be imported unchanged."""
    return _export("devices", services, dialect, xlsx)


@router.get("/places/export", responses=dict(_TABLE), response_class=Response, summary="All places as a table")
def export_places(
    services: ServicesDep, _: Importer, dialect: CsvDialect = Dialect.PLAIN, xlsx: Xlsx = False
) -> Response:
    """A table of places and facilities that can be imported unchanged."""
    return _export("places", services, dialect, xlsx)


@router.get("/imports", response_model=RunList, summary="Imports")
def list_imports(services: ServicesDep, _: Importer) -> Mapping[str, Any]:
    """The latest hundred imports, newest first."""
    return {"items": [_run(run) for run in _book(services).runs()]}


@router.post("/imports/{number}/undo", response_model=RunOut, summary="Undo an import")
def undo_import(services: ServicesDep, caller: Importer, number: RunNumber) -> Mapping[str, Any]:
    """Put everything back as it was before; refused when something of it was changed since."""
    return _run(_book(services).undo(number, by=caller.name))


async def _import(
    kind: str, request: Request, services: Services, caller: Caller, dry_run: bool, filename: str, anywhere: bool
) -> Mapping[str, Any]:
    media = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if media not in (CSV, XLSX):
        raise Problem("media-type", f"the body is {media or 'of no type'}; send a table as {CSV} or {XLSX}")
    content = await request.body()

    def work() -> tuple[Plan, ImportRun | None]:
        plan = _PLANS[kind](read_grid(content, MOST_ROWS), _basis(services, anywhere=anywhere))
        if dry_run or plan.faulty:
            return plan, None
        return plan, _book(services).run(
            kind, filename, places=plan.places, facilities=plan.facilities, devices=plan.devices, by=caller.name
        )

    plan, run = await run_in_threadpool(work)
    if plan.faulty and not dry_run:
        faults = [(row.row, fault) for row in plan.faulty for fault in row.faults]
        raise RequestValidationError(
            [{"type": "row", "loc": ("body", f"row {n}", f.column), "msg": f"{f.en} / {f.cs}"} for n, f in faults]
        )
    rows = msgspec.to_builtins(plan.rows)
    return {"rows": rows, "counts": plan.counts, "notes": plan.notes, "run": _run(run) if run else None}


def _export(kind: str, services: Services, dialect: Dialect, xlsx: bool) -> Response:
    czech = dialect is Dialect.CS
    rows = _TABLES[kind](_basis(services), czech=czech)
    content = write_workbook(kind, rows) if xlsx else csv_text(rows, czech=czech).encode()
    name = f'attachment; filename="{kind}.{"xlsx" if xlsx else "csv"}"'
    media = XLSX if xlsx else f"{CSV}; charset=utf-8"
    return Response(content, media_type=media, headers={"Content-Disposition": name})


def _basis(services: Services, *, anywhere: bool = False) -> Basis:
    zone = Calendar.of(services.time_zone).zone
    book = services.book
    return Basis(
        book.snapshot(), book.facilities(), services.models, services.connectors, zone, services.clock_ns(), anywhere
    )


def _book(services: Services) -> ImportBook:
    if services.imports is None:
        raise NotFound("this hub takes no imports")
    return services.imports


def _run(run: ImportRun) -> Mapping[str, Any]:
    shown = {**msgspec.structs.asdict(run), "at": format_instant(run.at)}
    return {**shown, "undone_at": None if run.undone_at is None else format_instant(run.undone_at)}
