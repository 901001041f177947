# SPDX-License-Identifier: EUPL-1.2
"""Routes of the console. They only read."""

import asyncio
from collections.abc import Sequence
from typing import Any

from fastapi import APIRouter, Depends, FastAPI, Request, Response
from fastapi.responses import HTMLResponse

from hub.console._access import everybody, require
from hub.console._explain import explain
from hub.console._overview import overview, recent
from hub.console._pages import STYLE_PATH, Pages
from hub.console._readings import MOST, groups, stored
from hub.console._sign_in import install_guards, sign_in_router
from hub.console._values import Speaker
from hub.console.field._routes import field_router
from hub.console.services import ConsoleServices
from hub.core.errors import NotFound
from hub.core.rights import Action


def router(services: ConsoleServices, dependencies: Sequence[Any] = ()) -> APIRouter:
    """Routes for the app that has the API too; `dependencies` are FastAPI's, such as a guard against readers."""
    routes = APIRouter(include_in_schema=False, dependencies=list(dependencies))
    pages = Pages(services)

    @routes.get(STYLE_PATH, dependencies=[Depends(everybody)])
    def style_sheet() -> Response:
        return Response(pages.style, media_type="text/css", headers={"Cache-Control": "max-age=31536000, immutable"})

    @routes.get("/", dependencies=[Depends(require(Action.READ))])
    async def home(request: Request) -> HTMLResponse:
        lately = await recent(services)
        page = await asyncio.to_thread(overview, services, pages.language(request), lately)
        return pages.respond(request, "overview.html", page=page, simulated=page.simulated)

    @routes.get("/values/{indicator}/{place:path}/{start}", dependencies=[Depends(require(Action.READ))])
    async def value(request: Request, indicator: str, place: str, start: str) -> HTMLResponse:
        language = pages.language(request)
        try:
            page = await asyncio.to_thread(explain, services, language, indicator, place, start)
        except NotFound:
            return pages.respond(request, "missing.html", 404, simulated=False)
        found = await stored(services.readings, page.series, page.start, page.end) if page.series else None
        definition, speaker = services.definitions.get(indicator), Speaker.of(services, language)
        readings = None if found is None else groups(speaker, definition, page.period, found)
        cut = f"{MOST} / {len(found)}" if found is not None and len(found) > MOST else ""
        simulated = page.value.simulated
        return pages.respond(request, "value.html", page=page, readings=readings, cut=cut, simulated=simulated)

    if services.ports is not None:
        routes.include_router(field_router(services, services.ports, pages))
    return routes


def install(app: FastAPI, services: ConsoleServices) -> None:
    """Put the console beside the API: its pages, the sign-in, and what the guards of pages answer."""
    pages = Pages(services)
    app.include_router(router(services))
    app.include_router(sign_in_router(pages, services.oidc))
    install_guards(app, pages)
