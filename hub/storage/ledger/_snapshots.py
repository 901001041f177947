# SPDX-License-Identifier: EUPL-1.2
"""Reading the registry: whole at first, and after that only what the audit names since.

Every change of a device stands in the audit as `device.*`, every change of a place as `place.*`, with the id as its
subject; that is what makes this right. Where it does not add up to what is there, everything is read.
"""

from collections.abc import Sequence
from typing import NamedTuple

from sqlalchemy import Connection, Table, func, select

from hub.core.places import RegistrySnapshot
from hub.storage.ledger import _tables as t
from hub.storage.ledger._credentials import read_bridges
from hub.storage.ledger._device_rows import read_devices, read_earlier, read_places
from hub.storage.ledger._ignored import read_ignored

_MOST_CHANGES = 5_000  # beyond it everything is read
_A = t.audit.c


class Known(NamedTuple):
    """What was read last; `audited` is the newest entry of the audit that it includes."""

    snapshot: RegistrySnapshot
    audited: int


def read_version(connection: Connection) -> int:
    """The registry's version: one look-up by key."""
    statement = select(t.counter.c.value).where(t.counter.c.name == t.REGISTRY_VERSION)
    return int(connection.execute(statement).scalar_one())


def brought_up_to_date(connection: Connection, known: Known | None) -> Known:
    """What is there now, given what was known."""
    version = read_version(connection)
    if known is not None and known.snapshot.version == version:  # another thread was first
        return known
    newest = connection.execute(select(func.max(_A.id))).scalar() or 0
    fresh = None if known is None else _read_changed(connection, version, known, newest)
    return Known(fresh or _read_all(connection, version), newest)


def _read_all(connection: Connection, version: int) -> RegistrySnapshot:
    devices = read_devices(connection)
    registered = {name: device for name, (device, removed_at) in devices.items() if removed_at is None}
    return RegistrySnapshot(
        version,
        registered,
        {name: place for name, (place, _) in read_places(connection).items()},
        {name: device for name, (device, removed_at) in devices.items() if removed_at is not None},
        read_ignored(connection),
        read_bridges(connection),
        read_earlier(connection, registered),
    )


def _read_changed(connection: Connection, version: int, known: Known, newest: int) -> RegistrySnapshot | None:
    """Brought up to date by what the audit says since; None where that does not add up to what is there."""
    last, audited = known
    entries = select(_A.action, _A.subject).where(_A.id > audited).limit(_MOST_CHANGES + 1)
    changes = [(action, subject) for action, subject in connection.execute(entries)]
    if version < last.version or newest < audited or len(changes) > _MOST_CHANGES:
        return None
    devices, former, places = dict(last.devices), dict(last.former), dict(last.places)
    names = _named(changes, "device.")
    found = read_devices(connection, names)
    for name in names:
        devices.pop(name, None)
        former.pop(name, None)
    for name, (device, removed_at) in found.items():
        (devices if removed_at is None else former)[name] = device
    sites = _named(changes, "place.")
    there = read_places(connection, sites)
    for name in sites:
        places.pop(name, None)
    if sites:
        places = dict(sorted({**places, **{name: place for name, (place, _) in there.items()}}.items()))
    whole = _count(connection, t.device) == len(devices) + len(former) and _count(connection, t.place) == len(places)
    if not whole:
        return None
    ignored, bridges = read_ignored(connection), read_bridges(connection)
    return RegistrySnapshot(version, devices, places, former, ignored, bridges, read_earlier(connection, devices))


def _named(changes: Sequence[tuple[str, str]], prefix: str) -> Sequence[str]:
    return sorted({subject for action, subject in changes if action.startswith(prefix)})


def _count(connection: Connection, table: Table) -> int:
    return int(connection.execute(select(func.count()).select_from(table)).scalar_one())
