# SPDX-License-Identifier: EUPL-1.2
"""What ingest commits in one transaction before it acknowledges a batch, and what others read of it."""

from collections.abc import Collection, Mapping, Sequence
from typing import NamedTuple

from msgspec import Struct

from hub.core.readings import NS

HOUR_NS = 3600 * NS
STATES = ("waiting", "redriven", "ignored", "purged", "refused")  # of a quarantined message


class Touch(NamedTuple):
    """Readings of (device, quantity) in the UTC hour that starts at `hour` (ns) arrived; duplicates touch too."""

    device: str
    quantity: str
    hour: int


class AccountKey(NamedTuple):
    """Counts are kept per hour of arrival (ns), connector ("" where none owns the topic) and device ("" unknown)."""

    hour: int
    connector: str
    device: str


class Counts(Struct):
    """The terms of the accounting equations.

    Deliveries: received = decoded + quarantined + refused + ignored.
    Readings: readings = stored + duplicate + conflict + rejected (only of decoded deliveries). Of those stored,
    `replaced` took the place of an earlier revision, so the store holds stored - replaced readings.
    """

    received: int = 0
    decoded: int = 0
    quarantined: int = 0
    refused: int = 0
    ignored: int = 0
    readings: int = 0
    stored: int = 0
    duplicate: int = 0
    conflict: int = 0
    rejected: int = 0
    replaced: int = 0


class SpoolPosition(NamedTuple):
    """A place in the spool, between two of its frames: everything before it is done with."""

    segment: int = 0
    offset: int = 0


class Progress(NamedTuple):
    """How far ingest is: the number of its last committed batch, and what of the spool is done with."""

    batch: int = 0
    spool: SpoolPosition = SpoolPosition()


class OpenBatch(Struct, frozen=True, kw_only=True):
    """A batch that a crash cut off between store and journal: its readings may be stored, but were not accounted for.

    `started` is in ns. `touches` are those of `JournalBatch`, `devices` its readings by device. Its messages were not
    acknowledged, so the broker sends them again, and what was stored already comes out as duplicate. `spool` is the
    position behind a batch that came out of the spool, and comes out of it again. Number 0 is a page of the quarantine
    being redriven: it waits on, too.
    """

    number: int
    started: int
    messages: int
    readings: int
    touches: Collection[tuple[str, str, int]] = ()
    devices: Mapping[str, int] = {}
    spool: SpoolPosition | None = None


class Repair(Struct, frozen=True, kw_only=True):
    """A correction of the books after a crash, proved by `cityhub reconcile` and kept with its cause.

    `kind` says what became of `readings` of `device`: "duplicate": batch `batch` was cut off after it had stored them,
    they came again and were counted as duplicates, which move to stored within `hour` of `connector`; "unaccounted":
    stored by it and not delivered again, so the store holds that many more than the accounts say; "accepted": a
    difference that nothing explains and an operator accepts, negative where the store lacks readings. `id` is one above
    the journal's last repair: by this a repair that was planned before another one came in is told and refused.
    """

    id: int
    kind: str
    device: str
    readings: int
    at: int
    batch: int = 0
    connector: str = ""
    hour: int = 0


class Quarantined(Struct, frozen=True, kw_only=True):
    """A message set aside, raw, with its reason.

    `scope` is "message" when nothing of it was used, "reading" when a part was: then `detail` names the part, and
    `conflicts` and `rejects` count the readings that it stands for. `external_id` is the connector's name of the device
    where it could be read, `others` further devices of this message that are not registered. `size` is that of the
    whole payload. `state` is one of STATES: waiting, redriven, ignored (its device is now), purged (payload erased), or
    refused (a sample: the beginning of the payload, and `stands_for` how many messages the row speaks for). `why`, `by`
    and `changed` (ns) say how a row came to be ignored or purged; their payload is gone.
    """

    received: int
    topic: str
    payload: bytes
    reason: str
    detail: str
    connector: str = ""
    external_id: str = ""
    device: str = ""
    scope: str = "message"
    conflicts: int = 0
    rejects: int = 0
    others: Sequence[str] = ()
    retain: bool = False
    id: int = 0
    state: str = "waiting"
    attempts: int = 0
    size: int = 0
    stands_for: int = 1
    why: str = ""
    by: str = ""
    changed: int = 0


class Refusal(Struct, frozen=True, kw_only=True):
    """Messages of one source beyond its quarantine quota: how many, when, and samples of the first and the last.

    `source` is how the connector names the device (else device, else topic), "*" when all sources of the connector
    share what is left. `last` is None when there is only one.
    """

    connector: str
    source: str
    reason: str
    messages: int
    since: int
    until: int
    first: Quarantined
    last: Quarantined | None = None


class Waiting(NamedTuple):
    """What waits of one source for one reason: how many messages, and their bytes."""

    connector: str
    source: str
    reason: str
    messages: int
    bytes: int


class Refused(NamedTuple):
    """What of one source was refused for one reason: how many messages, and when (ns)."""

    connector: str
    source: str
    reason: str
    messages: int
    since: int
    until: int


class Held(NamedTuple):
    """What the quarantine holds and what it refused, per source and reason."""

    waiting: Sequence[Waiting] = ()
    refused: Sequence[Refused] = ()


class DeviceSeen(Struct, frozen=True, kw_only=True):
    """The newest that is known of a device's transmissions: arrival and reading time in ns."""

    device: str
    received: int
    time: int | None
    messages: int


class EventRecord(Struct, frozen=True, kw_only=True):
    """A device event (join, status, log line, broker refusal) with its reason in words."""

    device: str
    connector: str
    external_id: str
    kind: str
    level: str
    reason: str
    text: str
    time: int
    received: int
    id: int = 0


class UplinkSeen(Struct, frozen=True, kw_only=True):
    """How a device's message came over the air, as its network server tells: signal of the best gateway, and who heard.

    `frame` is the frame counter, `gateways` are ids, best first; None or empty where it is not told.
    """

    device: str
    received: int
    frame: int | None = None
    rssi: float | None = None
    snr: float | None = None
    spreading_factor: int | None = None
    gateways: Sequence[str] = ()


class RawSample(Struct, frozen=True, kw_only=True):
    """One of the last messages of a registered device, as it came, and what became of it.

    `payload` is the beginning, `size` that of the whole. `verdict` is that of the interpreter, `readings` how many it
    made of it, `reason` and `detail` what of it was at fault.
    """

    device: str
    received: int
    connector: str
    topic: str
    payload: bytes
    size: int
    verdict: str
    readings: int = 0
    reason: str = ""
    detail: str = ""


class Newcomer(Struct, frozen=True, kw_only=True):
    """Who talks without being registered: how many messages wait and how many were refused, and when the first and the
    last of them came (ns). `newest` is the id of its last waiting message in its journal, 0 when none waits.
    """

    connector: str
    external_id: str
    waiting: int
    refused: int
    first: int
    last: int
    newest: int = 0


class JournalBatch(Struct, kw_only=True):
    """All that one group commit records.

    `touches` are the fields of `Touch`, the quantities of one device and hour in one, a space between. `accounts` are
    added to what is there. `redriven` are ids of quarantined messages that are used now, `ignored` of those whose
    device is ignored now; `retried` are rows (by id) that wait on, with their new reason; `refusals` what went beyond
    the quota. `untimed` maps the hash of a message stamped on arrival to that arrival. `number` is the batch's (0: none
    of the counted ones), `spool` what of the spool is done with once this is committed (None: as before). `opened` are
    batches that a crash cut off, `repairs` are recorded only where their ids follow the last one (else Invalid, and
    nothing is committed). Of `samples` the newest `samples_kept` of each device stay.
    """

    touches: Collection[tuple[str, str, int]] = ()
    accounts: Mapping[AccountKey, Counts] = {}
    reasons: Mapping[tuple[str, str], int] = {}
    quarantined: Sequence[Quarantined] = ()
    redriven: Sequence[int] = ()
    ignored: Sequence[int] = ()
    refusals: Sequence[Refusal] = ()
    retried: Sequence[Quarantined] = ()
    events: Sequence[EventRecord] = ()
    seen: Sequence[DeviceSeen] = ()
    uplinks: Sequence[UplinkSeen] = ()
    samples: Sequence[RawSample] = ()
    samples_kept: int = 0
    untimed: Mapping[bytes, int] = {}
    number: int = 0
    spool: SpoolPosition | None = None
    opened: Sequence[OpenBatch] = ()
    repairs: Sequence[Repair] = ()
