# SPDX-License-Identifier: EUPL-1.2
"""What differs between two revisions of a document, field by field, for people to look at before they agree. Pure.

Nodes and targets are matched by their ids, so that moving one in a list is not shown as changing all behind it.
"""

from collections.abc import Iterator, Mapping
from typing import Any, Literal

import msgspec
from msgspec import Struct

from hub.core.strategies import Strategy


class Change(Struct, frozen=True):
    """One field that was added, removed or changed; parts of a path are fields and ids."""

    kind: Literal["added", "removed", "changed"]
    field: str
    before: Any = None
    after: Any = None


def changes(before: Strategy | None, after: Strategy) -> list[Change]:
    """Differences in the order of fields; a new document is one addition."""
    if before is None:
        return [Change("added", "", None, after.id)]
    found = list(_between("", _plain(before), _plain(after)))
    if not found and msgspec.json.encode(before) != msgspec.json.encode(after):
        return [Change("changed", "order of the parts")]
    return found


def _plain(strategy: Strategy) -> Any:
    return _keyed(msgspec.to_builtins(strategy))


def _keyed(value: Any) -> Any:
    """Lists of things with ids as mappings by id."""
    if isinstance(value, dict):
        return {name: _keyed(item) for name, item in value.items()}
    if not isinstance(value, list | tuple):
        return value
    if all(isinstance(item, dict) and "id" in item for item in value):
        return {item["id"]: _keyed(item) for item in value}
    return [_keyed(item) for item in value]


def _between(field: str, old: Any, new: Any) -> Iterator[Change]:
    if old == new:
        return
    if not (isinstance(old, Mapping) and isinstance(new, Mapping)):
        yield Change("changed", field, old, new)
        return
    for name in dict.fromkeys([*old, *new]):
        at = f"{field}.{name}" if field else name
        if name not in old:
            yield Change("added", at, None, new[name])
        elif name not in new:
            yield Change("removed", at, old[name], None)
        else:
            yield from _between(at, old[name], new[name])
