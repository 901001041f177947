# SPDX-License-Identifier: EUPL-1.2
"""Questions about a composite index that was published: how firm the ranks are, and what moved it. Pure.

Both work on the stored values alone (scores and pillars are among their details), so the answer is about the figures
that people saw, not about what would come out today.
"""

from collections.abc import Mapping, Sequence

from hub.core.errors import Invalid
from hub.core.indicators import IndicatorValue
from hub.core.windows import format_instant
from hub.indicators.definition import Definition
from hub.indicators.formulas.composite import Composite, decompose, sensitivity
from hub.indicators.representation import Json


def composite_of(d: Definition) -> Composite:
    """Pillars and weights; Invalid where the indicator is no composite."""
    if d.composite is None:
        raise Invalid(f"{d.id} is no composite index: it has no pillars", "indicator")
    return d.composite


def ranking(d: Definition, values: Sequence[IndicatorValue], *, draws: int, spread: float, seed: int) -> Json:
    """Places in the order of their values in one window, and how their ranks hold under other weights."""
    spec = composite_of(d)
    shown = [v for v in values if v.value is not None and v.definition_version == d.version]
    left = [v for v in values if v not in shown]
    ranks = sensitivity(
        spec, [v.place for v in shown], [v.details for v in shown], draws=draws, spread=spread, seed=seed
    )
    facts = {v.place: v for v in shown}
    return {
        "indicator": d.id,
        "definition_version": d.version,
        "window": _window(values[0]) if values else None,
        "draws": draws,
        "spread": spread,
        "seed": seed,
        "places": [
            {
                "place": r.place,
                "value": facts[r.place].value,
                "status": facts[r.place].status.value,
                "coverage": facts[r.place].coverage,
                "missing": list(facts[r.place].missing),
                "origin": facts[r.place].origin.word,
                "grade": facts[r.place].grade.word,
                "rank": r.rank,
                "rank_median": r.median,
                "rank_5": r.low,
                "rank_95": r.high,
                "rank_kept": round(r.same, 3),
            }
            for r in sorted(ranks, key=lambda r: (r.rank, r.place))
        ],
        "left_out": {
            v.place: v.reason or f"computed by version {v.definition_version} of the definition" for v in left
        },
    }


def change(d: Definition, before: IndicatorValue, after: IndicatorValue) -> Json:
    """What moved the index from one window to another, input by input, largest first."""
    spec = composite_of(d)
    for value in (before, after):
        if value.value is None:
            raise Invalid(
                f"no value from {format_instant(value.start)}: {value.reason}", "from" if value is before else "to"
            )
        if value.definition_version != d.version:
            raise Invalid(
                f"the value from {format_instant(value.start)} was computed by version {value.definition_version} of "
                f"the definition, now it is {d.version}: run recompute for that window first",
                "from" if value is before else "to",
            )
    moved = decompose(spec, before.details, after.details)
    return {
        "indicator": d.id,
        "place": after.place,
        "definition_version": d.version,
        "before": _told(before),
        "after": _told(after),
        "change": round((after.value or 0.0) - (before.value or 0.0), 6),
        "contributions": [
            {"input": name, "pillar": _pillar(spec, name), "points": round(points, 6)}
            for name, points in sorted(moved.items(), key=lambda item: (-abs(item[1]), item[0]))
        ],
    }


def _pillar(spec: Composite, name: str) -> str | None:
    return next((pillar for pillar, parts in spec.pillars.items() if name in parts.inputs), None)


def _window(value: IndicatorValue) -> Mapping[str, str]:
    return {"start": format_instant(value.start), "end": format_instant(value.end), "period": value.period}


def _told(value: IndicatorValue) -> Json:
    return {
        "window": _window(value),
        "value": value.value,
        "status": value.status.value,
        "coverage": value.coverage,
        "missing": list(value.missing),
        "revision": value.revision,
        "origin": value.origin.word,
        "grade": value.grade.word,
        "details": dict(value.details),
    }
