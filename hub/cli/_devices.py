# SPDX-License-Identifier: EUPL-1.2
"""`cityhub device ...`."""

from typing import Annotated

import typer

from hub.cli._options import By, Config, Data, Json, Yes, asked, settings_of

group = typer.Typer(no_args_is_help=True, help="Registered devices.")

Title = Annotated[str | None, typer.Option(help="Name for people")]
Connector = Annotated[str | None, typer.Option(help="Payload family; default: its model's, else native")]
ExternalId = Annotated[str | None, typer.Option(help="Its id within the connector, such as a DevEUI")]
Interval = Annotated[int | None, typer.Option(min=1, help="Declared seconds between readings")]
Grade = Annotated[str | None, typer.Option(help="reference, indicative or informative")]
Origin = Annotated[str | None, typer.Option(help="measured, entered, imported or simulated")]
Model = Annotated[str | None, typer.Option(help="Id of its model; `cityhub model list`")]
Serial = Annotated[str | None, typer.Option(help="Number on its label")]
Owner = Annotated[str | None, typer.Option(help="The partner whose it is; empty: the city's")]
Tag = Annotated[list[str] | None, typer.Option(help="Repeatable; replaces those that are there, '' takes all away")]
Note = Annotated[str | None, typer.Option(help="What stands with it always; `device note` adds a dated remark")]
Height = Annotated[float | None, typer.Option(help="m above the ground")]
Orientation = Annotated[float | None, typer.Option(min=0, max=359.999, help="Degrees clockwise from north")]


@group.command("list")
def device_list(
    place: Annotated[str | None, typer.Option(help="Only at this place or below it")] = None,
    connector: Annotated[str | None, typer.Option(help="Only of this connector")] = None,
    model: Annotated[str | None, typer.Option(help="Only of this model")] = None,
    owner: Annotated[str | None, typer.Option(help="Only of this partner")] = None,
    tag: Annotated[str | None, typer.Option(help="Only with this tag")] = None,
    text: Annotated[str | None, typer.Option(help="In id, name, external id or serial")] = None,
    json: Json = False,
    config: Config = None,
    data: Data = None,
) -> None:
    """List registered devices."""
    from hub.commands.devices import list_devices

    wanted = {"place": place, "connector": connector, "model": model, "owner": owner, "tag": tag, "text": text}
    list_devices(settings_of(config, data), json=json, **wanted)


@group.command("show")
def device_show(device: str, json: Json = False, config: Config = None, data: Data = None) -> None:
    """Show a device: where it stood, its hardware, certificates, remarks and photos."""
    from hub.commands.devices import show_device

    show_device(settings_of(config, data), device, json=json)


@group.command("add")
def device_add(
    device: str,
    place: Annotated[str | None, typer.Option(help="Where it is mounted; a site that is missing is made")] = None,
    title: Title = None,
    connector: Connector = None,
    external_id: ExternalId = None,
    interval: Interval = None,
    grade: Grade = None,
    origin: Origin = None,
    model: Model = None,
    serial: Serial = None,
    owner: Owner = None,
    tag: Tag = None,
    note: Note = None,
    height: Height = None,
    orientation: Orientation = None,
    by: By = None,
    config: Config = None,
    data: Data = None,
) -> None:
    """Register a device; its waiting messages are then taken in."""
    from hub.commands.devices import add_device

    add_device(
        settings_of(config, data), device, place=place, by=by, height=height, orientation=orientation, title=title,
        connector=connector, external_id=external_id, interval=interval, grade=grade, origin=origin, model=model,
        serial=serial, owner=owner, tags=tag, note=note,
    )  # fmt: skip


@group.command("change")
def device_change(
    device: str,
    title: Title = None,
    connector: Annotated[str | None, typer.Option(help="Payload family")] = None,
    external_id: ExternalId = None,
    interval: Interval = None,
    grade: Grade = None,
    origin: Origin = None,
    model: Model = None,
    serial: Serial = None,
    owner: Owner = None,
    tag: Tag = None,
    note: Note = None,
    by: By = None,
    config: Config = None,
    data: Data = None,
) -> None:
    """Change the fields that are given."""
    from hub.commands.devices import change_device

    change_device(
        settings_of(config, data), device, by=by, title=title, connector=connector, external_id=external_id,
        interval=interval, grade=grade, origin=origin, model=model, serial=serial, owner=owner, tags=tag, note=note,
    )  # fmt: skip


@group.command("move")
def device_move(
    device: str,
    place: str,
    since: Annotated[str | None, typer.Option("--from", help="2026-11-20T10:00:00Z; default: now")] = None,
    height: Height = None,
    orientation: Orientation = None,
    by: By = None,
    config: Config = None,
    data: Data = None,
) -> None:
    """Move a device; what it measured before stays with the place where it stood."""
    from hub.commands.devices import move_device

    move_device(
        settings_of(config, data), device, place, since=since, height=height, orientation=orientation, by=by
    )  # fmt: skip


@group.command("replace")
def device_replace(
    device: str,
    reason: Annotated[str, typer.Option(help="Why")],
    serial: Annotated[str, typer.Option(help="Number on the new label")] = "",
    external_id: ExternalId = None,
    model: Model = None,
    at: Annotated[str | None, typer.Option(help="When: 2026-11-20T10:00:00Z; default: now")] = None,
    total: Annotated[
        list[str] | None,
        typer.Option(help="water_volume=1523.4:0, last of the old, first of the new; repeatable"),
    ] = None,
    by: By = None,
    config: Config = None,
    data: Data = None,
) -> None:
    """Put another piece of hardware behind a device: its series and totals go on."""
    from hub.commands.devices import replace_device

    replace_device(
        settings_of(config, data), device, at=at, totals=total or (), reason=reason, serial=serial,
        external_id=external_id, model=model, by=by,
    )  # fmt: skip


@group.command("note")
def device_note(device: str, text: str, by: By = None, config: Config = None, data: Data = None) -> None:
    """Leave a remark on a device for those who come after."""
    from hub.commands.devices import note_device

    note_device(settings_of(config, data), device, text, by=by)


@group.command("retire")
def device_retire(
    device: str,
    why: Annotated[str, typer.Option(help="Stays in the record of changes")] = "",
    yes: Yes = False,
    by: By = None,
    config: Config = None,
    data: Data = None,
) -> None:
    """Take a device out of the registry; readings and values stay."""
    from hub.commands.devices import retire_device

    raise typer.Exit(retire_device(settings_of(config, data), device, why=why, by=by, ask=None if yes else asked))


@group.command("remove", hidden=True)
def device_remove(device: str, config: Config = None, data: Data = None) -> None:
    """What `retire --yes` was called up to 0.1."""
    from hub.commands.devices import retire_device

    retire_device(settings_of(config, data), device, why="", by=None, ask=None)
