# SPDX-License-Identifier: EUPL-1.2
"""To the OpenID provider and back. Whatever goes wrong ends at the sign-in page, which says it, at a clean address.

The provider's answer (with its code) is never shown, kept or logged: the next page has another address.
"""

import logging
from collections.abc import Mapping
from functools import partial
from typing import TYPE_CHECKING, Annotated
from urllib.parse import urlencode

import anyio
from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import RedirectResponse, Response

from hub.console._access import SIGN_IN, everybody, local_page, set_session

if TYPE_CHECKING:
    from hub.console.oidc import SignIn
    from hub.console.oidc._refusals import Refusal

logger = logging.getLogger(__name__)

AT_ONCE, QUEUE = 4, 64
PATH, BACK = f"{SIGN_IN}/oidc", f"{SIGN_IN}/oidc/callback"
_NO_STORE = {"Cache-Control": "no-store", "Referrer-Policy": "no-referrer"}
_ANSWER = ("code", "state", "iss", "error")
OIDC_WORDS: Mapping[str, Mapping[str, str]] = {
    "oidc_via": {"cs": "Přihlásit se přes", "en": "Sign in with"},
    "oidc_away": {
        "cs": "Přihlašovací služba města teď neodpovídá. Zkuste to za chvíli, nebo se přihlaste heslem.",
        "en": "The city's sign-in service does not answer now. Try again soon, or sign in with a password.",
    },
    "oidc_refused": {
        "cs": "Přihlašovací služba města přihlášení odmítla nebo jste je zrušili. Zkuste to znovu.",
        "en": "The city's sign-in service refused, or you cancelled. Try again.",
    },
    "oidc_lost": {
        "cs": "Přihlášení nezačalo v tomto prohlížeči, nebo trvalo déle než 10 minut. Začněte znovu.",
        "en": "The sign-in did not begin in this browser, or took more than 10 minutes. Begin again.",
    },
    "oidc_token": {
        "cs": "Odpověď přihlašovací služby nelze ověřit. Zkuste to znovu; když to nepomůže, řekněte to správci.",
        "en": "The sign-in service's answer cannot be verified. Try again; if that fails, tell the administrator.",
    },
    "oidc_unknown": {
        "cs": "Přihlašovací služba vás zná, ale hub ne. Požádejte správce o účet.",
        "en": "The sign-in service knows you, but the hub does not. Ask the administrator for an account.",
    },
    "oidc_disabled": {
        "cs": "Váš účet v hubu je zablokován. Požádejte správce.",
        "en": "Your account in the hub is disabled. Ask the administrator.",
    },
    "oidc_no_role": {
        "cs": "Přihlašovací služba vám nedává žádnou roli, kterou hub může použít. Požádejte správce.",
        "en": "The sign-in service gives you no role that the hub can use. Ask the administrator.",
    },
}


def oidc_router(sign_in: "SignIn") -> APIRouter:
    """Both routes; open to everybody. What they need is large and loaded only where a provider is set."""
    from hub.console.oidc._refusals import Refusal
    from hub.console.oidc._sign_in import KEPT_S

    routes = APIRouter(include_in_schema=False, dependencies=[Depends(everybody)])
    limiter = anyio.CapacityLimiter(AT_ONCE)

    def check_queue() -> None:
        if limiter.statistics().tasks_waiting >= QUEUE:
            raise Refusal("oidc_away", "too many sign in at once")

    @routes.get(PATH)
    async def leave(request: Request, wish: Annotated[str, Query(alias="next", max_length=2000)] = "/") -> Response:
        redirect = f"{sign_in.public_url or str(request.base_url).rstrip('/')}{BACK}"
        try:
            check_queue()
            work = partial(sign_in.leave, redirect, local_page(wish))
            departure = await anyio.to_thread.run_sync(work, limiter=limiter)
        except Refusal as error:
            return _refused(request, error, wish)
        answer = RedirectResponse(departure.address, 303, headers=_NO_STORE)
        answer.set_cookie(_cookie(request), departure.cookie, max_age=KEPT_S, path="/", httponly=True, samesite="lax",
                          secure=request.url.scheme == "https")  # fmt: skip
        return answer

    @routes.get(BACK)
    async def arrive(request: Request) -> Response:
        shown = {name: request.query_params[name] for name in _ANSWER if name in request.query_params}
        kept, agent = request.cookies.get(_cookie(request), ""), request.headers.get("user-agent", "")
        try:
            check_queue()
            arrival = await anyio.to_thread.run_sync(partial(sign_in.arrive, shown, kept, agent), limiter=limiter)
        except Refusal as error:
            return _refused(request, error, "/")
        answer = RedirectResponse(local_page(arrival.next), 303, headers=_NO_STORE)
        set_session(request, answer, arrival.session, None)
        _forget(request, answer)
        return answer

    return routes


def _refused(request: Request, error: "Refusal", wish: str) -> Response:
    """To the sign-in page, which says why; the log has the reason without what was shown."""
    logger.warning("sign-in by the provider refused (%s): %s", error.code, error)
    query = urlencode({"problem": error.code, "next": local_page(wish)})
    answer = RedirectResponse(f"{SIGN_IN}?{query}", 303, headers=_NO_STORE)
    _forget(request, answer)
    return answer


def _cookie(request: Request) -> str:
    return "__Host-cityhub_oidc" if request.url.scheme == "https" else "cityhub_oidc"


def _forget(request: Request, answer: Response) -> None:
    answer.delete_cookie(_cookie(request), secure=request.url.scheme == "https", httponly=True, samesite="lax")
