# SPDX-License-Identifier: EUPL-1.2
"""Messages that are hard to account for: several faults, several devices, events, poison. Nothing stops ingest."""

import json

import pytest

from hub.core.errors import Reject
from hub.core.journal import JournalBatch, Quarantined
from hub.core.places import Device
from hub.core.ports import QuarantineFilter
from hub.core.readings import NS
from hub.ingest.interpret import clean
from hub.ingest.normalise import Conversions
from tests.ingest.conftest import NOW, Bench, delivery

AT = '"time": "2026-11-23T11:50:00Z"'
CONFLICT_AND_UNIT = f'{{{AT}, "readings": {{"pm10": 99, "no2": {{"value": 1, "unit": "parsec"}}}}}}'


async def test_an_event_with_an_impossible_time_does_not_stop_ingest(bench: Bench) -> None:
    poison = json.dumps([{"bt": 9_000_000_000, "t": 9_000_000_000, "n": "note", "vs": "hello"}])
    await bench.pipeline.take([delivery(poison), delivery(f'{{{AT}, "readings": {{"pm10": 1}}}}', token=2)])
    assert bench.source.acked == [1, 2]
    assert len(bench.store.rows) == 1
    assert all(abs(event.time - NOW) <= 300 * NS for event in bench.reader.events())
    bench.assert_balanced()


async def test_what_the_journal_cannot_hold_is_set_aside_alone(bench: Bench) -> None:
    """Whatever slips through every check: the batch is halved until the guilty message stands alone."""
    batch = [
        delivery(f'{{"time": "2026-11-23T11:{m:02}:00Z", "readings": {{"pm10": {m}}}}}', token=m) for m in range(1, 6)
    ]
    commit, refused = bench.journal.commit, []

    class Picky:
        """A journal that cannot hold what was read at minute 3, as SQLite cannot hold some numbers."""

        def __getattr__(self, name: str) -> object:
            return getattr(bench.journal, name)

        async def commit(self, found: JournalBatch) -> None:
            if any(seen.time == NOW - 57 * 60 * NS or seen.messages > 1 for seen in found.seen):
                refused.append(len(found.touches))
                raise Reject("connector_failed", "cannot be recorded")
            await commit(found)

    await bench.restart(journal=Picky())
    await bench.pipeline.take(batch)
    assert refused
    assert bench.source.acked == [1, 2, 3, 4, 5]
    [row] = bench.reader.quarantine(QuarantineFilter())
    assert (row.reason, b"11:03" in row.payload) == ("connector_failed", True)
    assert bench.totals()["decoded"] == 4
    bench.assert_balanced()


async def test_a_row_that_sqlite_refuses_is_a_reject(bench: Bench) -> None:
    row = Quarantined(received=2**63, topic="t", payload=b"", reason="empty", detail="d")
    with pytest.raises(Reject, match="cannot be recorded"):
        await bench.journal.commit(JournalBatch(quarantined=[row]))
    assert bench.reader.quarantine(QuarantineFilter()) == []


def test_text_that_is_no_unicode_is_written_out() -> None:
    assert clean("a\ud800b\0c") == "a\\ud800b\\0c"


async def test_one_message_with_two_kinds_of_faults_is_one_row_whatever_is_redriven(bench: Bench) -> None:
    await bench.pipeline.take([delivery(f'{{{AT}, "readings": {{"pm10": 20.3}}}}')])
    await bench.pipeline.take([delivery(CONFLICT_AND_UNIT, token=2)])
    before = bench.totals()
    assert (before["conflict"], before["rejected"]) == (1, 1)
    for attempt in range(1, 4):
        await bench.pipeline.clerk.redrive(QuarantineFilter())
        [row] = bench.reader.quarantine(QuarantineFilter())
        assert (row.conflicts, row.rejects, row.attempts) == (1, 1, attempt)
        assert bench.totals() == before
    assert set(bench.reader.reasons()) == {("native", "conflict"), ("native", "unknown_unit")}
    bench.assert_balanced()


async def test_a_part_row_survives_that_its_device_is_gone_for_a_while(bench: Bench) -> None:
    await bench.pipeline.take([delivery(CONFLICT_AND_UNIT)])
    before = bench.totals()
    device = bench.registry.devices.pop("air-1")
    bench.registry.number += 1
    await bench.pipeline.clerk.redrive(QuarantineFilter())
    assert bench.totals() == before
    bench.registry.add(device)
    await bench.pipeline.clerk.obey()
    await bench.pipeline.clerk.redrive(QuarantineFilter())
    assert bench.totals() == before
    [row] = bench.reader.quarantine(QuarantineFilter())
    assert (row.scope, row.reason) == ("reading", "unknown_unit")


async def test_events_are_recorded_once_however_often_the_rest_is_redriven(bench: Bench) -> None:
    message = json.dumps(
        [
            {"n": "note", "vs": "hello", "t": 1_795_434_600},
            {"n": "no2", "u": "parsec", "v": 1, "t": 1_795_434_600},
        ]
    )
    await bench.pipeline.take([delivery(message)])
    for _ in range(3):
        await bench.pipeline.clerk.redrive(QuarantineFilter())
    assert len(bench.reader.events()) == 1
    assert bench.reader.seen()["air-1"].messages == 1


async def test_logs_carry_no_payload(bench: Bench, caplog: pytest.LogCaptureFixture) -> None:
    await bench.pipeline.take([delivery('{"readings": {"pm10": "rodne cislo 800101/1234"}}')])
    [row] = bench.reader.quarantine(QuarantineFilter())
    assert "800101" in row.detail
    assert caplog.records
    assert "800101" not in str([(record.getMessage(), record.__dict__) for record in caplog.records])


async def test_spellings_that_senders_invent_are_not_remembered(bench: Bench, conversions: Conversions) -> None:
    known = len(conversions)
    for i in range(50):
        unit = "ug/m3" + " " * (100 + i)
        await bench.pipeline.take(
            [delivery(f'{{{AT}, "readings": {{"pm10": {{"value": 1, "unit": "{unit}"}}}}}}', token=i + 1)]
        )
    assert len(conversions) <= known + 1


async def test_a_network_servers_time_needs_no_stamp_of_ours(bench: Bench) -> None:
    """LoRaWAN messages carry the server's time: nothing has to be remembered for a redelivery."""
    bench.registry.add(Device(id="lora-1", connector="chirpstack", external_id="24e124136b502217"))
    await bench.restart()
    up = {
        "time": "2026-11-23T11:59:00.123456789Z",
        "deviceInfo": {"devEui": "24e124136b502217"},
        "object": {"air_temperature": 21.5},
    }
    topic = "application/1/device/24e124136b502217/event/up"
    await bench.pipeline.take([delivery(json.dumps(up), topic=topic)])
    assert 21.5 in [row.value for row in bench.store.rows.values()]
    assert await bench.journal.recent_untimed(0) == {}


@pytest.mark.parametrize("registered", ["first", "second"])
async def test_every_new_device_of_a_message_finds_its_readings(bench: Bench, registered: str) -> None:
    """A gateway's message with two new devices waits for both, whichever is registered first."""
    row = Quarantined(
        received=NOW,
        topic="t",
        payload=b"x",
        reason="unknown_device",
        detail="two",
        connector="mapped_json.gateway",
        external_id="first",
        others=("second",),
    )
    await bench.journal.commit(JournalBatch(quarantined=[row]))
    where = QuarantineFilter(connector="mapped_json.gateway", external_id=registered, reason="unknown_device")
    assert len(await bench.journal.waiting(where, 0, 10)) == 1


async def test_the_journal_knows_itself_and_its_newest_touch(bench: Bench) -> None:
    assert bench.reader.identity() > 0
    assert bench.reader.newest() == 0
    await bench.pipeline.take([delivery(f'{{{AT}, "readings": {{"pm10": 1, "no2": 2}}}}')])
    assert bench.reader.newest() == 1  # both quantities in one row
    await bench.journal.trim(1, 0)
    assert (bench.reader.newest(), bench.reader.touches(0, 10)) == (1, ([], 0))


async def test_an_older_state_of_a_journal_gets_a_new_identity(bench: Bench) -> None:
    """Restored from a backup, it would give out numbers that its readers believe to have read."""
    await bench.pipeline.take([delivery(f'{{{AT}, "readings": {{"pm10": 1}}}}')])
    same = await bench.journal.recognise(1)
    assert same == bench.reader.identity()
    assert await bench.journal.recognise(1000) != same


async def test_touches_of_a_journal_that_the_cursor_does_not_know_are_kept(bench: Bench) -> None:
    await bench.pipeline.take([delivery(f'{{{AT}, "readings": {{"pm10": 1}}}}')])
    await bench.journal.trim(1000, 0)
    assert len(bench.reader.touches(0, 10)[0]) == 1


async def test_an_order_with_wrong_arguments_is_answered(bench: Bench) -> None:
    bench.registry.submit("redrive", {"ids": "all"})
    await bench.pipeline.clerk.obey()
    assert "error" in bench.registry.results[1]


async def test_doubtful_readings_are_stored_flagged_and_counted(bench: Bench) -> None:
    await bench.pipeline.take([delivery('{"readings": {"relative_humidity": 1000}}')])
    assert bench.reader.reasons() == {("native", "out_of_range"): 1}
    assert bench.totals()["stored"] == 1


async def test_a_deveui_may_be_registered_as_the_label_prints_it(bench: Bench) -> None:
    up = {"time": "2026-11-23T11:59:00Z", "deviceInfo": {"devEui": "24e124136b502217"}, "object": {"co2": 700}}
    up["object"] = {"air_temperature": 21.5}
    topic = "application/1/device/24e124136b502217/event/up"
    await bench.pipeline.take([delivery(json.dumps(up), topic=topic)])
    bench.registry.add(Device(id="lora-1", connector="chirpstack", external_id="24-E1-24-13-6B-50-22-17"))
    await bench.pipeline.clerk.obey()
    assert {row.device for row in bench.store.rows.values()} == {"lora-1"}
    assert bench.reader.quarantine(QuarantineFilter()) == []
