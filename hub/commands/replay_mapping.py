# SPDX-License-Identifier: EUPL-1.2
"""Which column of a recorded table is what, and the messages that a row becomes. Pure.

A mapping comes from a small YAML file, from options, or from both (options win). Stamps are turned into the start of
their interval (`stamp: end` subtracts the period). A stamp without offset needs a zone. An empty cell was not measured
and gives no reading; a row with none gives no message.
"""

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta, tzinfo
from time import time_ns
from typing import Annotated, Literal, NamedTuple

import msgspec
from msgspec import Meta, Struct

from hub.core.delivery import Publication
from hub.core.errors import Invalid, Reject
from hub.core.places import check_device_id
from hub.core.quantities import Quantities
from hub.core.readings import AHEAD, EARLIEST, NS
from hub.core.windows import format_instant, parse_duration, parse_instant, zone
from hub.sdk import local_ns

Cell = str | int | float | bool | None


class Valid(Struct, frozen=True, forbid_unknown_fields=True):
    """A column that says whether a value is valid, and the codes that say yes."""

    column: str
    codes: Annotated[tuple[str | int, ...], Meta(min_length=1)]


class Column(Struct, frozen=True, forbid_unknown_fields=True):
    """One column of values."""

    quantity: str
    unit: str | None = None
    valid: Valid | None = None


class ReplayMapping(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A mapping as written; see docs/replay.md."""

    device: str | None = None
    device_column: str | None = None
    device_prefix: str = ""
    time: str = "time"
    zone: str | None = None
    stamp: Literal["start", "end"] = "start"
    period: str | None = None
    ambiguous: Literal["earlier", "later", "reject"] = "reject"
    missing: tuple[str, ...] = ("", "NA", "NaN", "nan", "null", "None")
    revision: str | None = None
    columns: dict[str, Column] = {}


class Row(NamedTuple):
    """One message to be: where it stands in the file, its instant, and what is published."""

    line: int
    time: int
    device: str
    publication: Publication
    readings: int


def read_mapping(text: str, where: str) -> ReplayMapping:
    """Parse a mapping file; Invalid names the key at fault."""
    try:
        return msgspec.yaml.decode(text, type=ReplayMapping)
    except msgspec.MsgspecError as error:
        raise Invalid(str(error), where) from error


def parse_column(option: str) -> tuple[str, Column]:
    """`COLUMN=QUANTITY[:UNIT]` of the command line."""
    name, separator, target = option.partition("=")
    quantity, _, unit = target.partition(":")
    if not (name and separator and quantity):
        raise Invalid(f"{option!r} is not COLUMN=QUANTITY or COLUMN=QUANTITY:UNIT", "--column")
    return name, Column(quantity, unit or None)


class Plan:
    """A checked mapping, ready to turn rows into messages."""

    def __init__(
        self, mapping: ReplayMapping, header: Sequence[str], quantities: Quantities, now: int | None = None
    ) -> None:
        self._mapping = mapping
        self._now = time_ns() if now is None else now
        self._zone: tzinfo | None = zone(mapping.zone) if mapping.zone else None
        self._shift = _shift(mapping)
        self._check(header, quantities)

    def _check(self, header: Sequence[str], quantities: Quantities) -> None:
        mapping = self._mapping
        if (mapping.device is None) == (mapping.device_column is None):
            raise Invalid("give either device or device_column", "mapping")
        if mapping.device is not None:
            check_device_id(mapping.device)
        if not mapping.columns:
            raise Invalid("no column is mapped to a quantity; the file has " + ", ".join(header), "columns")
        needed = [mapping.time, *mapping.columns, *(c.valid.column for c in mapping.columns.values() if c.valid)]
        needed += [name for name in (mapping.device_column, mapping.revision) if name]
        for name in needed:
            if name not in header:
                raise Invalid(f"the file has no column {name!r}, only {', '.join(header)}", "mapping")
        taken: dict[str, str] = {}
        for name, column in mapping.columns.items():
            other = taken.setdefault(column.quantity, name)
            if other != name:
                raise Invalid(f"{other} and {name} are both {column.quantity}", "columns")
            try:
                quantities.factor(column.quantity, column.unit)
            except Reject as error:
                raise Invalid(error.detail, f"column {name}") from error

    def rows(self, table: Iterable[tuple[int, Mapping[str, Cell]]]) -> Iterator[Row | Invalid]:
        """Messages in the order of the table; a row at fault comes out as the error that names line and column."""
        for line, cells in table:
            try:
                row = self._row(line, cells)
            except Invalid as error:
                yield Invalid(str(error), f"line {line}")
            else:
                if row is not None:
                    yield row

    def _row(self, line: int, cells: Mapping[str, Cell]) -> Row | None:
        mapping = self._mapping
        if "\0" in cells:
            raise Invalid(f"{cells[chr(0)]}: put quotes around cells that hold the separator", "row")
        readings = {}
        for name, column in mapping.columns.items():
            value = self._value(name, column, cells)
            if value is not None:
                readings[column.quantity] = value if column.unit is None else {"value": value, "unit": column.unit}
        if not readings:
            return None
        time = self._time(cells)
        device = self._device(cells)
        message: dict[str, object] = {"time": format_instant(time), "readings": readings, "origin": "imported"}
        if mapping.revision is not None and cells.get(mapping.revision) not in (None, ""):
            message["revision"] = _whole(cells[mapping.revision], mapping.revision)
        publication = Publication(f"devices/{device}/readings", msgspec.json.encode(message))
        return Row(line, time, device, publication, len(readings))

    def _value(self, name: str, column: Column, cells: Mapping[str, Cell]) -> float | None:
        cell = cells.get(name)
        if cell is None or (isinstance(cell, str) and cell.strip() in self._mapping.missing):
            return None
        if column.valid is not None:
            code = str(cells.get(column.valid.column, "")).strip()
            if code not in {str(allowed) for allowed in column.valid.codes}:
                return None
        try:
            value = float(cell.strip().replace(",", ".") if isinstance(cell, str) else cell)
        except ValueError:
            raise Invalid(f"{cell!r} is no number", f"column {name}") from None
        if not math.isfinite(value):
            raise Invalid(f"{cell!r} is not finite", f"column {name}")
        return value

    def _time(self, cells: Mapping[str, Cell]) -> int:
        cell = str(cells.get(self._mapping.time))
        try:
            time = self._instant(cell) - self._shift
        except Reject as error:
            raise Invalid(error.detail, f"column {self._mapping.time}") from error
        except Invalid as error:
            raise Invalid(error.detail, f"column {self._mapping.time}") from error
        if not EARLIEST <= time <= self._now + AHEAD:
            raise Invalid(f"{cell!r} is before 2000 or in the future", f"column {self._mapping.time}")
        return time

    def _instant(self, text: str) -> int:
        """An hour that a zone's clock skips never was; which one of a repeated hour is meant has to be said."""
        if self._zone is None:
            return parse_instant(text)
        try:
            return parse_instant(text)
        except Invalid:
            wall = parse_instant(text, UTC)
        whole = datetime(1970, 1, 1) + timedelta(seconds=wall // NS)  # noqa: DTZ001 the zone is what local_ns puts on
        return local_ns(whole, self._zone, self._mapping.ambiguous, "time") + wall % NS

    def _device(self, cells: Mapping[str, Cell]) -> str:
        mapping = self._mapping
        if mapping.device is not None:
            return mapping.device
        return check_device_id(f"{mapping.device_prefix}{cells.get(mapping.device_column or '')}")


def _shift(mapping: ReplayMapping) -> int:
    if mapping.stamp == "start":
        return 0
    if mapping.period is None:
        raise Invalid("stamp end needs the period, such as PT1H", "period")
    return parse_duration(mapping.period)


def _whole(cell: Cell, name: str) -> int:
    try:
        return int(str(cell))
    except ValueError:
        raise Invalid(f"{cell!r} is no whole number", f"column {name}") from None
