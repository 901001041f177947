# SPDX-License-Identifier: EUPL-1.2
"""What the label of a LoRaWAN device says, and making the device in its network server.

An AppKey passes through: no answer, error, log line or audit entry holds it. Not the schema checks it but the route.
"""

import logging
import re
from collections.abc import Mapping
from typing import Annotated, Any

from fastapi import APIRouter, Depends
from fastapi.concurrency import run_in_threadpool
from msgspec import structs

from hub.api.auth import ServicesDep, allow
from hub.api.routes.device_changes import DeviceId, Registrar, own_device
from hub.api.schemas.network_servers import JoinIn, JoinOut, StickerIn, StickerOut
from hub.api.services import Services
from hub.core.errors import HubError, Invalid, Stop
from hub.core.places import Device
from hub.core.rights import Action, Caller
from hub.devices.guess import guess_model
from hub.devices.onboarding import instructions
from hub.devices.sticker import parse_sticker

logger = logging.getLogger("cityhub.api")
router = APIRouter(tags=["devices"])

_EUI = re.compile(r"[0-9a-f]{16}")
_KEY = re.compile(r"[0-9a-f]{32}")


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


@router.post(
    "/devices/{device}/network-server",
    response_model=JoinOut,
    tags=["registry"],
    summary="Make it in its network server",
)
async def join_network(services: ServicesDep, device: DeviceId, given: JoinIn, caller: Registrar) -> Mapping[str, Any]:
    """Make a LoRaWAN device in its network server, so that it can join; one that exists there gets this key.

    Where the hub has no access to the server, the answer says step by step what to enter.
    """
    row = await run_in_threadpool(own_device, services, caller, device)
    key, join_eui, eui = _key(given.app_key), _eui(given.join_eui or "0" * 16, "join_eui"), _plain(row.external_id)
    server = services.network_servers.get(row.connector)
    if server is None:
        steps = instructions(row, services.models.get(row.model), join_eui)
        if not steps:
            raise Invalid(f"{device!r} talks through {row.connector}: no network server has to know it", "device")
        return {"outcome": "instructions", "steps": steps}
    _eui(eui, "external_id")
    try:
        outcome = await server.add(
            eui, join_eui, key, name=row.title or row.id, model=row.model, profile=given.device_profile
        )
    except Stop as error:
        raise Invalid(str(error), "network_server") from error  # the operator's to mend, but the hub goes on
    await _note(services, caller.name, "device.network_server", row, {"outcome": outcome, "join_eui": join_eui})
    return {"outcome": outcome, "steps": []}


async def disable_there(services: Services, device: Device, by: str) -> str | None:
    """Let a retired device send no more: disabled or failed; None where the hub has no access to a network server."""
    server = services.network_servers.get(device.connector)
    if server is None:
        return None
    told = "disabled"
    try:
        await server.disable(_plain(device.external_id))
    except HubError as error:
        logger.warning("%s was retired, but not disabled in its network server: %s", device.id, error)
        told = "failed"
    await _note(services, by, "device.network_server", device, {"outcome": told})
    return told


async def _note(services: Services, by: str, action: str, device: Device, detail: Mapping[str, object]) -> None:
    detail = {"connector": device.connector, **detail}
    await run_in_threadpool(services.audit.note, services.clock_ns(), by, action, device.id, detail)


def _plain(text: str) -> str:
    return re.sub(r"[\s:-]", "", text).lower()


def _eui(text: str, where: str) -> str:
    eui = _plain(text)
    if not _EUI.fullmatch(eui):
        raise Invalid("16 hexadecimal digits are needed", where)
    return eui


def _key(given: object) -> str:
    """The key, which no error says."""
    key = _plain(given) if isinstance(given, str) else ""
    if not _KEY.fullmatch(key):
        raise Invalid("32 hexadecimal digits are needed, as the label or the maker's list has them", "app_key")
    return key
