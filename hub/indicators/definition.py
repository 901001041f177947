# SPDX-License-Identifier: EUPL-1.2
"""One indicator as data: the file's fields.

A definition says what is computed, never how: no expressions. What can be wrong in one file alone is found by
`hub.indicators.checks` and raised as SettingsError naming file and field; what needs the other files is found by
`hub.indicators.catalogue`. docs/adding-an-indicator.md describes every field for its author.
"""

from typing import Literal

from msgspec import Struct

from hub.core.quantities import Domain
from hub.core.readings import Flag, Grade
from hub.core.windows import HOUR, Calendar, Period, parse_duration
from hub.indicators.formulas import FORMULAS, Formula
from hub.indicators.formulas.composite import Composite

Level = Literal["site", "part", "municipality"]
Within = Literal[
    "mean", "energetic", "minimum", "maximum", "total", "median", "percentile", "last", "share_over", "share_under",
    "count",
]  # fmt: skip
Reduction = Literal[
    "mean", "weighted_mean", "median", "percentile", "energetic", "minimum", "maximum", "total", "count_over",
    "count_under", "share_over", "share_under",
]  # fmt: skip
Spatial = Literal["worst", "mean", "weighted_mean", "total", "energetic", "population_weighted", "post_stratified"]
Measure = Literal["capture", "suspect_share", "silent_devices"]
Attribute = Literal["population"]

ANY_QUANTITY = "*"
MEMORY = 24 * HOUR  # so long a device that is counted with others counts as one of them after it last spoke


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
    """What goes in: a quantity, another indicator, or an attribute of the place.

    Of all: `aliases` are further names of its column in a table. `months` (1 to 12): outside them the input is neither
    used nor missed. `bands`: inclusive upper bounds for formulas that work on bands. `precision`: decimals to which the
    input is rounded first. `capture`: share of what is expected that must be there.

    Of a quantity: `unit` (UCUM) in which the formula wants it. `within` overrides how the readings of a step become one
    figure; `devices: total` adds the devices of a site up, which otherwise weigh the same. `hours` [from, to) of the
    local day and ISO weekdays `days`: steps that count. `profile`: the formula gets all steps, after as many as fit
    into `before`. `measure` (of quantity "*"): not the readings, but how they came.

    Of an indicator: `reduce` says how its shorter windows make up this one. `carry`: the newest value whose window
    began before this one ends, of the place or the nearest above it.
    """

    quantity: str | None = None
    indicator: str | None = None
    attribute: Attribute | None = None
    aliases: tuple[str, ...] = ()
    required: bool = True
    capture: float = 0.75
    months: tuple[int, ...] = ()
    bands: tuple[float, ...] = ()
    unit: str | None = None
    within: Within | None = None
    threshold: float | None = None
    percentile: float | None = None
    hours: tuple[int, int] | None = None
    days: tuple[int, ...] = ()
    devices: Literal["total"] | None = None
    profile: bool = False
    before: str = "PT0S"
    measure: Measure | None = None
    reduce: Reduction | None = None
    carry: bool = False
    precision: int = 6

    @property
    def before_ns(self) -> int:
        """How much before the window goes in."""
        return parse_duration(self.before)

    @property
    def constant(self) -> bool:
        """Whether it is no observation of the window, and so does not count for its coverage."""
        return self.carry or self.attribute is not None


class Expected(Struct, frozen=True, forbid_unknown_fields=True):
    """An example: with these inputs (null: missing), this comes out. `month` decides where inputs have months."""

    given: dict[str, float | list[float | None] | None]
    value: float | None = None
    band: int | None = None
    status: Literal["final", "insufficient_data"] = "final"
    missing: tuple[str, ...] | None = None
    details: dict[str, float] | None = None
    lower_bound: bool = False
    month: int = 1


class RollUp(Struct, frozen=True, forbid_unknown_fields=True):
    """The same indicator one level up. `formula` takes the one figure; `cap` bounds weights of post-stratification."""

    spatial: Spatial
    capture: float = 0.0
    formula: str = "value"
    parameters: dict[str, float] = {}
    cap: float = 3.0


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
    tables: dict[str, tuple[tuple[float, ...], ...]] = {}
    composite: Composite | None = None
    step: Period | None = None
    capture: float = 0.75
    grace: str = "PT2H"
    precision: int = 1
    calendar: Zone | None = None
    level: Level = "site"
    spatial: Spatial | None = None
    cap: float = 3.0
    roll_up: dict[Literal["part", "municipality"], RollUp] = {}
    min_grade: Literal["reference", "indicative"] | None = None
    trail: int | None = None
    flags: tuple[int, ...] = (Flag.GOOD, Flag.NOT_EVALUATED)
    lower_bound: bool = False
    direction: Literal["lower_is_better", "higher_is_better", "neutral", "target"] = "neutral"
    bands: tuple[Band, ...] = ()
    standing: Literal["official", "illustrative"] = "official"
    visibility: Literal["city", "test"] = "city"

    @property
    def rule(self) -> Formula:
        """The formula itself."""
        return FORMULAS[self.formula]

    @property
    def entered(self) -> bool:
        """Whether people enter its values: nothing is computed then."""
        return not self.inputs

    @property
    def grace_ns(self) -> int:
        """How long after its end a window waits for late readings."""
        return parse_duration(self.grace)

    @property
    def least_grade(self) -> Grade | None:
        """The least grade of devices that are preferred, None: all alike."""
        return None if self.min_grade is None else Grade.of(self.min_grade)

    def on(self, city: Calendar) -> Calendar:
        """The calendar of its windows: the authority's own, else the city's."""
        return Calendar.of(self.calendar.zone) if self.calendar else city

    @property
    def quantities(self) -> frozenset[str]:
        """Quantities that go in directly; ANY_QUANTITY stands for all."""
        return frozenset(i.quantity for i in self.inputs.values() if i.quantity)

    @property
    def sources(self) -> frozenset[str]:
        """Indicators that go in directly."""
        return frozenset(i.indicator for i in self.inputs.values() if i.indicator)

    def takes(self, quantity: str) -> bool:
        """Whether readings of a quantity go in directly."""
        return quantity in self.quantities or ANY_QUANTITY in self.quantities

    def before(self, quantity: str) -> int:
        """How much before a window (ns) readings of a quantity go into it."""
        taking = [i for i in self.inputs.values() if i.quantity in (quantity, ANY_QUANTITY)]
        return max((i.before_ns + (MEMORY if i.devices else 0) for i in taking), default=0)
