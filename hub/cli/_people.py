# SPDX-License-Identifier: EUPL-1.2
"""`cityhub person ...`."""

from typing import Annotated

import typer

from hub.cli._options import Config, Data, settings_of

group = typer.Typer(no_args_is_help=True, help="People who sign in.")


@group.command("add")
def person_add(
    login: str,
    role: Annotated[
        list[str], typer.Option(help="technician, operator, strategist, partner, viewer or admin; repeatable")
    ],
    name: Annotated[str, typer.Option(help="Name to show")] = "",
    partner: Annotated[str, typer.Option(help="Whose devices a partner sees")] = "",
    config: Config = None,
    data: Data = None,
) -> None:
    """Add somebody; the one-time password is shown this once."""
    from hub.commands.people import add_person

    add_person(settings_of(config, data), login, name, role, partner)


@group.command("list")
def person_list(config: Config = None, data: Data = None) -> None:
    """List people and their roles."""
    from hub.commands.people import list_people

    list_people(settings_of(config, data))


@group.command("disable")
def person_disable(login: str, config: Config = None, data: Data = None) -> None:
    """Let somebody in no longer."""
    from hub.commands.people import disable_person

    disable_person(settings_of(config, data), login)


@group.command("password")
def person_password(login: str, config: Config = None, data: Data = None) -> None:
    """Set a new password: asked for at a terminal, else a one-time one is made."""
    from hub.commands.people import reset_password

    reset_password(settings_of(config, data), login)
