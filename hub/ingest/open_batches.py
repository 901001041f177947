# SPDX-License-Identifier: EUPL-1.2
"""What ingest is about to store, noted beside its journal before the store is asked.

Store and journal are two files or two servers: a kill between them leaves readings stored that no account counts, and
windows that nobody computes again should the broker have lost the messages. The note tells the next start which batch
that was. Batch n goes to the file `<path>-<n % 4>`, over the note of batch n - 4, which is journalled long since: three
are open at most. A note is a header (magic, length, CRC-32) and MessagePack, one `pwrite`.

Nothing is synced, because that would cost every batch what its commit costs. The kernel keeps what was written when
the process is killed; a power cut may lose a note, and then `cityhub reconcile` finds the surplus without its cause.
A torn note was cut off while it was written, so before its batch went to the store: it is left out, with a log line.
"""

import logging
import os
import struct
import zlib
from collections.abc import Sequence
from pathlib import Path

import msgspec

from hub.core.errors import Retry
from hub.core.journal import JournalBatch, OpenBatch, Progress
from hub.core.ports import Journal

_LOG = logging.getLogger("cityhub.ingest")
_SLOTS = 4
_MAGIC = b"chO1"
_HEADER = struct.Struct("<4sIQ")  # magic, CRC-32 of the body, length of the body
_ROOMY = 16 * 1024 * 1024  # a file that grew beyond this is cut again when the next note is shorter
_Body = tuple[int, int, int, int, list[tuple[str, str, int]]]
_ENCODER = msgspec.msgpack.Encoder()
_DECODER = msgspec.msgpack.Decoder(_Body)


class OpenBatches:
    """Notes of the batches of one journal; one writer, any readers. `path` is what their files' names begin with."""

    def __init__(self, path: Path) -> None:
        self._paths = [path.with_name(f"{path.name}-{slot}") for slot in range(_SLOTS)]
        self._files: dict[int, tuple[int, int]] = {}

    def note(self, batch: OpenBatch) -> None:
        """Write down what goes to the store next. Raise Retry where the disk does not take it."""
        frame = _frame(batch)
        slot = batch.number % _SLOTS
        try:
            handle, size = self._files.get(slot) or self._open(slot)
            _write(handle, frame)
            if size > _ROOMY and size > len(frame):
                os.ftruncate(handle, len(frame))
                size = len(frame)
            self._files[slot] = (handle, max(size, len(frame)))
        except OSError as error:
            raise Retry(f"{self._paths[slot]}: {error.strerror}: make room, the hub goes on by itself", 2.0) from error

    def left(self, progress: Progress) -> list[OpenBatch]:
        """Batches noted that the journal has not committed, in their order."""
        noted = [note for path in self._paths if (note := _read(path)) is not None]
        return sorted((note for note in noted if note.number > progress.batch), key=lambda note: note.number)

    def close(self) -> None:
        """Release the files."""
        for handle, _ in self._files.values():
            os.close(handle)
        self._files.clear()

    def _open(self, slot: int) -> tuple[int, int]:
        handle = os.open(self._paths[slot], os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        opened = self._files[slot] = (handle, os.fstat(handle).st_size)
        return opened


async def recover(
    open_batches: OpenBatches, journal: Journal, log: logging.Logger | None = None
) -> Sequence[OpenBatch]:
    """Journal what a crash cut off, before the first batch: its windows are computed again in any case.

    Done twice, or cut off itself, it changes nothing more: each batch is committed with its own number.
    """
    cut_off = open_batches.left(await journal.progress())
    for batch in cut_off:
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
    return cut_off


def _frame(batch: OpenBatch) -> bytes:
    body = _ENCODER.encode((batch.number, batch.started, batch.messages, batch.readings, list(batch.touches)))
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
        number, started, messages, readings, touches = _DECODER.decode(body)
    except FileNotFoundError:
        return None
    except (OSError, ValueError, struct.error, msgspec.MsgspecError) as error:
        _LOG.warning("a note of an open batch is left out", extra={"fields": {"file": path.name, "why": str(error)}})
        return None
    return OpenBatch(number=number, started=started, messages=messages, readings=readings, touches=touches)
