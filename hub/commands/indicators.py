# SPDX-License-Identifier: EUPL-1.2
"""Indicators from the command line: list, evaluate a table, explain a value, recompute, republish.

Recompute and republish are the engine's work. While a hub runs, they are left to it as an order in the ledger; without
one, the command takes the engine's lease and does the work itself.
"""

import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import uvloop
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from hub.app import Parts
from hub.commands._engine import EngineWorker
from hub.commands._output import plain_number, print_json, print_table
from hub.commands._provenance import print_provenance
from hub.core.errors import Invalid, NotFound, Retry
from hub.core.indicators import IndicatorValue
from hub.core.ports import ValueQuery
from hub.core.windows import Calendar, format_instant, parse_label
from hub.indicators.catalogue import Catalogue, build_catalogue
from hub.indicators.checks import parse_definition
from hub.indicators.evaluate import Options, evaluate
from hub.indicators.provenance import Trace, base_of, public_provenance, reading_inputs, value_inputs
from hub.indicators.representation import public_definition
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
    catalogue = parts.definitions
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


def explain_value(
    settings: Settings, indicator: str, place: str, start: str | None, *, as_of: str | None, json: bool
) -> None:
    """Print one value with all that went into it: values, readings, corrections, definition, revisions."""
    parts = Parts(settings)
    told = uvloop.run(_provenance(parts, indicator, place, start, as_of))
    if json:
        print_json(told)
    else:
        print_provenance(told, parts.catalogue().get(indicator))


async def _provenance(parts: Parts, indicator: str, place: str, start: str | None, as_of: str | None) -> dict[str, Any]:
    catalogue, city = parts.catalogue(), Calendar(parts.city().zone)
    definition = catalogue.get(indicator)
    moment = None if as_of is None else parse_label(as_of, city)
    with parts.ledger().open() as ledger:
        value = _find(ledger, city, indicator, place, start, moment)
        trace = Trace(
            value,
            ledger.values.revisions(indicator, place, value.start),
            value_inputs(catalogue, ledger.values, value, moment),
            (),
            ledger.entries.history(indicator, place, value.start) if definition.entered else (),
        )
        registry, corrections = ledger.devices.snapshot(), ledger.corrections.after()
        texts = ledger.definitions.of(base_of(catalogue, indicator))
    store, flags = parts.store(), parts.flags()
    try:
        readings = await reading_inputs(catalogue, registry, corrections, store, value, flags)
    finally:
        await store.close()
        await flags.close()
    return public_provenance(trace._replace(readings=readings), catalogue, registry, city, texts)


def _find(
    ledger: Ledger, city: Calendar, indicator: str, place: str, start: str | None, as_of: int | None
) -> IndicatorValue:
    at = None if start is None else parse_label(start, city)
    end = None if at is None else at + 1
    found = ledger.values.values(ValueQuery(indicator, place, at, end, latest=True, as_of=as_of))
    if not found:
        when = f" from {start}" if start else ""
        then = "" if as_of is None else f", as of {format_instant(as_of)}"
        raise NotFound(f"no value of {indicator} at {place}{when}{then}", "value")
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
    return f"{'≥ ' if value.lower_bound else ''}{plain_number(value.value)}"


def _share(coverage: float | None) -> str:
    return "unknown" if coverage is None else f"{coverage:.0%}"
