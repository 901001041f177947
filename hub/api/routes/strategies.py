# SPDX-License-Identifier: EUPL-1.2
"""`/strategies`: documents, how far they are fulfilled, and how much of them data covers.

A document is sent as JSON or as YAML, never as a form; a body of these types cannot be sent by another web site on
somebody's behalf. `If-Match` takes the ETag of a GET of either form, so that nobody overwrites what he has not seen.
"""

from collections.abc import Mapping, Sequence
from typing import Annotated, Any
from urllib.parse import quote

import msgspec
from fastapi import APIRouter, Depends, Header, Path, Query, Request, Response
from fastapi.concurrency import run_in_threadpool

from hub.api.auth import ServicesDep, allow, reads
from hub.api.etags import tag_of
from hub.api.params import CSV_RESPONSE, CsvDialect, Time, prefers, wants_csv
from hub.api.problems import Problem
from hub.api.schemas.coverage import Coverage
from hub.api.schemas.fulfilment import FulfilmentOverview, StrategyFulfilment
from hub.api.schemas.strategies import (
    DOCUMENT,
    DOCUMENT_SCHEMA,
    DOCUMENT_YAML,
    PreviewOut,
    StrategyDetail,
    StrategyList,
    StrategyRevisions,
)
from hub.api.services import Services
from hub.api.tables import Dialect, to_csv
from hub.core.errors import Invalid
from hub.core.rights import Action, Caller
from hub.core.strategies import Strategy
from hub.strategy import representation as shown
from hub.strategy.documents import parse_json, parse_yaml, write_yaml
from hub.strategy.fulfilment import Moment
from hub.strategy.monitoring import Judged, Preview, all_targets

router = APIRouter(prefix="/strategies", tags=["strategies"])
documents = APIRouter(prefix="/strategies", tags=["strategies"])  # bodies that may be YAML

YAML = "application/yaml"
BODY: Mapping[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {
            "application/json": {"schema": DOCUMENT_SCHEMA, "example": DOCUMENT},
            YAML: {"schema": {"type": "string"}, "example": DOCUMENT_YAML},
        },
    }
}
YAML_RESPONSE: Mapping[int | str, dict[str, Any]] = {
    200: {"content": {YAML: {"schema": {"type": "object"}, "example": DOCUMENT}}, "description": "The document."}
}

StrategyId = Annotated[str, Path(pattern="^[a-z0-9][a-z0-9_-]{0,63}$", description="Id of the strategy.")]
AsOf = Annotated[
    Time | None,
    Query(description="As known at this moment: document, values and day. RFC 3339 with time zone; default: now."),
]
Strategist = Annotated[Caller, Depends(allow(Action.STRATEGY))]
Place = Annotated[str | None, Query(max_length=256, description="Only targets at this place and below.")]
Provisional = Annotated[bool, Query(description="Count provisional values too; they are marked.")]
DryRun = Annotated[bool, Query(description="Only check, and say what would change.")]
Reason = Annotated[str, Query(max_length=500, description="Why it changes; stays with the revision.")]
IfMatch = Annotated[
    str | None, Header(description="ETag of the GET on which the change is based; 412 when it has changed since.")
]


@router.get("", dependencies=[Depends(reads)], response_model=StrategyList, summary="Strategies")
def list_strategies(services: ServicesDep) -> Mapping[str, Any]:
    """All strategies with their periods, phases, and how many official and illustrative targets they have."""
    moment = services.monitoring.moment(services.clock_ns())
    return {"items": [shown.summary(found, moment) for found in services.monitoring.book.all()]}


@router.get(
    "/fulfilment",
    dependencies=[Depends(reads)],
    response_model=FulfilmentOverview,
    responses=dict(CSV_RESPONSE),
    summary="Fulfilment of all strategies",
)
def all_fulfilment(
    request: Request,
    services: ServicesDep,
    as_of: AsOf = None,
    place: Place = None,
    provisional: Provisional = False,
    dialect: CsvDialect = Dialect.PLAIN,
) -> Response:
    """How far the targets of all strategies are. Roll-ups count official targets alone; `Accept: text/csv` gives rows.

    The roll-up over all is that of strategies that run: ended ones have a final evaluation of their own.
    """
    moment, found = _judge(services, None, as_of, place, provisional)
    return _answer(request, shown.overview(found, moment), found, moment, dialect)


@router.get("/coverage", dependencies=[Depends(reads)], response_model=Coverage, summary="Coverage by data")
def strategy_coverage(services: ServicesDep, as_of: AsOf = None) -> Response:
    """`integration_coverage`: how many targets are measured, entered or blind, by domain, by area and over all."""
    moment = services.monitoring.moment(services.clock_ns(), as_of)
    return _json(shown.coverage(services.monitoring.cover(moment), moment))


@router.get(
    "/{strategy}.yaml",
    dependencies=[Depends(reads)],
    response_class=Response,
    responses=dict(YAML_RESPONSE),
    summary="A document as YAML",
)
def export_strategy(services: ServicesDep, strategy: StrategyId, as_of: AsOf = None) -> Response:
    """The document as YAML that can be imported again, here or in another hub."""
    return _yaml(services.monitoring.book.get(strategy, as_of).document)


@router.get(
    "/{strategy}",
    dependencies=[Depends(reads)],
    response_model=StrategyDetail,
    responses={200: {"content": YAML_RESPONSE[200]["content"]}},
    summary="A document",
)
def get_strategy(request: Request, services: ServicesDep, strategy: StrategyId, as_of: AsOf = None) -> Response:
    """The newest revision of a document, or the one in force `as_of`; `Accept: application/yaml` gives YAML."""
    found = services.monitoring.book.get(strategy, as_of)
    if prefers(request, YAML):
        return _yaml(found.document)
    return _json(shown.detail(found), {"Vary": "Accept"})


@router.get(
    "/{strategy}/revisions",
    dependencies=[Depends(reads)],
    response_model=StrategyRevisions,
    summary="History of a document",
)
def list_strategy_revisions(services: ServicesDep, strategy: StrategyId) -> Response:
    """All revisions of a document, oldest first, with who made them, when and why."""
    return _json({"items": [shown.detail(found) for found in services.monitoring.book.history(strategy)]})


@router.get(
    "/{strategy}/fulfilment",
    dependencies=[Depends(reads)],
    response_model=StrategyFulfilment,
    responses=dict(CSV_RESPONSE),
    summary="Fulfilment of a strategy",
)
def strategy_fulfilment(
    request: Request,
    services: ServicesDep,
    strategy: StrategyId,
    as_of: AsOf = None,
    place: Place = None,
    provisional: Provisional = False,
    dialect: CsvDialect = Dialect.PLAIN,
) -> Response:
    """How far each target is: distance, pace, forecast, and the value that it rests on with all that belongs to it.

    Before its start a strategy is `not_started`; after its end the evaluation is final and has no trajectory.
    `Accept: text/csv` gives rows.
    """
    moment, found = _judge(services, strategy, as_of, place, provisional)
    return _answer(request, shown.judged(found[0], moment), found, moment, dialect)


@documents.post(
    "",
    response_model=PreviewOut,
    openapi_extra=dict(BODY),
    responses={201: {"model": PreviewOut, "description": "The document is new."}},
    summary="Import a document",
)
async def import_strategy(
    request: Request,
    response: Response,
    services: ServicesDep,
    caller: Strategist,
    reason: Reason = "import",
    dry_run: DryRun = False,
) -> Mapping[str, Any]:
    """Take a document in, or a new revision of one, as JSON or YAML; it is taken whole or refused whole.

    The same document again changes nothing. With `dry_run` nothing is stored, and the answer says what would change.
    """
    document = await _document(request)
    found = await run_in_threadpool(_take, services, document, caller.name, reason, dry_run, None)
    if found.changed and found.revision == 1 and not dry_run:
        response.status_code = 201
        response.headers["Location"] = f"/api/v1/strategies/{quote(found.id)}"
    return shown.preview(found)


@documents.put("/{strategy}", response_model=PreviewOut, openapi_extra=dict(BODY), summary="Change a document")
async def put_strategy(
    request: Request,
    services: ServicesDep,
    strategy: StrategyId,
    caller: Strategist,
    if_match: IfMatch = None,
    reason: Reason = "import",
    dry_run: DryRun = False,
) -> Mapping[str, Any]:
    """Store a new revision of a document, or a first one. With `If-Match` only on top of the revision that was seen."""
    document = await _document(request)
    if document.id != strategy:
        raise Invalid(f"is {document.id!r}, but the path says {strategy!r}", "id")
    found = await run_in_threadpool(_put, services, document, caller.name, reason, dry_run, if_match)
    return shown.preview(found)


def _judge(
    services: Services, strategy: str | None, as_of: int | None, place: str | None, provisional: bool
) -> tuple[Moment, Sequence[Judged]]:
    moment = services.monitoring.moment(services.clock_ns(), as_of, provisional=provisional)
    return moment, services.monitoring.judge(moment, strategy, place)


def _answer(
    request: Request, body: Mapping[str, Any], found: Sequence[Judged], moment: Moment, dialect: Dialect
) -> Response:
    headers = {"Vary": "Accept"}
    if not wants_csv(request):
        return _json(body, headers)
    rows = [shown.csv_row(f, moment) for f in all_targets(found)]
    return Response(to_csv(shown.CSV_COLUMNS, rows, dialect), media_type="text/csv; charset=utf-8", headers=headers)


async def _document(request: Request) -> Strategy:
    media = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    body = await request.body()
    if media == "application/json" or media.endswith("+json"):
        return parse_json(body)
    if media != YAML:
        raise Problem("media-type", f"the body is {media or 'of no type'}; send application/json or {YAML}")
    try:
        return parse_yaml(body.decode("utf-8-sig"))
    except UnicodeDecodeError as error:
        raise Invalid(f"is no UTF-8: {error}", "the document") from error


def _put(services: Services, document: Strategy, by: str, reason: str, dry_run: bool, if_match: str | None) -> Preview:
    expected = None
    if if_match is not None:
        history = [r for r in services.monitoring.book.all() if r.document.id == document.id]
        tags = {tag for r in history for tag in (tag_of(_encoded(shown.detail(r))), tag_of(_text(r.document)))}
        given = {tag.strip().removeprefix("W/") for tag in if_match.split(",")}
        if not history or (given != {"*"} and tags.isdisjoint(given)):
            raise Problem("changed", f"{document.id} has changed or is not there: get it again and change that")
        expected = {document.id: history[0].revision}
    return _take(services, document, by, reason, dry_run, expected)


def _take(
    services: Services,
    document: Strategy,
    by: str,
    reason: str,
    dry_run: bool,
    expected: Mapping[str, int] | None,
) -> Preview:
    found = services.monitoring.take({"": document}, by=by, reason=reason, dry_run=dry_run, expected=expected)
    return found[0]


def _yaml(document: Strategy) -> Response:
    return Response(_text(document), media_type=YAML, headers={"Vary": "Accept"})


def _text(document: Strategy) -> bytes:
    return write_yaml(document).encode()


def _json(body: Mapping[str, Any], headers: Mapping[str, str] | None = None) -> Response:
    return Response(_encoded(body), media_type="application/json", headers=dict(headers or {}))


def _encoded(body: Mapping[str, Any]) -> bytes:
    return msgspec.json.encode(body)
