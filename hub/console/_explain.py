# SPDX-License-Identifier: EUPL-1.2
"""What the page `/values/{indicator}/{place}/{start}` shows: how one value arose, down to the readings.

What decided an index is found by the rule of its definition: the inputs whose band is the worst one, or the places
whose value is. Places below are shown as the values that they are, with links, and not as components again.
"""

from collections.abc import Sequence
from typing import NamedTuple

from hub.console._definition import DefinitionText, definition_text
from hub.console._engine_words import NOUNS
from hub.console._values import Shown, Speaker, address, tone
from hub.console.language import Language
from hub.console.services import ConsoleServices
from hub.console.texts import GRADE_NOTE, ORIGIN_NOTE, REVISION, STATUS_NOTE
from hub.core.errors import Invalid, NotFound
from hub.core.indicators import Component, IndicatorValue, Status
from hub.core.places import RegistrySnapshot
from hub.core.ports import ValueQuery
from hub.core.readings import Series
from hub.core.windows import Calendar, Period, parse_instant
from hub.indicators.definition import Definition, Input

MAX_SOURCES = 400  # a year of days, with some places to spare
_STEP_NOUNS = {Period.HOUR: "hours", Period.DAY: "days", Period.MONTH: "months", Period.YEAR: "years"}


class ComponentRow(NamedTuple):
    """What one input gave; `band` is 0 without one, `limits` the span of the band, `decided` that it made the value."""

    name: str
    value: str
    band: int
    label: str
    tone: int
    limits: str
    coverage: str
    counted: str
    decided: bool


class SourceRow(NamedTuple):
    """A value that went in; `decided` that it made the value."""

    value: Shown
    decided: bool


class RevisionRow(NamedTuple):
    """One revision, its number in words."""

    value: Shown
    word: str


class Notes(NamedTuple):
    """What the words beside a value mean; `reason` is empty where the value's lacks say it with figures."""

    status: str
    origin: str
    grade: str
    revision: str
    coverage: str
    reason: str


class Explanation(NamedTuple):
    """Everything on the page, except for the readings. `before` and `after` lead to the neighbouring windows."""

    value: Shown
    around: Sequence[str]
    zone: str
    scale: int
    lower_is_better: bool
    decided: Sequence[str]
    notes: Notes
    components: Sequence[ComponentRow]
    sources: Sequence[SourceRow]
    revisions: Sequence[RevisionRow]
    before: str
    after: str
    definition: DefinitionText | None
    series: Sequence[Series]
    start: int
    end: int
    period: str


def explain(services: ConsoleServices, language: Language, indicator: str, place: str, start: str) -> Explanation:
    """Gather the page; NotFound when no such value is stored."""
    speaker = Speaker.of(services, language)
    value = _stored(services, indicator, place, start)
    definition = services.definitions.get(indicator)
    components = [_component(speaker, definition, value, name) for name in _inputs(definition, value)]
    sources, shown = _sources(speaker, definition, value), speaker.show(value)
    return Explanation(
        value=shown,
        around=speaker.around(place),
        zone=speaker.formats.zone_at(value.start),
        scale=len(definition.bands) if definition and value.unit == "1" else 0,
        lower_is_better=definition is not None and definition.direction == "lower_is_better",
        decided=[f"{c.name} ({c.value})" for c in components if c.decided]
        + [f"{s.value.place} ({s.value.text})" for s in sources if s.decided],
        notes=_notes(definition, value, shown, language),
        components=components,
        sources=sources,
        revisions=[
            RevisionRow(speaker.show(r), REVISION[min(r.revision, 2)][language])
            for r in services.values.revisions(indicator, place, value.start)
        ],
        before=_neighbour(services, definition, value, value.start - 1),
        after=_neighbour(services, definition, value, value.end),
        definition=definition_text(definition, speaker) if definition else None,
        series=_series(speaker.registry, definition, value),
        start=value.start,
        end=value.end,
        period=value.period,
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


def _notes(definition: Definition | None, value: IndicatorValue, shown: Shown, language: Language) -> Notes:
    status = value.status.value
    if value.status is Status.INSUFFICIENT and not value.closed:
        status = "insufficient_open"
    return Notes(
        status=STATUS_NOTE[status][language],
        origin=ORIGIN_NOTE[value.origin.word][language],
        grade=GRADE_NOTE[value.grade.word][language],
        revision=REVISION[min(value.revision, 2)][language],
        coverage=_coverage(NOUNS[_counted(definition)][language], value, language),
        reason="" if all(name in f"{shown.lacks}" for name in shown.missing.split(", ")) else shown.reason,
    )


def _coverage(noun: str, value: IndicatorValue, language: Language) -> str:
    """The figures behind a coverage."""
    n, expected, czech = value.n_valid, value.n_expected, language == "cs"
    if expected is None:
        tail = "kolik se jich čeká, není známo" if czech else "how many are expected is not known"
        return f"{n} {noun}; {tail}"
    return f"{n} z {expected} očekávaných {noun}" if czech else f"{n} of {expected} expected {noun}"


def _counted(definition: Definition | None) -> str:
    """What `n_valid` counts."""
    if definition is None:
        return "windows"
    if definition.spatial:
        return "places"
    if definition.sources:
        return "windows"
    return _STEP_NOUNS[definition.step] if definition.step else "readings"


def _inputs(definition: Definition | None, value: IndicatorValue) -> Sequence[str]:
    """Names of the components that are no places below: those stand among the sources."""
    below = f"{value.place}/"
    return [name for name in value.components if not (definition and definition.spatial and name.startswith(below))]


def _component(speaker: Speaker, definition: Definition | None, value: IndicatorValue, name: str) -> ComponentRow:
    part, digits = value.components[name], definition.precision if definition else 1
    given = definition.inputs.get(name) if definition else None
    return ComponentRow(
        name=speaker.name(name, definition),
        value=speaker.formats.quantity(part.value, part.unit or "", max(digits, 1) if given else digits),
        band=part.band or 0,
        label=speaker.label(definition, part.band),
        tone=tone(definition, part.band),
        limits=_span(speaker, given, part) if given else "",
        coverage=speaker.formats.percent(part.coverage) if part.n_valid or part.n_expected else "",
        counted=speaker.formats.of(part.n_valid, part.n_expected) if part.n_valid or part.n_expected else "",
        decided=bool(
            definition and definition.rule.of_bands and not definition.spatial and part.band and part.band == value.band
        ),
    )


def _span(speaker: Speaker, given: Input, part: Component) -> str:
    """From above which to up to which figure a component's band reaches."""
    if not part.band or not given.bands:
        return ""
    czech, unit = speaker.formats.language == "cs", part.unit or ""
    lower = speaker.formats.number(given.bands[part.band - 2], 3) if part.band > 1 else ""
    upper = speaker.formats.quantity(given.bands[part.band - 1], unit, 3) if part.band <= len(given.bands) else ""
    if not upper:
        lower = speaker.formats.quantity(given.bands[-1], unit, 3)
    words = [f"{'nad' if czech else 'above'} {lower}" if lower else "", f"{'do' if czech else 'up to'} {upper}"]
    return " ".join(words if upper else words[:1]).strip()


def _sources(speaker: Speaker, definition: Definition | None, value: IndicatorValue) -> Sequence[SourceRow]:
    """Values of the indicators that went in, of this place and those under it, within the window."""
    ledger, found = speaker.services.values, list[IndicatorValue]()
    for source in sorted(definition.sources) if definition else ():
        query = ValueQuery(
            indicator=source, place=value.place, below=True, start=value.start, end=value.end, limit=MAX_SOURCES
        )
        found += ledger.values(query)
    worst = definition is not None and definition.spatial == "worst" and value.value is not None
    return [SourceRow(speaker.show(v), worst and v.value == value.value) for v in found]


def _neighbour(services: ConsoleServices, definition: Definition | None, value: IndicatorValue, t: int) -> str:
    """Address of the value whose window holds `t`, empty when there is none."""
    city = Calendar(services.zone)
    start, _ = (definition.on(city) if definition else city).window(t, Period(value.period))
    key = (value.indicator, value.place, start)
    found = services.values.current([key]).get(key)
    return address(found) if found else ""


def _quantities(definition: Definition, value: IndicatorValue) -> Sequence[str]:
    """Quantities that the value takes; one of certain months alone counts where the value knows of it."""
    known = {*value.components, *value.missing}
    return sorted(
        {i.quantity for name, i in definition.inputs.items() if i.quantity and (not i.months or name in known)}
    )


def _series(registry: RegistrySnapshot, definition: Definition | None, value: IndicatorValue) -> Sequence[Series]:
    """What devices mounted at the place in the window measure of what went into the value or is missing."""
    quantities = _quantities(definition, value) if definition else ()
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
