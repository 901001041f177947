# SPDX-License-Identifier: EUPL-1.2
"""`cityhub quarantine ...`."""

from collections.abc import Mapping
from inspect import signature
from pathlib import Path
from typing import Annotated, Any

import typer

from hub.cli._options import Config, Data, Json, settings_of

group = typer.Typer(no_args_is_help=True, help="Messages that could not be used.")

State = Annotated[str, typer.Option(help="waiting, redriven, ignored, purged, refused or all")]
Reason = Annotated[str | None, typer.Option(help="Only this reason")]
Connector = Annotated[str | None, typer.Option(help="Only this payload family")]
ExternalId = Annotated[str | None, typer.Option(help="Only messages of the device that its connector calls so")]
Device = Annotated[str | None, typer.Option(help="Only of this registered device")]
Topic = Annotated[str | None, typer.Option(help="Only this topic; ending in /# all below it")]
Since = Annotated[str | None, typer.Option(help="Arrived at or after, such as 2026-11-23T10:00:00Z")]
Until = Annotated[str | None, typer.Option(help="Arrived before")]
Ids = Annotated[list[str] | None, typer.Option("--id", help="Only these, such as 0-17; repeatable")]
MessageId = Annotated[str, typer.Argument(metavar="ID", help="Id from the list, such as 0-17")]


def _selection(options: Mapping[str, Any]) -> Any:
    """The filter among a command's options: those that are named as its fields are."""
    from hub.commands.quarantine import selection

    return selection(**{name: options[name] for name in signature(selection).parameters if name in options})


@group.command("list")
def quarantine_list(
    state: State = "waiting",
    reason: Reason = None,
    connector: Connector = None,
    external_id: ExternalId = None,
    device: Device = None,
    topic: Topic = None,
    since: Since = None,
    until: Until = None,
    limit: Annotated[int, typer.Option(min=1, max=10_000)] = 50,
    json: Json = False,
    config: Config = None,
    data: Data = None,
) -> None:
    """List messages set aside, newest first, one a line; `show` says what to do."""
    from hub.commands.quarantine import list_quarantine

    where = _selection(locals())
    list_quarantine(settings_of(config, data), where, limit=limit, json=json)


@group.command("show")
def quarantine_show(message: MessageId, json: Json = False, config: Config = None, data: Data = None) -> None:
    """Show everything about one message: reason, hint, payload, what it counts as."""
    from hub.commands.quarantine import show

    show(settings_of(config, data), message, json=json)


@group.command("redrive")
def quarantine_redrive(
    reason: Reason = None,
    connector: Connector = None,
    external_id: ExternalId = None,
    device: Device = None,
    topic: Topic = None,
    since: Since = None,
    until: Until = None,
    ids: Ids = None,
    config: Config = None,
    data: Data = None,
) -> None:
    """Take waiting messages through the pipeline again: those that match, or all."""
    from hub.commands.quarantine import redrive

    where = _selection(locals())
    redrive(settings_of(config, data), where)


@group.command("purge")
def quarantine_purge(
    why: Annotated[str, typer.Option(help="Reason; kept with the messages")],
    state: State = "waiting",
    reason: Reason = None,
    connector: Connector = None,
    external_id: ExternalId = None,
    device: Device = None,
    topic: Topic = None,
    since: Since = None,
    until: Until = None,
    ids: Ids = None,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask")] = False,
    config: Config = None,
    data: Data = None,
) -> None:
    """Erase the payloads of messages for good; that they came, why and who purged them is kept."""
    from hub.commands.quarantine import purge

    where = _selection(locals())
    purge(settings_of(config, data), where, why, ask=None if yes else typer.confirm)


@group.command("export")
def quarantine_export(
    to: Annotated[Path | None, typer.Option(help="File to write; default: standard output")] = None,
    state: State = "waiting",
    reason: Reason = None,
    connector: Connector = None,
    external_id: ExternalId = None,
    device: Device = None,
    topic: Topic = None,
    since: Since = None,
    until: Until = None,
    ids: Ids = None,
    config: Config = None,
    data: Data = None,
) -> None:
    """Write messages with their whole payloads as JSON lines, oldest first."""
    from hub.commands.quarantine import export

    where = _selection(locals())
    export(settings_of(config, data), where, to)


@group.command("ignore")
def quarantine_ignore(
    connector: str,
    external_id: str,
    why: Annotated[str, typer.Option(help="Whose device it is, or why it does not matter")],
    config: Config = None,
    data: Data = None,
) -> None:
    """Ignore a foreign device: what it sends is counted and dropped, also what waits of it."""
    from hub.commands.quarantine import ignore

    ignore(settings_of(config, data), connector, external_id, why)


@group.command("unignore")
def quarantine_unignore(connector: str, external_id: str, config: Config = None, data: Data = None) -> None:
    """Ignore a device no longer: what it sends from now on waits here."""
    from hub.commands.quarantine import unignore

    unignore(settings_of(config, data), connector, external_id)


@group.command("ignored")
def quarantine_ignored(json: Json = False, config: Config = None, data: Data = None) -> None:
    """List ignored devices."""
    from hub.commands.quarantine import list_ignored

    list_ignored(settings_of(config, data), json=json)
