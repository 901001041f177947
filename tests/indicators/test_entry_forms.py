# SPDX-License-Identifier: EUPL-1.2
"""What may be entered: one window, one place of the right level, a finite figure with its document."""

from datetime import date
from typing import Any

import pytest

from hub.core.errors import Invalid
from hub.core.windows import format_instant
from hub.indicators.entry_forms import Form, check, label_of
from tests.indicators.entered import CITY, NOW, PLACES, basis

GOOD = {"indicator": "budget", "place": "havirov", "period": "2025", "value": "1850000000", "source": "Rozpočet 2025"}
BASIS = basis()


def checked(**change: Any) -> Any:
    return check(Form(**{**GOOD, **change}), BASIS.catalogue, CITY, PLACES, NOW)


WINDOWS = {
    "a year": ("budget", "havirov", "2024", "2023-12-31T23:00:00Z", "2024-12-31T23:00:00Z"),
    "the month in which summer time begins": (
        "spent", "havirov", "2025-03", "2025-02-28T23:00:00Z", "2025-03-31T22:00:00Z",
    ),
    "a month as Czech offices write it": ("spent", "havirov", "3/2025", "2025-02-28T23:00:00Z", "2025-03-31T22:00:00Z"),
    "a month as a spreadsheet keeps it": (
        "spent", "havirov", date(2025, 3, 1), "2025-02-28T23:00:00Z", "2025-03-31T22:00:00Z",
    ),
    "a day of 23 hours": (
        "visits", "havirov/mesto/bazen", "2025-03-30", "2025-03-29T23:00:00Z", "2025-03-30T22:00:00Z",
    ),
    "a day of 25 hours": (
        "visits", "havirov/mesto/bazen", "2025-10-26", "2025-10-25T22:00:00Z", "2025-10-26T23:00:00Z",
    ),
}  # fmt: skip


@pytest.mark.parametrize(("indicator", "place", "period", "start", "end"), WINDOWS.values(), ids=WINDOWS)
def test_a_label_is_exactly_one_window_of_the_citys_calendar(
    indicator: str, place: str, period: str | date, start: str, end: str
) -> None:
    draft = checked(indicator=indicator, place=place, period=period).draft
    assert (format_instant(draft.start), format_instant(draft.end)) == (start, end)
    label = label_of(draft.start, BASIS.catalogue.get(indicator).window, CITY)
    assert checked(indicator=indicator, place=place, period=label).draft == draft


REFUSED = {
    "unknown indicator": ({"indicator": "nope"}, "indicator: no indicator 'nope' is entered; people enter budget, sp"),
    "computed indicator": ({"indicator": "budget_share"}, "indicator: 'budget_share' is computed, not entered"),
    "unknown place": ({"place": "brno"}, "place: no place 'brno'; budget is entered for havirov"),
    "place of another level": ({"place": "havirov/mesto"}, "place: 'havirov/mesto' is no municipality, for which"),
    "title of two places": (
        {"indicator": "visits", "period": "2025-01-01", "place": "Bazén"},
        "place: 'Bazén' is the title of several; write one of havirov/mesto/bazen, havirov/sumbark/bazen",
    ),
    "month of a yearly figure": ({"period": "2025-03"}, "period: '2025-03' is no period .* write it like 2025"),
    "year of a monthly figure": ({"indicator": "spent"}, "period: '2025' is no period .* write it like 2025-03"),
    "day in the year": ({"period": date(2025, 3, 1)}, "period: the day 2025-03-01 is no whole period"),
    "no such month": ({"indicator": "spent", "period": "2025-13"}, "period: '2025-13' is no date: month must be"),
    "no such year": ({"period": "0000"}, "period: 0 is not between 1900 and 2031"),
    "far ahead": ({"period": "2032"}, "period: 2032 is not between 1900 and 2031"),
    "no number": ({"value": "about 5"}, "value: 'about 5' is no number: write it like 1234.5"),
    "nothing": ({"value": " "}, "value: is missing"),
    "infinite": ({"value": float("inf")}, "value: is not finite"),
    "too large": ({"value": "1e999"}, "value: is not finite"),
    "more digits than a number keeps": ({"value": 1e15}, "value: 1e.15 is too large: a figure keeps 15 digits"),
    "other unit": ({"unit": "EUR"}, "unit: budget is entered in CZK, not in EUR: convert the figure"),
    "no document": ({"source": " "}, "source: must not be empty"),
}


@pytest.mark.parametrize(("change", "message"), REFUSED.values(), ids=REFUSED)
def test_what_is_wrong_names_its_field_and_the_cure(change: dict[str, Any], message: str) -> None:
    with pytest.raises(Invalid, match=message):
        checked(**change)


def test_indicators_and_places_go_by_their_titles_too() -> None:
    draft = checked(indicator="plánovaný  rozpočet", place="HAVÍŘOV", unit="CZK").draft
    assert (draft.indicator, draft.place) == ("budget", "havirov")


def test_more_digits_than_count_are_rounded_half_up_and_told() -> None:
    found = checked(indicator="welfare", place="Město", value="44.25", period="2026")
    assert found.draft.value == 44.3
    assert found.warnings == ("44.25 counts as 44.3: welfare has 1 decimals", "the period is not over yet")
    assert checked(indicator="welfare", place="Město", value=0.1 + 0.2, period="2025").warnings == ()
