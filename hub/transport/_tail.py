# SPDX-License-Identifier: EUPL-1.2
"""Follow a log file that its writer rotates.

The broker writes to a file and not to a pipe, so that it outlives a hub that was killed (a write to a pipe that nobody
reads any more would end it) and never waits for a busy hub. Rotation renames the file and begins a new one; the renamed
one is read to its end first.
"""

import os
from pathlib import Path
from typing import IO


class Tail:
    """`read()` returns the complete lines written since the last call."""

    def __init__(self, path: Path, *, from_end: bool = False) -> None:
        self._path = path
        self._file: IO[bytes] | None = None
        self._rest = b""
        if from_end and path.exists():
            self._file = path.open("rb")
            self._file.seek(0, os.SEEK_END)

    def read(self) -> list[str]:
        """New complete lines, in order."""
        data = self._rest
        if self._file is not None:
            data += self._file.read()
        if self._rotated():
            self.close()
            if self._path.exists():
                self._file = self._path.open("rb")
                data += self._file.read()
        *lines, self._rest = data.split(b"\n")
        return [line.decode("utf-8", "replace") for line in lines]

    def close(self) -> None:
        """Release the file."""
        if self._file is not None:
            self._file.close()
            self._file = None

    def _rotated(self) -> bool:
        if self._file is None:
            return True
        try:
            return self._path.stat().st_ino != os.fstat(self._file.fileno()).st_ino
        except FileNotFoundError:  # between rename and new file: look again at the next call
            return False
