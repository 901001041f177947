# SPDX-License-Identifier: EUPL-1.2
"""What ingest is about to store, noted beside its journal before the store is asked.

Store and journal are two files or two servers: a kill between them leaves readings stored that no account counts, and
windows that nobody computes again should the broker have lost the messages. The note tells the next start which batch
that was. A note is a header (magic, CRC-32, length) and MessagePack, one `pwrite` over an older note:

    <path>-0 to -7      live batches in turn. Three are under way at most and are journalled in order, so that at most
                        four notes follow while one is open. Done with when the journal has its number.
    <path>-spool        the batch that came out of the spool: done with when the journal has its position. It must not
                        move the journal's number, because live batches with lower ones may be open.
    <path>-redrive      the page of the quarantine that is redriven (number 0): done with when an empty note follows

Nothing is synced, because that would cost every batch what its commit costs. The kernel keeps what was written when
the process is killed; a power cut may lose a note, and then `cityhub reconcile` finds the surplus without its cause.
A slot is used up only by a note that was written: one that keeps failing does not walk over other open notes.
A torn note was cut off while it was written, so before its batch went to the store: it is left out, with a log line.
"""

import logging
import os
import struct
import zlib
from collections.abc import Sequence
from pathlib import Path

import msgspec
from msgspec.structs import replace

from hub.core.errors import Retry
from hub.core.journal import JournalBatch, OpenBatch, Progress, SpoolPosition
from hub.core.ports import Journal

_LOG = logging.getLogger("cityhub.ingest")
_LIVE = 8
_SPOOL, _REDRIVE = _LIVE, _LIVE + 1
_MAGIC = b"chO2"
_HEADER = struct.Struct("<4sIQ")  # magic, CRC-32 of the body, length of the body
_ROOMY = 4 * 1024 * 1024  # a file that grew beyond this is cut again when the next note is shorter
_Body = tuple[int, int, int, int, list[tuple[str, str, int]], dict[str, int], tuple[int, int] | None]
_ENCODER = msgspec.msgpack.Encoder()
_DECODER = msgspec.msgpack.Decoder(_Body)


class OpenBatches:
    """Notes of the batches of one journal; one writer, any readers. `path` is what their files' names begin with."""

    def __init__(self, path: Path) -> None:
        self._paths = [path.with_name(f"{path.name}-{slot}") for slot in (*range(_LIVE), "spool", "redrive")]
        self._files: dict[int, tuple[int, int]] = {}
        self._turn = 0

    @classmethod
    def beside(cls, journal: Path) -> "OpenBatches":
        """Those of a journal."""
        return cls(journal.with_suffix(".open"))

    def note(self, batch: OpenBatch) -> None:
        """Write down what goes to the store next. Raise Retry where the disk does not take it."""
        frame = _frame(batch)
        slot = self._slot(batch)
        try:
            handle, size = self._files.get(slot) or self._open(slot)
            _write(handle, frame)
            if size > _ROOMY and size > len(frame):
                os.ftruncate(handle, len(frame))
                size = len(frame)
            self._files[slot] = (handle, max(size, len(frame)))
            self._turn = slot if slot < _LIVE else self._turn
        except OSError as error:
            raise Retry(f"{self._paths[slot]}: {error.strerror}: make room, the hub goes on by itself", 2.0) from error

    def left(self, progress: Progress) -> list[OpenBatch]:
        """Batches noted that the journal has not committed, in the order of their numbers."""
        noted = [note for path in self._paths if (note := _read(path)) is not None]
        return sorted((note for note in noted if _is_open(note, progress)), key=lambda note: note.number)

    def number_redrive(self, numbered: OpenBatch) -> None:
        """The page that was being redriven has a number from now on. A kill leaves the note as it was, or as it is."""
        path = self._paths[_REDRIVE]
        fresh = path.with_name(f"{path.name}.new")
        try:
            fresh.touch(0o600)
            fresh.write_bytes(_frame(numbered))
            fresh.replace(path)
        except OSError as error:
            raise Retry(f"{fresh}: {error.strerror}: make room, the hub goes on by itself", 2.0) from error
        if (opened := self._files.pop(_REDRIVE, None)) is not None:
            os.close(opened[0])

    def forget_redrive(self) -> None:
        """The page being redriven is journalled."""
        if self._paths[_REDRIVE].exists():
            self.note(OpenBatch(number=0, started=0, messages=0, readings=0))

    def close(self) -> None:
        """Release the files."""
        for handle, _ in self._files.values():
            os.close(handle)
        self._files.clear()

    def _slot(self, batch: OpenBatch) -> int:
        if batch.spool is not None:
            return _SPOOL
        if not batch.number:
            return _REDRIVE
        return (self._turn + 1) % _LIVE

    def _open(self, slot: int) -> tuple[int, int]:
        handle = os.open(self._paths[slot], os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        opened = self._files[slot] = (handle, os.fstat(handle).st_size)
        return opened


async def recover(
    open_batches: OpenBatches, journal: Journal, log: logging.Logger | None = None
) -> Sequence[OpenBatch]:
    """Journal what a crash cut off, before the first batch: its windows are computed again in any case.

    Done twice, or cut off itself, it adds touches at most: a page being redriven is given its number in its note, so
    that the next start finds it under the same. The notes stay until their files are written over.
    """
    progress = await journal.progress()
    found = open_batches.left(progress)
    newest = max([progress.batch, *(batch.number for batch in found)])
    cut_off = [batch if batch.number else replace(batch, number=newest + 1) for batch in found]
    for batch, numbered in zip(found, cut_off, strict=True):
        if batch is not numbered:
            open_batches.number_redrive(numbered)
    for batch in sorted(cut_off, key=lambda batch: batch.number):
        await journal.commit(JournalBatch(number=batch.number, touches=batch.touches, opened=[batch]))
        (log or _LOG).warning(
            "a batch was cut off between store and journal; its messages were not acknowledged and come again",
            extra={
                "fields": {
                    "batch": batch.number,
                    "started": batch.started,
                    "messages": batch.messages,
                    "readings": batch.readings,
                }
            },
        )
    open_batches.forget_redrive()
    return cut_off


def _is_open(note: OpenBatch, progress: Progress) -> bool:
    if note.spool is not None:
        return note.spool > progress.spool
    return note.number > progress.batch or (not note.number and note.readings > 0)


def _frame(batch: OpenBatch) -> bytes:
    body = _ENCODER.encode(
        (batch.number, batch.started, batch.messages, batch.readings, list(batch.touches), batch.devices, batch.spool)
    )
    return _HEADER.pack(_MAGIC, zlib.crc32(body), len(body)) + body


def _write(handle: int, frame: bytes) -> None:
    written = os.pwrite(handle, frame, 0)
    while written < len(frame):  # a disk that is nearly full, or more than 2 GiB
        written += os.pwrite(handle, frame[written:], written)


def _read(path: Path) -> OpenBatch | None:
    """The note in a file; None where there is none, or where it is torn."""
    try:
        with path.open("rb") as file:
            header = file.read(_HEADER.size)
            if not header:
                return None
            magic, checksum, length = _HEADER.unpack(header)
            body = file.read(min(length, path.stat().st_size)) if magic == _MAGIC else b""
        if len(body) != length or zlib.crc32(body) != checksum:
            raise ValueError("it is torn")
        number, started, messages, readings, touches, devices, spool = _DECODER.decode(body)
    except FileNotFoundError:
        return None
    except (OSError, ValueError, struct.error, msgspec.MsgspecError) as error:
        _LOG.warning("a note of an open batch is left out", extra={"fields": {"file": path.name, "why": str(error)}})
        return None
    return OpenBatch(
        number=number,
        started=started,
        messages=messages,
        readings=readings,
        touches=touches,
        devices=devices,
        spool=None if spool is None else SpoolPosition(*spool),
    )
