# SPDX-License-Identifier: EUPL-1.2
"""`/indicators`: definitions, their values, and the feed of changes.

The newest revision of each window is served; `/revisions` has the earlier ones. The order is (start, place), and a
cursor is the key of the last row.
"""

from collections.abc import Mapping, Sequence
from typing import Annotated, Any

import msgspec
from fastapi import APIRouter, Depends, Path, Query, Request, Response

from hub.api.auth import ServicesDep, reads
from hub.api.params import (
    CSV_RESPONSE,
    MAX_INT64,
    CsvDialect,
    Cursor,
    From,
    Limit,
    RowLimit,
    Time,
    To,
    check_period,
    decode_cursor,
    encode_cursor,
    next_link,
    wants_csv,
)
from hub.api.schemas.indicators import (
    ChangeList,
    IndicatorDetail,
    IndicatorList,
    LatestValues,
    RevisionList,
    ValuePage,
)
from hub.api.services import Services
from hub.api.tables import Cell, Dialect, to_csv
from hub.api.views import definition_summary, definition_view
from hub.core.errors import Invalid, NotFound
from hub.core.indicators import IndicatorValue
from hub.core.ports import ValueQuery
from hub.core.windows import format_instant
from hub.indicators.representation import public_value

router = APIRouter(prefix="/indicators", tags=["indicators"], dependencies=[Depends(reads)])

CSV_COLUMNS = (
    *("indicator", "place", "start", "end", "status", "value", "unit", "reason", "coverage", "n_valid", "n_expected"),
    *("missing", "lower_bound", "band", "score", "origin", "grade", "revision", "definition_version", "computed_at"),
)
MOST = 10_000

IndicatorId = Annotated[str, Path(max_length=64, description="Id of the indicator.")]
PlaceQuery = Annotated[str | None, Query(max_length=256, description="Only this place.")]
Below = Annotated[bool, Query(description="Places below `place` too.")]
OnlyIndicator = Annotated[str | None, Query(max_length=64, description="Only this indicator.")]


@router.get("", response_model=IndicatorList, summary="Indicators")
def list_indicators(
    services: ServicesDep,
    visibility: Annotated[
        str, Query(pattern="^(city|all)$", description="all: those kept for comparison too.")
    ] = "city",
) -> Mapping[str, Any]:
    """What is computed: title, unit, window, level. The definition in full is under /indicators/{indicator}."""
    shown = [d for d in services.definitions if visibility == "all" or d.visibility == "city"]
    return {"items": [definition_summary(definition) for definition in shown]}


@router.get("/latest", response_model=LatestValues, summary="The newest values")
def latest_values(
    services: ServicesDep,
    indicator: OnlyIndicator = None,
    place: PlaceQuery = None,
    below: Below = False,
) -> Response:
    """The newest window of every indicator at every place, in one call; or of one indicator, or of some places."""
    if indicator is not None:
        services.definitions.get(indicator)
    _check_place(services, place, below)
    rows = services.values.values(ValueQuery(indicator, place, below=below, latest=True, limit=MOST + 1))
    if len(rows) > MOST:
        raise Invalid(f"more than {MOST} values: name one", "indicator")
    return _json({"items": _views(services, rows)})


@router.get("/changes", response_model=ChangeList, summary="Feed of changed values")
def changes(
    services: ServicesDep,
    since: Annotated[int, Query(ge=0, le=MAX_INT64, description="`since` of the answer before; 0: all.")] = 0,
    limit: Limit = 100,
) -> Response:
    """Values in the order in which they were written, each window once, at its newest change.

    Ask again with the `since` of the answer: a reader that does so misses nothing, restarts of both sides included.
    """
    rows = services.values.values(ValueQuery(after_seq=since, limit=limit + 1))
    page = rows[:limit]
    body = {
        "items": _views(services, page),
        "since": page[-1].seq if page else since,
        "more": len(rows) > limit,
    }
    return _json(body)


@router.get("/{indicator}", response_model=IndicatorDetail, summary="One definition in full")
def get_indicator(services: ServicesDep, indicator: IndicatorId) -> Mapping[str, Any]:
    """Inputs, formula, window, calendar, bands and sources of an indicator."""
    return definition_view(services.definitions.get(indicator))


@router.get(
    "/{indicator}/values", response_model=ValuePage, responses=dict(CSV_RESPONSE), summary="Values of an indicator"
)
def list_values(
    request: Request,
    services: ServicesDep,
    indicator: IndicatorId,
    place: PlaceQuery = None,
    start: From = None,
    end: To = None,
    below: Below = False,
    limit: RowLimit = 1000,
    cursor: Cursor = None,
    dialect: CsvDialect = Dialect.PLAIN,
) -> Response:
    """Values of the windows that begin in [from, to), in order of start and place; all there are without a period.

    Where there is too little data the status is `insufficient_data`, the value null and the reason in words.
    `Accept: text/csv` gives rows as CSV; the next page is then in the header `Link`.
    """
    services.definitions.get(indicator)
    _check_place(services, place, below)
    if start is not None and end is not None:
        check_period(start, end)
    after = _after(cursor)
    rows = _read(services, ValueQuery(indicator, place, start, end, below), after, limit + 1)
    page = rows[:limit]
    following = encode_cursor(page[-1].start, page[-1].place) if len(rows) > limit else None
    headers = {"Vary": "Accept", **next_link(request, following)}
    if wants_csv(request):
        text = to_csv(CSV_COLUMNS, [_cells(view) for view in _views(services, page)], dialect)
        return Response(text, media_type="text/csv; charset=utf-8", headers=headers)
    return _json({"items": _views(services, page), "next": following}, headers)


@router.get("/{indicator}/revisions", response_model=RevisionList, summary="History of one window")
def list_revisions(
    services: ServicesDep,
    indicator: IndicatorId,
    place: Annotated[str, Query(max_length=256, description="The place.")],
    start: Annotated[Time, Query(description="Start of the window; RFC 3339 with time zone.")],
) -> Response:
    """All that was ever published for one window, oldest first, each with the cause of its change."""
    services.definitions.get(indicator)
    rows = services.values.revisions(indicator, place, start)
    if not rows:
        raise NotFound(f"no value of {indicator} at {place} whose window begins at {format_instant(start)}")
    return _json({"items": _views(services, rows)})


def _check_place(services: Services, place: str | None, below: bool) -> None:
    if place is None:
        if below:
            raise Invalid("goes with `place`", "below")
        return
    if place not in services.book.snapshot().places:
        raise Invalid(f"no place {place!r}; GET /api/v1/places lists them", "place")


def _after(cursor: str | None) -> tuple[int, str] | None:
    if cursor is None:
        return None
    key = decode_cursor(cursor, tuple[int, str])
    if abs(key[0]) > MAX_INT64:
        raise Invalid("is no cursor of this list", "cursor")
    return key


def _read(services: Services, query: ValueQuery, after: tuple[int, str] | None, limit: int) -> Sequence[IndicatorValue]:
    """At most `limit` values behind the key `after`.

    The ledger can begin at a start, not within one: rows of the same start that were shown already are read again and
    left out, and where these fill the answer, it is asked for more.
    """
    if after is None:
        return services.values.values(query._replace(limit=limit))
    spare = 64
    while True:
        begun = query._replace(start=max(after[0], query.start or after[0]), limit=limit + spare)
        rows = services.values.values(begun)
        fresh = [row for row in rows if (row.start, row.place) > after]
        if len(fresh) >= limit or len(rows) < limit + spare:
            return fresh[:limit]
        spare *= 4


def _views(services: Services, rows: Sequence[IndicatorValue]) -> list[dict[str, Any]]:
    known = services.definitions.definitions
    return [public_value(row, known.get(row.indicator)) for row in rows]


def _cells(view: Mapping[str, Any]) -> list[Cell]:
    """A value as a row: what is nested in JSON has columns of its own."""
    flat = {
        **view,
        "start": view["window"]["start"],
        "end": view["window"]["end"],
        "missing": " ".join(view["missing"]),
        "band": view["band"] and view["band"]["index"],
    }
    return [flat[column] for column in CSV_COLUMNS]


def _json(body: Mapping[str, Any], headers: Mapping[str, str] | None = None) -> Response:
    """Encoded here and not by FastAPI: thousands of values need no second validation; tests hold them to the schema."""
    return Response(msgspec.json.encode(body), media_type="application/json", headers=dict(headers or {}))
