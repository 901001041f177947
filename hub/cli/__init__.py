# SPDX-License-Identifier: EUPL-1.2
"""The command line `cityhub`.

Only arguments are parsed here, one module a group of commands; what is done stands in `hub.commands`, imported when it
is needed so that `--help` is quick. Errors of the hub become one line on standard error: exit 1 for what the user can
mend in the call, 78 for settings and other things that only the operator can mend.
"""

import sys
from typing import Annotated, NoReturn

import typer

from hub import __version__
from hub.cli import (
    _checks,
    _corrections,
    _credentials,
    _dashboards,
    _devices,
    _entries,
    _exchange,
    _feeds,
    _hub,
    _indicators,
    _keys,
    _models,
    _people,
    _places,
    _quality,
    _quarantine,
    _safety,
    _strategies,
)
from hub.core.errors import HubError, Stop

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    help="cityhub: sensors in, indicators of a city out.",
)
for module in (_hub, _feeds, _safety, _exchange, _checks):
    app.add_typer(module.group)
_devices.group.add_typer(_credentials.device)
for name, sub in (
    ("device", _devices.group),
    ("place", _places.group),
    ("model", _models.group),
    ("bridge", _credentials.group),
    ("indicators", _indicators.group),
    ("entries", _entries.group),
    ("imports", _exchange.runs),
    ("strategies", _strategies.group),
    ("corrections", _corrections.group),
    ("quality", _quality.group),
    ("quarantine", _quarantine.group),
    ("key", _keys.group),
    ("person", _people.group),
    ("dashboards", _dashboards.group),
):
    app.add_typer(sub, name=name)


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
