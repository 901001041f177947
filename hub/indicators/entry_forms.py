# SPDX-License-Identifier: EUPL-1.2
"""Entered figures as people write them, checked against their definitions. Pure.

A figure belongs to exactly one window of its definition, on the definition's own calendar, at a place of its level. It
counts rounded to the definition's precision, and whoever enters more digits is told. Indicators and places go by their
id or by their title, because ids are never shown to people.
"""

import math
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, date, datetime
from typing import NamedTuple

import numpy as np

from hub.core.entries import Draft, optional_text, required_text
from hub.core.errors import Invalid
from hub.core.places import Place, PlaceKind
from hub.core.readings import NS
from hub.core.windows import Calendar, Period, parse_label
from hub.indicators.catalogue import Catalogue
from hub.indicators.definition import Definition
from hub.indicators.rounding import half_up

FIRST_YEAR = 1900
LARGEST = 1e15  # beyond it a double does not hold every whole number with its decimals
YEARS_AHEAD = 5  # budgets and outlooks are entered ahead; the bound is the hub's own, against misprints
LEVELS: Mapping[str, frozenset[PlaceKind]] = {
    "site": frozenset({PlaceKind.SITE, PlaceKind.FACILITY}),
    "part": frozenset({PlaceKind.PART}),
    "municipality": frozenset({PlaceKind.MUNICIPALITY}),
}

_LABELS = {Period.DAY: (10, "2025-03-14"), Period.MONTH: (7, "2025-03"), Period.YEAR: (4, "2025")}
_LABEL = re.compile(r"\d{4}(-\d{2}(-\d{2})?)?", re.ASCII)
_MONTH = re.compile(r"(\d{1,2})\s*[./]\s*(\d{4})", re.ASCII)
_PLAIN = re.compile(r"[+-]?\d+(\.\d+)?([eE][+-]?\d{1,3})?", re.ASCII)
_LONGEST_NUMBER = 40


class Form(NamedTuple):
    """A figure as somebody wrote it; `period` is a label, or a date where a spreadsheet had one."""

    indicator: str
    place: str
    period: str | date
    value: str | float
    source: str
    reason: str | None = None
    note: str | None = None
    unit: str | None = None


class Checked(NamedTuple):
    """A figure that may be entered, and what its author should know about it."""

    draft: Draft
    warnings: tuple[str, ...] = ()


def enterable(catalogue: Catalogue) -> Sequence[Definition]:
    """Definitions whose figures people enter."""
    return [d for d in catalogue if d.entered]


def check(form: Form, catalogue: Catalogue, city: Calendar, places: Mapping[str, Place], now: int) -> Checked:
    """The figure as a draft; Invalid names the field at fault and what to do."""
    d = definition_of(form.indicator, catalogue)
    place = place_of(form.place, d, places)
    _check_unit(form.unit, d)
    start, end = window_of(form.period, d, city, now)
    raw = number_of(form.value)
    value = float(half_up(np.array([raw]), d.precision)[0])
    draft = Draft(
        indicator=d.id,
        place=place,
        start=start,
        end=end,
        value=value,
        source=required_text(form.source, "source"),
        reason=optional_text(form.reason, "reason"),
        note=optional_text(form.note, "note"),
    )
    return Checked(draft, tuple(_warnings(raw, draft, d, now)))


def _warnings(raw: float, draft: Draft, d: Definition, now: int) -> Iterator[str]:
    if abs(raw - draft.value) > 1e-6 * 10.0**-d.precision:
        yield f"{raw!r} counts as {draft.value!r}: {d.id} has {d.precision} decimals"
    if draft.end > now:
        yield "the period is not over yet"


def definition_of(name: str, catalogue: Catalogue) -> Definition:
    """The entered definition with this id, or with this title."""
    known = {d.id: d for d in enterable(catalogue)}
    if name.strip() in known:
        return known[name.strip()]
    titled = [d for d in known.values() if _same(name, (d.title.en, d.title.cs))]
    if len(titled) == 1:
        return titled[0]
    if name.strip() in catalogue.definitions:
        raise Invalid(f"{name!r} is computed, not entered; people enter {_listed(known)}", "indicator")
    raise Invalid(f"no indicator {name!r} is entered; people enter {_listed(known)}", "indicator")


def place_of(name: str, d: Definition, places: Mapping[str, Place]) -> str:
    """Id of the place with this id or title, of the level at which the figure is entered."""
    kinds = LEVELS[d.level]
    fitting = {id_: place for id_, place in places.items() if place.kind in kinds}
    if name.strip() in fitting:
        return name.strip()
    titled = [id_ for id_, place in fitting.items() if _same(name, place.title.values())]
    if len(titled) == 1:
        return titled[0]
    if titled:
        raise Invalid(f"{name!r} is the title of several; write one of {_listed(titled)}", "place")
    if name.strip() in places:
        level = " or ".join(sorted(kinds))
        raise Invalid(f"{name!r} is no {level}, for which {d.id} is entered: {_listed(fitting)}", "place")
    raise Invalid(f"no place {name!r}; {d.id} is entered for {_listed(fitting)}", "place")


def _same(text: str, titles: Iterable[str]) -> bool:
    return " ".join(text.split()).casefold() in {title.casefold() for title in titles}


def _listed(names: Sequence[str] | Mapping[str, object]) -> str:
    shown = sorted(names)
    more = f" and {len(shown) - 12} more" if len(shown) > 12 else ""
    return (", ".join(shown[:12]) or "none") + more


def _check_unit(unit: str | None, d: Definition) -> None:
    if unit is not None and unit.strip() not in ("", d.unit):
        raise Invalid(f"{d.id} is entered in {d.unit}, not in {unit.strip()}: convert the figure", "unit")


def window_of(period: str | date, d: Definition, city: Calendar, now: int) -> tuple[int, int]:
    """The window [start, end) that a label names: `2025`, `2025-03` (also 3/2025), `2025-03-14`.

    A date stands for the period that begins on it, because that is what spreadsheets make of a month.
    """
    if d.window not in _LABELS:
        raise Invalid(f"{d.id} has windows of {d.window}; figures of days, months and years can be entered", "period")
    label = _label(period, d.window)
    _check_year(int(label[:4]), now)
    calendar = d.on(city)
    try:
        start = parse_label(label, calendar)
    except Invalid as error:
        raise Invalid(error.detail, "period") from error
    window = calendar.window(start, d.window)
    if window[0] != start:
        raise Invalid(f"{label} does not exist on the calendar of {d.id}", "period")
    return window


def _label(period: str | date, window: Period) -> str:
    length, example = _LABELS[window]
    if isinstance(period, date):
        label = period.isoformat()[:length]
        if period != date.fromisoformat((label + "-01-01")[:10]):
            raise Invalid(f"the day {period.isoformat()} is no whole period: write it like {example}", "period")
        return label
    text = period.strip()
    if (month := _MONTH.fullmatch(text)) and window is Period.MONTH:
        text = f"{month[2]}-{int(month[1]):02d}"
    if not _LABEL.fullmatch(text) or len(text) != length:
        raise Invalid(f"{text[:40]!r} is no period of this indicator: write it like {example}", "period")
    return text


def _check_year(year: int, now: int) -> None:
    last = datetime.fromtimestamp(now // NS, UTC).year + YEARS_AHEAD
    if not FIRST_YEAR <= year <= last:
        raise Invalid(f"{year} is not between {FIRST_YEAR} and {last}", "period")


def label_of(start: int, window: Period | None, calendar: Calendar) -> str:
    """The label of the window that begins at `start`; its date where the period is not known."""
    return (
        datetime.fromtimestamp(start // NS, calendar.zone)
        .date()
        .isoformat()[: 10 if window is None else _LABELS.get(window, (10, ""))[0]]
    )


def number_of(value: str | float) -> float:
    """A finite number; text in plain form, such as -1234.5."""
    if isinstance(value, str):
        text = value.strip()
        if not text:
            raise Invalid("is missing", "value")
        if len(text) > _LONGEST_NUMBER or not _PLAIN.fullmatch(text):
            raise Invalid(f"{text[:_LONGEST_NUMBER]!r} is no number: write it like 1234.5", "value")
        value = float(text)
    if not math.isfinite(value):
        raise Invalid("is not finite", "value")
    if abs(value) >= LARGEST:
        raise Invalid(f"{value:g} is too large: a figure keeps 15 digits at most", "value")
    return float(value)
