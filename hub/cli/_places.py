# SPDX-License-Identifier: EUPL-1.2
"""`cityhub place ...`."""

from typing import Annotated

import typer

from hub.cli._options import By, Config, Data, Json, Yes, asked, settings_of

group = typer.Typer(no_args_is_help=True, help="The tree of places: municipality, part, facility or site.")

Kind = Annotated[str | None, typer.Option(help="municipality, part, facility or site")]
Title = Annotated[str | None, typer.Option(help="Czech name")]
TitleEn = Annotated[str | None, typer.Option(help="English name; default: the Czech one")]
Latitude = Annotated[float | None, typer.Option(min=-90, max=90, help="WGS 84, degrees")]
Longitude = Annotated[float | None, typer.Option(min=-180, max=180, help="WGS 84, degrees")]
Outside = Annotated[bool, typer.Option("--outside-city", help="The position is meant to lie outside of the city")]


@group.command("list")
def place_list(
    below: Annotated[str | None, typer.Option(help="Only this place and those in it")] = None,
    kind: Kind = None,
    json: Json = False,
    config: Config = None,
    data: Data = None,
) -> None:
    """List places."""
    from hub.commands.places import list_places

    list_places(settings_of(config, data), below=below, kind=kind, json=json)


@group.command("add")
def place_add(
    place: Annotated[str, typer.Argument(help="Its path in the tree: havirov/sumbark/school")],
    kind: Kind = None,
    title: Title = None,
    title_en: TitleEn = None,
    latitude: Latitude = None,
    longitude: Longitude = None,
    outside_city: Outside = False,
    by: By = None,
    config: Config = None,
    data: Data = None,
) -> None:
    """Add a place (a site where --kind does not say else) below one that exists."""
    from hub.commands.places import add_place

    add_place(
        settings_of(config, data), place, by=by, outside_city=outside_city, kind=kind, title=title, title_en=title_en,
        latitude=latitude, longitude=longitude,
    )  # fmt: skip


@group.command("change")
def place_change(
    place: str,
    kind: Kind = None,
    title: Title = None,
    title_en: TitleEn = None,
    latitude: Latitude = None,
    longitude: Longitude = None,
    outside_city: Outside = False,
    by: By = None,
    config: Config = None,
    data: Data = None,
) -> None:
    """Change the fields that are given; the id stays."""
    from hub.commands.places import change_place

    change_place(
        settings_of(config, data), place, by=by, outside_city=outside_city, kind=kind, title=title, title_en=title_en,
        latitude=latitude, longitude=longitude,
    )  # fmt: skip


@group.command("remove")
def place_remove(place: str, yes: Yes = False, by: By = None, config: Config = None, data: Data = None) -> None:
    """Take away a place where nothing ever stood and below which nothing lies."""
    from hub.commands.places import remove_place

    raise typer.Exit(remove_place(settings_of(config, data), place, by=by, ask=None if yes else asked))
