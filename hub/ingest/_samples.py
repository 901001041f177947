# SPDX-License-Identifier: EUPL-1.2
"""Tables `uplink` and `sample` of a journal: of each device the last few rows, older ones go as new ones come.

Raw messages may hold personal data: what is taken away is overwritten, and a purge that names their device, topic or
time takes them too.
"""

import json
import sqlite3
from collections.abc import Collection, Sequence
from typing import Any

from hub.core.journal import JournalBatch, RawSample, UplinkSeen
from hub.core.ports import QuarantineFilter

UPLINKS_KEPT = 12
_SAMPLE = ("device", "received", "connector", "topic", "payload", "size", "verdict", "readings", "reason", "detail")
_UPLINK = ("device", "received", "frame", "rssi", "snr", "spreading_factor", "gateways")
_ADD_SAMPLE = f"INSERT INTO sample ({', '.join(_SAMPLE)}) VALUES ({', '.join('?' * len(_SAMPLE))})"  # noqa: S608 our own names
_ADD_UPLINK = f"INSERT OR REPLACE INTO uplink VALUES ({', '.join('?' * len(_UPLINK))})"  # noqa: S608 our own names
_DROP_SAMPLES = (
    "DELETE FROM sample WHERE device = ?1 AND id NOT IN "
    "(SELECT id FROM sample WHERE device = ?1 ORDER BY received DESC, id DESC LIMIT ?2)"
)
_DROP_UPLINKS = (
    "DELETE FROM uplink WHERE device = ?1 AND received NOT IN "
    "(SELECT received FROM uplink WHERE device = ?1 ORDER BY received DESC LIMIT ?2)"
)
SELECT_SAMPLES = f"SELECT {', '.join(_SAMPLE)} FROM sample WHERE device = ? ORDER BY received DESC, id DESC"  # noqa: S608 our own names
SELECT_UPLINKS = (
    f"SELECT {', '.join(_UPLINK)} FROM uplink WHERE device IN (SELECT value FROM json_each(?)) "  # noqa: S608 our own names
    "ORDER BY device, received DESC"
)


def write_samples(connection: sqlite3.Connection, batch: JournalBatch) -> None:
    """Add what a batch brings, and let go of what it pushes out."""
    many = connection.executemany
    if batch.samples:
        many(_ADD_SAMPLE, [[getattr(sample, name) for name in _SAMPLE] for sample in batch.samples])
        many(_DROP_SAMPLES, [(device, batch.samples_kept) for device in {s.device for s in batch.samples}])
    if batch.uplinks:
        many(_ADD_UPLINK, [_row(uplink) for uplink in batch.uplinks])
        many(_DROP_UPLINKS, [(device, UPLINKS_KEPT) for device in {u.device for u in batch.uplinks}])


def forget_older(connection: sqlite3.Connection, before: int) -> None:
    """Retention."""
    _erase(connection, "received < ?", [before])


def forget_device(connection: sqlite3.Connection, where: QuarantineFilter) -> None:
    """What a purge means for samples: those of a device, topic or stretch of time that it names."""
    conditions, arguments = list[str](), list[object]()
    if where.ids is not None or where.reason is not None or where.external_id is not None:
        return  # it means certain messages of the quarantine, or somebody who is not registered
    if where.state not in {None, "waiting"}:
        return
    for column in ("device", "connector"):
        if (value := getattr(where, column)) is not None:
            conditions.append(f"{column} = ?")
            arguments.append(value)
    if where.topic is not None:
        below = where.topic.endswith("/#")
        conditions.append("substr(topic, 1, ?) = ?" if below else "topic = ?")
        arguments += [len(where.topic) - 1, where.topic[:-1]] if below else [where.topic]
    for value, condition in ((where.since, "received >= ?"), (where.until, "received < ?")):
        if value is not None:
            conditions.append(condition)
            arguments.append(value)
    _erase(connection, " AND ".join(conditions) or "1", arguments)


def _erase(connection: sqlite3.Connection, clause: str, arguments: Sequence[object]) -> None:
    connection.execute("PRAGMA secure_delete = ON")
    try:
        connection.execute(f"DELETE FROM sample WHERE {clause}", arguments)  # noqa: S608 clause has placeholders only
    finally:
        connection.execute("PRAGMA secure_delete = FAST")


def sample_of(row: Sequence[Any]) -> RawSample:
    """A row of SELECT_SAMPLES."""
    return RawSample(**dict(zip(_SAMPLE, row, strict=True)))


def uplink_of(row: Sequence[Any]) -> UplinkSeen:
    """A row of SELECT_UPLINKS."""
    values = dict(zip(_UPLINK, row, strict=True))
    return UplinkSeen(**{**values, "gateways": json.loads(values["gateways"])})


def listed(names: Collection[str]) -> str:
    """The argument for json_each."""
    return json.dumps(sorted(names))


def _row(uplink: UplinkSeen) -> list[object]:
    return [*(getattr(uplink, name) for name in _UPLINK[:-1]), json.dumps(list(uplink.gateways))]
