# SPDX-License-Identifier: EUPL-1.2
"""Places and facilities, within a writer's transaction.

The id of a place is its path, so places cannot form a circle; they can lie in kinds they do not belong in, and that is
refused. A place goes only when nothing ever stood there: readings count where they were measured, for ever.
"""

from collections.abc import Mapping, Sequence

from msgspec.structs import replace
from sqlalchemy import Column, Connection, delete, select

from hub.core.errors import Conflict, Exists, NotFound
from hub.core.places import Place
from hub.core.registry import Facility
from hub.storage.ledger import _tables as t
from hub.storage.ledger._audit import Change, record_changes
from hub.storage.ledger._device_rows import facility_row, place_row, read_facilities, read_places
from hub.storage.ledger._registry_checks import check_facility, check_place, check_tree
from hub.storage.ledger._statements import advance, execute_all, upsert

_IN_USE: Sequence[tuple[Column[object], str]] = (
    (t.place.c.parent, "other places lie in it: remove those first"),
    (t.mounting.c.place, "devices stand or stood there, and their readings count there"),
    (t.entered_value.c.place, "figures were entered for it"),
)


def put(connection: Connection, dialect: str, at: int, given: Sequence[Place], by: str) -> int:
    """Add or replace places, parents first; returns how many changed."""
    for place in given:
        check_place(place)
    known = read_places(connection)
    require_parents(given, known)
    changed = {p.id: p for p in given if p.id not in known or known[p.id][0] != p}
    check_tree(changed, {**{name: place for name, (place, _) in known.items()}, **changed})
    write(connection, dialect, list(changed.values()), known)
    changes = [
        Change("place.change" if n in known else "place.add", n, known[n][0] if n in known else None, p)
        for n, p in changed.items()
    ]
    record_changes(connection, at, by, changes)
    if changed:
        advance(connection, t.REGISTRY_VERSION)
    return len(changed)


def refuse_changed(connection: Connection, seen: Mapping[str, Place | None]) -> None:
    """Raise Conflict for a place that is not as the caller saw it (None: not there)."""
    known = read_places(connection, list(seen)) if seen else {}
    for name, place in seen.items():
        if (known[name][0] if name in known else None) != place:
            raise Conflict(f"place {name!r} was changed in between: read it again", "place")


def write(connection: Connection, dialect: str, given: Sequence[Place], known: Mapping[str, tuple[Place, int]]) -> None:
    """Rows of places, each with the revision after the known one."""
    rows = [place_row(p, known[p.id][1] + 1 if p.id in known else 1) for p in given]
    execute_all(connection, upsert(dialect, t.place), rows)


def require_parents(given: Sequence[Place], known: Mapping[str, object]) -> None:
    """Raise NotFound for a place whose parent is neither known nor given before it."""
    there = set(known)
    for place in given:
        if place.parent is not None and place.parent not in there:
            raise NotFound(f"{place.id!r} lies in {place.parent!r}, which does not exist: add that first", "place")
        there.add(place.id)


def remove(connection: Connection, at: int, place: str, by: str) -> None:
    """Take a place away with what serves people there; raise NotFound, Exists."""
    known = read_places(connection, [place])
    if place not in known:
        raise NotFound(f"no place {place!r}", "place")
    refuse_in_use(connection, place)
    if place in read_facilities(connection, place):
        remove_facility(connection, at, place, by, None)
    connection.execute(delete(t.place).where(t.place.c.id == place))
    record_changes(connection, at, by, [Change("place.remove", place, known[place][0], None)])
    advance(connection, t.REGISTRY_VERSION)


def refuse_in_use(connection: Connection, place: str) -> None:
    """Raise Exists while something hangs on a place."""
    for column, why in _IN_USE:
        if connection.execute(select(column).where(column == place).limit(1)).first() is not None:
            raise Exists(f"{place!r} cannot be removed: {why}", "place")


def put_facility(
    connection: Connection, dialect: str, at: int, facility: Facility, by: str, expected: int | None
) -> Facility:
    """Say what serves people at a place; raise NotFound, Invalid, Conflict."""
    known = read_places(connection, [facility.place])
    if facility.place not in known:
        raise NotFound(f"no place {facility.place!r}: add it first", "place")
    check_facility(facility, known[facility.place][0])
    before = read_facilities(connection, facility.place).get(facility.place)
    _refuse_other(facility.place, before, expected)
    revision = before.revision if before else 0
    if before == replace(facility, revision=revision):
        return before
    after = replace(facility, revision=revision + 1)
    connection.execute(upsert(dialect, t.facility), facility_row(after))
    action = "facility.change" if before else "facility.add"
    record_changes(connection, at, by, [Change(action, after.place, before, after)])
    advance(connection, t.REGISTRY_VERSION)
    return after


def remove_facility(connection: Connection, at: int, place: str, by: str, expected: int | None) -> None:
    """Nothing serves people there any more; raise NotFound, Conflict."""
    before = read_facilities(connection, place).get(place)
    if before is None:
        raise NotFound(f"there is no facility at {place!r}", "place")
    _refuse_other(place, before, expected)
    connection.execute(delete(t.facility).where(t.facility.c.place == place))
    record_changes(connection, at, by, [Change("facility.remove", place, before, None)])
    advance(connection, t.REGISTRY_VERSION)


def _refuse_other(place: str, before: Facility | None, expected: int | None) -> None:
    found = before.revision if before else 0
    if expected is not None and expected != found:
        raise Conflict(
            f"the facility at {place!r} was changed in between (revision {found}, not {expected}): read it again",
            "revision",
        )
