# SPDX-License-Identifier: EUPL-1.2
"""Which language a page speaks: `?lang=`, else the cookie of the last choice, else the browser's wish, else Czech."""

from typing import Literal

Language = Literal["cs", "en"]
COOKIE = "cityhub_lang"
_LANGUAGES: tuple[Language, ...] = ("cs", "en")


def choose(query: str | None, cookie: str | None, accept: str | None) -> Language:
    """The language of a request; what is not cs or en is passed over."""
    for wish in (query, cookie, *_accepted(accept or "")):
        for language in _LANGUAGES:
            if wish == language:
                return language
    return "cs"


def _accepted(header: str) -> list[str]:
    """Languages of an Accept-Language header, best first. Slovak readers are served Czech rather than English."""
    ranked: list[tuple[float, int, str]] = []
    for position, part in enumerate(header.split(",")):
        name, _, parameters = part.strip().lower().partition(";")
        language = name.partition("-")[0]
        ranked.append((-_quality(parameters), position, "cs" if language == "sk" else language))
    return [language for quality, _, language in sorted(ranked) if quality < 0]


def _quality(parameters: str) -> float:
    _, _, text = parameters.partition("q=")
    if not text:
        return 1.0
    try:
        return float(text)
    except ValueError:
        return 0.0
