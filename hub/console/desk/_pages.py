# SPDX-License-Identifier: EUPL-1.2
"""The pages by path; importing this imports NiceGUI."""

from collections.abc import Awaitable, Callable

from fastapi import FastAPI
from nicegui import ui
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from hub.console._access import SIGN_IN
from hub.console.desk._accounting_page import accounting_page
from hub.console.desk._audit_page import audit_page
from hub.console.desk._bench_page import bench_page
from hub.console.desk._charts_page import charts_page
from hub.console.desk._corrections_page import corrections_page
from hub.console.desk._devices_page import devices_page
from hub.console.desk._frame import NAVIGATION, Visit, visit
from hub.console.desk._import_page import import_page
from hub.console.desk._inbox_page import inbox_page
from hub.console.desk._overview_page import overview_page
from hub.console.desk._people_page import people_page
from hub.console.desk._quarantine_page import quarantine_page
from hub.console.desk.services import DeskServices
from hub.console.language import COOKIE
from hub.core.rights import Action

Page = Callable[[Visit], Awaitable[None]]
PAGES: dict[str, Page] = {
    "/": overview_page,
    "/devices": devices_page,
    "/charts": charts_page,
    "/inbox": inbox_page,
    "/import": import_page,
    "/quarantine": quarantine_page,
    "/accounting": accounting_page,
    "/corrections": corrections_page,
    "/bench": bench_page,
    "/people": people_page,
    "/audit": audit_page,
}
_YEAR = 365 * 86_400


def make(inner: FastAPI, desk: DeskServices) -> None:
    """Make all pages on an app of their own."""
    for path, _, action in NAVIGATION:
        _register(desk, path, action, PAGES[path])
    ui.run_with(
        inner, title="Cityhub", mount_path="/", tailwind=False, show_welcome_message=False, reconnect_timeout=10.0
    )


def _register(desk: DeskServices, path: str, action: Action, page: Page) -> None:
    @ui.page(path, response_timeout=30.0)
    async def opened(request: Request) -> Response | None:
        v = await visit(desk, request, path)
        if v is None:
            return RedirectResponse(SIGN_IN, 303)
        if not v.may(action):
            return Response(v.t("refused"), 403, media_type="text/plain; charset=utf-8")
        if (wish := request.query_params.get("lang")) in {"cs", "en"}:
            chosen = RedirectResponse(f"/desk{path}", 303)
            chosen.set_cookie(COOKIE, wish, max_age=_YEAR, httponly=True, samesite="lax")
            return chosen
        ui.run_javascript(f"document.documentElement.lang = '{v.language}'")
        await page(v)
        return None
