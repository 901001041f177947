# SPDX-License-Identifier: EUPL-1.2
"""`cityhub upgrade`: bring a data directory of an older release to this one, with a backup before.

The hub has to be stopped. Every file has a version of its own: the ledger's schema moves in one transaction, each
journal and store in one of theirs, and a newer version is refused. Whatever fails, the backup made before is whole.
"""

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from hub.app import Parts
from hub.commands.backup import back_up
from hub.core.errors import Stop
from hub.ingest.journal import SqliteJournal
from hub.settings import Settings


class Step(NamedTuple):
    """What was brought from which version to which; None: it was not there."""

    part: str
    before: str | None
    after: str


def upgrade_hub(settings: Settings, *, backup: bool = True) -> tuple[Path | None, list[Step]]:
    """Upgrade; returns the backup made before (None when nothing was to be done) and the steps."""
    parts = Parts(settings)
    marker = parts.data.marker()
    if marker is None:
        raise Stop(f"{parts.data.root} is no data directory of a hub: name it with --data")
    parts.data.open(marker.kind)  # refuses a newer one
    with parts.data.locked():
        ledger = parts.ledger()
        before = ledger.schema.current()
        file = _backup(settings, parts) if backup and before != ledger.schema.newest else None
        steps = [Step("ledger", *ledger.schema.upgrade()), *_stores(parts)]
        ledger.close()
    return file, [step for step in steps if step.before != step.after]


def _backup(settings: Settings, parts: Parts) -> Path:
    folder = parts.data.root / "backups"
    folder.mkdir(mode=0o700, exist_ok=True)
    return back_up(settings, folder, secrets=True)


def _stores(parts: Parts) -> Iterator[Step]:
    """Journals and SQLite stores raise their own version when their writer opens them."""
    for shard in range(parts.data.shards()):
        if parts.data.journal(shard).exists():
            before = _version(parts.data.journal(shard))
            asyncio.run(SqliteJournal(parts.data.journal(shard)).close())
            yield Step(f"journal {shard}", before, _version(parts.data.journal(shard)))
    if parts.settings.store.kind == "sqlite" and parts.data.readings.exists():
        before = _version(parts.data.readings)
        asyncio.run(_open_and_close(parts))
        yield Step("readings", before, _version(parts.data.readings))


async def _open_and_close(parts: Parts) -> None:
    store = parts.store(writer=True)
    try:
        await store.series(["-"])
    finally:
        await store.close()


def _version(file: Path) -> str:
    import sqlite3
    from contextlib import closing

    with closing(sqlite3.connect(f"{file.as_uri()}?mode=ro", uri=True)) as db:
        return str(db.execute("PRAGMA user_version").fetchone()[0])
