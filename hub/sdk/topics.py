# SPDX-License-Identifier: EUPL-1.2
"""Which connector owns a topic.

A template is matched level by level: a literal matches itself, `{name}` one level, a trailing `#` all levels that
follow (none included, as in MQTT). As in MQTT, a wildcard at the first level does not match topics that begin with $.
Every topic has at most one owner: templates that could both match one topic are refused at start-up, which also keeps
brokers from delivering a message twice through overlapping subscriptions.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from itertools import combinations
from types import MappingProxyType
from typing import Final, NamedTuple

from msgspec import Struct

from hub.core.errors import SettingsError
from hub.sdk._types import Connector

_VARIABLE: Final = re.compile(r"\{([a-z][a-z0-9_]*)\}")


class Template(Struct, frozen=True):
    """A compiled topic template. `levels` holds literals, or None for a variable; `names` the variables in order."""

    text: str
    levels: tuple[str | None, ...]
    names: tuple[str, ...]
    rest: bool

    @property
    def filter(self) -> str:
        """The MQTT topic filter to subscribe to."""
        return "/".join(["+" if level is None else level for level in self.levels] + ["#"] * self.rest)

    def match(self, levels: Sequence[str]) -> Mapping[str, str] | None:
        """Variables of a topic split at its slashes, None when it does not match."""
        if len(levels) != len(self.levels) and not (self.rest and len(levels) > len(self.levels)):
            return None
        if levels[0].startswith("$") and self._wild_start:
            return None
        if any(want is not None and want != got for want, got in zip(self.levels, levels, strict=False)):
            return None
        values = (got for want, got in zip(self.levels, levels, strict=False) if want is None)
        return MappingProxyType(dict(zip(self.names, values, strict=True)))

    @property
    def _wild_start(self) -> bool:
        return not self.levels or self.levels[0] is None


def compile_template(text: str) -> Template:
    """Compile `devices/{device}/readings` or `site/{site}/#`; ValueError says what is wrong with it."""
    levels = text.split("/")
    rest = levels[-1] == "#"
    compiled = tuple(_level(level, text) for level in (levels[:-1] if rest else levels))
    names = tuple(match[1] for level in levels if (match := _VARIABLE.fullmatch(level)))
    if len(set(names)) != len(names):
        raise ValueError(f"topic {text!r} names a variable twice")
    if not text or text.startswith("/"):
        raise ValueError(f"topic {text!r} must not be empty or begin with a slash")
    return Template(text, compiled, names, rest)


def _level(level: str, text: str) -> str | None:
    if _VARIABLE.fullmatch(level):
        return None
    if any(sign in level for sign in "{}+#\0"):
        raise ValueError(f"topic {text!r}: level {level!r} must be plain text or one {{name}}; # may end the topic")
    return level


def overlaps(one: Template, other: Template) -> bool:
    """Whether some topic matches both."""
    for a, b in zip(one.levels, other.levels, strict=False):
        if a is not None and b is not None and a != b:
            return False
    if _hidden(one, other) or _hidden(other, one):
        return False
    if len(one.levels) == len(other.levels):
        return True
    shorter = min(one, other, key=lambda template: len(template.levels))
    return shorter.rest


def _hidden(one: Template, other: Template) -> bool:
    """Whether a wildcard start of `one` cannot meet the $ topics of `other`."""
    return one._wild_start and bool(other.levels) and (other.levels[0] or "").startswith("$")


class Route(NamedTuple):
    """Who decodes a topic, with the topic's variables."""

    connector: Connector
    variables: Mapping[str, str]


class Router:
    """Finds the connector of a topic.

    Hits are remembered by exact topic, at most `remember` of them (the oldest goes first), so that memory is bounded
    whatever is published; misses are not remembered.
    """

    def __init__(self, connectors: Iterable[Connector], remember: int = 200_000) -> None:
        self.connectors: tuple[Connector, ...] = tuple(connectors)
        self._templates = tuple((_compiled(text, c), c) for c in self.connectors for text in c.topics)
        self._remember = remember
        self._known: dict[str, Route] = {}
        check_names(self.connectors)
        _check_overlaps(self._templates)

    @property
    def filters(self) -> tuple[str, ...]:
        """MQTT topic filters that cover all connectors; no two of them overlap."""
        return tuple(template.filter for template, _ in self._templates)

    def match(self, topic: str) -> Route | None:
        """The connector that owns `topic`, None when no connector does."""
        known = self._known.get(topic)
        return self._search(topic) if known is None else known

    def _search(self, topic: str) -> Route | None:
        levels = topic.split("/")
        for template, connector in self._templates:
            variables = template.match(levels)
            if variables is not None:
                if len(self._known) >= self._remember:
                    del self._known[next(iter(self._known))]
                route = self._known[topic] = Route(connector, variables)
                return route
        return None


def check_names(connectors: Iterable[Connector]) -> None:
    """SettingsError when two connectors have one name."""
    seen: set[str] = set()
    for connector in connectors:
        if connector.name in seen:
            raise SettingsError(f"connectors.{connector.name}", "two connectors have this name; rename one")
        seen.add(connector.name)


def _compiled(text: str, connector: Connector) -> Template:
    try:
        template = compile_template(text)
    except ValueError as error:
        raise SettingsError(f"connectors.{connector.name}", str(error)) from error
    if connector.device and connector.device not in template.names:
        raise SettingsError(
            f"connectors.{connector.name}", f"topic {text!r} lacks {{{connector.device}}}, which names the device"
        )
    return template


def _check_overlaps(templates: Iterable[tuple[Template, Connector]]) -> None:
    for (one, its), (other, others) in combinations(templates, 2):
        if overlaps(one, other):
            raise SettingsError(
                f"connectors.{others.name}",
                f"its topic {other.text!r} overlaps {one.text!r} of connector {its.name}: "
                "change or leave out one of them, as each topic needs one owner",
            )
