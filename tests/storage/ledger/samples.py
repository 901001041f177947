# SPDX-License-Identifier: EUPL-1.2
"""Indicator values to store, by the few fields that a test is about."""

from typing import Any

from msgspec.structs import replace

from hub.core.indicators import Component, IndicatorValue, Status
from hub.core.readings import NS, Grade, Origin

HOUR = 3600 * NS

FULL = IndicatorValue(
    indicator="eaqi_2024",
    place="havirov/mesto/thara",
    start=1_700_000_000 * NS + 1,
    end=1_700_003_600 * NS + 1,
    period="PT1H",
    value=0.1 + 0.2,
    unit="1",
    status=Status.FINAL,
    definition_version=3,
    reason="lower bound: o3 is missing",
    band=2,
    score=66.7,
    coverage=1 / 3,
    n_valid=2,
    n_expected=6,
    missing=("o3", "so2"),
    lower_bound=True,
    components={
        "pm10": Component(value=20.311, unit="ug/m3", band=2, coverage=0.928, n_valid=1, n_expected=1),
        "no2": Component(value=None),
    },
    origin=Origin.IMPORTED,
    grade=Grade.INDICATIVE,
    revision=1,
    closed=True,
    computed_at=1_700_010_000 * NS + 7,
    cause="late readings",
)


def value(
    indicator: str = "i", place: str = "havirov", hour: int = 0, number: float | None = 1.0, **more: Any
) -> IndicatorValue:
    """One hour's value; without a number it is insufficient."""
    plain = IndicatorValue(
        indicator=indicator,
        place=place,
        start=hour * HOUR,
        end=(hour + 1) * HOUR,
        period="PT1H",
        value=number,
        unit="ug/m3",
        status=Status.INSUFFICIENT if number is None else Status.PROVISIONAL,
        reason="coverage below 75 %" if number is None else None,
        definition_version=1,
    )
    return replace(plain, **more) if more else plain


def final(number: float = 2.0, revision: int = 1, **more: Any) -> IndicatorValue:
    """A closed value."""
    return value(number=number, revision=revision, status=Status.FINAL, closed=True, **more)
