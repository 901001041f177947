# SPDX-License-Identifier: EUPL-1.2
"""Deliveries on disk while a store does not answer: raw, as they came, in the order in which they came.

What is drained takes the very path of a live batch, so a device registered meanwhile, a conflict and the accounts come
out as if the store had never been away. One `append` is one frame of the segment log (a large one several, durable by
one fsync, all or none): number of messages, oldest arrival, then the deliveries in MessagePack without their tokens.

The cursor is no file. The journal commits it with the accounts of the batch that was drained, in one transaction, and
`open` is given it back: so nothing counts twice. Segments go only when `done` says that the journal has passed them.
A cursor that does not fit the files (one of the two came from a backup) makes reading begin too early, never too late:
readings that are stored already come out as duplicates.

In memory are the batch that is appended and one frame that is drained, however much waits on disk.
"""

import asyncio
import logging
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import takewhile
from pathlib import Path
from struct import Struct
from typing import NamedTuple, TypeVar

from msgspec import MsgspecError, msgpack

from hub.core.delivery import Delivery
from hub.core.journal import SpoolPosition
from hub.core.ports import SpoolBatch, SpoolState
from hub.ingest._frames import FIRST, end_of
from hub.ingest.segments import SegmentLimits, SegmentLog

T = TypeVar("T")
_LOG = logging.getLogger("cityhub.ingest")
_HEAD = Struct("<Iq")  # messages, oldest arrival
_FRAME_BYTES = 4 << 20
_ROW_BYTES = 32  # of a delivery beside topic and payload, about
_BEGINNING = SpoolPosition()
_Row = tuple[bytes, bytes, int, int, bool, bool]
_ENCODER = msgpack.Encoder()
_DECODER = msgpack.Decoder(list[_Row])


class _Frame(NamedTuple):
    """A frame that waits: what its head says, its bytes on disk, and its deliveries, still encoded."""

    end: SpoolPosition
    messages: int
    oldest: int
    size: int
    body: memoryview


class DiskSpool:
    """A `Spool` in the segments of one folder; all work in one thread."""

    def __init__(
        self,
        folder: Path,
        limits: SegmentLimits | None = None,
        *,
        frame_bytes: int = _FRAME_BYTES,
        name: str = "spool",
    ) -> None:
        self._log = SegmentLog(folder, limits, name=name)
        self._name = name
        self._frame_bytes = frame_bytes
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="spool")
        self._state = SpoolState()
        self._remembered, self._start = _BEGINNING, _BEGINNING
        self._handed: dict[SpoolPosition, tuple[int, int]] = {}  # messages, bytes
        self._ahead: tuple[SpoolPosition, _Frame] | None = None

    async def open(self, done: SpoolPosition) -> SpoolState:
        """Mend what a crash tore, forget what is done with; returns what waits."""
        return await self._run(lambda: self._open(done))

    async def append(self, deliveries: Sequence[Delivery]) -> None:
        """Durable on return. Raise Retry when the spool or the disk is full: nothing of it is kept then."""
        if deliveries:
            await self._run(lambda: self._append(deliveries))

    async def next(self, after: SpoolPosition) -> SpoolBatch | None:
        """What was appended together behind `after`, None when nothing is left."""
        return await self._run(lambda: self._next(after))

    async def done(self, position: SpoolPosition) -> None:
        """The journal has committed `position`: files before it may go."""
        await self._run(lambda: self._finish(position))

    def state(self) -> SpoolState:
        """What waits now."""
        return self._state

    def damaged(self) -> Sequence[str]:
        """Names of the files kept aside for a person to look at."""
        return self._log.damaged()

    async def close(self) -> None:
        """Release files; what waits stays."""
        await asyncio.to_thread(self._thread.shutdown)  # what is in hand is finished first
        self._log.close()

    async def _run(self, work: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._thread, work)

    def _open(self, done: SpoolPosition) -> SpoolState:
        self._log.open(done)
        self._remembered, self._start = done, self._start_for(done)
        self._handed, self._ahead = {}, None
        messages = size = 0
        for frame in self._frames(self._start):
            messages, size = messages + frame.messages, size + frame.size
        self._settle(self._start, messages, size)
        return self._state

    def _start_for(self, done: SpoolPosition) -> SpoolPosition:
        """`done`, or an earlier position where the cursor does not fit the files."""
        there = self._log.segments()
        if done.segment not in there:
            fits, start = all(number > done.segment for number in there), _BEGINNING
        else:
            start = SpoolPosition(done.segment)
            same = takewhile(lambda stored: stored.end.segment == done.segment, self._log.frames(start))
            fits = done.offset <= FIRST or self._log.holds(done) or any(stored.end == done for stored in same)
        if not fits:
            fields = {"log": self._name, "cursor": str(done)}
            _LOG.warning("cursor and spool do not fit: read from an earlier place on", extra={"fields": fields})
        return done if fits else start

    def _append(self, deliveries: Sequence[Delivery]) -> None:
        payloads = [_pack(part) for part in _parts(deliveries, self._frame_bytes)]
        self._log.append(payloads)
        messages, size, oldest = self._state
        first = min(delivery.received for delivery in deliveries) if oldest is None else oldest
        added = sum(end_of(0, len(payload)) for payload in payloads)
        self._state = SpoolState(messages + len(deliveries), size + added, first)

    def _next(self, after: SpoolPosition) -> SpoolBatch | None:
        after = self._start if after == self._remembered else after
        while (frame := self._first(after)) is not None:
            try:
                deliveries = [
                    Delivery(topic.decode("utf-8", "surrogatepass"), payload, received, qos, retain, dup, 0)
                    for topic, payload, received, qos, retain, dup in _DECODER.decode(frame.body)
                ]
            except (MsgspecError, UnicodeDecodeError):
                self._log.keep_aside(frame.end._replace(offset=frame.end.offset - frame.size))
                after = frame.end
            else:
                self._handed[frame.end] = (frame.messages, frame.size)
                return SpoolBatch(deliveries, frame.end)
        if not self._handed:  # what had been counted is damaged since
            self._state = SpoolState()
        return None

    def _finish(self, position: SpoolPosition) -> None:
        messages, size, oldest = self._state
        for end in [end for end in self._handed if end <= position]:
            n, taken = self._handed.pop(end)
            messages, size = messages - n, size - taken
        self._state = SpoolState(messages, size, oldest)
        self._settle(position, messages, size)

    def _settle(self, position: SpoolPosition, messages: int, size: int) -> None:
        """Drop what lies before `position`, and all when nothing readable lies behind it."""
        first = self._first(position)
        self._state = SpoolState() if first is None else SpoolState(messages, size, first.oldest)
        for segment in self._log.segments():
            if first is None or segment < position.segment:
                self._log.drop(segment)

    def _first(self, after: SpoolPosition) -> _Frame | None:
        """The first frame behind `after`; kept, since `done` looks at what `next` hands out then."""
        if self._ahead is None or self._ahead[0] != after:
            frame = next(self._frames(after), None)
            self._ahead = None if frame is None else (after, frame)
        return None if self._ahead is None else self._ahead[1]

    def _frames(self, after: SpoolPosition) -> Iterator[_Frame]:
        for position, end, payload in self._log.frames(after):
            if payload is None:
                continue
            if len(payload) < _HEAD.size:
                self._log.keep_aside(position)
                continue
            messages, oldest = _HEAD.unpack_from(payload)
            yield _Frame(end, messages, oldest, end.offset - position.offset, memoryview(payload)[_HEAD.size :])


def _parts(deliveries: Sequence[Delivery], most: int) -> Iterator[Sequence[Delivery]]:
    """Cut into runs of about `most` bytes."""
    first, size = 0, 0
    for i, delivery in enumerate(deliveries):
        row = len(delivery.topic) + len(delivery.payload) + _ROW_BYTES
        if size and size + row > most:
            yield deliveries[first:i]
            first, size = i, 0
        size += row
    yield deliveries[first:]


def _pack(deliveries: Sequence[Delivery]) -> bytes:
    rows = [
        (d.topic.encode("utf-8", "surrogatepass"), d.payload, d.received, d.qos, d.retain, d.dup) for d in deliveries
    ]
    return _HEAD.pack(len(rows), min(d.received for d in deliveries)) + _ENCODER.encode(rows)
