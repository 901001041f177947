# SPDX-License-Identifier: EUPL-1.2
"""`/health`: does the process answer, and do all its parts work. And `/problems`: what kinds of errors mean.

Both are open to everybody, for load balancers and container engines; what a part found is told to readers only.
"""

from collections.abc import Mapping
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Path, Response

from hub.api.auth import MayReadDep, ServicesDep, everybody
from hub.api.probe import probe
from hub.api.problems import KINDS, type_of
from hub.api.schemas.common import ProblemKind, ProblemKinds
from hub.api.schemas.operation import Alive, Ready
from hub.core.errors import NotFound

router = APIRouter(dependencies=[Depends(everybody)])


@router.get("/health/live", tags=["health"], response_model=Alive, summary="Is the process alive?")
async def live(services: ServicesDep) -> Mapping[str, Any]:
    """Answers as long as the process can answer at all; looks at no other part. Open to everybody."""
    return {"status": "alive", "version": services.version}


@router.get(
    "/health/ready",
    tags=["health"],
    response_model=Ready,
    responses={503: {"model": Ready, "description": "At least one part does not work; `hint` says what to do."}},
    summary="Does every part work?",
)
async def ready(services: ServicesDep, response: Response, readable: MayReadDep) -> Mapping[str, Any]:
    """Asks every part and says which works and, where one does not, what to do: 200 when all do, else 503.

    Open to everybody; `detail` and `hint` are told only to callers who may read.
    """
    parts = await probe(services.health, services.check_seconds)
    good = all(part.ok for part in parts)
    response.status_code = 200 if good else 503
    shown = [part._asdict() if readable else {**part._asdict(), "detail": None, "hint": None} for part in parts]
    return {"ready": good, "parts": shown}


@router.get("/problems", tags=["problems"], response_model=ProblemKinds, summary="Kinds of errors")
async def list_problems() -> Mapping[str, Any]:
    """All kinds of errors that this API answers with, and what each means. Open to everybody."""
    return {"items": [_kind(kind) for kind in KINDS]}


@router.get("/problems/{kind}", tags=["problems"], response_model=ProblemKind, summary="One kind of error")
async def get_problem(kind: Annotated[str, Path(description="Last part of a problem's `type`.")]) -> Mapping[str, Any]:
    """What one kind of error means: the `type` of every problem leads here. Open to everybody."""
    if kind not in KINDS:
        raise NotFound(f"no kind of problem {kind!r}; GET /api/v1/problems lists them")
    return _kind(kind)


def _kind(kind: str) -> Mapping[str, Any]:
    row = KINDS[kind]
    return {"type": type_of(kind), "status": row.status, "title": row.title, "meaning": row.meaning}
