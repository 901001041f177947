# SPDX-License-Identifier: EUPL-1.2
"""NiceGUI behind the guard, made when it is first needed.

NiceGUI keeps one app a process. It is mounted into an app of the desk's own, whose lifespan begins with the first
visit and ends with `Desk.close`; the app of the API knows the guard alone. Nothing is kept on disk: the storage that
NiceGUI offers for users and browsers is not used, and it gets no secret for one.
"""

import asyncio
from contextlib import AsyncExitStack

from fastapi import FastAPI
from fastapi.responses import RedirectResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from hub.console.desk._guard import Guard
from hub.console.desk.services import DeskServices

PATH = "/desk"


class Desk:
    """ASGI: the pages, made with the first connection."""

    def __init__(self, services: DeskServices) -> None:
        self._services = services
        self._inner: ASGIApp | None = None
        self._stack = AsyncExitStack()
        self._lock = asyncio.Lock()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection."""
        async with self._lock:
            if self._inner is None:
                self._inner = await self._made()
        await self._inner(scope, receive, send)

    async def _made(self) -> ASGIApp:
        from hub.console.desk._pages import make

        inner = FastAPI(docs_url=None, redoc_url=None, openapi_url=None)
        make(inner, self._services)
        await self._stack.enter_async_context(inner.router.lifespan_context(inner))
        return inner

    async def close(self) -> None:
        """End what the first visit began."""
        await self._stack.aclose()


def mount_desk(app: FastAPI, services: DeskServices) -> Desk:
    """Put the desk on an app; close it when the server has ended."""
    desk = Desk(services)

    @app.get(PATH, include_in_schema=False)
    async def without_slash() -> RedirectResponse:
        return RedirectResponse(f"{PATH}/", 307)

    app.mount(PATH, Guard(desk, services.gate))
    return desk
