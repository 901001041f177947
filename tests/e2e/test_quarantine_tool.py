# SPDX-License-Identifier: EUPL-1.2
"""The quarantine as a technician meets it, on a running hub: a flood, its alarm, and each way to end it."""

import json
import time
from collections.abc import Callable
from pathlib import Path

import pytest
import uvloop

from hub.app import Parts
from hub.core.delivery import Publication
from hub.settings import load_settings
from tests.e2e.hub_process import RunningHub, running_hub

pytestmark = [pytest.mark.server, pytest.mark.timeout(180)]


def publish(hub: RunningHub, device: str, first: int, count: int) -> None:
    """Messages of a device, each of its own minute, confirmed by the broker."""

    async def work() -> None:
        publisher = Parts(load_settings(hub.config)).publisher("flood")
        bodies = [
            b'{"time": "2026-11-2%dT%02d:%02d:00Z", "readings": {"pm10": 7}}' % (n // 1440, n // 60 % 24, n % 60)
            for n in range(first, first + count)
        ]
        await publisher.publish([Publication(f"devices/{device}/readings", body) for body in bodies])
        await publisher.close()

    uvloop.run(work())


def until(ask: Callable[[], object], wanted: object) -> None:
    deadline = time.monotonic() + 30
    while (found := ask()) != wanted:
        assert time.monotonic() < deadline, f"{found} instead of {wanted}"
        time.sleep(0.1)


def test_a_flood_is_refused_told_and_ended_by_ignoring_purging_or_registering(tmp_path: Path) -> None:
    with running_hub(tmp_path, "publish = false\n[quarantine]\nper_source = 10\n") as hub:

        def counts() -> tuple[int, ...]:
            [journal] = Parts(load_settings(hub.config)).journals()
            accounts = [n for _, _, n in journal.accounts(0)]
            journal.close()
            names = ("received", "decoded", "quarantined", "refused", "ignored")
            return tuple(sum(n[name] for n in accounts) for name in names)

        def alarms() -> list[str]:
            parts = json.loads(hub.client.get("/health/ready").text)["parts"]
            return [part["detail"] for part in parts if "refused since" in (part["detail"] or "")]

        hub.command("device", "add", "air-1", "--place", "havirov/mesto/air-1")
        publish(hub, "stranger", 0, 100)
        publish(hub, "air-1", 0, 5)
        until(counts, (105, 5, 10, 90, 0))
        until(lambda: ["90 messages of native/stranger, unknown_device" in detail for detail in alarms()], [True])
        assert hub.client.get("/health/ready").status_code == 200  # an alarm, not a failure
        samples = json.loads(hub.command("quarantine", "list", "--state", "refused", "--json").stdout)
        assert sorted(row["stands_for"] for row in samples) == [1, 89]

        hub.kill("ingest-0")
        publish(hub, "stranger", 100, 20)
        until(counts, (125, 5, 10, 110, 0))

        hub.command("quarantine", "ignore", "native", "stranger", "--why", "not ours")
        until(counts, (125, 5, 0, 110, 10))
        until(alarms, [])
        publish(hub, "stranger", 120, 5)
        until(counts, (130, 5, 0, 110, 15))

        publish(hub, "other", 0, 4)
        until(counts, (134, 5, 4, 110, 15))
        hub.command(
            "quarantine", "purge", "--external-id", "other", "--until", "2100-01-01T00:00:00Z", "--why", "w", "--yes"
        )
        until(lambda: len(hub.all_pages("/quarantine", state="purged")), 4)
        assert counts() == (134, 5, 4, 110, 15)
        assert hub.reconcile()["quarantined"] == 4

        publish(hub, "other", 10, 3)
        until(counts, (137, 5, 7, 110, 15))
        hub.command("device", "add", "other", "--place", "havirov/mesto/other")
        until(counts, (137, 8, 4, 110, 15))
        hub.command("quarantine", "purge", "--state", "refused", "--reason", "unknown_device", "--why", "seen", "--yes")
        until(lambda: hub.command("quarantine", "show", str(samples[0]["id"])).stdout.count("payload: erased"), 1)
        until(alarms, [])
