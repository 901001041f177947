# SPDX-License-Identifier: EUPL-1.2
"""`/commands`: orders that one process left for another, and what came of them."""

from collections.abc import Mapping
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Path

from hub.api.auth import ServicesDep, allow
from hub.api.params import MAX_INT64
from hub.api.schemas.operation import CommandDetail, CommandList
from hub.core.rights import Action

router = APIRouter(tags=["operation"], dependencies=[Depends(allow(Action.RAW, open_reads=True))])


@router.get("/commands", response_model=CommandList, summary="Orders not done yet")
def list_commands(services: ServicesDep) -> Mapping[str, Any]:
    """Orders that ingest has not done yet, oldest first."""
    return {"items": [command._asdict() for command in services.commands.pending()]}


@router.get("/commands/{command}", response_model=CommandDetail, summary="One order")
def get_command(
    services: ServicesDep, command: Annotated[int, Path(ge=1, le=MAX_INT64, description="Id of the order.")]
) -> Mapping[str, Any]:
    """An order and, once it is done, what came of it."""
    found = services.commands.state(command)
    result = None if found.result is None else dict(found.result)
    return {**found.command._asdict(), "done": result is not None, "result": result}
