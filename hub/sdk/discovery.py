# SPDX-License-Identifier: EUPL-1.2
"""Finding connectors: one folder each, holding `connector.py` with the constant `CONNECTOR`.

There is no registry. Importing a connector has no effect but defining it; what exists is what lies in the folder. A
family that is configured (mapped JSON) yields one connector for each of its configuration files, named
`family.stem`. Everything is validated here, before the hub subscribes to anything.
"""

import re
from collections.abc import Iterator, Mapping
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Final

from hub.core.errors import SettingsError
from hub.sdk._types import ConfigurableConnector, Connector
from hub.sdk.topics import Router

_STEM: Final = re.compile(r"[a-z0-9][a-z0-9_-]{0,62}")


def discover(
    package: ModuleType, configurations: Mapping[str, Mapping[str, str]] | None = None
) -> tuple[Connector, ...]:
    """All connectors of `package`, in order of their names.

    `configurations` maps a family to its configuration files: stem to text. SettingsError names the culprit.
    """
    given = configurations or {}
    found = families(package)
    for family in given:
        if not isinstance(found.get(family), ConfigurableConnector):
            takers = [name for name, item in found.items() if isinstance(item, ConfigurableConnector)]
            raise SettingsError(
                f"connectors.{family}", f"takes no configuration files; those that do: {', '.join(takers) or 'none'}"
            )
    connectors = tuple(c for name, item in found.items() for c in _instances(item, given.get(name, {})))
    Router(connectors)  # names and topics are checked where they are used
    return connectors


def families(package: ModuleType) -> Mapping[str, Connector | ConfigurableConnector]:
    """The constant `CONNECTOR` of every folder, by folder name; SettingsError names the folder at fault."""
    names = sorted({path.parent.name for root in package.__path__ for path in Path(root).glob("*/connector.py")})
    return {name: _load(package, name) for name in names}


def _load(package: ModuleType, name: str) -> Connector | ConfigurableConnector:
    setting = f"connectors.{name}"
    try:
        module = import_module(f"{package.__name__}.{name}.connector")
    except Exception as error:  # whatever a foreign module raises on import, its name must reach the operator
        raise SettingsError(setting, f"cannot be imported: {type(error).__name__}: {error}") from error
    connector = getattr(module, "CONNECTOR", None)
    if not isinstance(connector, Connector | ConfigurableConnector):
        raise SettingsError(setting, "connector.py must define CONNECTOR, a Connector or ConfigurableConnector")
    if connector.name != name:
        raise SettingsError(setting, f"its name is {connector.name!r}; it must be that of its folder")
    return connector


def _instances(item: Connector | ConfigurableConnector, texts: Mapping[str, str]) -> Iterator[Connector]:
    if isinstance(item, Connector):
        yield item
        return
    for stem, text in sorted(texts.items()):
        yield configured(item, stem, text)


def configured(family: ConfigurableConnector, stem: str, text: str) -> Connector:
    """The connector of one configuration file; SettingsError names the file and what `configure` said."""
    setting = f"connectors.{family.name}.{stem}"
    if not _STEM.fullmatch(stem):
        raise SettingsError(setting, "the file's name must be of a-z 0-9 _ -")
    try:
        connector = family.configure(stem, text)
    except ValueError as error:
        raise SettingsError(setting, str(error)) from error
    Router([connector])
    return connector
