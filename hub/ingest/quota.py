# SPDX-License-Identifier: EUPL-1.2
"""How much may wait in quarantine. Pure: a batch in, a batch out that keeps within the quota.

The quota counts what waits per source and reason, and in all. A source is what sends: the device as its connector names
it, else the registered device, else the topic. Beyond the quota a message is `refused`: its account moves from
quarantined to refused, so the equations stay true, and only samples of the first and the last are kept. A part of a
message (conflict, rejected reading) stays counted as such, only its row is not kept.

Memory is bounded by the quota itself: a source is remembered while something of it waits, and there are no more
sources than waiting messages. What comes when the whole quarantine is full belongs to the source "*" of its connector
and reason, whatever name it invents.

`apply` changes nothing here; `committed` does, once the journal has the batch. So a batch may be applied again after an
error, in halves if need be. After a redrive, a purge or retention the owner calls `load` with what waits then.
"""

from collections.abc import Collection, Iterable, Mapping

from msgspec.structs import replace

from hub.core.journal import HOUR_NS, AccountKey, Counts, JournalBatch, Quarantined, Refusal, Refused, Waiting
from hub.core.ports import PartHealth
from hub.core.windows import format_instant

PART = "quarantine"  # of a worker's health; that it refuses is an alarm, and makes no process "not ready"
ANY = "*"
TOO_LARGE = "too_large"  # refused by its size, with room or without
SAMPLE = 1024  # bytes of a refused payload that are kept
ROW = 200  # bytes that a row of the index costs beside payload, topic and detail
_LONGEST = 120  # characters of a source's name that tell it from others
_MOST_REFUSED = 1000  # sources told apart among what is refused

_Key = tuple[str, str, str]  # connector, source, reason


def source_of(row: Quarantined) -> str:
    """Who sent a message."""
    return (row.external_id or row.device or row.topic)[:_LONGEST]


class _Beyond:
    """What of one source is refused in one batch."""

    __slots__ = ("first", "last", "messages")

    def __init__(self, first: Quarantined) -> None:
        self.first = self.last = first
        self.messages = 0


def cost_of(row: Quarantined) -> int:
    """Bytes that a waiting message takes."""
    return len(row.payload) + len(row.topic) + len(row.detail) + ROW


class Quota:
    """`per_source` messages of one source for one reason; `total_messages` and `total_bytes` of all together."""

    def __init__(
        self, per_source: int = 1000, total_messages: int = 100_000, total_bytes: int = 1024 * 1024 * 1024
    ) -> None:
        self._per_source = per_source
        self._total_messages = total_messages
        self._total_bytes = total_bytes
        self._waiting: dict[_Key, int] = {}
        self._messages = 0
        self._bytes = 0
        self._refused: dict[_Key, Refused] = {}

    def load(self, waiting: Iterable[Waiting], refused: Iterable[Refused]) -> None:
        """Take over what the journal's index says waits now, and what was refused."""
        self._waiting, self._messages, self._bytes = {}, 0, 0
        for found in waiting:
            key = found.connector, found.source[:_LONGEST], found.reason
            self._waiting[key] = self._waiting.get(key, 0) + found.messages
            self._messages += found.messages
            self._bytes += found.bytes
        self._refused = {(r.connector, r.source, r.reason): r for r in refused}

    def apply(self, batch: JournalBatch) -> JournalBatch:
        """The batch with what is beyond the quota refused; the batch itself when nothing is."""
        rows = batch.quarantined
        if not rows:
            return batch
        taken: dict[_Key, int] = {}
        beyond: dict[_Key, _Beyond] = {}
        moved: dict[tuple[int, str, str], int] = {}
        kept: list[Quarantined] = []
        messages, size = self._messages, self._bytes
        for row in rows:  # a flood comes through here: every microsecond counts
            key = row.connector, (row.external_id or row.device or row.topic)[:_LONGEST], row.reason
            n = taken[key] if key in taken else self._waiting.get(key, 0)
            waits = row.state != "refused"
            if waits and n < self._per_source:
                cost = cost_of(row)
                if messages < self._total_messages and size + cost <= self._total_bytes:
                    taken[key] = n + 1
                    messages += 1
                    size += cost
                    kept.append(row)
                    continue
                key = row.connector, ANY, row.reason
            found = beyond.get(key)
            if found is None:
                if not waits and key not in self._refused and len(self._refused) + len(beyond) >= _MOST_REFUSED:
                    key = row.connector, ANY, row.reason
                found = beyond.setdefault(key, _Beyond(row))
            found.messages += 1
            found.last = row
            if waits and row.scope == "message":
                account = row.received - row.received % HOUR_NS, row.connector, row.device
                moved[account] = moved.get(account, 0) + 1
        if not beyond:
            return batch
        return replace(
            batch,
            quarantined=kept,
            accounts=_refused_accounts(batch.accounts, moved),
            refusals=[*batch.refusals, *(_refusal(key, found) for key, found in beyond.items())],
        )

    def committed(self, batch: JournalBatch) -> None:
        """The journal has committed this batch."""
        for row in batch.quarantined:
            if row.state == "waiting":
                key = row.connector, source_of(row), row.reason
                self._waiting[key] = self._waiting.get(key, 0) + 1
                self._messages += 1
                self._bytes += cost_of(row)
        for refusal in batch.refusals:
            key = refusal.connector, refusal.source, refusal.reason
            known = self._refused.get(key, Refused(*key, 0, refusal.since, refusal.until))
            since, until = min(known.since, refusal.since), max(known.until, refusal.until)
            self._refused[key] = Refused(*key, known.messages + refusal.messages, since, until)

    def exhausted(self, batch: JournalBatch) -> set[tuple[str, str]]:
        """(connector, external id) of unknown devices of which this batch was refused something: no more is kept."""
        return {
            (refusal.connector, refusal.source)
            for refusal in batch.refusals
            if refusal.reason == "unknown_device"
            and len(refusal.source) < _LONGEST
            and self._waiting.get((refusal.connector, refusal.source, refusal.reason), 0) >= self._per_source
        }

    def health(self, now: int) -> PartHealth:
        """Not ok while something was refused of a source that is at its quota; else a warning of what was too large.

        So the alarm ends at once when its device is registered or ignored, or what waits or was refused is purged.
        """
        alarms = {key: refused for key, refused in self._refused.items() if self._at_quota(key)}
        if alarms:
            return PartHealth(PART, False, _words(alarms.values()), _HINT)
        recent = [r for r in self._refused.values() if r.reason == TOO_LARGE and now - r.until < HOUR_NS]
        if recent:
            return PartHealth(PART, True, f"WARNING: {_words(recent)}", _HINT_TOO_LARGE)
        return PartHealth(PART, True, f"{self._messages:,} messages wait")

    def _at_quota(self, key: _Key) -> bool:
        if key[1] == ANY:
            return self._messages >= self._total_messages or self._bytes + ROW >= self._total_bytes
        return self._waiting.get(key, 0) >= self._per_source


def _words(refused: Collection[Refused]) -> str:
    most = max(refused, key=lambda one: one.messages)
    who = f"{most.connector or 'no connector'}/{most.source}"
    others = f"; and of {len(refused) - 1} more sources" if len(refused) > 1 else ""
    since = format_instant(most.since)[:16]
    return f"refused since {since}Z: {most.messages:,} messages of {who}, {most.reason}{others}"


_SAMPLES = "cityhub quarantine list --state refused shows the first and the last message"
_HINT = f"register the device, ignore it (cityhub quarantine ignore), or purge what waits; {_SAMPLES}"
_HINT_TOO_LARGE = f"send fewer readings in one message, or raise ingest.max_payload_bytes; {_SAMPLES}"


def _refusal(key: _Key, beyond: _Beyond) -> Refusal:
    first, last = beyond.first, beyond.last
    return Refusal(
        connector=key[0],
        source=key[1],
        reason=key[2],
        messages=beyond.messages,
        since=first.received,
        until=last.received,
        first=_sample(first),
        last=None if last is first else _sample(last),
    )


def _sample(row: Quarantined) -> Quarantined:
    size = max(row.size, len(row.payload))
    return replace(row, payload=row.payload[:SAMPLE], state="refused", others=(), size=size)


def _refused_accounts(
    accounts: Mapping[AccountKey, Counts], moved: Mapping[tuple[int, str, str], int]
) -> Mapping[AccountKey, Counts]:
    """The accounts with messages moved from quarantined to refused."""
    result = dict(accounts)
    for key, n in moved.items():
        account = AccountKey(*key)
        counts = result.get(account, Counts())
        result[account] = replace(counts, quarantined=counts.quarantined - n, refused=counts.refused + n)
    return result
