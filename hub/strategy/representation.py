# SPDX-License-Identifier: EUPL-1.2
"""Strategies and their fulfilment as everybody outside sees them: dicts for API and command line, rows for CSV.

Every target says `standing` and, so that nobody can overlook it, `illustrative`; every value comes with its status,
coverage, origin, grade, revision, definition version and window.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from hub.core.indicators import IndicatorValue
from hub.core.strategies import Standing, Strategy, StrategyRevision, Target, targets_of
from hub.core.windows import format_instant
from hub.strategy.coverage import Count, Covered, Source, by_area, by_domain, count, official
from hub.strategy.fulfilment import Fulfilment, Moment, Phase, phase_of
from hub.strategy.monitoring import Judged, Preview, all_targets
from hub.strategy.rollup import RollUp, roll_up

Json = dict[str, Any]
Cell = str | int | float | bool | None

_PATHS: Mapping[str, str] = {  # columns of CSV, each by its path in `fulfilment`
    **{name: name for name in ("strategy", "area", "goal", "action")},
    "target": "target.id",
    "title_cs": "target.title.cs",
    "title_en": "target.title.en",
    **{name: name for name in ("standing", "illustrative", "phase", "final", "category", "reason")},
    **{name: f"target.{name}" for name in ("indicator", "place", "aim", "statistic")},
    "unit": "unit",
    "baseline": "target.baseline.value",
    "baseline_date": "target.baseline.date",
    "target_value": "target.value",
    "target_lo": "target.lo",
    "target_hi": "target.hi",
    "target_date": "target.date",
    "value": "value.value",
    "value_date": "value_date",
    **{name: f"value.{name}" for name in ("status", "coverage", "origin", "grade", "lower_bound")},
    "simulated": "simulated",
    **{name: f"value.{name}" for name in ("revision", "definition_version")},
    "window_start": "value.window.start",
    "window_end": "value.window.end",
    "distance": "distance.absolute",
    "share_of_way": "distance.share_of_way",
    "method": "trajectory.method",
    "required_per_year": "trajectory.required",
    "actual_per_year": "trajectory.actual",
    "ratio": "trajectory.ratio",
    "expected_now": "trajectory.expected",
    "forecast": "forecast.value",
    "forecast_low": "forecast.low",
    "forecast_high": "forecast.high",
    "no_forecast": "no_forecast",
    "caveats": "caveats",
    "source": "target.source.citation",
    "as_of": "as_of",
}
CSV_COLUMNS = tuple(_PATHS)


def summary(found: StrategyRevision, moment: Moment) -> Json:
    """A strategy in a list."""
    document = found.document
    targets = [p.target for p in targets_of(document)]
    official_ones = sum(t.standing is Standing.OFFICIAL for t in targets)
    return {
        "id": document.id,
        "title": _words(document.title),
        "scope": _words(document.scope),
        "standing": document.standing.value,
        "state": document.state.value,
        "phase": phase_of(document, moment.day).value,
        "valid_from": _date(document.valid_from),
        "valid_to": _date(document.valid_to),
        "uncertain": document.uncertain,
        "owner": document.owner,
        "predecessor": document.predecessor,
        "successor": document.successor,
        "targets": {"official": official_ones, "illustrative": len(targets) - official_ones},
        "revision": found.revision,
    }


def detail(found: StrategyRevision) -> Json:
    """A revision with its whole document; what it does not say is left out of the document."""
    return {
        "id": found.document.id,
        "revision": found.revision,
        "made_by": found.by,
        "made_at": format_instant(found.at),
        "reason": found.reason,
        "document": document(found.document),
    }


def document(strategy: Strategy) -> Json:
    """The document as it is imported and exported."""
    plain: Json = msgspec.to_builtins(strategy)
    return plain


def preview(found: Preview) -> Json:
    """What an import does to one document."""
    plain: Json = msgspec.to_builtins(found)
    return plain


def fulfilment(f: Fulfilment) -> Json:
    """One target judged."""
    return {
        "strategy": f.strategy,
        "area": f.placed.area,
        "goal": f.placed.goal,
        "action": f.placed.action,
        "target": target(f.target),
        "standing": f.target.standing.value,
        "illustrative": not f.official,
        "phase": f.phase.value,
        "final": f.final,
        "category": f.category.value,
        "reason": f.reason,
        "unit": f.unit,
        "value": value(f.value) if f.value is not None else None,
        "value_date": _date(f.value_date),
        "simulated": f.simulated,
        "distance": _plain(f.distance),
        "trajectory": _plain(f.trajectory),
        "forecast": _plain(f.forecast),
        "no_forecast": f.no_forecast,
        "caveats": list(f.caveats),
    }


def target(t: Target) -> Json:
    """What shall be reached; every field, also those that say nothing."""
    base = t.baseline
    return {
        "id": t.id,
        "title": _words(t.title),
        "indicator": t.indicator,
        "place": t.place,
        "aim": t.aim.value,
        "statistic": t.statistic.value,
        "value": t.value,
        "lo": t.lo,
        "hi": t.hi,
        "date": t.date.isoformat(),
        "baseline": base
        and {"value": base.value, "date": base.date.isoformat(), "source": base.source, "origin": base.origin},
        "source": t.source and {"citation": t.source.citation, "url": t.source.url, "uncertain": t.source.uncertain},
        "uncertain": t.uncertain,
    }


def value(v: IndicatorValue) -> Json:
    """The indicator value that was used; never bare."""
    return {
        "value": v.value,
        "status": v.status.value,
        "coverage": v.coverage,
        "n_valid": v.n_valid,
        "n_expected": v.n_expected,
        "lower_bound": v.lower_bound,
        "origin": v.origin.word,
        "grade": v.grade.word,
        "revision": v.revision,
        "definition_version": v.definition_version,
        "window": {"start": format_instant(v.start), "end": format_instant(v.end), "period": v.period},
        "computed_at": format_instant(v.computed_at),
    }


def judged(found: Judged, moment: Moment) -> Json:
    """A strategy judged, with roll-ups and all its targets."""
    document = found.document.document
    return {
        "strategy": document.id,
        "title": _words(document.title),
        "revision": found.document.revision,
        "revision_made_at": format_instant(found.document.at),
        "phase": found.phase.value,
        "valid_from": _date(document.valid_from),
        "valid_to": _date(document.valid_to),
        "as_of": format_instant(moment.as_of),
        "rollup": rollup(found.rollup),
        "areas": [
            {
                "id": a.area.id,
                "title": _words(a.area.title),
                "standing": a.area.standing.value,
                "rollup": rollup(a.rollup),
                "goals": [
                    {
                        "id": g.goal.id,
                        "title": _words(g.goal.title),
                        "standing": g.goal.standing.value,
                        "rollup": rollup(g.rollup),
                    }
                    for g in a.goals
                ],
            }
            for a in found.areas
        ],
        "targets": [fulfilment(f) for f in found.targets],
    }


def overview(found: Sequence[Judged], moment: Moment) -> Json:
    """All strategies judged. The roll-up over all is that of running ones: ended and running ones do not mix."""
    running = [j for j in found if j.phase is Phase.RUNNING]
    return {
        "as_of": format_instant(moment.as_of),
        "running": rollup(roll_up(all_targets(running))),
        "items": [judged(j, moment) for j in found],
    }


def rollup(r: RollUp) -> Json:
    """Counts and, where official targets could be judged, shares; illustrative ones apart."""
    return {
        "answer": r.answer,
        "official": r.official,
        "categories": dict(r.categories),
        "reached": _plain(r.reached),
        "on_track": _plain(r.on_track),
        "simulated": r.simulated,
        "illustrative": dict(r.illustrative),
    }


def coverage(rows: Sequence[Covered], moment: Moment) -> Json:
    """`integration_coverage`: over all, by area and by domain, and each target."""
    return {
        "as_of": format_instant(moment.as_of),
        "all": _counts(rows),
        "running": _counts([r for r in rows if r.phase is Phase.RUNNING]),
        "domains": [{"domain": name, **_count(c)} for name, c in by_domain(rows).items()],
        "areas": [{"strategy": s, "area": a, **_count(c)} for (s, a), c in by_area(rows).items()],
        "targets": [covered(r) for r in rows],
    }


def covered(r: Covered) -> Json:
    """Where one target's figures come from."""
    return {
        "strategy": r.strategy,
        "area": r.placed.area,
        "target": r.placed.target.id,
        "title": _words(r.placed.target.title),
        "standing": r.placed.target.standing.value,
        "illustrative": r.placed.target.standing is not Standing.OFFICIAL,
        "phase": r.phase.value,
        "domain": r.domain,
        "indicator": r.placed.target.indicator,
        "place": r.placed.target.place,
        "source": r.source.value,
        "why": r.why,
        "newest": None if r.value is None else value(r.value),
    }


def csv_row(f: Fulfilment, moment: Moment) -> Sequence[Cell]:
    """One target as a row of CSV_COLUMNS."""
    shown = {**fulfilment(f), "as_of": format_instant(moment.as_of), "caveats": "; ".join(f.caveats)}
    return [_at(shown, path.split(".")) for path in _PATHS.values()]


def _at(shown: Any, path: Sequence[str]) -> Cell:
    for name in path:
        if shown is None:
            return None
        shown = shown[name]
    found: Cell = shown
    return found


def _counts(rows: Sequence[Covered]) -> Json:
    """Counts of all targets and of official ones alone, with the lists behind them."""
    return {
        **_count(count(rows)),
        "official": _count(count(official(rows))),
        "lists": {s.value: [f"{r.strategy}/{r.placed.target.id}" for r in rows if r.source is s] for s in Source},
    }


def _count(c: Count) -> Json:
    return {
        "targets": c.targets,
        "measured": c.measured,
        "entered": c.entered,
        "simulated": c.simulated,
        "blind": c.blind,
        "covered": c.covered,
    }


def _words(title: Any) -> Json:
    return {"cs": title.cs, "en": title.en}


def _date(day: Any) -> str | None:
    return None if day is None else day.isoformat()


def _plain(part: Any) -> Json | None:
    return None if part is None else msgspec.to_builtins(part)
