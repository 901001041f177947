# SPDX-License-Identifier: EUPL-1.2
"""Backup, restore, upgrade."""

from pathlib import Path
from typing import Annotated

import typer

from hub.cli._options import Config, Data, settings_of

group = typer.Typer()


@group.command()
def backup(
    target: Annotated[
        Path | None, typer.Argument(help="File, or folder for one named after city and time; default: here")
    ] = None,
    readings: Annotated[bool, typer.Option(help="With readings; or rely on the database's own backup")] = True,
    journal: Annotated[bool, typer.Option(help="With accounts, quarantine and spool")] = True,
    secrets: Annotated[bool, typer.Option(help="With keys and settings: keep such a file as safe as those")] = False,
    config: Config = None,
    data: Data = None,
) -> None:
    """Write one file with everything, consistent while the hub runs."""
    from hub.commands.backup import back_up

    file = back_up(settings_of(config, data), target, readings=readings, journal=journal, secrets=secrets)
    print(f"{file} ({file.stat().st_size / 1e6:.1f} MB); try it now and then: cityhub restore FILE --data EMPTY-FOLDER")


@group.command()
def restore(file: Path, config: Config = None, data: Data = None) -> None:
    """Make a hub from a backup, in an empty data directory."""
    from hub.commands.restore import restore as restore_hub

    settings = settings_of(config, data)
    manifest = restore_hub(settings, file)
    what = ["ledger", *(["readings"] if manifest.readings else []), *(["journal"] if manifest.journal else [])]
    print(f"{settings.data} is the hub of {manifest.city} as of {manifest.made_at}: {', '.join(what)}")
    if not manifest.secrets:
        print("The backup has no secrets: `cityhub init` makes what is missing; devices and people keep theirs.")


@group.command()
def upgrade(
    backup: Annotated[bool, typer.Option(help="Make a backup first, into the data directory's folder backups")] = True,
    config: Config = None,
    data: Data = None,
) -> None:
    """Bring the data directory of an older release to this one; the hub has to be stopped."""
    from hub.commands.upgrade import upgrade_hub

    file, steps = upgrade_hub(settings_of(config, data), backup=backup)
    if file is not None:
        print(f"backup before the upgrade: {file}")
    for step in steps:
        print(f"{step.part}: {step.before or 'new'} -> {step.after}")
    print("done" if steps else "nothing to do: everything is of this release")
