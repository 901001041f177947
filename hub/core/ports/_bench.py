# SPDX-License-Identifier: EUPL-1.2
"""Trying out what a message means, without anything being stored."""

from collections.abc import Sequence
from typing import NamedTuple, Protocol

from hub.core.journal import EventRecord, UplinkSeen
from hub.core.readings import Reading


class Tried(NamedTuple):
    """What ingest would make of a message. `devices` are those it names, as the connector calls them.

    `verdict` is that of ingest. Readings of a device that is not registered bear the connector's name of it. `faults`
    are (code of the reason, detail) of what cannot be used, `doubts` codes of what is stored with a flag.
    """

    connector: str
    devices: Sequence[str]
    verdict: str
    readings: Sequence[Reading] = ()
    faults: Sequence[tuple[str, str]] = ()
    doubts: Sequence[str] = ()
    events: Sequence[EventRecord] = ()
    uplinks: Sequence[UplinkSeen] = ()


class Bench(Protocol):
    """Decodes as ingest does, as if every device that a message names were registered. Stores nothing."""

    def decode(self, topic: str, payload: bytes, received: int, model: str = "") -> Tried:
        """What ingest would make of a message that arrived at `received` (ns), were its devices of this model."""
        ...
