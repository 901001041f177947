# SPDX-License-Identifier: EUPL-1.2
"""`cityhub indicators ...`."""

from pathlib import Path
from typing import Annotated

import typer

from hub.cli._options import Config, Data, Json, settings_of

group = typer.Typer(no_args_is_help=True, help="Indicators: definitions, values, evaluation.")


@group.command("list")
def indicators_list(json: Json = False, config: Config = None, data: Data = None) -> None:
    """List the definitions."""
    from hub.commands.indicators import list_indicators

    list_indicators(settings_of(config, data), json=json)


@group.command("evaluate")
def indicators_evaluate(
    indicator: Annotated[str, typer.Argument(help="Id, or the path of a definition file")],
    inputs: Annotated[Path, typer.Option(help="Table: a row a window or a reading, columns named by input")],
    stamp: Annotated[str, typer.Option(help="Stamps are at the start or the end of the interval")] = "start",
    period: Annotated[str | None, typer.Option(help="Length of a row's interval, such as PT1H")] = None,
    interval: Annotated[int | None, typer.Option(help="Declared seconds between readings")] = None,
    zone: Annotated[str | None, typer.Option(help="Zone of stamps without one; default: the city's")] = None,
    calendar: Annotated[str | None, typer.Option(help="Zone of days and years instead of the definition's")] = None,
    json: Json = False,
    config: Config = None,
    data: Data = None,
) -> None:
    """Run the engine's own path on a table and print value, band, status and reason of each window."""
    from hub.commands.indicators import evaluate_table

    evaluate_table(
        settings_of(config, data),
        indicator,
        inputs,
        stamp=stamp,
        period=period,
        interval=interval,
        zone=zone,
        calendar=calendar,
        json=json,
    )


@group.command("explain")
def indicators_explain(
    indicator: str,
    place: str,
    start: Annotated[str | None, typer.Argument(help="Begin of the window; default: the newest")] = None,
    as_of: Annotated[str | None, typer.Option(help="The figure that was published at this moment")] = None,
    json: Json = False,
    config: Config = None,
    data: Data = None,
) -> None:
    """Show where a value comes from: inputs, readings, corrections, definition and revisions."""
    from hub.commands.indicators import explain_value

    explain_value(settings_of(config, data), indicator, place, start, as_of=as_of, json=json)


@group.command("recompute")
def indicators_recompute(
    indicator: Annotated[str | None, typer.Option(help="Only this one")] = None,
    place: Annotated[str | None, typer.Option(help="Only this place and those below it")] = None,
    start: Annotated[str | None, typer.Option("--from", help="Time, day, month or year: 2026-11-23, 2026-11")] = None,
    end: Annotated[str | None, typer.Option("--to", help="Time, or the day, month or year before which to end")] = None,
    config: Config = None,
    data: Data = None,
) -> None:
    """Compute again from the stored readings; the result is exactly the live one."""
    from hub.commands.indicators import recompute

    recompute(settings_of(config, data), indicator, place, start, end)


@group.command("republish")
def indicators_republish(config: Config = None, data: Data = None) -> None:
    """Send all values to InfluxDB and MQTT again."""
    from hub.commands.indicators import republish

    republish(settings_of(config, data))


@group.command("ranking")
def indicators_ranking(
    indicator: Annotated[str, typer.Argument(help="A composite index")],
    start: Annotated[str | None, typer.Argument(help="Begin of the window; default: the newest")] = None,
    draws: Annotated[int, typer.Option(min=100, max=10_000, help="How many sets of weights are tried")] = 1000,
    seed: Annotated[int, typer.Option(min=0, help="The same seed gives the same answer")] = 2021,
    json: Json = False,
    config: Config = None,
    data: Data = None,
) -> None:
    """Places in the order of a composite index, and how firm their ranks are under other weights."""
    from hub.commands.composites import show_ranking

    show_ranking(settings_of(config, data), indicator, start, draws=draws, seed=seed, json=json)


@group.command("change")
def indicators_change(
    indicator: Annotated[str, typer.Argument(help="A composite index")],
    place: str,
    before: Annotated[str, typer.Argument(help="Begin of the earlier window")],
    after: Annotated[str, typer.Argument(help="Begin of the later window")],
    json: Json = False,
    config: Config = None,
    data: Data = None,
) -> None:
    """What moved a composite index, input by input; the points add up to the change."""
    from hub.commands.composites import show_change

    show_change(settings_of(config, data), indicator, place, before, after, json=json)
