# SPDX-License-Identifier: EUPL-1.2
"""`/indicators/{indicator}/ranking` and `/indicators/{indicator}/change`: questions about a composite index."""

from collections.abc import Mapping, Sequence
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Path, Query

from hub.api.auth import ServicesDep, reads
from hub.api.params import Time
from hub.api.schemas.composites import ChangeOut, RankingOut
from hub.api.services import Services
from hub.core.errors import NotFound
from hub.core.indicators import IndicatorValue
from hub.core.ports import ValueQuery
from hub.core.windows import format_instant
from hub.indicators.composites import change, composite_of, ranking

router = APIRouter(prefix="/indicators", tags=["indicators"], dependencies=[Depends(reads)])

IndicatorId = Annotated[str, Path(max_length=64, description="Id of a composite index.")]


@router.get("/{indicator}/ranking", response_model=RankingOut, summary="Ranks under a composite index")
def get_ranking(
    services: ServicesDep,
    indicator: IndicatorId,
    start: Annotated[Time | None, Query(description="Start of the window; the newest without it.")] = None,
    draws: Annotated[int, Query(ge=100, le=10_000, description="How many sets of weights are tried.")] = 1000,
    spread: Annotated[float, Query(gt=0, lt=1, description="How far each weight may lie from the one chosen.")] = 0.25,
    seed: Annotated[int, Query(ge=0, le=2**32 - 1, description="The same seed gives the same answer.")] = 2021,
) -> Mapping[str, Any]:
    """Places in order, and how firm their ranks are if the pillars weighed otherwise (seeded Monte Carlo)."""
    d = services.definitions.get(indicator)
    composite_of(d)
    return ranking(d, _of_window(services, indicator, start), draws=draws, spread=spread, seed=seed)


@router.get("/{indicator}/change", response_model=ChangeOut, summary="What moved a composite index")
def get_change(
    services: ServicesDep,
    indicator: IndicatorId,
    place: Annotated[str, Query(max_length=256, description="The place.")],
    start: Annotated[Time, Query(alias="from", description="Start of the earlier window.")],
    end: Annotated[Time, Query(alias="to", description="Start of the later window.")],
) -> Mapping[str, Any]:
    """How many points of the change each input made; the points add up to the change."""
    d = services.definitions.get(indicator)
    composite_of(d)
    found = services.values.current([(indicator, place, at) for at in (start, end)])
    for at in (start, end):
        if (indicator, place, at) not in found:
            raise NotFound(f"no value of {indicator} at {place} whose window begins at {format_instant(at)}")
    return change(d, found[indicator, place, start], found[indicator, place, end])


def _of_window(services: Services, indicator: str, start: int | None) -> Sequence[IndicatorValue]:
    if start is not None:
        return services.values.values(ValueQuery(indicator, start=start, end=start + 1))
    newest = services.values.values(ValueQuery(indicator, latest=True))
    return [value for value in newest if value.start == max(v.start for v in newest)]
