# SPDX-License-Identifier: EUPL-1.2
"""One indicator value in the words of a reader: never a bare number, never an id where there is a name."""

from collections.abc import Sequence
from typing import NamedTuple
from urllib.parse import quote

from hub.console._engine_words import Lack, causes, lacks
from hub.console.formats import Formats
from hub.console.language import Language
from hub.console.services import ConsoleServices
from hub.console.texts import GRADE, ORIGIN, STATUS
from hub.core.indicators import IndicatorValue, Status
from hub.core.places import Device, RegistrySnapshot
from hub.core.ports import ValueQuery
from hub.core.readings import Origin
from hub.core.windows import format_instant
from hub.indicators.definition import Definition


class Shown(NamedTuple):
    """What a page says about a value. `band` is 0 without one; `tone` is its colour, 1 (good) to 6, 0 for none.

    `code` is the status for style sheets. `text` is never a bare dash: without a value it is the status in words.
    `lacks` says with figures why there is no value.
    """

    href: str
    indicator: str
    place: str
    window: str
    text: str
    band: int
    label: str
    tone: int
    code: str
    status: str
    reason: str
    lacks: Sequence[Lack]
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

    @classmethod
    def of(cls, services: ConsoleServices, language: Language) -> "Speaker":
        """A speaker with the registry as it is now."""
        symbols = {quantity.unit: quantity.symbol for quantity in services.quantities}
        return cls(services, services.registry.snapshot(), Formats(language, services.zone, symbols))

    def show(self, value: IndicatorValue) -> Shown:
        """The words for a value."""
        definition = self.services.definitions.get(value.indicator)
        language, status = self.formats.language, STATUS[value.status.value][self.formats.language]
        missing = ", ".join(self.name(m, definition) for m in self._missing(value, definition))
        return Shown(
            href=address(value),
            indicator=self.indicator(value.indicator),
            place=self.place(value.place),
            window=self.formats.window(value.start, value.end, value.period),
            text=status if value.value is None else self.number(value, definition),
            band=value.band or 0,
            label=self.label(definition, value.band),
            tone=tone(definition, value.band),
            code=value.status.value,
            status=status,
            reason=self._reason(value, missing),
            lacks=lacks(value.reason or "", language, lambda code: self.name(code, definition)),
            coverage=self.formats.percent(value.coverage),
            counted=self.formats.of(value.n_valid, value.n_expected),
            lower_bound=value.lower_bound,
            missing=missing,
            origin=ORIGIN[value.origin.word][language],
            simulated=value.origin is Origin.SIMULATED,
            grade=GRADE[value.grade.word][language],
            revision=value.revision,
            computed_at=self.formats.moment(value.computed_at, seconds=True),
            cause=causes(value.cause or "", language),
        )

    def number(self, value: IndicatorValue, definition: Definition | None) -> str:
        """The value with its unit."""
        return self.formats.quantity(value.value, value.unit, definition.precision if definition else 1)

    def _missing(self, value: IndicatorValue, definition: Definition | None) -> Sequence[str]:
        """What a value misses; a lower bound that inherits this from the values below it misses what they miss."""
        if value.missing or not value.lower_bound or definition is None:
            return value.missing
        found: dict[str, None] = {}
        for source in sorted(definition.sources):
            query = ValueQuery(indicator=source, place=value.place, below=True, start=value.start, end=value.end)
            for below in self.services.values.values(query):
                found |= dict.fromkeys(below.missing)
        return list(found)

    def place(self, place: str) -> str:
        """Name of a place."""
        known = self.registry.places.get(place)
        return known.title.get(self.formats.language, place) if known else place

    def around(self, place: str) -> Sequence[str]:
        """Names of the places that a place lies in, the nearest first."""
        known = self.registry.places.get(place)
        parent = known.parent if known else None
        return [self.place(parent), *self.around(parent)] if parent and parent in self.registry.places else []

    def device(self, device: str) -> str:
        """Title of a device; its id where it has none."""
        known = self.registry.devices.get(device)
        return self.named(known)[0] if known else device

    def named(self, device: Device) -> tuple[str, str]:
        """Name and place of a device.

        A device that is called like its site is called so in the reader's language, and its place is then the part of
        the city: the name twice says nothing.
        """
        title, site = device.title or device.id, self.registry.places.get(device.place or "")
        if site is None:
            return title, device.place or "–"
        name, part = self.place(site.id), "".join(self.around(site.id)[:1])
        if title in site.title.values():
            return name, part or "–"
        return title, f"{name}, {part}" if part and part not in name else name

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

    def label(self, definition: Definition | None, band: int | None) -> str:
        """Words of a band."""
        if definition is None or band is None or not 1 <= band <= len(definition.bands):
            return ""
        return str(getattr(definition.bands[band - 1].label, self.formats.language))

    def _reason(self, value: IndicatorValue, missing: str) -> str:
        if value.status is not Status.INSUFFICIENT:
            return ""
        if self.formats.language == "cs":
            return f"chybí: {missing}" if missing else "příliš málo platných měření"
        return f"missing: {missing}" if missing else "too few valid readings"


def tone(definition: Definition | None, band: int | None) -> int:
    """Colour of a band after its score: 1 for 100 (good) to 6 for 0; 0 without a score."""
    if definition is None or band is None or not 1 <= band <= len(definition.bands):
        return 0
    score = definition.bands[band - 1].score
    return 0 if score is None else min(6, max(1, 1 + round((100 - score) / 20)))


def address(value: IndicatorValue) -> str:
    """Where a value is explained."""
    return f"/values/{quote(value.indicator)}/{quote(value.place)}/{format_instant(value.start)}"
