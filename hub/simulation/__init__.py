# SPDX-License-Identifier: EUPL-1.2
"""A simulated city: devices and their messages as a pure function of seed, city and time.

No I/O and no clock. A message depends on (seed, device, time) alone, so any two runs that overlap agree message by
message, whenever they start. All of it says `simulated`: as origin of the devices and in every payload.
"""

from hub.simulation.faults import FAULTS, DeviceFault, Faults, demo_faults
from hub.simulation.fleet import (
    Municipality,
    SimulatedCity,
    SimulatedDevice,
    registration,
    simulated_city,
    site_places,
)
from hub.simulation.generate import SimulatedMessage, generate

__all__ = [
    "FAULTS",
    "DeviceFault",
    "Faults",
    "Municipality",
    "SimulatedCity",
    "SimulatedDevice",
    "SimulatedMessage",
    "demo_faults",
    "generate",
    "registration",
    "simulated_city",
    "site_places",
]
