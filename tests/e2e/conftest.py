# SPDX-License-Identifier: EUPL-1.2
"""Where the real measurements are."""

from pathlib import Path

import pytest

SHARED = Path(__file__).parents[3] / "shared" / "data"


@pytest.fixture(scope="session")
def shared() -> Path:
    """Real measurements beside the project; the test is skipped, saying so, where they are not."""
    if not SHARED.is_dir():
        pytest.skip("the measurements in ../shared/data are not here")
    return SHARED
