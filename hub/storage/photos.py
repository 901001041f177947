# SPDX-License-Identifier: EUPL-1.2
"""Pictures in the data directory, each under the hash of its content, so that the same one is kept once.

A picture is on disk, with its name, before `put` returns: a row of the ledger that names it never points to nothing.
A crash in between leaves a file that no row names, which does no harm.
"""

import os
import re
import tempfile
from pathlib import Path

from hub.core.errors import Invalid, NotFound, Retry

_HASH = re.compile(r"[0-9a-f]{64}")


class PhotoFiles:
    """`folder` is made with the first picture."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def put(self, sha256: str, content: bytes) -> None:
        """Keep a picture durably. Raise Retry while the disk takes nothing."""
        path = self._path(sha256)
        try:
            if not path.exists():
                path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
                _write(path, content)
        except OSError as error:
            raise Retry(f"the photo cannot be written: {error.strerror}", after=60) from error

    def get(self, sha256: str) -> bytes:
        """The bytes of a picture; raise NotFound."""
        try:
            return self._path(sha256).read_bytes()
        except FileNotFoundError as error:
            raise NotFound("the file of this photo is missing: restore data/photos from a backup", "photo") from error
        except OSError as error:
            raise Retry(f"the photo cannot be read: {error.strerror}") from error

    def drop(self, sha256: str) -> None:
        """Erase a picture; harmless when it is gone. Raise Retry."""
        try:
            self._path(sha256).unlink(missing_ok=True)
        except OSError as error:
            raise Retry(f"the photo cannot be erased: {error.strerror}", after=60) from error

    def _path(self, sha256: str) -> Path:
        if not _HASH.fullmatch(sha256):
            raise Invalid("is no hash of a photo", "sha256")
        return self._folder / sha256[:2] / f"{sha256}.jpg"


def _write(path: Path, content: bytes) -> None:
    """A reader never sees half of it; file and name are on disk on return."""
    handle, part = tempfile.mkstemp(dir=path.parent, suffix=".part")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        Path(part).replace(path)
    except BaseException:
        Path(part).unlink(missing_ok=True)
        raise
    for folder in (path.parent, path.parent.parent):
        entry = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(entry)
        finally:
            os.close(entry)
