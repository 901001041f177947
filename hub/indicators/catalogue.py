# SPDX-License-Identifier: EUPL-1.2
"""All definitions together, in the order of their graph.

The packaged files come first, then the directories that a city names: a new index is a new file, and a file with the
id of a packaged one and a higher version takes its place. `roll_up` adds the same indicator for parts of the city
(`<id>_part`) and the city (`<id>_city`). Everything that can be wrong between files is found at start and raised as
SettingsError naming file and field: unknown quantity, unit or indicator, an id used twice, a circle, windows, levels
or calendars that do not fit together.
"""

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from difflib import get_close_matches
from graphlib import CycleError, TopologicalSorter
from importlib.resources import files
from pathlib import Path

from msgspec import Struct
from msgspec.structs import replace

from hub.core.errors import NotFound, SettingsError, UnknownUnit
from hub.core.quantities import Kind, Quantities
from hub.core.units import Factor
from hub.core.windows import Period
from hub.indicators.checks import parse_definition
from hub.indicators.definition import ANY_QUANTITY, Definition, Input, Text

_RANK = {"site": 0, "part": 1, "municipality": 2}
_WINDOWS = list(Period)
_SUFFIX = {"part": ("_part", " (part of the city)", " (část města)"), "municipality": ("_city", " (city)", " (město)")}
_SUMMED = frozenset({Kind.COUNTER, Kind.INTERVAL_TOTAL})  # a window's total may exceed what one reading can be
_COUNTED = frozenset({"share_over", "share_under", "count", "total"})  # not in the quantity's unit, or a total
_SAME = Factor(1.0, 0.0)


class Catalogue(Struct, frozen=True):
    """Definitions by id, inputs before what depends on them, and kind, unit, domain of every quantity in use.

    `factors`: from the unit an input declares to the canonical one, by (indicator, input). `partials`: indicators whose
    windows count by the share of them that is known. `texts`: the YAML that a definition was read from.
    `ranges`: plausible values of each quantity in use, ends included.
    """

    definitions: Mapping[str, Definition]
    kinds: Mapping[str, Kind]
    units: Mapping[str, str]
    domains: Mapping[str, str] = {}
    factors: Mapping[tuple[str, str], Factor] = {}
    partials: frozenset[str] = frozenset()
    texts: Mapping[str, str] = {}
    ranges: Mapping[str, tuple[float, float]] = {}

    def get(self, indicator: str) -> Definition:
        """The definition with this id; NotFound suggests near names."""
        try:
            return self.definitions[indicator]
        except KeyError:
            near = get_close_matches(indicator, self.definitions, 3, 0.5)
            hint = f"; did you mean {', '.join(near)}?" if near else "; `cityhub indicators list` names them"
            raise NotFound(f"no indicator {indicator!r}{hint}", "indicator") from None

    def __iter__(self) -> Iterator[Definition]:
        return iter(self.definitions.values())

    def using(self, quantity: str) -> Sequence[Definition]:
        """Definitions into which a quantity goes directly."""
        return [d for d in self if d.takes(quantity)]

    def dependants(self, indicator: str) -> Sequence[Definition]:
        """Definitions into which an indicator goes directly."""
        return [d for d in self if indicator in d.sources]

    def input_units(self, d: Definition) -> Mapping[str, str]:
        """Unit of each input of a definition."""
        return {name: self._unit(i) for name, i in d.inputs.items()}

    def _unit(self, item: Input) -> str:
        if item.indicator:
            return self.get(item.indicator).unit
        return item.unit or self.units.get(item.quantity or "", "1")

    def factor(self, d: Definition, name: str) -> Factor:
        """Scale and offset from the unit in which an input is declared to the canonical one."""
        return self.factors.get((d.id, name), _SAME)

    def only(self, indicators: Iterable[str]) -> "Catalogue":
        """These indicators and what they are made of."""
        wanted = {d.id for indicator in indicators for d in self.closure(indicator)}
        return replace(self, definitions={i: d for i, d in self.definitions.items() if i in wanted})

    def plausible(self, d: Definition, name: str, figure: float) -> bool:
        """Whether instruments can give this figure of an input, in the unit that the input declares."""
        item, quantity = d.inputs[name], d.inputs[name].quantity or ""
        if quantity not in self.ranges or item.within in _COUNTED or self.kinds[quantity] in _SUMMED:
            return True
        scale, offset = self.factor(d, name)
        return self.sensible(quantity, figure * scale + offset)

    def sensible(self, quantity: str, value: float) -> bool:
        """Whether a value in the canonical unit is in the quantity's range; nothing is said about NaN."""
        low, high = self.ranges.get(quantity, (-math.inf, math.inf))
        return not (value < low or value > high)

    def closure(self, indicator: str) -> Sequence[Definition]:
        """The indicator and all that it is made of, inputs first."""
        wanted, todo = set[str](), [indicator]
        while todo:
            wanted.add(current := todo.pop())
            todo.extend(self.get(current).sources)
        return [d for d in self if d.id in wanted]


def load_catalogue(quantities: Quantities, directories: Sequence[Path] = ()) -> Catalogue:
    """Packaged definitions and those in `directories` (`*.yaml`), checked as a whole."""
    packaged = sorted(files("hub.indicators").joinpath("definitions").iterdir(), key=lambda f: f.name)
    texts = {f"definitions/{f.name}": f.read_bytes() for f in packaged if f.name.endswith(".yaml")}
    named = {name: parse_definition(text, name) for name, text in texts.items()}
    for directory in directories:
        if not directory.is_dir():
            raise SettingsError("indicators.definitions", f"{directory} is no directory")
        for path in sorted(directory.glob("*.yaml")):
            own = parse_definition(text := path.read_bytes(), str(path))
            named = _without_older(named, str(path), own) | {str(path): own}
            texts[str(path)] = text
    found = {d.id: texts[name].decode() for name, d in named.items()}
    return build_catalogue(list(named.items()), quantities, found)


def _without_older(named: Mapping[str, Definition], name: str, own: Definition) -> dict[str, Definition]:
    """A packaged definition gives way to a city's own of the same id and a higher version."""
    for other, d in named.items():
        if d.id == own.id and other.startswith("definitions/") and own.version <= d.version:
            raise SettingsError(f"{name}: version", f"{own.id} is packaged as version {d.version}: raise it above that")
    return {n: d for n, d in named.items() if d.id != own.id or not n.startswith("definitions/")}


def build_catalogue(
    named: Sequence[tuple[str, Definition]], quantities: Quantities, texts: Mapping[str, str] | None = None
) -> Catalogue:
    """Check definitions against each other; `named` has (file name, definition)."""
    everything = [*named, *((name, up) for name, d in named for up in _rolled_up(d))]
    origin: dict[str, str] = {}
    for name, definition in everything:
        if definition.id in origin:
            raise SettingsError(f"{name}: id", f"{definition.id!r} is taken by {origin[definition.id]}")
        origin[definition.id] = name
    known = {definition.id: definition for _, definition in everything}
    for name, definition in everything:
        for field, problem in _problems(definition, known, quantities):
            raise SettingsError(f"{name}: {field}", problem)
    used = {q for definition in known.values() for q in definition.quantities}
    found = [q for q in quantities if q.id in used or ANY_QUANTITY in used]
    items = [(d, i) for d in known.values() for i in d.inputs.values()]
    return Catalogue(
        _ordered(known, origin),
        {q.id: q.kind for q in found},
        {q.id: q.unit for q in found},
        {q.id: str(q.domain) for q in found},
        _factors(known.values(), quantities),
        frozenset(i.indicator for _, i in items if i.indicator and i.reduce == "weighted_mean"),
        texts or {},
        {q.id: (q.minimum, q.maximum) for q in found},
    )


def _rolled_up(d: Definition) -> Iterator[Definition]:
    below = d.id
    for level in ("part", "municipality"):
        up = d.roll_up.get(level)
        if up is None:
            continue
        suffix, en, cs = _SUFFIX[level]
        yield replace(
            d,
            id=d.id + suffix,
            title=Text(d.title.en + en, d.title.cs + cs),
            formula=up.formula,
            parameters=up.parameters,
            tables={},
            inputs={"below": Input(indicator=below, capture=up.capture)},
            step=None,
            level=level,
            spatial=up.spatial,
            cap=up.cap,
            roll_up={},
            min_grade=None,
            trail=None,
            examples=(),
        )
        below = d.id + suffix


def _factors(definitions: Iterable[Definition], quantities: Quantities) -> Mapping[tuple[str, str], Factor]:
    return {
        (d.id, name): quantities.factor(i.quantity, i.unit)
        for d in definitions
        for name, i in d.inputs.items()
        if i.quantity and i.unit
    }


def _ordered(known: Mapping[str, Definition], origin: Mapping[str, str]) -> Mapping[str, Definition]:
    graph = {id_: sorted(known[id_].sources) for id_ in sorted(known)}
    try:
        return {id_: known[id_] for id_ in TopologicalSorter(graph).static_order()}
    except CycleError as error:
        circle = list(reversed(error.args[1]))
        raise SettingsError(f"{origin[circle[0]]}: inputs", f"circle: {' needs '.join(circle)}") from error


def _problems(d: Definition, known: Mapping[str, Definition], quantities: Quantities) -> Iterable[tuple[str, str]]:
    for name, item in d.inputs.items():
        field = f"inputs.{name}"
        if item.quantity is not None:
            yield from _of_quantity(d, field, item, quantities)
        elif item.indicator is not None and item.indicator not in known:
            yield f"{field}.indicator", f"unknown indicator {item.indicator!r}"
        elif item.indicator is not None and not item.carry:
            yield from _fit(d, field, item, known[item.indicator])


def _of_quantity(d: Definition, field: str, item: Input, quantities: Quantities) -> Iterable[tuple[str, str]]:
    quantity = item.quantity or ""
    if d.level != "site":
        yield f"{field}.quantity", f"quantities go in at level site, not {d.level}"
    if quantity != ANY_QUANTITY and quantity not in quantities:
        near = get_close_matches(quantity, [q.id for q in quantities], 3, 0.6)
        yield f"{field}.quantity", f"unknown quantity {quantity!r}; near: {', '.join(near) or 'none'}"
    elif item.unit is not None:
        try:
            quantities.factor(quantity, item.unit)
        except UnknownUnit as error:
            yield f"{field}.unit", str(error)


def _fit(d: Definition, field: str, item: Input, source: Definition) -> Iterable[tuple[str, str]]:
    longer = _WINDOWS.index(d.window) - _WINDOWS.index(source.window)
    higher = 0 if source.entered else _RANK[d.level] - _RANK[source.level]
    if longer < 0 or higher < 0:
        yield field, f"{source.id} ({source.window}, {source.level}) is coarser than {d.window}, {d.level}"
    if longer > 0 and higher > 0:
        yield field, f"{source.id} differs in window and in level: put an indicator between"
    if (longer > 0) != (item.reduce is not None):
        yield f"{field}.reduce", f"needed where windows differ, and only there: {source.window} in {d.window}"
    if (higher > 0) != (d.spatial is not None):
        yield "spatial", f"needed where levels differ, and only there: {source.level} in {d.level}"
    if d.window is not Period.HOUR and d.calendar != source.calendar:
        yield "calendar", f"must be that of {source.id}"
