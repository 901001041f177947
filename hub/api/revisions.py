# SPDX-License-Identifier: EUPL-1.2
"""ETags by which a change says what it is based on.

`"r<revision>-<hash of the answer>"`: with `If-None-Match` the whole counts (a device's state changes by itself), with
`If-Match` the revision alone, so that a state which moved on does not stand in the way of a change.
"""

import hashlib
import re
from collections.abc import Mapping
from typing import Annotated, Any, TypeVar

import msgspec
from fastapi import Header, Response
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, ValidationError

from hub.api.problems import Problem

_TAG = re.compile(r'(?:W/)?"?r([0-9a-f]{1,24})(?:-[0-9a-f]+)?"?')

IfMatch = Annotated[
    str | None, Header(description="ETag of the GET on which the change is based; 428 without, 412 when it is stale.")
]
IfMatchAtWill = Annotated[
    str | None, Header(alias="If-Match", description="ETag of the GET; when it is given and stale, 412.")
]
_Whole = TypeVar("_Whole", bound=BaseModel)


def merged(whole: type[_Whole], known: Mapping[str, Any], patch: BaseModel) -> _Whole:
    """JSON merge patch (RFC 7396) on what is known; null puts a field back to its default."""
    fields = {**known, **patch.model_dump(exclude_unset=True)}
    try:
        return whole.model_validate({name: value for name, value in fields.items() if value is not None})
    except ValidationError as error:
        raise RequestValidationError([{**row, "loc": ("body", *row["loc"])} for row in error.errors()]) from error


def tagged(body: Mapping[str, Any], revision: int | str, headers: Mapping[str, str] | None = None) -> Response:
    """JSON with the ETag of a revision."""
    content = msgspec.json.encode(body)
    tag = f'"r{revision}-{hashlib.blake2b(content, digest_size=8).hexdigest()}"'
    return Response(content, media_type="application/json", headers={**(headers or {}), "ETag": tag})


def require_match(if_match: str | None, revision: int | str, subject: str) -> None:
    """Refuse a change that does not say on what it is based, or is based on what is no more."""
    if if_match is None:
        raise Problem(
            "if-match-missing", f"send If-Match with the ETag of GET {subject}: a change says on what it is based"
        )
    given = [part.strip() for part in if_match.split(",")]
    known = [match[1] for match in map(_TAG.fullmatch, given) if match]
    if "*" not in given and str(revision) not in known:
        raise Problem(
            "changed", f"{subject} is at revision {revision}, not at {', '.join(known) or if_match[:80]}: get it again"
        )
