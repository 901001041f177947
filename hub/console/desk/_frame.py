# SPDX-License-Identifier: EUPL-1.2
"""What every page of the desk has: who looks at it, in which language, the way to the other pages, and how it acts.

`Visit.act` is the only way to do something: it asks the gate anew who this is, refuses what the roles do not allow,
and turns every error into words. Nothing but words reaches the browser; unforeseen causes go to the log.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from html import escape
from typing import NamedTuple

from nicegui import ui
from starlette.requests import Request

from hub.console._access import SIGN_IN
from hub.console.desk._guard import admitted, shown_by
from hub.console.desk.operation_texts import OPERATION
from hub.console.desk.services import DeskServices
from hub.console.desk.texts import TEXTS
from hub.console.language import COOKIE, Language, choose
from hub.console.texts import TEXTS as COMMON
from hub.core.errors import HubError, Invalid
from hub.core.ports import Shown
from hub.core.rights import Action, Caller

logger = logging.getLogger(__name__)

NAVIGATION: tuple[tuple[str, str, Action], ...] = (
    ("/", "overview", Action.READ),
    ("/devices", "devices", Action.READ),
    ("/charts", "charts", Action.READ),
    ("/inbox", "inbox", Action.RAW),
    ("/import", "imports_page", Action.IMPORT),
    ("/quarantine", "quarantine", Action.RAW),
    ("/accounting", "accounting", Action.OPERATE),
    ("/corrections", "corrections", Action.CORRECT),
    ("/bench", "bench", Action.RAW),
    ("/people", "people", Action.ACCESS),
    ("/audit", "audit", Action.AUDIT),
)
STYLE = """
body { background: #f3f6f8; color: #16202a; font: 15px/1.45 system-ui, "Noto Sans", sans-serif; }
.nicegui-content { padding: 0; gap: 0; align-items: stretch; }
.desk-top { display: flex; gap: .5rem 1.2rem; align-items: center; background: #10324f; padding: .6rem 1rem; }
.desk-top { flex-wrap: wrap; }
.desk-top a, .desk-top span { color: #fff; text-decoration: none; }
.desk-top a[aria-current=page] { border-bottom: 3px solid #fff; font-weight: 700; }
.desk-top .space { flex: 1; }
.desk-top nav { flex-basis: 100%; }
.desk-leave { background: none; border: 1px solid #fff; border-radius: 4px; color: #fff; padding: .1rem .6rem; }
.desk-main { padding: 1rem; width: 100%; max-width: 110rem; margin: 0 auto; }
.desk-main h1 { font-size: 1.4rem; line-height: 1.3; margin: 0 0 .6rem; font-weight: 700; }
.desk-main h2 { font-size: 1.1rem; line-height: 1.3; margin: 1rem 0 .4rem; font-weight: 700; }
.desk-row { display: flex; gap: .8rem; align-items: center; flex-wrap: wrap; }
.desk-sim { margin: 0; padding: .6rem 1rem; background: #ffdfae; color: #3a1a00; border-bottom: 3px solid #8a3500; }
.desk-note { color: #4a5763; }
.desk-table { border-collapse: collapse; width: 100%; background: #fff; }
.desk-table th, .desk-table td { text-align: left; vertical-align: top; }
.desk-table th, .desk-table td { border: 1px solid #cdd5dc; padding: .35rem .5rem; }
.desk-table td { overflow-wrap: break-word; }
.desk-table td:first-child, .desk-table td:last-child { min-width: 5.5rem; }
"""


class Visit(NamedTuple):
    """One opened page."""

    desk: DeskServices
    shown: Shown
    caller: Caller
    language: Language
    path: str

    def t(self, key: str, **fields: object) -> str:
        """A text of the desk."""
        return (TEXTS.get(key) or OPERATION[key])[self.language].format(**fields)

    def may(self, action: Action) -> bool:
        """Whether to show it; `act` decides."""
        return self.caller.may(action)

    async def act(self, action: Action, work: Callable[[Caller], Awaitable[None]]) -> None:
        """Do something as whoever this is now; what goes wrong becomes a notice."""
        with ui.context.client:  # the page itself: what was clicked may be gone from it once the work is done
            await self._acted(action, work)

    async def _acted(self, action: Action, work: Callable[[Caller], Awaitable[None]]) -> None:
        try:
            caller = await asyncio.to_thread(admitted, self.desk.gate, self.shown)
            if caller is None:
                ui.notify(self.t("ended"), type="negative")
                ui.run_javascript(f"location.assign('{SIGN_IN}')")
            elif not caller.may(action):
                ui.notify(self.t("refused"), type="negative")
            else:
                await work(caller)
        except Invalid as error:
            ui.notify(str(error), type="negative", timeout=10_000)
        except HubError as error:
            logger.warning("desk %s: %s", self.path, error)
            ui.notify(str(error), type="warning", timeout=10_000)
        except Exception:
            logger.exception("desk %s", self.path)
            ui.notify(self.t("failed"), type="negative")


async def visit(desk: DeskServices, request: Request, path: str) -> Visit | None:
    """Who opens a page; None when the session ended in between."""
    shown = shown_by(request)
    caller = await asyncio.to_thread(admitted, desk.gate, shown)
    if caller is None:
        return None
    wish, cookie = request.query_params.get("lang"), request.cookies.get(COOKIE)
    language = choose(wish, cookie or caller.language or None, request.headers.get("accept-language"))
    return Visit(desk, shown, caller, language, path)


def frame(v: Visit, *, simulated: bool) -> ui.element:
    """Head, banner and navigation; returns the element that takes the page's own content."""
    ui.add_css(STYLE)
    here = next(key for path, key, _ in NAVIGATION if path == v.path)
    ui.page_title(f"{v.t(here)} · {v.desk.console.city_title.get(v.language, '')}")
    page = ui.context.client.content.parent_slot
    if page is not None:
        page.parent.props("role=presentation")  # Quasar's page is a <main>; ours begins below the navigation
    with ui.element("header").classes("desk-top").props("role=banner"):
        home = escape(v.desk.console.city_title.get(v.language, "Cityhub"))
        ui.html(f'<a href="/" title="{escape(v.t("home"))}">{home}</a>', sanitize=False)  # ui.link stays below /desk
        ui.element("span").classes("space")
        links = [("/field", v.t("field"))] if v.may(Action.DEVICES) else []
        for to, words in [*links, ("/account", v.caller.title)]:
            ui.html(f'<a href="{to}">{escape(words)}</a>', sanitize=False)
        leave = f'<form method="post" action="/sign-out"><button class="desk-leave">{v.t("leave")}</button></form>'
        ui.html(leave, sanitize=False)
        other = "en" if v.language == "cs" else "cs"
        ui.link(v.t("other_language"), f"{v.path}?lang={other}").props(f"lang={other}")
        with ui.element("nav").classes("desk-row").props(f'aria-label="{v.t("navigation")}"'):
            for path, key, action in NAVIGATION:
                if v.may(action):
                    link = ui.link(v.t(key), path)
                    if path == v.path:
                        link.props("aria-current=page")
    if simulated:
        words = escape(COMMON["simulated_banner"][v.language])
        ui.html(f'<p class="desk-sim" role="status"><strong>{words}</strong></p>', sanitize=False)
    main = ui.element("main").classes("desk-main")
    with main:
        heading(v.t(here), 1)
    return main


def heading(text: str, level: int = 2) -> None:
    """A heading of the page's outline."""
    ui.html(escape(text), sanitize=False, tag=f"h{level}")


def table(head: list[str], rows: list[list[str]]) -> None:
    """A plain table; what stands in it is escaped."""
    th = "".join(f'<th scope="col">{escape(cell)}</th>' for cell in head)
    body = "".join("<tr>" + "".join(f"<td>{escape(cell)}</td>" for cell in row) + "</tr>" for row in rows)
    words = f'<table class="desk-table"><thead><tr>{th}</tr></thead><tbody>{body}</tbody></table>'
    ui.html(words, sanitize=False).classes("w-full")
