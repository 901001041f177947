# SPDX-License-Identifier: EUPL-1.2
"""`cityhub restore`: a hub as it was when the backup was made, in an empty data directory.

Everything is unpacked beside its place and checked first; the directory appears in one step when all of it is right.
The restored hub begins as after a crash at that moment: what was on its way between store and journal is noted, and the
engine computes what it had not seen. A backup of an older release is brought to this one's schemas.
"""

import asyncio
import os
import shutil
from pathlib import Path

from hub.app import Parts
from hub.commands._archive import Manifest, unpack
from hub.core.errors import Invalid, Stop
from hub.settings import Settings
from hub.storage.ledger import Ledger, sqlite_url, take_in
from hub.storage.readings_copy import import_readings

_INFLUX = "readings.lp.gz"


def restore(settings: Settings, file: Path) -> Manifest:
    """Restore a backup into the (empty) data directory and stores of these settings; returns what it held."""
    if not file.is_file():
        raise Invalid(f"{file} is not a file: name the backup", "file")
    parts = Parts(settings)
    root = parts.data.root
    _require_empty(root)
    stage = root.with_name(root.name + ".restoring")
    shutil.rmtree(stage, ignore_errors=True)
    stage.mkdir(mode=0o700, parents=True)
    try:
        manifest = unpack(file, stage)
        _require_fit(settings, manifest)
        _ledger(parts, stage)
        if manifest.readings == "influx":
            asyncio.run(import_readings(parts.influx(), stage / _INFLUX))
            (stage / _INFLUX).unlink()
        _put_in_place(stage, root)
    finally:
        shutil.rmtree(stage, ignore_errors=True)
    return manifest


def _require_empty(root: Path) -> None:
    if root.exists() and (not root.is_dir() or any(root.iterdir())):
        raise Stop(f"{root} is not empty: move it away, or name another place with --data")


def _require_fit(settings: Settings, manifest: Manifest) -> None:
    if manifest.readings and manifest.readings != settings.store.kind:
        raise Stop(
            f"the backup has its readings from {manifest.readings}, but store.kind is {settings.store.kind}: "
            "set it to the same, or restore a backup made with --no-readings"
        )


def _ledger(parts: Parts, stage: Path) -> None:
    file, url = stage / "ledger.db", parts.settings.ledger.url
    if url is None:
        with Ledger(sqlite_url(file)).upgrade():
            return
    take_in(file, url.get_secret_value())
    file.unlink()


def _put_in_place(stage: Path, root: Path) -> None:
    if root.exists():
        root.rmdir()
    stage.rename(root)
    folder = os.open(root.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
