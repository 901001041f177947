# SPDX-License-Identifier: EUPL-1.2
"""Who calls, and what the key allows.

Writes always need a key; reads need one when `Services.read_requires_key` is set. A wrong key is refused even where
none is needed: a caller who thinks to be somebody has to learn that it is not so. Secrets are never logged.

Wrong keys are counted per client address in a bounded memory. A client over the limit is refused before its key is
looked at, except with a secret that was right lately: behind one proxy everybody has the same address, and one
forgotten device must not lock the others out.
"""

import hashlib
import hmac
import logging
import secrets
import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from typing import Annotated, NoReturn

from fastapi import Depends, Request, Security
from fastapi.security import APIKeyHeader, HTTPAuthorizationCredentials, HTTPBasic, HTTPBasicCredentials, HTTPBearer

from hub.api.problems import Problem
from hub.api.services import Services
from hub.core.ports import ApiKey

logger = logging.getLogger(__name__)

GRANTS = {
    "read": frozenset({"read", "write", "admin"}),
    "write": frozenset({"write", "admin"}),
    "admin": frozenset({"admin"}),
}

_BEARER = HTTPBearer(auto_error=False, description="API key as bearer token.", scheme_name="bearer")
_HEADER = APIKeyHeader(name="X-API-Key", auto_error=False, description="API key in a header.", scheme_name="key")
_BASIC = HTTPBasic(auto_error=False, realm="cityhub")
_LONGEST_SECRET = 512
_CHALLENGE = {"WWW-Authenticate": 'Bearer realm="cityhub"'}
_BROWSER = {"WWW-Authenticate": 'Basic realm="cityhub", charset="UTF-8"'}


class Throttle:
    """Counts wrong keys per client: more than `limit` within `window` seconds and the client has to wait.

    Holds at most `clients` addresses and as many digests of good secrets (keyed by a random of this process); the
    ones longest unused are forgotten first.
    """

    def __init__(
        self,
        limit: int = 10,
        window: float = 60.0,
        clients: int = 1024,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._limit, self._window, self._clients, self._clock = limit, window, clients, clock
        self._failures: OrderedDict[str, tuple[float, int]] = OrderedDict()
        self._good: OrderedDict[bytes, None] = OrderedDict()
        self._salt = secrets.token_bytes(16)
        self._lock = threading.Lock()

    def wait(self, client: str, secret: str) -> float:
        """Seconds that the client has to wait with this secret, 0 when it may try now."""
        with self._lock:
            began, count = self._failures.get(client, (0.0, 0))
            left = began + self._window - self._clock()
            if count < self._limit or left <= 0 or self._digest(secret) in self._good:
                return 0.0
            return left

    def wrong(self, client: str) -> int:
        """Count a wrong key; returns how many there were in this window."""
        with self._lock:
            now = self._clock()
            began, count = self._failures.pop(client, (now, 0))
            if began + self._window <= now:
                began, count = now, 0
            self._failures[client] = (began, count + 1)
            _trim(self._failures, self._clients)
            return count + 1

    def right(self, secret: str) -> None:
        """Remember that this secret was right lately."""
        with self._lock:
            digest = self._digest(secret)
            self._good[digest] = None
            self._good.move_to_end(digest)
            _trim(self._good, self._clients)

    def _digest(self, secret: str) -> bytes:
        return hmac.digest(self._salt, secret.encode("utf-8", "surrogatepass"), hashlib.sha256)


def services_of(request: Request) -> Services:
    """The services that the app was made with."""
    services: Services = request.app.state.services
    return services


ServicesDep = Annotated[Services, Depends(services_of)]


def caller(
    request: Request,
    services: ServicesDep,
    bearer: Annotated[HTTPAuthorizationCredentials | None, Security(_BEARER)],
    header: Annotated[str | None, Security(_HEADER)],
) -> ApiKey | None:
    """The key that the request carries, None without one. A wrong one is refused."""
    secret = bearer.credentials if bearer else header
    return None if secret is None else _key_of(request, services, secret)


def _key_of(request: Request, services: Services, secret: str) -> ApiKey:
    """The key of a secret; refuses a wrong one, and slows down who tries many."""
    throttle: Throttle = request.app.state.throttle
    client = request.client.host if request.client else "local"
    if wait := throttle.wait(client, secret):
        seconds = str(int(wait) + 1)
        raise Problem("too-many-failures", f"too many wrong keys; wait {seconds} s", {"Retry-After": seconds})
    key = services.keys.verify(secret) if len(secret) <= _LONGEST_SECRET else None
    if key is None:
        logger.warning("wrong API key from %s, number %d within a minute", client, throttle.wrong(client))
        raise Problem("key-wrong", "no key has this secret, or it was revoked; ask for a new one", _CHALLENGE)
    throttle.right(secret)
    return key


CallerDep = Annotated[ApiKey | None, Depends(caller)]


def may_read(services: ServicesDep, key: CallerDep) -> bool:
    """Whether the caller may see what readers see."""
    return not services.read_requires_key if key is None else bool(GRANTS["read"] & key.scopes)


MayReadDep = Annotated[bool, Depends(may_read)]


def reads(allowed: MayReadDep, key: CallerDep) -> None:
    """Guard of routes that read."""
    if not allowed:
        _refuse("read", key)


def writes(key: CallerDep) -> ApiKey:
    """Guard of routes that write; returns the key."""
    if key is None or not GRANTS["write"] & key.scopes:
        _refuse("write", key)
    return key


WriterDep = Annotated[ApiKey, Depends(writes)]


def administers(key: CallerDep) -> ApiKey:
    """Guard of routes that destroy what cannot be made again; returns the key."""
    if key is None or not GRANTS["admin"] & key.scopes:
        _refuse("admin", key)
    return key


AdministratorDep = Annotated[ApiKey, Depends(administers)]


def reads_with_key(key: CallerDep) -> None:
    """Guard of routes that show raw messages: these need a key even where other reads are open."""
    if key is None or not GRANTS["read"] & key.scopes:
        _refuse("read", key)


def page_guard(
    request: Request,
    services: ServicesDep,
    basic: Annotated[HTTPBasicCredentials | None, Security(_BASIC)],
) -> None:
    """Guard of pages for people beyond loopback: the browser asks, any user name does, the password is a key."""
    if basic is None:
        raise Problem("key-missing", "sign in with any user name and an API key as password", _BROWSER)
    if not GRANTS["read"] & (key := _key_of(request, services, basic.password)).scopes:
        _refuse("read", key)


def _refuse(right: str, key: ApiKey | None) -> NoReturn:
    scopes = " or ".join(sorted(GRANTS[right]))
    if key is None:
        raise Problem("key-missing", f"send a key with scope {scopes}: Authorization: Bearer <key>", _CHALLENGE)
    raise Problem("forbidden", f"the key {key.name!r} has the scopes {sorted(key.scopes)}; this needs {scopes}")


def _trim(memory: "OrderedDict[str, tuple[float, int]] | OrderedDict[bytes, None]", size: int) -> None:
    while len(memory) > size:
        memory.popitem(last=False)
