# SPDX-License-Identifier: EUPL-1.2
"""Start the hub, a demo of it, or one of its processes."""

from pathlib import Path
from typing import Annotated

import typer

from hub.cli._options import Config, Data, settings_of

group = typer.Typer()


@group.command()
def run(config: Config = None, data: Data = None) -> None:
    """Run the hub: broker (embedded only), ingest, engine, API and console."""
    from hub.commands.run import run_hub

    raise typer.Exit(run_hub(settings_of(config, data), config))


@group.command()
def demo(
    data: Annotated[Path, typer.Option("--data", help="Data directory of the demo")] = Path("demo-data"),
    port: Annotated[int, typer.Option(help="Port of the page; the next free one is taken when it is busy")] = 8000,
    mqtt_port: Annotated[int, typer.Option(help="Port of the broker; likewise")] = 1883,
    seed: Annotated[int, typer.Option(help="Seed of the simulated city")] = 1,
    hours: Annotated[int, typer.Option(min=3, max=168, help="Hours of history to begin with")] = 30,
) -> None:
    """Run a hub with a simulated city; Ctrl-C ends it."""
    from hub.commands.demo import run_demo

    raise typer.Exit(run_demo(data, port=port, mqtt_port=mqtt_port, seed=seed, hours=hours))


@group.command()
def init(config: Config = None, data: Data = None) -> None:
    """Make the data directory, the ledger with the city's places, and the admin key."""
    from hub.commands.run import init_hub

    init_hub(settings_of(config, data))


@group.command(hidden=True)
def worker(name: str, config: Config = None) -> None:
    """One process of the hub; started by `run`."""
    from hub.commands.workers import run_worker

    raise typer.Exit(run_worker(name, settings_of(config, None)))


@group.command()
def ingest(
    shard: Annotated[str, typer.Option(help="Which of how many workers, such as 1/2 (0/2 is the first)")],
    config: Config = None,
    data: Data = None,
) -> None:
    """Run one ingest worker beside `cityhub run` (which leaves out the shards not in ingest.own_shards)."""
    from hub.commands.workers import run_shard

    raise typer.Exit(run_shard(shard, settings_of(config, data)))
