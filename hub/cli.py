# SPDX-License-Identifier: EUPL-1.2
"""The command line `cityhub`.

Only arguments are parsed here; what is done stands in `hub.commands`, imported when it is needed so that `--help` is
quick. Errors of the hub become one line on standard error: exit 1 for what the user can mend in the call, 78 for
settings and other things that only the operator can mend.
"""

import sys
from pathlib import Path
from typing import Annotated, Any, NoReturn

import typer

from hub import __version__
from hub.core.errors import HubError, Stop

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    help="cityhub: sensors in, indicators of a city out.",
)
device_app = typer.Typer(no_args_is_help=True, help="Registered devices.")
indicators_app = typer.Typer(no_args_is_help=True, help="Indicators: definitions, values, evaluation.")
quarantine_app = typer.Typer(no_args_is_help=True, help="Messages that could not be used.")
key_app = typer.Typer(no_args_is_help=True, help="API keys.")
dashboards_app = typer.Typer(no_args_is_help=True, help="Grafana dashboards.")
for name, sub in (
    ("device", device_app),
    ("indicators", indicators_app),
    ("quarantine", quarantine_app),
    ("key", key_app),
    ("dashboards", dashboards_app),
):
    app.add_typer(sub, name=name)

Config = Annotated[Path | None, typer.Option("--config", help="Settings file; default: cityhub.toml")]
Data = Annotated[Path | None, typer.Option("--data", help="Data directory; default: setting data")]
Json = Annotated[bool, typer.Option("--json", help="Print JSON for scripts")]


def _settings(config: Path | None, data: Path | None, **overrides: Any) -> Any:
    from hub.settings import load_settings

    if data is not None:
        overrides["data"] = data
        own = data / "cityhub.toml"  # a demo keeps its settings with its data
        config = own if config is None and own.is_file() else config
    return load_settings(config, **overrides)


def _version(value: bool) -> None:
    if value:
        print(f"cityhub {__version__}")
        raise typer.Exit


@app.callback()
def _root(
    _show: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version and exit")
    ] = False,
) -> None:
    """Options of all commands."""


@app.command()
def run(config: Config = None, data: Data = None) -> None:
    """Run the hub: broker (embedded only), ingest, engine, API and console."""
    from hub.commands.run import run_hub

    raise typer.Exit(run_hub(_settings(config, data), config))


@app.command()
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


@app.command()
def init(config: Config = None, data: Data = None) -> None:
    """Make the data directory, the ledger with the city's places, and the admin key."""
    from hub.commands.run import init_hub

    init_hub(_settings(config, data))


@app.command(hidden=True)
def worker(name: str, config: Config = None) -> None:
    """One process of the hub; started by `run`."""
    from hub.commands.workers import run_worker

    raise typer.Exit(run_worker(name, _settings(config, None)))


@app.command()
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
    raise typer.Exit(run_replay(options, _settings(config, data)))


@app.command()
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
            _settings(config, data),
            seed=seed,
            hours=hours,
            duration=duration,
            speed=speed,
            faults=fault or [],
            register=register,
            json=json,
        )
    )


@app.command()
def publish(topic: str, payload: str, config: Config = None, data: Data = None) -> None:
    """Publish one message with QoS 1; PAYLOAD - reads standard input."""
    from hub.commands.publish import publish_one

    body = sys.stdin.buffer.read() if payload == "-" else payload.encode()
    publish_one(_settings(config, data), topic, body)


@app.command()
def reconcile(json: Json = False, config: Config = None, data: Data = None) -> None:
    """Prove the accounting equations from the journals and name what differs."""
    from hub.commands.reconcile import run_reconcile

    raise typer.Exit(run_reconcile(_settings(config, data), json=json))


@app.command()
def doctor(json: Json = False, config: Config = None, data: Data = None) -> None:
    """Check every part, clocks included, and say what to do."""
    from hub.commands.doctor import run_doctor

    raise typer.Exit(run_doctor(_settings(config, data), json=json))


@device_app.command("list")
def device_list(json: Json = False, config: Config = None, data: Data = None) -> None:
    """List registered devices."""
    from hub.commands.devices import list_devices

    list_devices(_settings(config, data), json=json)


@device_app.command("add")
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
        _settings(config, data),
        device,
        place=place,
        title=title,
        connector=connector,
        external_id=external_id,
        interval=interval,
        grade=grade,
        origin=origin,
    )


@device_app.command("remove")
def device_remove(device: str, config: Config = None, data: Data = None) -> None:
    """Forget a registration; readings and values stay."""
    from hub.commands.devices import remove_device

    remove_device(_settings(config, data), device)


@indicators_app.command("list")
def indicators_list(json: Json = False, config: Config = None, data: Data = None) -> None:
    """List the definitions."""
    from hub.commands.indicators import list_indicators

    list_indicators(_settings(config, data), json=json)


@indicators_app.command("evaluate")
def indicators_evaluate(
    indicator: Annotated[str, typer.Argument(help="Id, or the path of a definition file")],
    inputs: Annotated[Path, typer.Option(help="Table: a row a window or a reading, columns named by input")],
    stamp: Annotated[str, typer.Option(help="Stamps are at the start or the end of the interval")] = "start",
    period: Annotated[str | None, typer.Option(help="Length of a row's interval, such as PT1H")] = None,
    interval: Annotated[int | None, typer.Option(help="Declared seconds between readings")] = None,
    zone: Annotated[str | None, typer.Option(help="Zone of stamps without one; default: the city's")] = None,
    calendar: Annotated[str | None, typer.Option(help="Zone of days and years instead of the definition's")] = None,
    json: Json = False,
    config: Config = None,
    data: Data = None,
) -> None:
    """Run the engine's own path on a table and print value, band, status and reason of each window."""
    from hub.commands.indicators import evaluate_table

    evaluate_table(
        _settings(config, data),
        indicator,
        inputs,
        stamp=stamp,
        period=period,
        interval=interval,
        zone=zone,
        calendar=calendar,
        json=json,
    )


@indicators_app.command("explain")
def indicators_explain(
    indicator: str,
    place: str,
    start: Annotated[str | None, typer.Argument(help="Begin of the window; default: the newest")] = None,
    json: Json = False,
    config: Config = None,
    data: Data = None,
) -> None:
    """Show where a value comes from: inputs, counts, revisions and definition."""
    from hub.commands.indicators import explain_value

    explain_value(_settings(config, data), indicator, place, start, json=json)


@indicators_app.command("recompute")
def indicators_recompute(
    indicator: Annotated[str | None, typer.Option(help="Only this one")] = None,
    place: Annotated[str | None, typer.Option(help="Only this place")] = None,
    config: Config = None,
    data: Data = None,
) -> None:
    """Compute again from the stored readings; the result is exactly the live one."""
    from hub.commands.indicators import recompute

    recompute(_settings(config, data), indicator, place)


@indicators_app.command("republish")
def indicators_republish(config: Config = None, data: Data = None) -> None:
    """Send all values to InfluxDB and MQTT again."""
    from hub.commands.indicators import republish

    republish(_settings(config, data))


@quarantine_app.command("list")
def quarantine_list(
    reason: Annotated[str | None, typer.Option(help="Only this reason")] = None,
    state: Annotated[str, typer.Option(help="waiting, redriven, refused or all")] = "waiting",
    limit: Annotated[int, typer.Option(min=1, max=10_000)] = 50,
    json: Json = False,
    config: Config = None,
    data: Data = None,
) -> None:
    """List messages set aside, newest first."""
    from hub.commands.quarantine import list_quarantine

    list_quarantine(_settings(config, data), reason=reason, state=state, limit=limit, json=json)


@quarantine_app.command("redrive")
def quarantine_redrive(
    reason: Annotated[str | None, typer.Option(help="Only this reason")] = None,
    ids: Annotated[list[int] | None, typer.Option("--id", help="Only these, repeatable")] = None,
    config: Config = None,
    data: Data = None,
) -> None:
    """Take waiting messages through the pipeline again."""
    from hub.commands.quarantine import redrive

    redrive(_settings(config, data), reason=reason, ids=ids)


@key_app.command("create")
def key_create(
    name: str,
    scope: Annotated[list[str] | None, typer.Option(help="read, write or admin; repeatable")] = None,
    config: Config = None,
    data: Data = None,
) -> None:
    """Make an API key; its secret is shown this once."""
    from hub.commands.keys import create_key

    create_key(_settings(config, data), name, scope or ["read"])


@key_app.command("list")
def key_list(config: Config = None, data: Data = None) -> None:
    """List API keys."""
    from hub.commands.keys import list_keys

    list_keys(_settings(config, data))


@key_app.command("revoke")
def key_revoke(key: str, config: Config = None, data: Data = None) -> None:
    """Make an API key useless."""
    from hub.commands.keys import revoke_key

    revoke_key(_settings(config, data), key)


@dashboards_app.command("push")
def dashboards_push(
    url: Annotated[str, typer.Option(help="Grafana's address")],
    token_file: Annotated[Path, typer.Option(help="File with a service account token")],
    config: Config = None,
    data: Data = None,
) -> None:
    """Create or replace this city's dashboards in a running Grafana."""
    from hub.commands.grafana import push_dashboards

    push_dashboards(_settings(config, data), url, token_file)


@dashboards_app.command("build")
def dashboards_build(
    out: Annotated[Path, typer.Option(help="Folder for the JSON files")], config: Config = None, data: Data = None
) -> None:
    """Write this city's dashboards as JSON for Grafana's provisioning."""
    from hub.commands.grafana import build_dashboards

    build_dashboards(_settings(config, data), out)


def _fail(message: str, code: int) -> NoReturn:
    print(f"cityhub: {message}", file=sys.stderr)
    raise SystemExit(code)


def main() -> None:
    """Entry point of the console script."""
    try:
        app()
    except Stop as error:
        _fail(str(error), 78)
    except HubError as error:
        _fail(str(error), 1)
    except KeyboardInterrupt:
        _fail("stopped", 130)


if __name__ == "__main__":
    main()
