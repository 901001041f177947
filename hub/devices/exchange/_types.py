# SPDX-License-Identifier: EUPL-1.2
"""What a table is planned on, and what a plan says of each row."""

from collections.abc import Mapping, Sequence
from datetime import tzinfo
from enum import StrEnum
from typing import NamedTuple

from msgspec import Struct

from hub.core.errors import Invalid
from hub.core.places import Device, Place, RegistrySnapshot
from hub.core.registry import Facility
from hub.devices.models import DeviceModel


class Basis(NamedTuple):
    """What rows are compared with. `zone` is that of times without offset; `now` in ns.

    `connectors` are those that there are; `anywhere` lets coordinates lie outside of the city.
    """

    registry: RegistrySnapshot
    facilities: Mapping[str, Facility]
    models: Mapping[str, DeviceModel]
    connectors: Sequence[str]
    zone: tzinfo
    now: int
    anywhere: bool = False


class State(StrEnum):
    """What becomes of a row."""

    CREATE = "create"
    CHANGE = "change"
    UNCHANGED = "unchanged"
    ERROR = "error"


class Fault(Struct, frozen=True):
    """What is wrong in a column, and what to do about it."""

    column: str
    en: str
    cs: str


class RowPlan(Struct, frozen=True, kw_only=True):
    """A row (from 1, as spreadsheets count), its id, and what becomes of it; `fields` has before and after."""

    row: int
    id: str
    state: State
    fields: Mapping[str, tuple[object, object]] = {}
    faults: Sequence[Fault] = ()


class Plan(Struct, frozen=True, kw_only=True):
    """All rows in their order, and what is to be imported when none is at fault."""

    rows: Sequence[RowPlan]
    places: Sequence[Place] = ()
    facilities: Sequence[Facility] = ()
    devices: Sequence[Device] = ()
    notes: Sequence[str] = ()

    @property
    def faulty(self) -> Sequence[RowPlan]:
        """Rows at fault."""
        return [row for row in self.rows if row.state is State.ERROR]

    @property
    def counts(self) -> Mapping[str, int]:
        """How many rows there are of each state."""
        return {str(state): sum(row.state is state for row in self.rows) for state in State}


class Wrong(Invalid):
    """A fault of a row, in two languages."""

    def __init__(self, column: str, en: str, cs: str) -> None:
        super().__init__(en, column)
        self.fault = Fault(column, en, cs)
