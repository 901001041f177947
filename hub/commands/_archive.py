# SPDX-License-Identifier: EUPL-1.2
"""The file of a backup: a gzipped tar whose first member, `manifest.json`, names every other one with its SHA-256.

Written beside its place and moved there when it is complete and synced, so a name without `.part` is a whole backup.
Reading checks everything before anything is put in place: names (no path may leave the folder), sizes, hashes.
"""

import hashlib
import os
import tarfile
from collections.abc import Mapping
from io import BytesIO
from pathlib import Path, PurePosixPath
from typing import IO

import msgspec
from msgspec import Struct

from hub.core.errors import Invalid, Retry, SchemaTooNew

FORMAT = 1
MANIFEST = "manifest.json"
_CHUNK = 1 << 20


class Manifest(Struct, frozen=True, kw_only=True):
    """What a backup holds. `made_at`: RFC 3339; `files`: SHA-256 by name; `readings`: how they are kept, "" without."""

    format: int
    release: str
    kind: str
    city: str
    made_at: str
    ledger_schema: str
    shards: int
    readings: str
    journal: bool
    secrets: bool
    files: Mapping[str, str]


def digest(file: Path) -> str:
    """SHA-256 of a file, in hex."""
    with file.open("rb") as content:
        return hashlib.file_digest(content, "sha256").hexdigest()


def files_below(folder: Path) -> list[str]:
    """Names of all files below a folder, in order."""
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())


def pack(folder: Path, manifest: Manifest, target: Path) -> None:
    """Write everything below `folder` and the manifest into `target`. Raise Retry when the disk is full."""
    part = target.with_name(target.name + ".part")
    try:
        handle = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(handle, "wb") as file:
            with tarfile.open(fileobj=file, mode="w:gz", compresslevel=3) as archive:
                _add_manifest(archive, manifest)
                for name in manifest.files:
                    archive.add(folder / name, name, recursive=False)
            file.flush()
            os.fsync(file.fileno())
        part.replace(target)
    except OSError as error:
        part.unlink(missing_ok=True)
        raise Retry(f"{target}: {error.strerror or error}: no backup was made; make room, then try again") from error


def _add_manifest(archive: tarfile.TarFile, manifest: Manifest) -> None:
    content = msgspec.json.format(msgspec.json.encode(manifest))
    entry = tarfile.TarInfo(MANIFEST)
    entry.size, entry.mode = len(content), 0o600
    archive.addfile(entry, BytesIO(content))


def unpack(source: Path, folder: Path) -> Manifest:
    """Write the files of a backup below `folder`, checked. Raise Invalid that says what is wrong with the file."""
    try:
        with tarfile.open(source, "r:gz") as archive:
            manifest = _manifest_of(archive, source)
            while (entry := archive.next()) is not None:
                _extract(archive, entry, folder, manifest)
    except (tarfile.TarError, EOFError, OSError, ValueError, msgspec.MsgspecError) as error:
        raise Invalid(f"{source} is no whole backup of the hub: {error}; take another one", "file") from error
    missing = set(manifest.files) - set(files_below(folder))
    if missing:
        raise Invalid(f"{source} lacks {min(missing)}: it is cut off; take another one", "file")
    return manifest


def _manifest_of(archive: tarfile.TarFile, source: Path) -> Manifest:
    first = archive.next()
    content = archive.extractfile(first) if first is not None and first.name == MANIFEST else None
    if content is None:
        raise Invalid(f"{source} is no backup of the hub: it does not begin with {MANIFEST}", "file")
    manifest = msgspec.json.decode(content.read(), type=Manifest)
    if manifest.format > FORMAT:
        raise SchemaTooNew(f"{source} was written by release {manifest.release}: restore it with that one")
    return manifest


def _extract(archive: tarfile.TarFile, entry: tarfile.TarInfo, folder: Path, manifest: Manifest) -> None:
    name = PurePosixPath(entry.name)
    if not entry.isfile() or name.is_absolute() or ".." in name.parts or entry.name not in manifest.files:
        raise ValueError(f"it holds {entry.name!r}, which is not in its list")
    content = archive.extractfile(entry)
    target = folder / name
    target.parent.mkdir(parents=True, exist_ok=True)
    if content is None or _write(content, target) != manifest.files[entry.name]:
        raise ValueError(f"{entry.name} is damaged")


def _write(content: IO[bytes], target: Path) -> str:
    seen = hashlib.sha256()
    with os.fdopen(os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        while chunk := content.read(_CHUNK):
            seen.update(chunk)
            file.write(chunk)
        file.flush()
        os.fsync(file.fileno())
    return seen.hexdigest()
