# SPDX-License-Identifier: EUPL-1.2
"""YAML from outside, read so that nothing is lost silently and nothing can blow up.

A first pass over the events of the parser refuses what a strategy never needs: aliases (a short text could unfold to
gigabytes), tags, deep nesting, several documents in one file, and keys that stand twice (the last would win unseen).
Only then the text is built into lists and dicts.
"""

from typing import Any

import yaml

from hub.core.errors import Invalid

DEEPEST = 24


def read_yaml(text: str, file: str) -> Any:
    """Lists and dicts of one YAML document; Invalid names file and line."""
    try:
        _check(text, file)
        return yaml.load(text, Loader=yaml.CSafeLoader)
    except yaml.MarkedYAMLError as error:
        raise Invalid(f"no YAML: {error.problem}", _where(file, error.problem_mark)) from error
    except (yaml.YAMLError, ValueError) as error:  # ValueError: 2020-02-31 is no date
        raise Invalid(f"no YAML: {' '.join(str(error).split())}", file) from error


def _check(text: str, file: str) -> None:
    open_: list[_Open] = []
    documents = 0
    for event in yaml.parse(text, Loader=yaml.CSafeLoader):
        documents += isinstance(event, yaml.DocumentStartEvent)
        if documents > 1:
            raise Invalid("holds several documents: one file is one strategy", _where(file, event.start_mark))
        if isinstance(event, yaml.AliasEvent):
            raise Invalid("uses an alias (*): write the value out", _where(file, event.start_mark))
        if (tag := getattr(event, "tag", None)) is not None:
            raise Invalid(f"uses the tag {tag}: write the value without it", _where(file, event.start_mark))
        if isinstance(event, yaml.NodeEvent):
            _see(event, open_, file)
        if isinstance(event, yaml.CollectionStartEvent):
            open_.append(_Open(isinstance(event, yaml.MappingStartEvent)))
        elif isinstance(event, yaml.CollectionEndEvent):
            open_.pop()
        if len(open_) > DEEPEST:
            raise Invalid(f"is nested deeper than {DEEPEST} levels", _where(file, event.start_mark))


class _Open:
    """A list or mapping that is not closed yet; of a mapping the keys, and whether a key comes next."""

    __slots__ = ("is_mapping", "key_next", "keys")

    def __init__(self, is_mapping: bool) -> None:
        self.is_mapping = is_mapping
        self.key_next = is_mapping
        self.keys: set[str] = set()


def _see(event: yaml.NodeEvent, open_: list[_Open], file: str) -> None:
    if not open_ or not open_[-1].is_mapping:
        return
    here = open_[-1]
    if here.key_next and isinstance(event, yaml.ScalarEvent):
        if event.value in here.keys:
            raise Invalid(f"{event.value!r} stands twice", _where(file, event.start_mark))
        here.keys.add(event.value)
    here.key_next = not here.key_next


def _where(file: str, mark: Any) -> str:
    return file if mark is None else f"{file}, line {mark.line + 1}"
