# SPDX-License-Identifier: EUPL-1.2
"""Sign in, sign out, and one's own account: forms that work without JavaScript.

The password is checked in a worker thread, at most `AT_ONCE` at a time, so that a flood of wrong ones leaves the other
pages alone; whoever comes when `QUEUE` wait is asked to come back. A form counts only from the hub's own pages.
"""

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Annotated

import anyio
from fastapi import APIRouter, Depends, FastAPI, Form, Query, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from hub.console._access import (
    PageCaller,
    Refused,
    SignInNeeded,
    cookie_name,
    everybody,
    install,
    local_page,
    same_origin,
    set_session,
    shown_by,
)
from hub.console._oidc_routes import OIDC_WORDS, oidc_router
from hub.console._pages import Pages
from hub.core.errors import Denied, Invalid, TooManyTries
from hub.core.ports import Gate

if TYPE_CHECKING:
    from hub.console.oidc import SignIn

AT_ONCE, QUEUE = 2, 64
_KEPT_S = 30 * 86_400
ROLES: Mapping[str, Mapping[str, str]] = {
    "technician": {"cs": "technik", "en": "technician"},
    "operator": {"cs": "operátor", "en": "operator"},
    "strategist": {"cs": "stratég", "en": "strategist"},
    "partner": {"cs": "partner", "en": "partner"},
    "viewer": {"cs": "čtenář", "en": "viewer"},
    "admin": {"cs": "správce", "en": "administrator"},
}
WORDS: Mapping[str, Mapping[str, str]] = {
    "sign_in": {"cs": "Přihlášení", "en": "Sign in"},
    "login": {"cs": "Přihlašovací jméno", "en": "Login"},
    "password": {"cs": "Heslo", "en": "Password"},
    "stay": {"cs": "Zůstat přihlášen na tomto zařízení (30 dní)", "en": "Stay signed in on this device (30 days)"},
    "enter": {"cs": "Přihlásit se", "en": "Sign in"},
    "wrong": {"cs": "Jméno nebo heslo nesouhlasí.", "en": "Login or password is wrong."},
    "wait": {"cs": "Příliš mnoho chybných pokusů. Zkuste to za", "en": "Too many wrong tries. Try again in"},
    "busy": {"cs": "Přihlašuje se příliš mnoho lidí. Zkuste to za chvíli.", "en": "Too many sign in. Try again soon."},
    "account": {"cs": "Můj účet", "en": "My account"},
    "roles": {"cs": "Role", "en": "Roles"},
    "leave": {"cs": "Odhlásit se", "en": "Sign out"},
    "change": {"cs": "Změnit heslo", "en": "Change password"},
    "old": {"cs": "Dosavadní heslo", "en": "Present password"},
    "new": {"cs": "Nové heslo (aspoň 12 znaků, třeba několik slov)", "en": "New password (12 characters at least)"},
    "changed": {"cs": "Heslo je změněno; ostatní přihlášení skončila.", "en": "Changed; other sessions have ended."},
    "must": {"cs": "Máte jednorázové heslo. Nejdřív si zvolte vlastní.", "en": "Choose a password of your own first."},
    "weak": {
        "cs": "Nové heslo je krátké, snadno uhodnutelné nebo stejné jako dosavadní. Zvolte aspoň 12 znaků.",
        "en": "The new password is short, easily guessed or the old one. Take 12 characters at least.",
    },
    "sessions": {"cs": "Kde jste přihlášeni", "en": "Where you are signed in"},
    "since": {"cs": "Od", "en": "Since"},
    "seen": {"cs": "Naposledy", "en": "Last used"},
    "browser": {"cs": "Prohlížeč", "en": "Browser"},
    "end_others": {"cs": "Odhlásit všude jinde", "en": "Sign out everywhere else"},
    "refused": {"cs": "Sem nemáte přístup", "en": "You may not do this"},
    "role": {
        "cs": "Vaše role to nedovoluje. Požádejte správce.",
        "en": "Your role does not allow this. Ask the administrator.",
    },
    "origin": {
        "cs": "Formulář nepřišel ze stránek hubu. Otevřete stránku znovu a zkuste to ještě jednou.",
        "en": "The form did not come from the hub's own pages. Open the page again and retry.",
    },
}


class _Door:
    """Lets few passwords be checked at once, and few wait."""

    def __init__(self) -> None:
        self._limiter = anyio.CapacityLimiter(AT_ONCE)

    async def __call__(self, work: "_Work") -> object:
        if self._limiter.statistics().tasks_waiting >= QUEUE:
            raise TooManyTries("busy", 5.0)
        return await anyio.to_thread.run_sync(work, limiter=self._limiter)


class _Work:
    """What is done behind the door."""

    def __init__(self, gate: Gate, what: str, *given: object, **named: object) -> None:
        self._call, self._given, self._named = getattr(gate, what), given, named

    def __call__(self) -> object:
        return self._call(*self._given, **self._named)


def sign_in_router(pages: Pages, oidc: "SignIn | None" = None) -> APIRouter:
    """Routes of the sign-in; open to everybody. `oidc` is a provider that knows people too."""
    routes = APIRouter(include_in_schema=False, dependencies=[Depends(everybody)])
    door = _Door()

    def show(request: Request, template: str, status: int = 200, **context: object) -> HTMLResponse:
        words = {key: row[pages.language(request)] for key, row in {**WORDS, **OIDC_WORDS}.items()}
        via = oidc.title if oidc else ""
        return pages.respond(request, template, status, w=words, via=via, simulated=False, **context)

    @routes.get("/sign-in")
    def form(
        request: Request,
        wish: Annotated[str, Query(alias="next", max_length=2000)] = "/",
        problem: Annotated[str, Query(max_length=40)] = "",
    ) -> HTMLResponse:
        said = problem if oidc and problem in OIDC_WORDS else ""  # what the provider's sign-in ended with
        return show(request, "sign_in.html", next=local_page(wish), login="", problem=said, seconds=0)

    @routes.post("/sign-in")
    async def enter(
        request: Request,
        login: Annotated[str, Form(max_length=200)] = "",
        password: Annotated[str, Form(max_length=1000)] = "",
        kept: Annotated[str, Form(alias="stay", max_length=10)] = "",
        wish: Annotated[str, Form(alias="next", max_length=2000)] = "/",
    ) -> Response:
        def again(problem: str, status: int, seconds: int = 0) -> Response:
            return show(request, "sign_in.html", status, next=local_page(wish), login=login, problem=problem,
                        seconds=seconds)  # fmt: skip

        if not same_origin(request):
            return again("origin", 403)
        gate: Gate = request.app.state.gate
        client, agent = shown_by(request).client, request.headers.get("user-agent", "")
        try:
            secret = await door(_Work(gate, "sign_in", login, password, client=client, agent=agent, kept=bool(kept)))
        except TooManyTries as error:
            return again("wait", 429, int(error.after) + 1)
        except Denied:
            return again("wrong", 401)
        answer = RedirectResponse(local_page(wish), 303, headers={"Cache-Control": "no-store"})
        set_session(request, answer, str(secret), _KEPT_S if kept else None)
        return answer

    @routes.post("/sign-out")
    def leave(request: Request) -> Response:
        answer = RedirectResponse("/sign-in", 303, headers={"Cache-Control": "no-store"})
        cookie = shown_by(request).cookie
        if cookie and same_origin(request):
            gate: Gate = request.app.state.gate
            gate.sign_out(cookie)
            answer.delete_cookie(cookie_name(request), secure=request.url.scheme == "https", httponly=True)
        return answer

    _add_account(routes, pages, door, show)
    if oidc is not None:
        routes.include_router(oidc_router(oidc))
    return routes


def _add_account(routes: APIRouter, pages: Pages, door: _Door, show: Callable[..., HTMLResponse]) -> None:
    """One's own account: password and sessions."""

    def account(request: Request, caller: PageCaller, problem: str = "", status: int = 200) -> Response:
        if caller is None:
            raise SignInNeeded("/account")
        language = pages.language(request)
        roles = [ROLES.get(role, {}).get(language, role) for role in sorted(caller.roles)]
        gate: Gate = request.app.state.gate
        formats = pages.formats(language)
        sessions = [
            (formats.moment(one.began), formats.moment(one.seen), one.agent) for one in gate.sessions(shown_by(request))
        ]
        return show(request, "account.html", status, caller=caller, roles=roles, problem=problem, sessions=sessions)

    @routes.get("/account")
    def own_account(request: Request, caller: PageCaller) -> Response:
        return account(request, caller)

    @routes.post("/account")
    async def change_password(
        request: Request,
        caller: PageCaller,
        old: Annotated[str, Form(max_length=1000)] = "",
        new: Annotated[str, Form(max_length=1000)] = "",
    ) -> Response:
        if not same_origin(request):
            return account(request, caller, "origin", 403)
        try:
            await door(_Work(request.app.state.gate, "change_password", shown_by(request), old, new))
        except Invalid:
            return account(request, caller, "weak", 422)
        except TooManyTries:
            return account(request, caller, "wait", 429)
        except Denied:
            return account(request, caller, "wrong", 401)
        return account(request, caller, "changed")

    @routes.post("/account/sessions")
    def end_others(request: Request, caller: PageCaller) -> Response:
        if not same_origin(request):
            return account(request, caller, "origin", 403)
        if caller is None:
            raise SignInNeeded("/account")
        gate: Gate = request.app.state.gate
        gate.end_others(shown_by(request))
        return RedirectResponse("/account", 303, headers={"Cache-Control": "no-store"})


def install_guards(app: FastAPI, pages: Pages) -> None:
    """Answer what the guards of pages refuse."""

    def refused(request: Request, error: Refused) -> HTMLResponse:
        words = {key: row[pages.language(request)] for key, row in WORDS.items()}
        return pages.respond(request, "refused.html", 403, w=words, why=words[error.why], simulated=False)

    install(app, refused)
