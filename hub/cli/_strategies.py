# SPDX-License-Identifier: EUPL-1.2
"""`cityhub strategies ...`."""

from pathlib import Path
from typing import Annotated

import typer

from hub.cli._options import Config, Data, Json, settings_of

group = typer.Typer(no_args_is_help=True, help="Strategies of the city, their targets, and how far they are fulfilled.")

Id = Annotated[str, typer.Argument(help="Id of the strategy")]
AsOf = Annotated[str | None, typer.Option(help="As known at this moment, such as 2026-01-01; default: now")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Only check, and say what would change")]


@group.command("list")
def strategies_list(json: Json = False, config: Config = None, data: Data = None) -> None:
    """List the strategies."""
    from hub.commands.strategies import list_strategies

    list_strategies(settings_of(config, data), json=json)


@group.command("show")
def strategies_show(strategy: Id, json: Json = False, config: Config = None, data: Data = None) -> None:
    """Show a strategy: what it holds, and its targets."""
    from hub.commands.strategies import show_strategy

    show_strategy(settings_of(config, data), strategy, json=json)


@group.command("import")
def strategies_import(
    files: Annotated[list[Path], typer.Argument(help="YAML or JSON, one strategy a file")],
    reason: Annotated[str, typer.Option(help="Why it changes; stays with the revision")] = "import",
    by: Annotated[str | None, typer.Option(help="Who imports; default: your account")] = None,
    dry_run: DryRun = False,
    json: Json = False,
    config: Config = None,
    data: Data = None,
) -> None:
    """Import strategies, all or none; the same again changes nothing."""
    from hub.commands.strategies import import_strategies

    import_strategies(settings_of(config, data), files, reason=reason, by=by, dry_run=dry_run, json=json)


@group.command("export")
def strategies_export(strategy: Id, config: Config = None, data: Data = None) -> None:
    """Print a strategy as YAML that can be imported again."""
    from hub.commands.strategies import export_strategy

    export_strategy(settings_of(config, data), strategy)


@group.command("fulfilment")
def strategies_fulfilment(
    strategy: Annotated[str | None, typer.Argument(help="Id of the strategy; default: all")] = None,
    as_of: AsOf = None,
    place: Annotated[str | None, typer.Option(help="Only targets at this place and below")] = None,
    provisional: Annotated[bool, typer.Option("--provisional", help="Count provisional values too")] = False,
    json: Json = False,
    config: Config = None,
    data: Data = None,
) -> None:
    """Show how far the targets are, and what they say together."""
    from hub.commands.strategies import print_fulfilment

    print_fulfilment(settings_of(config, data), strategy, as_of=as_of, place=place, provisional=provisional, json=json)


@group.command("coverage")
def strategies_coverage(as_of: AsOf = None, json: Json = False, config: Config = None, data: Data = None) -> None:
    """Show how many targets are measured, entered or blind."""
    from hub.commands.strategies import print_coverage

    print_coverage(settings_of(config, data), as_of=as_of, json=json)


@group.command("load-catalogue")
def strategies_load(dry_run: DryRun = False, json: Json = False, config: Config = None, data: Data = None) -> None:
    """Import the city's catalogue: setting strategies.catalogue, or the packaged one of Havířov."""
    from hub.commands.strategies import load_catalogue

    load_catalogue(settings_of(config, data), dry_run=dry_run, json=json)
