# SPDX-License-Identifier: EUPL-1.2
"""What was published at a moment, as a statement over the newest revisions and the superseded ones.

Of each window counts the newest revision from 1 up with computed_at <= as_of. For nearly every window that is the
newest one there is, which lies at hand; only where that came later are its predecessors looked up, by their key. A
window that has never been revised has none, so it costs no look-up. Rows are found by the same keys as in `_queries`.
"""

from typing import Any

from sqlalchemy import ColumnElement, Select, and_, exists, func, not_, or_, select

from hub.core.errors import Invalid
from hub.core.ports import ValueQuery
from hub.storage.ledger import _tables as t
from hub.storage.ledger._queries import names_of, range_of

_V, _R, _S = t.indicator_value.c, t.indicator_revision.c, t.value_series.c
_SHARED = tuple(column.name for column in t.indicator_revision.columns)


def select_as_of(query: ValueQuery, as_of: int) -> Select[Any]:
    """Values as they were published at `as_of`; see `ValueQuery`. Invalid for the change feed, which has no past."""
    if query.after_seq is not None:
        raise Invalid("the feed of changes has no past: leave out one of both", "as_of")
    series = _series_of(query, as_of).cte("wanted").prefix_with("MATERIALIZED")
    mine = and_(_V.series == series.c.id, *range_of(query, _V.window_start))
    if query.latest:
        mine = and_(mine, _V.window_start == series.c.newest)
    named = (series.c.indicator, series.c.place)
    newest = select(*(_V[name] for name in _SHARED), *named).join_from(series, t.indicator_value, mine)
    earlier = (
        select(*(_R[name] for name in _SHARED), *named)
        .join_from(series, t.indicator_value, and_(mine, _V.revision > 1, not_(_published(_V, as_of))))
        .join(t.indicator_revision, and_(_same_window(_R), _R.revision == _newest_published(as_of)))
    )
    both = newest.where(_published(_V, as_of)).union_all(earlier).subquery("published")
    return select(both).order_by(both.c.window_start, both.c.indicator, both.c.place).limit(query.limit)


def _series_of(query: ValueQuery, as_of: int) -> Select[Any]:
    columns = (*t.value_series.c, _newest_window(query, as_of)) if query.latest else tuple(t.value_series.c)
    return select(*columns).where(*names_of(query))


def _newest_window(query: ValueQuery, as_of: int) -> ColumnElement[int]:
    """Start of a series' newest window that had begun at `as_of` and of which something was published by then."""
    older = t.indicator_revision.alias()
    before = exists().where(_same_window(older.c), _published(older.c, as_of)).correlate(t.indicator_value)
    mine = and_(_V.series == _S.id, _V.window_start <= as_of, *range_of(query, _V.window_start))
    found = select(_V.window_start).where(mine, or_(_published(_V, as_of), and_(_V.revision > 1, before)))
    walked = found.order_by(_V.window_start.desc()).limit(1)
    return walked.correlate(t.value_series).scalar_subquery().label("newest")


def _newest_published(as_of: int) -> ColumnElement[int]:
    older = t.indicator_revision.alias()
    mine = and_(_same_window(older.c), _published(older.c, as_of))
    return select(func.max(older.c.revision)).where(mine).correlate(t.indicator_value).scalar_subquery()


def _same_window(columns: Any) -> ColumnElement[bool]:
    return and_(columns.series == _V.series, columns.window_start == _V.window_start)


def _published(columns: Any, as_of: int) -> ColumnElement[bool]:
    return and_(columns.revision >= 1, columns.computed_at <= as_of)


def select_versions(indicator: str) -> Select[Any]:
    """(version, revisions, first start, last start) over all rows of an indicator, published or not."""
    rows = [
        select(table.c.definition_version.label("version"), table.c.window_start.label("start"))
        .join_from(t.value_series, table, table.c.series == _S.id)
        .where(_S.indicator == indicator)
        for table in (t.indicator_value, t.indicator_revision)
    ]
    both = rows[0].union_all(rows[1]).subquery("rows")
    counted = select(both.c.version, func.count(), func.min(both.c.start), func.max(both.c.start))
    return counted.group_by(both.c.version).order_by(both.c.version)
