# SPDX-License-Identifier: EUPL-1.2
"""Answers of many rows: encoded here and not by FastAPI, since thousands of values need no second validation.

Tests hold them to their schemas. What follows from the ledger's values alone has an ETag made of the position of the
change feed and of the request: the same position means the same answer, so 304 costs one look at a counter.
"""

import hashlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import msgspec
from fastapi import Request, Response

from hub.api.params import next_link, wants_csv
from hub.api.tables import Cell, Dialect, to_csv
from hub.indicators.definition import Definition

VARY = {"Vary": "Accept"}


def as_json(body: Mapping[str, Any], headers: Mapping[str, str] | None = None) -> Response:
    """A JSON document."""
    return Response(msgspec.json.encode(body), media_type="application/json", headers=dict(headers or {}))


def as_csv(
    columns: Sequence[str], rows: Iterable[Sequence[Cell]], dialect: Dialect, headers: Mapping[str, str] | None = None
) -> Response:
    """Rows under their column names."""
    text = to_csv(columns, rows, dialect)
    return Response(text, media_type="text/csv; charset=utf-8", headers=dict(headers or {}))


def as_list(
    request: Request,
    body: Mapping[str, Any],
    columns: Mapping[str, Callable[[Mapping[str, Any]], Cell]],
    dialect: Dialect,
    headers: Mapping[str, str] | None = None,
) -> Response:
    """A page with `items` and `next`: rows as CSV where Accept prefers it (`next` is then in `Link`), else JSON."""
    told = {**VARY, **(headers or {}), **next_link(request, body["next"])}
    if not wants_csv(request):
        return as_json(body, told)
    rows = ([cell(item) for cell in columns.values()] for item in body["items"])
    return as_csv(list(columns), rows, dialect, told)


def release_of(version: str, definitions: Iterable[Definition]) -> str:
    """What else answers follow from, beside the ledger: this release of the hub, and its definitions."""
    told = msgspec.json.encode([version, *definitions])
    return hashlib.blake2b(told, digest_size=12).hexdigest()


def tag_of(request: Request, position: int) -> str:
    """Strong ETag of what is asked for while the feed of changes stands at `position`."""
    release = str(request.app.state.release)
    asked = (request.url.path, request.url.query, request.headers.get("accept", ""), str(position), release)
    return f'"{hashlib.blake2b(chr(0).join(asked).encode(), digest_size=12).hexdigest()}"'


def unchanged(request: Request, tag: str) -> Response | None:
    """304 where the caller has the answer with this tag already, else None."""
    known = {part.strip().removeprefix("W/") for part in request.headers.get("if-none-match", "").split(",")}
    return None if known.isdisjoint({tag, "*"}) else Response(status_code=304, headers={"ETag": tag, **VARY})
