# SPDX-License-Identifier: EUPL-1.2
"""What is asked of the tables of values, as statements; a test looks at the plans: each finds its rows by an index.

Series are few (indicators times places) and windows are many. So a query first narrows the series and then seeks in
the key (series, window_start) of each, whatever the filters; the change feed and the due windows have indexes of their
own. Statements that depend on the dialect alone are built once.
"""

from functools import cache
from typing import Any

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Float,
    ScalarSelect,
    Select,
    String,
    Table,
    and_,
    bindparam,
    cast,
    func,
    or_,
    select,
)
from sqlalchemy.dialects.postgresql import JSONB

from hub.core.ports import ValueQuery
from hub.storage.ledger import _tables as t
from hub.storage.ledger._json import rows_of

_V, _S = t.indicator_value.c, t.value_series.c
_NAMES = (("indicator", String()), ("place", String()))
_KEYS = (("series", BigInteger()), ("window_start", BigInteger()))
_PLACED = (("series", BigInteger()), ("position", BigInteger()))


def select_values(query: ValueQuery) -> Select[Any]:
    """Newest revisions; see `ValueQuery`. A window is in the range when its start is in [query.start, query.end)."""
    if query.after_seq is not None:
        return _select_feed(query, query.after_seq)
    # Materialised, because SQLite would rather walk through all windows than through all series.
    series = _series_of(query).cte("wanted").prefix_with("MATERIALIZED")
    windows = and_(_V.series == series.c.id, *range_of(query))
    statement = select(t.indicator_value, series.c.indicator, series.c.place).join_from(
        series, t.indicator_value, windows
    )
    if query.latest:
        statement = statement.where(_V.window_start == series.c.newest)
    return statement.order_by(_V.window_start, series.c.indicator, series.c.place).limit(query.limit)


def _select_feed(query: ValueQuery, after: int) -> Select[Any]:
    """In order of `seq`; with `latest`, of the newest windows those that have changed."""
    statement = _joined(t.indicator_value).where(_V.seq > after, *range_of(query), *names_of(query))
    if query.latest:
        statement = statement.where(_V.window_start == _newest(query))
    return statement.order_by(_V.seq).limit(query.limit)


def select_due(now: int, limit: int) -> Select[Any]:
    """Open windows whose closes_at has come, the longest waiting first."""
    waiting = _joined(t.indicator_value).where(_V.due_at <= now)
    return waiting.order_by(_V.due_at, _S.indicator, _S.place, _V.window_start).limit(limit)


def select_first() -> Select[Any]:
    """Start of the earliest window, from the first of each series."""
    inner = t.indicator_value.alias()
    mine = select(func.min(inner.c.window_start)).where(inner.c.series == _S.id).correlate(t.value_series)
    return select(func.min(mine.scalar_subquery()))


def select_window(table: Table, indicator: str, place: str, start: int) -> Select[Any]:
    """What `table` holds of one window, oldest revision first."""
    one = and_(_S.indicator == indicator, _S.place == place, table.c.window_start == start)
    return _joined(table).where(one).order_by(table.c.revision)


@cache
def select_series(dialect: str) -> Select[Any]:
    """(indicator, place, id) of the series listed in the parameter `names`."""
    given = rows_of(dialect, "names", _NAMES)
    both = and_(_S.indicator == given.c.indicator, _S.place == given.c.place)
    return select(_S.indicator, _S.place, _S.id).join(given, both)


@cache
def select_windows(dialect: str) -> Select[Any]:
    """Rows of the windows listed in the parameter `windows` as (series, window_start)."""
    given = rows_of(dialect, "windows", _KEYS)
    both = and_(_V.series == given.c.series, _V.window_start == given.c.window_start)
    return select(t.indicator_value).join(given, both)


@cache
def select_named(dialect: str, *, every: bool, below: bool) -> Select[Any]:
    """(id, place) of the series of the parameter `indicator`: of every place, or of those in the parameter `places`."""
    found = select(_S.id, _S.place).where(_S.indicator == bindparam("indicator"))
    if every:
        return found
    given = rows_of(dialect, "places", (("place", String()),)).c.place
    under = and_(_S.place > given.concat("/"), _S.place < given.concat("0"))
    return found.join(given.table, or_(_S.place == given, under) if below else _S.place == given)


@cache
def select_columns(dialect: str) -> Select[Any]:
    """What `ValueColumns` holds of the series listed in the parameter `series` as (id, position)."""
    return _of_series(
        dialect,
        _V.value,
        _V.coverage.is_(None),
        _V.lower_bound,
        _V.origin,
        _V.grade,
        func.coalesce(_detail(dialect, "n"), _V.n_valid),
        func.coalesce(_detail(dialect, "partial"), _V.value),
    )


def _detail(dialect: str, name: str) -> ColumnElement[Any]:
    if dialect == "sqlite":
        return func.json_extract(_V.details, f"$.{name}")
    return cast(cast(_V.details, JSONB)[name].astext, Float(53))


@cache
def select_digests(dialect: str) -> Select[Any]:
    """What `Digests` holds of the series listed in the parameter `series`."""
    return _of_series(dialect, func.coalesce(_V.digest, 0), _V.digest.is_not(None), _V.closed)


def _of_series(dialect: str, *columns: ColumnElement[Any]) -> Select[Any]:
    """Rows with first <= window_start < end, in no order; the series are walked, not the windows."""
    listed = rows_of(dialect, "series", _PLACED)
    # Materialised, because SQLite would otherwise take the JSON apart for every window.
    given = select(listed).cte("given").prefix_with("MATERIALIZED")
    mine = and_(_V.series == given.c.series, _V.window_start >= bindparam("first"), _V.window_start < bindparam("end"))
    return select(given.c.position, _V.window_start, *columns).select_from(given).join(t.indicator_value, mine)


def _joined(table: Table) -> Select[Any]:
    """Rows of a value table with the names of their series."""
    return select(table, _S.indicator, _S.place).join_from(t.value_series, table, table.c.series == _S.id)


def _series_of(query: ValueQuery) -> Select[Any]:
    columns = (*t.value_series.c, _newest(query).label("newest")) if query.latest else tuple(t.value_series.c)
    return select(*columns).where(*names_of(query))


def _newest(query: ValueQuery) -> ScalarSelect[int]:
    """Start of a series' newest window in the range."""
    inner = t.indicator_value.alias()
    mine = and_(inner.c.series == _S.id, *range_of(query, inner.c.window_start))
    return select(func.max(inner.c.window_start)).where(mine).correlate(t.value_series).scalar_subquery()


def names_of(query: ValueQuery) -> list[ColumnElement[bool]]:
    """Places by exact id or by path prefix; a range instead of LIKE, whose `_` and `%` would match more than meant."""
    found = [_S.indicator == query.indicator] if query.indicator is not None else []
    if query.place is None:
        return found
    below = and_(_S.place > f"{query.place}/", _S.place < f"{query.place}0")  # "0" follows "/" in ASCII
    return [*found, or_(_S.place == query.place, below) if query.below else _S.place == query.place]


def range_of(query: ValueQuery, start: ColumnElement[int] = _V.window_start) -> list[ColumnElement[bool]]:
    """Windows that begin in [query.start, query.end)."""
    bounds = [start >= query.start] if query.start is not None else []
    return [*bounds, start < query.end] if query.end is not None else bounds
