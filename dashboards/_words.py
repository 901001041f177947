# SPDX-License-Identifier: EUPL-1.2
"""Codes in words and colours: ids are never shown to people."""

from collections.abc import Mapping

from dashboards._sdk import dashboard as models
from hub.core.places import Place
from hub.indicators.definition import Definition

STATUS: Mapping[str, tuple[str, str]] = {
    "provisional": ("předběžná", "#8ab8ff"),
    "final": ("konečná", "#3d71d9"),
    "insufficient_data": ("nedostatek dat", "#8e8e8e"),
}
ORIGIN: Mapping[str, tuple[str, str]] = {
    "measured": ("měřeno", "text"),
    "entered": ("zadáno", "text"),
    "imported": ("dovezeno", "text"),
    "simulated": ("SIMULACE", "#ff780a"),
}
LOWER_BOUND: Mapping[str, tuple[str, str]] = {"true": ("dolní mez ≥", "#ff780a"), "false": ("–", "text")}
ABSENT: Mapping[str, tuple[str, str]] = {"": ("–", "text"), "coverage": ("neznámé, číslo vlevo neplatí", "#ff780a")}


def mapping(words: Mapping[str, tuple[str, str]]) -> list[models.ValueMap]:
    """Grafana value mapping of a table code -> (text, colour)."""
    options = {
        code: models.ValueMappingResult(text=text, color=colour, index=i)
        for i, (code, (text, colour)) in enumerate(words.items())
    }
    return [models.ValueMap(options=options)]


def bands(definition: Definition) -> list[models.ValueMap]:
    """Band number -> number and word of the definition, so that colour is never alone."""
    return mapping(
        {str(i): (f"{i} {band.label.cs}", band.color or "text") for i, band in enumerate(definition.bands, 1)}
    )


def title_of(place: Place) -> list[models.DynamicConfigValue]:
    """Properties that show a series under the place's name instead of its id."""
    return [models.DynamicConfigValue(id_val="displayName", value=place.title["cs"])]
