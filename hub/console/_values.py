# SPDX-License-Identifier: EUPL-1.2
"""One indicator value in the words of a reader: never a bare number, never an id where there is a name."""

import re
from collections.abc import Sequence
from typing import NamedTuple
from urllib.parse import quote

from hub.console.formats import Formats
from hub.console.language import Language
from hub.console.services import ConsoleServices
from hub.console.texts import GRADE, ORIGIN, STATUS
from hub.core.indicators import IndicatorValue, Status
from hub.core.places import RegistrySnapshot
from hub.core.readings import Origin
from hub.core.windows import format_instant
from hub.indicators.definition import Definition


class Shown(NamedTuple):
    """What a page says about a value. `band` is 0 without one; `code` is the status for style sheets.

    `detail` has the engine's own words for why there is no value, with its figures.
    """

    href: str
    indicator: str
    place: str
    window: str
    text: str
    band: int
    label: str
    code: str
    status: str
    reason: str
    detail: str
    coverage: str
    counted: str
    lower_bound: bool
    missing: str
    origin: str
    simulated: bool
    grade: str
    revision: int
    computed_at: str
    cause: str


class Speaker(NamedTuple):
    """Turns values into words for one request: a reader's formats, and the names as they are now."""

    services: ConsoleServices
    registry: RegistrySnapshot
    formats: Formats

    def show(self, value: IndicatorValue) -> Shown:
        """The words for a value."""
        definition = self.services.definitions.get(value.indicator)
        language = self.formats.language
        missing = ", ".join(self.name(m, definition) for m in value.missing)
        return Shown(
            href=address(value),
            indicator=self.indicator(value.indicator),
            place=self.place(value.place),
            window=self.formats.window(value.start, value.end, value.period),
            text=self.formats.quantity(value.value, value.unit, _digits(definition)),
            band=value.band or 0,
            label=self._label(definition, value.band),
            code=value.status.value,
            status=STATUS[value.status.value][language],
            reason=self._reason(value, missing),
            detail=value.reason or "",
            coverage=self.formats.percent(value.coverage),
            counted=f"{value.n_valid} / {'?' if value.n_expected is None else value.n_expected}",
            lower_bound=value.lower_bound,
            missing=missing,
            origin=ORIGIN[value.origin.word][language],
            simulated=value.origin is Origin.SIMULATED,
            grade=GRADE[value.grade.word][language],
            revision=value.revision,
            computed_at=self.formats.moment(value.computed_at),
            cause=causes(value.cause or "", language),
        )

    def place(self, place: str) -> str:
        """Name of a place."""
        known = self.registry.places.get(place)
        return known.title.get(self.formats.language, place) if known else place

    def device(self, device: str) -> str:
        """Title of a device; its id where it has none."""
        known = self.registry.devices.get(device)
        return known.title or device if known else device

    def indicator(self, indicator: str) -> str:
        """Title of an indicator."""
        definition = self.services.definitions.get(indicator)
        return str(getattr(definition.title, self.formats.language)) if definition else indicator

    def quantity(self, quantity: str) -> str:
        """Title of a quantity."""
        if quantity not in self.services.quantities:
            return quantity
        return self.services.quantities.get(quantity).title.get(self.formats.language, quantity)

    def name(self, code: str, definition: Definition | None) -> str:
        """Title of a component or a missing input, whichever kind of thing its code names."""
        given = definition.inputs.get(code) if definition else None
        if given and given.quantity:
            return self.quantity(given.quantity)
        if given and given.indicator:
            return self.indicator(given.indicator)
        if code in self.registry.places:
            return self.place(code)
        if code in self.services.definitions:
            return self.indicator(code)
        return self.quantity(code)

    def _label(self, definition: Definition | None, band: int | None) -> str:
        if definition is None or band is None or not 1 <= band <= len(definition.bands):
            return ""
        return str(getattr(definition.bands[band - 1].label, self.formats.language))

    def _reason(self, value: IndicatorValue, missing: str) -> str:
        if value.status is not Status.INSUFFICIENT:
            return ""
        if self.formats.language == "cs":
            return f"chybí: {missing}" if missing else "příliš málo platných měření"
        return f"missing: {missing}" if missing else "too few valid readings"


def address(value: IndicatorValue) -> str:
    """Where a value is explained."""
    return f"/values/{quote(value.indicator)}/{quote(value.place)}/{format_instant(value.start)}"


def _digits(definition: Definition | None) -> int:
    return definition.precision if definition else 1


# the engine's causes, joined by commas: (pattern, Czech, English)
_CAUSES: Sequence[tuple[re.Pattern[str], str, str]] = (
    (re.compile(r"late readings"), "pozdní měření", "late readings"),
    (re.compile(r"correction (\d+)"), r"oprava č. \1", r"correction \1"),
    (re.compile(r"definition version (\d+)"), r"verze definice \1", r"definition version \1"),
    (re.compile(r"registry"), "změna v evidenci zařízení", "change of the device registry"),
    (re.compile(r"recompute"), "přepočet", "recompute"),
)


def causes(text: str, language: Language) -> str:
    """The engine's causes in words; one that is not known is shown as it is."""
    return ", ".join(_cause(cause, language) for cause in text.split(", ") if cause)


def _cause(cause: str, language: Language) -> str:
    for pattern, czech, english in _CAUSES:
        if match := pattern.fullmatch(cause):
            return match.expand(czech if language == "cs" else english)
    return cause
