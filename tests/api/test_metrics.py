# SPDX-License-Identifier: EUPL-1.2
"""What Prometheus scrapes, parsed by its own parser."""

from prometheus_client.openmetrics.parser import text_string_to_metric_families as open_metrics
from prometheus_client.parser import text_string_to_metric_families as plain

from hub.core.journal import HOUR_NS, AccountKey, Counts, DeviceSeen, JournalBatch
from hub.core.places import Device
from hub.core.readings import NS
from tests.api.conftest import AIR, NOW, World
from tests.api.test_health import sick

Samples = dict[tuple[str, ...], float]


async def scrape(world: World, accept: str = "", **changes: object) -> Samples:
    """Samples by name and label values."""
    async with world.client(**changes) as client:
        answer = (await client.get("/metrics", headers={"Accept": accept})).raise_for_status()
    parse = open_metrics if "openmetrics" in answer.headers["Content-Type"] else plain
    return {(s.name, *s.labels.values()): s.value for family in parse(answer.text) for s in family.samples}


async def test_accounts_come_from_the_journals(world: World) -> None:
    hour = NOW - NOW % HOUR_NS - 5 * HOUR_NS
    other = {AccountKey(hour, "native", "sim-1"): Counts(received=10, decoded=10, readings=20, stored=15, duplicate=5)}
    await world.journals[1].commit(JournalBatch(accounts=other))
    samples = await scrape(world)
    assert samples["cityhub_deliveries", "native", "received"] == 14
    assert samples["cityhub_deliveries", "native", "quarantined"] == 1
    assert samples["cityhub_deliveries", "chirpstack", "ignored"] == 1
    assert samples["cityhub_readings", "native", "duplicate"] == 5
    assert samples["cityhub_deliveries_received_total",] == 15
    assert samples["cityhub_readings_stored_total", "native"] == 19
    assert samples["cityhub_quarantined_total", "native", "unknown_device"] == 2


async def test_devices_engine_parts_and_process_are_there(world: World) -> None:
    samples = await scrape(world, health=[sick])
    assert samples["cityhub_devices", "silent"] == 1
    assert samples["cityhub_devices", "healthy"] == 1
    assert samples["cityhub_devices", "registered"] == 1
    assert samples["cityhub_device_last_seen_timestamp_seconds", AIR] == NOW / NS - 12 * 60
    assert samples["cityhub_engine_cursor", "0"] == 1
    assert samples["cityhub_engine_lag_touches", "0"] == 1
    assert samples["cityhub_engine_lag_touches", "1"] == 0
    assert samples["cityhub_part_up", "readings"] == 0
    assert samples["cityhub_build_info", "0.1.0"] == 1
    assert ("process_resident_memory_bytes",) in samples


async def test_many_devices_do_not_make_many_series(world: World) -> None:
    names = [f"d{number:04}" for number in range(520)]
    for name in names:
        world.ledger.devices.add_device(Device(id=name, connector="native", external_id=name))
    seen = [DeviceSeen(device=name, received=NOW, time=NOW, messages=1) for name in names]
    await world.journals[1].commit(JournalBatch(seen=seen))
    samples = await scrape(world)
    assert sum(key[0] == "cityhub_device_last_seen_timestamp_seconds" for key in samples) == 500
    assert samples["cityhub_devices_without_series",] == 22


async def test_openmetrics_when_asked_for(world: World) -> None:
    samples = await scrape(world, "application/openmetrics-text; version=1.0.0")
    assert samples["cityhub_deliveries_received_total",] == 5


async def test_numbers_of_other_processes_are_series_by_process(world: World) -> None:
    given = {
        "ingest-0": {"spool_messages": 7.0, "session_acked": 12.0},
        "ingest-1": {"session_acked": 3.0},
        "engine": {},
    }
    samples = await scrape(world, figures=lambda: given)
    assert samples["cityhub_spool_messages", "ingest-0"] == 7
    assert samples["cityhub_session_acked_messages_total", "ingest-0"] == 12
    assert samples["cityhub_session_acked_messages_total", "ingest-1"] == 3
    assert ("cityhub_spool_messages", "ingest-1") not in samples
