# SPDX-License-Identifier: EUPL-1.2
"""A definition in words: what it says, the limits of its bands, and where it comes from."""

from collections.abc import Sequence
from typing import NamedTuple

from hub.console._values import Speaker, tone
from hub.indicators.definition import Definition


class Reference(NamedTuple):
    """Where the definition comes from."""

    citation: str
    url: str
    uncertain: str


class Limits(NamedTuple):
    """Upper bounds of one input's bands: (number, label, tone, bound)."""

    name: str
    bounds: Sequence[tuple[int, str, int, str]]


class DefinitionText(NamedTuple):
    """The definition in words: `bands` are (number, label, tone, limit)."""

    title: str
    version: int
    description: str
    illustrative: bool
    test: bool
    bands: Sequence[tuple[int, str, int, str]]
    limits: Sequence[Limits]
    references: Sequence[Reference]


def definition_text(definition: Definition, speaker: Speaker) -> DefinitionText:
    """The words for a definition."""
    language = speaker.formats.language
    return DefinitionText(
        title=str(getattr(definition.title, language)),
        version=definition.version,
        description=str(getattr(definition.description, language)) if definition.description else "",
        illustrative=definition.standing == "illustrative",
        test=definition.visibility == "test",
        bands=_bands(definition, speaker),
        limits=[_limits(definition, speaker, name) for name, given in definition.inputs.items() if given.bands],
        references=[Reference(r.citation, _web(r.url), r.uncertain or "") for r in definition.reference],
    )


def _bands(definition: Definition, speaker: Speaker) -> Sequence[tuple[int, str, int, str]]:
    """The bands with their upper bounds, which go unsaid where they are but the numbers of the bands."""
    plain = all(band.max in {None, float(i)} for i, band in enumerate(definition.bands, 1))
    rows = []
    for i, band in enumerate(definition.bands, 1):
        limit = "" if band.max is None else speaker.formats.quantity(band.max, definition.unit, 3)
        words = "" if plain else _upto(speaker, limit)
        rows.append((i, speaker.label(definition, i), tone(definition, i), words))
    return rows


def _limits(definition: Definition, speaker: Speaker, name: str) -> Limits:
    given = definition.inputs[name]
    unit = speaker.services.quantities.get(given.quantity).unit if given.quantity else definition.unit
    bounds = [*(speaker.formats.quantity(b, unit, 3) for b in given.bands), ""]
    return Limits(
        speaker.name(name, definition),
        [
            (i, speaker.label(definition, i), tone(definition, i), _upto(speaker, bound))
            for i, bound in enumerate(bounds, 1)
        ],
    )


def _upto(speaker: Speaker, bound: str) -> str:
    czech = speaker.formats.language == "cs"
    if bound:
        return f"{'do' if czech else 'up to'} {bound}"
    return "více" if czech else "more"


def _web(url: str | None) -> str:
    """Only web addresses become links."""
    return url if url and url.startswith(("https://", "http://")) else ""
