# SPDX-License-Identifier: EUPL-1.2
"""Where readings are kept, and what quality control says of them."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple, Protocol

from hub.core.ports._streams import PartHealth
from hub.core.readings import Columns, PutResult, Reading, Series


class ReadingStore(Protocol):
    """Durable readings under the key rule of `hub.core.readings`."""

    async def put(self, rows: Sequence[Reading]) -> PutResult:
        """Store what is new; durable on return. Raise Retry (nothing is lost, put again) or Stop."""
        ...

    async def scan(self, series: Sequence[Series], start: int, end: int) -> Columns:
        """All readings of the series with start <= time < end (ns)."""
        ...

    async def latest(self, series: Sequence[Series]) -> Mapping[Series, Reading]:
        """The newest reading of each series that has one."""
        ...

    async def series(self, devices: Sequence[str] | None = None) -> Sequence[Series]:
        """All series that hold readings, of the devices named or of all."""
        ...

    async def counts(self, devices: Sequence[str] | None = None) -> Mapping[str, int]:
        """How many readings the store holds of each device that has any, of the devices named or of all."""
        ...

    async def forget(self, now: int) -> bool:
        """Delete a piece of what is past retention at `now` (ns); whether there may be more. For the writer alone."""
        ...

    async def dropped(self) -> Mapping[str, int]:
        """How many readings of each device retention has deleted; nothing where the database deletes uncounted."""
        ...

    async def check(self) -> PartHealth:
        """Ask the store whether it works now."""
        ...

    async def close(self) -> None:
        """Release files and connections."""
        ...


class QualityFinding(NamedTuple):
    """What quality control says about one reading: a QARTOD flag, and the test that gave it."""

    flag: int
    test: str


class FlagStretch(NamedTuple):
    """All findings on a series in [start, end), by time (ns): what is not in `findings` there is good."""

    series: Series
    start: int
    end: int
    findings: Mapping[int, QualityFinding]


class FlagStore(Protocol):
    """Findings of quality control beside the readings: derived, sparse, written by the engine alone, rebuilt by it."""

    async def replace(self, stretches: Sequence[FlagStretch]) -> None:
        """Make the stretches say this and nothing else; idempotent, durable on return. Raise Retry or Stop."""
        ...

    async def findings(
        self, series: Sequence[Series], start: int, end: int
    ) -> Mapping[tuple[Series, int], QualityFinding]:
        """Findings on the series with start <= time < end (ns), by series and time."""
        ...

    async def close(self) -> None:
        """Release files and connections."""
        ...
