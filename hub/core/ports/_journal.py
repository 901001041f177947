# SPDX-License-Identifier: EUPL-1.2
"""Ingest's own record: written by ingest alone, read by all."""

from collections.abc import Collection, Mapping, Sequence
from typing import NamedTuple, Protocol

from hub.core.journal import (
    DeviceSeen,
    EventRecord,
    Held,
    JournalBatch,
    Newcomer,
    OpenBatch,
    Progress,
    Quarantined,
    RawSample,
    Touch,
    UplinkSeen,
)


class QuarantineFilter(NamedTuple):
    """Which quarantined messages; None means any.

    `topic` is exact, or everything below when it ends with `/#`. Times of arrival in ns: since <= received < until.
    """

    state: str | None = "waiting"
    reason: str | None = None
    connector: str | None = None
    external_id: str | None = None
    ids: Sequence[int] | None = None
    device: str | None = None
    topic: str | None = None
    since: int | None = None
    until: int | None = None


class Journal(Protocol):
    """Ingest's own record: touch log, accounts, quarantine index. One writer."""

    async def progress(self) -> Progress:
        """How far the committed batches have come."""
        ...

    async def commit(self, batch: JournalBatch) -> None:
        """Commit all in one transaction; durable on return."""
        ...

    async def recent_untimed(self, since: int) -> Mapping[bytes, int]:
        """Hashes of messages stamped on arrival since `since` (ns), with the arrival."""
        ...

    async def waiting(self, where: QuarantineFilter, after: int, limit: int) -> Sequence[Quarantined]:
        """Quarantined messages that still wait, with payload, in order of id (from `after`, exclusive)."""
        ...

    async def held(self) -> Held:
        """What waits in quarantine and what was refused, per source and reason, at one moment."""
        ...

    async def purge(self, where: QuarantineFilter, why: str, by: str, now: int) -> int:
        """Take away the payloads of all that matches, for good; returns of how many. Harmless when repeated."""
        ...

    async def trim(self, cursor: int, untimed_before: int) -> None:
        """Forget touches up to `cursor`, which every reader has passed, and untimed hashes older than given."""
        ...

    async def close(self) -> None:
        """Release the file."""
        ...


class JournalReader(Protocol):
    """What engine, API and console read of ingest's journal; never writes."""

    def touches(self, after: int, limit: int) -> tuple[Sequence[Touch], int]:
        """Touches after cursor `after` in order, and the new cursor."""
        ...

    def identity(self) -> int:
        """Random number that the file was made with; 0 while there is none. A restored or new file tells by it."""
        ...

    def newest(self) -> int:
        """The highest touch that the file ever had, forgotten ones included."""
        ...

    def count(self, where: QuarantineFilter) -> int:
        """How many quarantined messages there are."""
        ...

    def quarantine(self, where: QuarantineFilter, after: int = 0, limit: int = 100) -> Sequence[Quarantined]:
        """Newest first; `after` is the id of the last row of the page before (0: from the top).

        Payloads are cut to their beginning unless single messages are asked for by id.
        """
        ...

    def accounts(self, since: int) -> Sequence[tuple[str, str, Mapping[str, int]]]:
        """(connector, device, counts by name) summed over hours from `since` (ns)."""
        ...

    def hourly(self, since: int) -> Sequence[tuple[int, str, Mapping[str, int]]]:
        """(hour in ns, connector, counts by name) of hours from `since` (ns), devices summed."""
        ...

    def reasons(self) -> Mapping[tuple[str, str], int]:
        """(connector, reason) to count, of all time."""
        ...

    def seen(self) -> Mapping[str, DeviceSeen]:
        """Newest transmission of each device."""
        ...

    def events(self, device: str | None = None, limit: int = 100) -> Sequence[EventRecord]:
        """Device events, newest first."""
        ...

    def events_of(self, devices: Collection[str], limit: int = 20) -> Mapping[str, Sequence[EventRecord]]:
        """The last events of these devices, newest first; who has none is left out."""
        ...

    def newcomers(self, limit: int = 1000) -> Sequence[Newcomer]:
        """Who talks without being registered, who spoke last first."""
        ...

    def arrivals(self, connector: str, external_id: str, limit: int = 100) -> Sequence[int]:
        """When the last waiting messages of somebody who is not registered came (ns), newest first."""
        ...

    def samples(self, device: str) -> Sequence[RawSample]:
        """The last raw messages of a registered device, newest first."""
        ...

    def uplinks(self, devices: Collection[str]) -> Mapping[str, Sequence[UplinkSeen]]:
        """How the last messages of these devices came over the air, newest first; who has none is left out."""
        ...

    def open_batches(self) -> Sequence[OpenBatch]:
        """Batches that crashes cut off between store and journal, oldest first, without their touches."""
        ...
