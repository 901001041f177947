# SPDX-License-Identifier: EUPL-1.2
"""Imports into the registry: all or nothing, and to be undone.

An import is one transaction. `import_run.changes` has, for each thing that it made or changed, what was there before
and the revision that it left. Undoing puts exactly that back, in one transaction too, and only while each of them still
has that revision: what somebody changed since is theirs, so the whole undo is refused and names it. A device that an
import registered is gone after the undo as if it had never been; its readings stay in their store, and count again
when it is registered again. Revisions go on growing, also when something is put back, so no old ETag matches by chance.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from msgspec import convert, to_builtins
from msgspec.structs import replace
from sqlalchemy import Connection, Table, bindparam, delete, insert, select, update

from hub.core.errors import Conflict, Exists, Invalid, NotFound
from hub.core.places import Device, Place
from hub.core.ports import ImportBook
from hub.core.registry import Facility, ImportRun
from hub.storage.ledger import _tables as t
from hub.storage.ledger._audit import Change, record, record_changes
from hub.storage.ledger._commands import leave_for_each
from hub.storage.ledger._credentials import refuse_bridge_names
from hub.storage.ledger._database import Database
from hub.storage.ledger._device_rows import (
    Stored,
    device_row,
    facility_row,
    place_row,
    put_mountings,
    read_devices,
    read_facilities,
    read_places,
)
from hub.storage.ledger._ignored import forget, read_ignored
from hub.storage.ledger._json import dump, load
from hub.storage.ledger._mountings import continued
from hub.storage.ledger._places import require_parents
from hub.storage.ledger._registry_checks import check_device, check_facility, check_place, check_tree
from hub.storage.ledger._rows import Row
from hub.storage.ledger._statements import advance, execute_all, upsert

_R = t.import_run.c
_TABLES: Mapping[str, Table] = {"device": t.device, "facility": t.facility, "place": t.place}
_TYPES: Mapping[str, Any] = {"device": Device, "facility": Facility, "place": Place}


class _Item(NamedTuple):
    """One thing that an import made or changed; `revision` is the one that it left, `removed_at` is of `before`."""

    kind: str
    id: str
    before: Any | None
    after: Any
    revision: int
    removed_at: int | None = None

    @property
    def change(self) -> Change:
        made = self.before is None or self.removed_at is not None
        return Change(f"{self.kind}.{'add' if made else 'change'}", self.id, None if made else self.before, self.after)


class Imports(ImportBook):
    """`ImportBook` on the ledger's database."""

    def __init__(self, database: Database, clock: Callable[[], int], shards: int = 1) -> None:
        self._database = database
        self._clock = clock
        self._shards = shards

    def run(
        self,
        kind: str,
        file: str,
        *,
        places: Sequence[Place] = (),
        facilities: Sequence[Facility] = (),
        devices: Sequence[Device] = (),
        by: str,
    ) -> ImportRun:
        """Add or change all of these in one transaction. Raise Invalid that names the item."""
        given = len(places) + len(facilities) + len(devices)
        with self._database.write() as connection:
            now = self._clock()
            items = [*_places(connection, places), *_facilities(connection, facilities, places)]
            moved = _devices(connection, devices, places, now)
            items += moved
            made = sum(item.before is None or item.removed_at is not None for item in items)
            counts = {"created": made, "changed": len(items) - made, "unchanged": given - len(items)}
            self._write(connection, items)
            number = self._remember(connection, now, kind, file, counts, items, by)
            self._tell(connection, now, by, items, {"import": number})
            record(connection, now, by, "import.run", str(number), {"kind": kind, "file": file, **counts})
            return ImportRun(id=number, kind=kind, file=file, by=by, at=now, counts=counts)

    def undo(self, run: int, *, by: str) -> ImportRun:
        """Put everything back as it was before. Raise NotFound, Exists (undone already), Conflict (changed since)."""
        with self._database.write() as connection:
            row = connection.execute(select(t.import_run).where(_R.id == run)).mappings().first()
            if row is None:
                raise NotFound(f"there is no import {run}", "import")
            if row["undone_at"] is not None:
                raise Exists(f"import {run} was undone already, by {row['undone_by'] or 'somebody'}", "import")
            now = self._clock()
            undone = {"undone_at": now, "undone_by": by}
            back = list(_undoing(connection, run, load(row["changes"])))
            self._put_back(connection, back)
            connection.execute(update(t.import_run).where(_R.id == run).values(**undone))
            record_changes(connection, now, by, [change for change, _, _ in back])
            if any(change.action.startswith("device.") for change, _, _ in back):
                self._redrive(connection, now)
            record(connection, now, by, "import.undo", str(run), {"count": len(back)})
            advance(connection, t.REGISTRY_VERSION)
            return _run({**row, **undone})

    def runs(self, limit: int = 100) -> Sequence[ImportRun]:
        """Newest first."""
        columns = [column for column in t.import_run.c if column.name != "changes"]
        with self._database.read() as connection:
            rows = connection.execute(select(*columns).order_by(_R.id.desc()).limit(limit)).mappings()
            return [_run(row) for row in rows]

    def _write(self, connection: Connection, items: Sequence[_Item]) -> None:
        for kind, table in reversed(list(_TABLES.items())):
            rows = [_row(item.kind, item.after, item.revision) for item in items if item.kind == kind]
            execute_all(connection, upsert(self._database.dialect, table), rows)
        moved = {
            i.id: i.after.mountings
            for i in items
            if i.kind == "device" and (i.before is None or i.before.mountings != i.after.mountings)
        }
        put_mountings(connection, moved)

    def _remember(
        self, connection: Connection, now: int, kind: str, file: str, counts: Mapping[str, int],
        items: Sequence[_Item], by: str,
    ) -> int:  # fmt: skip
        changes = [[i.kind, i.id, None if i.before is None else to_builtins(i.before), i.revision, i.removed_at]
                   for i in items]  # fmt: skip
        row = {
            "kind": kind, "file": file, "counts": dump(dict(counts)), "changes": dump(changes), "made_by": by,
            "made_at": now,
        }  # fmt: skip
        return int(connection.execute(insert(t.import_run).values(**row).returning(_R.id)).scalar_one())

    def _tell(self, connection: Connection, now: int, by: str, items: Sequence[_Item], detail: Row) -> None:
        """What others learn from: the audit, the registry's version, the order to redrive, ignored names."""
        record_changes(connection, now, by, [item.change._replace(detail=detail) for item in items])
        if items:
            advance(connection, t.REGISTRY_VERSION)
        named = [i.after for i in items if i.kind == "device" and (i.before is None or _name(i.before) != _name(i.after)
                                                                   or i.removed_at is not None)]  # fmt: skip
        if named:
            self._redrive(connection, now)
        if any(i.kind == "device" and i.before is not None and i.before.model != i.after.model for i in items):
            self._redrive(connection, now, "unknown_quantity")
        ignored = read_ignored(connection)
        for connector, external_id in sorted({_name(d) for d in named} & ignored):
            forget(connection, connector, external_id)
            record(connection, now, by, "device.unignore", f"{connector}/{external_id}", detail)

    def _redrive(self, connection: Connection, now: int, reason: str = "unknown_device") -> None:
        leave_for_each(connection, now, "redrive", {"reason": reason}, self._shards)

    def _put_back(self, connection: Connection, back: Sequence[tuple[Change, "_Item | None", tuple[str, str]]]) -> None:
        gone = [key for _, item, key in back if item is None]
        items = [item for _, item, _ in back if item is not None]
        devices = [name for kind, name in gone if kind == "device"]
        _delete(connection, t.mounting, "device", devices)
        _delete(connection, t.device, "id", devices)
        if _delete(connection, t.credential, "username", devices):
            advance(connection, t.CREDENTIAL_VERSION)
        _delete(connection, t.facility, "place", [name for kind, name in gone if kind == "facility"])
        for kind, table in reversed(list(_TABLES.items())):
            rows = [_row(kind, i.after, i.revision, i.removed_at) for i in items if i.kind == kind]
            execute_all(connection, upsert(self._database.dialect, table), rows)
        put_mountings(connection, {i.id: i.after.mountings for i in items if i.kind == "device"})
        sites = [name for kind, name in gone if kind == "place"]
        _refuse_used(connection, sites)
        _delete(connection, t.place, "id", sites)


def _name(device: Device) -> tuple[str, str]:
    return device.connector, device.external_id


def _row(kind: str, item: Any, revision: int, removed_at: int | None = None) -> Row:
    if kind == "place":
        return place_row(item, revision)
    item = replace(item, revision=revision)
    return facility_row(item) if kind == "facility" else device_row(item, removed_at)


def _places(connection: Connection, given: Sequence[Place]) -> Iterator[_Item]:
    known = read_places(connection)
    _refuse_double([p.id for p in given], "place")
    for place in given:
        _named(place.id, check_place, place)
    require_parents(given, known)
    changed = {p.id: p for p in given if p.id not in known or known[p.id][0] != p}
    check_tree(changed, {**{name: place for name, (place, _) in known.items()}, **changed})
    for name, place in changed.items():
        before, revision = known.get(name, (None, 0))
        yield _Item("place", name, before, place, revision + 1)


def _facilities(connection: Connection, given: Sequence[Facility], places: Sequence[Place]) -> Iterator[_Item]:
    known = read_facilities(connection)
    there = {name: place for name, (place, _) in read_places(connection).items()} | {p.id: p for p in places}
    _refuse_double([f.place for f in given], "facility")
    for facility in given:
        if facility.place not in there:
            raise NotFound(f"no place {facility.place!r}: add it first", facility.place)
        _named(facility.place, check_facility, facility, there[facility.place])
        before = known.get(facility.place)
        revision = before.revision if before else 0
        if before != replace(facility, revision=revision):
            after = replace(facility, revision=revision + 1)
            yield _Item("facility", facility.place, before, after, revision + 1)


def _devices(connection: Connection, given: Sequence[Device], places: Sequence[Place], now: int) -> Sequence[_Item]:
    known = read_devices(connection)
    there = {*connection.execute(select(t.place.c.id)).scalars(), *(p.id for p in places)}
    _refuse_double([d.id for d in given], "device")
    refuse_bridge_names(connection, [d.id for d in given if d.id not in known])
    items = []
    for device in given:
        _named(device.id, check_device, device)
        for mounting in device.mountings:
            if mounting.place not in there:
                raise NotFound(f"no place {mounting.place!r}: add it first", device.id)
        before, removed_at = known.get(device.id, (None, None))
        after = _as_stored(device, before, removed_at, now)
        if before != after or removed_at is not None:
            after = replace(after, revision=after.revision + 1)
            items.append(_Item("device", device.id, before, after, after.revision, removed_at))
    _refuse_same_name(known, items)
    return items


def _as_stored(device: Device, before: Device | None, removed_at: int | None, now: int) -> Device:
    """A given device with what the registry knows of it; a former one continues."""
    tags, mountings = tuple(device.tags), tuple(sorted(device.mountings, key=lambda m: m.start))
    if before is None:
        return replace(device, tags=tags, mountings=mountings, registered_at=now, revision=0)
    if removed_at is None:
        at = before.registered_at
    else:
        at, mountings = now, continued(before.mountings, removed_at, mountings)
    return replace(device, tags=tags, mountings=mountings, registered_at=at, revision=before.revision)


def _refuse_same_name(known: Mapping[str, Stored], items: Sequence[_Item]) -> None:
    after = {i.id: i.after for i in items}
    names: dict[tuple[str, str], str] = {}
    registered = {name: device for name, (device, removed_at) in known.items() if removed_at is None}
    for name, device in {**registered, **after}.items():
        other = names.setdefault(_name(device), name)
        if other != name:
            raise Exists(f"{device.external_id!r} of {device.connector} is that of device {other!r} already", name)


def _refuse_double(names: Sequence[str], kind: str) -> None:
    seen: set[str] = set()
    for name in names:
        if name in seen:
            raise Invalid(f"the {kind} is given twice", name)
        seen.add(name)


def _named(name: str, check: Callable[..., None], *given: object) -> None:
    """Run a check; what it finds names the item."""
    try:
        check(*given)
    except Invalid as error:
        raise type(error)(str(error), name) from error


def _undoing(
    connection: Connection, run: int, changes: Sequence[Sequence[Any]]
) -> Iterator[tuple[Change, _Item | None, tuple[str, str]]]:
    """How each thing is put back, in the opposite order; raise Conflict where one was changed since."""
    devices, places, facilities = read_devices(connection), read_places(connection), read_facilities(connection)
    bound = {name for table in (t.certificate, t.hardware, t.correction)
             for name in connection.execute(select(table.c.device).distinct()).scalars()}  # fmt: skip
    found: Mapping[str, Mapping[str, tuple[Any, int]]] = {
        "device": {n: (d, -1 if removed_at is not None else d.revision) for n, (d, removed_at) in devices.items()},
        "facility": {n: (f, f.revision) for n, f in facilities.items()},
        "place": dict(places),
    }
    for kind, name, before, revision, removed_at in reversed(changes):
        now, at = found[kind].get(name, (None, -1))
        if at != revision or (kind == "device" and before is None and name in bound):
            raise Conflict(f"{kind} {name!r} was changed since import {run}: put that back by hand first", name)
        old = None if before is None else convert(before, _TYPES[kind])
        action = "remove" if old is None or removed_at is not None else "change"
        item = None if old is None else _Item(kind, name, now, old, revision + 1, removed_at)
        after = None if action == "remove" else old
        yield Change(f"{kind}.{action}", name, now, after, {"undone": run}), item, (kind, name)


def _refuse_used(connection: Connection, places: Sequence[str]) -> None:
    gone = set(places)
    for column, words in (
        (t.mounting.c.place, "devices stand there now"),
        (t.facility.c.place, "a facility is there now"),
        (t.entered_value.c.place, "figures were entered for it since"),
    ):
        for used in sorted(gone.intersection(connection.execute(select(column).distinct()).scalars())):
            raise Conflict(f"place {used!r} was made by the import, but {words}: the import cannot be undone", used)
    below = select(t.place.c.id, t.place.c.parent)
    for child, parent in connection.execute(below):
        if parent in gone and child not in gone:
            raise Conflict(f"place {parent!r} was made by the import, but {child!r} lies in it now", parent)


def _delete(connection: Connection, table: Table, column: str, names: Sequence[str]) -> bool:
    if not names:
        return False
    statement = delete(table).where(table.c[column] == bindparam("gone"))
    return bool(connection.execute(statement, [{"gone": name} for name in names]).rowcount)


def _run(row: Row) -> ImportRun:
    return ImportRun(
        id=row["id"], kind=row["kind"], file=row["file"], by=row["made_by"], at=row["made_at"],
        counts=load(row["counts"]), undone_at=row["undone_at"], undone_by=row["undone_by"] or "",
    )  # fmt: skip
