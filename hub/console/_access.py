# SPDX-License-Identifier: EUPL-1.2
"""Guards of pages: the same callers as the API's, by its gate; browsers are sent to the sign-in page.

    caller: Annotated[Caller, Depends(require(Action.DEVICES))]

READ is open to anybody where the API's reads are (loopback); all other actions need somebody who signed in. A form
that changes something must come from a page of the hub itself (see `hub.api.auth`, docs/access.md): the guard refuses
others, so pages need no token of their own. Scripts may show an API key as the password of HTTP Basic.
"""

from collections.abc import Callable
from typing import Annotated
from urllib.parse import quote, urlsplit

from fastapi import Depends, FastAPI, Request, Security
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from fastapi.security import HTTPBasic, HTTPBasicCredentials

from hub.core.ports import Gate, Shown
from hub.core.rights import ANYBODY, Action, Caller

SIGN_IN = "/sign-in"
ACCOUNT = "/account"
COOKIE = "cityhub_session"
SECURE_COOKIE = "__Host-cityhub_session"  # the browser itself refuses it from another host, path or without TLS
_BASIC = HTTPBasic(auto_error=False, realm="cityhub")
_SAFE = frozenset({"GET", "HEAD", "OPTIONS"})


class SignInNeeded(Exception):
    """Nobody is signed in; `next` is where the browser wanted to go."""

    def __init__(self, next_page: str) -> None:
        super().__init__(next_page)
        self.next = next_page


class Refused(Exception):
    """Somebody is signed in, but may not do this."""

    def __init__(self, caller: Caller | None, why: str) -> None:
        super().__init__(why)
        self.caller, self.why = caller, why


def cookie_name(request: Request) -> str:
    """Name of the session's cookie: another one over TLS, so that a page without cannot plant it."""
    return SECURE_COOKIE if request.url.scheme == "https" else COOKIE


def shown_by(request: Request, key: str | None = None) -> Shown:
    """What a request shows of its sender."""
    return Shown(key, request.cookies.get(cookie_name(request)), request.client.host if request.client else "local")


def set_session(request: Request, answer: Response, secret: str, max_age: int | None) -> None:
    """Give the browser a session's cookie; without `max_age` it goes when the browser is closed."""
    secure = request.url.scheme == "https"
    answer.set_cookie(
        cookie_name(request), secret, max_age=max_age, path="/", httponly=True, samesite="lax", secure=secure
    )


def same_origin(request: Request) -> bool:
    """Whether a page of this hub sent the request, as the browser says."""
    site, origin = request.headers.get("sec-fetch-site"), request.headers.get("origin")
    if site is not None:
        return site == "same-origin"
    return origin is not None and urlsplit(origin).netloc.lower() == request.headers.get("host", "").lower()


def local_page(wish: str | None) -> str:
    """Where to go after signing in: a page of this hub, never elsewhere."""
    plain = (wish or "").isascii() and (wish or "").isprintable() and "\\" not in (wish or "")
    if not wish or not plain or not wish.startswith("/") or wish.startswith(("//", SIGN_IN)):
        return "/"
    return wish


def page_caller(
    request: Request, basic: Annotated[HTTPBasicCredentials | None, Security(_BASIC)] = None
) -> Caller | None:
    """Who looks at the page; None when nobody is signed in. Raise Denied, TooManyTries for a wrong key."""
    gate: Gate = request.app.state.gate
    caller = gate.caller(shown_by(request, basic.password if basic else None))
    request.state.caller = caller  # the head of every page says who is signed in, and where they may go
    return caller


PageCaller = Annotated[Caller | None, Depends(page_caller)]


def require(action: Action) -> Callable[[Request, Caller | None], Caller]:
    """The guard of a page that does this: gives the caller, or sends the browser to sign in, or says no."""

    def guard(request: Request, caller: PageCaller) -> Caller:
        gate: Gate = request.app.state.gate
        if caller is None:
            if action is Action.READ and gate.open_reads:
                return ANYBODY
            raise SignInNeeded(_wanted(request))
        if caller.must_change:
            raise SignInNeeded(ACCOUNT)
        if not caller.may(action):
            raise Refused(caller, "role")
        if caller.kind == "person" and request.method not in _SAFE and not same_origin(request):
            raise Refused(caller, "origin")
        return caller

    guard.action = action  # type: ignore[attr-defined]  # read by the test that walks all routes
    guard.opened = action is Action.READ  # type: ignore[attr-defined]  # likewise
    return guard


def everybody() -> None:
    """Marks a page that is open to everybody."""


everybody.action = None  # type: ignore[attr-defined]  # read by the test that walks all routes


def _wanted(request: Request) -> str:
    """The page of a GET; of a form that was sent, the page that it stood on is where to go on."""
    query = f"?{request.url.query}" if request.url.query else ""
    if request.method in _SAFE:
        return f"{request.url.path}{query}"
    return urlsplit(request.headers.get("referer", "")).path or "/"


def install(app: FastAPI, refused_page: Callable[[Request, Refused], HTMLResponse]) -> None:
    """Answer the guards' refusals: to the sign-in page, to the account, or a page that says no."""

    @app.exception_handler(SignInNeeded)
    async def on_sign_in(_: Request, error: SignInNeeded) -> Response:
        to = ACCOUNT if error.next == ACCOUNT else f"{SIGN_IN}?next={quote(error.next, safe='/')}"
        return RedirectResponse(to, 303, headers={"Cache-Control": "no-store"})

    @app.exception_handler(Refused)
    async def on_refused(request: Request, error: Refused) -> Response:
        return refused_page(request, error)
