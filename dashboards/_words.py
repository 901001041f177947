# SPDX-License-Identifier: EUPL-1.2
"""Codes in words and colours: ids are never shown to people."""

from collections.abc import Mapping, Sequence

from grafana_foundation_sdk.models.dashboard import DynamicConfigValue, ValueMap, ValueMappingResult

from hub.core.places import Place

# European Air Quality Index, 2024 bands. Colours: EEA's own legend of the index.
BANDS: Sequence[tuple[str, str]] = (
    ("Dobrá", "#50f0e6"),
    ("Přijatelná", "#50ccaa"),
    ("Zhoršená", "#f0e641"),
    ("Špatná", "#ff5050"),
    ("Velmi špatná", "#960032"),
    ("Extrémně špatná", "#7d2181"),
)
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


def mapping(words: Mapping[str, tuple[str, str]]) -> list[ValueMap]:
    """Grafana value mapping of a table code -> (text, colour)."""
    options = {
        code: ValueMappingResult(text=text, color=colour, index=i)
        for i, (code, (text, colour)) in enumerate(words.items())
    }
    return [ValueMap(options=options)]


def bands() -> list[ValueMap]:
    """Band number -> number and word, so that colour is never alone."""
    return mapping({str(i): (f"{i} {text}", colour) for i, (text, colour) in enumerate(BANDS, 1)})


def title_of(place: Place) -> list[DynamicConfigValue]:
    """Properties that show a series under the place's name instead of its id."""
    return [DynamicConfigValue(id_val="displayName", value=place.title["cs"])]
