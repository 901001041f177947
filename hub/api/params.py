# SPDX-License-Identifier: EUPL-1.2
"""What requests say besides their path: times, pages, language, wanted format. All of it is checked here.

A query parameter that the operation does not have is an error, not a silence: a misspelt `form=` would else return
data that nobody asked for. What an operation has is read from the OpenAPI document, so both always agree.
Cursors are opaque to callers: the key of the last row of the page before, so rows that come in between two pages
neither repeat nor hide others.
"""

import base64
import binascii
from collections.abc import Mapping, Sequence
from typing import Annotated, Any, TypeVar

import msgspec
from fastapi import Query, Request
from fastapi.exceptions import RequestValidationError
from pydantic import BeforeValidator, WithJsonSchema

from hub.api.problems import Problem
from hub.api.tables import Dialect
from hub.api.times import parse_time
from hub.core.errors import Invalid

T = TypeVar("T")

DAY_NS = 86_400 * 1_000_000_000
MAX_INT64 = 2**63 - 1
LANGUAGES = ("en", "cs")

_TIME_HELP = "RFC 3339 with time zone; a `+` has to be written `%2B` in a URL, `Z` is simplest."


def _time(value: object) -> int:
    if not isinstance(value, str):
        raise ValueError("write the time as text, such as 2026-11-23T10:00:00Z")
    return parse_time(value)


Time = Annotated[
    int,
    BeforeValidator(_time),
    WithJsonSchema({"type": "string", "format": "date-time", "examples": ["2026-11-23T10:00:00Z"]}),
]

From = Annotated[Time | None, Query(alias="from", description=f"Start, inclusive. {_TIME_HELP}")]
To = Annotated[Time | None, Query(alias="to", description=f"End, exclusive. {_TIME_HELP}")]
Limit = Annotated[int, Query(ge=1, le=1000, description="Rows in one page at most.")]
RowLimit = Annotated[int, Query(ge=1, le=50_000, description="Rows in one page at most.")]
Cursor = Annotated[
    str | None,
    Query(max_length=1024, description="`next` of the page before; leave it out for the first page."),
]


CsvDialect = Annotated[Dialect, Query(description="Of CSV: `cs` is for Czech Excel (semicolon, decimal comma, BOM).")]
CSV_RESPONSE: Mapping[int | str, dict[str, Any]] = {
    200: {"content": {"text/csv": {"schema": {"type": "string"}}}, "description": "A page of rows."}
}


def check_period(start: int, end: int) -> None:
    """Refuse a period that is empty or runs backwards."""
    if start >= end:
        raise Invalid("must be before `to`: the period is [from, to)", "from")


def encode_cursor(*key: str | int) -> str:
    """An opaque cursor that stands for a row's key."""
    return base64.urlsafe_b64encode(msgspec.json.encode(key)).rstrip(b"=").decode()


def decode_cursor(text: str, shape: type[T]) -> T:
    """The key behind a cursor; Invalid when it is not one of this list."""
    try:
        raw = base64.b64decode(text.encode() + b"=" * (-len(text) % 4), altchars=b"-_", validate=True)
        return msgspec.json.decode(raw, type=shape)
    except (binascii.Error, msgspec.DecodeError, UnicodeError) as error:
        raise Invalid("is no cursor of this list: take `next` of the page before, or leave it out", "cursor") from error


def next_link(request: Request, cursor: str | None) -> dict[str, str]:
    """The header `Link` to the next page, for clients that read rows as CSV; none on the last page."""
    if cursor is None:
        return {}
    return {"Link": f'<{request.url.include_query_params(cursor=cursor)}>; rel="next"'}


def _weighted(header: str) -> list[tuple[float, str]]:
    """Items of an Accept-like header with their weights, the best first; what cannot be read weighs nothing."""
    items = []
    for part in header.lower().split(","):
        name, _, rest = part.partition(";")
        items.append((_weight(rest), name.strip()))
    return sorted((item for item in items if item[0] > 0), key=lambda item: -item[0])


def _weight(parameters: str) -> float:
    for parameter in parameters.split(";"):
        name, _, value = parameter.partition("=")
        if name.strip() == "q":
            try:
                return float(value)
            except ValueError:
                return 0.0
    return 1.0


def language_of(request: Request) -> str:
    """`cs` or `en` by Accept-Language; English when neither is wanted."""
    for _, tag in _weighted(request.headers.get("accept-language", "")):
        if (primary := tag.partition("-")[0]) in LANGUAGES:
            return primary
    return LANGUAGES[0]


def wants_csv(request: Request) -> bool:
    """Whether Accept prefers CSV to JSON."""
    for _, media in _weighted(request.headers.get("accept", "")):
        if media in ("text/csv", "text/*"):
            return True
        if media in ("application/json", "application/*", "*/*"):
            return False
    return False


def prefers(request: Request, media: str) -> bool:
    """Whether Accept names `media` before JSON."""
    for _, wanted in _weighted(request.headers.get("accept", "")):
        if wanted == media:
            return True
        if wanted in ("application/json", "application/*", "*/*"):
            return False
    return False


async def known_parameters(request: Request) -> None:
    """Guard of all operations: refuse query parameters that the operation lacks, and doubled single ones."""
    known = _declared(request)
    errors: list[Mapping[str, Any]] = []
    for name in dict.fromkeys(request.query_params.keys()):
        if name not in known:
            cure = f"is no parameter here; there are: {', '.join(sorted(known)) or 'none'}"
            errors.append({"type": "unknown", "loc": ("query", name), "msg": cure})
        elif not known[name] and len(request.query_params.getlist(name)) > 1:
            errors.append({"type": "twice", "loc": ("query", name), "msg": "is given more than once"})
    if errors:
        raise RequestValidationError(errors)


async def json_body(request: Request) -> None:
    """Guard of all operations: a body has to be JSON and to say so. Forms of other web sites cannot."""
    media = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    has_body = "transfer-encoding" in request.headers or request.headers.get("content-length", "0") != "0"
    if has_body and media != "application/json" and not media.endswith("+json"):
        raise Problem(
            "media-type", f"the body is {media or 'of no type'}; send JSON with Content-Type: application/json"
        )


def _declared(request: Request) -> Mapping[str, bool]:
    """Query parameters of the operation by name, and whether each may be repeated."""
    name = request.scope["route"].name
    operations = (operation for item in request.app.openapi()["paths"].values() for operation in item.values())
    operation = next(found for found in operations if found["operationId"] == name)
    parameters: Sequence[Mapping[str, Any]] = operation.get("parameters", ())
    return {row["name"]: _repeats(row["schema"]) for row in parameters if row["in"] == "query"}


def _repeats(schema: Mapping[str, Any]) -> bool:
    return any(part.get("type") == "array" for part in (schema, *schema.get("anyOf", ())))
