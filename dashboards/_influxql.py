# SPDX-License-Identifier: EUPL-1.2
"""InfluxQL queries of the dashboards.

The foundation SDK has no types for the InfluxDB data source, so the target is written here: raw InfluxQL, the one
language that InfluxDB 1.x, 2.x, 3.x and Grafana share. Every value has its own window in the ledger, so no query
groups by time: Grafana's buckets would cut days at UTC midnight and mix windows.

`values()` filters on `valid`, because an old value stays in the point of a window that has become insufficient_data.
`states()` does not: it selects only what describes a window without a value (status, coverage), never the value.
For the same reason `known()` keeps out points where a field stands from an earlier revision but is `absent` now.
"""

from collections.abc import Sequence
from typing import Self

from dashboards._sdk import Builder, Dataquery, common

DATASOURCE = common.DataSourceRef(type_val="influxdb", uid="cityhub-influxdb")
_VALUE_FIELDS = frozenset({"value", "score", "band"})


class Target(Dataquery):
    """One raw query; `table` returns all series as one table instead of one frame a series."""

    def __init__(self, query: str, *, ref_id: str, alias: str = "", table: bool = False) -> None:
        self.query = query
        self.ref_id = ref_id
        self.alias = alias
        self.table = table

    def to_json(self) -> dict[str, object]:
        """What Grafana's InfluxDB data source stores for a raw query."""
        return {
            "refId": self.ref_id,
            "datasource": DATASOURCE,
            "rawQuery": True,
            "query": self.query,
            "resultFormat": "table" if self.table else "time_series",
            **({"alias": self.alias} if self.alias else {}),
        }


class Query(Builder[Target]):
    """Builder face of `Target`, as the panels expect it."""

    def __init__(self, query: str, ref_id: str = "A") -> None:
        self._target = Target(query, ref_id=ref_id)

    def alias(self, alias: str) -> Self:
        """Name of each series; `$tag_place` stands for the tag."""
        self._target.alias = alias
        return self

    def table(self) -> Self:
        """All series as one table."""
        self._target.table = True
        return self

    def build(self) -> Target:
        """The target."""
        return self._target


def _select(fields: Sequence[str], indicator: str, window: str, where: str) -> str:
    columns = ", ".join(f'"{field}"' for field in fields)
    return (
        f'SELECT {columns} FROM "indicator" WHERE "indicator" = \'{indicator}\' AND "window" = \'{window}\''  # noqa: S608 all names are constants of this package
        f' AND {where} AND $timeFilter GROUP BY "place"'
    )


def values(fields: Sequence[str], indicator: str, window: str, place: str) -> str:
    """Fields of valid windows at the places that the variable `place` has chosen."""
    return _select(fields, indicator, window, f'"valid" = true AND "place" =~ /^${{{place}:regex}}$/')


def states(fields: Sequence[str], indicator: str, window: str, place: str) -> str:
    """Fields that describe windows with and without a value."""
    if shown := _VALUE_FIELDS.intersection(fields):
        raise ValueError(f"{', '.join(sorted(shown))} must be read with values(): it may be of no valid window")
    return _select(fields, indicator, window, f'"place" =~ /^${{{place}:regex}}$/')


def known(field: str, query: str) -> str:
    """Only points whose newest revision has this optional field."""
    return query.replace(" AND $timeFilter", f' AND "absent" !~ /{field}/ AND $timeFilter')


def newest(query: str) -> str:
    """The newest window of each place only."""
    return f"{query} ORDER BY time DESC LIMIT 1"
