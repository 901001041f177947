# SPDX-License-Identifier: EUPL-1.2
"""`cityhub device ...`."""

from typing import Annotated

import typer

from hub.cli._options import Config, Data, Json, settings_of

group = typer.Typer(no_args_is_help=True, help="Registered devices.")


@group.command("list")
def device_list(json: Json = False, config: Config = None, data: Data = None) -> None:
    """List registered devices."""
    from hub.commands.devices import list_devices

    list_devices(settings_of(config, data), json=json)


@group.command("add")
def device_add(
    device: str,
    place: Annotated[str, typer.Option(help="Where it is mounted; a site that is missing is made")],
    title: Annotated[str, typer.Option(help="Name for people")] = "",
    connector: Annotated[str, typer.Option(help="Payload family")] = "native",
    external_id: Annotated[str | None, typer.Option(help="Its id within the connector, such as a DevEUI")] = None,
    interval: Annotated[int | None, typer.Option(min=1, help="Declared seconds between readings")] = None,
    grade: Annotated[str, typer.Option(help="reference, indicative or informative")] = "informative",
    origin: Annotated[str, typer.Option(help="measured, entered, imported or simulated")] = "measured",
    config: Config = None,
    data: Data = None,
) -> None:
    """Register a device; its waiting messages are then taken in."""
    from hub.commands.devices import add_device

    add_device(
        settings_of(config, data),
        device,
        place=place,
        title=title,
        connector=connector,
        external_id=external_id,
        interval=interval,
        grade=grade,
        origin=origin,
    )


@group.command("remove")
def device_remove(device: str, config: Config = None, data: Data = None) -> None:
    """Forget a registration; readings and values stay."""
    from hub.commands.devices import remove_device

    remove_device(settings_of(config, data), device)
