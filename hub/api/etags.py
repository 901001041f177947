# SPDX-License-Identifier: EUPL-1.2
"""ETag and If-None-Match for every JSON or CSV answer to GET that comes in one piece.

The tag is a hash of the body, so it is right by construction; what it saves is the line, not the database. An answer
that brings a tag of its own (`hub.api.answers`) keeps it.
"""

import hashlib

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

_DROPPED = ("content-length", "content-type")


def tag_of(body: bytes) -> str:
    """The ETag of a body."""
    return f'"{hashlib.blake2b(body, digest_size=12).hexdigest()}"'


class ETags:
    """ASGI middleware; see the module."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection."""
        if scope["type"] != "http" or scope["method"] != "GET" or not str(scope["path"]).startswith("/api/"):
            await self.app(scope, receive, send)
            return
        await self.app(scope, receive, _Tagged(Headers(scope=scope).get("if-none-match", ""), send))


class _Tagged:
    """Holds the head of a 200 back until its body is there."""

    def __init__(self, if_none_match: str, send: Send) -> None:
        self.known = {tag.strip().removeprefix("W/") for tag in if_none_match.split(",")}
        self.send = send
        self.start: Message | None = None

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start" and message["status"] == 200:
            self.start = message
            return
        if self.start is not None:
            start, self.start = self.start, None
            if not message.get("more_body", False):
                start, message = self._tag(start, message)
            await self.send(start)
        await self.send(message)

    def _tag(self, start: Message, message: Message) -> tuple[Message, Message]:
        headers = MutableHeaders(scope=start)
        tag = headers.get("etag") or tag_of(message.get("body", b""))
        headers["ETag"] = tag
        if self.known.isdisjoint({tag, "*"}):
            return start, message
        kept = [(name, value) for name, value in start["headers"] if name.decode().lower() not in _DROPPED]
        return {**start, "status": 304, "headers": kept}, {"type": "http.response.body", "body": b""}
