# SPDX-License-Identifier: EUPL-1.2
"""`/indicators`: definitions, their values, where these come from, and the feed of changes.

The newest revision of each window is served, or with `as_of` the one that was published at that moment; `/revisions`
has them all. The order is (start, place), and a cursor is the key of the last row. All answers here follow from the
ledger's values and the definitions, so their ETag is made of the position of the feed (`hub.api.answers`).
"""

from collections.abc import Mapping, Sequence
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Path, Query, Request, Response
from fastapi.concurrency import run_in_threadpool

from hub.api.answers import VARY, as_csv, as_json, tag_of, unchanged
from hub.api.auth import ServicesDep, reads
from hub.api.params import (
    CSV_RESPONSE,
    MAX_INT64,
    CsvDialect,
    Cursor,
    From,
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
    VersionList,
)
from hub.api.schemas.provenance import ProvenanceOut
from hub.api.services import Services
from hub.api.tables import Dialect
from hub.api.value_views import CSV_COLUMNS, cells, value_views
from hub.api.views import definition_summary, definition_view, version_view
from hub.core.errors import Invalid, NotFound
from hub.core.indicators import IndicatorValue
from hub.core.ports import ValueQuery
from hub.core.windows import Calendar, format_instant
from hub.indicators.definition import Definition
from hub.indicators.provenance import Trace, base_of, public_provenance, reading_inputs, value_inputs

router = APIRouter(prefix="/indicators", tags=["indicators"], dependencies=[Depends(reads)])

MOST = 100_000
_SCANNED = 500  # rows of the feed that are looked at together where some are not shown

IndicatorId = Annotated[str, Path(max_length=64, description="Id of the indicator.")]
PlaceQuery = Annotated[str | None, Query(max_length=256, description="Only this place.")]
ThePlace = Annotated[str, Query(max_length=256, description="The place.")]
Below = Annotated[bool, Query(description="Places below `place` too.")]
OnlyIndicator = Annotated[str | None, Query(max_length=64, description="Only this indicator.")]
AsOf = Annotated[
    Time | None, Query(description="As published at that moment: revisions from 1 up; provisional values never were.")
]
Visibility = Annotated[
    str, Query(pattern="^(city|all)$", description="all: also indicators that are kept for comparison only.")
]


@router.get("", response_model=IndicatorList, summary="Indicators")
def list_indicators(services: ServicesDep, visibility: Visibility = "city") -> Mapping[str, Any]:
    """What is computed: title, unit, window, level. The definition in full is under /indicators/{indicator}."""
    shown = [d for d in services.definitions if visibility == "all" or d.visibility == "city"]
    return {"items": [definition_summary(definition) for definition in shown]}


@router.get("/latest", response_model=LatestValues, responses=dict(CSV_RESPONSE), summary="The newest values")
def latest_values(
    request: Request,
    services: ServicesDep,
    indicator: OnlyIndicator = None,
    place: PlaceQuery = None,
    below: Below = False,
    visibility: Visibility = "city",
    as_of: AsOf = None,
    dialect: CsvDialect = Dialect.PLAIN,
) -> Response:
    """The newest window of every indicator at every place, in one call; or of one indicator, or of some places.

    With `as_of` the newest window that had begun at that moment, as it was published then.
    """
    _check_indicator(services, indicator)
    _check_place(services, place, below)
    tag = tag_of(request, services.values.newest())
    if same := unchanged(request, tag):
        return same
    query = ValueQuery(indicator, place, below=below, latest=True, limit=MOST + 1, as_of=as_of)
    rows = services.values.values(query)
    if len(rows) > MOST:
        raise Invalid(f"more than {MOST} values: name an indicator, or a place", "indicator")
    shown = rows if indicator or visibility == "all" else [row for row in rows if _of_city(services, row)]
    return _answer(request, services, shown, {}, dialect, {"ETag": tag})


@router.get("/changes", response_model=ChangeList, responses=dict(CSV_RESPONSE), summary="Feed of changed values")
def changes(
    request: Request,
    services: ServicesDep,
    since: Annotated[int, Query(ge=0, le=MAX_INT64, description="`since` of the answer before; 0: all.")] = 0,
    indicator: OnlyIndicator = None,
    place: PlaceQuery = None,
    below: Below = False,
    visibility: Visibility = "city",
    limit: Annotated[int, Query(ge=1, le=10_000, description="Rows in one answer at most.")] = 100,
    dialect: CsvDialect = Dialect.PLAIN,
) -> Response:
    """Values in the order in which they were written, each window once, at its newest change.

    Ask again with the `since` of the answer: a reader that does so misses nothing, restarts of both sides included.
    A `since` that was never given is refused: the ledger is another one, or an older state of it, and all has to be
    read again. CSV has `since` and `more` in the headers `X-Since` and `X-More`.
    """
    _check_indicator(services, indicator)
    _check_place(services, place, below)
    newest = services.values.newest()  # before the rows: what is written from here on has a higher number
    if since > newest:
        raise Invalid(f"the newest change is {newest}: this feed began anew (a restored backup?); ask from 0", "since")
    tag = tag_of(request, newest)
    if same := unchanged(request, tag):
        return same
    hide = visibility != "all" and indicator is None
    rows, position, more = _feed(services, ValueQuery(indicator, place, below=below, after_seq=since), limit, hide=hide)
    reached = position if more else max(position, newest)
    headers = {"ETag": tag, "X-Since": str(reached), "X-More": str(more).lower()}
    return _answer(request, services, rows, {"since": reached, "more": more}, dialect, headers)


@router.get("/{indicator}", response_model=IndicatorDetail, summary="One definition in full")
def get_indicator(services: ServicesDep, indicator: IndicatorId) -> Mapping[str, Any]:
    """Inputs, formula, window, calendar, bands, examples and sources of an indicator, and the text it was read from."""
    return definition_view(services.definitions, services.definitions.get(indicator))


@router.get("/{indicator}/versions", response_model=VersionList, summary="Versions of a definition")
def list_versions(request: Request, services: ServicesDep, indicator: IndicatorId) -> Response:
    """Versions by which the stored figures were computed: a changed definition gets a new one, old figures keep theirs.

    Counts every stored revision of the indicator, so it takes longer than other answers where there are many.
    """
    definition = services.definitions.get(indicator)
    tag = tag_of(request, services.values.newest())
    if same := unchanged(request, tag):
        return same
    seen = services.values.versions(indicator)
    body = {"current": definition.version, "items": [version_view(row, definition) for row in seen]}
    return as_json(body, {"ETag": tag})


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
    as_of: AsOf = None,
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
    tag = tag_of(request, services.values.newest())
    if same := unchanged(request, tag):
        return same
    rows = _read(services, ValueQuery(indicator, place, start, end, below, as_of=as_of), after, limit + 1)
    page = rows[:limit]
    following = encode_cursor(page[-1].start, page[-1].place) if len(rows) > limit else None
    headers = {"ETag": tag, **next_link(request, following)}
    return _answer(request, services, page, {"next": following}, dialect, headers)


@router.get("/{indicator}/revisions", response_model=RevisionList, summary="History of one window")
def list_revisions(
    services: ServicesDep,
    indicator: IndicatorId,
    place: ThePlace,
    start: Annotated[Time, Query(description="Start of the window; RFC 3339 with time zone.")],
) -> Response:
    """All that was ever published for one window, oldest first, each with the cause of its change."""
    services.definitions.get(indicator)
    rows = services.values.revisions(indicator, place, start)
    if not rows:
        raise NotFound(f"no value of {indicator} at {place} whose window begins at {format_instant(start)}")
    return as_json({"items": list(value_views(services.definitions.definitions, rows))})


@router.get("/{indicator}/provenance", response_model=ProvenanceOut, summary="Where a value comes from")
async def provenance(
    services: ServicesDep,
    indicator: IndicatorId,
    place: ThePlace,
    start: Annotated[Time | None, Query(description="Start of the window; the newest one when left out.")] = None,
    as_of: AsOf = None,
) -> Response:
    """The value and all that went into it: values of other indicators, readings by device and flag, corrections.

    With the text of the definition that computed it, all revisions with their causes, and entered figures with their
    documents. One level down: values that went in have a provenance of their own.
    """
    definition = services.definitions.get(indicator)
    trace, snapshot, corrections = await run_in_threadpool(_traced, services, definition, place, start, as_of)
    readings = await reading_inputs(
        services.definitions, snapshot, corrections, services.readings, trace.value, services.flags
    )
    city = Calendar.of(services.time_zone)
    texts = await run_in_threadpool(services.definition_texts, base_of(services.definitions, indicator))
    told = public_provenance(trace._replace(readings=readings), services.definitions, snapshot, city, texts)
    return as_json(told)


def _traced(services: Services, d: Definition, place: str, start: int | None, as_of: int | None) -> Any:
    """What the ledger knows of a value; with the registry and the corrections to look at its readings."""
    query = ValueQuery(d.id, place, start, None if start is None else start + 1, latest=True, as_of=as_of)
    found = services.values.values(query)
    if not found:
        when = "" if start is None else f" whose window begins at {format_instant(start)}"
        then = "" if as_of is None else f", as of {format_instant(as_of)}"
        raise NotFound(f"no value of {d.id} at {place}{when}{then}")
    (value,) = found
    revisions = services.values.revisions(d.id, place, value.start)
    inputs = value_inputs(services.definitions, services.values, value, as_of)
    entries = services.entries.history(d.id, place, value.start) if d.entered else ()
    return Trace(value, revisions, inputs, (), entries), services.book.snapshot(), services.corrections.after()


def _check_indicator(services: Services, indicator: str | None) -> None:
    if indicator is not None:
        services.definitions.get(indicator)


def _check_place(services: Services, place: str | None, below: bool) -> None:
    if place is None:
        if below:
            raise Invalid("goes with `place`", "below")
        return
    if place not in services.book.snapshot().places:
        raise Invalid(f"no place {place!r}; GET /api/v1/places lists them", "place")


def _of_city(services: Services, row: IndicatorValue) -> bool:
    """Whether a value is for the city's eyes; one whose definition is gone is: nothing is lost silently."""
    definition = services.definitions.definitions.get(row.indicator)
    return definition is None or definition.visibility == "city"


def _feed(
    services: Services, query: ValueQuery, limit: int, *, hide: bool
) -> tuple[Sequence[IndicatorValue], int, bool]:
    """At most `limit` rows of the feed, the position behind them and behind what is not shown, whether more wait."""
    rows: list[IndicatorValue] = []
    position, piece = query.after_seq or 0, max(_SCANNED, limit) if hide else limit
    while len(rows) < limit:
        batch = services.values.values(query._replace(after_seq=position, limit=piece))
        for row in batch:
            position = row.seq
            if not hide or _of_city(services, row):
                rows.append(row)
            if len(rows) == limit:
                break
        if len(batch) < piece and (not batch or position == batch[-1].seq):
            return rows, position, False
    return rows, position, bool(services.values.values(query._replace(after_seq=position, limit=1)))


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


def _answer(
    request: Request,
    services: Services,
    rows: Sequence[IndicatorValue],
    more: Mapping[str, Any],
    dialect: Dialect,
    headers: Mapping[str, str],
) -> Response:
    """Values as JSON, with what else there is to say; or as CSV where the caller prefers that."""
    views = value_views(services.definitions.definitions, rows)
    if wants_csv(request):
        return as_csv(CSV_COLUMNS, (cells(view) for view in views), dialect, {**VARY, **headers})
    return as_json({"items": list(views), **more}, {**VARY, **headers})
