# SPDX-License-Identifier: EUPL-1.2
"""Data beside the project, where there is any."""

from collections.abc import Callable
from pathlib import Path

import pytest


@pytest.fixture
def shared(pytestconfig: pytest.Config) -> Callable[[str], Path]:
    """Path of a file in ../shared; skips the test, saying so, where it is missing."""

    def find(name: str) -> Path:
        path = pytestconfig.rootpath.parent / "shared" / name
        if not path.exists():
            pytest.skip(f"real data not here: ../shared/{name}")
        return path

    return find
