# SPDX-License-Identifier: EUPL-1.2
"""The outermost layer, plain ASGI: what holds for every request whatever route it meets.

Host names, size of the body, HEAD as GET without body, security headers, and the last resort for exceptions that
nobody foresaw: logged with an incident id, answered without a word about the inside.
"""

import logging
import secrets
from collections.abc import Mapping, Sequence

from starlette.datastructures import Headers, MutableHeaders
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from hub.api.problems import problem_response

logger = logging.getLogger(__name__)

EVERYWHERE = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "X-Frame-Options": "DENY",
}
# Pages for people bring their own policy; data needs no script, style or frame at all.
DATA_ONLY = {
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "Cache-Control": "private, no-cache",
}
# Some bodies are larger than what is sent else: a photo is refused with its own words by its route.
LARGER: Mapping[str, int] = {"/photos": 32_000_000, "/import": 20_000_000}
DATA_PATHS = ("/api/", "/metrics", "/openapi.json")


class Shield:
    """ASGI middleware; see the module."""

    def __init__(self, app: ASGIApp, max_body_bytes: int, hosts: Sequence[str]) -> None:
        self.app = app
        self.max_body_bytes = max_body_bytes
        self.hosts = frozenset(host.lower() for host in hosts)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        outgoing = _Outgoing(scope, send)
        limit = self._limit(str(scope["path"]))
        if refusal := self._refusal(Headers(scope=scope), limit):
            await refusal(scope, receive, outgoing)
            return
        inner = {**scope, "method": "GET"} if scope["method"] == "HEAD" else scope
        try:
            await self.app(inner, _limited(receive, limit), outgoing)
        except Exception:
            incident = secrets.token_hex(4)
            logger.exception("incident %s: %s %s", incident, scope["method"], scope["path"])
            if outgoing.started:
                raise  # half an answer is out: only closing the connection tells the client
            detail = "The hub failed on this request. Its operator finds the cause in the log under the incident."
            await problem_response("internal", detail, incident=incident)(scope, receive, outgoing)

    def _limit(self, path: str) -> int:
        extra = next((size for end, size in LARGER.items() if path.endswith(end)), 0)
        return max(self.max_body_bytes, extra)

    def _refusal(self, headers: Headers, limit: int) -> ASGIApp | None:
        if "*" not in self.hosts and _host(headers.get("host", "")) not in self.hosts:
            names = ", ".join(sorted(self.hosts))
            return problem_response("wrong-host", f"the header Host must name one of: {names}")
        length = headers.get("content-length", "0")
        if length.isdecimal() and int(length[:20]) > limit:
            return problem_response("too-large", _too_large(limit))
        return None


class _Outgoing:
    """Adds the headers, keeps whether the answer began, drops the body of an answer to HEAD."""

    def __init__(self, scope: Scope, send: Send) -> None:
        self.send = send
        self.head = scope["method"] == "HEAD"
        self.data = str(scope["path"]).startswith(DATA_PATHS)
        self.started = False

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.started = True
            headers = MutableHeaders(scope=message)
            for name, value in (EVERYWHERE | DATA_ONLY if self.data else EVERYWHERE).items():
                headers.setdefault(name, value)
        elif self.head:
            message = {**message, "body": b""}
        await self.send(message)


def _limited(receive: Receive, limit: int) -> Receive:
    """`receive` that refuses to hand on more than `limit` bytes of body, whatever Content-Length said."""
    taken = 0

    async def counted() -> Message:
        nonlocal taken
        message = await receive()
        taken += len(message.get("body", b""))
        if taken > limit:
            raise HTTPException(413, _too_large(limit))
        return message

    return counted


def _too_large(limit: int) -> str:
    return f"the body may have {limit} bytes at most; send it in several requests"


def _host(value: str) -> str:
    """Host name without port, in lower case; of `[::1]:8000` it is `::1`."""
    value = value.lower()
    if value.startswith("["):
        return value[1:].partition("]")[0]
    return value.rpartition(":")[0] if value.count(":") == 1 else value
