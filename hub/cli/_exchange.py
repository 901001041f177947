# SPDX-License-Identifier: EUPL-1.2
"""The registry as tables: `cityhub import FILE`, `cityhub export FILE`, `cityhub imports` to list and undo."""

from pathlib import Path
from typing import Annotated, Literal

import typer

from hub.cli._options import Config, Data, Json, settings_of

group = typer.Typer()
runs = typer.Typer(no_args_is_help=True, help="Imports that were done, and undoing one.")

Kind = Annotated[Literal["devices", "places"], typer.Option(help="What the rows are")]
By = Annotated[str | None, typer.Option(help="Your name, for the record; default: your login")]


@group.command("import")
def import_file(
    file: Annotated[Path, typer.Argument(help="CSV or XLSX; `cityhub export` gives one")],
    kind: Kind = "devices",
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only show what would become of each row")] = False,
    anywhere: Annotated[bool, typer.Option("--anywhere", help="New places may lie outside of the city")] = False,
    credentials: Annotated[
        Path | None, typer.Option(help="Issue credentials to new devices that connect directly, into this new CSV")
    ] = None,
    by: By = None,
    json: Json = False,
    config: Config = None,
    data: Data = None,
) -> None:
    """Import devices or places, all or nothing; the same table again changes nothing."""
    from hub.commands.exchange import import_table

    import_table(
        settings_of(config, data),
        file,
        kind=kind,
        dry_run=dry_run,
        anywhere=anywhere,
        by=by,
        json=json,
        credentials=credentials,
    )


@runs.command("undo")
def import_undo(number: int, by: By = None, config: Config = None, data: Data = None) -> None:
    """Put everything back as it was before an import."""
    from hub.commands.exchange import undo_import

    undo_import(settings_of(config, data), number, by=by)


@runs.command("list")
def import_list(config: Config = None, data: Data = None) -> None:
    """List imports, newest first."""
    from hub.commands.exchange import list_imports

    list_imports(settings_of(config, data))


@group.command()
def export(
    file: Annotated[Path, typer.Argument(help="Ends with .csv or .xlsx")],
    kind: Kind = "devices",
    czech: Annotated[bool, typer.Option("--czech", help="For Czech Excel: headings, semicolons, commas")] = False,
    config: Config = None,
    data: Data = None,
) -> None:
    """Write all devices or places as a table that can be imported unchanged."""
    from hub.commands.exchange import export_table

    export_table(settings_of(config, data), file, kind=kind, czech=czech)
