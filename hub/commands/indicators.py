# SPDX-License-Identifier: EUPL-1.2
"""Indicators from the command line: list, evaluate a table, explain a value, recompute, republish.

Recompute and republish are the engine's work. While a hub runs, they are left to it as an order in the ledger; without
one, the command takes the engine's lease and does the work itself.
"""

import time
from collections.abc import Callable, Mapping
from pathlib import Path

import uvloop
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from hub.app import Parts
from hub.commands._engine import EngineWorker
from hub.commands._output import print_json, print_table
from hub.core.errors import Invalid, NotFound, Retry
from hub.core.indicators import IndicatorValue
from hub.core.ports import ValueQuery
from hub.core.windows import Calendar, format_instant, parse_label
from hub.indicators.catalogue import Catalogue, build_catalogue
from hub.indicators.checks import parse_definition
from hub.indicators.evaluate import Options, evaluate
from hub.indicators.representation import public_definition, public_value
from hub.indicators.table import read_table
from hub.settings import Settings
from hub.storage.ledger import Ledger


def list_indicators(settings: Settings, *, json: bool) -> None:
    """Print all definitions."""
    catalogue = Parts(settings).catalogue()
    if json:
        print_json([public_definition(d) for d in catalogue])
        return
    print_table(
        "Indicators",
        ["id", "version", "title", "window", "unit", "level", "inputs"],
        [(d.id, d.version, d.title.en, d.window.value, d.unit, d.level, ", ".join(d.inputs)) for d in catalogue],
    )


def evaluate_table(
    settings: Settings,
    indicator: str,
    inputs: Path,
    *,
    stamp: str,
    period: str | None,
    interval: int | None,
    zone: str | None,
    calendar: str | None,
    json: bool,
) -> None:
    """Run the engine's own path on a table."""
    parts = Parts(settings)
    catalogue, name = _with_file(parts, indicator)
    table = read_table(_text(inputs))
    city = Calendar.of(calendar) if calendar else Calendar(parts.city().zone)
    results = evaluate(catalogue, name, table, city, Options(stamp, period, zone, interval))
    if json:
        print_json([result.public() for result in results])
        return
    print_table(
        f"{name}",
        ["row or window", "place", "value", "band", "status", "coverage", "reason"],
        [
            (
                result.row if result.row is not None else format_instant(result.value.start),
                "" if result.row is not None else result.value.place,
                _lower(result.value),
                result.value.band,
                result.value.status.value,
                _share(result.value.coverage),
                result.value.reason or (f"missing: {', '.join(result.value.missing)}" if result.value.missing else ""),
            )
            for result in results
        ],
    )


def _with_file(parts: Parts, indicator: str) -> tuple[Catalogue, str]:
    """The catalogue, and with a path in place of an id that definition added to it (or put in place of its like)."""
    catalogue = parts.catalogue()
    if not indicator.endswith((".yaml", ".yml")):
        return catalogue, indicator
    definition = parse_definition(_text(Path(indicator)).encode(), indicator)
    others = [(d.id, d) for d in catalogue if d.id != definition.id]
    return build_catalogue([*others, (indicator, definition)], parts.quantities), definition.id


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise Invalid(str(error), str(path)) from error


def explain_value(settings: Settings, indicator: str, place: str, start: str | None, *, json: bool) -> None:
    """Print one value with its inputs, revisions and definition."""
    parts = Parts(settings)
    definition = parts.catalogue().get(indicator)
    with parts.ledger().open() as ledger:
        value = _find(ledger, parts, indicator, place, start)
        revisions = ledger.values.revisions(indicator, place, value.start)
    if json:
        print_json(
            {
                "value": public_value(value, definition),
                "revisions": [public_value(revision, definition) for revision in revisions],
                "definition": public_definition(definition),
            }
        )
        return
    shown = public_value(value, definition)
    print_table(f"{definition.title.en} at {place}", ["", ""], [(k, v) for k, v in shown.items() if k != "components"])
    print_table(
        "Inputs",
        ["input", "value", "unit", "band", "valid", "expected"],
        [(n, c.value, c.unit, c.band, c.n_valid, c.n_expected) for n, c in value.components.items()],
    )
    print_table(
        "Revisions",
        ["revision", "value", "status", "valid", "computed", "cause"],
        [
            (r.revision, _lower(r), r.status.value, r.n_valid, format_instant(r.computed_at)[:19], r.cause)
            for r in revisions
        ],
    )
    for reference in definition.reference:
        print(f"after: {reference.citation}")


def _find(ledger: Ledger, parts: Parts, indicator: str, place: str, start: str | None) -> IndicatorValue:
    if start is None:
        found = ledger.values.values(ValueQuery(indicator, place, latest=True))
    else:
        at = parse_label(start, Calendar(parts.city().zone))
        found = list(ledger.values.current([(indicator, place, at)]).values())
    if not found:
        raise NotFound(f"no value of {indicator} at {place}" + (f" from {start}" if start else ""), "value")
    return found[0]


def recompute(
    settings: Settings, indicator: str | None, place: str | None, start: str | None = None, end: str | None = None
) -> None:
    """Compute again from the stored readings; days are those of the city."""
    parts = Parts(settings)
    if indicator is not None:
        parts.catalogue().get(indicator)
    calendar = Calendar(parts.city().zone)
    arguments: dict[str, object] = {
        "indicator": indicator,
        "place": place,
        "start": None if start is None else parse_label(start, calendar),
        "end": None if end is None else parse_label(end, calendar),
    }
    with parts.ledger().open() as ledger:
        if place is not None and place not in ledger.devices.snapshot().places:
            raise NotFound(f"no place {place!r}: `cityhub indicators recompute` takes the id of a place", "place")
        result = _done(parts, ledger, "recompute", arguments)
    print(f"computed {result.get('windows')} windows, {result.get('written')} values changed")
    if result.get("frozen"):
        print(f"{result['frozen']} windows are past retention: they are frozen and stay as they are")


def republish(settings: Settings) -> None:
    """Send all values to the projections again."""
    parts = Parts(settings)
    with parts.ledger().open() as ledger:
        result = _done(parts, ledger, "republish", {})
    print(f"values are written again to: {result.get('sinks') or 'no projection is set up'}")


def _done(parts: Parts, ledger: Ledger, kind: str, arguments: Mapping[str, object]) -> Mapping[str, object]:
    """By the engine that runs, else by ourselves; with a progress bar either way."""
    bar = Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        console=Console(stderr=True),
    )
    with bar:
        task = bar.add_task(kind, total=None)

        def progress(done: int, total: int) -> None:
            bar.update(task, completed=done, total=total)

        if _engine_runs(ledger):
            return _order(ledger, kind, arguments, progress)
        return uvloop.run(_own_work(parts, kind, arguments, progress))


def _engine_runs(ledger: Ledger) -> bool:
    return ledger.leases.owner("engine", time.time_ns()) is not None


def _order(
    ledger: Ledger, kind: str, arguments: Mapping[str, object], progress: Callable[[int, int], None]
) -> Mapping[str, object]:
    order = ledger.commands.submit(kind, arguments)
    while (state := ledger.commands.state(order)).result is None:
        if not _engine_runs(ledger):
            raise Retry(f"the engine is gone; it takes order {order} up when the hub runs again")
        if state.progress:
            progress(*state.progress)
        time.sleep(0.3)
    if "error" in state.result:
        raise Invalid(str(state.result["error"]), kind)
    return state.result


async def _own_work(
    parts: Parts, kind: str, arguments: Mapping[str, object], progress: Callable[[int, int], None]
) -> Mapping[str, object]:
    worker = EngineWorker(parts)
    try:
        return await worker.alone(kind, arguments, progress)
    finally:
        await worker.close()


def _lower(value: IndicatorValue) -> str:
    if value.value is None:
        return "–"
    return f"{'≥ ' if value.lower_bound else ''}{value.value:g}"


def _share(coverage: float | None) -> str:
    return "unknown" if coverage is None else f"{coverage:.0%}"
