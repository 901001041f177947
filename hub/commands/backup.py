# SPDX-License-Identifier: EUPL-1.2
"""`cityhub backup`: one file with everything, made while the hub runs.

What has to fit together is ledger, journals, spools, quarantine and readings. All of them are held at one moment
(`hub.storage.snapshot`), and the moment is proved: when nothing has moved any journal's progress from before the first
was held until after the last, they show one state, that of a hub killed at this moment, which every start can continue
from. Else it is tried again. A batch on its way from store to journal then is noted beside the journal, and the note
comes along. Files of spool and quarantine are only appended to or removed: they get a second name at that moment.

Messages that wait in the broker are the broker's; they are not in the backup.
"""

import asyncio
import contextlib
import os
import shutil
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

from hub import __version__
from hub.app import Parts
from hub.commands._archive import FORMAT, Manifest, digest, files_below, pack
from hub.core.errors import Invalid, Stop
from hub.settings import Settings
from hub.storage.ledger import HeldLedger
from hub.storage.readings_copy import export_readings
from hub.storage.snapshot import HeldFile

_PATIENCE = 30.0  # s to find a moment at which nothing moves
_PROGRESS = "SELECT batch, segment, offset FROM progress"
_SECRETS = ("admin.key", "admin.password", "broker/hub.json")
_Progress = tuple[object, ...]


class Held(NamedTuple):
    """Everything at one moment."""

    ledger: HeldLedger
    files: Sequence[tuple[str, HeldFile]]


def back_up(
    settings: Settings, target: Path | None, *, readings: bool = True, journal: bool = True, secrets: bool = False
) -> Path:
    """Write a backup; returns its file. `target`: a file, or a folder for one named after city and time."""
    if readings and not journal:
        raise Invalid("readings without their journal cannot be accounted for: leave both out", "journal")
    parts = Parts(settings)
    marker = parts.data.marker()
    if marker is None:
        raise Stop(f"{parts.data.root} is no data directory of a hub: name it with --data")
    file, version = _file_for(target, parts), ""
    with _staging(parts.data.root) as stage:
        kept = _keeps(settings, readings)
        with ExitStack() as stack:
            held = hold(parts, stack, stage, journal=journal, readings=kept == "sqlite")
            _say(f"holding the hub's state of {datetime.now(UTC):%Y-%m-%d %H:%M:%S} UTC; copying")
            held.ledger.copy(stage / "ledger.db")
            version = held.ledger.version or ""
            for name, one in held.files:
                one.copy(stage / name)
        if kept == "influx":
            asyncio.run(export_readings(parts.influx(), stage / "readings.lp.gz"))
        _copy_rest(parts.data.root, stage, secrets=secrets)
        names = files_below(stage)
        manifest = Manifest(
            format=FORMAT,
            release=__version__,
            kind=marker.kind,
            city=parts.city().id,
            made_at=datetime.now(UTC).isoformat(timespec="seconds"),
            ledger_schema=version,
            shards=parts.data.shards(),
            readings=kept,
            journal=journal,
            secrets=secrets,
            files={name: digest(stage / name) for name in names},
        )
        pack(stage, manifest, file)
    return file


def hold(parts: Parts, stack: ExitStack, stage: Path, *, journal: bool, readings: bool) -> Held:
    """Hold everything at one moment; Stop when the hub is too busy for one."""
    deadline = time.monotonic() + _PATIENCE
    while True:
        with ExitStack() as attempt:
            found = _attempt(parts, attempt, stage, journal=journal, readings=readings)
            if found is not None:
                stack.enter_context(attempt.pop_all())
                return found
        if time.monotonic() > deadline:
            raise Stop("the hub is too busy to be held at one moment: try again at a quieter time, or stop it first")
        time.sleep(0.05)


def _attempt(parts: Parts, stack: ExitStack, stage: Path, *, journal: bool, readings: bool) -> Held | None:
    """Everything held, None when something moved meanwhile."""
    root = parts.data.root
    shards = [shard for shard in range(parts.data.shards()) if journal and parts.data.journal(shard).exists()]
    files = [(f"ingest-{shard}.db", stack.enter_context(HeldFile(parts.data.journal(shard)))) for shard in shards]
    before = [one.rows(_PROGRESS) for _, one in files]
    if readings and parts.data.readings.exists():
        files.append(("readings.db", stack.enter_context(HeldFile(parts.data.readings))))
    ledger = stack.enter_context(HeldLedger(parts.ledger_url()))
    if journal:
        _link(root, stage, shards)
    after = [_progress_now(parts, shard) for shard in shards]
    return Held(ledger, files) if before == after else None


def _progress_now(parts: Parts, shard: int) -> list[_Progress]:
    with HeldFile(parts.data.journal(shard)) as now:
        return now.rows(_PROGRESS)


def _link(root: Path, stage: Path, shards: Sequence[int]) -> None:
    """Give what lies in spool and quarantine a second name, and copy the small notes of open batches."""
    for folder in [f"{kind}-{shard}" for kind in ("spool", "quarantine") for shard in shards]:
        shutil.rmtree(stage / folder, ignore_errors=True)
        (stage / folder).mkdir(parents=True)
        for file in (root / folder).glob("*.*"):
            with contextlib.suppress(FileNotFoundError):  # removed just now: the progress tells
                os.link(file, stage / folder / file.name)
    for shard in shards:
        for note in root.glob(f"ingest-{shard}.open-*"):
            shutil.copyfile(note, stage / note.name)


def _copy_rest(root: Path, stage: Path, *, secrets: bool) -> None:
    """What is written once and then stays: marker, division, pictures; secrets where asked for."""
    names = ["hub.json", "shards.json", *(_SECRETS if secrets else ()), *(["cityhub.toml"] if secrets else [])]
    for name in names:
        if (root / name).is_file():
            (stage / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(root / name, stage / name)
    if (root / "photos").is_dir():
        shutil.copytree(root / "photos", stage / "photos", copy_function=os.link, dirs_exist_ok=True)


@contextlib.contextmanager
def _staging(root: Path) -> Iterator[Path]:
    """A folder on the same file system, so that second names can be given; gone afterwards."""
    stage = root / f"backup-{os.getpid()}.tmp"
    for left in root.glob("backup-*.tmp"):  # of one that was killed
        shutil.rmtree(left, ignore_errors=True)
    stage.mkdir(mode=0o700)
    try:
        yield stage
    finally:
        shutil.rmtree(stage, ignore_errors=True)


def _keeps(settings: Settings, readings: bool) -> str:
    return settings.store.kind if readings else ""


def _file_for(target: Path | None, parts: Parts) -> Path:
    folder = target or Path()
    if target is not None and not target.is_dir():
        if not target.parent.is_dir():
            raise Invalid(f"{target.parent} is no folder: make it, or name another one", "file")
        return target
    return folder / f"cityhub-{parts.city().id}-{datetime.now(UTC):%Y%m%dT%H%M%SZ}.tar.gz"


def _say(text: str) -> None:
    print(text, file=sys.stderr)
