# SPDX-License-Identifier: EUPL-1.2
"""`cityhub dashboards ...`."""

from pathlib import Path
from typing import Annotated

import typer

from hub.cli._options import Config, Data, settings_of

group = typer.Typer(no_args_is_help=True, help="Grafana dashboards.")


@group.command("push")
def dashboards_push(
    url: Annotated[str, typer.Option(help="Grafana's address")],
    token_file: Annotated[Path, typer.Option(help="File with a service account token")],
    config: Config = None,
    data: Data = None,
) -> None:
    """Create or replace this city's dashboards in a running Grafana."""
    from hub.commands.grafana import push_dashboards

    push_dashboards(settings_of(config, data), url, token_file)


@group.command("build")
def dashboards_build(
    out: Annotated[Path, typer.Option(help="Folder for the JSON files")], config: Config = None, data: Data = None
) -> None:
    """Write this city's dashboards as JSON for Grafana's provisioning."""
    from hub.commands.grafana import build_dashboards

    build_dashboards(settings_of(config, data), out)
