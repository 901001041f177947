# SPDX-License-Identifier: EUPL-1.2
"""Indicator values: the truth that API, dashboards and change feed are projected from.

A commit is one transaction of the only writer: values, superseded revisions, cursors. It draws the numbers of the
change feed from the counter row in that same transaction, so whoever has read up to `seq` has missed nothing below it.
Every stored value gets a new number, also one that is overwritten in place: a reader sees each window once, newest
state, at its newest number.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any

from msgspec.structs import replace
from sqlalchemy import Connection, Select, and_, bindparam, delete, select

from hub.core.indicators import Correction, Digests, IndicatorValue, ValueColumns
from hub.core.ports import ValueLedger, ValueQuery, VersionSeen
from hub.storage.ledger import _tables as t
from hub.storage.ledger._as_of import select_as_of, select_versions
from hub.storage.ledger._columns import read_columns, read_digests
from hub.storage.ledger._corrections import Corrections
from hub.storage.ledger._database import Database
from hub.storage.ledger._holds import Holds
from hub.storage.ledger._json import dump
from hub.storage.ledger._queries import (
    select_due,
    select_first,
    select_series,
    select_values,
    select_window,
    select_windows,
)
from hub.storage.ledger._rows import Row, RowKey, SeriesName, ValueKey, check_value, from_row, plan, to_row, value_key
from hub.storage.ledger._statements import advance, execute_all, insert_new, upsert


class Values(ValueLedger):
    """`ValueLedger` on the ledger's database."""

    def __init__(self, database: Database, corrections: Corrections, holds: Holds) -> None:
        self._database = database
        self._corrections = corrections
        self._holds = holds

    def current(self, keys: Sequence[ValueKey]) -> Mapping[ValueKey, IndicatorValue]:
        """Newest revisions of the windows named; windows without a value are left out."""
        if not keys:
            return {}
        with self._database.read() as connection:
            ids = self._series(connection, {(indicator, place) for indicator, place, _ in keys})
            names = {number: name for name, number in ids.items()}
            found = self._stored(connection, [(ids[k[:2]], int(k[2])) for k in keys if k[:2] in ids])
        rows = ({**row, "indicator": names[key[0]][0], "place": names[key[0]][1]} for key, row in found.items())
        return {value_key(value): value for value in map(from_row, rows)}

    def values(self, query: ValueQuery) -> Sequence[IndicatorValue]:
        """Newest revisions whose window begins in [query.start, query.end); see `ValueQuery`."""
        return self._fetch(select_values(query) if query.as_of is None else select_as_of(query, query.as_of))

    def columns(
        self, indicator: str, places: Sequence[str] | None, start: int, end: int, below: bool = False
    ) -> ValueColumns:
        """Newest revisions of one indicator as columns, with `below` also of the places under those named."""
        with self._database.read() as connection:
            return read_columns(connection, indicator, places, start, end, below)

    def digests(
        self, indicator: str, places: Sequence[str] | None, start: int, end: int, but: Collection[str] = ()
    ) -> Digests:
        """Which windows of one indicator are stored, and the digest of each; places in `but` are left out."""
        with self._database.read() as connection:
            return read_digests(connection, indicator, places, start, end, but)

    def first(self) -> int | None:
        """Start of the earliest window that is stored."""
        with self._database.read() as connection:
            found: int | None = connection.execute(select_first()).scalar()
        return found

    def due(self, now: int, limit: int) -> Sequence[IndicatorValue]:
        """Open windows whose closes_at has come, the longest waiting first."""
        return self._fetch(select_due(now, limit))

    def revisions(self, indicator: str, place: str, start: int) -> Sequence[IndicatorValue]:
        """All revisions kept for one window, oldest first; the last one is the current."""
        found: list[IndicatorValue] = []
        with self._database.read() as connection:
            for table in (t.indicator_revision, t.indicator_value):
                rows = connection.execute(select_window(table, indicator, place, start)).mappings()
                found += [from_row(row) for row in rows]
        return found

    def newest(self) -> int:
        """The highest `seq` that was ever given."""
        given = select(t.counter.c.value).where(t.counter.c.name == t.VALUE_SEQ)
        with self._database.read() as connection:
            return int(connection.execute(given).scalar_one())

    def versions(self, indicator: str) -> Sequence[VersionSeen]:
        """Versions by which stored revisions were computed, oldest first; counts all of the indicator's rows."""
        with self._database.read() as connection:
            return [VersionSeen(*map(int, row)) for row in connection.execute(select_versions(indicator))]

    def commit(
        self,
        values: Sequence[tuple[IndicatorValue, int]],
        cursors: Mapping[str, int],
        dropped: Sequence[ValueKey] = (),
    ) -> Sequence[IndicatorValue]:
        """Store values with their closes_at and cursors, all or nothing; returns the values with `seq`.

        `dropped` windows are forgotten first, with their revisions. Raises Invalid, naming the value, when one would
        silently replace a published one (a revision lower than the stored one, or an equal one with another result).
        """
        if not (values or cursors or dropped):
            return ()
        for value, _ in values:
            check_value(value)
        with self._database.write() as connection:
            self._drop(connection, dropped)
            stored = self._store(connection, values)
            rows = [{"name": name, "position": int(position)} for name, position in cursors.items()]
            execute_all(connection, upsert(self._database.dialect, t.cursor), rows)
        return stored

    def cursor(self, name: str) -> int:
        """Position of a reader, 0 at first."""
        with self._database.read() as connection:
            return connection.execute(select(t.cursor.c.position).where(t.cursor.c.name == name)).scalar() or 0

    def corrections(self, after: int = 0) -> Sequence[Correction]:
        """Corrections with id greater than `after`, in order of id."""
        return self._corrections.after(after)

    def holds(self, now: int) -> Sequence[str]:
        """Names of imports whose hold has not expired."""
        return self._holds.running(now)

    def _fetch(self, statement: Select[Any]) -> Sequence[IndicatorValue]:
        with self._database.read() as connection:
            return [from_row(row) for row in connection.execute(statement).mappings()]

    def _store(self, connection: Connection, values: Sequence[tuple[IndicatorValue, int]]) -> Sequence[IndicatorValue]:
        if not values:
            return ()
        first = advance(connection, t.VALUE_SEQ, len(values)) - len(values) + 1
        numbered = [(replace(value, seq=first + i), closes_at) for i, (value, closes_at) in enumerate(values)]
        ids = self._series(connection, {(value.indicator, value.place) for value, _ in values}, create=True)
        rows = [to_row(value, ids[value.indicator, value.place], closes_at) for value, closes_at in numbered]
        before = self._stored(connection, {(row["series"], row["window_start"]) for row in rows})
        newest, superseded = plan(before, rows, {number: name for name, number in ids.items()})
        execute_all(connection, upsert(self._database.dialect, t.indicator_revision), superseded)
        execute_all(connection, upsert(self._database.dialect, t.indicator_value), newest)
        return [value for value, _ in numbered]

    def _drop(self, connection: Connection, dropped: Sequence[ValueKey]) -> None:
        if not dropped:
            return
        ids = self._series(connection, {(indicator, place) for indicator, place, _ in dropped})
        rows = [{"s": ids[key[:2]], "w": int(key[2])} for key in dropped if key[:2] in ids]
        for table in (t.indicator_revision, t.indicator_value):
            one = and_(table.c.series == bindparam("s"), table.c.window_start == bindparam("w"))
            execute_all(connection, delete(table).where(one), rows)

    def _series(
        self, connection: Connection, names: Iterable[SeriesName], create: bool = False
    ) -> dict[SeriesName, int]:
        """Numbers of the series that exist; `create` makes those that do not."""
        wanted = sorted(set(names))
        rows = connection.execute(select_series(self._database.dialect), {"names": dump(wanted)})
        found = {(indicator, place): number for indicator, place, number in rows}
        missing = [name for name in wanted if name not in found]
        if not (create and missing):
            return found
        new = [{"indicator": indicator, "place": place} for indicator, place in missing]
        execute_all(connection, insert_new(self._database.dialect, t.value_series), new)
        return self._series(connection, wanted)

    def _stored(self, connection: Connection, keys: Iterable[RowKey]) -> dict[RowKey, Row]:
        wanted = {"windows": dump(sorted(set(keys)))}
        rows = connection.execute(select_windows(self._database.dialect), wanted).mappings()
        return {(row["series"], row["window_start"]): row for row in rows}
