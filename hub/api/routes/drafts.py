# SPDX-License-Identifier: EUPL-1.2
"""`/drafts`, the caller's own forms, and `/audit`, the record of changes."""

from collections.abc import Mapping
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Path, Query, Request, Response

from hub.api import columns
from hub.api.answers import as_list
from hub.api.auth import ServicesDep, allow
from hub.api.params import CSV_RESPONSE, MAX_INT64, CsvDialect, Cursor, Limit, decode_cursor, encode_cursor
from hub.api.schemas.registry import AuditPage, DraftIn, DraftList, DraftOut
from hub.api.tables import Dialect
from hub.core.errors import Invalid
from hub.core.registry import AuditEntry, Draft
from hub.core.rights import Action, Caller
from hub.core.windows import format_instant

router = APIRouter(tags=["registry"])

Registrar = Annotated[Caller, Depends(allow(Action.DEVICES))]
DraftId = Annotated[str, Path(pattern="^[A-Za-z0-9_-]{1,64}$", description="Id that the form was given.")]
Subject = Annotated[str | None, Query(max_length=256, description="Only changes of this id.")]
Actor = Annotated[str | None, Query(max_length=256, description="Only what this person or key did.")]
ActionName = Annotated[
    str | None, Query(max_length=64, description="Only this action, such as device.change or device.*.")
]


@router.get("/drafts", response_model=DraftList, summary="Forms begun")
def list_drafts(services: ServicesDep, caller: Registrar) -> Mapping[str, Any]:
    """The forms that the caller has begun, the one changed last first."""
    return {"items": [_draft(row) for row in services.records.drafts(by=caller.name)]}


@router.get("/drafts/{draft}", response_model=DraftOut, summary="A form begun")
def get_draft(services: ServicesDep, draft: DraftId, caller: Registrar) -> Mapping[str, Any]:
    """A form of the caller as it was left, with all that had been typed."""
    return _draft(services.records.draft(draft, by=caller.name))


@router.put("/drafts/{draft}", response_model=DraftOut, summary="Keep a form")
def put_draft(services: ServicesDep, draft: DraftId, given: DraftIn, caller: Registrar) -> Mapping[str, Any]:
    """Keep a form that is not finished, so that it survives a lost connection; the last one sent counts."""
    now = services.clock_ns()
    made = Draft(id=draft, kind=given.kind, document=given.document, by=caller.name, made_at=now, changed_at=now)
    return _draft(services.records.save_draft(made))


@router.delete("/drafts/{draft}", status_code=204, summary="Drop a form")
def drop_draft(services: ServicesDep, draft: DraftId, caller: Registrar) -> None:
    """Drop a form of the caller; harmless when it is gone."""
    services.records.drop_draft(draft, by=caller.name)


@router.get(
    "/audit",
    dependencies=[Depends(allow(Action.AUDIT))],
    response_model=AuditPage,
    responses=dict(CSV_RESPONSE),
    summary="Record of changes",
)
def list_audit(
    request: Request,
    services: ServicesDep,
    subject: Subject = None,
    actor: Actor = None,
    action: ActionName = None,
    limit: Limit = 100,
    cursor: Cursor = None,
    dialect: CsvDialect = Dialect.PLAIN,
) -> Response:
    """Who changed what and when, with what was there before and after, newest first; `action` may end with `.*`.

    `Accept: text/csv` gives rows as CSV, where what was there before and after is JSON.
    """
    before = decode_cursor(cursor, tuple[int])[0] if cursor else None
    if before is not None and not 0 < before <= MAX_INT64:
        raise Invalid("is no cursor of this list", "cursor")
    found = services.audit.read(subject=subject, actor=actor, action=action, before=before, limit=limit + 1)
    page = found[:limit]
    following = encode_cursor(page[-1].id) if len(found) > limit else None
    body = {"items": [_entry(row) for row in page], "next": following}
    return as_list(request, body, columns.AUDIT, dialect)


def _draft(row: Draft) -> Mapping[str, Any]:
    times = {"made_at": format_instant(row.made_at), "changed_at": format_instant(row.changed_at)}
    return {"id": row.id, "kind": row.kind, "document": dict(row.document), **times}


def _entry(row: AuditEntry) -> Mapping[str, Any]:
    names = ("id", "actor", "action", "subject", "before", "after", "detail")
    return {"at": format_instant(row.at), **{name: getattr(row, name) for name in names}}
