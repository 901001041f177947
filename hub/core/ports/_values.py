# SPDX-License-Identifier: EUPL-1.2
"""Indicator values: the ledger that is their truth, and projections of it."""

from collections.abc import Collection, Mapping, Sequence
from typing import NamedTuple, Protocol

from hub.core.indicators import Correction, Digests, IndicatorValue, ValueColumns
from hub.core.places import RegistrySnapshot


class IndicatorSink(Protocol):
    """A projection of indicator values (InfluxDB, MQTT): rebuilt from the ledger at any time."""

    async def write(self, values: Sequence[IndicatorValue], registry: RegistrySnapshot) -> None:
        """Write or overwrite; idempotent. Raise Retry or Stop."""
        ...


class ValueQuery(NamedTuple):
    """Which indicator values; None means any. Times in ns; `latest` keeps the newest window of each place only.

    `as_of`: what was published at that moment, of each window the newest revision from 1 up with computed_at <= as_of;
    provisional values were never published. With `latest` the newest window that had begun by then.
    """

    indicator: str | None = None
    place: str | None = None
    start: int | None = None
    end: int | None = None
    below: bool = False  # places under `place` too
    latest: bool = False
    after_seq: int | None = None  # change feed: seq greater than this, in order of seq
    limit: int | None = None
    as_of: int | None = None


class VersionSeen(NamedTuple):
    """How many stored revisions a definition's version has; their windows begin in [first, last]."""

    version: int
    revisions: int
    first: int
    last: int


class ValueLedger(Protocol):
    """The truth for indicator values, with the engine's cursors."""

    def current(self, keys: Sequence[tuple[str, str, int]]) -> Mapping[tuple[str, str, int], IndicatorValue]:
        """Stored values by (indicator, place, start), the newest revision of each."""
        ...

    def values(self, query: ValueQuery) -> Sequence[IndicatorValue]:
        """Newest revisions in order of (start, indicator, place), or of seq for the change feed."""
        ...

    def columns(
        self, indicator: str, places: Sequence[str] | None, start: int, end: int, below: bool = False
    ) -> ValueColumns:
        """Newest revisions with start <= window start < end at the places named (None: at all) as columns.

        `below` adds the places under them.
        """
        ...

    def digests(
        self, indicator: str, places: Sequence[str] | None, start: int, end: int, but: Collection[str] = ()
    ) -> Digests:
        """Which windows are stored, and the digest of each: what a bulk comparison reads; places in `but` left out."""
        ...

    def first(self) -> int | None:
        """Start of the earliest window that is stored; None without any."""
        ...

    def due(self, now: int, limit: int) -> Sequence[IndicatorValue]:
        """Values not closed whose `closes_at` is at or before `now`."""
        ...

    def revisions(self, indicator: str, place: str, start: int) -> Sequence[IndicatorValue]:
        """All revisions kept for one window, oldest first."""
        ...

    def newest(self) -> int:
        """The highest `seq` that was ever given: whoever has read the feed up to it has seen everything."""
        ...

    def versions(self, indicator: str) -> Sequence[VersionSeen]:
        """Versions of the definition by which stored revisions of an indicator were computed, oldest first."""
        ...

    def commit(
        self,
        values: Sequence[tuple[IndicatorValue, int]],
        cursors: Mapping[str, int],
        dropped: Sequence[tuple[str, str, int]] = (),
    ) -> Sequence[IndicatorValue]:
        """Store values, each with its closes_at (ns), and cursors in one transaction; returns them with `seq`.

        A value of revision 0 overwrites in place; a higher one is a new row.
        """
        ...

    def cursor(self, name: str) -> int:
        """Position of a reader such as `touch:0` or `sink:influx`; 0 at first."""
        ...

    def corrections(self, after: int = 0) -> Sequence[Correction]:
        """Corrections with id greater than `after`."""
        ...

    def holds(self, now: int) -> Sequence[str]:
        """Names of running imports that hold finalisation back."""
        ...
