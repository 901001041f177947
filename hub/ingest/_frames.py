# SPDX-License-Identifier: EUPL-1.2
"""Layout of a segment file, without any file: its header, its frames, and what can be told of a damaged tail.

    header (24 bytes)   magic, format version, number of the segment, reserved, CRC-32 of these
    frame               word (4): length of the payload, bit 31 erased, bit 30 "more of this append follows"
                        CRC-32 (4) of word and payload; of an erased frame, of the word alone
                        payload, and zeros up to a multiple of 8

All numbers are little-endian. The first 24 bytes keep this layout in every version, so that an older release can tell.
The checksum is zlib's CRC-32: in the standard library at the speed of C, and it finds every burst of up to 32 bits. It
covers the length, so a tail of zeros (what a power cut leaves of a file that had grown) is no valid frame. Frames start
at multiples of 8, so that no frame's head lies across two sectors: marking one as erased writes one sector, once.
A sector that the disk cannot read any more (EIO) is damage like any other.
"""

import errno
import zlib
from collections.abc import Iterator, Sequence
from struct import Struct
from typing import BinaryIO, NamedTuple

import numpy as np

from hub.core.errors import SchemaTooNew

MAGIC = b"cityhubS"
VERSION = 1
ERASED, MORE = 1 << 31, 1 << 30
MAX_PAYLOAD = MORE - 1
_HEADER = Struct("<8sIIII")
_HEAD = Struct("<II")
FIRST = _HEADER.size  # where the first frame of a segment starts
HEAD = _HEAD.size
_SEARCH_BYTES = 256 << 20
_SEARCH_HEADS = 1 << 16  # at a time


class Frame(NamedTuple):
    """A frame from `offset` to `end`; `payload` is None when it was erased."""

    offset: int
    end: int
    payload: bytes | None
    more: bool


def header(number: int, version: int = VERSION) -> bytes:
    """The beginning of segment `number`."""
    body = _HEADER.pack(MAGIC, version, number, 0, 0)[:-4]
    return body + zlib.crc32(body).to_bytes(4, "little")


def is_header(found: bytes, number: int, name: str) -> bool:
    """Whether a file begins as segment `number`; raise SchemaTooNew for one of a later release."""
    if len(found) < FIRST or not found.startswith(MAGIC):
        return False
    _, version, _, _, crc = _HEADER.unpack(found[:FIRST])
    if zlib.crc32(found[: FIRST - 4]) != crc:
        return False
    if version > VERSION:
        raise SchemaTooNew(f"{name} has format {version}, this release knows {VERSION}: upgrade cityhub")
    return found[:FIRST] == header(number, version)


def pack(payloads: Sequence[bytes]) -> tuple[list[bytes], list[int]]:
    """Frames of one append, and the offset of each from the first."""
    parts, offsets, at = [], [], 0
    for left, payload in zip(range(len(payloads) - 1, -1, -1), payloads, strict=True):
        word = len(payload) | (MORE if left else 0)
        offsets.append(at)
        parts += [_head(word, payload), payload, bytes(-len(payload) % 8)]
        at = end_of(at, len(payload))
    return parts, offsets


def erased_head(payload: bytes, more: bool) -> bytes:
    """The head that turns the frame of `payload` into an erased one."""
    return _head(len(payload) | ERASED | (MORE if more else 0), b"")


def end_of(offset: int, length: int) -> int:
    """Where a frame of `length` bytes of payload ends."""
    return offset + HEAD + length + -length % 8


def frame_at(file: BinaryIO, offset: int, size: int) -> Frame | None:
    """The frame at `offset` of a segment with `size` bytes; None when there is none that is valid."""
    if offset % 8 or offset < FIRST or offset + HEAD > size:
        return None
    head = _read(file, offset, HEAD)
    if len(head) < HEAD:
        return None
    word, crc = _HEAD.unpack(head)
    length = word & MAX_PAYLOAD
    end = end_of(offset, length)
    if end > size:
        return None
    payload = None if word & ERASED else _read(file, offset + HEAD, length)
    if _checksum(word, payload or b"") != crc:
        return None
    return Frame(offset, end, payload, bool(word & MORE))


def is_torn(file: BinaryIO, offset: int, size: int) -> bool:
    """Whether no valid frame stands anywhere from `offset` on, so that no append can have returned after it.

    False as well where that cannot be told in reasonable time, or not be read: what is taken for torn is cut off, what
    is taken for damaged is kept.
    """
    if size - offset > _SEARCH_BYTES:
        return False
    tail = _read(file, offset, size - offset)
    return len(tail) == size - offset and not _any_frame(tail)


def _any_frame(tail: bytes) -> bool:
    budget = _SEARCH_BYTES
    for start, word, crc in _candidates(tail):
        payload = b"" if word & ERASED else tail[start : start + (word & MAX_PAYLOAD)]
        budget -= len(payload) + 64
        if budget < 0 or _checksum(word, payload) == crc:
            return True
    return False


def _candidates(tail: bytes) -> Iterator[tuple[int, int, int]]:
    """Where a payload may start, with the word and checksum before it: every place whose length fits into the tail."""
    heads = np.frombuffer(tail, "<u4", len(tail) // HEAD * 2).reshape(-1, 2)
    for first in range(0, len(heads), _SEARCH_HEADS):
        words = heads[first : first + _SEARCH_HEADS, 0]
        lengths = (words & MAX_PAYLOAD).astype(np.int64)
        starts = np.arange(first + 1, first + 1 + len(words)) * HEAD
        for i in np.nonzero((lengths > 0) & (starts + lengths + -lengths % 8 <= len(tail)))[0].tolist():
            yield int(starts[i]), int(words[i]), int(heads[first + i, 1])


def _read(file: BinaryIO, offset: int, length: int) -> bytes:
    """Less than asked for where the disk fails."""
    try:
        file.seek(offset)
        return file.read(length)
    except OSError as error:
        if error.errno != errno.EIO:
            raise
        return b""


def _head(word: int, payload: bytes) -> bytes:
    return _HEAD.pack(word, _checksum(word, payload))


def _checksum(word: int, payload: bytes) -> int:
    return zlib.crc32(payload, zlib.crc32(word.to_bytes(4, "little")))
