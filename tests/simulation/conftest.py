# SPDX-License-Identifier: EUPL-1.2
"""Havířov, simulated."""

import pytest

from hub.devices.city import load_city
from hub.simulation import SimulatedCity, simulated_city


@pytest.fixture(scope="session")
def city() -> SimulatedCity:
    return simulated_city(7, load_city())
