# SPDX-License-Identifier: EUPL-1.2
"""The registry as tables, out and in. All pure: rows of cells in, a plan out; what is exported comes in unchanged.

`plan_devices(grid, basis)` and `plan_places(grid, basis)` say of each row whether it is new, changed (field by field),
unchanged or at fault (column, problem and cure in English and Czech). A plan with a fault is never carried out.
"""

from hub.devices.exchange._devices import device_table, plan_devices
from hub.devices.exchange._kinds import PLANS, carried_out, exported
from hub.devices.exchange._places import place_table, plan_places
from hub.devices.exchange._types import Basis, Fault, Plan, RowPlan, State
from hub.devices.exchange._write import csv_text

MOST_ROWS = 50_000

__all__ = [
    "MOST_ROWS",
    "PLANS",
    "Basis",
    "Fault",
    "Plan",
    "RowPlan",
    "State",
    "carried_out",
    "csv_text",
    "device_table",
    "exported",
    "place_table",
    "plan_devices",
    "plan_places",
]
