# SPDX-License-Identifier: EUPL-1.2
"""Options that many commands share."""

from pathlib import Path
from typing import Annotated, Any

import typer

Config = Annotated[Path | None, typer.Option("--config", help="Settings file; default: cityhub.toml")]
Data = Annotated[Path | None, typer.Option("--data", help="Data directory; default: setting data")]
Json = Annotated[bool, typer.Option("--json", help="Print JSON for scripts")]


def settings_of(config: Path | None, data: Path | None, **overrides: Any) -> Any:
    """Validated settings of a call; typed loosely, so that `--help` need not import pydantic."""
    from hub.settings import load_settings

    if data is not None:
        overrides["data"] = data
        own = data / "cityhub.toml"  # a demo keeps its settings with its data
        config = own if config is None and own.is_file() else config
    return load_settings(config, **overrides)
