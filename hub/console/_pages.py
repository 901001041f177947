# SPDX-License-Identifier: EUPL-1.2
"""Templates to HTML responses. Everything is escaped; the pages that only read allow no script at all."""

from collections.abc import Mapping
from hashlib import sha256
from importlib.resources import files

from fastapi import Request
from fastapi.responses import HTMLResponse
from jinja2 import ChoiceLoader, Environment, PackageLoader, StrictUndefined

from hub.console._map import badge
from hub.console.field.texts import words
from hub.console.formats import Formats
from hub.console.language import COOKIE, Language, choose
from hub.console.services import ConsoleServices
from hub.console.texts import TEXTS
from hub.core.rights import Action, Caller

STYLE_PATH = "/console/style.css"
_HEADERS: Mapping[str, str] = {
    "Content-Security-Policy": "default-src 'none'; style-src 'self'; img-src 'self' data:; form-action 'self'; "
    "base-uri 'none'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Cache-Control": "no-store",
}
SCRIPTED = {
    **_HEADERS,
    "Content-Security-Policy": f"{_HEADERS['Content-Security-Policy']}; script-src 'self'; connect-src 'self'",
}
_YEAR = 365 * 86_400


_WAYS = (
    ("/field", Action.DEVICES, {"cs": "Terén", "en": "Field"}),
    ("/field/inbox", Action.RAW, {"cs": "Nová zařízení", "en": "New devices"}),
    ("/desk", Action.AUDIT, {"cs": "Pracoviště", "en": "Desk"}),
    ("/account", Action.READ, {"cs": "Můj účet", "en": "My account"}),
)


def _ways(caller: Caller | None, language: Language) -> list[tuple[str, str]]:
    """Where somebody who signed in may go."""
    if caller is None or caller.kind != "person":
        return []
    return [(path, words[language]) for path, action, words in _WAYS if caller.may(action)]


class Pages:
    """The templates of one hub."""

    def __init__(self, services: ConsoleServices) -> None:
        self._services = services
        self.style = files("hub.console").joinpath("style.css").read_text("utf-8")
        # the address changes with the content, so that browsers may keep it for long
        self._style_href = f"{STYLE_PATH}?v={sha256(self.style.encode()).hexdigest()[:12]}"
        self._environment = Environment(
            loader=ChoiceLoader([PackageLoader("hub.console"), PackageLoader("hub.console.field")]),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        self._environment.globals["badge"] = badge

    def language(self, request: Request) -> Language:
        """Language of a request."""
        wish, cookie = request.query_params.get("lang"), request.cookies.get(COOKIE)
        return choose(wish, cookie, request.headers.get("accept-language"))

    def formats(self, language: Language) -> Formats:
        """How figures and moments are written for this reader."""
        return Formats(language, self._services.zone)

    def respond(self, request: Request, template: str, status: int = 200, **context: object) -> HTMLResponse:
        """A page; a language chosen by ?lang= is remembered."""
        language = self.language(request)
        own = words(language) if template.startswith("field_") else {}
        texts = {**{key: row[language] for key, row in TEXTS.items()}, **own}
        formats, now = Formats(language, self._services.zone), self._services.clock_ns()
        html = self._environment.get_template(template).render(
            t=texts,
            lang=language,
            other="en" if language == "cs" else "cs",
            path=request.url.path,
            city=self._services.city_title.get(language, ""),
            now=formats.moment(now, seconds=True),
            zone=formats.zone_at(now),
            style=self._style_href,
            who=getattr(request.state, "caller", None),
            ways=_ways(getattr(request.state, "caller", None), language),
            **context,
        )
        headers = SCRIPTED if template.startswith("field_") else _HEADERS  # the field pages bring a script of ours
        response = HTMLResponse(html, status, headers={**headers, "Content-Language": language})
        response.headers["Vary"] = "Accept-Language, Cookie"
        if request.query_params.get("lang") == language:
            response.set_cookie(COOKIE, language, max_age=_YEAR, httponly=True, samesite="lax")
        return response
