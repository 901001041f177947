# SPDX-License-Identifier: EUPL-1.2
"""Who talks without being registered: what is known of it, what can be suggested, and how it becomes a device.

Over ports alone, so that API and pages show the same. What a stranger says is data: its messages are tried out on the
bench, which stores nothing, and a model is guessed from what they hold. Calls block.
"""

import json
import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import suppress
from itertools import islice
from statistics import median
from typing import NamedTuple

from msgspec.structs import replace

from hub.core.journal import Newcomer, Quarantined
from hub.core.places import Device
from hub.core.ports import Bench, CommandQueue, DeviceBook, JournalReader, QuarantineFilter, Tried
from hub.core.readings import NS
from hub.devices.guess import Candidate, guess_model
from hub.devices.models import DeviceModel

_USUAL = (10, 15, 30, 60, 120, 300, 600, 900, 1200, 1800, 3600, 7200, 14_400, 21_600, 43_200, 86_400)  # seconds
_FEWEST = 3
_NEAR = 0.15
_NEWCOMERS = 10_000
_TOPICS = 20  # last messages that are looked at for topics
_FIELDS = 200  # names taken from a payload
_NEW_DEVICE = "unknown_device"


class Stranger(NamedTuple):
    """Somebody who talks without being registered, with its last message where one waits, and what this means."""

    newcomer: Newcomer
    message: Quarantined | None = None
    topics: Sequence[str] = ()
    tried: Tried | None = None
    guesses: Sequence[Candidate] = ()


class Proposal(NamedTuple):
    """What a form begins with; empty or None where nothing can be suggested."""

    stranger: Stranger
    id: str
    title: str
    model: str
    interval: int | None


class Claimed(NamedTuple):
    """The device, how many messages waited for it, and the orders by which ingest takes them in."""

    device: Device
    waiting: int
    orders: Sequence[int]


class Inbox:
    """The newcomers of all journals."""

    def __init__(
        self,
        journals: Sequence[JournalReader],
        book: DeviceBook,
        commands: CommandQueue,
        models: Mapping[str, DeviceModel],
        bench: Bench | None = None,
    ) -> None:
        self._journals = journals
        self._book = book
        self._commands = commands
        self._models = models
        self._bench = bench

    def newcomers(self, limit: int = 1000) -> Sequence[Newcomer]:
        """Who talks and is neither registered nor ignored, who spoke last first; one row for all journals."""
        snapshot = self._book.snapshot()
        known = {(d.connector, d.external_id) for d in snapshot.devices.values()} | snapshot.ignored
        merged: dict[tuple[str, str], Newcomer] = {}
        for journal in self._journals:
            for row in journal.newcomers(_NEWCOMERS):
                name = row.connector, row.external_id
                if name not in known:
                    merged[name] = _both(merged[name], row) if name in merged else row
        return sorted(merged.values(), key=lambda row: (-row.last, row.connector, row.external_id))[:limit]

    def strangers(self, limit: int = 50) -> Sequence[Stranger]:
        """The same with what is known of each."""
        return [self._look(row) for row in self.newcomers(limit)]

    def stranger(self, connector: str, external_id: str) -> Stranger:
        """One of them; without messages where it has not been heard."""
        name = connector, external_id
        rows = [r for j in self._journals for r in j.newcomers(_NEWCOMERS) if (r.connector, r.external_id) == name]
        silent = Newcomer(connector=connector, external_id=external_id, waiting=0, refused=0, first=0, last=0)
        found = rows[0] if rows else silent
        for row in rows[1:]:
            found = _both(found, row)
        return self._look(found)

    def proposal(self, connector: str, external_id: str) -> Proposal:
        """What to begin a registration with."""
        stranger = self.stranger(connector, external_id)
        snapshot = self._book.snapshot()
        model = self._models.get(stranger.guesses[0].model) if stranger.guesses else None
        arrivals = [at for journal in self._journals for at in journal.arrivals(connector, external_id)]
        interval = interval_of(arrivals) or (model.interval if model else None)
        title = f"{model.label} {external_id[-4:]}" if model else external_id
        return Proposal(stranger, suggested_id(external_id, snapshot.known), title, model.id if model else "", interval)

    def claim(self, device: Device, *, by: str) -> Claimed:
        """Register it. Its waiting messages are taken in by ingest. Raise Exists, NotFound, Invalid."""
        before = {order.id for order in self._commands.pending()}
        row = self.stranger(device.connector, device.external_id).newcomer
        added = self._book.add_device(device, by=by)
        wanted = {"connector": device.connector, "external_id": device.external_id}
        orders = [
            order.id
            for order in self._commands.pending()
            if order.id not in before and order.kind == "redrive" and wanted.items() <= order.arguments.items()
        ]
        return Claimed(added, row.waiting, orders)

    def _look(self, row: Newcomer) -> Stranger:
        messages = self._last(row)
        if not messages:
            return Stranger(row, guesses=guess_model(row.connector, row.external_id, "", (), self._models))
        newest = self._whole(row, messages[0])
        names = {*islice(field_names(newest.payload), _FIELDS)}
        guesses = guess_model(row.connector, row.external_id, newest.topic, names, self._models)
        tried = self._try(newest, guesses[0].model if guesses else "")
        return Stranger(row, newest, list(dict.fromkeys(m.topic for m in messages)), tried, guesses)

    def _try(self, message: Quarantined, model: str) -> Tried | None:
        """What a message means, read as the model that its sender may be: codecs of one maker share names."""
        if self._bench is None:
            return None
        return self._bench.decode(message.topic, message.payload, message.received, model)

    def _last(self, row: Newcomer) -> Sequence[Quarantined]:
        """Its last waiting messages, newest first; their payloads may be cut."""
        where = QuarantineFilter(reason=_NEW_DEVICE, connector=row.connector, external_id=row.external_id)
        found = [m for journal in self._journals for m in journal.quarantine(where, limit=_TOPICS)]
        return sorted(found, key=lambda message: -message.received)

    def _whole(self, row: Newcomer, cut: Quarantined) -> Quarantined:
        """The message with its whole payload, found by its row in the one journal that has it."""
        for journal in self._journals:
            for message in journal.quarantine(QuarantineFilter(ids=[cut.id]), limit=1):
                if (message.received, message.external_id) == (cut.received, row.external_id):
                    return message
        return cut


def _both(one: Newcomer, other: Newcomer) -> Newcomer:
    """The same somebody in two journals; ids of messages are a journal's own."""
    return replace(
        max(one, other, key=lambda row: row.last),
        waiting=one.waiting + other.waiting,
        refused=one.refused + other.refused,
        first=min(one.first, other.first),
    )


def field_names(payload: bytes) -> Iterator[str]:
    """Names in a JSON payload, at any depth; none of one that is no JSON."""
    with suppress(ValueError, RecursionError):
        stack = [json.loads(payload)]
        while stack:
            item = stack.pop()
            if isinstance(item, dict):
                yield from item
                stack += item.values()
            elif isinstance(item, list):
                stack += item


def interval_of(arrivals: Sequence[int]) -> int | None:
    """Seconds between messages by their arrivals (ns): a usual interval where one is near; None when few have come."""
    ordered = sorted(arrivals)
    gaps = [(b - a) / NS for a, b in zip(ordered, ordered[1:], strict=False) if b > a]  # noqa: RUF007 read as steps
    if len(gaps) < _FEWEST:
        return None
    typical = median(gaps)
    near = min(_USUAL, key=lambda usual: abs(usual - typical))
    return near if abs(near - typical) <= _NEAR * near else max(1, round(typical))


def suggested_id(external_id: str, taken: Collection[str]) -> str:
    """A free device id that reads like the device's own name."""
    base = re.sub(r"[^A-Za-z0-9_-]+", "-", external_id).strip("-")[:58] or "device"
    return next(name for n in range(len(taken) + 2) if (name := base if n == 0 else f"{base}-{n + 1}") not in taken)
