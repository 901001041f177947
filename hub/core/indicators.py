# SPDX-License-Identifier: EUPL-1.2
"""Indicator values as they are stored, served and compared."""

from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from msgspec import Struct

from hub.core.readings import Grade, Origin


class Status(StrEnum):
    """`provisional`: the window or its grace is open; `final`: closed; `insufficient_data`: no value, see reason."""

    PROVISIONAL = "provisional"
    FINAL = "final"
    INSUFFICIENT = "insufficient_data"


class Component(Struct, frozen=True, kw_only=True):
    """What one input gave: the sub-index of a pollutant, one hour's mean, one site."""

    value: float | None
    unit: str | None = None
    band: int | None = None
    coverage: float | None = None
    n_valid: int = 0
    n_expected: int | None = None


class IndicatorValue(Struct, frozen=True, kw_only=True):
    """One indicator at one place over one window [start, end), ns since 1970.

    Exactly one of `value` and `reason` is set when `status` is insufficient_data (then `value` is None).
    `coverage` is n_valid / n_expected in 0..1, None where it is unknown (no declared interval).
    `lower_bound` says that missing inputs could only make the value worse (higher); `missing` names them.
    `revision`: 0 provisional, 1 first final, more for later changes. `seq` orders the change feed (0: not stored).
    `details` are further figures of the formula by name: the ends of an interval, shares of bands.
    `digest` is a 64-bit hash of the result (None: not known), by which unchanged results are told in bulk.
    `closed` is True once the window and its grace are over, also where the status is insufficient_data.
    """

    indicator: str
    place: str
    start: int
    end: int
    period: str
    value: float | None
    unit: str
    status: Status
    definition_version: int
    reason: str | None = None
    band: int | None = None
    score: float | None = None
    coverage: float | None = None
    n_valid: int = 0
    n_expected: int | None = None
    missing: Sequence[str] = ()
    lower_bound: bool = False
    components: Mapping[str, Component] = {}
    details: Mapping[str, float] = {}
    digest: int | None = None
    origin: Origin = Origin.MEASURED
    grade: Grade = Grade.REFERENCE
    revision: int = 0
    closed: bool = False
    computed_at: int = 0
    cause: str | None = None
    seq: int = 0

    def same_result(self, other: "IndicatorValue") -> bool:
        """Whether both say the same: all that is a function of readings, corrections and definition."""
        return self.result() == other.result()

    def result(self) -> tuple[object, ...]:
        """The part that is a pure function of stored readings, corrections and the definition version."""
        return (
            self.value,
            self.status,
            self.reason,
            self.band,
            self.score,
            self.coverage,
            self.n_valid,
            self.n_expected,
            tuple(self.missing),
            self.lower_bound,
            dict(self.components),
            dict(self.details),
            self.origin,
            self.grade,
            self.definition_version,
        )


class ValueColumns(NamedTuple):
    """Stored values of one indicator as columns, sorted by (place, start); `place` is an index into `places`.

    `value` is NaN where there is none; `unknown` says that coverage is not known. `n` and `partial` are the details of
    these names; without them n_valid and the value.
    """

    places: Sequence[str]
    place: npt.NDArray[np.int64]
    start: npt.NDArray[np.int64]
    value: npt.NDArray[np.float64]
    unknown: npt.NDArray[np.bool_]
    lower_bound: npt.NDArray[np.bool_]
    origin: npt.NDArray[np.uint8]
    grade: npt.NDArray[np.uint8]
    n: npt.NDArray[np.float64]
    partial: npt.NDArray[np.float64]


class Digests(NamedTuple):
    """What bulk comparison needs of stored values, by the same rules; `digest` counts only where `known`."""

    places: Sequence[str]
    place: npt.NDArray[np.int64]
    start: npt.NDArray[np.int64]
    digest: npt.NDArray[np.int64]
    known: npt.NDArray[np.bool_]
    closed: npt.NDArray[np.bool_]


class Correction(Struct, frozen=True, kw_only=True):
    """A row that changes how stored readings in [start, end) are read.

    `action`: override_flag (gives `flag`), exclude, maintenance (excludes, and says that it was planned), calibrate
    (value * scale + shift), withdraw (takes back the correction with the id `withdraws`). `made_at`: ns since 1970.
    """

    id: int
    device: str
    quantity: str | None
    start: int
    end: int
    action: str
    flag: int | None
    by: str
    reason: str
    scale: float | None = None
    shift: float | None = None
    withdraws: int | None = None
    made_at: int = 0
