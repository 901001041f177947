# SPDX-License-Identifier: EUPL-1.2
"""A small catalogue of entered indicators, places, and a table's bytes, for the tests of entered values."""

import io
from datetime import UTC, datetime

import openpyxl  # type: ignore[import-untyped]  # ships no type information

from hub.core.places import Place, PlaceKind
from hub.core.quantities import Quantities
from hub.core.windows import Calendar
from hub.indicators.catalogue import Catalogue, build_catalogue
from hub.indicators.checks import parse_definition
from hub.indicators.entry_import import Basis

NOW = int(datetime(2026, 11, 23, tzinfo=UTC).timestamp()) * 10**9
CITY = Calendar.of("Europe/Prague")

_ENTERED = """
id: {id}
version: {version}
title: {{en: {en}, cs: {cs}}}
domain: social
formula: entered
inputs: {{}}
unit: {unit}
window: {window}
precision: {precision}
level: {level}
direction: {direction}
bands: [{bands}]
reference: [{{citation: example}}]
standing: illustrative
examples: []
"""
_COMPUTED = """
id: budget_share
version: 1
title: {en: Share of the budget that was spent, cs: Čerpání rozpočtu}
domain: social
formula: percentage
inputs:
  part: {indicator: spent, reduce: total, capture: 0}
  whole: {indicator: budget}
unit: "%"
window: P1Y
level: municipality
reference: [{citation: example}]
standing: illustrative
examples: [{given: {part: [1, 1], whole: 4}, value: 50}]
"""
_BANDS = "{max: 50, score: 0, label: {en: bad, cs: špatné}}, {max: 80, score: 50, label: {en: fair, cs: dobré}}"


def definition_text(id_: str, window: str = "P1Y", level: str = "municipality", **more: object) -> str:
    """YAML of an entered definition."""
    fields = {"version": 1, "en": id_.title(), "cs": id_.title(), "unit": "CZK", "precision": 0, "bands": ""}
    return _ENTERED.format(**{**fields, "direction": "neutral", "id": id_, "window": window, "level": level, **more})


TEXTS = (
    definition_text("budget", en="Budget planned", cs="Plánovaný rozpočet"),
    definition_text("spent", "P1M"),
    definition_text("visits", "P1D", "site", unit='"1"'),
    definition_text("welfare", level="part", unit='"%"', precision=1, direction="higher_is_better", bands=_BANDS),
    _COMPUTED,
)


def catalogue(*texts: str) -> Catalogue:
    """The definitions in these texts."""
    named = [(f"{n}.yaml", parse_definition(text.encode(), f"{n}.yaml")) for n, text in enumerate(texts or TEXTS)]
    return build_catalogue(named, Quantities.load())


def _place(id_: str, kind: PlaceKind, cs: str) -> Place:
    return Place(id=id_, kind=kind, title={"cs": cs, "en": cs})


PLACES = {
    place.id: place
    for place in (
        _place("havirov", PlaceKind.MUNICIPALITY, "Havířov"),
        _place("havirov/mesto", PlaceKind.PART, "Město"),
        _place("havirov/sumbark", PlaceKind.PART, "Šumbark"),
        _place("havirov/mesto/bazen", PlaceKind.FACILITY, "Bazén"),
        _place("havirov/sumbark/bazen", PlaceKind.SITE, "Bazén"),
    )
}


def basis() -> Basis:
    """What figures are checked against."""
    return Basis(catalogue(), CITY, PLACES, NOW)


def workbook(*rows: tuple[object, ...], percent: str | None = None) -> bytes:
    """An XLSX of these rows; `percent` is a cell that is shown as a percentage."""
    book = openpyxl.Workbook()
    for row in rows:
        book.active.append(row)
    if percent:
        book.active[percent].number_format = "0 %"
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()
