# SPDX-License-Identifier: EUPL-1.2
"""`cityhub corrections ...`."""

from typing import Annotated

import typer

from hub.cli._options import Config, Data, Json, settings_of

group = typer.Typer(no_args_is_help=True, help="How stored readings are to be read; they stay as they were reported.")

Action = Annotated[str, typer.Option(help="exclude, maintenance, override_flag or calibrate")]
From = Annotated[str, typer.Option("--from", help="Begin, inclusive: 2026-11-20, or 2026-11-20T10:00:00Z")]
To = Annotated[str, typer.Option("--to", help="End, exclusive")]
Quantity = Annotated[str | None, typer.Option(help="Only this quantity; calibrate needs one")]
FlagOption = Annotated[int | None, typer.Option(help="With override_flag: 1 good, 2, 3 suspect, 4 fail, 9 missing")]
Scale = Annotated[float | None, typer.Option(help="With calibrate: value * scale + shift")]
Shift = Annotated[float | None, typer.Option(help="With calibrate, in the quantity's canonical unit")]
Reason = Annotated[str, typer.Option(help="Why; shown with every figure that changes")]
By = Annotated[str, typer.Option(help="Who says so")]


@group.command("add")
def corrections_add(
    device: str,
    action: Action,
    start: From,
    end: To,
    reason: Reason,
    by: By,
    quantity: Quantity = None,
    flag: FlagOption = None,
    scale: Scale = None,
    shift: Shift = None,
    config: Config = None,
    data: Data = None,
) -> None:
    """Correct a device's readings with from <= time < to; indicators follow in a moment."""
    from hub.commands.corrections import add

    add(
        settings_of(config, data),
        device,
        action=action,
        start=start,
        end=end,
        quantity=quantity,
        flag=flag,
        scale=scale,
        shift=shift,
        reason=reason,
        by=by,
    )


@group.command("preview")
def corrections_preview(
    device: str,
    action: Action,
    start: From,
    end: To,
    quantity: Quantity = None,
    flag: FlagOption = None,
    scale: Scale = None,
    shift: Shift = None,
    json: Json = False,
    config: Config = None,
    data: Data = None,
) -> None:
    """Show how many readings and which windows a correction would touch; makes nothing."""
    from hub.commands.corrections import show_preview

    show_preview(
        settings_of(config, data),
        device,
        action=action,
        start=start,
        end=end,
        quantity=quantity,
        flag=flag,
        scale=scale,
        shift=shift,
        json=json,
    )


@group.command("list")
def corrections_list(
    device: Annotated[str | None, typer.Option(help="Only of this device")] = None,
    json: Json = False,
    config: Config = None,
    data: Data = None,
) -> None:
    """List corrections, those withdrawn included."""
    from hub.commands.corrections import list_corrections

    list_corrections(settings_of(config, data), device, json=json)


@group.command("withdraw")
def corrections_withdraw(
    correction: Annotated[int, typer.Argument(metavar="ID", min=1, max=2**63 - 1, help="Id from the list")],
    reason: Reason,
    by: By,
    config: Config = None,
    data: Data = None,
) -> None:
    """Take a correction back: readings are read as if it had never been made."""
    from hub.commands.corrections import withdraw

    withdraw(settings_of(config, data), correction, reason=reason, by=by)
