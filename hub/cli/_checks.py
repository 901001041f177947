# SPDX-License-Identifier: EUPL-1.2
"""Ask whether all is well."""

import typer

from hub.cli._options import Config, Data, Json, settings_of

group = typer.Typer()


@group.command()
def reconcile(json: Json = False, config: Config = None, data: Data = None) -> None:
    """Prove the accounting equations from the journals and name what differs."""
    from hub.commands.reconcile import run_reconcile

    raise typer.Exit(run_reconcile(settings_of(config, data), json=json))


@group.command()
def doctor(json: Json = False, config: Config = None, data: Data = None) -> None:
    """Check every part, clocks included, and say what to do."""
    from hub.commands.doctor import run_doctor

    raise typer.Exit(run_doctor(settings_of(config, data), json=json))
