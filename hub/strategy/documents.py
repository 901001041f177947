# SPDX-License-Identifier: EUPL-1.2
"""Strategy documents as text: YAML or JSON in, YAML out, and the checks in between. Pure.

A document is taken whole or refused whole, with all its faults, each by its field. Reading what was written gives the
same document again, and writing what was read gives the same text again from then on. What can be right but looks odd
(an indicator that has no values at a place of that level) is a warning: it does not refuse.
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from difflib import get_close_matches

import msgspec
from msgspec import Struct, yaml

from hub.core.errors import Invalid
from hub.core.places import Place, PlaceKind
from hub.core.strategies import Aim, IndicatorFacts, Node, Placed, Statistic, Strategy, Target, nodes_of, targets_of
from hub.strategy._text import read_yaml

RESERVED = frozenset({"fulfilment", "coverage"})  # paths of the API beside those of single strategies
MOST_SHOWN = 20
SMALLEST, LARGEST = 1e-12, 1e15  # a target or a budget beyond these is a slip of the keyboard
FIRST, LAST = date(1900, 1, 1), date(2199, 12, 31)
Fault = tuple[str, str]


class Known(Struct, frozen=True):
    """Against what references are checked: indicators and places by id, and ids of the strategies that there are."""

    indicators: Mapping[str, IndicatorFacts]
    places: Mapping[str, Place]
    strategies: frozenset[str] = frozenset()


def parse_yaml(text: str, file: str = "") -> Strategy:
    """A document from YAML; Invalid names file and field."""
    return _converted(read_yaml(text, file or "the document"), file)


def parse_json(text: bytes, file: str = "") -> Strategy:
    """A document from JSON; Invalid names file and field."""
    try:
        plain = msgspec.json.decode(text)
    except (msgspec.DecodeError, RecursionError) as error:
        raise Invalid(f"no JSON: {error}", file or None) from error
    return _converted(plain, file)


def write_yaml(strategy: Strategy) -> str:
    """The document as YAML, fields in the order of the model; what says nothing is left out."""
    return yaml.encode(strategy).decode()


def write_json(strategy: Strategy) -> str:
    """The document as JSON, as the ledger keeps it."""
    return msgspec.json.encode(strategy).decode()


def check(strategy: Strategy, known: Known, file: str = "") -> Sequence[str]:
    """Raise Invalid with all faults of the document, or return warnings."""
    faults = [*_own_faults(strategy), *_foreign_faults(strategy, known)]
    if faults:
        raise refusal(faults, file)
    return [f"{field}: {words}" for field, words in _doubts(strategy, known)]


def refusal(faults: Sequence[Fault], file: str) -> Invalid:
    """One error for several faults: the first is its place, the others follow."""
    (field, detail), *others = faults
    more = [f"{name}: {words}" for name, words in others[: MOST_SHOWN - 1]]
    if len(others) >= MOST_SHOWN:
        more.append(f"and {len(others) - MOST_SHOWN + 1} more")
    return Invalid("; ".join([detail, *more]), f"{file}: {field}" if file else field)


def _converted(plain: object, file: str) -> Strategy:
    try:
        return msgspec.convert(plain, Strategy)
    except msgspec.ValidationError as error:
        detail, _, path = str(error).partition(" - at ")
        field = path.strip("`").removeprefix("$.").removeprefix("$") or "the document"
        raise Invalid(detail, f"{file}: {field}" if file else field) from error


def _own_faults(strategy: Strategy) -> Iterator[Fault]:
    if strategy.id in RESERVED:
        yield "id", f"{strategy.id!r} is a word of the API: take another id"
    seen: dict[str, str] = {}
    for field, node in nodes_of(strategy):
        yield from _of_node(field, node, strategy)
        yield from _repeated(_at(field, "id"), node.id, seen)
    for placed in targets_of(strategy):
        yield from _repeated(f"{placed.field}.id", placed.target.id, seen)
        yield from _of_target(placed, strategy)


def _at(field: str, name: str) -> str:
    return f"{field}.{name}" if field else name


def _repeated(field: str, id_: str, seen: dict[str, str]) -> Iterator[Fault]:
    first = seen.setdefault(id_, field)
    if first != field:
        yield field, f"{id_!r} stands at {first} already: ids are unique within a document"


def _of_node(field: str, node: Node, strategy: Strategy) -> Iterator[Fault]:
    yield from _off(_at(field, "valid_from"), node.valid_from)
    yield from _off(_at(field, "valid_to"), node.valid_to)
    if node.valid_from and node.valid_to and node.valid_from > node.valid_to:
        yield _at(field, "valid_to"), f"{node.valid_to} is before valid_from ({node.valid_from})"
    if node.budget is not None:
        for name in ("planned", "spent"):
            amount = getattr(node.budget, name)
            if amount is not None and _wild(amount):
                yield _at(field, f"budget.{name}"), f"{amount:g} CZK is beyond all bounds"
    if node is strategy and strategy.id in (strategy.predecessor, strategy.successor):
        yield "predecessor" if strategy.predecessor == strategy.id else "successor", "is the strategy itself"


def _off(field: str, day: date | None) -> Iterator[Fault]:
    if day is not None and not FIRST <= day <= LAST:
        yield field, f"{day} is not between {FIRST} and {LAST}; leave out what is not known"


def _of_target(placed: Placed, strategy: Strategy) -> Iterator[Fault]:
    target, at = placed.target, placed.field
    numbers = {"value": target.value, "lo": target.lo, "hi": target.hi}
    wanted = ("lo", "hi") if target.aim is Aim.REACH_BAND else ("value",)
    for name, number in numbers.items():
        if (number is not None) != (name in wanted):
            yield f"{at}.{name}", f"{'is missing' if name in wanted else 'has no place here'} with aim {target.aim}"
        elif number is not None and _wild(number):
            yield f"{at}.{name}", f"{number:g} is beyond all bounds"
    if target.lo is not None and target.hi is not None and target.lo > target.hi:
        yield f"{at}.hi", f"{target.hi:g} is below lo ({target.lo:g})"
    if target.standing == "official" and target.source is None:
        yield f"{at}.source", "is missing: an official target names the document in which it stands"
    yield from _off(f"{at}.date", target.date)
    yield from _of_baseline(target, at)
    if strategy.valid_from and target.date < strategy.valid_from:
        yield f"{at}.date", f"{target.date} is before the strategy begins ({strategy.valid_from})"


def _wild(number: float) -> bool:
    return number != 0 and not SMALLEST <= abs(number) <= LARGEST  # NaN too


def _of_baseline(target: Target, at: str) -> Iterator[Fault]:
    base = target.baseline
    if base is None:
        return
    if _wild(base.value):
        yield f"{at}.baseline.value", f"{base.value:g} is beyond all bounds"
    yield from _off(f"{at}.baseline.date", base.date)
    if base.date >= target.date:
        yield f"{at}.baseline.date", f"{base.date} is not before the target's date ({target.date})"


def _foreign_faults(strategy: Strategy, known: Known) -> Iterator[Fault]:
    for placed in targets_of(strategy):
        for name, id_, there in (
            ("indicator", placed.target.indicator, known.indicators),
            ("place", placed.target.place, known.places),
        ):
            if id_ not in there:
                yield f"{placed.field}.{name}", f"no {name} {id_!r}{_near(id_, there)}"


def _near(id_: str, there: Mapping[str, object]) -> str:
    near = get_close_matches(id_, there, 3, 0.5)
    return f"; did you mean {', '.join(near)}?" if near else ""


_LEVELS = {
    PlaceKind.MUNICIPALITY: "municipality",
    PlaceKind.PART: "part",
    PlaceKind.FACILITY: "site",
    PlaceKind.SITE: "site",
}
_SHORT = frozenset({"PT1H", "P1D"})
_AGAINST = {("lower_is_better", Aim.INCREASE), ("higher_is_better", Aim.DECREASE)}


def _doubts(strategy: Strategy, known: Known) -> Iterator[Fault]:
    for name in ("predecessor", "successor"):
        other = getattr(strategy, name)
        if other is not None and other not in known.strategies:
            yield name, f"strategy {other!r} is not in the ledger"
    for placed in targets_of(strategy):
        target = placed.target
        facts, level = known.indicators[target.indicator], _LEVELS[known.places[target.place].kind]
        if facts.level != level:
            words = f"{target.indicator} has values of level {facts.level}; {target.place} is of level {level}"
            yield f"{placed.field}.place", words
        if target.statistic is Statistic.NEWEST and facts.window in _SHORT:
            words = f"a single window of {facts.window} counts; `statistic: year_mean` takes the mean of a year"
            yield f"{placed.field}.statistic", words
        if (facts.direction, target.aim) in _AGAINST:
            yield f"{placed.field}.aim", f"{target.aim}, but of {target.indicator} {facts.direction.replace('_', ' ')}"
        if target.baseline is None:
            yield f"{placed.field}.baseline", "is missing: progress cannot be judged, only whether it is reached"
        if strategy.valid_to and target.date > strategy.valid_to:
            yield f"{placed.field}.date", f"{target.date} is after the strategy ends ({strategy.valid_to})"
