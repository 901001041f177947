# SPDX-License-Identifier: EUPL-1.2
"""The door of the desk, plain ASGI: pages, files and the websocket alike are for people who have signed in.

A page asks who somebody is when it is opened, and an action asks again. Between the two this door looks at every
message of the websocket: once the session has ended, or its owner was disabled, the socket is closed and nothing more
is read from it. What a browser sends by itself to keep a connection (the pong of engine.io, one letter) says nothing
about its owner, so it is looked at rarely. Requests that another site's page makes are refused by their origin.

NiceGUI compiles templates and handlers in the browser, so its pages need inline scripts and `eval`. The policy allows
these to the desk alone, and nothing from elsewhere: no host but this one can be asked for anything.
"""

import asyncio
import time
from collections.abc import Mapping
from urllib.parse import quote, urlsplit

from starlette.datastructures import MutableHeaders
from starlette.requests import HTTPConnection
from starlette.responses import PlainTextResponse, RedirectResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from hub.console._access import ACCOUNT, COOKIE, SECURE_COOKIE, SIGN_IN
from hub.core.ports import Gate, Shown
from hub.core.rights import Action, Caller

POLICY = (
    "default-src 'none'; script-src 'self' 'unsafe-inline' 'unsafe-eval'; style-src 'self' 'unsafe-inline'; "
    "img-src 'self' data: blob:; font-src 'self' data:; connect-src 'self'; worker-src 'self' blob:; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
_HEADERS: Mapping[str, str] = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
}
_COOKIES = {"https": SECURE_COOKIE, "wss": SECURE_COOKIE}
_FRESH_S, _IDLE_S = 1.0, 60.0
_VIOLATION = 1008  # of a policy, as RFC 6455 has it


def shown_by(connection: HTTPConnection) -> Shown:
    """What a request or a websocket shows of who it is: the session's cookie alone."""
    cookie = connection.cookies.get(_COOKIES.get(connection.url.scheme, COOKIE))
    return Shown(cookie=cookie, client=connection.client.host if connection.client else "local")


def admitted(gate: Gate, shown: Shown) -> Caller | None:
    """Who may be at the desk: somebody who signed in and may read."""
    caller = gate.caller(shown)
    return caller if caller is not None and caller.may(Action.READ) else None


def same_origin(connection: HTTPConnection) -> bool:
    """Whether a page of this very host asks; who sends no origin is no page of another site."""
    origin = connection.headers.get("origin")
    return origin is None or urlsplit(origin).netloc.lower() == connection.headers.get("host", "").lower()


class Guard:
    """ASGI: lets people in to `app`; see the module."""

    def __init__(self, app: ASGIApp, gate: Gate) -> None:
        self._app, self._gate = app, gate

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection."""
        connection = HTTPConnection(scope)
        shown = shown_by(connection)
        caller = await asyncio.to_thread(admitted, self._gate, shown)
        known = caller is not None and same_origin(connection)
        if scope["type"] == "websocket":
            await self._socket(scope, receive, send, shown, known)
        elif known:
            await self._app(scope, receive, _with_headers(send))
        else:
            one_time = caller is None and await asyncio.to_thread(_has_to_change, self._gate, shown)
            await _refusal(connection, caller, one_time)(scope, receive, _with_headers(send))

    async def _socket(self, scope: Scope, receive: Receive, send: Send, shown: Shown, known: bool) -> None:
        if not known:
            await receive()
            await send({"type": "websocket.close", "code": _VIOLATION})
            return
        checked = time.monotonic()

        async def watched() -> Message:
            nonlocal checked
            message = await receive()
            if message["type"] != "websocket.receive":
                return message
            patience = _IDLE_S if len(message.get("text") or "") <= 1 else _FRESH_S
            if time.monotonic() - checked < patience:
                return message
            if await asyncio.to_thread(admitted, self._gate, shown) is None:
                await send({"type": "websocket.close", "code": _VIOLATION})
                return {"type": "websocket.disconnect", "code": _VIOLATION}
            checked = time.monotonic()
            return message

        await self._app(scope, watched, send)


def _has_to_change(gate: Gate, shown: Shown) -> bool:
    caller = gate.caller(shown)
    return caller is not None and caller.must_change


def _refusal(connection: HTTPConnection, caller: Caller | None, one_time: bool) -> Response:
    """To the sign-in page for who opens a page (to the account with a one-time password), words for all else."""
    if caller is not None:
        return PlainTextResponse("This was asked for by a page of another site.", 403)
    if "text/html" in connection.headers.get("accept", ""):
        if one_time:
            return RedirectResponse(ACCOUNT, 303)
        return RedirectResponse(f"{SIGN_IN}?next={quote(connection.url.path)}", 303)
    return PlainTextResponse("Sign in first.", 401)


def _with_headers(send: Send) -> Send:
    async def outgoing(message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = MutableHeaders(scope=message)
            for name, value in _HEADERS.items():
                headers[name] = value
        await send(message)

    return outgoing
