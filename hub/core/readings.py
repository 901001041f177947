# SPDX-License-Identifier: EUPL-1.2
"""Readings, and the columns they are read back in.

A reading is keyed by (device, quantity, time). Times are int64 nanoseconds since 1970 in UTC, values are finite
floats in the canonical unit of their quantity. `Reading.time` is the start of the interval for means and totals,
the instant otherwise.
"""

from collections.abc import Iterable, Iterator, Sequence
from enum import IntEnum, StrEnum
from itertools import chain
from typing import NamedTuple, overload

import numpy as np
import numpy.typing as npt
from msgspec import Struct

NS = 1_000_000_000
EARLIEST = 946_684_800 * NS  # 2000-01-01: what is stamped before, no device of a city has measured
AHEAD = 300 * NS  # what is stamped further ahead of its arrival comes from a wrong clock


class Flag(IntEnum):
    """Quality flag after QARTOD."""

    GOOD = 1
    NOT_EVALUATED = 2
    SUSPECT = 3
    FAIL = 4
    MISSING = 9


class Origin(IntEnum):
    """Where a figure comes from. The numbers order them: of several inputs the worst (highest) is inherited."""

    MEASURED = 0
    ENTERED = 1
    IMPORTED = 2
    SIMULATED = 3

    @property
    def word(self) -> str:
        """Lower-case name used in JSON, CSV and configuration."""
        return self.name.lower()

    @classmethod
    def of(cls, word: str) -> "Origin":
        """Origin by its lower-case name; ValueError names the choices."""
        try:
            return cls[word.upper()]
        except KeyError:
            raise ValueError(f"origin {word!r} is none of {', '.join(o.word for o in cls)}") from None


class TimeSource(StrEnum):
    """Whose clock stamped a reading."""

    DEVICE = "device"
    SERVER = "server"
    ARRIVAL = "arrival"


class Grade(IntEnum):
    """What a device may be used for, after CEN/TS 17660; the worst (highest) is inherited."""

    REFERENCE = 0
    INDICATIVE = 1
    INFORMATIVE = 2

    @property
    def word(self) -> str:
        """Lower-case name used in JSON, CSV and configuration."""
        return self.name.lower()

    @classmethod
    def of(cls, word: str) -> "Grade":
        """Grade by its lower-case name; ValueError names the choices."""
        try:
            return cls[word.upper()]
        except KeyError:
            raise ValueError(f"grade {word!r} is none of {', '.join(g.word for g in cls)}") from None


class Series(NamedTuple):
    """One device's one quantity."""

    device: str
    quantity: str


class Reading(Struct, frozen=True, gc=False):
    """A checked reading in canonical unit, ready to be stored."""

    device: str
    quantity: str
    value: float
    time: int
    flag: int = Flag.GOOD
    time_source: TimeSource = TimeSource.DEVICE
    revision: int = 0
    origin: int = Origin.MEASURED

    @property
    def series(self) -> Series:
        """The series this reading belongs to."""
        return Series(self.device, self.quantity)


class ReadingGroup(Struct, frozen=True, gc=False):
    """Readings of one device at one instant, all of them plain: good, revision 0, stamped by the device itself.

    It is what nearly every message of a device is, at a fraction of the cost of single readings. `quantities` are
    distinct; `values[i]` belongs to `quantities[i]`. Both hold scalars only, so the collector need not look at them.
    """

    device: str
    time: int
    quantities: tuple[str, ...]
    values: tuple[float, ...]
    origin: int = Origin.MEASURED

    def readings(self) -> Iterator[Reading]:
        """The same as single readings."""
        for quantity, value in zip(self.quantities, self.values, strict=True):
            yield Reading(self.device, quantity, value, self.time, origin=self.origin)


def group_of(rows: Sequence[Reading]) -> ReadingGroup | None:
    """The rows as one group, None when they are none."""
    if not rows:
        return None
    first = rows[0]
    device, time, origin = first.device, first.time, first.origin
    for row in rows:
        if row.device != device or row.time != time or row.origin != origin or not _plain(row):
            return None
    quantities = tuple([row.quantity for row in rows])
    if len(set(quantities)) != len(quantities):
        return None
    return ReadingGroup(device, time, quantities, tuple([row.value for row in rows]), origin)


def _plain(row: Reading) -> bool:
    return row.flag == Flag.GOOD and row.revision == 0 and row.time_source is TimeSource.DEVICE


class ReadingBatch(Sequence[Reading]):
    """Readings in order of arrival, some of them as groups: a sequence of single readings to whoever wants those.

    A store that knows groups works on `parts`, in which a group stands for as many readings as it has values.
    """

    __slots__ = ("_count", "_rows", "parts")

    def __init__(self, parts: Sequence[Reading | ReadingGroup]) -> None:
        self.parts = parts
        self._count = sum([len(part.values) if type(part) is ReadingGroup else 1 for part in parts])
        self._rows: list[Reading] | None = None

    @classmethod
    def of(cls, rows: Sequence[Reading]) -> "ReadingBatch":
        """Any rows as a batch."""
        return rows if isinstance(rows, ReadingBatch) else cls(rows)

    def by_device(self) -> dict[str, int]:
        """How many readings each device has."""
        counts: dict[str, int] = {}
        for part in self.parts:
            more = len(part.values) if type(part) is ReadingGroup else 1
            counts[part.device] = counts.get(part.device, 0) + more
        return counts

    def __len__(self) -> int:
        return self._count

    def __iter__(self) -> Iterator[Reading]:
        return iter(self._all())

    @overload
    def __getitem__(self, index: int) -> Reading: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[Reading]: ...
    def __getitem__(self, index: int | slice) -> Reading | Sequence[Reading]:
        return self._all()[index]

    def _all(self) -> list[Reading]:
        if self._rows is None:
            self._rows = list(chain.from_iterable(map(_rows_of, self.parts)))
        return self._rows


def _rows_of(part: Reading | ReadingGroup) -> Iterable[Reading]:
    return part.readings() if isinstance(part, ReadingGroup) else (part,)


class Outcome(IntEnum):
    """What a store did with one row of `put`."""

    STORED = 0  # new
    DUPLICATE = 1  # the same value is stored already (at the same or a higher revision)
    CONFLICT = 2  # a different value is stored at the same or a higher revision; the stored one stays
    REJECTED = 3  # the store refuses this very row for good; see `PutResult.errors`
    REPLACED = 4  # stored: a higher revision took the place of a stored value


class PutResult(Struct, frozen=True):
    """Outcomes of one `put`, by index of the rows given.

    `errors` has the store's words for rejected rows, and the stored value for conflicts ("stored 20.3").
    """

    outcomes: Sequence[Outcome]
    errors: dict[int, str] = {}


class Columns(Struct, frozen=True, eq=False):
    """Readings of several series as columns of equal length n, sorted by (time, device, quantity).

    `series[index[i]]` is the series of row i. Each (series, time) stands once.
    """

    series: Sequence[Series]
    index: npt.NDArray[np.int32]
    time: npt.NDArray[np.int64]
    value: npt.NDArray[np.float64]
    flag: npt.NDArray[np.uint8]
    origin: npt.NDArray[np.uint8]

    def __len__(self) -> int:
        return len(self.time)
