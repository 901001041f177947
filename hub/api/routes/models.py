# SPDX-License-Identifier: EUPL-1.2
"""`/models`: the kinds of devices that the hub knows, with the source of each fact."""

from collections.abc import Mapping
from typing import Annotated, Any

import msgspec
from fastapi import APIRouter, Depends, Path, Response

from hub.api.answers import as_json
from hub.api.auth import ServicesDep, reads
from hub.api.schemas.models import ModelDetail, ModelList
from hub.core.errors import NotFound
from hub.devices.models import DeviceModel

router = APIRouter(prefix="/models", tags=["registry"], dependencies=[Depends(reads)])

ModelId = Annotated[str, Path(max_length=64, description="Id of the model.")]


@router.get("", response_model=ModelList, summary="Device models")
def list_models(services: ServicesDep) -> Mapping[str, Any]:
    """The kinds of devices that can be registered by name, in order of manufacturer and name."""
    rows = sorted(services.models.values(), key=lambda model: (model.label, model.id))
    return {"items": [_summary(model) for model in rows]}


@router.get("/{model}", response_model=ModelDetail, summary="One device model")
def get_model(services: ServicesDep, model: ModelId) -> Response:
    """All that is known of a kind of device, with where it is known from; null where no evidence was found."""
    found = services.models.get(model)
    if found is None:
        raise NotFound(f"no model {model!r}; GET /api/v1/models lists all")
    return as_json({**_summary(found), "facts": msgspec.to_builtins(found)})


def _summary(model: DeviceModel) -> Mapping[str, Any]:
    return {
        "id": model.id,
        "label": model.label,
        "title": dict(model.title),
        "connector": model.connector or None,
        "interval": model.interval,
        "grade": model.grade,
        "quantities": [row.quantity for row in model.quantities],
    }
