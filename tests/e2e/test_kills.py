# SPDX-License-Identifier: EUPL-1.2
"""kill -9 of hub, broker and database in turn while publishers go on: nothing lost, nothing twice, all accounted for.

A short form of `python -m benchmarks.kills`; real servers, real processes. The seed is new for each run and printed,
so that a failure can be looked at again.
"""

import random

import pytest

from benchmarks import kills
from tests.servers import require_binary


@pytest.mark.server
@pytest.mark.timeout(180)
@pytest.mark.parametrize(("setup", "binaries"), [("embedded", ()), ("mosquitto+influxdb", ("mosquitto", "influxd"))])
def test_eight_kills_lose_nothing(setup: str, binaries: tuple[str, ...]) -> None:
    """20,000 messages; three of the kills between durable write and PUBACK."""
    for binary in binaries:
        require_binary(binary)
    seed = random.SystemRandom().randrange(1_000_000)
    planned = kills.plan(setup, messages=20_000, kills=8, seed=seed, interval=0.5, devices=100)
    print(f"seed {seed}: {', '.join(planned.kills)}")
    outcome = kills.run(setup, planned, report=False)
    assert outcome.verdict.clean, f"seed {seed}: {outcome}"
    assert outcome.confirmed >= planned.messages
    assert outcome.killed_while_publishing == 8, f"seed {seed}: publishers were done too early"
    assert sum(outcome.killed.get(point, 0) for point in kills.DURABLE) >= 3
