# SPDX-License-Identifier: EUPL-1.2
"""What can be wrong in one definition's file alone; each fault names its field."""

from collections.abc import Callable, Iterator

from msgspec import ValidationError, yaml

from hub.core.errors import Invalid, SettingsError
from hub.core.readings import Flag
from hub.core.windows import HOUR, Calendar, Period
from hub.indicators.definition import ANY_QUANTITY, Definition, Input
from hub.indicators.formulas import ANY, FORMULAS, ONE

LENGTH = {period: rank for rank, period in enumerate(Period)}
MOST_BEFORE = 24 * HOUR

Fault = tuple[str, str]  # field, problem

_THRESHOLD = frozenset({"share_over", "share_under", "count_over", "count_under"})


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


def _problems(d: Definition) -> Iterator[Fault]:
    yield from _plain(d)
    if d.formula not in FORMULAS:
        yield "formula", f"unknown formula {d.formula!r}; there are {', '.join(sorted(FORMULAS))}"
        return
    yield from _arguments(d)
    for name, item in d.inputs.items():
        for field, problem in (*_source(item), *_figures(d, item), *_steps(d, item), *_reduction(item)):
            yield f"inputs.{name}{field}", problem
    if (d.formula == "composite") != (d.composite is not None):
        yield "composite", "it belongs to formula: composite, and only there"
    elif d.composite is not None:
        yield from ((f"composite.{f}" if f else "composite", p) for f, p in d.composite.problems(list(d.inputs)))
    yield from _roll_up(d)
    yield from _bands(d)
    yield from _examples(d)


def _plain(d: Definition) -> Iterator[Fault]:
    if not d.id.replace("_", "a").isalnum() or d.id != d.id.lower() or not d.id.isascii():
        yield "id", f"{d.id!r}: use a-z, 0-9 and _"
    if d.version < 1:
        yield "version", "versions begin with 1"
    if not 0 <= d.capture <= 1:
        yield "capture", f"{d.capture} is no share of 0 to 1"
    if LENGTH[d.window] < LENGTH[Period.HOUR]:
        yield "window", f"{d.window} can be a step only; windows are PT1H, P1D, P1M and P1Y"
    if d.step and LENGTH[d.step] >= LENGTH[d.window]:
        yield "step", f"{d.step} is not shorter than the window {d.window}"
    if not set(d.flags) <= {Flag.GOOD, Flag.NOT_EVALUATED, Flag.SUSPECT} or not d.flags:
        yield "flags", "only 1 good, 2 not evaluated and 3 suspect can count as valid"
    if not d.reference:
        yield "reference", "say where the definition comes from"
    if d.trail is not None and d.trail < 0:
        yield "trail", f"{d.trail} is no number of windows"
    yield from _readable("grace", lambda: d.grace_ns)
    if d.calendar:
        yield from _readable("calendar.zone", lambda: Calendar.of(d.calendar.zone) if d.calendar else None)


def _readable(field: str, read: Callable[[], object]) -> Iterator[Fault]:
    try:
        read()
    except Invalid as error:
        yield field, error.detail


def _arguments(d: Definition) -> Iterator[Fault]:
    takes, given = d.rule.arguments, set(d.inputs)
    if not given and takes:
        yield "inputs", "there must be at least one"
    if takes == ONE and len(given) != 1:
        yield "inputs", f"formula {d.formula} takes exactly one input, not {', '.join(sorted(given))}"
    if takes not in (ANY, ONE):
        for name in sorted(given - set(takes)):
            yield (
                f"inputs.{name}",
                f"formula {d.formula} has no parameter {name!r}: it takes {', '.join(takes) or 'none'}",
            )
        for name in sorted(set(takes) - given - d.rule.optional):
            yield "inputs", f"formula {d.formula} needs the input {name!r}"
    for kind, have, wanted in (("parameters", d.parameters, d.rule.parameters), ("tables", d.tables, d.rule.tables)):
        for name in sorted(set(have) ^ wanted):
            yield f"{kind}.{name}", f"formula {d.formula} takes {', '.join(sorted(wanted)) or 'none'}"
    for name, rows in d.tables.items():
        if not rows or len({len(row) for row in rows}) != 1:
            yield f"tables.{name}", "rows of the same number of figures are needed"


def _source(item: Input) -> Iterator[Fault]:
    if [item.quantity, item.indicator, item.attribute].count(None) != 2:
        yield "", "name either a quantity or an indicator (or an attribute)"
    if (item.quantity == ANY_QUANTITY) != (item.measure is not None):
        yield ".measure", f'a measure belongs to quantity "{ANY_QUANTITY}", and only there'
    for name, given in (("reduce", item.reduce), ("carry", item.carry)):
        if given and not item.indicator:
            yield f".{name}", f"a quantity aggregates by its kind; {name} is for indicators"
    quantity_only = {
        "unit": item.unit, "within": item.within, "hours": item.hours, "days": item.days, "profile": item.profile,
    }  # fmt: skip
    for name, value in quantity_only.items():
        if value and not item.quantity:
            yield f".{name}", f"{name} is for quantities"


def _figures(d: Definition, item: Input) -> Iterator[Fault]:
    if not 0 <= item.capture <= 1:
        yield ".capture", f"{item.capture} is no share of 0 to 1"
    if any(not 1 <= month <= 12 for month in item.months):
        yield ".months", "months are 1 to 12"
    if list(item.bands) != sorted(set(item.bands)):
        yield ".bands", f"bounds must grow: {list(item.bands)}"
    if d.rule.of_bands and not item.bands:
        yield ".bands", f"formula {d.formula} works on bands"


def _steps(d: Definition, item: Input) -> Iterator[Fault]:
    if item.hours and not (all(0 <= hour <= 24 for hour in item.hours) and item.hours[0] != item.hours[1]):
        yield ".hours", "two different hours of the day from 0 to 24 are needed"
    if any(not 1 <= day <= 7 for day in item.days):
        yield ".days", "days are 1 (Monday) to 7"
    if (item.hours or item.days) and d.step is None:
        yield ".hours", "they choose among steps: the definition needs a step"
    yield from ((f".{f}", p) for f, p in _readable("before", lambda: item.before_ns))
    if item.before != "PT0S" and not item.profile:
        yield ".before", "steps before the window are for profiles"
    if item.profile and not (item.before_ns or d.step):
        yield ".profile", "the definition needs a step, or the input something before"
    if item.profile and item.before_ns > MOST_BEFORE:
        yield ".before", f"{item.before} is more than a day"


def _reduction(item: Input) -> Iterator[Fault]:
    ways = {item.reduce, item.within}
    if bool(ways & _THRESHOLD) != (item.threshold is not None):
        yield ".threshold", f"a threshold belongs to reduce: count_over and its like ({', '.join(sorted(_THRESHOLD))})"
    if ("percentile" in ways) != (item.percentile is not None):
        yield ".percentile", "it belongs to within or reduce: percentile, and only there"
    if item.percentile is not None and not 0 <= item.percentile <= 100:
        yield ".percentile", f"{item.percentile} is not between 0 and 100"


def _roll_up(d: Definition) -> Iterator[Fault]:
    if d.roll_up and d.level != "site":
        yield "roll_up", f"it begins at level site, not {d.level}"
    for level, up in d.roll_up.items():
        if up.formula not in FORMULAS:
            yield f"roll_up.{level}.formula", f"unknown formula {up.formula!r}"


def _bands(d: Definition) -> Iterator[Fault]:
    bounds = [band.max for band in d.bands]
    if any(bound is None for bound in bounds[:-1]):
        yield "bands", "only the last band may be without max"
    known = [bound for bound in bounds if bound is not None]
    if known != sorted(set(known)):
        yield "bands", f"not monotone: {known} must grow"
    scores = [band.score for band in d.bands if band.score is not None]
    if scores and d.direction.endswith("is_better"):
        ordered = sorted(set(scores), reverse=d.direction == "lower_is_better")
        if scores != ordered or len(scores) != len(d.bands):
            yield "bands", f"scores must be given for all and follow {d.direction}: {scores}"
    if len({len(item.bands) for item in d.inputs.values() if item.bands}) > 1:
        yield "inputs", "all inputs need the same number of bands"


def _examples(d: Definition) -> Iterator[Fault]:
    if not d.examples and not d.entered:
        yield "examples", "at least one example is needed: it is the test of the definition"
    for i, example in enumerate(d.examples):
        if unknown := set(example.given) - set(d.inputs):
            yield f"examples[{i}].given", f"no input {', '.join(sorted(unknown))}; there are {', '.join(d.inputs)}"
        if (example.value is None) != (example.status == "insufficient_data"):
            yield f"examples[{i}]", "either a value, or status: insufficient_data"
