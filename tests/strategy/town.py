# SPDX-License-Identifier: EUPL-1.2
"""A small strategy, and values of its indicators, to change one thing at a time."""

from collections.abc import Sequence
from datetime import date
from typing import Any
from zoneinfo import ZoneInfo

from msgspec.structs import replace

from hub.core.indicators import IndicatorValue, Status
from hub.core.places import Place, PlaceKind
from hub.core.strategies import (
    Aim,
    Area,
    Baseline,
    Bilingual,
    Goal,
    IndicatorFacts,
    Placed,
    Source,
    Standing,
    Strategy,
    Target,
    targets_of,
)
from hub.core.windows import Calendar, Period, parse_label
from hub.strategy.documents import Known
from hub.strategy.fulfilment import Fulfilment, Moment, fulfil

ZONE = ZoneInfo("Europe/Prague")
CALENDAR = Calendar(ZONE)
WORDS = Bilingual(cs="Něco", en="Something")
SOURCE = Source(citation="the adopted document, p. 12")


def target(**changes: Any) -> Target:
    """Up from 20 at the end of 2015 to 40 by the end of 2030."""
    fields: dict[str, Any] = {
        "id": "share-2030",
        "title": WORDS,
        "standing": Standing.OFFICIAL,
        "indicator": "share",
        "place": "havirov",
        "aim": Aim.INCREASE,
        "value": 40.0,
        "date": date(2030, 12, 31),
        "baseline": Baseline(value=20.0, date=date(2015, 12, 31), source="a report"),
        "source": SOURCE,
        **changes,
    }
    return Target(**fields)


def strategy(*targets: Target, **changes: Any) -> Strategy:
    """2016 to 2030, one area, one goal."""
    goal = Goal(id="goal", title=WORDS, standing=Standing.OFFICIAL, targets=targets or (target(),))
    fields: dict[str, Any] = {
        "id": "plan",
        "title": WORDS,
        "standing": Standing.OFFICIAL,
        "scope": WORDS,
        "source": SOURCE,
        "valid_from": date(2016, 1, 1),
        "valid_to": date(2030, 12, 31),
        "areas": (Area(id="area", title=WORDS, standing=Standing.OFFICIAL, goals=(goal,)),),
        **changes,
    }
    return Strategy(**fields)


def value(label: str, number: float | None, period: Period = Period.YEAR, **changes: Any) -> IndicatorValue:
    """A final value of the window that begins at a label such as 2020 or 2020-03-01."""
    start, end = CALENDAR.window(parse_label(label, CALENDAR), period)
    fields: dict[str, Any] = {
        "indicator": "share",
        "place": "havirov",
        "start": start,
        "end": end,
        "period": period.value,
        "value": number,
        "unit": "1",
        "status": Status.INSUFFICIENT if number is None else Status.FINAL,
        "reason": "3 of 12 months" if number is None else None,
        "definition_version": 2,
        "coverage": 0.9,
        "n_valid": 9,
        "n_expected": 10,
        "revision": 1,
        "closed": True,
        "computed_at": end,
        **changes,
    }
    return IndicatorValue(**fields)


def series(**by_year: float | None) -> Sequence[IndicatorValue]:
    """Final values of years, named y2020 and so on."""
    return [value(name[1:], number) for name, number in by_year.items()]


def moment(label: str, **changes: Any) -> Moment:
    """A moment by its label."""
    return Moment(parse_label(label, CALENDAR), ZONE, **changes)


def placed(document: Strategy) -> Placed:
    """The first target."""
    return next(iter(targets_of(document)))


def judged(
    values: Sequence[IndicatorValue], at: str = "2021-06-01", document: Strategy | None = None, **changes: Any
) -> Fulfilment:
    """The first target of a document (one of 2016 to 2030, its target changed) judged."""
    found = document or strategy(target(**changes))
    return fulfil(found, placed(found), values, FACTS, moment(at))


FACTS = IndicatorFacts("1", "P1Y", "social", "municipality", "higher_is_better", {"cs": "Podíl", "en": "Share"})
PLACES = {
    "havirov": Place(id="havirov", kind=PlaceKind.MUNICIPALITY, title={"cs": "Havířov", "en": "Havířov"}),
    "havirov/mesto": Place(id="havirov/mesto", kind=PlaceKind.PART, title={"cs": "Město", "en": "Město"}),
}
KNOWN = Known({"share": FACTS, "shares": replace(FACTS, window="P1D")}, PLACES, frozenset({"plan"}))
