# SPDX-License-Identifier: EUPL-1.2
"""What can be imported and exported, by kind: the one table that API and pages share."""

from collections.abc import Callable, Mapping, Sequence

from hub.core.cells import Cell, Grid
from hub.core.ports import ImportBook
from hub.core.registry import ImportRun
from hub.devices.exchange._devices import device_table, plan_devices
from hub.devices.exchange._places import place_table, plan_places
from hub.devices.exchange._types import Basis, Plan

PLANS: Mapping[str, Callable[[Grid, Basis], Plan]] = {"devices": plan_devices, "places": plan_places}
TABLES = {"devices": device_table, "places": place_table}


def exported(kind: str, basis: Basis, *, czech: bool = False) -> Sequence[Sequence[Cell]]:
    """All rows of a kind, its head first; they come in unchanged."""
    return list(TABLES[kind](basis, czech=czech))


def carried_out(book: ImportBook, kind: str, file: str, plan: Plan, *, by: str) -> ImportRun:
    """Import a plan that has no fault; see `ImportBook.run`."""
    return book.run(kind, file, places=plan.places, facilities=plan.facilities, devices=plan.devices, by=by)
