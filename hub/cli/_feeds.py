# SPDX-License-Identifier: EUPL-1.2
"""Send messages: a recorded table, a simulated city, or one by hand."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from hub.cli._options import Config, Data, Json, settings_of

group = typer.Typer()


@group.command()
def replay(
    file: Path,
    mapping: Annotated[Path | None, typer.Option(help="YAML file that says which column is what")] = None,
    device: Annotated[str | None, typer.Option(help="Device of all rows")] = None,
    device_column: Annotated[str | None, typer.Option(help="Column with the device")] = None,
    time: Annotated[str | None, typer.Option(help="Column with the time")] = None,
    column: Annotated[list[str] | None, typer.Option(help="COLUMN=QUANTITY[:UNIT], repeatable")] = None,
    zone: Annotated[str | None, typer.Option(help="Zone of stamps without one: Europe/Prague, UTC, +01:00")] = None,
    stamp: Annotated[str | None, typer.Option(help="Stamps are at the start or the end of the interval")] = None,
    period: Annotated[str | None, typer.Option(help="Length of the interval, such as PT1H")] = None,
    place: Annotated[
        str | None,
        typer.Option(help="Register unknown devices at this place; a site that is missing is made"),
    ] = None,
    interval: Annotated[int | None, typer.Option(help="Declared seconds between readings, when registering")] = None,
    grade: Annotated[str, typer.Option(help="reference, indicative or informative, when registering")] = "informative",
    rate: Annotated[float | None, typer.Option(min=0.01, help="At most so many messages per second")] = None,
    speed: Annotated[float | None, typer.Option(min=0.001, help="Recorded seconds per second (time-lapse)")] = None,
    skip_bad: Annotated[bool, typer.Option(help="Send the good rows though others are at fault")] = False,
    dry_run: Annotated[bool, typer.Option(help="Check the file and send nothing")] = False,
    json: Json = False,
    config: Config = None,
    data: Data = None,
) -> None:
    """Publish a recorded table (CSV or JSON lines) through the broker; origin: imported."""
    from hub.commands.replay_command import ReplayOptions, run_replay

    options = ReplayOptions(
        file=file,
        mapping=mapping,
        given={
            "device": device,
            "device_column": device_column,
            "time": time,
            "zone": zone,
            "stamp": stamp,
            "period": period,
        },
        columns=column or [],
        place=place,
        interval=interval,
        grade=grade,
        rate=rate,
        speed=speed,
        skip_bad=skip_bad,
        dry_run=dry_run,
        json=json,
    )
    raise typer.Exit(run_replay(options, settings_of(config, data)))


@group.command()
def simulate(
    seed: Annotated[int, typer.Option(help="Seed of the simulated city")] = 1,
    hours: Annotated[float, typer.Option(min=0, help="Hours of history to send first")] = 0,
    duration: Annotated[float | None, typer.Option(min=0, help="Stop after so many seconds; default: never")] = None,
    speed: Annotated[
        float | None, typer.Option(min=0.1, help="Simulated seconds per second of history; default: as fast as it goes")
    ] = None,
    fault: Annotated[
        list[str] | None,
        typer.Option(help="NAME=RATE, repeatable: drop, late, duplicate, conflict, drift, stuck, wrong_clock, garbage"),
    ] = None,
    register: Annotated[bool, typer.Option(help="Register the simulated devices first")] = True,
    json: Json = False,
    config: Config = None,
    data: Data = None,
) -> None:
    """Send a simulated city's readings; origin: simulated."""
    from hub.commands.simulate import run_simulation

    raise typer.Exit(
        run_simulation(
            settings_of(config, data),
            seed=seed,
            hours=hours,
            duration=duration,
            speed=speed,
            faults=fault or [],
            register=register,
            json=json,
        )
    )


@group.command()
def publish(topic: str, payload: str, config: Config = None, data: Data = None) -> None:
    """Publish one message with QoS 1; PAYLOAD - reads standard input."""
    from hub.commands.publish import publish_one

    body = sys.stdin.buffer.read() if payload == "-" else payload.encode()
    publish_one(settings_of(config, data), topic, body)
