# SPDX-License-Identifier: EUPL-1.2
"""Options that many commands share."""

from pathlib import Path
from typing import Annotated, Any

import typer

Config = Annotated[Path | None, typer.Option("--config", help="Settings file; default: cityhub.toml")]
Data = Annotated[Path | None, typer.Option("--data", help="Data directory; default: setting data")]
Json = Annotated[bool, typer.Option("--json", help="Print JSON for scripts")]
By = Annotated[str | None, typer.Option(help="Your name, for the record; default: your login")]
Yes = Annotated[bool, typer.Option("--yes", help="Do not ask")]


def asked(question: str) -> bool:
    """Ask on standard error, so that standard output stays clean; without a terminal it is a no."""
    return typer.confirm(question, err=True)


def settings_of(config: Path | None, data: Path | None, **overrides: Any) -> Any:
    """Validated settings of a call; typed loosely, so that `--help` need not import pydantic."""
    from hub.settings import load_settings

    if data is not None:
        overrides["data"] = data
        own = data / "cityhub.toml"  # a demo keeps its settings with its data
        config = own if config is None and own.is_file() else config
    return load_settings(config, **overrides)
