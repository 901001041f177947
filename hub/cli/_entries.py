# SPDX-License-Identifier: EUPL-1.2
"""`cityhub entries ...`."""

from pathlib import Path
from typing import Annotated

import typer

from hub.cli._options import Config, Data, Json, settings_of

group = typer.Typer(
    no_args_is_help=True, help="Figures that no sensor gives: entered by one person, approved by another."
)

By = Annotated[str, typer.Option(help="Your name; the author cannot approve")]
Ids = Annotated[list[int], typer.Argument(metavar="ID...", help="Ids from the list", min=1)]
Why = Annotated[str, typer.Option("--reason", help="Why; the author reads it")]
OnlyIndicator = Annotated[str | None, typer.Option("--indicator", help="Only this one")]


@group.command("add")
def entries_add(
    indicator: Annotated[str, typer.Option(help="Id or title of an indicator that is entered")],
    place: Annotated[str, typer.Option(help="Id or title of the place")],
    period: Annotated[str, typer.Option(help="Such as 2025, 2025-03 or 2025-03-14")],
    value: Annotated[str, typer.Option(help="In the indicator's unit, such as 1234.5")],
    source: Annotated[str, typer.Option(help="Document that the figure is taken from")],
    by: By,
    reason: Annotated[str | None, typer.Option(help="Of a correction: why it replaces the approved figure")] = None,
    note: Annotated[str | None, typer.Option(help="Further words")] = None,
    unit: Annotated[str | None, typer.Option(help="Checked against the indicator's own")] = None,
    json: Json = False,
    config: Config = None,
    data: Data = None,
) -> None:
    """Enter one figure; it counts once a second person has approved it."""
    from hub.commands.entries import add_entry
    from hub.indicators.entry_forms import Form

    form = Form(indicator, place, period, value, source, reason, note, unit)
    add_entry(settings_of(config, data), form, by=by, json=json)


@group.command("import")
def entries_import(
    file: Annotated[Path, typer.Argument(help="CSV or XLSX; `entries template` gives one to fill in")],
    by: By,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only show what would become of each row")] = False,
    partial: Annotated[bool, typer.Option("--partial", help="Store good rows though others are refused")] = False,
    json: Json = False,
    config: Config = None,
    data: Data = None,
) -> None:
    """Enter a table of figures, all or nothing; the same table again adds nothing."""
    from hub.commands.entries import import_entries

    import_entries(settings_of(config, data), file, by=by, dry_run=dry_run, partial=partial, json=json)


@group.command("template")
def entries_template(
    indicator: Annotated[str | None, typer.Argument(help="Id or title; default: all that are entered")] = None,
    to: Annotated[Path | None, typer.Option(help="File to write; default: standard output")] = None,
    czech: Annotated[bool, typer.Option("--czech", help="For Czech Excel, with Czech names")] = False,
    config: Config = None,
    data: Data = None,
) -> None:
    """Write a table to fill in: a row for each place, for the last period that is over."""
    from hub.commands.entries import write_template

    write_template(settings_of(config, data), indicator, to, czech=czech)


@group.command("list")
def entries_list(
    state: Annotated[str, typer.Option(help="waiting, approved, rejected, withdrawn or all")] = "waiting",
    indicator: OnlyIndicator = None,
    place: Annotated[str | None, typer.Option(help="Only this place")] = None,
    limit: Annotated[int, typer.Option(min=1, max=10_000)] = 50,
    json: Json = False,
    config: Config = None,
    data: Data = None,
) -> None:
    """List entered figures, newest first."""
    from hub.commands.entries import list_entries

    list_entries(settings_of(config, data), state, indicator, place, limit=limit, json=json)


@group.command("approve")
def entries_approve(ids: Ids, by: By, config: Config = None, data: Data = None) -> None:
    """Let figures count, all or none of those named; not by their author."""
    from hub.commands.entries import decide

    decide(settings_of(config, data), ids, "approved", by=by, reason=None)


@group.command("reject")
def entries_reject(ids: Ids, reason: Why, by: By, config: Config = None, data: Data = None) -> None:
    """Refuse figures with a reason; not by their author."""
    from hub.commands.entries import decide

    decide(settings_of(config, data), ids, "rejected", by=by, reason=reason)


@group.command("withdraw")
def entries_withdraw(ids: Ids, reason: Why, by: By, config: Config = None, data: Data = None) -> None:
    """Take back one's own figures that wait."""
    from hub.commands.entries import decide

    decide(settings_of(config, data), ids, "withdrawn", by=by, reason=reason)
