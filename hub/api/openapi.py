# SPDX-License-Identifier: EUPL-1.2
"""The OpenAPI document: what FastAPI makes of the routes, plus the errors that every operation can answer with.

Errors are RFC 9457 problems and come from one table (`hub.api.problems.KINDS`), so no route lists them.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi

from hub.api.problems import KINDS, MEDIA_TYPE, PREFIX, type_of
from hub.api.schemas.common import ProblemOut

DESCRIPTION = """\
Readings of the city's devices, the indicators made of them, and what could not be used.

* **Times** are RFC 3339 with a time zone, in answers always UTC (`Z`). In a URL a `+` has to be written `%2B`.
  Periods are `[from, to)`.
* **Never a bare number**: every reading has its unit, flag and origin; every indicator value its status, coverage and
  origin, or the reason why there is none. Simulated figures say `"simulated": true`.
* **Pages**: lists answer `next`; give it back as `cursor`. Rows that come in between two pages neither repeat nor hide
  others.
* **CSV** where rows are returned: `Accept: text/csv`, with `?dialect=cs` for Czech Excel.
* **Keys**: `Authorization: Bearer <key>` or `X-API-Key: <key>`. Writes always need one with scope `write` or `admin`.
  Reads need one with any scope as soon as the hub listens beyond loopback.
* **ETag**: send it back in `If-None-Match` and get 304 while nothing has changed.
* **Errors** are `application/problem+json` (RFC 9457); `detail` says what to do. A query parameter that does not exist
  is an error too.
"""

TAGS: tuple[Mapping[str, str], ...] = (
    {"name": "health", "description": "Does the hub work?"},
    {"name": "devices", "description": "What is registered, and in which state it is."},
    {"name": "catalogue", "description": "Places and quantities: what names mean."},
    {"name": "registry", "description": "Changing devices and places; notes, photos, certificates, drafts, audit."},
    {"name": "credentials", "description": "What devices and network servers show the broker."},
    {"name": "readings", "description": "Readings as they are stored, and readings to send."},
    {"name": "corrections", "description": "How stored readings are to be read: excluded, flagged, calibrated."},
    {"name": "indicators", "description": "Values derived from readings, with their provenance."},
    {"name": "entries", "description": "Figures that no sensor gives: entered by one person, approved by another."},
    {"name": "strategies", "description": "Strategies of the city, their targets, and how far they are fulfilled."},
    {"name": "operation", "description": "Quarantine, orders, metrics."},
    {"name": "access", "description": "Who is asking; people and keys."},
    {"name": "problems", "description": "What errors mean."},
)

_ALWAYS = ("bad-request", "internal", "unavailable")
_KEYED = ("key-missing", "forbidden", "too-many-failures")
_OF_DATA = ("not-found", "validation")
_OF_CHANGES = ("exists", "too-large", "media-type")
_EXAMPLE_DETAILS = {
    "validation": "from: '2026-11-23T10:00:00' has no time zone: write 2026-11-23T10:00:00Z",
    "not-found": "no device 'air-1' is registered; GET /api/v1/devices lists all",
    "key-missing": "send a key with scope admin or write: Authorization: Bearer <key>",
}


def install(app: FastAPI) -> None:
    """Make `app.openapi()` give the finished document, made once."""

    def document() -> dict[str, Any]:
        if app.openapi_schema is None:
            app.openapi_schema = finish(
                get_openapi(
                    title=app.title,
                    version=app.version,
                    description=app.description,
                    routes=app.routes,
                    tags=app.openapi_tags,
                    license_info=app.license_info,
                )
            )
        return app.openapi_schema

    app.openapi = document  # type: ignore[method-assign]  # FastAPI's documented way to extend the document


def finish(document: dict[str, Any]) -> dict[str, Any]:
    """Add problems to every operation; drop FastAPI's own error models."""
    components = document.setdefault("components", {})
    schemas = components.setdefault("schemas", {})
    for unused in ("HTTPValidationError", "ValidationError"):
        schemas.pop(unused, None)
    schemas.update(_problem_schemas())
    components["responses"] = {kind: _response(kind) for kind in KINDS}
    for path, item in document["paths"].items():
        for method, operation in item.items():
            responses = operation["responses"]
            responses.pop("422", None)
            for kind in _kinds(path, method, operation):
                responses.setdefault(str(KINDS[kind].status), {"$ref": f"#/components/responses/{kind}"})
    return document


def _kinds(path: str, method: str, operation: Mapping[str, Any]) -> Iterator[str]:
    """What an operation may be refused with; names stand in paths, queries and bodies, so 404 is nearly everywhere."""
    yield from _ALWAYS
    if operation.get("security"):
        yield from _KEYED
    if path.startswith(PREFIX):
        yield from _OF_DATA
    if method != "get":
        yield from _OF_CHANGES
    if any(row["name"].lower() == "if-match" for row in operation.get("parameters", ())):
        yield from ("changed", "if-match-missing")


def _response(kind: str) -> Mapping[str, Any]:
    row = KINDS[kind]
    example = {
        "type": type_of(kind),
        "title": row.title,
        "status": row.status,
        "detail": _EXAMPLE_DETAILS.get(kind, row.meaning),
    }
    schema = {"$ref": "#/components/schemas/ProblemOut"}
    return {"description": row.meaning, "content": {MEDIA_TYPE: {"schema": schema, "example": example}}}


def _problem_schemas() -> Mapping[str, Any]:
    schema = ProblemOut.model_json_schema(ref_template="#/components/schemas/{model}")
    return {**schema.pop("$defs"), "ProblemOut": schema}
