# SPDX-License-Identifier: EUPL-1.2
"""`/sticker`: what the label of a LoRaWAN device says."""

from collections.abc import Mapping
from typing import Annotated, Any

from fastapi import APIRouter, Depends
from msgspec import structs

from hub.api.auth import ServicesDep, allow
from hub.api.schemas.network_servers import StickerIn, StickerOut
from hub.core.rights import Action, Caller
from hub.devices.guess import guess_model
from hub.devices.sticker import parse_sticker

router = APIRouter(tags=["devices"])


@router.post("/sticker", response_model=StickerOut, summary="Read a label")
def read_sticker(
    services: ServicesDep, scanned: StickerIn, _: Annotated[Caller, Depends(allow(Action.DEVICES))]
) -> Mapping[str, Any]:
    """Read a scanned QR code (LoRaWAN TR005) or a typed DevEUI, and say which models it may be. Nothing is kept."""
    found = parse_sticker(scanned.text)
    models = services.models
    candidates = guess_model("", found.dev_eui, "", (), models, found.vendor_id)
    rows = [{**candidate._asdict(), "title": models[candidate.model].title} for candidate in candidates]
    return {**structs.asdict(found), "candidates": rows}
