# SPDX-License-Identifier: EUPL-1.2
"""`cityhub quality ...`."""

from pathlib import Path
from typing import Annotated

import typer

from hub.cli._options import Config, Data, Json, settings_of

group = typer.Typer(no_args_is_help=True, help="Quality control of readings after QARTOD.")


@group.callback()
def _quality() -> None:
    """Quality control of readings after QARTOD."""


@group.command("check")
def quality_check(
    inputs: Annotated[
        Path, typer.Option(help="CSV with value, time and device; or cases with test, params_json, values_json")
    ],
    quantity: Annotated[str | None, typer.Option(help="Make the tests that this quantity has in the hub")] = None,
    test: Annotated[
        str | None, typer.Option(help="Make one test alone: gross_range, spike, rate_of_change, flat_line")
    ] = None,
    params: Annotated[
        str | None, typer.Option(help="Its parameters, JSON with the names of ioos_qc: '{\"suspect\": 25}'")
    ] = None,
    json: Json = False,
    config: Config = None,
    data: Data = None,
) -> None:
    """Print the QARTOD flag of each row: 1 good, 2 not evaluated, 3 suspect, 4 fail, 9 missing."""
    from hub.commands.quality import check

    check(settings_of(config, data), inputs, quantity, test=test, params=params, json=json)
