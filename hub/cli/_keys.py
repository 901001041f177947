# SPDX-License-Identifier: EUPL-1.2
"""`cityhub key ...`."""

from typing import Annotated

import typer

from hub.cli._options import Config, Data, settings_of

group = typer.Typer(no_args_is_help=True, help="API keys.")


@group.command("create")
def key_create(
    name: str,
    role: Annotated[
        list[str] | None,
        typer.Option(
            "--role", "--scope", help="technician, operator, strategist, partner, viewer or admin; repeatable"
        ),
    ] = None,
    partner: Annotated[str, typer.Option(help="Whose devices the key of a partner sees")] = "",
    config: Config = None,
    data: Data = None,
) -> None:
    """Make an API key; its secret is shown this once."""
    from hub.commands.keys import create_key

    create_key(settings_of(config, data), name, role or ["viewer"], partner)


@group.command("list")
def key_list(config: Config = None, data: Data = None) -> None:
    """List API keys."""
    from hub.commands.keys import list_keys

    list_keys(settings_of(config, data))


@group.command("revoke")
def key_revoke(key: str, config: Config = None, data: Data = None) -> None:
    """Make an API key useless."""
    from hub.commands.keys import revoke_key

    revoke_key(settings_of(config, data), key)
