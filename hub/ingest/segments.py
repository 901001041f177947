# SPDX-License-Identifier: EUPL-1.2
"""Append-only log of byte strings in a folder of segment files. Plain blocking code: callers give it a thread.

One `append` is one write and one fdatasync (and one of the folder when a file is new). On return all of it is durable;
when it fails, the file is cut back to where it was, so that nothing of it is kept and the next append goes on. Within
one process an append is all or nothing; after a crash too, because a frame says whether more of its append follow.

What a crash or a bad disk left is told apart at `open`, which never refuses to start for it:

    torn       the end of the newest segment, which no returned append had written: cut off, with a warning
    damaged    a frame that once was complete (a valid one follows it, or a later segment): reading goes on with the
               next segment, and the file stays under a second name, `*.damaged`, also when the segment is dropped

After either, appends go to a new segment, so that a position never comes to mean something else. For the same reason
numbers of segments are not used twice, as long as `open` is told the newest position that anybody remembers.
One process writes (the folder is locked); any other may read frames by position through `SegmentReader`.
"""

import errno
import fcntl
import logging
import os
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO, Literal, NamedTuple

from msgspec import Struct

from hub.core.errors import Invalid, NotFound, Retry, SettingsError, Stop
from hub.core.journal import SpoolPosition
from hub.ingest._frames import (
    FIRST,
    HEAD,
    MAX_PAYLOAD,
    Frame,
    erased_head,
    frame_at,
    header,
    is_header,
    is_torn,
    pack,
)

_LOG = logging.getLogger("cityhub.ingest")
_SEGMENT = re.compile(r"(\d{8,})\.seg")
_NUMBERED = re.compile(r"(\d{8,})\.(?:seg|damaged)")
_BEGINNING = SpoolPosition()
_CAUSES = {
    errno.ENOSPC: "the disk is full: make room, the hub goes on by itself",
    errno.EDQUOT: "the disk quota is used up: make room, the hub goes on by itself",
    errno.EFBIG: "a limit on the size of files is reached: raise it, the hub goes on by itself",
    errno.EIO: "the disk cannot be read or written: check it",
}
_HOPELESS = frozenset({errno.EACCES, errno.EPERM, errno.EROFS, errno.ENOTDIR, errno.ENOENT, errno.ELOOP})


class SegmentLimits(Struct, frozen=True, kw_only=True):
    """Bytes: after which size a new segment begins, of all segments at most, and what stays free on the disk."""

    segment_bytes: int = 64 << 20
    max_bytes: int = 2 << 30
    min_free_bytes: int = 256 << 20

    def __post_init__(self) -> None:
        for name, least in (("segment_bytes", 4096), ("max_bytes", self.segment_bytes), ("min_free_bytes", 0)):
            if getattr(self, name) < least:
                raise SettingsError(name, f"is {getattr(self, name)}, has to be at least {least}")


class Stored(NamedTuple):
    """A frame: where it is, the position behind it, and its payload (None when it was erased)."""

    position: SpoolPosition
    end: SpoolPosition
    payload: bytes | None


class SegmentReader:
    """Frames by position; what is written meanwhile by the one `SegmentLog` of the folder is found too."""

    def __init__(self, folder: Path, name: str = "segments") -> None:
        self._folder = folder
        self._name = name

    def read(self, position: SpoolPosition) -> bytes | None:
        """The payload at `position`, None when it was erased. Raise NotFound where no valid frame is."""
        with self._wrapped(), self._found(position, "rb") as (_, frame):
            return frame.payload

    @contextmanager
    def _found(self, position: SpoolPosition, mode: Literal["rb", "r+b"]) -> Iterator[tuple[BinaryIO, Frame]]:
        path = self._path(position.segment)
        try:
            file = path.open(mode)
        except FileNotFoundError as error:
            raise NotFound(f"{self._name}: {path.name} is not there (any more)") from error
        with file:
            frame = frame_at(file, position.offset, path.stat().st_size)
            if frame is None:
                raise NotFound(f"{self._name}: no readable frame at byte {position.offset} of {path.name}")
            yield file, frame

    def _path(self, number: int) -> Path:
        return self._folder / f"{number:08}.seg"

    @contextmanager
    def _wrapped(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            culprit = f"{self._name} {error.filename or self._folder}"
            if error.errno in _HOPELESS:
                raise Stop(f"{culprit}: {error.strerror}") from error
            words = _CAUSES.get(error.errno or 0, "cannot be used now")
            raise Retry(f"{culprit}: {words} ({error.strerror})", after=2.0) from error


class SegmentLog(SegmentReader):
    """The one writer of a folder of segments. `name` stands in messages; not for several threads at once."""

    def __init__(self, folder: Path, limits: SegmentLimits | None = None, *, name: str = "segments") -> None:
        super().__init__(folder, name)
        self._limits = limits or SegmentLimits()
        self._sizes: dict[int, int] = {}  # valid bytes of each segment, in order
        self._last = 0  # the highest number ever used
        self._file: int | None = None  # descriptor of the newest segment while it may be appended to
        self._lock: int | None = None
        self._damaged: set[int] = set()  # told in the log already

    def open(self, remembered: SpoolPosition = _BEGINNING) -> None:
        """Lock and mend. `remembered` is the newest position that is written down anywhere."""
        self.close()
        with self._wrapped():
            if not self._folder.is_dir():
                self._folder.mkdir(0o700, parents=True)
                _sync_folder(self._folder.parent)
            self._lock = self._locked()
            names = [entry.name for entry in self._folder.iterdir()]
            numbers = sorted(int(match[1]) for match in map(_SEGMENT.fullmatch, names) if match)
            used = [int(match[1]) for match in map(_NUMBERED.fullmatch, names) if match]
            self._last = max([remembered.segment, *used])
            for number in numbers:
                if self._begins_well(number):
                    self._sizes[number] = self._path(number).stat().st_size
            newest = next(reversed(self._sizes), None)
            whole = newest is not None and self._mend(newest)
            if newest == self._last and whole and (newest, self._sizes[newest]) >= remembered:
                self._file = os.open(self._path(newest), os.O_RDWR)

    def append(self, payloads: Sequence[bytes]) -> list[SpoolPosition]:
        """Durable on return, in one segment. Raise Retry (full, disk full: nothing of it is kept)."""
        if not payloads:
            return []
        largest = max(map(len, payloads))
        if largest > MAX_PAYLOAD:
            raise Invalid(f"{largest} bytes are more than one frame can hold ({MAX_PAYLOAD})", self._name)
        parts, offsets = pack(payloads)
        block = b"".join(parts)
        with self._wrapped():
            self._check_room(len(block) + FIRST)
            if self._file is None or self._sizes[self._last] >= self._limits.segment_bytes:
                start = self._begin(block)
            else:
                start = self._continue(self._file, block)
        return [SpoolPosition(self._last, start + offset) for offset in offsets]

    def holds(self, position: SpoolPosition) -> bool:
        """Whether a valid frame starts at `position`."""
        try:
            self.read(position)
        except NotFound:
            return False
        return True

    def frames(self, after: SpoolPosition = _BEGINNING) -> Iterator[Stored]:
        """All frames from `after` on, over all segments; what is damaged is kept aside and passed over."""
        for number in [number for number in self._sizes if number >= after.segment]:
            size, offset = self._sizes.get(number, 0), max(FIRST, after.offset if number == after.segment else 0)
            if offset >= size:
                continue
            with self._wrapped(), self._path(number).open("rb") as file:
                while offset < size and (frame := frame_at(file, offset, size)):
                    at, offset = SpoolPosition(number, offset), frame.end
                    yield Stored(at, SpoolPosition(number, offset), frame.payload)
            if offset < size:
                self.keep_aside(SpoolPosition(number, offset))

    def drop(self, segment: int) -> None:
        """Remove a segment for good; one that is not there is no error."""
        if segment not in self._sizes:
            return
        if segment == self._last:
            self.seal()
        with self._wrapped():
            self._path(segment).unlink(missing_ok=True)
            _sync_folder(self._folder)
        del self._sizes[segment]

    def erase(self, position: SpoolPosition) -> None:
        """Overwrite a payload with zeros, durable on return. Raise NotFound where no valid frame is.

        Marked first, overwritten then: a crash between leaves a frame that nobody reads, and erasing it again helps.
        """
        with self._wrapped(), self._found(position, "r+b") as (file, frame):
            descriptor, start = file.fileno(), position.offset + HEAD
            if frame.payload is not None:
                os.pwrite(descriptor, erased_head(frame.payload, frame.more), position.offset)
                os.fdatasync(descriptor)
            _put(descriptor, bytes(frame.end - start), start)

    def seal(self) -> None:
        """The next append begins a new segment."""
        if self._file is not None:
            descriptor, self._file = self._file, None
            os.close(descriptor)

    def segments(self) -> Sequence[int]:
        """Numbers of the segments that are there, oldest first."""
        return list(self._sizes)

    def size(self) -> int:
        """Bytes of all segments."""
        return sum(self._sizes.values())

    def end(self) -> SpoolPosition:
        """The position behind everything."""
        newest = next(reversed(self._sizes), None)
        return SpoolPosition(self._last, FIRST) if newest is None else SpoolPosition(newest, self._sizes[newest])

    def keep_aside(self, position: SpoolPosition) -> None:
        """Give a segment that is damaged at `position` a second name: that takes no room, and stays after a drop."""
        number = position.segment
        if number == self._last:
            self.seal()  # what was appended behind the damage would not be read
        if number in self._damaged:
            return
        self._damaged.add(number)
        path = self._path(number)
        fields = {"log": self._name, "file": str(path.with_suffix(".damaged")), "from_byte": position.offset}
        try:
            with suppress(FileExistsError):
                os.link(path, path.with_suffix(".damaged"))
                _sync_folder(self._folder)
        except OSError as error:
            fields["not_kept"] = str(error)
        _LOG.error("segment is damaged: what cannot be read is passed over, the file kept", extra={"fields": fields})

    def damaged(self) -> Sequence[str]:
        """Names of the files kept aside for a person to look at."""
        with self._wrapped():
            return sorted(path.name for path in self._folder.glob("*.damaged"))

    def close(self) -> None:
        """Release files and lock."""
        self.seal()
        self._sizes = {}
        if self._lock is not None:
            descriptor, self._lock = self._lock, None
            os.close(descriptor)

    def _locked(self) -> int:
        descriptor = os.open(self._folder, os.O_RDONLY | os.O_DIRECTORY)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            os.close(descriptor)
            raise Stop(f"{self._name} {self._folder} is in use by another process: stop that one first") from error
        except OSError:
            os.close(descriptor)
            raise
        return descriptor

    def _begins_well(self, number: int) -> bool:
        """Whether the file is a segment. One that was never written to is removed, anything else is kept aside."""
        path = self._path(number)
        with path.open("rb") as file:
            found = file.read(FIRST)
            if is_header(found, number, path.name):
                return True
            rest = file.read()
        if header(number).startswith(found) or (found + rest).count(0) == len(found + rest):
            path.unlink()
            _LOG.warning("empty segment removed", extra={"fields": {"log": self._name, "file": path.name}})
        else:
            aside = path.rename(path.with_suffix(".damaged"))
            _LOG.error("no segment of ours: kept aside", extra={"fields": {"log": self._name, "file": str(aside)}})
        return False

    def _mend(self, newest: int) -> bool:
        """Cut off a torn tail; whether the segment was whole."""
        path, size = self._path(newest), self._sizes[newest]
        reached = complete = FIRST
        with path.open("r+b") as file:
            while frame := frame_at(file, reached, size):
                reached = frame.end
                complete = complete if frame.more else reached
            if complete == size:
                return True
            if not is_torn(file, reached, size):
                self.keep_aside(SpoolPosition(newest, reached))
                return False
            os.ftruncate(file.fileno(), complete)
            os.fsync(file.fileno())
        self._sizes[newest] = complete
        fields = {"log": self._name, "file": path.name, "bytes": size - complete}
        _LOG.warning("torn tail cut off: it was never acknowledged", extra={"fields": fields})
        return False

    def _check_room(self, size: int) -> None:
        used, most = self.size(), self._limits.max_bytes
        if used + size > most:
            advice = "it goes on when what waits is used, or raise max_bytes"
            raise Retry(f"{self._name} {self._folder} is full ({used} of {most} bytes): {advice}", after=2.0)
        disk = os.statvfs(self._folder)
        free, least = disk.f_bavail * disk.f_frsize, self._limits.min_free_bytes
        if free - size < least:
            advice = "make room, the hub goes on by itself"
            raise Retry(f"{self._name} {self._folder}: {free} bytes free, {least} are kept free: {advice}", after=2.0)

    def _begin(self, block: bytes) -> int:
        """Write `block` to a new segment; returns where it starts."""
        number = self._last + 1
        while (path := self._path(number)).exists():  # what could not even be removed when it could not be written
            number += 1
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600)
        try:
            _put(descriptor, header(number) + block, 0)
            _sync_folder(self._folder)
        except BaseException:
            os.close(descriptor)
            with suppress(OSError):
                path.unlink()
            raise
        self.seal()
        self._last, self._file, self._sizes[number] = number, descriptor, FIRST + len(block)
        return FIRST

    def _continue(self, descriptor: int, block: bytes) -> int:
        """Write `block` behind the newest segment; returns where it starts. After a failure a new segment follows."""
        start = self._sizes[self._last]
        if os.fstat(descriptor).st_nlink == 0:
            raise Stop(f"{self._name} {self._path(self._last)} was removed under the running hub: start it again")
        try:
            _put(descriptor, block, start)
        except BaseException:
            with suppress(OSError):
                os.ftruncate(descriptor, start)
            self.seal()
            raise
        self._sizes[self._last] = start + len(block)
        return start


def _put(descriptor: int, block: bytes, at: int) -> None:
    left = memoryview(block)
    while left:
        written = os.pwrite(descriptor, left, at)
        left, at = left[written:], at + written
    os.fdatasync(descriptor)


def _sync_folder(folder: Path) -> None:
    """Make names in the folder durable."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
