# SPDX-License-Identifier: EUPL-1.2
"""`cityhub quarantine ...`."""

from typing import Annotated

import typer

from hub.cli._options import Config, Data, Json, settings_of

group = typer.Typer(no_args_is_help=True, help="Messages that could not be used.")


@group.command("list")
def quarantine_list(
    reason: Annotated[str | None, typer.Option(help="Only this reason")] = None,
    state: Annotated[str, typer.Option(help="waiting, redriven, refused or all")] = "waiting",
    limit: Annotated[int, typer.Option(min=1, max=10_000)] = 50,
    json: Json = False,
    config: Config = None,
    data: Data = None,
) -> None:
    """List messages set aside, newest first."""
    from hub.commands.quarantine import list_quarantine

    list_quarantine(settings_of(config, data), reason=reason, state=state, limit=limit, json=json)


@group.command("redrive")
def quarantine_redrive(
    reason: Annotated[str | None, typer.Option(help="Only this reason")] = None,
    ids: Annotated[list[int] | None, typer.Option("--id", help="Only these, repeatable")] = None,
    config: Config = None,
    data: Data = None,
) -> None:
    """Take waiting messages through the pipeline again."""
    from hub.commands.quarantine import redrive

    redrive(settings_of(config, data), reason=reason, ids=ids)
