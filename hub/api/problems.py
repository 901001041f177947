# SPDX-License-Identifier: EUPL-1.2
"""Errors as RFC 9457 problem details: one table of kinds, and the handlers that turn exceptions into them.

`type` is a path of the hub itself, `/api/v1/problems/<kind>`, where its meaning can be read without the internet.
It is stable. `detail` names the culprit and says what to do; nothing of the hub's inside ever stands in it.
"""

import logging
import math
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException

from hub.core.errors import Conflict, Denied, Exists, HubError, Invalid, NotFound, Reject, Retry, TooManyTries

logger = logging.getLogger(__name__)

PREFIX = "/api/v1"
MEDIA_TYPE = "application/problem+json"
CHALLENGE = {"WWW-Authenticate": 'Bearer realm="cityhub"'}


class Kind(NamedTuple):
    """One kind of problem: status, title, and what it means for the caller."""

    status: int
    title: str
    meaning: str


KINDS: Mapping[str, Kind] = {
    "bad-request": Kind(400, "Request cannot be read", "The request itself is broken; `detail` says where."),
    "wrong-host": Kind(
        400,
        "Request is addressed to another host",
        "While the hub can be read without a key it answers to loopback names only. Use http://127.0.0.1, or list the "
        "name in the setting of allowed hosts.",
    ),
    "key-missing": Kind(
        401, "A key is needed", "Send `Authorization: Bearer <key>` or `X-API-Key: <key>`. Writes always need one."
    ),
    "key-wrong": Kind(401, "The key is not valid", "No key has this secret, or it was revoked. Ask for a new key."),
    "forbidden": Kind(403, "Not allowed", "Who asks is known, but none of the roles that `detail` names is his."),
    "cross-site": Kind(
        403, "Not from the hub's own pages", "A session's cookie counts for changes from the hub's own pages alone."
    ),
    "not-found": Kind(404, "Not found", "What was asked for does not exist; `detail` says what and where to look."),
    "method-not-allowed": Kind(405, "Method not allowed", "The path exists; the header `Allow` lists its methods."),
    "exists": Kind(409, "Exists already", "What should be made is there already; use another id or delete it first."),
    "changed": Kind(
        412, "Changed in the meantime", "`If-Match` names a state that is no more. Get it again and change that."
    ),
    "if-match-missing": Kind(
        428,
        "Say what the change is based on",
        "Send the ETag of a GET as `If-Match`, so that nobody overwrites what he has not seen.",
    ),
    "too-large": Kind(413, "Request too large", "Send fewer items in one request; `detail` names the limit."),
    "media-type": Kind(415, "Body is not JSON", "Send JSON and the header `Content-Type: application/json`."),
    "validation": Kind(422, "Request is not valid", "`errors` names each parameter or field and how to mend it."),
    "too-many-failures": Kind(
        429, "Too many wrong keys", "This client sent many wrong keys. Wait as long as the header `Retry-After` says."
    ),
    "internal": Kind(
        500, "Fault in the hub", "Not the request's fault. Tell the operator the `incident`: it is in the hub's log."
    ),
    "stopped": Kind(
        503, "A part of the hub has stopped", "The operator has to act; `GET /api/v1/health/ready` says what to do."
    ),
    "unavailable": Kind(
        503,
        "A part of the hub does not answer now",
        "Nothing was lost. Send the same request again after the seconds in the header `Retry-After`.",
    ),
}

_BY_ERROR: Mapping[type[HubError], str] = {NotFound: "not-found", Exists: "exists", Conflict: "changed"}
_BY_STATUS = {400: "bad-request", 404: "not-found", 405: "method-not-allowed", 413: "too-large", 415: "media-type"}


class Problem(Exception):
    """A refusal of the API itself, by kind."""

    def __init__(self, kind: str, detail: str, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(detail)
        self.kind = kind
        self.detail = detail
        self.headers = headers


def type_of(kind: str) -> str:
    """The `type` member of a kind."""
    return f"{PREFIX}/problems/{kind}"


def problem_response(
    kind: str, detail: str, headers: Mapping[str, str] | None = None, **members: object
) -> JSONResponse:
    """A problem as a response; `members` are extension members such as `errors`."""
    row = KINDS[kind]
    body = {"type": type_of(kind), "title": row.title, "status": row.status, "detail": detail, **members}
    return JSONResponse(body, row.status, headers=headers, media_type=MEDIA_TYPE)


def error_response(error: HubError) -> JSONResponse:
    """A hub error by the reaction that it asks for."""
    if isinstance(error, Retry):
        seconds = str(max(1, math.ceil(error.after)))
        detail = f"{KINDS['unavailable'].title}; try again in {seconds} s. GET {PREFIX}/health/ready says more."
        logger.warning("503 %s", error)
        return problem_response("unavailable", detail, {"Retry-After": seconds})
    if isinstance(error, TooManyTries):
        seconds = str(math.ceil(error.after))
        return problem_response("too-many-failures", str(error), {"Retry-After": seconds})
    if isinstance(error, Denied):
        return problem_response("key-wrong", str(error), CHALLENGE)
    kind = next((kind for family, kind in _BY_ERROR.items() if isinstance(error, family)), None)
    if kind is not None:
        return problem_response(kind, str(error))
    if isinstance(error, Invalid | Reject):
        where = error.where or "" if isinstance(error, Invalid) else ""
        return _not_valid([{"in": "request", "name": where, "detail": error.detail}])
    logger.error("a part has stopped: %s", error)
    return problem_response("stopped", f"{KINDS['stopped'].meaning}")


def install(app: FastAPI) -> None:
    """Answer every exception of the app with a problem. Unknown ones are `hub.api.shield`'s."""

    @app.exception_handler(HubError)
    async def on_hub_error(_: Request, error: HubError) -> JSONResponse:
        return error_response(error)

    @app.exception_handler(Problem)
    async def on_problem(_: Request, error: Problem) -> JSONResponse:
        return problem_response(error.kind, error.detail, error.headers)

    @app.exception_handler(RequestValidationError)
    async def on_validation(_: Request, error: RequestValidationError) -> JSONResponse:
        return _not_valid([_culprit(row) for row in error.errors()])

    @app.exception_handler(HTTPException)
    async def on_http(request: Request, error: HTTPException) -> JSONResponse:
        kind = _BY_STATUS.get(error.status_code, "bad-request")
        return problem_response(kind, _http_detail(request, error), error.headers)


def _http_detail(request: Request, error: HTTPException) -> str:
    path = request.url.path
    if error.status_code == 404:
        return f"nothing at {path}; GET /openapi.json lists all paths"
    if error.status_code == 405:
        allowed = (error.headers or {}).get("Allow") or (error.headers or {}).get("allow") or "other methods"
        return f"{request.method} is not possible on {path}; it takes {allowed}"
    return error.detail


def _culprit(row: Mapping[str, Any]) -> dict[str, str]:
    """One validation error, with the parameter or field by the name that the caller used."""
    where, *path = row["loc"]
    if row["type"] == "json_invalid":
        return {"in": "body", "name": "", "detail": f"not JSON at character {path[0]}: {row['ctx']['error']}"}
    detail = str(row["msg"]).removeprefix("Value error, ")
    if row["type"] == "extra_forbidden":
        detail = "is no field here; remove it or check its spelling"
    return {
        "in": str(where),
        "name": ".".join(str(part) for part in path if not str(part).startswith("<")),
        "detail": detail,
    }


def _not_valid(errors: Sequence[Mapping[str, str]]) -> JSONResponse:
    words = [f"{row['name']}: {row['detail']}" if row["name"] else row["detail"] for row in errors]
    return problem_response("validation", "; ".join(words), errors=errors)
