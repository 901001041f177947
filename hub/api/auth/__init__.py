# SPDX-License-Identifier: EUPL-1.2
"""Who calls, and whether they may: FastAPI dependencies over `hub.core.rights`.

    caller: Annotated[Caller, Depends(allow(Action.DEVICES))]

A route names the action that it is; the caller is a key (`Authorization: Bearer`, `X-API-Key`) or a person with a
session (cookie). Where reads are open (loopback), READ needs neither. What a partner may do it may on its own devices
only: routes ask `caller.reaches(action, device.owner)` or use `owned`.

A cookie is sent by the browser whoever made the page, a key is not. So what changes something needs, with a cookie, a
request that comes from a page of the hub itself: `Sec-Fetch-Site: same-origin`, or an `Origin` that names this host.
All browsers send one of them (Fetch metadata since 2023, Origin with every POST since 2020); without either the request
is refused. The cookie is SameSite=Lax besides. See docs/access.md.
"""

from collections.abc import Callable, Mapping
from typing import Annotated
from urllib.parse import urlsplit

from fastapi import Depends, Request, Security
from fastapi.security import APIKeyHeader, HTTPAuthorizationCredentials, HTTPBearer
from msgspec.structs import replace

from hub.api.auth._gate import KeyGate
from hub.api.auth._throttle import Throttle
from hub.api.problems import CHALLENGE, Problem
from hub.api.services import Services
from hub.core.errors import NotFound
from hub.core.places import Device, RegistrySnapshot
from hub.core.ports import Shown
from hub.core.rights import GRANTS, Action, Caller

__all__ = [
    "CallerDep",
    "KeyGate",
    "MayReadDep",
    "Reader",
    "ServicesDep",
    "Throttle",
    "allow",
    "everybody",
    "owned",
    "reached",
    "reads",
    "services_of",
    "session_cookie",
    "shown_by",
    "visible",
]

_BEARER = HTTPBearer(auto_error=False, description="API key as bearer token.", scheme_name="bearer")
_HEADER = APIKeyHeader(name="X-API-Key", auto_error=False, description="API key in a header.", scheme_name="key")
_SAFE = frozenset({"GET", "HEAD", "OPTIONS"})

COOKIE = "cityhub_session"
SECURE_COOKIE = "__Host-cityhub_session"  # the browser itself refuses it from another host, path or without TLS


def services_of(request: Request) -> Services:
    """The services that the app was made with."""
    services: Services = request.app.state.services
    return services


ServicesDep = Annotated[Services, Depends(services_of)]


def cookie_name(request: Request) -> str:
    """Name of the session's cookie: another one over TLS, so that a page without cannot plant it."""
    return SECURE_COOKIE if request.url.scheme == "https" else COOKIE


def session_cookie(request: Request) -> str | None:
    """The secret of the session that the request shows."""
    return request.cookies.get(cookie_name(request))


def shown_by(request: Request, key: str | None) -> Shown:
    """What a request shows of its sender."""
    return Shown(key, session_cookie(request), request.client.host if request.client else "local")


def caller(
    request: Request,
    bearer: Annotated[HTTPAuthorizationCredentials | None, Security(_BEARER)],
    header: Annotated[str | None, Security(_HEADER)],
) -> Caller | None:
    """Who calls: by key, else by session, else anybody where reads are open, else None. A wrong key is refused."""
    gate: KeyGate = request.app.state.gate
    key = bearer.credentials if bearer else header
    found = gate.anybody(shown_by(request, key))
    if found is not None and found.kind == "person" and request.method not in _SAFE and not same_origin(request):
        raise Problem("cross-site", "with a session's cookie this works from the hub's own pages only; use a key")
    return found


CallerDep = Annotated[Caller | None, Depends(caller)]


def same_origin(request: Request) -> bool:
    """Whether a page of this hub sent the request, as the browser says."""
    site, origin = request.headers.get("sec-fetch-site"), request.headers.get("origin")
    if site is not None:
        return site == "same-origin"
    return origin is not None and urlsplit(origin).netloc.lower() == request.headers.get("host", "").lower()


def allow(action: Action, *, open_reads: bool | None = None) -> Callable[[Caller | None], Caller]:
    """The guard of a route that does this: gives the caller, or refuses with 401 or 403.

    `open_reads` is whether it belongs to what anybody may read on loopback; left out: READ alone does.
    """
    opened = action is Action.READ if open_reads is None else open_reads

    def guard(caller: CallerDep) -> Caller:
        if caller is None or (caller.kind == "open" and not opened):
            raise Problem("key-missing", f"{_roles(action)}: Authorization: Bearer <key>", CHALLENGE)
        if caller.kind != "open" and not caller.may(action):
            raise Problem("forbidden", _refusal(caller, action))
        return caller

    guard.action = action  # type: ignore[attr-defined]  # read by the test that walks all routes
    guard.opened = opened  # type: ignore[attr-defined]  # likewise
    return guard


def everybody() -> None:
    """Marks what is open to everybody, whoever asks."""


everybody.action = None  # type: ignore[attr-defined]  # read by the test that walks all routes

reads = allow(Action.READ)
Reader = Annotated[Caller, Depends(reads)]


def may_read(caller: CallerDep) -> bool:
    """Whether the caller may see what readers see, where the answer is open to everybody but says less then."""
    return caller is not None and caller.may(Action.READ)


MayReadDep = Annotated[bool, Depends(may_read)]


def visible(caller: Caller, device: Device) -> bool:
    """Whether the caller may see this device at all."""
    return caller.reaches(Action.READ, device.owner)


def reached(caller: Caller, registry: RegistrySnapshot, action: Action = Action.READ) -> RegistrySnapshot:
    """The registry with those devices alone on which the caller may do this: to a partner, others are not there."""
    if not caller.bounded(action):
        return registry

    def own(devices: Mapping[str, Device]) -> Mapping[str, Device]:
        return {name: device for name, device in devices.items() if caller.reaches(action, device.owner)}

    return replace(registry, devices=own(registry.devices), former=own(registry.former))


def owned(caller: Caller, action: Action, owner: str, subject: str) -> None:
    """Raise where the caller may not do this to what belongs to `owner`: NotFound where it may not even see it."""
    if caller.reaches(action, owner):
        return
    if not caller.reaches(Action.READ, owner):
        raise NotFound(f"no {subject} is yours")
    raise Problem("forbidden", f"{caller.title or 'you'} may do this to devices and facilities of its own only")


def _roles(action: Action) -> str:
    return f"sign in, or send a key with the role {' or '.join(_granting(action))}"


def _refusal(caller: Caller, action: Action) -> str:
    if caller.must_change:
        return f"{caller.title} has a one-time password: change it first, at /account"
    has = ", ".join(sorted(caller.roles)) or "none"
    who = f"the key {caller.name!r}" if caller.kind == "key" else caller.title
    return f"{who} has the roles {has}; this needs {' or '.join(_granting(action))}"


def _granting(action: Action) -> list[str]:
    return [str(role) for role in GRANTS if action in GRANTS[role]]
