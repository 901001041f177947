# SPDX-License-Identifier: EUPL-1.2
"""A fail point kills when it is reached as often as asked for, and nonsense is refused before anything runs."""

import subprocess
import sys

import pytest

from hub.core.errors import SettingsError
from hub.ingest.fail_points import VARIABLE, FailPoints, parse


def test_the_point_ends_at_its_count_and_no_other_does() -> None:
    """The third time that a batch is stored, whatever else is passed."""
    ends: list[str] = []
    points = FailPoints({"stored": 3}, lambda: ends.append("end"))
    for name in ("stored", "journalled", "stored", "spooled"):
        points.at(name)
    assert not ends
    points.at("stored")
    assert ends == ["end"]


def test_without_the_variable_nothing_ends() -> None:
    """A hub in production passes every point."""
    points = FailPoints.from_env({})
    for name in ("noted", "stored", "journalled", "spooled"):
        points.at(name)


def test_the_process_is_killed_and_cannot_clean_up() -> None:
    """SIGKILL: no `finally`, no exit handler."""
    code = (
        "from hub.ingest.fail_points import FailPoints\n"
        "points = FailPoints.from_env()\n"
        "try:\n    points.at('journalled')\n    points.at('journalled')\nfinally:\n    print('cleaned up')"
    )
    environment = {VARIABLE: "journalled:2"}
    ended = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, check=False)
    assert (ended.returncode, ended.stdout) == (-9, b""), ended.stderr


@pytest.mark.parametrize(
    ("text", "counts"),
    [("", {}), ("stored:7", {"stored": 7}), (" stored:1, spooled:2 ", {"stored": 1, "spooled": 2})],
)
def test_points_are_read(text: str, counts: dict[str, int]) -> None:
    """One or several, with commas."""
    assert parse(text) == counts


@pytest.mark.parametrize(
    ("text", "named"),
    [("store:7", "no fail point 'store'"), ("stored", "stored:1"), ("stored:0", "from 1"), ("stored:-1", "from 1")],
)
def test_nonsense_is_refused_by_name(text: str, named: str) -> None:
    """A kill that never happens would let a test pass."""
    with pytest.raises(SettingsError, match=named):
        FailPoints.from_env({VARIABLE: text})
