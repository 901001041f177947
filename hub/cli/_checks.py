# SPDX-License-Identifier: EUPL-1.2
"""Ask whether all is well."""

from typing import Annotated

import typer

from hub.cli._options import Config, Data, Json, settings_of

group = typer.Typer()


def _ask(question: str) -> bool:
    """On standard error, so that --json stays clean."""
    return typer.confirm(question, err=True)


@group.command()
def reconcile(
    repair: Annotated[bool, typer.Option(help="Put right what a crash cut off between store and journal")] = True,
    accept: Annotated[
        bool, typer.Option("--accept", help="Record differences that nothing explains, so that they count from now on")
    ] = False,
    why: Annotated[str | None, typer.Option(help="With --accept: the cause; kept in the audit")] = None,
    yes: Annotated[bool, typer.Option("--yes", help="With --accept: do not ask")] = False,
    json: Json = False,
    config: Config = None,
    data: Data = None,
) -> None:
    """Prove the accounting equations, name what differs, repair what a crash cut off."""
    from hub.commands.reconcile import Accept, run_reconcile

    if why is not None and not accept:
        raise typer.BadParameter("means something with --accept only", param_hint="--why")
    accepted = Accept(why or "", None if yes else _ask) if accept else None
    raise typer.Exit(run_reconcile(settings_of(config, data), json=json, repair=repair, accept=accepted))


@group.command()
def doctor(json: Json = False, config: Config = None, data: Data = None) -> None:
    """Check every part, clocks included, and say what to do."""
    from hub.commands.doctor import run_doctor

    raise typer.Exit(run_doctor(settings_of(config, data), json=json))
