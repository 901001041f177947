# SPDX-License-Identifier: EUPL-1.2
"""All definitions together, in the order of their graph.

The packaged files come first, then the directories that a city names: a new index is a new file. Everything that can
be wrong between files is found at start and raised as SettingsError naming file and field: unknown quantity or
indicator, an id used twice, a circle, windows, levels or calendars that do not fit together.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from difflib import get_close_matches
from graphlib import CycleError, TopologicalSorter
from importlib.resources import files
from pathlib import Path

from msgspec import Struct

from hub.core.errors import NotFound, SettingsError
from hub.core.quantities import Kind, Quantities
from hub.core.windows import Period
from hub.indicators.definition import Definition, Input, parse_definition

_RANK = {"site": 0, "part": 1, "municipality": 2}
_WINDOWS = list(Period)


class Catalogue(Struct, frozen=True):
    """Definitions by id, inputs before what depends on them, and kind, unit, domain of every quantity in use."""

    definitions: Mapping[str, Definition]
    kinds: Mapping[str, Kind]
    units: Mapping[str, str]
    domains: Mapping[str, str] = {}

    def get(self, indicator: str) -> Definition:
        """The definition with this id; NotFound suggests near names."""
        try:
            return self.definitions[indicator]
        except KeyError:
            near = get_close_matches(indicator, self.definitions, 3, 0.5)
            hint = f"; did you mean {', '.join(near)}?" if near else f"; there are {', '.join(self.definitions)}"
            raise NotFound(f"no indicator {indicator!r}{hint}", "indicator") from None

    def __iter__(self) -> Iterator[Definition]:
        return iter(self.definitions.values())

    def using(self, quantity: str) -> Sequence[Definition]:
        """Definitions into which a quantity goes directly."""
        return [d for d in self if quantity in d.quantities]

    def dependants(self, indicator: str) -> Sequence[Definition]:
        """Definitions into which an indicator goes directly."""
        return [d for d in self if indicator in d.sources]

    def input_units(self, d: Definition) -> Mapping[str, str]:
        """Unit of each input of a definition."""
        return {
            name: self.units[i.quantity] if i.quantity else self.get(i.indicator or "").unit
            for name, i in d.inputs.items()
        }

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
    texts = [(f"definitions/{f.name}", f.read_bytes()) for f in packaged if f.name.endswith(".yaml")]
    for directory in directories:
        if not directory.is_dir():
            raise SettingsError("indicators.definitions", f"{directory} is no directory")
        texts += [(str(path), path.read_bytes()) for path in sorted(directory.glob("*.yaml"))]
    return build_catalogue([(name, parse_definition(text, name)) for name, text in texts], quantities)


def build_catalogue(named: Sequence[tuple[str, Definition]], quantities: Quantities) -> Catalogue:
    """Check definitions against each other; `named` has (file name, definition)."""
    origin: dict[str, str] = {}
    for name, definition in named:
        if definition.id in origin:
            raise SettingsError(f"{name}: id", f"{definition.id!r} is taken by {origin[definition.id]}")
        origin[definition.id] = name
    known = {definition.id: definition for _, definition in named}
    for name, definition in named:
        for field, problem in _problems(definition, known, quantities):
            raise SettingsError(f"{name}: {field}", problem)
    used = {q for definition in known.values() for q in definition.quantities}
    found = {q: quantities.get(q) for q in sorted(used)}
    return Catalogue(
        _ordered(known, origin),
        {q: f.kind for q, f in found.items()},
        {q: f.unit for q, f in found.items()},
        {q: str(f.domain) for q, f in found.items()},
    )


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
            if item.quantity not in quantities:
                near = get_close_matches(item.quantity, [q.id for q in quantities], 3, 0.6)
                yield f"{field}.quantity", f"unknown quantity {item.quantity!r}; near: {', '.join(near) or 'none'}"
            if d.level != "site":
                yield f"{field}.quantity", f"quantities go in at level site, not {d.level}"
        elif item.indicator is None or item.indicator not in known:
            yield f"{field}.indicator", f"unknown indicator {item.indicator!r}"
        else:
            yield from _fit(d, field, item, known[item.indicator])


def _fit(d: Definition, field: str, item: Input, source: Definition) -> Iterable[tuple[str, str]]:
    longer = _WINDOWS.index(d.window) - _WINDOWS.index(source.window)
    higher = _RANK[d.level] - _RANK[source.level]
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
