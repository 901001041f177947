# SPDX-License-Identifier: EUPL-1.2
"""Retention as an administrator meets it: switched on for a hub that has readings from before."""

import json
import time
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.e2e.hub_process import RunningHub, results, running_hub

pytestmark = [pytest.mark.server, pytest.mark.timeout(240)]
INDICATORS = ["pm10_day_mean", "eaqi_2024"]


def ago(days: float) -> str:
    return (datetime.now(UTC) - timedelta(days=days)).isoformat()


def publish(hub: RunningHub, *days: float) -> None:
    sent = [{"time": ago(before), "readings": {"pm10": 7}} for before in days]
    hub.command("publish", "devices/air-1/readings", json.dumps(sent))
    hub.settle()


def readings(hub: RunningHub) -> int:
    found = hub.all_pages("/readings", device="air-1", quantity="pm10", **{"from": ago(30)})
    return len(found)


def doctor(hub: RunningHub) -> Mapping[str, Mapping[str, object]]:
    return {row["part"]: row for row in json.loads(hub.command("doctor", "--json", check=False).stdout)}


def test_retention_switched_on_forgets_freezes_refuses_and_the_books_still_balance(tmp_path: Path) -> None:
    with running_hub(tmp_path) as hub:
        hub.command("device", "add", "air-1", "--place", "havirov/mesto/air-1", "--interval", "3600")
        publish(hub, 20, 19.99, 5, 0.5)
        assert readings(hub) == 4
        before = results(hub, INDICATORS)
        hub.stop()
        with hub.config.open("a", encoding="utf-8") as config:
            config.write("[retention]\nair = 3\n")
        hub.start()
        deadline = time.monotonic() + 20
        while readings(hub) > 1 and time.monotonic() < deadline:
            time.sleep(0.2)
        assert readings(hub) == 1
        publish(hub, 10, 0.25)
        assert readings(hub) == 2
        [waiting] = hub.all_pages("/quarantine")
        assert waiting["reason"] == "past_retention"
        assert hub.reconcile()["stored"] == 5
        assert "frozen" in hub.command("indicators", "recompute").stdout
        after = results(hub, INDICATORS)
        old = {key: value for key, value in before.items() if key[2] < ago(4)}
        assert old
        assert {key: after[key] for key in old} == old
        assert "not known yet" in str(doctor(hub)["disk"]["detail"])
        assert (hub.data / "disk.json").is_file()
