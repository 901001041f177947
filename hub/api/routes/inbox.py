# SPDX-License-Identifier: EUPL-1.2
"""`/inbox` and `/bench`: who talks without being registered, and what a message would mean.

Both show payloads, which may hold anything: for callers who may see raw messages, and say who they are.
"""

import base64
import binascii
from collections.abc import Mapping
from typing import Annotated, Any
from urllib.parse import quote
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Depends, Query, Request, Response
from msgspec.structs import replace

from hub.api.auth import ServicesDep, allow
from hub.api.params import language_of
from hub.api.routes.devices import device_of
from hub.api.routes.quarantine import PREVIEW_BYTES
from hub.api.schemas.inbox import BenchIn, ClaimIn, ClaimOut, NewcomerList, ProposalOut, TriedOut
from hub.api.schemas.quarantine import IgnoreIn, IgnoreOut
from hub.api.services import Services
from hub.api.views import device_view, unit_of
from hub.core.errors import Invalid, NotFound
from hub.core.journal import UplinkSeen
from hub.core.ports import Tried
from hub.core.reasons import REASONS, UNKNOWN
from hub.core.rights import Action, Caller
from hub.core.windows import format_instant
from hub.devices.inbox import Stranger
from hub.devices.set_aside import payload_view

router = APIRouter(tags=["devices"])

Peeker = Annotated[Caller, Depends(allow(Action.RAW))]
Registrar = Annotated[Caller, Depends(allow(Action.DEVICES))]
Redriver = Annotated[Caller, Depends(allow(Action.REDRIVE))]
Connector = Annotated[str, Query(min_length=1, max_length=64, description="Its payload family, as the inbox says.")]
ExternalId = Annotated[str, Query(min_length=1, max_length=256, description="How its messages name it.")]


@router.get("/inbox", dependencies=[Depends(allow(Action.RAW))], response_model=NewcomerList, summary="New devices")
def list_newcomers(
    request: Request,
    response: Response,
    services: ServicesDep,
    limit: Annotated[int, Query(ge=1, le=200, description="How many at most.")] = 50,
) -> Mapping[str, Any]:
    """Who talks and is neither registered nor ignored, who spoke last first: messages, what they mean, a guess."""
    language = _speak(request, response)
    found = services.inbox.strangers(limit + 1)
    return {"items": [_newcomer(services, one, language) for one in found[:limit]], "more": len(found) > limit}


@router.get(
    "/inbox/proposal",
    dependencies=[Depends(allow(Action.RAW))],
    response_model=ProposalOut,
    summary="What to register a newcomer with",
)
def propose(
    request: Request, response: Response, services: ServicesDep, connector: Connector, external_id: ExternalId
) -> Mapping[str, Any]:
    """Suggested id, title, model and interval, with what they are taken from. For a person to confirm."""
    found = services.inbox.proposal(connector, external_id)
    return {
        "id": found.id,
        "title": found.title,
        "model": found.model,
        "interval": found.interval,
        "newcomer": _newcomer(services, found.stranger, _speak(request, response)),
    }


@router.post("/inbox/claim", status_code=201, response_model=ClaimOut, summary="Register a newcomer")
def claim(
    request: Request, response: Response, services: ServicesDep, caller: Registrar, device: ClaimIn
) -> Mapping[str, Any]:
    """Register a device that talks already; what waits of it is taken in by the orders that are answered."""
    owner = caller.partner if caller.bounded(Action.DEVICES) else device.owner
    claimed = services.inbox.claim(replace(device_of(device, services.models), owner=owner), by=caller.name)
    added, now = claimed.device, services.clock_ns()
    response.headers["Location"] = f"/api/v1/devices/{quote(added.id)}"
    finding, seen = services.watch.finding(added, now), services.watch.seen().get(added.id)
    view = device_view(added, seen, finding, _speak(request, response), ZoneInfo(services.time_zone))
    return {"device": view, "waiting": claimed.waiting, "commands": claimed.orders}


@router.post("/inbox/ignore", status_code=202, response_model=IgnoreOut, summary="Ignore a newcomer")
def ignore_newcomer(services: ServicesDep, caller: Redriver, device: IgnoreIn) -> Mapping[str, Any]:
    """What it sends is counted and dropped from now on, also what waits. The same as POST /quarantine/ignored."""
    return {"command": services.ignored.add(device.connector, device.external_id, why=device.why, by=caller.name)[0]}


@router.delete("/inbox/ignore", status_code=204, response_class=Response, summary="Ignore a newcomer no longer")
def unignore_newcomer(services: ServicesDep, caller: Redriver, connector: Connector, external_id: ExternalId) -> None:
    """From now on it is a newcomer again; what was dropped does not come back."""
    services.ignored.remove(connector, external_id, by=caller.name)


@router.post(
    "/bench/decode",
    dependencies=[Depends(allow(Action.RAW))],
    response_model=TriedOut,
    summary="Try out what a message means",
)
def try_out(request: Request, response: Response, services: ServicesDep, message: BenchIn) -> Mapping[str, Any]:
    """Route, decode, convert and check a message as ingest does, as if its devices were registered; store nothing."""
    if services.bench is None:
        raise NotFound("this hub has no test bench")
    if message.model and message.model not in services.models:
        raise Invalid(f"no model {message.model!r}; GET /api/v1/models lists all", "model")
    tried = services.bench.decode(message.topic, _payload(message), services.clock_ns(), message.model)
    return _tried(services, tried, _speak(request, response))


def _payload(message: BenchIn) -> bytes:
    if message.encoding == "text":
        return message.payload.encode("utf-8", "surrogatepass")
    try:
        return base64.b64decode(message.payload, validate=True)
    except (binascii.Error, ValueError) as error:
        raise Invalid(f"is no base64: {error}", "payload") from error


def _newcomer(services: Services, stranger: Stranger, language: str) -> dict[str, Any]:
    row, message = stranger.newcomer, stranger.message
    return {
        "connector": row.connector,
        "external_id": row.external_id,
        "waiting": row.waiting,
        "refused": row.refused,
        "first": format_instant(row.first) if row.first else None,
        "last": format_instant(row.last) if row.last else None,
        "topics": list(stranger.topics),
        "payload": payload_view(message.payload, PREVIEW_BYTES, message.size) if message else None,
        "decoded": _tried(services, stranger.tried, language) if stranger.tried else None,
        "guesses": [guess._asdict() for guess in stranger.guesses],
    }


def _tried(services: Services, tried: Tried, language: str) -> dict[str, Any]:
    faults = [(reason, detail, REASONS.get(reason, UNKNOWN)) for reason, detail in tried.faults]
    return {
        "connector": tried.connector,
        "devices": list(tried.devices),
        "verdict": tried.verdict,
        "readings": [
            {
                "device": reading.device,
                "quantity": reading.quantity,
                "value": reading.value,
                "unit": unit_of(services.quantities, reading.quantity),
                "time": format_instant(reading.time),
                "flag": int(reading.flag),
            }
            for reading in tried.readings
        ],
        "faults": [
            {"reason": reason, "title": words.title[language], "detail": detail, "hint": words.hint[language]}
            for reason, detail, words in faults
        ],
        "events": [f"{event.kind}: {event.text or event.reason}" for event in tried.events],
        "signal": _signal(tried.uplinks[0]) if tried.uplinks else None,
    }


def _signal(uplink: UplinkSeen) -> dict[str, Any]:
    return {
        "frame": uplink.frame,
        "rssi": uplink.rssi,
        "snr": uplink.snr,
        "spreading_factor": uplink.spreading_factor,
        "gateways": list(uplink.gateways),
    }


def _speak(request: Request, response: Response) -> str:
    language = language_of(request)
    response.headers.update({"Content-Language": language, "Vary": "Accept-Language"})
    return language
