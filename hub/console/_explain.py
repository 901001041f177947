# SPDX-License-Identifier: EUPL-1.2
"""What the page `/values/{indicator}/{place}/{start}` shows: how one value arose, down to the readings."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from hub.console._values import Shown, Speaker
from hub.console.formats import Formats
from hub.console.language import Language
from hub.console.services import ConsoleServices
from hub.console.texts import FLAG, ORIGIN
from hub.core.errors import HubError, Invalid, NotFound
from hub.core.indicators import IndicatorValue
from hub.core.places import RegistrySnapshot
from hub.core.ports import ReadingStore, ValueQuery
from hub.core.readings import Columns, Origin, Series
from hub.core.windows import parse_instant
from hub.indicators.definition import Definition

MAX_READINGS = 500


class ComponentRow(NamedTuple):
    """What one input gave; `band` is 0 without one."""

    name: str
    value: str
    band: int
    coverage: str
    counted: str


class ReadingRow(NamedTuple):
    """One stored reading of the window."""

    time: str
    device: str
    quantity: str
    value: str
    flag: str
    used: bool
    origin: str


class Reference(NamedTuple):
    """Where the definition comes from."""

    citation: str
    url: str
    uncertain: str


class DefinitionText(NamedTuple):
    """The definition in words: `bands` are (number, label, limit)."""

    title: str
    version: int
    description: str
    bands: Sequence[tuple[int, str, str]]
    references: Sequence[Reference]


class Explanation(NamedTuple):
    """Everything on the page, except for the readings."""

    value: Shown
    components: Sequence[ComponentRow]
    sources: Sequence[Shown]
    revisions: Sequence[Shown]
    definition: DefinitionText | None
    series: Sequence[Series]
    start: int
    end: int


def explain(services: ConsoleServices, language: Language, indicator: str, place: str, start: str) -> Explanation:
    """Gather the page; NotFound when no such value is stored."""
    speaker = Speaker(services, services.registry.snapshot(), Formats(language, services.zone))
    value = _stored(services, indicator, place, start)
    definition = services.definitions.get(indicator)
    return Explanation(
        value=speaker.show(value),
        components=[_component(speaker, definition, value, name) for name in value.components],
        sources=_sources(speaker, definition, value),
        revisions=[speaker.show(r) for r in services.values.revisions(indicator, place, value.start)],
        definition=_definition(definition, speaker.formats) if definition else None,
        series=_series(speaker.registry, definition, value),
        start=value.start,
        end=value.end,
    )


def _stored(services: ConsoleServices, indicator: str, place: str, start: str) -> IndicatorValue:
    try:
        key = (indicator, place, parse_instant(start))
    except Invalid as error:
        raise NotFound(error.detail, "start") from error
    value = services.values.current([key]).get(key)
    if value is None:
        raise NotFound(f"no value of {indicator} at {place} from {start}", "value")
    return value


def _component(speaker: Speaker, definition: Definition | None, value: IndicatorValue, name: str) -> ComponentRow:
    part, digits = value.components[name], definition.precision if definition else 1
    given = definition.inputs.get(name) if definition else None
    return ComponentRow(
        name=speaker.name(name, definition),
        value=speaker.formats.quantity(part.value, part.unit or "", max(digits, 1) if given else digits),
        band=part.band or 0,
        coverage=speaker.formats.percent(part.coverage) if part.n_valid or part.n_expected else "",
        counted=f"{part.n_valid} / {'?' if part.n_expected is None else part.n_expected}" if part.n_valid else "",
    )


def _sources(speaker: Speaker, definition: Definition | None, value: IndicatorValue) -> Sequence[Shown]:
    """Values of the indicators that went in, of this place and those under it, within the window."""
    ledger, found = speaker.services.values, list[IndicatorValue]()
    for source in sorted(definition.sources) if definition else ():
        query = ValueQuery(
            indicator=source, place=value.place, below=True, start=value.start, end=value.end, limit=MAX_READINGS
        )
        found += ledger.values(query)
    return [speaker.show(v) for v in found]


def _series(registry: RegistrySnapshot, definition: Definition | None, value: IndicatorValue) -> Sequence[Series]:
    """What devices mounted at the place in the window measure of what the definition takes."""
    quantities = sorted(definition.quantities) if definition else ()
    return [
        Series(device.id, quantity)
        for device in registry.devices.values()
        if any(
            (m.place == value.place or m.place.startswith(f"{value.place}/"))
            and m.start < value.end
            and (m.end is None or m.end > value.start)
            for m in device.mountings
        )
        for quantity in quantities
    ]


def _definition(definition: Definition, formats: Formats) -> DefinitionText:
    language = formats.language
    bands = [
        (i, str(getattr(band.label, language)), formats.number(band.max) if band.max is not None else "")
        for i, band in enumerate(definition.bands, 1)
    ]
    return DefinitionText(
        title=str(getattr(definition.title, language)),
        version=definition.version,
        description=str(getattr(definition.description, language)) if definition.description else "",
        bands=bands,
        references=[Reference(r.citation, _web(r.url), r.uncertain or "") for r in definition.reference],
    )


def _web(url: str | None) -> str:
    """Only web addresses become links."""
    return url if url and url.startswith(("https://", "http://")) else ""


async def readings_used(store: ReadingStore, page: Explanation) -> Columns | None:
    """Readings of the window; None when the store does not answer."""
    try:
        return await store.scan(page.series, page.start, page.end)
    except HubError:
        return None


def reading_rows(
    services: ConsoleServices, language: Language, indicator: str, readings: Columns
) -> Sequence[ReadingRow]:
    """The first MAX_READINGS readings in words."""
    speaker = Speaker(services, services.registry.snapshot(), Formats(language, services.zone))
    definition = services.definitions.get(indicator)
    counted = set(definition.flags) if definition else set[int]()
    return [_reading(speaker, readings, i, counted) for i in range(min(len(readings), MAX_READINGS))]


def _reading(speaker: Speaker, readings: Columns, i: int, counted: set[int]) -> ReadingRow:
    series, flag, language = readings.series[readings.index[i]], int(readings.flag[i]), speaker.formats.language
    unit = speaker.services.quantities.get(series.quantity).unit
    words: Mapping[Language, str] = FLAG.get(flag, {"cs": str(flag), "en": str(flag)})
    return ReadingRow(
        time=speaker.formats.moment(int(readings.time[i]), seconds=True),
        device=speaker.device(series.device),
        quantity=speaker.quantity(series.quantity),
        value=speaker.formats.quantity(float(readings.value[i]), unit, 3),
        flag=words[language],
        used=flag in counted,
        origin=ORIGIN[Origin(int(readings.origin[i])).word][language],
    )
