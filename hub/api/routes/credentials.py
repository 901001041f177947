# SPDX-License-Identifier: EUPL-1.2
"""`/devices/{device}/credentials` and `/bridges`: what devices and network servers show the broker.

A secret is in the answer to the call that made it and nowhere else.
"""

from collections.abc import Mapping, Sequence
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Path
from fastapi.concurrency import run_in_threadpool

from hub.api.auth import ServicesDep, allow, owned
from hub.api.schemas.credentials import AllowIn, BridgeIn, BridgeList, CredentialOut, DisableIn, IssuedOut
from hub.api.services import BrokerDesk, Services
from hub.core.access import BrokerRefusal, Credential, CredentialKind
from hub.core.errors import HubError, NotFound
from hub.core.ports import Issued
from hub.core.rights import Action, Caller
from hub.core.windows import format_instant

router = APIRouter(tags=["credentials"])

DeviceId = Annotated[str, Path(pattern="^[A-Za-z0-9_-]{1,64}$", description="Id of the device.")]
BridgeId = Annotated[str, Path(pattern="^[A-Za-z0-9_-]{1,64}$", description="User name of the bridge.")]
Technician = Annotated[Caller, Depends(allow(Action.CREDENTIALS))]


def _desk(services: Services) -> BrokerDesk:
    if services.broker is None:
        raise NotFound("this hub has no credentials for devices")
    return services.broker


def _device(services: Services, caller: Caller, device: str) -> None:
    known = services.book.snapshot().known.get(device)
    if known is None:
        raise NotFound(f"no device {device!r} is registered; GET /api/v1/devices lists all")
    owned(caller, Action.CREDENTIALS, known.owner, "device")


def _bridge(desk: BrokerDesk, name: str) -> Credential:
    found = desk.credentials.get(name)
    if found is None or found.kind is not CredentialKind.BRIDGE:
        raise NotFound(f"no bridge {name!r}; GET /api/v1/bridges lists all")
    return found


@router.get("/devices/{device}/credentials", response_model=CredentialOut, summary="Credential of a device")
def get_credentials(services: ServicesDep, device: DeviceId, caller: Technician) -> Mapping[str, Any]:
    """Its state, whether the broker knows it, and what the broker refused; never the secret."""
    _device(services, caller, device)
    return _shown(_desk(services), device)


@router.post("/devices/{device}/credentials", status_code=201, response_model=IssuedOut, summary="Issue a credential")
async def issue_credentials(services: ServicesDep, device: DeviceId, caller: Technician) -> Mapping[str, Any]:
    """Make user name and secret for a device that connects directly. The secret is shown this once."""
    await run_in_threadpool(_device, services, caller, device)
    desk = _desk(services)
    return await _told(desk, await run_in_threadpool(desk.credentials.issue, device, by=caller.name))


@router.post("/devices/{device}/credentials/rotate", response_model=IssuedOut, summary="New secret for a device")
async def rotate_credentials(services: ServicesDep, device: DeviceId, caller: Technician) -> Mapping[str, Any]:
    """The old secret is worth nothing from now on, and its session ends. A disabled one is enabled again."""
    await run_in_threadpool(_device, services, caller, device)
    desk = _desk(services)
    return await _told(desk, await run_in_threadpool(desk.credentials.rotate, device, by=caller.name))


@router.post("/devices/{device}/credentials/disable", response_model=CredentialOut, summary="Shut a device out")
def disable_credentials(
    services: ServicesDep, device: DeviceId, given: DisableIn, caller: Technician
) -> Mapping[str, Any]:
    """End its session at the broker and let it in no more, until a new secret is made."""
    _device(services, caller, device)
    desk = _desk(services)
    desk.credentials.disable(device, by=caller.name, why=given.why)
    return _shown(desk, device)


@router.get("/bridges", response_model=BridgeList, summary="Bridges of network servers")
def list_bridges(services: ServicesDep, _caller: Technician) -> Mapping[str, Any]:
    """All bridges in order of name, those that are shut out too."""
    desk = _desk(services)
    names = [one.username for one in desk.credentials.all() if one.kind is CredentialKind.BRIDGE]
    return {"items": [_shown(desk, name) for name in names]}


@router.post("/bridges", status_code=201, response_model=IssuedOut, summary="Issue a credential for a network server")
async def add_bridge(services: ServicesDep, given: BridgeIn, caller: Technician) -> Mapping[str, Any]:
    """A network server publishes below its prefix; of what it brings only devices in `allow` count."""
    desk = _desk(services)

    def issue() -> Issued:
        return desk.credentials.issue(given.username, by=caller.name, bridge=given.prefix, allow=given.allow)

    return await _told(desk, await run_in_threadpool(issue))


@router.post("/bridges/{bridge}/rotate", response_model=IssuedOut, summary="New secret for a bridge")
async def rotate_bridge(services: ServicesDep, bridge: BridgeId, caller: Technician) -> Mapping[str, Any]:
    """The old secret is worth nothing from now on."""
    desk = _desk(services)
    await run_in_threadpool(_bridge, desk, bridge)
    return await _told(desk, await run_in_threadpool(desk.credentials.rotate, bridge, by=caller.name))


@router.post("/bridges/{bridge}/disable", response_model=CredentialOut, summary="Shut a bridge out")
def disable_bridge(services: ServicesDep, bridge: BridgeId, given: DisableIn, caller: Technician) -> Mapping[str, Any]:
    """End its session and let it in no more, until it gets a new secret."""
    desk = _desk(services)
    _bridge(desk, bridge)
    desk.credentials.disable(bridge, by=caller.name, why=given.why)
    return _shown(desk, bridge)


@router.put("/bridges/{bridge}/allow", response_model=CredentialOut, summary="Devices that a bridge may bring")
def allow_devices(services: ServicesDep, bridge: BridgeId, given: AllowIn, caller: Technician) -> Mapping[str, Any]:
    """Replace the list; an empty one means all registered devices."""
    desk = _desk(services)
    _bridge(desk, bridge)
    desk.credentials.allow(bridge, given.allow, by=caller.name)
    return _shown(desk, bridge)


def _shown(desk: BrokerDesk, username: str) -> dict[str, Any]:
    found = desk.credentials.get(username)
    if found is None:
        raise NotFound(f"{username!r} has no credential yet: POST here makes one")
    return _view(found, desk, desk.credentials.refusals(username))


async def _told(desk: BrokerDesk, issued: Issued) -> Mapping[str, Any]:
    """The secret for its one showing; where the broker has to be given it in plain text, that happens here."""
    problem: str | None = None
    if desk.hand_over is not None:
        try:
            await desk.hand_over([issued])
        except HubError as error:
            problem = f"{error}; then make a new secret: this one is not known at the broker"
    view = await run_in_threadpool(_view, issued.credential, desk, ())
    return {**view, **desk.entry(issued), "problem": problem}


def _view(one: Credential, desk: BrokerDesk, refusals: Sequence[BrokerRefusal]) -> dict[str, Any]:
    credentials = desk.credentials
    known = credentials.applied() >= credentials.version() if desk.managed else None
    return {
        "username": one.username,
        "kind": str(one.kind),
        "state": "active" if one.disabled_at is None else "disabled",
        "known_to_broker": known,
        "prefix": one.prefix or f"devices/{one.username}/#",
        "allow": list(one.allow),
        "issued_at": format_instant(one.issued_at),
        "issued_by": one.issued_by,
        "disabled_at": None if one.disabled_at is None else format_instant(one.disabled_at),
        "disabled_why": one.disabled_why,
        "refusals": [_refusal(refusal) for refusal in refusals],
    }


def _refusal(refusal: BrokerRefusal) -> Mapping[str, Any]:
    return {
        "kind": refusal.kind,
        "topic": refusal.topic,
        "count": refusal.count,
        "first": format_instant(refusal.first),
        "last": format_instant(refusal.last),
    }
