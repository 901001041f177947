# SPDX-License-Identifier: EUPL-1.2
"""The hub's own directory: which file is what, whose it is, and that one hub uses it at a time.

`hub.json` says which kind of hub made the directory: a demo's is refused by `cityhub run`, and the other way round, so
that simulated data is never mistaken. `run/` holds what is true only while the hub runs.
"""

import errno
import fcntl
import os
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Literal

import msgspec
from msgspec import Struct

from hub.core.errors import Retry, SchemaTooNew, SettingsError, Stop
from hub.ingest.shards import Recorded

Kind = Literal["hub", "demo"]
FORMAT = 1
_FULL = 1 << 20  # bytes free: too few for SQLite to begin


class Marker(Struct, frozen=True):
    """Content of hub.json."""

    format: int
    kind: Kind


class Endpoints(Struct, frozen=True):
    """Where the running hub listens; written by `run` for other commands."""

    mqtt_host: str
    mqtt_port: int
    api: str


class DataDir:
    """Paths below the data directory."""

    def __init__(self, root: Path) -> None:
        self.root = root.absolute()

    @property
    def ledger(self) -> Path:
        """The relational ledger (SQLite)."""
        return self.root / "ledger.db"

    @property
    def readings(self) -> Path:
        """The readings store (SQLite)."""
        return self.root / "readings.db"

    @property
    def flags(self) -> Path:
        """What quality control found on readings (SQLite)."""
        return self.root / "flags.db"

    def journal(self, shard: int = 0) -> Path:
        """Ingest's journal of one shard."""
        return self.root / f"ingest-{shard}.db"

    def spool(self, shard: int = 0) -> Path:
        """Directory of one shard's spool."""
        return self.root / f"spool-{shard}"

    def quarantine(self, shard: int = 0) -> Path:
        """Directory of one shard's quarantined payloads."""
        return self.root / f"quarantine-{shard}"

    def open_batches(self, shard: int = 0) -> Path:
        """Begin of the names of one shard's notes of what goes to the store next."""
        return self.root / f"ingest-{shard}.open"

    def status(self, process: str) -> Path:
        """Heartbeat of a process."""
        return self.run / f"{process}.json"

    def shards(self) -> int:
        """How many journals there are, gaps counted: one more than the highest number."""
        numbers = (path.stem.removeprefix("ingest-") for path in self.root.glob("ingest-*.db"))
        return max((int(number) + 1 for number in numbers if number.isdecimal()), default=0)

    def recorded(self) -> Recorded | None:
        """How messages were divided among ingest workers when the hub last ran, None before."""
        try:
            return msgspec.json.decode((self.root / "shards.json").read_bytes(), type=Recorded)
        except FileNotFoundError:
            return None
        except (msgspec.MsgspecError, OSError) as error:
            raise Stop(f"{self.root / 'shards.json'} cannot be read: {error}; restore it from a backup") from error

    def record(self, layout: Recorded) -> None:
        """Remember it."""
        write_atomically(self.root / "shards.json", msgspec.json.encode(layout), 0o600)

    @property
    def admin_key(self) -> Path:
        """The first admin key, readable by its owner alone."""
        return self.root / "admin.key"

    @property
    def broker(self) -> Path:
        """The embedded broker's files."""
        return self.root / "broker"

    @property
    def run(self) -> Path:
        """Process ids, endpoints and status files."""
        return self.root / "run"

    def open(self, kind: Kind) -> None:
        """Make the directory, or check that it is of this kind and not of a newer release."""
        try:
            os.umask(0o077)  # payloads may hold personal data: everything the hub writes is its user's alone
            self.root.mkdir(parents=True, exist_ok=True)
            self.run.mkdir(exist_ok=True)
        except OSError as error:
            raise SettingsError("data", f"{self.root} cannot be made: {error.strerror}") from error
        marker = self.marker()
        if marker is None:
            if self.ledger.exists():
                raise SettingsError("data", f"{self.root} has a ledger but no hub.json: restore it from a backup")
            write_atomically(self.root / "hub.json", msgspec.json.encode(Marker(FORMAT, kind)))
            return
        if marker.format > FORMAT:
            raise SchemaTooNew(f"{self.root} was written by a newer release of the hub: upgrade cityhub")
        if marker.kind != kind:
            what = "a demo's directory with simulated data" if marker.kind == "demo" else "a real hub's directory"
            raise SettingsError("data", f"{self.root} is {what}: choose another one")

    def marker(self) -> Marker | None:
        """What hub.json says, None when there is none."""
        try:
            return msgspec.json.decode((self.root / "hub.json").read_bytes(), type=Marker)
        except FileNotFoundError:
            return None
        except (msgspec.MsgspecError, OSError) as error:
            raise Stop(f"{self.root / 'hub.json'} cannot be read: {error}") from error

    def endpoints(self) -> Endpoints | None:
        """Where the hub of this directory listens, None when none has run."""
        try:
            return msgspec.json.decode((self.run / "endpoints.json").read_bytes(), type=Endpoints)
        except (OSError, msgspec.MsgspecError):
            return None

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Hold the directory for one hub; Stop when another has it. The lock ends with the process."""
        with _lock(self.root / "lock", f"another hub runs on {self.root}"):
            yield

    @contextmanager
    def locked_shard(self, shard: int, patience: float = 5.0) -> Iterator[None]:
        """Hold the journal of one shard; Stop when another worker has it and keeps it for `patience` seconds.

        A worker whose supervisor was killed takes a moment to die.
        """
        words = f"another ingest worker of shard {shard} runs on {self.root}: stop it first, or start another shard"
        with _lock(self.root / f"ingest-{shard}.lock", words, patience):
            yield


@contextmanager
def _lock(file: Path, words: str, patience: float = 0.0) -> Iterator[None]:
    handle = os.open(file, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        deadline = time.monotonic() + patience
        while True:
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError:
                if time.monotonic() >= deadline:
                    raise Stop(words) from None
                time.sleep(0.1)
            else:
                break
        yield
    finally:
        os.close(handle)


@contextmanager
def needing_room(root: Path) -> Iterator[None]:
    """Name a full disk as what it is: what could not be written is written by the next try.

    SQLite calls it a disk that fails where its shared memory cannot grow, hence the look at what is free.
    """
    try:
        yield
    except SettingsError:
        raise
    except Stop as error:
        if not root.exists() or shutil.disk_usage(root).free > _FULL:
            raise
        raise Retry(f"{error}; the disk of {root} is full: make room, then start again") from error
    except OSError as error:
        if error.errno not in {errno.ENOSPC, errno.EDQUOT}:
            raise
        raise Retry(f"{error.filename or root}: the disk is full: make room, then start again") from error


def write_atomically(path: Path, content: bytes, mode: int = 0o644) -> None:
    """Replace a small file so that a reader never sees half of it, and a crash leaves the old or the new one."""
    part = path.with_suffix(path.suffix + ".part")
    handle = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, mode)
    with os.fdopen(handle, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    part.replace(path)
