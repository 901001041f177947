# SPDX-License-Identifier: EUPL-1.2
"""`cityhub model ...`."""

from typing import Annotated

import typer

from hub.cli._options import Config, Data, Json, settings_of

group = typer.Typer(no_args_is_help=True, help="Kinds of devices that the hub knows by name.")


@group.command("list")
def model_list(
    text: Annotated[str, typer.Option(help="In id, manufacturer or name")] = "",
    json: Json = False,
    config: Config = None,
    data: Data = None,
) -> None:
    """List device models."""
    from hub.commands.models import list_models

    list_models(settings_of(config, data), text, json=json)


@group.command("show")
def model_show(model: str, json: Json = False, config: Config = None, data: Data = None) -> None:
    """Show all that is known of a model, with its sources."""
    from hub.commands.models import show_model

    show_model(settings_of(config, data), model, json=json)
