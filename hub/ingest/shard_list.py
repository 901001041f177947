# SPDX-License-Identifier: EUPL-1.2
"""The list that divides devices among ingest workers: YAML `device: shard`, or CSV with the columns device and shard.

A device stands as its topic names it, letter by letter: `air-7` for one that speaks natively, `ttn/eui-70b3` for one of
another connector. Every fault is told with its line. Devices that are not listed belong to shard 0.
"""

import csv
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

import yaml

from hub import sdk
from hub.core.errors import SettingsError

SETTING = "ingest.shard_file"
_NATIVE = "native"


class _Row(NamedTuple):
    line: int
    device: str
    shard: str


def read_list(path: Path, shards: int, connectors: Iterable[sdk.Connector]) -> Mapping[str, int]:
    """Shards by connector/device; SettingsError names file and line."""
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError(SETTING, f"{path} cannot be read: {error}") from error
    devices: dict[str, int] = {}
    by_name = {connector.name: connector for connector in connectors}
    lines: dict[str, int] = {}
    for row in _rows(path, text):
        try:
            key, shard = _device(row.device, by_name), _shard(row.shard, shards)
            if key in devices:
                raise ValueError(f"device {row.device!r} stands on line {lines[key]} already")
        except ValueError as error:
            raise SettingsError(SETTING, f"{path.name} line {row.line}: {error}") from error
        devices[key], lines[key] = shard, row.line
    if not devices:
        raise SettingsError(SETTING, f"{path} lists no device")
    return devices


def _rows(path: Path, text: str) -> Iterator[_Row]:
    return _csv(path, text) if path.suffix.lower() == ".csv" else _yaml(path, text)


def _csv(path: Path, text: str) -> Iterator[_Row]:
    reader = csv.DictReader(text.splitlines())
    if not {"device", "shard"} <= set(reader.fieldnames or ()):
        raise SettingsError(SETTING, f"{path.name} line 1: the columns must be called device and shard")
    for row in reader:
        yield _Row(reader.line_num, (row["device"] or "").strip(), (row["shard"] or "").strip())


def _yaml(path: Path, text: str) -> Iterator[_Row]:
    try:
        root = yaml.compose(text, Loader=yaml.SafeLoader)
    except yaml.YAMLError as error:
        raise SettingsError(SETTING, f"{path.name} is no YAML: {error}") from error
    if root is None:
        return
    if not isinstance(root, yaml.MappingNode):
        raise SettingsError(SETTING, f"{path.name}: write one line `device: shard` for each device")
    for key, value in root.value:
        if not isinstance(key, yaml.ScalarNode) or not isinstance(value, yaml.ScalarNode):
            line = key.start_mark.line + 1
            raise SettingsError(SETTING, f"{path.name} line {line}: write `device: shard`, with a number")
        yield _Row(key.start_mark.line + 1, key.value, value.value)


def _device(text: str, connectors: Mapping[str, sdk.Connector]) -> str:
    family, slash, name = text.rpartition("/")
    family = family if slash else _NATIVE
    if family not in connectors:
        raise ValueError(f"there is no connector {family!r}; there are {', '.join(sorted(connectors))}")
    if not connectors[family].device:
        raise ValueError(f"the topics of connector {family!r} do not name the device: divide it by connector")
    if not name or any(sign in name for sign in "+#{}\0"):
        raise ValueError(f"{name!r} is no device's name in a topic")
    return f"{family}/{name}"


def _shard(text: str, shards: int) -> int:
    if not text.isdecimal() or int(text) >= shards:
        raise ValueError(f"shard {text!r} is not one of 0 to {shards - 1} (ingest.workers is {shards})")
    return int(text)
