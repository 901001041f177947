# SPDX-License-Identifier: EUPL-1.2
"""`cityhub device credentials` and `cityhub bridge ...`."""

from typing import Annotated

import typer

from hub.cli._options import Config, Data, settings_of

_BY = "command line"
device = typer.Typer()
group = typer.Typer(no_args_is_help=True, help="Credentials of network servers at the broker.")


@device.command("credentials")
def device_credentials(
    name: Annotated[str, typer.Argument(metavar="DEVICE")],
    rotate: Annotated[bool, typer.Option("--rotate", help="Make a new secret; the old one is worth nothing")] = False,
    disable: Annotated[bool, typer.Option("--disable", help="Shut the device out")] = False,
    config: Config = None,
    data: Data = None,
) -> None:
    """Issue user name and secret for a device that connects directly; shown this once."""
    from hub.commands.credentials import device_credentials as change

    if rotate and disable:
        raise typer.BadParameter("choose --rotate or --disable")
    change(settings_of(config, data), name, rotate=rotate, disable=disable, by=_BY)


@group.command("add")
def bridge_add(
    name: str,
    prefix: Annotated[str, typer.Option(help="Topic filter below which it publishes, such as application/#")],
    allow: Annotated[list[str] | None, typer.Option(help="A device that it may bring; default: all registered")] = None,
    config: Config = None,
    data: Data = None,
) -> None:
    """Issue a credential for a network server; shown this once."""
    from hub.commands.credentials import add_bridge

    add_bridge(settings_of(config, data), name, prefix, allow or [], by=_BY)


@group.command("list")
def bridge_list(config: Config = None, data: Data = None) -> None:
    """List bridges."""
    from hub.commands.credentials import list_bridges

    list_bridges(settings_of(config, data))


@group.command("rotate")
def bridge_rotate(name: str, config: Config = None, data: Data = None) -> None:
    """Make a new secret; the old one is worth nothing."""
    from hub.commands.credentials import change_bridge

    change_bridge(settings_of(config, data), name, rotate=True, by=_BY)


@group.command("disable")
def bridge_disable(name: str, config: Config = None, data: Data = None) -> None:
    """Shut a bridge out."""
    from hub.commands.credentials import change_bridge

    change_bridge(settings_of(config, data), name, rotate=False, by=_BY)


@group.command("allow")
def bridge_allow(
    name: str,
    devices: Annotated[list[str] | None, typer.Argument(help="Devices that it may bring; none: all registered")] = None,
    config: Config = None,
    data: Data = None,
) -> None:
    """Say which devices a bridge may bring."""
    from hub.commands.credentials import allow_devices

    allow_devices(settings_of(config, data), name, devices or [], by=_BY)
