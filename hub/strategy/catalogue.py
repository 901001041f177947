# SPDX-License-Identifier: EUPL-1.2
"""Strategies that come with the hub or that a city keeps in a directory of its own: one YAML file each."""

from collections.abc import Mapping
from importlib.resources import files
from pathlib import Path

from hub.core.errors import SettingsError
from hub.core.strategies import Strategy
from hub.strategy.documents import parse_yaml


def load_directory(directory: Path | None = None) -> Mapping[str, Strategy]:
    """Documents by file name, Havířov's without a directory; Invalid names file and field."""
    return {name: parse_yaml(text, name) for name, text in _texts(directory).items()}


def _texts(directory: Path | None) -> Mapping[str, str]:
    where = files("hub.strategy").joinpath("catalogue", "havirov") if directory is None else directory
    try:
        found = sorted((f for f in where.iterdir() if f.name.endswith((".yaml", ".yml"))), key=lambda f: f.name)
        return {f.name: f.read_text(encoding="utf-8") for f in found}
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError("strategies.catalogue", f"{directory} cannot be read: {error}") from error
