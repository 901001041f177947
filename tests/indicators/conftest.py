# SPDX-License-Identifier: EUPL-1.2
"""What all tests of indicators start from."""

from pathlib import Path

import pytest

from hub.core.quantities import Quantities
from hub.core.windows import Calendar
from hub.indicators.catalogue import Catalogue, load_catalogue

SHARED = Path(__file__).parents[2].parent / "shared"


@pytest.fixture(scope="session")
def quantities() -> Quantities:
    return Quantities.load()


@pytest.fixture(scope="session")
def catalogue(quantities: Quantities) -> Catalogue:
    return load_catalogue(quantities)


@pytest.fixture(scope="session")
def prague() -> Calendar:
    return Calendar.of("Europe/Prague")


@pytest.fixture(scope="session")
def shared() -> Path:
    """Folder of real data beside the project."""
    if not SHARED.is_dir():
        pytest.skip(f"no real data at {SHARED.name} beside the project")
    return SHARED
