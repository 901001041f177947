# SPDX-License-Identifier: EUPL-1.2
"""One indicator as data: the file's fields, checked one file at a time.

A definition says what is computed, never how: no expressions. What can be wrong in one file alone is found here and
raised as SettingsError naming file and field; what needs the other files is found by `hub.indicators.catalogue`.
docs/adding-an-indicator.md describes every field for its author.
"""

from collections.abc import Callable, Iterator
from typing import Literal

from msgspec import Struct, ValidationError, yaml

from hub.core.errors import Invalid, SettingsError
from hub.core.quantities import Domain
from hub.core.readings import Flag
from hub.core.windows import Calendar, Period, parse_duration
from hub.indicators.formulas import ANY, FORMULAS, ONE, Formula

Level = Literal["site", "part", "municipality"]
Reduction = Literal["mean", "minimum", "maximum", "total", "count_over"]
Spatial = Literal["worst", "mean"]

_LENGTH = {Period.HOUR: 0, Period.DAY: 1, Period.MONTH: 2, Period.YEAR: 3}


class Text(Struct, frozen=True, forbid_unknown_fields=True):
    """Words for people, in both languages."""

    en: str
    cs: str


class Effective(Struct, frozen=True, forbid_unknown_fields=True, rename={"start": "from", "end": "to"}):
    """Dates between which the norm itself is in force; the hub computes the figure for any date."""

    start: str | None = None
    end: str | None = None


class Zone(Struct, frozen=True, forbid_unknown_fields=True):
    """An authority's own calendar, and where it says so."""

    zone: str
    citation: str


class Reference(Struct, frozen=True, forbid_unknown_fields=True):
    """Where the figures of a definition come from; `uncertain` says what could not be verified."""

    citation: str
    url: str | None = None
    effective: str | None = None
    uncertain: str | None = None


class Band(Struct, frozen=True, forbid_unknown_fields=True):
    """Values up to and including `max` (None: the rest) that no band before holds."""

    label: Text
    max: float | None = None
    score: float | None = None
    color: str | None = None


class Input(Struct, frozen=True, forbid_unknown_fields=True):
    """What goes in: a quantity, or another indicator (of the same window and level, or of shorter ones or sites).

    `capture`: share of the expected readings that a step needs. `months` (1 to 12): outside them the input is neither
    used nor missed. `bands`: inclusive upper bounds for formulas that work on bands. `reduce` and `threshold` say how
    shorter windows of an indicator make up this one's. `precision`: decimals to which the input is rounded first.
    """

    quantity: str | None = None
    indicator: str | None = None
    required: bool = True
    capture: float = 0.75
    months: tuple[int, ...] = ()
    bands: tuple[float, ...] = ()
    reduce: Reduction | None = None
    threshold: float | None = None
    precision: int = 6


class Expected(Struct, frozen=True, forbid_unknown_fields=True):
    """An example: with these inputs (null: missing), this comes out. `month` decides where inputs have months."""

    given: dict[str, float | list[float | None] | None]
    value: float | None = None
    band: int | None = None
    status: Literal["final", "insufficient_data"] = "final"
    missing: tuple[str, ...] | None = None
    lower_bound: bool = False
    month: int = 1


class Definition(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A versioned definition. `window` is cut into `step`s for the capture rule (None: the window is one step)."""

    id: str
    version: int
    title: Text
    domain: Domain
    formula: str
    inputs: dict[str, Input]
    unit: str
    window: Period
    reference: tuple[Reference, ...]
    examples: tuple[Expected, ...]
    effective: Effective = Effective()
    description: Text | None = None
    parameters: dict[str, float] = {}
    step: Period | None = None
    capture: float = 0.75
    grace: str = "PT2H"
    precision: int = 1
    calendar: Zone | None = None
    level: Level = "site"
    spatial: Spatial | None = None
    flags: tuple[int, ...] = (Flag.GOOD, Flag.NOT_EVALUATED)
    lower_bound: bool = False
    direction: Literal["lower_is_better", "higher_is_better", "neutral"] = "neutral"
    bands: tuple[Band, ...] = ()
    standing: Literal["official", "illustrative"] = "official"
    visibility: Literal["city", "test"] = "city"

    @property
    def rule(self) -> Formula:
        """The formula itself."""
        return FORMULAS[self.formula]

    @property
    def grace_ns(self) -> int:
        """How long after its end a window waits for late readings."""
        return parse_duration(self.grace)

    def on(self, city: Calendar) -> Calendar:
        """The calendar of its windows: the authority's own, else the city's."""
        return Calendar.of(self.calendar.zone) if self.calendar else city

    @property
    def quantities(self) -> frozenset[str]:
        """Quantities that go in directly."""
        return frozenset(i.quantity for i in self.inputs.values() if i.quantity)

    @property
    def sources(self) -> frozenset[str]:
        """Indicators that go in directly."""
        return frozenset(i.indicator for i in self.inputs.values() if i.indicator)


def parse_definition(text: bytes, name: str) -> Definition:
    """Definition of one YAML file; SettingsError names the file and the field at fault."""
    try:
        definition = yaml.decode(text, type=Definition)
    except ValidationError as error:
        raise SettingsError(name, str(error)) from error
    except Exception as error:  # PyYAML's tree of errors is no business of ours: any of them means unreadable text
        raise SettingsError(name, f"no YAML: {error}") from error
    for field, problem in _problems(definition):
        raise SettingsError(f"{name}: {field}", problem)
    return definition


def _problems(d: Definition) -> Iterator[tuple[str, str]]:
    yield from _plain(d)
    if d.formula not in FORMULAS:
        yield "formula", f"unknown formula {d.formula!r}; there are {', '.join(sorted(FORMULAS))}"
        return
    yield from _arguments(d)
    for name, item in d.inputs.items():
        yield from _input(d, f"inputs.{name}", item)
    yield from _bands(d)
    yield from _examples(d)


def _plain(d: Definition) -> Iterator[tuple[str, str]]:
    if not d.id.replace("_", "a").isalnum() or d.id != d.id.lower() or not d.id.isascii():
        yield "id", f"{d.id!r}: use a-z, 0-9 and _"
    if d.version < 1:
        yield "version", "versions begin with 1"
    if not 0 <= d.capture <= 1:
        yield "capture", f"{d.capture} is no share of 0 to 1"
    if d.step and _LENGTH[d.step] >= _LENGTH[d.window]:
        yield "step", f"{d.step} is not shorter than the window {d.window}"
    if not set(d.flags) <= {Flag.GOOD, Flag.NOT_EVALUATED, Flag.SUSPECT} or not d.flags:
        yield "flags", "only 1 good, 2 not evaluated and 3 suspect can count as valid"
    if not d.reference:
        yield "reference", "say where the definition comes from"
    yield from _readable("grace", lambda: d.grace_ns)
    if d.calendar:
        yield from _readable("calendar.zone", lambda: Calendar.of(d.calendar.zone) if d.calendar else None)


def _readable(field: str, read: Callable[[], object]) -> Iterator[tuple[str, str]]:
    try:
        read()
    except Invalid as error:
        yield field, error.detail


def _arguments(d: Definition) -> Iterator[tuple[str, str]]:
    takes, given = d.rule.arguments, set(d.inputs)
    if not given:
        yield "inputs", "there must be at least one"
    if takes == ONE and len(given) != 1:
        yield "inputs", f"formula {d.formula} takes exactly one input, not {', '.join(sorted(given))}"
    if takes not in (ANY, ONE):
        for name in sorted(given - set(takes)):
            yield f"inputs.{name}", f"formula {d.formula} has no parameter {name!r}: it takes {', '.join(takes)}"
        for name in sorted(set(takes) - given):
            yield "inputs", f"formula {d.formula} needs the input {name!r}"
    for name in sorted(set(d.parameters) ^ d.rule.parameters):
        yield f"parameters.{name}", f"formula {d.formula} takes {', '.join(sorted(d.rule.parameters)) or 'none'}"


def _input(d: Definition, field: str, item: Input) -> Iterator[tuple[str, str]]:
    if (item.quantity is None) == (item.indicator is None):
        yield field, "name either a quantity or an indicator"
    if not 0 <= item.capture <= 1:
        yield f"{field}.capture", f"{item.capture} is no share of 0 to 1"
    if any(not 1 <= month <= 12 for month in item.months):
        yield f"{field}.months", "months are 1 to 12"
    if list(item.bands) != sorted(set(item.bands)):
        yield f"{field}.bands", f"bounds must grow: {list(item.bands)}"
    if d.rule.of_bands and not item.bands:
        yield f"{field}.bands", f"formula {d.formula} works on bands"
    if (item.reduce == "count_over") != (item.threshold is not None):
        yield f"{field}.threshold", "a threshold belongs to reduce: count_over"
    if item.reduce and item.quantity:
        yield f"{field}.reduce", "a quantity aggregates by its kind; reduce is for indicators"


def _bands(d: Definition) -> Iterator[tuple[str, str]]:
    bounds = [band.max for band in d.bands]
    if any(bound is None for bound in bounds[:-1]):
        yield "bands", "only the last band may be without max"
    known = [bound for bound in bounds if bound is not None]
    if known != sorted(set(known)):
        yield "bands", f"not monotone: {known} must grow"
    scores = [band.score for band in d.bands if band.score is not None]
    if scores and d.direction != "neutral":
        ordered = sorted(set(scores), reverse=d.direction == "lower_is_better")
        if scores != ordered or len(scores) != len(d.bands):
            yield "bands", f"scores must be given for all and follow {d.direction}: {scores}"
    if len({len(item.bands) for item in d.inputs.values() if item.bands}) > 1:
        yield "inputs", "all inputs need the same number of bands"


def _examples(d: Definition) -> Iterator[tuple[str, str]]:
    if not d.examples:
        yield "examples", "at least one example is needed: it is the test of the definition"
    for i, example in enumerate(d.examples):
        if unknown := set(example.given) - set(d.inputs):
            yield f"examples[{i}].given", f"no input {', '.join(sorted(unknown))}; there are {', '.join(d.inputs)}"
        if (example.value is None) != (example.status == "insufficient_data"):
            yield f"examples[{i}]", "either a value, or status: insufficient_data"
