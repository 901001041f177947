# SPDX-License-Identifier: EUPL-1.2
"""Where parts of one level meet: Protocols, joined in `hub.app` alone.

All hot ports take batches. A port raises only errors of `hub.core.errors`; drivers' own errors never cross it.
"""

from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from typing import NamedTuple, Protocol

from hub.core.delivery import Delivery, Publication
from hub.core.entries import Draft, Entry, EntryFilter, EntryState, Verdict
from hub.core.indicators import Correction, Digests, IndicatorValue, ValueColumns
from hub.core.journal import (
    DeviceSeen,
    EventRecord,
    Held,
    JournalBatch,
    OpenBatch,
    Progress,
    Quarantined,
    SpoolPosition,
    Touch,
)
from hub.core.places import Device, Place, RegistrySnapshot
from hub.core.readings import Columns, PutResult, Reading, Series
from hub.core.strategies import Strategy, StrategyRevision


class PartHealth(NamedTuple):
    """State of one part: `ok`, what was found, and what to do when it is not ok."""

    part: str
    ok: bool
    detail: str
    hint: str = ""


class Source(Protocol):
    """Where deliveries come from."""

    def batches(self) -> AsyncIterator[Sequence[Delivery]]:
        """Yield batches in order of receipt until closed; survives reconnects."""
        ...

    async def ack(self, tokens: Sequence[int]) -> None:
        """Acknowledge, in the order given; stale tokens are ignored."""
        ...

    async def close(self) -> None:
        """Disconnect without losing what was not acknowledged."""
        ...


class Publisher(Protocol):
    """Where the hub's own messages go."""

    async def publish(self, messages: Sequence[Publication]) -> None:
        """Return when the broker has confirmed all; raise Retry when it is away."""
        ...

    async def close(self) -> None:
        """Disconnect."""
        ...


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


class IndicatorSink(Protocol):
    """A projection of indicator values (InfluxDB, MQTT): rebuilt from the ledger at any time."""

    async def write(self, values: Sequence[IndicatorValue], registry: RegistrySnapshot) -> None:
        """Write or overwrite; idempotent. Raise Retry or Stop."""
        ...


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


class SpoolBatch(NamedTuple):
    """Deliveries from the spool in the order in which they went in, and the position behind them."""

    deliveries: Sequence[Delivery]
    position: SpoolPosition


class SpoolState(NamedTuple):
    """What waits in the spool: messages, bytes, and the arrival (ns) of the oldest, None when it is empty."""

    messages: int = 0
    bytes: int = 0
    oldest: int | None = None


class Spool(Protocol):
    """Deliveries on disk that a store could not take yet. One writer; which part is done with stands in the journal."""

    async def open(self, done: SpoolPosition) -> SpoolState:
        """Mend what a crash tore, forget what is done with; returns what waits."""
        ...

    async def append(self, deliveries: Sequence[Delivery]) -> None:
        """Durable on return. Raise Retry when the spool or the disk is full: nothing of it is kept then."""
        ...

    async def next(self, after: SpoolPosition) -> SpoolBatch | None:
        """What was appended together behind `after`, None when nothing is left."""
        ...

    async def done(self, position: SpoolPosition) -> None:
        """The journal has committed `position`: files before it may go."""
        ...

    def state(self) -> SpoolState:
        """What waits now."""
        ...

    async def close(self) -> None:
        """Release files; what waits stays."""
        ...


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

    def reasons(self) -> Mapping[tuple[str, str], int]:
        """(connector, reason) to count, of all time."""
        ...

    def seen(self) -> Mapping[str, DeviceSeen]:
        """Newest transmission of each device."""
        ...

    def events(self, device: str | None = None, limit: int = 100) -> Sequence[EventRecord]:
        """Device events, newest first."""
        ...

    def open_batches(self) -> Sequence[OpenBatch]:
        """Batches that crashes cut off between store and journal, oldest first, without their touches."""
        ...


ENGINE_ORDERS = frozenset({"recompute", "republish"})


class Command(NamedTuple):
    """An order left in the ledger: `redrive` (fields of QuarantineFilter) for ingest, ENGINE_ORDERS for the engine."""

    id: int
    kind: str
    arguments: Mapping[str, object]


class Registry(Protocol):
    """Devices and places, as ingest and engine need them."""

    def version(self) -> int:
        """Cheap: grows with every change."""
        ...

    def snapshot(self) -> RegistrySnapshot:
        """Everything at one version."""
        ...


class DeviceBook(Registry, Protocol):
    """The registry for those who change it."""

    def add_device(self, device: Device) -> Device:
        """Register; in the same transaction leave a redrive order for its waiting messages. Raise Exists, NotFound."""
        ...

    def remove_device(self, device: str) -> None:
        """Forget the registration; readings and values stay. Raise NotFound."""
        ...

    def put_places(self, places: Sequence[Place]) -> int:
        """Add or replace places, parents first; returns how many changed."""
        ...


class ApiKey(NamedTuple):
    """A key without its secret. Scopes: `admin` (everything), `write`, `read`."""

    id: str
    name: str
    scopes: frozenset[str]


class KeyRing(Protocol):
    """API keys; only hashes are stored."""

    def create(self, name: str, scopes: frozenset[str]) -> tuple[ApiKey, str]:
        """Make a key; the secret is returned this once."""
        ...

    def verify(self, secret: str) -> ApiKey | None:
        """The key that has this secret, None when there is none or it is revoked."""
        ...

    def revoke(self, key: str) -> None:
        """Make the key useless; raise NotFound."""
        ...

    def keys(self) -> Sequence[ApiKey]:
        """All keys that are not revoked."""
        ...


class CorrectionBook(Protocol):
    """Corrections of stored readings; the rules are those of `hub.core.corrections`."""

    def add(
        self,
        device: str,
        start: int,
        end: int,
        action: str,
        *,
        by: str,
        reason: str,
        quantity: str | None = None,
        flag: int | None = None,
        scale: float | None = None,
        shift: float | None = None,
    ) -> Correction:
        """Correct readings of a device in [start, end). Raise Invalid, NotFound, Exists (the same is in effect)."""
        ...

    def withdraw(self, correction: int, *, by: str, reason: str) -> Correction:
        """Take a correction back; returns the row that does so. Raise Invalid, NotFound, Exists (done before)."""
        ...

    def get(self, correction: int) -> Correction:
        """One correction; raise NotFound."""
        ...

    def after(self, after: int = 0) -> Sequence[Correction]:
        """Corrections with id greater than `after`, in order of id."""
        ...


class CommandQueue(Protocol):
    """Orders that one process leaves for another."""

    def pending(self) -> Sequence[Command]:
        """Orders not done yet, oldest first."""
        ...

    def done(self, command: int, result: Mapping[str, object]) -> None:
        """Mark as done, with what came of it."""
        ...

    def progress(self, command: int, done: int, total: int) -> None:
        """Say how far an order is that is worked on."""
        ...

    def submit(self, kind: str, arguments: Mapping[str, object]) -> int:
        """Leave an order; returns its id."""
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


class EntryBook(Protocol):
    """Figures that people enter; see `hub.core.entries` for the rules."""

    def judge(self, drafts: Sequence[Draft]) -> Sequence[Verdict]:
        """What would become of each draft, in order; a later one is judged with the earlier ones handed in."""
        ...

    def add(self, drafts: Sequence[Draft], *, by: str, partial: bool = False) -> Sequence[Verdict]:
        """Hand drafts in. Nothing is stored when one is refused, unless `partial`; duplicates are left out."""
        ...

    def decide(self, ids: Sequence[int], state: EntryState, *, by: str, reason: str | None = None) -> Sequence[Entry]:
        """Approve, reject or withdraw entries, all or none. Raise NotFound, Invalid."""
        ...

    def entries(self, where: EntryFilter, before: int | None = None, limit: int = 100) -> Sequence[Entry]:
        """Newest first; `before` is the id of the last entry of the page before."""
        ...

    def history(self, indicator: str, place: str, start: int) -> Sequence[Entry]:
        """All entries of one window, oldest first."""
        ...

    def counting(self, figures: Sequence[Draft]) -> Mapping[tuple[str, str, int], Entry]:
        """The entry that counts now, by window, for the windows of these figures that have one."""
        ...

    def approved(self, after: int, limit: int) -> Sequence[Entry]:
        """Entries whose approval is greater than `after`, in order of approval."""
        ...

    def in_force(
        self,
        indicator: str,
        place: str | None = None,
        start: int | None = None,
        end: int | None = None,
        *,
        below: bool = False,
        upto: int | None = None,
    ) -> Sequence[Entry]:
        """The entry that counts of each window that begins in [start, end), in order of place and start.

        `below`: places under `place` too. `upto`: as it was after that approval.
        """
        ...


class StrategyBook(Protocol):
    """Strategy documents; every change of one is a revision of the whole."""

    def put(
        self, documents: Sequence[Strategy], *, by: str, reason: str, expected: Mapping[str, int] | None = None
    ) -> Sequence[StrategyRevision]:
        """Store documents, all or none; returns the newest revision of each, unchanged where the document is.

        `expected` has the revision (0: none) on which a change is based; Exists when another one came in between.
        """
        ...

    def get(self, strategy: str, as_of: int | None = None) -> StrategyRevision:
        """The newest revision, or the one in force at `as_of` (ns; before the first: the first). Raise NotFound."""
        ...

    def all(self, as_of: int | None = None) -> Sequence[StrategyRevision]:
        """That of every document, in order of id."""
        ...

    def history(self, strategy: str) -> Sequence[StrategyRevision]:
        """All revisions of one document, oldest first. Raise NotFound."""
        ...
